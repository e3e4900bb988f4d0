"""Empty databases to test with: SQLite files, and those of a private PostgreSQL."""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PLACES = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")
"""Where distributions keep the server's programs, which are rarely on PATH."""

_NUMBER = itertools.count()


def find_programs() -> Path | None:
    """The folder with PostgreSQL's ``initdb`` and ``pg_ctl``."""
    found = [folder for place in PLACES for folder in Path("/").glob(place) if (folder / "initdb").exists()]
    on_path = shutil.which("initdb")
    if on_path:
        found.append(Path(on_path).resolve().parent)
    return found[-1] if found else None


class Cluster:
    """A PostgreSQL of its own in a temporary folder, reached through a socket there."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        # Not below pytest's folders: a socket's path has room for about a hundred characters.
        self._folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        # PostgreSQL refuses to run as root; Debian's package brings a user for it.
        self._as: dict[str, Any] = {}
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self._folder, user.pw_uid, user.pw_gid)
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()}
        self._run("initdb", "--auth=trust", "--username=lab", "--encoding=UTF8", "--no-locale", "--no-sync")
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = f"-c listen_addresses='' -c unix_socket_directories='{self._folder}' -c fsync=off"
        self._run("pg_ctl", "start", "--wait", "--silent", f"--log={self._folder}/log", f"--options={options}")

    def crash(self) -> None:
        """Stop the server at once; it recovers from its log at the next start."""
        self._run("pg_ctl", "stop", "--wait", "--silent", "--mode=immediate")

    def stop(self) -> None:
        """Stop the server and remove its files, which it needn't put in order before."""
        self.crash()
        # What it had started ends a moment after it, and may still remove files of its own.
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://lab@/{database}?host={self._folder}"

    def create_database(self, name: str) -> str:
        """Make an empty database and return its URL."""
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        return self.url(name)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments],
            check=True,
            cwd=self._folder,
            env={"PGDATA": f"{self._folder}/data", "PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            **self._as,
        )


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running PostgreSQL."""
    pytest.importorskip("psycopg", reason="the driver is missing: pip install 'jupyter-fpga[postgres]'")
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL's server is missing (Debian: apt install postgresql)")
    cluster = Cluster(programs)
    yield cluster
    cluster.stop()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that isn't there yet."""
    return f"sqlite:///{tmp_path}/lab.sqlite"


@pytest.fixture
def postgres_url(cluster: Cluster) -> str:
    """The URL of an empty PostgreSQL database."""
    return cluster.create_database(f"lab{next(_NUMBER)}")


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database of either kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
