"""What every live path to a board has: requests in their order, counted and rate-limited, and an end with a reason."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from jupyter_fpga.errors import LabError
from jupyter_fpga.fpga import refusals
from jupyter_fpga.fpga.floor import Floor
from jupyter_fpga.fpga.pool import Operations, Unit
from jupyter_fpga.fpga.rates import RateLimit
from jupyter_fpga.fpga.registers import RegisterMap
from jupyter_fpga.fpga.wishbone import LinkBusy, Operation
from jupyter_fpga.gateware.manifest import Manifest
from jupyter_fpga.people import Person

__all__ = ("IN_FLIGHT", "Live")

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")

IN_FLIGHT = 2048
"""Accesses of one path that wait for their answers; the next request waits until there is room for its own. As many as
two of the largest messages of a stream have, so that the wire isn't idle between them."""


class Live(Generic[Asked, Answered]):
    """One live path to one board; a subclass knows what its requests mean.

    Several paths to a board share its link fairly: each is a user of its own, and users take turns.

    Parameters
    ----------
    floor, unit
        The board.
    person
        Who uses it.
    limit
        How often this person may ask.
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
        self._answers: deque[asyncio.Task[Answered]] = deque()
        self._in_flight = 0
        self._ended = asyncio.Event()
        self.closed: str | None = None
        """Why the path is over, or ``None``: ``session_ended``, ``design_replaced``, ``observers_shut_out``,
        ``link_busy``, ``lab_stopping``, ``failed``, ``closed``."""

    async def submit(self, request: Asked) -> "asyncio.Future[Answered]":
        """Take a request; what is returned is to be awaited for its answer.

        Returns once the request is on its way, later when the path is at its rate limit or has too many requests in
        flight. Requests are carried out, and answered, in the order in which they were taken.

        Raises
        ------
        Conflict
            The path is over.
        """
        self._check_open()
        accesses = self._accesses(request)
        await self._limit.take(accesses)
        while self._answers and (self._answers[0].done() or self._in_flight + accesses > IN_FLIGHT):
            await asyncio.wait({self._answers.popleft()})
        answer = asyncio.create_task(self._carry_out(request))
        self._answers.append(answer)
        self._in_flight += accesses
        answer.add_done_callback(lambda task: self._answered(task, accesses))
        return answer

    def _accesses(self, request: Asked) -> int:
        """What ``request`` counts for."""
        return 1

    def _answered(self, answer: "asyncio.Task[Answered]", accesses: int) -> None:
        self._in_flight -= accesses
        # Whoever was to await it may be gone by now (a browser tab that was closed).
        if not answer.cancelled():
            answer.exception()

    async def wait_closed(self) -> str:
        """Wait until the path is over; returns why."""
        await self._ended.wait()
        assert self.closed is not None
        return self.closed

    async def close(self) -> None:
        """End the path; what is on the wire is carried out all the same."""
        self.end("closed")
        if self._answers:
            await asyncio.wait(set(self._answers))

    def end(self, reason: str) -> None:
        """End the path for ``reason``; requests that wait are refused."""
        if self.closed is None:
            self.closed = reason
            self._unit.streams.discard(self)
            self._ended.set()

    async def _carry_out(self, request: Asked) -> Answered:
        raise NotImplementedError

    def _design(self) -> tuple[Manifest, RegisterMap]:
        """What is on the board.

        Raises
        ------
        Conflict
            Nothing that may be used now.
        """
        unit = self._unit
        self._check_open()
        if unit.link is None or unit.registers is None or unit.row is None or unit.row["state"] != "reserved":
            # The holder's next design is being programmed; the path lives on.
            raise refusals.fpga_not_reserved(unit.row)
        assert unit.manifest is not None
        return unit.manifest, unit.registers

    async def _run(self, operations: Sequence[Operation]) -> list[list[int]]:
        """Do what one request asks for, on the board that :meth:`_design` has just found usable."""
        results = await self._do(operations)
        self._count(1, operations)
        return results

    async def _do(self, operations: Sequence[Operation]) -> list[list[int]]:
        """The same, and it isn't counted."""
        link = self._unit.link
        assert link is not None
        if self._operations is None or self._operations[0] is not link:
            self._operations = (link, link.session(self._person.name))
        try:
            return await self._operations[1].run(operations)
        except LinkBusy:
            self.end("link_busy")
            raise

    def _count(self, frames: int, operations: Sequence[Operation]) -> None:
        """So many frames, which were these operations, are done."""
        self._floor.counts.frames(self._person.name, frames, sum(operation.count for operation in operations))

    def _check_open(self) -> None:
        if self.closed is not None:
            raise self._over()

    def _over(self) -> LabError:
        """What is said to whoever uses a path that is over."""
        if self.closed == "design_replaced" and self.design is not None:
            return refusals.design_replaced(self._unit.fpga_id, self.design)
        if self.closed == "observers_shut_out":
            return refusals.observers_shut_out(self._unit.fpga_id)
        return refusals.session_ended(self._unit.fpga_id)
