"""Logs of jobs: written line by line in batches, read, and followed without asking again and again."""

import asyncio
import logging
from collections.abc import AsyncIterator
from functools import partial
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, func, insert, select

from jupyter_fpga.clock import Clock
from jupyter_fpga.fpga.states import FINISHED
from jupyter_fpga.store import StaleFence, Store, StoreFailed, Transaction
from jupyter_fpga.store.tables import job_logs, jobs

__all__ = ("JobLog", "Logs")

log = logging.getLogger(__name__)

BATCH_SECONDS = 0.1
"""How long lines are collected before they are stored: a tool that writes 10,000 lines costs ten commits a second."""

LONGEST_LINE = 4096
"""Characters of one line that are kept."""


class Logs:
    """The logs of all jobs.

    Parameters
    ----------
    store
        Where they are kept.
    clock
        The time of each line.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self._followers: dict[str, set[asyncio.Event]] = {}

    def open(self, job_id: str) -> "JobLog":
        """A log to write to, for the job's worker: ``async with``."""
        return JobLog(self, job_id)

    def finished(self, job_id: str) -> None:
        """Tell who follows the log that something changed: lines, or the job's end."""
        for wake in self._followers.get(job_id, ()):
            wake.set()

    async def lines(self, job_id: str, after: int = 0) -> list[tuple[int, str]]:
        """The lines after number ``after``, each with its number (from 1)."""
        lines, _ = await self.store.read(lambda connection: _read(connection, job_id, after))
        return lines

    async def follow(self, job_id: str, after: int = 0) -> AsyncIterator[tuple[int, str]]:
        """The lines after number ``after``, and those to come; ends with the job."""
        wake = asyncio.Event()
        followers = self._followers.setdefault(job_id, set())
        followers.add(wake)
        try:
            while True:
                wake.clear()
                lines, status = await self.store.read(partial(_read, job_id=job_id, after=after))
                for seq, text in lines:
                    after = seq
                    yield seq, text
                if status in FINISHED:
                    return
                await wake.wait()
        finally:
            followers.discard(wake)
            if not followers:
                self._followers.pop(job_id, None)


class JobLog:
    """The log of one job while its worker writes it. Lines get numbers in the order in which they come."""

    def __init__(self, logs: Logs, job_id: str) -> None:
        self._logs = logs
        self._job_id = job_id
        self._seq: int | None = None
        self.fence: int | None = None
        """The fence token of the job's worker, once it has one: lines of a worker that was replaced are dropped."""
        self._waiting: list[tuple[float, str]] = []
        self._flushing: asyncio.Task[None] | None = None
        self._storing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.flush()

    def write(self, text: str) -> None:
        """Add text: one line, or several."""
        now = self._logs.clock.time()
        self._waiting += [(now, line[:LONGEST_LINE]) for line in text.splitlines()]
        if self._waiting and self._flushing is None:
            self._flushing = asyncio.create_task(self._flush_soon(), name=f"jupyter_fpga log {self._job_id}")

    async def flush(self) -> None:
        """Store what waits."""
        if self._flushing is not None:
            self._flushing.cancel()
            await asyncio.wait({self._flushing})
            self._flushing = None
        await self._store()

    async def _flush_soon(self) -> None:
        await asyncio.sleep(BATCH_SECONDS)
        self._flushing = None
        try:
            await self._store()
        except StoreFailed as failure:
            # The lines are kept; the next ones, or the end of the job, try again and tell who has to know.
            log.warning("The log of job %s can't be stored now: %s", self._job_id, failure.message)

    async def _store(self) -> None:
        async with self._storing:
            lines, self._waiting = self._waiting, []
            if not lines:
                return
            if self._seq is None:
                # A worker that takes over goes on where the one before it ended.
                self._seq = await self._logs.store.read(self._last)
            first = self._seq + 1
            try:
                await asyncio.shield(self._logs.store.write(partial(self._insert, first, lines)))
            except StaleFence:
                # The job is another worker's by now, and its log with it.
                return
            except StoreFailed:
                self._waiting = lines + self._waiting
                raise
            self._seq += len(lines)
            self._logs.finished(self._job_id)

    def _insert(self, first: int, lines: list[tuple[float, str]], tx: Transaction) -> None:
        if self.fence is not None:
            tx.fenced(jobs, {"job_id": self._job_id}, self.fence)
        rows = [
            {"job_id": self._job_id, "seq": seq, "time": time, "text": text}
            for seq, (time, text) in enumerate(lines, first)
        ]
        tx.execute(insert(job_logs), rows)

    def _last(self, connection: Connection) -> int:
        statement = select(func.max(job_logs.c.seq)).where(job_logs.c.job_id == self._job_id)
        return connection.execute(statement).scalar_one() or 0


def _read(connection: Connection, job_id: str, after: int) -> tuple[list[tuple[int, str]], str]:
    status = connection.execute(select(jobs.c.status).where(jobs.c.job_id == job_id)).scalar_one()
    statement = (
        select(job_logs.c.seq, job_logs.c.text)
        .where(job_logs.c.job_id == job_id, job_logs.c.seq > after)
        .order_by(job_logs.c.seq)
    )
    return [(seq, text) for seq, text in connection.execute(statement)], status
