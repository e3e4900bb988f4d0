"""Hands waiting actions to the runner and stores what comes of them. The store is the truth; this follows it.

Every change is one transaction that moves rows only from the states, and under the fence tokens, that this lab knows;
afterwards memory follows. A lab that comes back after a crash finds what was at work still marked so, knows that its
runners died with it, and puts it back.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import update

from jupyter_fpga.clock import Clock
from jupyter_fpga.compute.actions import moves, outcome
from jupyter_fpga.compute.actions.batches import Batches
from jupyter_fpga.compute.actions.builtin import BUILTINS
from jupyter_fpga.compute.actions.chunks import grant
from jupyter_fpga.compute.actions.config import ComputeConfig
from jupyter_fpga.compute.actions.descriptors import Action, Content
from jupyter_fpga.compute.actions.flights import Flight
from jupyter_fpga.compute.actions.ready import Entry, Ready
from jupyter_fpga.compute.actions.states import UNFINISHED, Cause
from jupyter_fpga.compute.actions.workers import Workers
from jupyter_fpga.compute.cache import ActionCache, Blob
from jupyter_fpga.compute.runners import ActionRunner, RunnerVanished
from jupyter_fpga.compute.sandbox import BadOutput, Finished
from jupyter_fpga.errors import LabError
from jupyter_fpga.store import Store, Transaction
from jupyter_fpga.store.action_tables import actions

__all__ = ("Dispatcher", "entry_of")

log = logging.getLogger(__name__)

_BUILTINS_AT_ONCE = 256

_AGAIN = {"retry_at": None, "error": None, "done_lsn": None, "finished_at": None}
"""Columns of an action that is tried again."""


class Dispatcher:
    """Unfinished actions in memory, and the tasks that work on them.

    Parameters
    ----------
    store, cache, runner, workers, clock, config
        The floor's parts.
    checkpoint
        Called with a name before (in the store's thread) and after each commit.
    """

    def __init__(
        self,
        *,
        store: Store,
        cache: ActionCache,
        runner: ActionRunner,
        workers: Workers,
        clock: Clock,
        config: ComputeConfig,
        checkpoint: Callable[[str], None],
    ) -> None:
        self._store = store
        self._cache = cache
        self._runner = runner
        self._workers = workers
        self._clock = clock
        self._config = config
        self._checkpoint = checkpoint
        self.entries: dict[int, Entry] = {}
        """Unfinished actions, those that wait to be tried again included, by LSN."""
        self.flights: dict[tuple[str, str], Flight] = {}
        """Runs under way, by worker and action."""
        self.unfinished: Counter[str] = Counter()
        """Entries by owner."""
        self._running: Counter[str] = Counter()
        self._in_queue: Counter[int] = Counter()
        self._held: dict[int, list[Entry]] = {}
        self._caps: dict[int, int] = {}
        self._ready = Ready(self._running)
        self._quick = Ready(self._running)
        self._twins: dict[tuple[str, str], dict[int, Entry]] = {}
        self._joining: list[Entry] = []
        self._ends: dict[int, asyncio.Event] = {}
        self._finished: Batches[_End, None] = Batches(self._store_ends)
        self._quiet = 0
        self._wake = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    # --- Life ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Put back what a lab that died had at work, and go on."""
        rows = await self.write("actions recover", _recover)
        for row in rows:
            entry = entry_of(row)
            if row["state"] == "pending":
                self.add(entry)
            else:
                entry.waiting = False
                self._count(entry)
                self._try_later(entry, max(0.0, row["retry_at"] - self._clock.time()))
        self._pump = asyncio.create_task(self._work(), name="jupyter_fpga actions")
        self._wake.set()

    async def stop(self) -> None:
        """Stop where it is; the store keeps the rest."""
        ending = {flight.task for flight in self.flights.values() if flight.task} | self._tasks
        ending |= {self._pump} if self._pump else set()
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending)
        await self._finished.settled()

    async def write(self, name: str, work: Callable[[Transaction], Any]) -> Any:
        """A transaction, with its checkpoints."""

        def watched(tx: Transaction) -> Any:
            result = work(tx)
            self._checkpoint(f"{name}:before commit")
            return result

        result = await self._store.write(watched)
        self._checkpoint(f"{name}:after commit")
        return result

    # --- Waiting ------------------------------------------------------------------------------------------------

    def add(self, entry: Entry) -> None:
        """An action was accepted, or is to be tried again."""
        self._count(entry)
        entry.waiting = True
        self._twins.setdefault(entry.key, {})[entry.lsn] = entry
        if entry.key in self.flights:
            self._joining.append(entry)
        else:
            self._push(entry)
        self._wake.set()

    def _count(self, entry: Entry) -> None:
        if entry.lsn not in self.entries:
            self.entries[entry.lsn] = entry
            self.unfinished[entry.owner] += 1

    def _push(self, entry: Entry) -> None:
        (self._quick if self._workers.is_builtin(entry.worker) else self._ready).push(entry)

    def cap(self, queue_id: int, most: int | None) -> None:
        """How many actions of a queue may be at work at once."""
        if most is not None:
            self._caps[queue_id] = most

    def again(self, entry: Entry) -> None:
        """The priority of a waiting action has changed."""
        self._push(entry)
        self._wake.set()

    async def ended(self, lsn: int) -> None:
        """Wait until an action has ended."""
        if lsn in self.entries:
            await self._ends.setdefault(lsn, asyncio.Event()).wait()

    def forget(self, entry: Entry) -> None:
        """An action has ended."""
        if self.entries.pop(entry.lsn, None) is None:
            return
        self.unfinished[entry.owner] -= 1
        if not self.unfinished[entry.owner]:
            del self.unfinished[entry.owner]
        entry.waiting = False
        self._no_twin(entry)
        if (end := self._ends.pop(entry.lsn, None)) is not None:
            end.set()

    def _no_twin(self, entry: Entry) -> None:
        twins = self._twins.get(entry.key, {})
        twins.pop(entry.lsn, None)
        if not twins:
            self._twins.pop(entry.key, None)

    async def take_off(self, entry: Entry) -> None:
        """Take an action off its run; the run ends when nobody else wants it."""
        flight: Flight | None = entry.flight
        if flight is None:
            return
        self._release(entry)
        if flight.leave(entry) and flight.task is not None:
            if self.flights.get(entry.key) is flight:
                # Nobody may join a run that is being ended.
                del self.flights[entry.key]
            flight.task.cancel()
            await asyncio.wait({flight.task})

    def _release(self, entry: Entry) -> None:
        self._running[entry.owner] -= 1
        if not self._running[entry.owner]:
            del self._running[entry.owner]
        if entry.queue_id is not None:
            self._in_queue[entry.queue_id] -= 1
            for held in self._held.pop(entry.queue_id, ()):
                self._push(held)
        self._wake.set()

    @asynccontextmanager
    async def quiet(self) -> AsyncIterator[bool]:
        """Begin nothing for the length of a block; whether nothing runs."""
        self._quiet += 1
        try:
            yield not self.flights
        finally:
            self._quiet -= 1
            self._wake.set()

    # --- At work ------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while True:
                quick = self._some_quick()
                flights = self._some_flights()
                joining, self._joining = [entry for entry in self._joining if entry.waiting], []
                if not (quick or flights or joining):
                    break
                await self._begin(quick, flights, joining)

    def _some_quick(self) -> list[Entry]:
        some: list[Entry] = []
        while not self._quiet and len(some) < _BUILTINS_AT_ONCE and (entry := self._quick.pop()) is not None:
            entry.waiting = False
            some.append(entry)
        return some

    def _some_flights(self) -> list[Flight]:
        some: list[Flight] = []
        while (
            not self._quiet
            and len(self.flights) < self._runner.capacity
            and (entry := self._ready.pop(self._fits)) is not None
        ):
            if entry.key in self.flights:
                # An equal one was begun in this very turn.
                self._joining.append(entry)
                continue
            flight = Flight(entry, "")
            # Everybody who waits for the same gets it from this run.
            for twin in list(self._twins.get(entry.key, {}).values()):
                if twin is entry or self._fits(twin):
                    flight.join(twin, twin.fence)
                    self._occupy(twin)
            self.flights[entry.key] = flight
            some.append(flight)
        return some

    def _has_room(self) -> bool:
        return not self._quiet and len(self.flights) < self._runner.capacity

    def _fits(self, entry: Entry) -> bool:
        queue_id = entry.queue_id
        if queue_id is None or self._in_queue[queue_id] < self._caps.get(queue_id, 1 << 30):
            return True
        self._held.setdefault(queue_id, []).append(entry)
        return False

    def _occupy(self, entry: Entry) -> None:
        self._no_twin(entry)
        self._running[entry.owner] += 1
        if entry.queue_id is not None:
            self._in_queue[entry.queue_id] += 1

    async def _begin(self, quick: Sequence[Entry], flights: Sequence[Flight], joining: Sequence[Entry]) -> None:
        reads = any(entry.action.inputs for entry in quick)
        values = await asyncio.to_thread(self._compute, quick) if reads else self._compute(quick)
        for entry in joining:
            entry.waiting = False
            self._occupy(entry)

        def work(tx: Transaction) -> tuple[dict[int, int], dict[int, int]]:
            begun = moves.move(
                tx, "begun", dict.fromkeys([e.lsn for e in quick]), common={"started_at": tx.now}, claim=True
            )
            if begun:
                results = {lsn: {"result": values[lsn]} for lsn in begun}
                moves.move(tx, "completed", dict(begun), each=results)
                moves.end_queue_if_empty(tx, {e.queue_id for e in quick if e.queue_id is not None})
            wanted = [lsn for flight in flights for lsn in flight.entries] + [entry.lsn for entry in joining]
            facts = {"runner": self._runner.name}
            claimed = moves.move(tx, "submitted", dict.fromkeys(wanted), common=facts, facts=facts, claim=True)
            return begun, claimed

        begun, claimed = await self.write("actions begin", work)
        for entry in quick:
            self._no_twin(entry)
            # One that was not begun was cancelled a moment ago, and is forgotten by whoever did that.
            if entry.lsn in begun:
                self.forget(entry)
        for flight in flights:
            self._take_off_ground(flight, claimed)
        await self._join(joining, claimed)

    def _compute(self, quick: Sequence[Entry]) -> dict[int, Any]:
        values = {}
        for entry in quick:
            function = BUILTINS[entry.action.function, entry.action.version]
            inputs = {name: self._cache.blobs.path(_blob(content)) for name, content in entry.action.inputs.items()}
            value = function(entry.action.constants, inputs)
            values[entry.lsn] = {"ok": True, "exit_code": 0, "value": value, "outputs": {}, "log": [], "seconds": 0.0}
        return values

    def _take_off_ground(self, flight: Flight, claimed: dict[int, int]) -> None:
        for entry in list(flight.entries.values()):
            if entry.lsn in claimed:
                entry.fence = claimed[entry.lsn]
            else:
                # Cancelled a moment ago.
                flight.leave(entry)
                self._release(entry)
        if not flight.entries:
            self.flights.pop(flight.first.key, None)
            self._wake.set()
            return
        flight.first = next(iter(flight.entries.values()))
        flight.token = f"{flight.first.lsn}:{flight.first.fence}"
        flight.task = asyncio.create_task(self._fly(flight), name=f"jupyter_fpga action {flight.first.lsn}")

    async def _join(self, joining: Sequence[Entry], claimed: dict[int, int]) -> None:
        for entry in joining:
            if entry.lsn not in claimed:
                self._release(entry)
                continue
            flight = self.flights.get(entry.key)
            if flight is None:
                # It ended just then: back to the others.
                self._release(entry)
                entry.fence = claimed[entry.lsn]
                await self._put_back(entry)
                continue
            flight.join(entry, claimed[entry.lsn])
            if flight.started is not None:
                self._note_start(flight)

    async def _put_back(self, entry: Entry) -> None:
        moved = await self.write("action back", lambda tx: moves.move(tx, "retracted", {entry.lsn: entry.fence}))
        if moved:
            self.add(entry)

    async def _fly(self, flight: Flight) -> None:
        end: _End
        folder = self._cache.scratch()
        try:
            task = await self._workers.task(flight.first.worker, flight.first.action, flight.token)
            finished = await self._runner.run(
                task, folder, on_start=lambda: self._started(flight), on_output=flight.say
            )
            result = await asyncio.to_thread(outcome.result_of, self._cache, flight.first.action.id, task, finished)
            end = _End(flight, "completed", result=result)
        except BadOutput as error:
            end = _End(flight, "completed", result=outcome.bad_output(error))
        except RunnerVanished as error:
            end = _End(flight, "abandoned", error=error.as_dict())
        except (LabError, OSError) as error:
            end = _End(flight, "failed", error=_as_dict(error))
        except Exception as error:
            # A fault of the lab's own must not leave actions that are at work for ever.
            log.exception("action %s", flight.token)
            end = _End(flight, "failed", error=_fault(error))
        finally:
            self._cache.discard(folder)
            if self.flights.get(flight.first.key) is flight:
                del self.flights[flight.first.key]
            self._wake.set()
        await self._finished.add(end)

    def _started(self, flight: Flight) -> None:
        flight.started = self._clock.time()
        self._note_start(flight)

    def _note_start(self, flight: Flight) -> None:
        fences = flight.fences
        started = flight.started

        def work(tx: Transaction) -> None:
            moves.move(tx, "started", fences, common={"started_at": started})

        self._spawn(self.write("action started", work))

    def late(self, token: str, finished: Finished) -> None:
        """A runner that was given up has come back with a result: its token is an old one, and the store says so."""
        lsn, fence = (int(number) for number in token.split(":"))
        self._spawn(self.write("action late", lambda tx: moves.stale_result(tx, lsn, fence, self._runner.name)))

    # --- Ends ---------------------------------------------------------------------------------------------------

    async def _store_ends(self, ends: "Sequence[_End]") -> list[Exception | None]:
        now = self._clock.time()
        for end in ends:
            # As they are now: the store's thread must not see somebody leave.
            end.entries = dict(end.flight.entries)
        in_queues = {e.queue_id for end in ends for e in end.entries.values() if e.queue_id is not None}

        def work(tx: Transaction) -> list[dict[int, int]]:
            moved = [self._store_end(tx, end, now) for end in ends]
            moves.end_queue_if_empty(tx, in_queues)
            return moved

        moved = await self.write("actions end", work)
        for end, lsns in zip(ends, moved, strict=True):
            for entry in list(end.flight.entries.values()):
                end.flight.leave(entry)
                self._release(entry)
                if entry.lsn in lsns:
                    self._after(entry, end)
        return [None] * len(ends)

    def _store_end(self, tx: Transaction, end: "_End", now: float) -> dict[int, int]:
        entries = end.entries
        fences: dict[int, int | None] = {lsn: entry.fence for lsn, entry in entries.items()}
        if end.cause == "completed":
            each: dict[int, dict[str, Any]] = {lsn: {"result": end.result} for lsn in entries}
            moved = moves.move(tx, "completed", fences, each=each)
            hashes = {blob["hash"] for blob in (end.result or {}).get("outputs", {}).values()}
            owners = {entries[lsn].owner for lsn in moved if not entries[lsn].is_labs_own}
            grant(tx, {(hash, owner) for owner in owners for hash in hashes})
            return moved
        waits = {lsn: self._wait(entry, end.cause) for lsn, entry in entries.items()}
        each = {lsn: {"error": end.error, "retry_at": None if w is None else now + w} for lsn, w in waits.items()}
        moved = moves.move(tx, end.cause, fences, each=each)
        self._retry(tx, {lsn: entries[lsn].retries for lsn in moved if waits[lsn] == 0})
        end.waits = waits
        return moved

    def _retry(self, tx: Transaction, retries: dict[int, int]) -> None:
        if retries:
            each = {lsn: {**_AGAIN, "retries": count + 1} for lsn, count in retries.items()}
            moves.move(tx, "retried", dict.fromkeys(retries), each=each)

    def _wait(self, entry: Entry, cause: Cause) -> float | None:
        """Seconds until a failed or abandoned action is tried again; ``None``: never."""
        if entry.retries >= entry.max_retries:
            return None
        if cause == "abandoned":
            return 0.0
        waits = self._config.retry_seconds
        return waits[min(entry.retries, len(waits) - 1)]

    def _after(self, entry: Entry, end: "_End") -> None:
        wait = end.waits.get(entry.lsn) if end.cause != "completed" else None
        if wait is None:
            self.forget(entry)
        elif wait == 0:
            entry.retries += 1
            self.add(entry)
        else:
            self._try_later(entry, wait)

    def _try_later(self, entry: Entry, seconds: float) -> None:
        async def later() -> None:
            await self._clock.sleep(seconds)
            if entry.lsn in self.entries and not entry.waiting:
                await self.retry(entry)

        self._spawn(later())

    async def retry(self, entry: Entry) -> bool:
        """Try a failed or abandoned action again now; whether it was one still."""
        count = entry.retries + 1
        each = {entry.lsn: {**_AGAIN, "retries": count}}
        moved = await self.write("action retried", lambda tx: moves.move(tx, "retried", {entry.lsn: None}, each=each))
        if moved:
            entry.retries = count
            self.add(entry)
        return bool(moved)

    async def revive(self, row: Any) -> bool:
        """Try an action again that has failed or was abandoned for good; whether it was that still."""
        entry = self.entries.get(row["lsn"])
        return await self.retry(entry if entry is not None else entry_of(row))

    async def retract(self, lsn: int) -> bool:
        """Take an action off its run and let it wait again; whether a run had it."""
        moved = await self.write("action retracted", lambda tx: moves.move(tx, "retracted", {lsn: None}))
        entry = self.entries.get(lsn)
        if moved and entry is not None:
            await self.take_off(entry)
            self.add(entry)
        return bool(moved)

    async def cancel(self, lsns: Collection[int]) -> None:
        """End actions whatever they are doing; their processes are gone when this returns."""
        common = {"retry_at": None}
        await self.write("action cancel", lambda tx: moves.move(tx, "cancelled", dict.fromkeys(lsns), common=common))
        await self.end(lsns)

    async def end(self, lsns: Collection[int]) -> None:
        """End the runs of actions whose rows are cancelled."""
        entries = [self.entries[lsn] for lsn in lsns if lsn in self.entries]
        for entry in entries:
            entry.waiting = False
        await asyncio.gather(*(self.take_off(entry) for entry in entries))
        for entry in entries:
            self.forget(entry)

    def listen(self, lsn: int, listener: Callable[[str], None]) -> None:
        """Hear every line that the run of an action prints, whenever it begins."""
        entry = self.entries.get(lsn)
        if entry is None:
            return
        entry.listener = listener
        if entry.flight is not None:
            entry.flight.listen(listener)

    def timeline(self, everything: bool, owner: str) -> list[dict[str, Any]]:
        """Runs under way that somebody may see."""
        return [
            {
                "lsn": flight.first.lsn,
                "function": flight.first.action.function,
                "actions": len(flight.entries),
                "owner": flight.first.owner,
                "started": flight.started,
            }
            for flight in self.flights.values()
            if everything or any(entry.owner == owner for entry in flight.entries.values())
        ]

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._reap)

    def _reap(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("an action's state could not be stored", exc_info=error)


class _End:
    """How a run ended, for the store."""

    def __init__(
        self,
        flight: Flight,
        cause: Cause,
        *,
        result: dict[str, Any] | None = None,
        error: dict[str, Any] | None = None,
    ) -> None:
        self.flight = flight
        self.cause = cause
        self.result = result
        self.error = error
        self.entries: dict[int, Entry] = {}
        self.waits: dict[int, float | None] = {}


def entry_of(row: Any) -> Entry:
    """A row's entry in memory."""
    request = row["request"]
    inputs = {name: Content(**content) for name, content in request["inputs"].items()}
    action = Action(row["function"], row["function_version"], inputs, request["constants"], key=row["action"])
    return Entry(
        lsn=row["lsn"],
        action=action,
        owner=row["owner"],
        worker=row["worker"],
        queue_id=row["queue_id"],
        priority=row["priority"],
        retries=row["retries"],
        max_retries=row["max_retries"],
        rank=request.get("rank", 0),
        is_labs_own=_is_labs_own(row),
        fence=row["fence"],
    )


def _recover(tx: Transaction) -> list[Any]:
    table = actions.c
    unfinished = table.state.in_(UNFINISHED) | table.retry_at.is_not(None)
    # Whoever waited for those of the lab's own died with it; what is still wanted of them is asked for anew.
    nobodys = [row["lsn"] for row in moves.rows_of(tx, unfinished) if _is_labs_own(row)]
    moves.move(tx, "cancelled", dict.fromkeys(nobodys), common={"retry_at": None})
    moves.retire(tx, nobodys)
    at_work = moves.rows_of(tx, table.state.in_(("submitting", "running")))
    moves.move(tx, "recovered", {row["lsn"]: row["fence"] for row in at_work}, common={"started_at": None})
    return moves.rows_of(tx, unfinished)


def _is_labs_own(row: Any) -> bool:
    return "rank" in row["request"]


def _blob(content: Content) -> Blob:
    return Blob(content.hash, content.size)


def _as_dict(error: LabError | OSError) -> dict[str, Any]:
    if isinstance(error, LabError):
        return error.as_dict()
    return {"error": "runner_failed", "message": f"The action could not be run: {error.strerror}.", "detail": {}}


def _fault(error: Exception) -> dict[str, Any]:
    message = f"The lab met a fault of its own ({type(error).__name__}); its log has the reason."
    return {"error": "lab_fault", "message": message, "detail": {}}


def set_priority(tx: Transaction, lsn: int, priority: int) -> bool:
    """Give a waiting action another priority; whether it still waits."""
    table = actions.c
    statement = update(actions).where(table.lsn == lsn, table.state == "pending")
    return tx.execute(statement.values(priority=priority, updated_at=tx.now)).rowcount == 1
