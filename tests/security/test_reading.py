"""What is the lab's, its user's or another task's is neither read nor changed."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from jupyter_fpga.compute.sandbox import Mount, Sandbox

from .conftest import Prey

SECRET = f"hunter-{secrets.token_hex(8)}"
PIECES = f"{SECRET[:5]},{SECRET[5:]}"
"""The secret, but not to be found where it is said what to look for."""

MY_HOME = str(Path.home())
HOME = (
    ".ssh/id_ed25519",
    ".bash_history",
    ".local/share/jupyter/runtime/jpserver-1.json",
    ".local/share/jupyter/runtime/jupyter-fpga.json",
    ".local/share/jupyter/fpga/lab.sqlite",
    "notebook.ipynb",
)
"""What is in a home folder: keys, the tokens of a Jupyter server and of the lab, the lab's data."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    for name in HOME:
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SECRET)
        path.chmod(0o644)
    return home


@pytest.fixture
async def server() -> AsyncIterator[int]:
    """A process of the lab's own user with a secret in its environment and on its command line."""
    environment = {**os.environ, "JPY_API_TOKEN": SECRET}
    process = await asyncio.create_subprocess_exec("sleep", "1000", env=environment)
    yield process.pid
    process.kill()
    await process.wait()


async def test_nothing_of_a_home_is_read(prey: Prey, home: Path) -> None:
    paths = [str(home), *(str(home / name) for name in HOME), MY_HOME]
    assert await prey.lines("search.py", PIECES, str(os.getpid()), *paths) == ["looked"]


async def test_the_environment_of_the_lab_is_not_read(prey: Prey, server: int) -> None:
    assert await prey.lines("search.py", PIECES, str(server)) == ["looked"]


async def test_nothing_of_another_task_is_read(prey: Prey) -> None:
    """The other one runs, has a secret in its folder and in its environment, and is looked for everywhere."""
    told: asyncio.Queue[str] = asyncio.Queue()
    inputs, environment = {"secret": SECRET.encode()}, {"SECRET": SECRET}
    other = asyncio.create_task(
        prey.attack("beside.sh", inputs=inputs, environment=environment, on_output=told.put_nowait)
    )
    folder = await told.get()
    pids = ",".join(pid for pid in os.listdir("/proc") if pid.isdigit())
    places = ["/tmp", "/work", "/var/tmp", "/run", "/home", "/root", folder, f"{folder}/secret"]
    try:
        assert await prey.lines("search.py", PIECES, pids, *places) == ["looked"]
    finally:
        other.cancel()
        with suppress(asyncio.CancelledError):
            await other


async def test_without_walls_it_is_found(home: Path, server: int, bombs: Path) -> None:
    """The search is one that finds: what it shall not find above is there."""
    prey = Prey(Sandbox.without("A test asked for none."), bombs)
    lines = await prey.lines("search.py", PIECES, str(server), str(home))
    assert {f"FOUND {home / name}" for name in HOME} | {f"FOUND /proc/{server}/environ"} <= set(lines)


async def test_nothing_is_inherited(prey: Prey, home: Path) -> None:
    with (home / "notebook.ipynb").open() as secret:
        os.set_inheritable(secret.fileno(), True)
        (line,) = await prey.lines("descriptors.py")
    assert line.startswith("[] ")


async def test_files_that_cannot_be_opened_are_not_changed_either(prey: Prey, home: Path) -> None:
    """Landlock limits neither modes, times, owners nor attributes; the other walls do."""
    path = home / ".ssh" / "id_ed25519"
    path.chmod(0o600)
    before = path.stat()
    lines = await prey.lines("change.py", str(path))
    assert not [line for line in lines if "DONE" in line and "link" not in line]
    assert len(lines) == 14
    after = path.stat()
    assert (after.st_mode, after.st_mtime_ns, after.st_uid, after.st_nlink) == (
        before.st_mode,
        before.st_mtime_ns,
        before.st_uid,
        1,
    )
    assert path.read_text() == SECRET
    assert os.listxattr(path) == []


async def test_what_it_is_shown_it_does_not_change(prey: Prey, home: Path) -> None:
    path = home / "notebook.ipynb"
    before = path.stat()
    lines = await prey.lines("change.py", "/shown", mounts=[Mount(path, "/shown")])
    assert lines[-1] == "read DONE"
    assert not [line for line in lines[:-1] if "DONE" in line]
    assert (path.stat().st_mode, path.stat().st_mtime_ns, path.read_text()) == (
        before.st_mode,
        before.st_mtime_ns,
        SECRET,
    )


async def test_its_own_files_are_its_own(prey: Prey) -> None:
    assert await prey.lines("own_files.py") == [
        "chmod 0o755",
        "absolute 0o700",
        "from beside 0o711",
        "open 0o640",
        "utime 1000000001.0",
        "now True",
        "in a folder 0o600",
        "another's rights none",
        "True",
        "missing",
    ]
