"""Databases that can't be used: each with its whole sentence, and what to set."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from jupyter_fpga.store import Store, StoreFailed, StoreLocked, StoreUnusable
from jupyter_fpga.store.filesystem import NETWORK_TYPES, filesystem_type
from jupyter_fpga.store.sqlite import SQLite

ELSEWHERE = "set Lab.data_dir, or the environment variable JUPYTER_FPGA_DATA_DIR, to a folder on a disk of this machine"

NO_FILE = (
    "The lab's database must outlive the lab, and its URL names no plain file: "
    "give sqlite:////absolute/path, without options."
)

HOLD = """
import asyncio, sys
from jupyter_fpga.store import Store

async def main():
    store = await Store.open(sys.argv[1])
    await store.write(lambda tx: tx.event("held"))
    print("open", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def refused(url: str, **arguments: Any) -> StoreUnusable:
    """The refusal to open ``url``."""
    with pytest.raises(StoreUnusable) as caught:
        await Store.open(url, **arguments)
    return caught.value


async def hold(url: str) -> asyncio.subprocess.Process:
    """Another lab, in a process of its own, that has ``url`` open."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLD, url, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"open\n"
    return process


async def test_a_second_lab_on_the_same_file(sqlite_url: str, tmp_path: Path) -> None:
    process = await hold(sqlite_url)
    error = await refused(sqlite_url)
    assert (error.code, error.message) == (
        "store_locked",
        f"Another lab (process {process.pid}) uses {tmp_path}/lab.sqlite, and one database serves one lab. "
        f"Use that lab, stop it, or {ELSEWHERE}.",
    )
    process.kill()
    await process.wait()
    # What it left behind is no obstacle.
    assert (tmp_path / "lab.sqlite.lock").read_text() == f"{process.pid}\n"
    store = await Store.open(sqlite_url)
    assert (tmp_path / "lab.sqlite.lock").read_text() == f"{os.getpid()}\n"
    assert store.events.latest == 1
    await store.close()


async def test_a_second_lab_on_the_same_postgresql_database(postgres_url: str) -> None:
    process = await hold(postgres_url)
    error = await refused(postgres_url)
    where = postgres_url.split("?")[0]
    assert (error.code, error.message) == (
        "store_locked",
        f"Another lab (process {process.pid} on {os.uname().nodename}) uses {where}, and one database serves one lab. "
        "Use that lab, stop it, or give this one another database.",
    )
    process.kill()
    await process.wait()
    store = await Store.open(postgres_url)
    assert store.events.latest == 1
    await store.close()


async def test_the_same_lab_twice_and_through_a_link(sqlite_url: str, tmp_path: Path) -> None:
    store = await Store.open(sqlite_url)
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "other.sqlite").symlink_to("lab.sqlite")
    for url in (sqlite_url, f"sqlite:///{tmp_path}/link/lab.sqlite", f"sqlite:///{tmp_path}/other.sqlite"):
        error = await refused(url)
        assert error.message == (
            f"Another lab (process {os.getpid()}) uses {tmp_path}/lab.sqlite, and one database serves one lab. "
            f"Use that lab, stop it, or {ELSEWHERE}."
        )
    # The refusals have not taken the lock away.
    assert (await refused(sqlite_url)).code == "store_locked"
    await store.close()
    await (await Store.open(sqlite_url)).close()


async def test_a_lab_that_has_the_lock_but_not_said_so_yet(sqlite_url: str, tmp_path: Path) -> None:
    store = await Store.open(sqlite_url)
    os.truncate(tmp_path / "lab.sqlite.lock", 0)
    error = await refused(sqlite_url)
    assert isinstance(error, StoreLocked)
    assert error.detail == {"database": f"{tmp_path}/lab.sqlite", "holder": "a process that is just starting"}
    await store.close()


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "lustre"])
async def test_a_network_file_system(tmp_path: Path, kind: str) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(f"1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:50 / {tmp_path} rw shared:7 - {kind} there:/ rw\n")
    error = await refused(f"sqlite:///{tmp_path}/lab/lab.sqlite", mountinfo=table)
    assert (error.code, error.message) == (
        "network_filesystem",
        f"The folder {tmp_path}/lab is on a network file system ({kind}), where the lab's database could be damaged: "
        f"{ELSEWHERE}.",
    )
    assert not (tmp_path / "lab" / "lab.sqlite").exists()


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"),
        ("/home", "ext4"),
        ("/home/ann", "nfs4"),
        ("/home/ann/deep/er", "nfs4"),
        ("/home/annette", "ext4"),
        ("/home/ann/scratch/x", "xfs"),
        ("/a b\\c", "fuse.sshfs"),
        ("/over", "tmpfs"),
    ],
)
def test_the_mount_that_counts(folder: str, kind: str) -> None:
    table = (
        "20 1 8:1 / / rw,relatime shared:1 master:2 - ext4 /dev/sda rw\n"
        "22 20 8:2 / /home/ann/scratch rw - xfs /dev/sdb rw\n"
        "21 20 0:40 /x /home/ann rw - nfs4 server:/x rw\n"
        "23 20 0:41 / /a\\040b\\134c rw - fuse.sshfs ann@there: rw\n"
        "24 20 0:42 / /over rw - nfs server:/y rw\n"
        "25 24 0:43 / /over rw - tmpfs none rw\n"
    )
    assert filesystem_type(Path(folder), table) == kind


def test_disks_are_no_network() -> None:
    assert NETWORK_TYPES.isdisjoint(("ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "f2fs", "vfat", "fuseblk"))


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (
            "no url with a password",
            "The lab's database has no URL that can be read: "
            "give sqlite:////absolute/path or postgresql://user:password@host/database.",
        ),
        (
            "mysql://ann:secret@there/lab",
            "The lab's database can't be in mysql: "
            "give sqlite:////absolute/path or postgresql://user:password@host/database.",
        ),
        ("sqlite://", NO_FILE),
        ("sqlite:///:memory:", NO_FILE),
        ("sqlite:////lab.sqlite?mode=ro", NO_FILE),
    ],
)
async def test_urls_that_are_none(url: str, sentence: str) -> None:
    error = await refused(url)
    assert (error.code, error.message) == ("store_unusable", sentence)


async def test_a_file_that_is_no_database(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "lab.sqlite").write_text("Dear diary, " * 1000)
    assert (await refused(sqlite_url)).message == (
        f"The lab's database {tmp_path}/lab.sqlite can't be used (file is not a database). "
        f"Put that right, or {ELSEWHERE}."
    )
    (tmp_path / "lab.sqlite").unlink()
    await (await Store.open(sqlite_url)).close()  # and the lock was given back


async def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert (await refused(f"sqlite:///{tmp_path}/file/lab.sqlite")).message == (
        f"The lab's database {tmp_path}/file/lab.sqlite can't be used (File exists). Put that right, or {ELSEWHERE}."
    )
    assert (await refused(f"sqlite:///{tmp_path}")).message == (
        f"The lab's database {tmp_path} can't be used (Is a directory). Put that right, or {ELSEWHERE}."
    )


async def test_what_the_lab_writes_is_nobody_else_s(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/new/lab/lab.sqlite")
    await store.write(lambda tx: tx.event("private"))
    folder = tmp_path / "new" / "lab"
    assert folder.stat().st_mode & 0o077 == 0
    files = {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()}
    assert files == dict.fromkeys(("lab.sqlite", "lab.sqlite-wal", "lab.sqlite-shm", "lab.sqlite.lock"), "0o600")
    await store.close()


def test_an_old_sqlite(sqlite_url: str) -> None:
    with pytest.raises(StoreUnusable) as caught:
        SQLite(make_url(sqlite_url), version=(3, 34, 1)).connect()
    assert caught.value.message == (
        "This Python has SQLite 3.34.1, and the lab needs 3.35 or newer: "
        "use a newer Python, or a PostgreSQL URL as the lab's database."
    )


async def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="the driver is missing: pip install 'jupyter-fpga[postgres]'")
    error = await refused(f"postgresql://ann:secret@/lab?host={tmp_path}")
    reason = error.detail["reason"]
    assert "No such file or directory" in reason
    assert error.message == (
        f"The lab's database postgresql://ann:***@/lab can't be used ({reason}). "
        "Put that right, or take the URL out of the configuration to use a file instead."
    )
    assert "secret" not in error.message


async def test_a_driver_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    error = await refused("postgresql://ann:secret@there/lab")
    assert (error.code, error.message) == (
        "driver_missing",
        "The lab's database is postgresql://ann:***@there/lab, and the driver for PostgreSQL is not installed: "
        "pip install 'jupyter-fpga[postgres]'",
    )


async def test_a_server_that_crashes_and_comes_back(cluster: Any, postgres_url: str) -> None:
    store = await Store.open(postgres_url)
    assert await store.write(lambda tx: tx.event("before")) == 1
    follower = store.events.subscribe()
    cluster.crash()
    with pytest.raises(StoreFailed) as caught:
        await store.write(lambda tx: tx.event("lost"))
    assert caught.value.message.startswith("The lab's database failed (")
    # Still away: the sentence is that of a database that can't be opened.
    with pytest.raises(StoreUnusable):
        await store.write(lambda tx: tx.event("lost"))
    with pytest.raises(StoreFailed):
        await store.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())
    cluster.start()
    assert await store.write(lambda tx: tx.event("after")) == 2
    assert (await anext(follower)).kind == "after"
    assert await store.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar()) == 1
    assert (await refused(postgres_url)).code == "store_locked"
    await store.close()


async def test_a_lab_that_lost_its_database_to_another_writes_no_more(cluster: Any, postgres_url: str) -> None:
    first = await Store.open(postgres_url)
    cluster.crash()
    cluster.start()
    second = await Store.open(postgres_url)
    with pytest.raises(StoreFailed):
        await first.write(lambda tx: tx.event("lost"))
    with pytest.raises(StoreLocked):
        await first.write(lambda tx: tx.event("lost"))
    assert await second.write(lambda tx: tx.event("kept")) == 1
    await first.close()
    await second.close()
