"""The one thread that writes: it takes what waits, does it in one transaction, and says so after the commit."""

import asyncio
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, CursorResult, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from jupyter_fpga.clock import Clock
from jupyter_fpga.store.errors import StoreClosed, StoreFailed, StoreUnusable
from jupyter_fpga.store.events import Event, EventLog
from jupyter_fpga.store.tables import counters
from jupyter_fpga.store.transaction import Transaction

__all__ = ("Database", "Writer")

T = TypeVar("T")

GROUP = 128
"""Works in one transaction at most: bounds how long the first of them waits for the commit."""


class Database(Protocol):
    """What the writer needs to know of a kind of database."""

    def connect(self) -> Connection:
        """A connection that may write, with the lock that keeps every other lab out.

        Raises :class:`~jupyter_fpga.store.errors.StoreUnusable` when it can't be had.
        """
        ...

    def release(self) -> None:
        """Give back the lock, after the connection was closed."""
        ...


@dataclass
class _Work:
    function: Callable[[Transaction], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None
    events: list[Event] = field(default_factory=list)


class _GroupFailed(Exception):
    """The transaction as a whole can't be saved: the cause is the database's own error."""


class Writer:
    """The writer thread, its connection and its queue.

    Parameters
    ----------
    database
        How to connect, and how to lock.
    clock
        The time of what is written.
    log
        Told of what was committed, on the event loop, before those who wrote are answered.
    """

    def __init__(self, database: Database, clock: Clock, log: EventLog) -> None:
        self._database = database
        self._clock = clock
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._connection: Connection | None = None
        self._closing = False
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        # A daemon: an interpreter that ends without close() must not wait for it; what was acknowledged is on disk.
        self._thread = threading.Thread(target=self._run, name="jupyter_fpga store writer", daemon=True)

    async def start(self) -> None:
        """Connect; raises what ``database.connect()`` raises."""
        self._thread.start()
        try:
            await asyncio.shield(self._opened)
        except asyncio.CancelledError:
            self._queue.put(None)
            raise

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """See :meth:`jupyter_fpga.store.Store.write`."""
        if self._closing:
            raise StoreClosed
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Work(work, future))
        return await future

    async def close(self) -> None:
        """Do what waits, then close the connection and give back the lock."""
        if not self._closing:
            self._closing = True
            self._queue.put(None)
        await asyncio.shield(self._ended)

    # The rest runs in the thread.

    def _run(self) -> None:
        try:
            self._connect()
        except BaseException as error:
            self._disconnect()
            self._database.release()
            self._tell(self._opened.set_exception, error)
            return
        self._tell(self._opened.set_result, None)
        while group := self._next_group():
            self._carry_out(group)
        self._disconnect()
        self._database.release()
        self._tell(self._ended.set_result, None)

    def _next_group(self) -> list[_Work]:
        """What waits, at least one; empty when there will be no more."""
        group: list[_Work] = []
        while len(group) < GROUP:
            try:
                work = self._queue.get(block=not group)
            except queue.Empty:
                break
            if work is None:
                # Nothing comes after the end: put it back for the next look.
                self._queue.put(None)
                break
            if not work.future.done():
                group.append(work)
        return group

    def _carry_out(self, group: list[_Work]) -> None:
        try:
            self._commit(group)
        except BaseException as error:
            for work in group:
                work.error = _group_failure(error)
                work.events = []
            # Whether a failed commit took place is known only by looking: the next group starts with a look.
            if self._connection is not None:
                self._connection.invalidate()
            self._disconnect()
        self._tell(self._answer, group)

    def _commit(self, group: list[_Work]) -> None:
        connection = self._connection or self._connect()
        with connection.begin() as outer:
            now = self._clock.time()
            for work in group:
                self._try(connection, work, now)
            if not outer.is_active:
                raise _GroupFailed from RuntimeError("a work ended the transaction that it was lent")

    def _try(self, connection: Connection, work: _Work, now: float) -> None:
        """Do one work in a savepoint. Its failure is its own, unless the transaction goes with it."""
        savepoint = connection.begin_nested()
        transaction = Transaction(connection, now)
        try:
            work.result = work.function(transaction)
            if isinstance(work.result, CursorResult):
                raise TypeError(
                    "Rows are fetched inside the work: return .all(), .scalar() or .mappings(), not a cursor."
                )
            savepoint.commit()
            work.events = transaction.events
        except BaseException as error:
            work.error = _own_failure(error)
            try:
                savepoint.rollback()
            except SQLAlchemyError:
                raise _GroupFailed from error
        finally:
            transaction.end()

    def _connect(self) -> Connection:
        connection = self._connection = self._database.connect()
        with connection.begin():
            latest = connection.execute(select(counters.c.value).where(counters.c.name == "lsn")).scalar_one()
        self._tell(self._log.resume, latest)
        return connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _tell(self, function: Callable[..., object], *arguments: object) -> None:
        self._loop.call_soon_threadsafe(function, *arguments)

    # And this on the event loop again.

    def _answer(self, group: list[_Work]) -> None:
        self._log.committed([event for work in group for event in work.events])
        for work in group:
            if work.future.done():
                continue
            if work.error is not None:
                work.future.set_exception(work.error)
            else:
                work.future.set_result(work.result)


def _own_failure(error: BaseException) -> BaseException:
    """What the caller of a work that raised ``error`` hears."""
    if isinstance(error, OperationalError):
        return _caused(StoreFailed(error), error)
    if isinstance(error, StopIteration):
        # A future can't carry it; the same exchange as Python makes in generators.
        return _caused(RuntimeError("a work raised StopIteration"), error)
    return error


def _group_failure(error: BaseException) -> BaseException:
    """What each work of a failed group hears."""
    if isinstance(error, StoreUnusable):
        # The database was lost and can't be had again: that sentence says more.
        return error
    cause = error.__cause__ if isinstance(error, _GroupFailed) and error.__cause__ else error
    return _caused(StoreFailed(cause), cause)


def _caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error
