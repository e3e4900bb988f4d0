"""The event log: every change of the lab, numbered without gaps, and followed by whoever wants to know."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import Connection, select

from jupyter_fpga.store.errors import LsnInFuture
from jupyter_fpga.store.tables import events, strict_json

__all__ = ("Event", "EventLog")

REMEMBERED = 4096
"""Newest events kept in memory, so that a room full of followers doesn't read each one from the database."""


@dataclass(frozen=True)
class Event:
    """One row of the log.

    Parameters
    ----------
    lsn
        Its number: one more than that of the event before it.
    time
        Unix seconds.
    kind
        What happened.
    fpga_id, job_id, owner
        What and whom it is about, where that is known.
    public
        Whether everybody may see it.
    data
        Further JSON-able facts.
    """

    lsn: int
    time: float
    kind: str
    fpga_id: int | None = None
    job_id: str | None = None
    owner: str | None = None
    public: bool = False
    data: dict[str, Any] = field(default_factory=dict)


_PLAIN = (str, int, bool, type(None))
"""Types of values that come back as they are."""


def plain(data: dict[str, Any]) -> dict[str, Any]:
    """``data`` as it comes back from the database (tuples become lists).

    Raises ``TypeError`` or ``ValueError`` if it isn't JSON-able.
    """
    if all(type(value) in _PLAIN for value in data.values()):
        return dict(data)
    copy: dict[str, Any] = json.loads(strict_json(data))
    return copy


def select_since(connection: Connection, lsn: int, limit: int) -> list[Event]:
    """Up to ``limit`` events after ``lsn``, in order, as the database has them."""
    rows = connection.execute(select(events).where(events.c.lsn > lsn).order_by(events.c.lsn).limit(limit))
    return [Event(**row) for row in rows.mappings()]


class EventLog:
    """The log as its readers see it. Belongs to the event loop that opened the store."""

    def __init__(self, read: Callable[[Callable[[Connection], list[Event]]], Awaitable[list[Event]]]) -> None:
        self._read = read
        self._recent: deque[Event] = deque(maxlen=REMEMBERED)
        self._wake = asyncio.Event()
        self._closed = False
        self.latest = 0
        """LSN of the newest committed event; 0 when there is none."""

    def committed(self, news: Sequence[Event]) -> None:
        """Take in events that a transaction has just made durable, and wake who waits for them."""
        if news:
            self._recent.extend(news)
            self._reached(news[-1].lsn)

    def resume(self, latest: int) -> None:
        """Start at ``latest``: what the database says when it was opened, or after a commit of unknown outcome."""
        self._recent.clear()
        self._reached(latest)

    def close(self) -> None:
        """End every subscription; a reader that comes back later goes on from its last LSN."""
        self._closed = True
        self._wake.set()

    async def since(self, lsn: int, limit: int = 1000) -> list[Event]:
        """Up to ``limit`` events after ``lsn``, in order, without gaps.

        Raises
        ------
        LsnInFuture
            If the log hasn't reached ``lsn``.
        """
        self._check(lsn)
        if lsn == self.latest:
            return []
        if self._recent and self._recent[0].lsn <= lsn + 1:
            start = lsn + 1 - self._recent[0].lsn
            return list(islice(self._recent, start, start + limit))
        return await self._read(lambda connection: select_since(connection, lsn, limit))

    def subscribe(self, since: int | None = None) -> AsyncIterator[Event]:
        """Every event after ``since`` (``None``: after now), in order, without gaps or doubles, for ever.

        The start is fixed by the call, not by the first ``anext``. The iteration ends when the store is closed.

        Raises
        ------
        LsnInFuture
            If the log hasn't reached ``since``.
        """
        position = self.latest if since is None else since
        self._check(position)
        return self._follow(position)

    async def _follow(self, position: int) -> AsyncIterator[Event]:
        while not self._closed:
            wake = self._wake
            for event in await self.since(position):
                position = event.lsn
                yield event
            if position == self.latest:
                await wake.wait()

    def _check(self, lsn: int) -> None:
        if lsn > self.latest:
            raise LsnInFuture(lsn, self.latest)

    def _reached(self, lsn: int) -> None:
        self.latest = lsn
        self._wake.set()
        self._wake = asyncio.Event()
