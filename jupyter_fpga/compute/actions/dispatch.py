"""Hands waiting actions to the runner and stores what comes of them. The store is the truth; this follows it.

Every change is one transaction that moves rows only from the states, and under the fence tokens, that this lab knows;
afterwards memory follows. A lab that comes back after a crash finds what was at work still marked so, knows that its
runners died with it, and puts it back.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import RowMapping

from jupyter_fpga.clock import Clock
from jupyter_fpga.compute.actions import moves, outcome
from jupyter_fpga.compute.actions.batches import Batches
from jupyter_fpga.compute.actions.book import Book
from jupyter_fpga.compute.actions.builtin import BUILTINS
from jupyter_fpga.compute.actions.config import ComputeConfig
from jupyter_fpga.compute.actions.ends import STORE_RETRY, End, Ends
from jupyter_fpga.compute.actions.flights import Flight
from jupyter_fpga.compute.actions.metrics import Counts
from jupyter_fpga.compute.actions.ready import Entry
from jupyter_fpga.compute.actions.recovery import entry_of, recover
from jupyter_fpga.compute.actions.states import Cause
from jupyter_fpga.compute.actions.workers import Workers
from jupyter_fpga.compute.cache import ActionCache, Blob
from jupyter_fpga.compute.runners import ActionRunner, RunnerVanished
from jupyter_fpga.compute.sandbox import BadOutput, Finished
from jupyter_fpga.errors import LabError
from jupyter_fpga.store import Store, StoreFailed, Transaction

__all__ = ("Dispatcher",)

log = logging.getLogger(__name__)

_BUILTINS_AT_ONCE = 500


@dataclass
class _Turn:
    """What is begun in one transaction."""

    quick: list[Entry] = field(default_factory=list)
    """Those that need no runner."""
    flights: list[Flight] = field(default_factory=list)
    joining: list[tuple[Entry, Flight]] = field(default_factory=list)
    """Those that are computed by a run under way."""

    def __bool__(self) -> bool:
        return bool(self.quick or self.flights or self.joining)


class Dispatcher:
    """The tasks that work on unfinished actions.

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
        self._checkpoint = checkpoint
        self.counts = Counts()
        """What has happened since the lab was started."""
        self.book = Book(workers.is_builtin)
        """Unfinished actions."""
        self.flights: dict[tuple[str, str], Flight] = {}
        """Runs under way, by worker and action."""
        self._ends = Ends(
            self.write, self.book, clock, config, self.counts, add=self.add, put_back=self._put_back, spawn=self._spawn
        )
        self._joining: list[Entry] = []
        self._quiet = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    # --- Life ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Put back what a lab that died had at work, and go on."""
        for row in await self.write("actions recover", recover):
            entry = entry_of(row)
            if row["state"] == "pending":
                self.add(entry)
            else:
                entry.waiting = False
                self.book.count(entry)
                self._ends.try_later(entry, max(0.0, row["retry_at"] - self._clock.time()))
        self._spawn(self._work())
        self.book.wake.set()

    async def stop(self) -> None:
        """Stop where it is; the store keeps the rest."""
        ending = {flight.task for flight in self.flights.values() if flight.task} | self._tasks
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending)
        await self._ends.settled()

    async def write(self, name: str, work: Callable[[Transaction], Any]) -> Any:
        """A transaction, with its checkpoints."""

        def watched(tx: Transaction) -> Any:
            result = work(tx)
            self._checkpoint(f"{name}:before commit")
            return result

        result = await self._store.write(watched)
        self._checkpoint(f"{name}:after commit")
        return result

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._reap)

    def _reap(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a change of an action could not be stored", exc_info=error)

    # --- Waiting ------------------------------------------------------------------------------------------------

    def add(self, entry: Entry) -> None:
        """An action was accepted, or is to be tried again."""
        self.book.wait(entry)
        if entry.key in self.flights:
            self._joining.append(entry)
        else:
            self.book.push(entry)

    @asynccontextmanager
    async def quiet(self) -> AsyncIterator[bool]:
        """Begin nothing for the length of a block; whether nothing runs."""
        self._quiet += 1
        try:
            yield not self.flights
        finally:
            self._quiet -= 1
            self.book.wake.set()

    async def _work(self) -> None:
        wake = self.book.wake
        while True:
            await wake.wait()
            wake.clear()
            while turn := self._next_turn():
                several = len(turn.quick) > 1
                try:
                    await self._begin(turn)
                except StoreFailed:
                    log.exception("actions could not be begun; that is tried again")
                    self._undo(turn)
                    await self._clock.sleep(STORE_RETRY)
                if several:
                    # As when they are accepted: what comes a moment later shares the next transaction.
                    await asyncio.sleep(Batches.LINGER)

    def _next_turn(self) -> _Turn:
        turn = _Turn()
        if self._quiet:
            return turn
        while len(turn.quick) < _BUILTINS_AT_ONCE and (entry := self.book.next_quick()) is not None:
            entry.waiting = False
            turn.quick.append(entry)
        while len(self.flights) < self._runner.capacity and (entry := self.book.next()) is not None:
            if entry.key in self.flights:
                # An equal one was begun in this very turn.
                self._joining.append(entry)
                continue
            # Everybody who waits for the same gets it from this run.
            flight = Flight(entry, "")
            for twin in self.book.twins(entry):
                flight.join(twin, twin.fence)
                self.book.occupy(twin)
            self.flights[entry.key] = flight
            turn.flights.append(flight)
        joining, self._joining = self._joining, []
        for entry in joining:
            if not entry.waiting:
                continue
            under_way = self.flights.get(entry.key)
            if under_way is None:
                # It ended before anybody could join.
                self.book.push(entry)
                continue
            under_way.join(entry, entry.fence)
            self.book.occupy(entry)
            turn.joining.append((entry, under_way))
        return turn

    # --- Beginning ----------------------------------------------------------------------------------------------

    async def _begin(self, turn: _Turn) -> None:
        reads = any(entry.action.inputs for entry in turn.quick)
        values = await asyncio.to_thread(self._compute, turn.quick) if reads else self._compute(turn.quick)
        wanted = [lsn for flight in turn.flights for lsn in flight.entries] + [entry.lsn for entry, _ in turn.joining]
        in_queues = {entry.queue_id for entry in turn.quick if entry.queue_id is not None}

        def work(tx: Transaction) -> tuple[dict[int, int], dict[int, int]]:
            results = {lsn: {"result": value} for lsn, value in values.items()}
            at_once: tuple[Cause, ...] = ("begun", "completed")
            begun = moves.move(
                tx, at_once, dict.fromkeys(values), common={"started_at": tx.now}, each=results, claim=True
            )
            moves.end_queue_if_empty(tx, in_queues)
            facts = {"runner": self._runner.name}
            claimed = moves.move(tx, "submitted", dict.fromkeys(wanted), common=facts, facts=facts, claim=True)
            return begun, claimed

        begun, claimed = await self.write("actions begin", work)
        for entry in turn.quick:
            # One that was not begun was cancelled a moment ago, and is forgotten by whoever did that.
            self.book.no_twin(entry)
            if entry.lsn in begun:
                self.counts.ended["completed"] += 1
                self.book.forget(entry)
        for flight in turn.flights:
            self._launch(flight, claimed)
        for entry, under_way in turn.joining:
            await self._join(entry, under_way, claimed.get(entry.lsn))

    def _undo(self, turn: _Turn) -> None:
        """Nothing of a turn was stored: let everything wait again."""
        for flight in turn.flights:
            self.flights.pop(flight.first.key, None)
        at_work = [entry for flight in turn.flights for entry in flight.entries.values()]
        at_work += [entry for entry, under_way in turn.joining if entry.flight is under_way]
        for entry in at_work:
            entry.flight.leave(entry)
            self.book.release(entry)
        for entry in (*turn.quick, *at_work):
            if entry.lsn in self.book.entries:
                self.add(entry)

    def _compute(self, quick: Sequence[Entry]) -> dict[int, Any]:
        values = {}
        for entry in quick:
            action = entry.action
            inputs = {name: self._cache.blobs.path(Blob(at.hash, at.size)) for name, at in action.inputs.items()}
            value = BUILTINS[action.function, action.version](action.constants, inputs)
            values[entry.lsn] = {"ok": True, "exit_code": 0, "value": value, "outputs": {}, "log": [], "seconds": 0.0}
        return values

    def _launch(self, flight: Flight, claimed: dict[int, int]) -> None:
        for entry in list(flight.entries.values()):
            if entry.lsn in claimed:
                entry.fence = claimed[entry.lsn]
            else:
                # Cancelled a moment ago.
                flight.leave(entry)
                self.book.release(entry)
        if not flight.entries:
            self.flights.pop(flight.first.key, None)
            self.book.wake.set()
            return
        flight.first = next(iter(flight.entries.values()))
        flight.token = f"{flight.first.lsn}:{flight.first.fence}"
        self.counts.runs += 1
        self.counts.shared += len(flight.entries) - 1
        flight.task = asyncio.create_task(self._fly(flight), name=f"jupyter_fpga action {flight.first.lsn}")

    async def _join(self, entry: Entry, flight: Flight, fence: int | None) -> None:
        if entry.flight is flight:
            if fence is None:
                # Cancelled a moment ago.
                flight.leave(entry)
                self.book.release(entry)
                return
            entry.fence = fence
            self.counts.shared += 1
            if flight.started is not None:
                self._note_start(flight)
        elif fence is not None and not entry.waiting:
            # The run ended before it could know of the claim.
            entry.fence = fence
            await self._put_back(entry)

    async def _put_back(self, entry: Entry) -> None:
        """Let an action wait again that was claimed for a run which doesn't know of it."""
        if entry.lsn not in self.book.entries:
            return
        fences: dict[int, int | None] = {entry.lsn: entry.fence}
        if await self.write("action back", lambda tx: moves.move(tx, "retracted", fences)):
            self.add(entry)

    # --- Running ------------------------------------------------------------------------------------------------

    async def _fly(self, flight: Flight) -> None:
        folder = self._cache.scratch()
        try:
            end = await self._run(flight, folder)
        finally:
            self._cache.discard(folder)
            if self.flights.get(flight.first.key) is flight:
                del self.flights[flight.first.key]
            self.book.wake.set()
        await self._ends.store(end)

    async def _run(self, flight: Flight, folder: Any) -> End:
        action = flight.first.action
        try:
            task = await self._workers.task(flight.first.worker, action, flight.token)
            finished = await self._runner.run(
                task, folder, on_start=lambda: self._started(flight), on_output=flight.say
            )
            result = await asyncio.to_thread(outcome.result_of, self._cache, action.id, task, finished)
            return End(flight, "completed", result=result)
        except BadOutput as error:
            return End(flight, "completed", result=outcome.bad_output(error))
        except RunnerVanished as error:
            return End(flight, "abandoned", error=error.as_dict())
        except LabError as error:
            return End(flight, "failed", error=error.as_dict())
        except Exception as error:
            # A fault of the lab's own, or of its disk, must not leave actions that are at work for ever.
            log.exception("action %s", flight.token)
            return End(flight, "failed", error=_fault(error))

    def _started(self, flight: Flight) -> None:
        flight.started = self._clock.time()
        self._note_start(flight)

    def _note_start(self, flight: Flight) -> None:
        fences, common = flight.fences, {"started_at": flight.started}
        self._spawn(self.write("action started", lambda tx: moves.move(tx, "started", fences, common=common)))

    def late(self, token: str, finished: Finished) -> None:
        """A runner that was given up has come back with a result: its token is an old one, and the log says so."""
        lsn, fence = (int(number) for number in token.split(":"))
        self._spawn(self.write("action late", lambda tx: moves.stale_result(tx, lsn, fence, self._runner.name)))

    # --- On request ---------------------------------------------------------------------------------------------

    async def revive(self, row: RowMapping) -> bool:
        """Try an action again that has failed or was abandoned; whether it was that still."""
        entry = self.book.entries.get(row["lsn"])
        return await self._ends.retry(entry if entry is not None else entry_of(row))

    async def retract(self, lsn: int) -> bool:
        """Take an action off its run and let it wait again; whether a run had it."""
        moved = await self.write("action retracted", lambda tx: moves.move(tx, "retracted", {lsn: None}))
        entry = self.book.entries.get(lsn)
        if moved and entry is not None:
            await self._take_off(entry)
            self.add(entry)
        return bool(moved)

    async def cancel(self, lsns: Collection[int]) -> None:
        """End actions whatever they are doing; their processes are gone when this returns."""
        common = {"retry_at": None}
        await self.write("action cancel", lambda tx: moves.move(tx, "cancelled", dict.fromkeys(lsns), common=common))
        await self.end(lsns)

    async def end(self, lsns: Collection[int]) -> None:
        """End the runs of actions whose rows are cancelled."""
        entries = [self.book.entries[lsn] for lsn in lsns if lsn in self.book.entries]
        for entry in entries:
            entry.waiting = False
        await asyncio.gather(*(self._take_off(entry) for entry in entries))
        for entry in entries:
            self.counts.ended["cancelled"] += 1
            self.book.forget(entry)

    async def _take_off(self, entry: Entry) -> None:
        """Take an action off its run; the run ends when nobody else wants it."""
        flight: Flight | None = entry.flight
        if flight is None:
            return
        self.book.release(entry)
        if flight.leave(entry) and flight.task is not None:
            if self.flights.get(entry.key) is flight:
                # Nobody may join a run that is being ended.
                del self.flights[entry.key]
            flight.task.cancel()
            await asyncio.wait({flight.task})

    def listen(self, lsn: int, listener: Callable[[str], None]) -> None:
        """Hear every line that the run of an action prints, whenever it begins."""
        entry = self.book.entries.get(lsn)
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


def _fault(error: Exception) -> dict[str, Any]:
    message = f"The lab met a fault of its own ({type(error).__name__}); its log has the reason."
    return {"error": "lab_fault", "message": message, "detail": {}}
