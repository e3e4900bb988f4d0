"""Turns: as many builds at once as the machine has processors, those that are nearly done first."""

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ("Slots",)


class Slots:
    """A counted lock whose waiters are served by rank, then in the order they came.

    Parameters
    ----------
    count
        How many may hold a slot at once.
    """

    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError(f"There must be at least one slot, not {count}.")
        self._free = count
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._came = 0

    @asynccontextmanager
    async def hold(self, rank: int = 0) -> AsyncIterator[None]:
        """Wait for a slot and keep it for the block.

        Parameters
        ----------
        rank
            Smaller ones are served first: a build whose first stages are done finishes before another begins.
        """
        await self._take(rank)
        try:
            yield
        finally:
            self._give()

    async def _take(self, rank: int) -> None:
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._came += 1
        heapq.heappush(self._waiting, (rank, self._came, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give()
            raise

    def _give(self) -> None:
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
