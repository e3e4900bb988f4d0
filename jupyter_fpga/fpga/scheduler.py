"""Who is next: priority first, then fair between owners, then the oldest. Two queues use it.

:class:`BuildGate` lets a limited number of builds run. :class:`BoardQueue` hands free boards to finished builds. Both
live in memory only: every unfinished job has a task that queues again when the lab starts.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from jupyter_fpga.errors import LabError

__all__ = ("BoardQueue", "BuildGate", "Ticket", "in_order")


@dataclass(frozen=True)
class Ticket:
    """A job in a queue.

    Parameters
    ----------
    order
        The job's LSN: smaller is older.
    """

    job_id: str
    owner: str
    priority: int
    order: int


TicketT = TypeVar("TicketT", bound=Ticket)
Claimed = TypeVar("Claimed")


def in_order(tickets: Iterable[TicketT], taken: Mapping[str, int]) -> list[TicketT]:
    """Tickets in the order in which they will be served.

    Higher priority first. Among equals an owner's n-th ticket comes after everybody's (n-1)-th, where what the owner
    has ``taken`` already counts; then the oldest.
    """
    waiting: Counter[tuple[int, str]] = Counter()
    keys = {}
    for ticket in sorted(tickets, key=lambda ticket: ticket.order):
        nth = taken.get(ticket.owner, 0) + waiting[ticket.priority, ticket.owner]
        waiting[ticket.priority, ticket.owner] += 1
        keys[ticket] = (-ticket.priority, nth, ticket.order)
    return sorted(keys, key=keys.__getitem__)


class BuildGate:
    """Lets ``slots`` builds run at a time."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._free = slots
        self._waiting: dict[Ticket, asyncio.Future[None]] = {}
        self._running: Counter[str] = Counter()

    @asynccontextmanager
    async def slot(self, ticket: Ticket) -> AsyncIterator[None]:
        """Wait for a slot and hold it."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[ticket] = turn
        self._grant()
        try:
            await turn
        except asyncio.CancelledError:
            if self._waiting.pop(ticket, None) is None:
                self._give_back(ticket)
            raise
        try:
            yield
        finally:
            self._give_back(ticket)

    def position(self, job_id: str) -> int | None:
        """Place in the queue, from 1; ``None`` when the job isn't in it."""
        return _place(in_order(self._waiting, self._running), job_id)

    def __len__(self) -> int:
        return len(self._waiting)

    def _grant(self) -> None:
        while self._free and self._waiting:
            ticket = in_order(self._waiting, self._running)[0]
            turn = self._waiting.pop(ticket)
            if turn.cancelled():
                continue
            self._free -= 1
            self._running[ticket.owner] += 1
            turn.set_result(None)

    def _give_back(self, ticket: Ticket) -> None:
        self._free += 1
        self._running[ticket.owner] -= 1
        if not self._running[ticket.owner]:
            del self._running[ticket.owner]
        self._grant()


@dataclass(frozen=True)
class _Waiter(Ticket, Generic[Claimed]):
    target: str = ""
    tags: frozenset[str] = frozenset()
    claimed: "asyncio.Future[Claimed]" = field(compare=False, kw_only=True)


class BoardQueue(Generic[Claimed]):
    """Finished builds that wait for a board.

    Parameters
    ----------
    free
        The boards that look free now, as ``(fpga_id, target, tags)``.
    held
        Boards that each owner has.
    claim
        Claims a board for a job in the store; ``None`` when somebody else was faster.
    limit
        Boards that one owner may hold; an owner who does is passed over.
    """

    def __init__(
        self,
        *,
        free: Callable[[], list[tuple[int, str, frozenset[str]]]],
        held: Callable[[], Mapping[str, int]],
        claim: Callable[[str, int], Awaitable[Claimed | None]],
        limit: int | None,
    ) -> None:
        self._free = free
        self._held = held
        self._claim = claim
        self._limit = limit
        self._waiting: dict[str, _Waiter[Claimed]] = {}
        self._matching: asyncio.Task[None] | None = None
        self._again = False

    async def board(self, ticket: Ticket, target: str, tags: frozenset[str]) -> Claimed:
        """Wait for a suitable board; it is the job's when this returns."""
        claimed: asyncio.Future[Claimed] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(ticket.job_id, ticket.owner, ticket.priority, ticket.order, target, tags, claimed=claimed)
        self._waiting[ticket.job_id] = waiter
        self.wake()
        try:
            return await claimed
        finally:
            self._waiting.pop(ticket.job_id, None)

    def wake(self) -> None:
        """Hand out what is free. Called whenever a board becomes free and whenever a build starts to wait."""
        self._again = True
        if self._matching is None and self._waiting:
            # A task of its own: a worker that is cancelled must not take a claim for somebody else down with it.
            self._matching = asyncio.create_task(self._match(), name="jupyter_fpga board queue")

    async def close(self) -> None:
        """Stop handing out boards."""
        if self._matching is not None:
            self._matching.cancel()
            await asyncio.wait({self._matching})

    async def _match(self) -> None:
        try:
            while self._again:
                self._again = False
                while pair := self._pair():
                    await self._offer(*pair)
        finally:
            self._matching = None

    async def _offer(self, waiter: _Waiter[Claimed], fpga_id: int) -> None:
        try:
            claimed = await self._claim(waiter.job_id, fpga_id)
        except Exception as error:
            # Whatever it is, it concerns this job alone, and its worker is the one to deal with it.
            self._waiting.pop(waiter.job_id, None)
            if not waiter.claimed.done():
                waiter.claimed.set_exception(error)
            return
        if claimed is None:
            # Somebody was faster; the lab's picture of the boards follows in this turn of the loop.
            await asyncio.sleep(0)
            return
        self._waiting.pop(waiter.job_id, None)
        if not waiter.claimed.done():
            waiter.claimed.set_result(claimed)

    def refuse(self, job_id: str, error: LabError) -> None:
        """Tell a waiting job that it will never get a board."""
        waiter = self._waiting.pop(job_id, None)
        if waiter is not None and not waiter.claimed.done():
            waiter.claimed.set_exception(error)

    def waiting(self) -> list[tuple[str, str, frozenset[str]]]:
        """Jobs that wait, in order, as ``(job_id, target, tags)``."""
        return [(w.job_id, w.target, w.tags) for w in in_order(self._waiting.values(), self._held())]

    def position(self, job_id: str) -> int | None:
        """Place among those who wait for the same kind of board, from 1; ``None`` when the job isn't waiting."""
        mine = self._waiting.get(job_id)
        if mine is None:
            return None
        return _place(in_order((w for w in self._waiting.values() if w.target == mine.target), self._held()), job_id)

    def __len__(self) -> int:
        return len(self._waiting)

    def _pair(self) -> tuple[_Waiter[Claimed], int] | None:
        free = self._free()
        if not free:
            return None
        held = self._held()
        for waiter in in_order(self._waiting.values(), held):
            if self._limit is not None and held.get(waiter.owner, 0) >= self._limit:
                continue
            for fpga_id, target, tags in free:
                if target == waiter.target and waiter.tags <= tags:
                    return waiter, fpga_id
        return None


def _place(order: Iterable[Ticket], job_id: str) -> int | None:
    return next((place for place, ticket in enumerate(order, 1) if ticket.job_id == job_id), None)
