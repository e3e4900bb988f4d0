"""The store as the floors see it."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, make_url
from sqlalchemy.exc import ArgumentError

from jupyter_fpga.clock import Clock, SystemClock
from jupyter_fpga.store.errors import StoreUnusable
from jupyter_fpga.store.events import EventLog
from jupyter_fpga.store.filesystem import MOUNTINFO
from jupyter_fpga.store.postgresql import PostgreSQL
from jupyter_fpga.store.reader import THREADS, Reader
from jupyter_fpga.store.sqlite import SQLite
from jupyter_fpga.store.transaction import Transaction
from jupyter_fpga.store.writer import Writer

__all__ = ("Store",)

T = TypeVar("T")

FORMS = "give sqlite:////absolute/path or postgresql://user:password@host/database"


class Store:
    """The durable truth of one lab: everything that must survive a crash.

    Made by :meth:`open`; belongs to the event loop that opened it.
    """

    def __init__(self, writer: Writer, reader: Reader, events: EventLog) -> None:
        self._writer = writer
        self._reader = reader
        self.events = events
        """The event log."""

    @classmethod
    async def open(cls, url: str, *, clock: Clock | None = None, mountinfo: Path = MOUNTINFO) -> "Store":
        """Open the database, alone, with the newest schema; make it if it isn't there.

        Parameters
        ----------
        url
            ``sqlite:////absolute/path`` or a PostgreSQL URL.
        clock
            The time of what is written; the machine's own when not given.
        mountinfo
            The mount table that says whether SQLite's folder is on a network file system.

        Raises
        ------
        StoreLocked
            If another lab uses it.
        StoreUnusable
            If it can't be used for another reason; the message says what to set.
        """
        database = _database(url, mountinfo)
        reader = Reader(database.readers(THREADS))
        events = EventLog(reader.read)
        writer = Writer(database, clock or SystemClock(), events)
        try:
            await writer.start()
        except BaseException:
            await reader.close()
            raise
        return cls(writer, reader, events)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in the writer thread and return its result once it is **committed**.

        Works run one after the other, in the order of the calls, several in one commit. One that raises is undone
        alone, and its exception is raised here. A work should only talk to the database, and quickly: everybody waits
        behind it. Cancelled while it waits, it is dropped if it has not begun, and done if it has.

        Raises
        ------
        StoreClosed
            After :meth:`close`.
        StoreFailed
            If the database failed under it (a full disk, a lost server): look again at what is there.
        """
        return await self._writer.write(work)

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run ``query`` in a reading thread, on a snapshot that has everything committed so far; writing is refused.

        Rows must be fetched inside ``query``.

        Raises
        ------
        StoreClosed
            After :meth:`close`.
        """
        return await self._reader.read(query)

    async def close(self) -> None:
        """Finish what was begun, end the subscriptions, and give the database free for another lab."""
        self.events.close()
        await self._writer.close()
        await self._reader.close()


def _database(url: str, mountinfo: Path) -> SQLite | PostgreSQL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        # Not repeated in the message: it may hold a password.
        raise StoreUnusable(f"The lab's database has no URL that can be read: {FORMS}.") from None
    match parsed.get_backend_name():
        case "sqlite":
            return SQLite(parsed, mountinfo=mountinfo)
        case "postgresql" | "postgres":
            return PostgreSQL(parsed)
        case other:
            raise StoreUnusable(f"The lab's database can't be in {other}: {FORMS}.")
