"""What time does to the floor: queues that nobody uses end, and results that nobody retires go."""

import asyncio

from sqlalchemy import delete

from jupyter_fpga.clock import Clock
from jupyter_fpga.compute.actions.chunks import Chunks
from jupyter_fpga.compute.actions.config import ComputeConfig
from jupyter_fpga.compute.actions.queues import Queues
from jupyter_fpga.compute.actions.states import UNFINISHED
from jupyter_fpga.store import Store, Transaction
from jupyter_fpga.store.action_tables import actions

__all__ = ("Upkeep",)

EVERY = 30.0
"""Seconds between two rounds: nothing that ends by itself has a shorter life than that."""


class Upkeep:
    """Rounds through queues, actions and chunks.

    Parameters
    ----------
    store, queues, chunks, clock, config
        The floor's parts.
    """

    def __init__(self, store: Store, queues: Queues, chunks: Chunks, clock: Clock, config: ComputeConfig) -> None:
        self._store = store
        self._queues = queues
        self._chunks = chunks
        self._clock = clock
        self._config = config
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with the rounds."""
        self._task = asyncio.create_task(self._rounds(), name="jupyter_fpga actions' upkeep")

    async def stop(self) -> None:
        """End them."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _rounds(self) -> None:
        while True:
            await self.round()
            await self._clock.sleep(EVERY)

    async def round(self) -> None:
        """One round."""
        await self._queues.expire()
        oldest = self._clock.time() - self._config.keep_seconds
        table = actions.c

        def work(tx: Transaction) -> None:
            tx.execute(
                delete(actions).where(
                    table.finished_at < oldest, table.state.not_in(UNFINISHED), table.retry_at.is_(None)
                )
            )

        await self._store.write(work)
        await self._chunks.expire()
