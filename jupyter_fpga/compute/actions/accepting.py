"""Taking actions: what is asked for becomes a row and an event in one transaction, answered after the commit."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from jupyter_fpga.compute.actions import moves, refusals
from jupyter_fpga.compute.actions.batches import Batches
from jupyter_fpga.compute.actions.chunks import Chunks, grant
from jupyter_fpga.compute.actions.config import ComputeConfig, QueueConfig
from jupyter_fpga.compute.actions.descriptors import Action
from jupyter_fpga.compute.actions.dispatch import Dispatcher
from jupyter_fpga.compute.actions.outcome import kept_result
from jupyter_fpga.compute.actions.queues import queue_of
from jupyter_fpga.compute.actions.ready import Entry
from jupyter_fpga.compute.actions.recording import Recorder
from jupyter_fpga.compute.actions.workers import Workers
from jupyter_fpga.compute.cache import ActionCache
from jupyter_fpga.compute.cache import Entry as CacheEntry
from jupyter_fpga.compute.sandbox.supervisor import uninterrupted
from jupyter_fpga.errors import LabError, Unavailable
from jupyter_fpga.people import Person
from jupyter_fpga.store import Transaction

__all__ = ("Accepting", "Wanted")


@dataclass(eq=False)
class Wanted:
    """An action that somebody asks for.

    Parameters
    ----------
    person
        Who; ``None`` for the floors above, whose inputs are the lab's own.
    """

    action: Action
    person: Person | None
    worker: str
    queue: int | None = None
    priority: int = 0
    use_cache: bool = True
    owner: str = ""
    rank: int = 0
    kept: dict[str, Any] | None = None
    """The result that was there already."""

    def __post_init__(self) -> None:
        if self.person is not None:
            self.owner = self.person.name


class Accepting:
    """Takes actions in.

    Parameters
    ----------
    dispatcher, workers, chunks, cache, recorder, config
        The floor's parts.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        workers: Workers,
        chunks: Chunks,
        cache: ActionCache,
        recorder: Recorder,
        config: ComputeConfig,
    ) -> None:
        self._dispatcher = dispatcher
        self._workers = workers
        self._chunks = chunks
        self._cache = cache
        self._recorder = recorder
        self._config = config
        self._batches: Batches[Wanted, dict[str, Any]] = Batches(self._take)

    async def add(self, wanted: Wanted) -> dict[str, Any]:
        """Take one; see :meth:`Compute.submit`."""
        await self._look_up([wanted])
        return await self._batches.add(wanted)

    async def add_many(self, wanted: Sequence[Wanted]) -> list[dict[str, Any] | LabError]:
        """Take many in one transaction: the answer for each, or what it is refused with."""
        if not wanted:
            return []
        await self._look_up(wanted)
        answers = await self._take(wanted)
        unexpected = next((a for a in answers if isinstance(a, Exception) and not isinstance(a, LabError)), None)
        if unexpected is not None:
            raise unexpected
        return [answer for answer in answers if not isinstance(answer, Exception) or isinstance(answer, LabError)]

    async def kept(
        self, action: Action, need: Collection[str] | None, on_log: Callable[[str], None]
    ) -> CacheEntry | None:
        """See :meth:`Compute.kept`."""
        entry = await asyncio.to_thread(self._cache.lookup, action.id, need)
        if entry is not None:
            self._dispatcher.counts.kept += 1
            for line in entry.log:
                on_log(line)
        return entry

    async def perform(
        self,
        action: Action,
        owner: str,
        rank: int,
        priority: int,
        use_cache: bool,
        on_log: Callable[[str], None],
        end_of: Callable[[int], Awaitable[RowMapping]],
    ) -> dict[str, Any]:
        """See :meth:`Compute.perform`."""
        # Whoever asks has looked already, but may have waited since: for the base, say.
        if use_cache and (kept := await self.kept(action, None, on_log)) is not None:
            return kept_result(kept)
        worker = self._workers.resolve(action.function, action.version, self._workers.lab_id)
        wanted = Wanted(action, None, worker, None, priority, use_cache, owner, rank)
        taking = asyncio.ensure_future(self._batches.add(wanted))
        try:
            lsn: int = (await asyncio.shield(taking))["lsn"]
            self._dispatcher.listen(lsn, on_log)
            row = await end_of(lsn)
        except asyncio.CancelledError:
            await uninterrupted(self._withdraw(taking))
            raise
        # Nobody else asks for it: what was made is in the cache, and what happened in the log of events.
        await self._dispatcher.write("action retire", lambda tx: moves.retire(tx, [lsn]))
        if row["state"] == "completed":
            return dict(row["result"])
        error = row["error"] or {"error": "cancelled", "message": "Somebody cancelled the action.", "detail": {}}
        raise Unavailable(error["message"], code=error["error"], detail=error.get("detail"))

    async def _withdraw(self, taking: "asyncio.Future[dict[str, Any]]") -> None:
        """End an action whose asker is gone, even one that was just being taken."""
        await asyncio.wait({taking})
        if taking.exception() is None:
            lsn: int = taking.result()["lsn"]
            await self._dispatcher.cancel([lsn])
            await self._dispatcher.write("action retire", lambda tx: moves.retire(tx, [lsn]))

    async def _look_up(self, wanted: Sequence[Wanted]) -> None:
        """Find results that are there already. Built-ins are computed faster than they are found."""
        for one in wanted:
            if one.use_cache and not self._workers.is_builtin(one.worker):
                entry = await asyncio.to_thread(self._cache.lookup, one.action.id)
                one.kept = None if entry is None else kept_result(entry)

    async def _take(self, wanted: Sequence[Wanted]) -> list[dict[str, Any] | Exception]:
        unfinished = self._dispatcher.book.unfinished

        def work(tx: Transaction) -> tuple[list[dict[str, Any] | Exception], list[tuple[Wanted, dict[str, Any], int]]]:
            queues = moves.touch_queues(tx, {one.queue for one in wanted if one.queue is not None})
            more: Counter[str] = Counter()
            answers: list[dict[str, Any] | Exception] = []
            rows: list[tuple[Wanted, dict[str, Any]]] = []
            for one in wanted:
                try:
                    config, needs = self._check(tx, one, queues, unfinished[one.owner] + more[one.owner])
                except LabError as error:
                    answers.append(error)
                    continue
                answers.append({"needs": needs} if needs else {"lsn": 0, "action": one.action.id})
                if not needs:
                    more[one.owner] += 1
                    rows.append((one, _row(one, config)))
            lsns = moves.accept(tx, [row for _, row in rows])
            taken = [(one, row, lsn) for (one, row), lsn in zip(rows, lsns, strict=True)]
            self._serve_kept(tx, taken)
            numbers = iter(lsns)
            for answer in answers:
                if isinstance(answer, dict) and "lsn" in answer:
                    answer["lsn"] = next(numbers)
            return answers, taken

        answers, taken = await self._dispatcher.write("actions accept", work)
        for one, row, lsn in taken:
            if one.kept is not None:
                self._dispatcher.counts.kept += 1
                self._dispatcher.counts.ended["completed"] += 1
            else:
                self._dispatcher.add(_entry(one, row, lsn))
        if self._recorder.active:
            await self._recorder.add([(one.action, one.priority, row["worker"]) for one, row, _ in taken])
        return list(answers)

    def _check(
        self, tx: Transaction, one: Wanted, queues: dict[int, RowMapping], unfinished: int
    ) -> tuple[QueueConfig, list[str]]:
        """The queue's configuration and the chunks that must be sent first; raises what the action is refused with."""
        config = QueueConfig()
        if one.queue is not None:
            assert one.person is not None
            row = queue_of(queues.get(one.queue), one.queue, one.person)
            if row["state"] != "active":
                raise refusals.queue_not_active(one.queue, row["state"])
            config = QueueConfig(**row["config"])
        if one.person is None:
            return config, []
        if unfinished >= self._config.max_unfinished:
            raise refusals.too_many_unfinished(unfinished, self._config.max_unfinished)
        if not one.action.inputs:
            return config, []
        contents = [(name, content.hash, content.size) for name, content in one.action.inputs.items()]
        return config, self._chunks.missing(tx, one.owner, contents)

    def _serve_kept(self, tx: Transaction, taken: Sequence[tuple[Wanted, dict[str, Any], int]]) -> None:
        kept = {lsn: one for one, _, lsn in taken if one.kept is not None}
        if not kept:
            return
        results = {lsn: {"result": one.kept} for lsn, one in kept.items()}
        common = {"started_at": tx.now, "cached": True}
        moves.move(tx, ("begun", "completed"), dict.fromkeys(kept), common=common, each=results, claim=True)
        outputs = {(blob["hash"], one.owner) for one in kept.values() for blob in (one.kept or {})["outputs"].values()}
        grant(tx, outputs)


def _row(one: Wanted, config: QueueConfig) -> dict[str, Any]:
    request = one.action.as_request()
    return {
        "action": one.action.id,
        "owner": one.owner,
        "queue_id": one.queue,
        "worker": one.worker,
        "function": one.action.function,
        "function_version": one.action.version,
        "priority": one.priority,
        "max_retries": config.max_retries,
        "request": request if one.person is not None else {**request, "rank": one.rank},
    }


def _entry(one: Wanted, row: dict[str, Any], lsn: int) -> Entry:
    return Entry(
        lsn=lsn,
        action=one.action,
        owner=one.owner,
        worker=one.worker,
        queue_id=one.queue,
        priority=one.priority,
        retries=0,
        max_retries=row["max_retries"],
        rank=one.rank,
        is_labs_own=one.person is None,
    )
