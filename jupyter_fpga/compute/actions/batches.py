"""Many small writes made one: what comes while a transaction is under way goes into the next one together."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

__all__ = ("Batches",)

ItemT = TypeVar("ItemT")
AnswerT = TypeVar("AnswerT")


class Batches(Generic[ItemT, AnswerT]):
    """Collects items and hands them on in batches, in the order in which they came.

    One item alone waits for nothing. A savepoint and its statements cost as much for one row as for a hundred, so under
    load this is where most of the throughput comes from.

    Parameters
    ----------
    carry_out
        Does the work of a batch; answers for each item with a result, or with the exception that is to be raised.
    most
        Items in one batch.
    """

    LINGER = 0.002
    """Seconds that a batch waits for more after one that had several items: under load that halves the work for each,
    and somebody who comes alone waits for nothing."""

    def __init__(
        self, carry_out: Callable[[Sequence[ItemT]], Awaitable[Sequence[AnswerT | Exception]]], most: int = 256
    ) -> None:
        self._carry_out = carry_out
        self._most = most
        self._waiting: deque[tuple[ItemT, asyncio.Future[AnswerT]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def add(self, item: ItemT) -> AnswerT:
        """The answer for ``item``, once its batch is done. It is done also when the caller is cancelled meanwhile."""
        answer: asyncio.Future[AnswerT] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        return await answer

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        while self._task is not None:
            await asyncio.wait({self._task})

    async def _work(self) -> None:
        try:
            several = False
            while self._waiting:
                if several and len(self._waiting) < self._most:
                    await asyncio.sleep(self.LINGER)
                batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
                several = len(batch) > 1
                try:
                    answers = await self._carry_out([item for item, _ in batch])
                except BaseException as error:
                    for _, future in batch:
                        if not future.done():
                            future.set_exception(error)
                    if not isinstance(error, Exception):
                        raise
                    continue
                for (_, future), answer in zip(batch, answers, strict=True):
                    if future.done():
                        continue
                    if isinstance(answer, Exception):
                        future.set_exception(answer)
                    else:
                        future.set_result(answer)
        finally:
            self._task = None
