"""SQLite: one file, one lab."""

import fcntl
import os
import sqlite3
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, NullPool, QueuePool, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError

from jupyter_fpga.store.errors import OTHER_FOLDER, StoreLocked, StoreUnusable
from jupyter_fpga.store.filesystem import MOUNTINFO, refuse_network
from jupyter_fpga.store.migrate import upgrade
from jupyter_fpga.store.tables import strict_json

__all__ = ("SQLite",)

OLDEST = (3, 35, 0)
"""The first SQLite whose UPDATE has a RETURNING clause."""

BUSY_SECONDS = 30
"""How long to wait for somebody who looks at the file with another tool and holds its write lock."""


class SQLite:
    """A database file, the lock file beside it, and the folder they are in.

    Parameters
    ----------
    url
        ``sqlite:////absolute/path``.
    mountinfo
        The mount table that says what kind of file system the folder is on.
    version
        SQLite's version.
    """

    def __init__(
        self, url: URL, *, mountinfo: Path = MOUNTINFO, version: tuple[int, ...] = sqlite3.sqlite_version_info
    ) -> None:
        if not url.database or url.database == ":memory:" or url.query:
            raise StoreUnusable(
                "The lab's database must outlive the lab, and its URL names no plain file: "
                "give sqlite:////absolute/path, without options."
            )
        # The real place: two links to one file must meet at one lock.
        self.path = Path(os.path.realpath(url.database))
        self._url = URL.create("sqlite", database=str(self.path))
        self._mountinfo = mountinfo
        self._version = version
        self._lock: int | None = None
        self._engine: Engine | None = None

    def connect(self) -> Connection:
        """The writing connection, with the newest schema; takes the lock file first."""
        if self._engine is None:
            self._prepare_folder()
            self._engine = self._make_engine("BEGIN IMMEDIATE", NullPool)
        try:
            connection = self._engine.connect()
        except DatabaseError as error:
            raise self._unusable(str(error.orig)) from error
        try:
            upgrade(connection, str(self.path))
        except DatabaseError as error:
            connection.close()
            raise self._unusable(str(error.orig)) from error
        except BaseException:
            connection.close()
            raise
        return connection

    def release(self) -> None:
        """Give back the lock file. It stays in the folder: only its lock says something."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def readers(self, threads: int) -> Engine:
        """An engine for that many reading threads."""
        return self._make_engine("BEGIN", QueuePool, pool_size=threads, max_overflow=0)

    def _prepare_folder(self) -> None:
        if self._version < OLDEST:
            raise StoreUnusable(
                f"This Python has SQLite {'.'.join(map(str, self._version))}, and the lab needs 3.35 or newer: "
                "use a newer Python, or a PostgreSQL URL as the lab's database."
            )
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            refuse_network(self.path.parent, self._mountinfo)
            self._lock = self._take_lock(self.path.with_name(self.path.name + ".lock"))
            # Made here, so that nobody else can read it; SQLite gives its other files the same mode.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error

    def _take_lock(self, path: Path) -> int:
        """Lock ``path`` for as long as this process lives; the kernel gives the lock back however the process ends."""
        lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 32, 0).decode("ascii", "replace").strip()
            os.close(lock)
            raise StoreLocked(
                str(self.path), f"process {holder}" if holder else "a process that is just starting", OTHER_FOLDER
            ) from None
        except BaseException:
            os.close(lock)
            raise
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        return lock

    def _make_engine(self, begin: str, pool: type[NullPool] | type[QueuePool], **options: int) -> Engine:
        engine = create_engine(
            self._url,
            poolclass=pool,
            # Each connection is used by one thread at a time, but the last to close may be another.
            connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
            json_serializer=strict_json,
            **options,
        )

        @event.listens_for(engine, "connect")
        def prepare(connection: DBAPIConnection, _record: object) -> None:
            # The driver's own transactions begin late and never around a SELECT; ours begin where we say.
            connection.isolation_level = None
            cursor = connection.cursor()
            if begin == "BEGIN":
                cursor.execute("PRAGMA query_only = ON")
            else:
                cursor.execute("PRAGMA journal_mode = WAL")
                if (mode := cursor.fetchone()) != ("wal",):
                    raise self._unusable(f"it takes no write-ahead log, but journal mode {mode}")
                cursor.execute("PRAGMA synchronous = FULL")
            cursor.execute("PRAGMA foreign_keys = ON")
            cursor.close()

        @event.listens_for(engine, "begin")
        def start(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine

    def _unusable(self, reason: str) -> StoreUnusable:
        return StoreUnusable(
            f"The lab's database {self.path} can't be used ({reason}). Put that right, or {OTHER_FOLDER}.",
            detail={"database": str(self.path), "reason": reason},
        )
