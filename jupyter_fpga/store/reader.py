"""Reading: snapshots, in threads of their own, so that the event loop never waits for the disk."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, CursorResult, Engine
from sqlalchemy.exc import OperationalError

from jupyter_fpga.store.errors import StoreClosed, StoreFailed

__all__ = ("Reader",)

T = TypeVar("T")

THREADS = 4
"""Queries at a time; each thread keeps one connection."""


class Reader:
    """The reading threads and their connections.

    Parameters
    ----------
    engine
        Makes read-only connections whose transactions are snapshots. Closed with the reader.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(THREADS, "jupyter_fpga store reader")
        self._closed = False

    async def read(self, query: Callable[[Connection], T]) -> T:
        """See :meth:`jupyter_fpga.store.Store.read`."""
        if self._closed:
            raise StoreClosed
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._snapshot, query)

    async def close(self) -> None:
        """Wait for the queries that run, and close the connections."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        self._engine.dispose()

    def _snapshot(self, query: Callable[[Connection], T]) -> T:
        try:
            with self._engine.connect() as connection, connection.begin():
                result = query(connection)
        except OperationalError as error:
            raise StoreFailed(error, reading=True) from error
        if isinstance(result, CursorResult):
            raise TypeError("Rows are fetched inside the query: return .all(), .scalar() or .mappings(), not a cursor.")
        return result
