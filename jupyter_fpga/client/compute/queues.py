"""A queue of the compute floor: a group of actions with a life of its own."""

import json
from typing import Any

from jupyter_fpga.client.door import Door
from jupyter_fpga.client.loop import blocking, on_the_loop
from jupyter_fpga.client.tables import Table

from .following import ActionWatcher
from .listing import ACTION_COLUMNS
from .submitting import Submitter, queue_path

__all__ = ("Queue",)

#: States that a queue never leaves.
_OVER = ("complete", "cancelled")


class Queue(Submitter):
    """A queue: what is submitted here is counted, limited, followed and cancelled together.

    Parameters
    ----------
    door, watcher
        Of the client.
    name
        Its token, or its number.
    """

    def __init__(self, door: Door, watcher: ActionWatcher, name: str) -> None:
        super().__init__(door, watcher, queue_path(name))
        self.name = name
        self.completed_path = f"{self.base}/completed"

    @on_the_loop
    async def ainfo(self) -> dict[str, Any]:
        """Its ``state``, and how many of its actions are ``active``, ``completed``, ``failed`` and ``cancelled``."""
        return await self.door.get(self.base)  # type: ignore[no-any-return]

    @on_the_loop
    async def adrain(self) -> dict[str, Any]:
        """Take no new work, finish what is there, and be complete then; ``queue_not_active``."""
        return await self.door.post(f"{self.base}/drain")  # type: ignore[no-any-return]

    @on_the_loop
    async def acancel(self) -> dict[str, Any]:
        """End the queue, and all that it has pending and running; the processes are gone when this returns."""
        return json.loads(await self.door.request("DELETE", self.base))  # type: ignore[no-any-return]

    @on_the_loop
    async def ajobs(self, *, state: str | None = None, before: int | None = None, limit: int | None = None) -> Table:
        """Its actions, newest first; see :meth:`~jupyter_fpga.client.compute.ComputeClient.ajobs`."""
        found = await self.door.get(f"{self.base}/jobs", state=state, before=before, limit=limit)
        return Table(found, ACTION_COLUMNS)

    async def _is_over(self) -> bool:
        return (await self.ainfo())["state"] in _OVER

    info = blocking(ainfo)
    drain = blocking(adrain)
    cancel = blocking(acancel)
    jobs = blocking(ajobs)

    def __repr__(self) -> str:
        return f"<Queue {self.name}>"
