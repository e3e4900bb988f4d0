"""The live path: reads and writes on a board that its owner holds, without job rows, counted and rate-limited."""

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any

from jupyter_fpga.fpga import refusals
from jupyter_fpga.fpga.floor import Floor
from jupyter_fpga.fpga.frames import Request, TextRequest
from jupyter_fpga.fpga.pool import Operations, Unit
from jupyter_fpga.fpga.rates import RateLimit
from jupyter_fpga.fpga.sessions import check_design, may_use
from jupyter_fpga.fpga.wishbone import LinkBusy
from jupyter_fpga.people import Person

__all__ = ("Stream", "open_stream")

IN_FLIGHT = 1024
"""Frames of one stream that wait for their answers; the next one waits until one is answered."""


class Stream:
    """One live path to one board. Made by :func:`open_stream`.

    Several streams of a board share its link fairly: each is a user of its own, and users take turns.
    """

    def __init__(
        self, floor: Floor, unit: Unit, person: Person, *, observe: bool, design: str | None, limit: RateLimit
    ) -> None:
        self._floor = floor
        self._unit = unit
        self._person = person
        self.observes = observe
        """Whether it may only read."""
        self.design = design
        """Digest of the only design that it is for, or ``None`` for whatever its holder puts on the board."""
        self._limit = limit
        self._operations: tuple[Any, Operations] | None = None
        self._answers: deque[asyncio.Task[Any]] = deque()
        self._ended = asyncio.Event()
        self.closed: str | None = None
        """Why the stream is over, or ``None``: ``session_ended``, ``design_replaced``, ``observers_shut_out``,
        ``link_busy``, ``lab_stopping``, ``closed``."""

    async def submit(self, request: Request | TextRequest) -> "asyncio.Future[list[int] | Mapping[str, Any]]":
        """Take a request; what is returned is to be awaited for its answer.

        Returns once the request is on its way, later when the stream is at its rate limit or has too many requests in
        flight. Requests are carried out, and answered, in the order in which they were taken.

        Returns
        -------
        Future
            Of the words read (none for a write) for a :class:`Request`; of the answer by name for a
            :class:`TextRequest`. It raises the ``LabError`` to be answered: ``run_rejected`` and its like,
            ``bus_error`` …

        Raises
        ------
        Conflict
            The stream is over.
        """
        self._check_open()
        await self._limit.take()
        while self._answers and (self._answers[0].done() or len(self._answers) >= IN_FLIGHT):
            await asyncio.wait({self._answers.popleft()})
        answer = asyncio.create_task(self._carry_out(request))
        self._answers.append(answer)
        # Whoever was to await it may be gone by now (a browser tab that was closed).
        answer.add_done_callback(lambda task: task.cancelled() or task.exception())
        return answer

    async def wait_closed(self) -> str:
        """Wait until the stream is over; returns why."""
        await self._ended.wait()
        assert self.closed is not None
        return self.closed

    async def close(self) -> None:
        """End the stream; what is on the wire is carried out all the same."""
        self.end("closed")
        if self._answers:
            await asyncio.wait(set(self._answers))

    def end(self, reason: str) -> None:
        """End the stream for ``reason``; requests that wait are refused."""
        if self.closed is None:
            self.closed = reason
            self._unit.streams.discard(self)
            self._ended.set()

    def _check_open(self) -> None:
        if self.closed is None:
            return
        if self.closed == "design_replaced" and self.design is not None:
            raise refusals.design_replaced(self._unit.fpga_id, self.design)
        if self.closed == "observers_shut_out":
            raise refusals.observers_shut_out(self._unit.fpga_id)
        raise refusals.session_ended(self._unit.fpga_id)

    async def _carry_out(self, request: Request | TextRequest) -> list[int] | Mapping[str, Any]:
        link, known, row = self._unit.link, self._unit.registers, self._unit.row
        self._check_open()
        if link is None or known is None or row is None or row["state"] != "reserved":
            # The holder's next design is being programmed; the stream lives on.
            raise refusals.fpga_not_reserved(row)
        access = known.frame(request) if isinstance(request, Request) else known.access(request.transaction)
        if self.observes and access.operation.is_write:
            raise refusals.observers_only_read(self._unit.fpga_id)
        if self._operations is None or self._operations[0] is not link:
            self._operations = (link, link.session(self._person.name))
        try:
            (words,) = await self._operations[1].run((access.operation,))
        except LinkBusy:
            self.end("link_busy")
            raise
        self._floor.counts.frame(self._person.name, access.operation.count)
        return words if isinstance(request, Request) else access.answer(words)


async def open_stream(
    floor: Floor, person: Person, fpga_id: int, *, observe: bool = False, design: str | None = None
) -> Stream:
    """A live path to a board for its holder, or for somebody whom the holder lets watch.

    Parameters
    ----------
    design
        Digest of the manifest by which the caller knows the registers. The stream ends when the board gets another
        design, so that nobody reads or writes by a layout that isn't there any more. ``None``: any design.

    Raises
    ------
    Conflict
        ``fpga_not_reserved``, ``session_ended``, ``design_replaced``.
    Forbidden
        ``not_session_holder``, ``observers_not_allowed``.
    """
    unit = floor.pool[fpga_id]
    if observe:
        row = unit.row
        if row is None or row["state"] != "reserved" or row["session_id"] is None:
            raise refusals.fpga_not_reserved(row)
        if row["owner"] != person.name and not unit.observers_allowed and not person.is_operator:
            raise refusals.observers_not_allowed(fpga_id)
    else:
        may_use(floor, unit, person)
    check_design(unit, design)
    stream = Stream(floor, unit, person, observe=observe, design=design, limit=floor.limit(person.name))
    unit.streams.add(stream)
    return stream
