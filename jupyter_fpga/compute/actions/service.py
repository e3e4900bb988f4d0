"""The floor's face: everything that a door, or a floor above, may ask for.

Methods for people take the person who asks, answer with plain data that JSON can carry, and refuse with a ``LabError``.
:meth:`Compute.perform` is for the floors above.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

from prometheus_client.metrics_core import Metric

from jupyter_fpga.clock import Clock, SystemClock
from jupyter_fpga.compute.actions import moves, refusals
from jupyter_fpga.compute.actions.accepting import Accepting, Wanted
from jupyter_fpga.compute.actions.chunks import Chunks, hashes_in_use
from jupyter_fpga.compute.actions.config import ComputeConfig
from jupyter_fpga.compute.actions.descriptors import Action, read_action
from jupyter_fpga.compute.actions.dispatch import Dispatcher
from jupyter_fpga.compute.actions.metrics import metrics
from jupyter_fpga.compute.actions.queues import Queues
from jupyter_fpga.compute.actions.reading import JobFilter, Reading
from jupyter_fpga.compute.actions.recording import Recorder
from jupyter_fpga.compute.actions.records import action_record, is_finished
from jupyter_fpga.compute.actions.sysinfo import sysinfo
from jupyter_fpga.compute.actions.upkeep import Upkeep
from jupyter_fpga.compute.actions.workers import LabFunctions, Workers
from jupyter_fpga.compute.cache import ActionCache, Entry
from jupyter_fpga.compute.runners import ActionRunner
from jupyter_fpga.compute.sandbox import Sandbox
from jupyter_fpga.compute.sandbox.supervisor import uninterrupted
from jupyter_fpga.errors import LabError
from jupyter_fpga.people import Person
from jupyter_fpga.store import Store, Transaction
from jupyter_fpga.store.action_tables import actions

__all__ = ("Compute",)


class Compute:
    """Actions, queues, chunks and workers of one lab.

    Parameters
    ----------
    store
        The durable truth; opened and closed by the caller.
    folder
        Where recordings and the programs of registered workers go.
    cache
        Results and contents.
    runner
        What runs actions.
    sandbox
        What is said about it in :meth:`sysinfo`.
    clock, config
        What time it is, and the limits.
    checkpoint
        Called with a name before (in the store's thread) and after commits. A test process ends itself there.
    """

    def __init__(
        self,
        *,
        store: Store,
        folder: Path,
        cache: ActionCache,
        runner: ActionRunner,
        sandbox: Sandbox,
        clock: Clock | None = None,
        config: ComputeConfig | None = None,
        checkpoint: Callable[[str], None] = lambda name: None,
    ) -> None:
        clock, config = clock or SystemClock(), config or ComputeConfig()
        self._store = store
        self.cache = cache
        """Results and contents."""
        self._runner = runner
        self._sandbox = sandbox
        self._chunks = Chunks(store, cache, clock, config)
        self._workers = Workers(store, self._chunks, clock, folder / "workers")
        self._dispatcher = Dispatcher(
            store=store,
            cache=cache,
            runner=runner,
            workers=self._workers,
            clock=clock,
            config=config,
            checkpoint=checkpoint,
        )
        self._queues = Queues(store, self._dispatcher, clock, config)
        self._recorder = Recorder(folder / "recordings", cache.blobs)
        self._accepting = Accepting(self._dispatcher, self._workers, self._chunks, cache, self._recorder, config)
        self._reading = Reading(store, self._dispatcher.book, self._queues)
        self._upkeep = Upkeep(store, self._queues, self._chunks, clock, config)
        self._running = False

    async def start(self) -> None:
        """Start the runner, and go on with what is unfinished."""
        await self._runner.start(self._dispatcher.late)
        await self._workers.start()
        await self._queues.start()
        await self._dispatcher.start()
        self._upkeep.start()
        self._running = True

    async def stop(self) -> None:
        """Stop in order; the store keeps the rest."""
        self._running = False
        await self._upkeep.stop()
        await self._dispatcher.stop()
        await self._runner.stop()

    # --- Actions --------------------------------------------------------------------------------------------------

    async def submit(
        self, person: Person, action: Mapping[str, Any], *, queue: int | None = None, worker: str | None = None
    ) -> dict[str, Any]:
        """Have an action computed.

        Parameters
        ----------
        action
            ``{"function", "function_version", "inputs", "constants", "priority", "cache"}``
        queue
            The queue that it belongs to.
        worker
            Who is to compute it; any worker that can when not given.

        Returns
        -------
        dict
            ``{"lsn", "action"}`` once it is taken for good, or ``{"needs": [hash, …]}`` when chunks must be sent
            first; then nothing was scheduled.

        Raises
        ------
        Invalid
            ``action_rejected``, ``hash_rejected``, ``function_unknown``.
        NotFound
            ``queue_not_found``, ``worker_not_found``.
        Conflict
            ``queue_not_active``.
        Forbidden
            ``priority_not_allowed``.
        QuotaExceeded
        """
        return await self._accepting.add(self._wanted(person, action, queue, worker))

    async def submit_many(
        self,
        person: Person,
        actions: Sequence[Mapping[str, Any]],
        *,
        queue: int | None = None,
        worker: str | None = None,
    ) -> list[dict[str, Any]]:
        """Have many actions computed: see :meth:`submit`. What one is refused with is its answer, as the error's
        envelope; the others are taken all the same."""
        answers: list[dict[str, Any] | None] = [None] * len(actions)
        places, wanted = [], []
        for place, action in enumerate(actions):
            try:
                wanted.append(self._wanted(person, action, queue, worker))
                places.append(place)
            except LabError as error:
                answers[place] = error.as_dict()
        for place, answer in zip(places, await self._accepting.add_many(wanted), strict=True):
            answers[place] = answer.as_dict() if isinstance(answer, LabError) else answer
        return [answer for answer in answers if answer is not None]

    def _wanted(self, person: Person, told: Mapping[str, Any], queue: int | None, worker: str | None) -> Wanted:
        if not self._running:
            raise refusals.stopping()
        action, priority, use_cache = read_action(told)
        if priority != 0 and not person.is_operator:
            raise refusals.priority_not_allowed(priority)
        resolved = self._workers.resolve(action.function, action.version, worker)
        return Wanted(action, person, resolved, queue, priority, use_cache)

    async def kept(self, action: Action, need: Collection[str] | None, on_log: Callable[[str], None]) -> Entry | None:
        """The result of an action, if it is there already. For the floors above.

        Parameters
        ----------
        need
            Files that must be sound; all of them if ``None``.
        on_log
            Gets each line that was printed when it was made.
        """
        return await self._accepting.kept(action, need, on_log)

    async def perform(
        self,
        action: Action,
        *,
        owner: str,
        rank: int = 0,
        priority: int = 0,
        use_cache: bool = True,
        on_log: Callable[[str], None] = lambda line: None,
    ) -> dict[str, Any]:
        """Have one of the lab's own functions computed, and wait for its end. For the floors above.

        When the caller is cancelled, so is the action.

        Parameters
        ----------
        owner
            Whose turn it takes.
        rank
            See :class:`~jupyter_fpga.compute.actions.ready.Entry`.
        on_log
            Gets each line of output.

        Returns
        -------
        dict
            The result.

        Raises
        ------
        LabError
            It couldn't be run, though it was tried again.
        """
        return await self._accepting.perform(action, owner, rank, priority, use_cache, on_log, self._reading.end_of)

    async def jobs(self, person: Person, **wanted: Unpack[JobFilter]) -> list[dict[str, Any]]:
        """Actions of the person, newest first; an operator sees all. ``filter_rejected``, ``queue_not_found``.

        The filters are those of :class:`~jupyter_fpga.compute.actions.reading.JobFilter`.
        """
        return [action_record(row) for row in await self._reading.jobs(person, **wanted)]

    async def completed(
        self,
        person: Person,
        *,
        after: int = 0,
        queue: int | None = None,
        priority: int | None = None,
        limit: int = 1000,
    ) -> list[dict[str, Any]]:
        """The person's finished actions that nobody has retired, in the order in which they ended, after an LSN."""
        rows = await self._reading.completed(person, after=after, queue=queue, priority=priority, limit=limit)
        return [action_record(row) for row in rows]

    async def job(self, person: Person, lsn: int, *, queue: int | None = None, wait: float = 0.0) -> dict[str, Any]:
        """One action, once it has ended or ``wait`` seconds have passed (at most a minute); ``job_not_found``."""
        return action_record(await self._reading.job(person, lsn, queue=queue, wait=wait))

    async def job_of(self, person: Person, worker: str, action: str) -> dict[str, Any]:
        """The person's newest action of that id; ``job_not_found``."""
        return action_record(await self._reading.job_of(person, worker, action))

    async def retire(self, person: Person, lsn: int, queue: int | None = None) -> None:
        """Forget a finished action; ``job_not_finished``."""
        row = await self._reading.row(person, lsn, queue)
        if not is_finished(row):
            raise refusals.not_retired(lsn, row["state"])
        await self._store.write(lambda tx: moves.retire(tx, [lsn]))

    async def cancel(self, person: Person, lsn: int, queue: int | None = None) -> dict[str, Any]:
        """End an action; its processes are gone when this returns. ``job_not_cancellable``."""
        await self._reading.row(person, lsn, queue)

        def work(tx: Transaction) -> None:
            row = moves.rows_of(tx, actions.c.lsn == lsn)
            if not row or is_finished(row[0]):
                raise refusals.not_cancellable(lsn, row[0]["state"] if row else "retired")
            moves.move(tx, "cancelled", {lsn: None}, common={"retry_at": None})
            moves.end_queue_if_empty(tx, [row[0]["queue_id"]] if row[0]["queue_id"] is not None else [])

        await self._dispatcher.write("action cancel", work)
        await self._dispatcher.end([lsn])
        return action_record(await self._reading.row(person, lsn, queue))

    async def set_priority(self, person: Person, lsn: int, priority: int, queue: int | None = None) -> dict[str, Any]:
        """Let a waiting action run sooner, or later; ``priority_not_allowed``, ``priority_fixed``."""
        row = await self._reading.row(person, lsn, queue)
        if priority != 0 and not person.is_operator:
            raise refusals.priority_not_allowed(priority)
        if not await self._store.write(lambda tx: moves.set_priority(tx, lsn, priority)):
            raise refusals.priority_fixed(lsn, row["state"])
        entry = self._dispatcher.book.entries.get(lsn)
        if entry is not None and entry.waiting:
            entry.priority = priority
            self._dispatcher.book.push(entry)
        return action_record(await self._reading.row(person, lsn, queue))

    async def reschedule(self, person: Person, lsn: int, queue: int | None = None) -> dict[str, Any]:
        """Try a failed or abandoned action again now; ``job_not_reschedulable``, ``retries_used_up``."""
        row = await self._reading.row(person, lsn, queue)
        if row["state"] not in ("failed", "abandoned"):
            raise refusals.not_reschedulable(lsn, row["state"])
        if row["retries"] >= row["max_retries"]:
            raise refusals.retries_used_up(lsn, row["retries"], row["max_retries"])
        if not await self._dispatcher.revive(row):
            raise refusals.not_reschedulable(lsn, (await self._reading.row(person, lsn, queue))["state"])
        return {"lsn": lsn, "retry_count": row["retries"] + 1}

    async def retract(self, person: Person, lsn: int, queue: int | None = None) -> dict[str, Any]:
        """Take an action off its runner and let it wait again, which is no retry; one that waits stays as it is.

        An action that is computed together with equal ones leaves them alone, and joins them again at once.
        """
        row = await self._reading.row(person, lsn, queue)
        if row["state"] != "pending" and not await self._dispatcher.retract(lsn):
            state = (await self._reading.row(person, lsn, queue))["state"]
            if state != "pending":
                raise refusals.not_retractable(lsn, state)
        return action_record(await self._reading.row(person, lsn, queue))

    # --- Queues ---------------------------------------------------------------------------------------------------

    async def create_queue(self, person: Person, config: Mapping[str, Any], *, remote: bool) -> int:
        """Make a queue of ``{"max_retries", "max_active", "ttl_seconds"}``; ``queue_rejected``, ``quota_exceeded``."""
        return await self._queues.create(person, config, remote)

    async def queues(self, person: Person) -> list[dict[str, Any]]:
        """The person's queues, newest first; an operator sees all."""
        return await self._queues.list(person)

    async def queue(self, person: Person, queue_id: int) -> dict[str, Any]:
        """One queue, with counts; ``queue_not_found``."""
        return await self._queues.show(person, queue_id)

    async def drain_queue(self, person: Person, queue_id: int) -> dict[str, Any]:
        """Take no new work, finish what is there; ``queue_not_active``."""
        return await self._queues.drain(person, queue_id)

    async def delete_queue(self, person: Person, queue_id: int) -> dict[str, Any]:
        """Cancel a queue with what it has pending and running."""
        return await self._queues.cancel(person, queue_id, self._dispatcher.end)

    # --- Chunks and workers ---------------------------------------------------------------------------------------

    async def put_chunk(self, person: Person, hash: str, path: Path) -> None:
        """Take a content in; the file is moved.

        Raises
        ------
        Invalid
            ``hash_rejected``, ``chunk_mismatch``.
        TooLarge
            ``chunk_too_large``
        """
        await self._chunks.put(person, hash, path)

    async def chunk(self, person: Person, hash: str) -> tuple[Path, int]:
        """The file and the size of a content that the person has sent, or has as an output; ``chunk_not_found``."""
        return await self._chunks.path(person, hash)

    async def workers(self, person: Person) -> list[dict[str, Any]]:
        """All workers, the oldest first."""
        return self._workers.list()

    async def worker(self, person: Person, worker: str) -> dict[str, Any]:
        """One worker's descriptor; ``worker_not_found``."""
        return self._workers.show(worker)

    async def register(self, person: Person, descriptor: Mapping[str, Any]) -> dict[str, Any]:
        """Register a worker; see :meth:`~jupyter_fpga.compute.actions.workers.Workers.register`."""
        return await self._workers.register(person, descriptor)

    @property
    def capacity(self) -> int:
        """Programs that run at once."""
        return self._runner.capacity

    async def trim(self, pinned: Collection[str]) -> int:
        """Bring the kept results down to their size, those first that were not used for longest.

        Does nothing while something runs, and nothing begins meanwhile.

        Parameters
        ----------
        pinned
            Keys of actions whose results stay.

        Returns
        -------
        int
            Bytes freed.
        """
        async with self._dispatcher.quiet() as quiet:
            if not quiet:
                return 0
            keep = await self._store.read(hashes_in_use)
            # To its end, even when the caller is cancelled: the thread can't be stopped.
            return await uninterrupted(asyncio.to_thread(self.cache.trim, pinned, keep))

    async def install(self, functions: LabFunctions) -> str:
        """Offer the lab's own tools as a worker; for the floors above."""
        return await self._workers.install(functions)

    # --- The lab --------------------------------------------------------------------------------------------------

    async def start_recording(self, person: Person) -> dict[str, Any]:
        """Record every action that is accepted from now on; ``operator_only``, ``recording_already``."""
        if not person.is_operator:
            raise refusals.operator_only("record actions")
        return await asyncio.to_thread(self._recorder.start)

    async def stop_recording(self, person: Person) -> dict[str, Any]:
        """Stop recording; answers with the folder. ``operator_only``, ``not_recording``."""
        if not person.is_operator:
            raise refusals.operator_only("record actions")
        return await self._recorder.stop()

    def ready(self) -> dict[str, Any]:
        """Whether actions can be run; ``ok`` false means 503."""
        if not self._running:
            return {"ok": False, "reason": refusals.stopping().message}
        return {"ok": True, "reason": None}

    def metrics(self) -> Iterable[Metric]:
        """The floor's metrics now; see :mod:`~jupyter_fpga.compute.actions.metrics`."""
        waiting = len(self._dispatcher.book.entries) - self._at_work
        return metrics(self._dispatcher.counts, waiting, len(self._dispatcher.flights), self._runner.capacity)

    @property
    def _at_work(self) -> int:
        return sum(len(flight.entries) for flight in self._dispatcher.flights.values())

    async def sysinfo(self, person: Person) -> dict[str, Any]:
        """What the machine has, and what it is doing."""
        depths = {
            "unfinished": len(self._dispatcher.book.entries),
            "running": self._at_work,
            "runs": self._dispatcher.timeline(person.is_operator, person.name),
        }
        return await asyncio.to_thread(sysinfo, self._sandbox, self._runner.describe(), depths, self._workers.list())
