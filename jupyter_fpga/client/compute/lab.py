"""``lab.compute``: pure functions, run by the lab's workers behind walls, each computed once and then kept.

.. code-block:: python

    action = lab.compute.submit("hash", {"data": b"hello"}).wait()
    action.value  # {"data": "2cf24dba…"}
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from jupyter_fpga.client.door import Door
from jupyter_fpga.client.errors import LabError
from jupyter_fpga.client.loop import Following, blocking, on_the_loop
from jupyter_fpga.client.tables import Table

from .actions import Action, action_error
from .following import ActionWatcher
from .listing import ACTION_COLUMNS, QUEUE_COLUMNS, REPLAY_COLUMNS, WORKER_COLUMNS
from .posting import post_many, post_until_taken
from .queues import Queue
from .replay import Recorded, read_recording
from .submitting import Submitter
from .workers import described, load_descriptor

__all__ = ("ComputeClient",)


class ComputeClient(Submitter):
    """The compute floor of a lab; every operation has an awaitable twin whose name starts with ``a``.

    Parameters
    ----------
    door
        The way to the lab.
    """

    def __init__(self, door: Door) -> None:
        super().__init__(door, ActionWatcher(door), "compute")

    # --- Looking --------------------------------------------------------------------------------------------------

    @on_the_loop
    async def ajobs(
        self,
        *,
        state: str | None = None,
        worker: str | None = None,
        owner: str | None = None,
        priority: int | None = None,
        after: int | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> Table:
        """Actions, newest first: one's own, or all for an operator.

        Parameters
        ----------
        state
            One of those of :attr:`Action.state`, or ``unfinished``.
        worker
            Id of who computes them.
        after, before
            LSNs; those between them are listed.
        """
        query = {"state": state, "worker": worker, "owner": owner, "priority": priority}
        pages = {"after": after, "before": before, "limit": limit}
        return Table(await self.door.get("compute/jobs", **query, **pages), ACTION_COLUMNS)

    @on_the_loop
    async def ajob(self, lsn: int) -> Action:
        """The action with this LSN; ``job_not_found``."""
        return self._action(await self.door.get(f"compute/jobs/{lsn}"))

    # --- Queues ---------------------------------------------------------------------------------------------------

    @on_the_loop
    async def acreate_queue(
        self,
        *,
        remote: bool = True,
        max_retries: int | None = None,
        max_active: int | None = None,
        ttl_seconds: float | None = None,
    ) -> Queue:
        """Make a queue.

        Parameters
        ----------
        remote
            Whether it is named by a token that nobody can guess, and works from anywhere. One with a number works only
            for programs on the lab's own machine.
        max_retries
            How often a failed or abandoned action is tried again; 3 without.
        max_active
            How many of its actions may run at once.
        ttl_seconds
            It ends when nobody has used it for so long and nothing is left to do; 900 without.
        """
        asked = {"max_retries": max_retries, "max_active": max_active, "ttl_seconds": ttl_seconds}
        config = {name: value for name, value in asked.items() if value is not None}
        made = await self.door.post("compute/queues/remote" if remote else "compute/queues", config)
        return Queue(self.door, self._watcher, str(made["queue_token"] if remote else made["queue_id"]))

    def queue(self, name: str | int) -> Queue:
        """The queue with this token, or number."""
        return Queue(self.door, self._watcher, str(name))

    @on_the_loop
    async def aqueues(self) -> Table:
        """One's own queues, newest first; all for an operator."""
        return Table(await self.door.get("compute/queues"), QUEUE_COLUMNS)

    # --- Workers --------------------------------------------------------------------------------------------------

    @on_the_loop
    async def aworkers(self) -> Table:
        """All workers, the oldest first, with their functions."""
        return Table(await self.door.get("compute/workers"), WORKER_COLUMNS)

    @on_the_loop
    async def aregister(self, descriptor: Mapping[str, Any] | str | Path, folder: str | Path | None = None) -> str:
        """Register a worker, for operators; what the lab doesn't have is sent.

        Parameters
        ----------
        descriptor
            ``{"name", "functions", "executables", "files", …}``, or the path of a JSON file with it. Functions are
            names, or objects with ``name`` and ``version``; programs and files, by their path in the sandbox, are
            paths on this machine, bytes, or hashes.
        folder
            Where relative paths begin: that of the JSON file, or the current one, without.

        Returns
        -------
        str
            The worker's id, which is the same for equal workers.

        Raises
        ------
        Forbidden
            ``operator_only``
        Invalid
            ``worker_rejected``, ``input_unreadable``.
        """
        if isinstance(descriptor, Mapping):
            told, where = descriptor, Path(folder or ".")
        else:
            told, beside = load_descriptor(descriptor)
            where = Path(folder) if folder is not None else beside
        body, contents = await described(told, where)
        return str((await post_until_taken(self.door, "compute/workers", body, contents))["worker"])

    # --- The lab --------------------------------------------------------------------------------------------------

    @on_the_loop
    async def asysinfo(self) -> dict[str, Any]:
        """What the lab's machine has, how programs are walled in, and what is being run."""
        return await self.door.get("compute/sysinfo")  # type: ignore[no-any-return]

    @on_the_loop
    async def astart_recording(self) -> dict[str, Any]:
        """Record every action of the lab with its contents, for operators: ``{"folder", "actions"}``."""
        return await self.door.post("compute/record/start")  # type: ignore[no-any-return]

    @on_the_loop
    async def astop_recording(self) -> dict[str, Any]:
        """Stop recording; the folder is on the lab's machine."""
        return await self.door.post("compute/record/stop")  # type: ignore[no-any-return]

    def replaying(
        self, folder: str | Path, *, cache: bool = False, queue: Queue | None = None
    ) -> Following[dict[str, Any]]:
        """Run the actions of a recording again; what came of each, in the order in which they end.

        Parameters
        ----------
        folder
            Of the recording, on this machine.
        cache
            Whether results that are there already will do.
        queue
            What they run in: to end them all at once.

        Returns
        -------
        Following
            ``{"number", "function", "lsn", "ok", "seconds", "why"}`` for each; ``seconds`` is the time that the program
            took, ``why`` says what went wrong.

        Raises
        ------
        Invalid
            ``recording_unreadable``
        """
        return Following(self._replaying(read_recording(folder, cache=cache), queue))

    areplaying = replaying

    async def _replaying(self, recorded: Sequence[Recorded], queue: Queue | None) -> AsyncIterator[dict[str, Any]]:
        base = self.base if queue is None else queue.base
        known = {worker["worker"] for worker in await self.door.get("compute/workers")}
        actions: dict[int, tuple[Recorded, Action]] = {}
        for worker, group in groupby(recorded, lambda one: one.worker):
            some = list(group)
            # A worker that isn't in this lab: any other that has the function.
            path = f"{base}/jobs/{worker}" if worker in known else f"{base}/jobs"
            for one, answer in zip(some, await post_many(self.door, path, [s.posting for s in some]), strict=True):
                if isinstance(answer, LabError):
                    yield _replayed(one, None, answer.message)
                else:
                    actions[answer["lsn"]] = (one, self._action(answer))
        async for action in self._as_completed({lsn: action for lsn, (_, action) in actions.items()}):
            yield _replayed(actions[action.lsn][0], action)

    @on_the_loop
    async def areplay(self, folder: str | Path, *, cache: bool = False) -> Table:
        """Run the actions of a recording again, and wait for all; see :meth:`replaying`. Sorted by number."""
        recorded = read_recording(folder, cache=cache)
        found = [one async for one in self._replaying(recorded, None)]
        return Table(sorted(found, key=lambda one: one["number"]), REPLAY_COLUMNS)

    jobs = blocking(ajobs)
    job = blocking(ajob)
    create_queue = blocking(acreate_queue)
    queues = blocking(aqueues)
    workers = blocking(aworkers)
    register = blocking(aregister)
    sysinfo = blocking(asysinfo)
    start_recording = blocking(astart_recording)
    stop_recording = blocking(astop_recording)
    replay = blocking(areplay)

    async def close(self) -> None:
        """Stop waiting."""
        await self._watcher.close()


def _replayed(one: Recorded, action: Action | None, why: str | None = None) -> dict[str, Any]:
    result = None if action is None else action.record["result"]
    if action is not None and result is None:
        why = action_error(action.record).message
    elif result is not None and not result["ok"]:
        error = result["error"] or {}
        why = error.get("message") or f"The program ended with exit code {result['exit_code']}."
    return {
        "number": one.number,
        "function": one.function,
        "lsn": None if action is None else action.lsn,
        "ok": result is not None and bool(result["ok"]),
        "seconds": None if result is None else result["seconds"],
        "why": why,
    }
