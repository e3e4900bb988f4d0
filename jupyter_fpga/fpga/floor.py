"""What the parts of this floor share: the store's moves, the boards, the queues, and the tasks of the jobs."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection, RowMapping

from jupyter_fpga.clock import Clock
from jupyter_fpga.compute.builds.design import BuildOptions, BuildResult, Source, StageReport
from jupyter_fpga.errors import LabError
from jupyter_fpga.fpga import refusals
from jupyter_fpga.fpga.alarms import Alarms
from jupyter_fpga.fpga.config import FpgaConfig
from jupyter_fpga.fpga.counts import Counts
from jupyter_fpga.fpga.drivers import Pluggable, Unplugged
from jupyter_fpga.fpga.estimates import Estimates
from jupyter_fpga.fpga.logs import Logs
from jupyter_fpga.fpga.moves import Lease, Move
from jupyter_fpga.fpga.pool import LinkFactory, Pool, Unit
from jupyter_fpga.fpga.rates import RateLimit
from jupyter_fpga.fpga.records import error_record
from jupyter_fpga.fpga.scheduler import BoardQueue, BuildGate, Ticket
from jupyter_fpga.fpga.states import FINISHED
from jupyter_fpga.fpga.wishbone import LinkLost
from jupyter_fpga.store import Stale, StaleFence, Store, StoreFailed, Transaction
from jupyter_fpga.store.tables import jobs

__all__ = ("Builder", "Floor", "Worker")

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

STORE_RETRY_SECONDS = 5.0
"""Wait before a move that must not be left out is tried again, when the database failed."""


class Builder(Protocol):
    """What this floor needs of the compute floor; :class:`~jupyter_fpga.compute.Builds` is the real one."""

    async def base(self, target: str, sys_clk_freq: int | None = None) -> BuildResult:
        """The idle image of a target."""
        ...

    async def targets(self) -> list[dict[str, Any]]:
        """Every kind of board that designs can be built for, and whether its ``tools`` are here."""
        ...

    async def toolchains(self) -> list[dict[str, Any]]:
        """Every toolchain that bitstreams are made with, and whether it is here."""
        ...

    async def build(
        self,
        source: Source,
        options: BuildOptions,
        *,
        owner: str,
        priority: int,
        on_stage: Callable[[StageReport], None],
        on_log: Callable[[str], None],
    ) -> BuildResult:
        """Build a design, for its owner and as urgently as ``priority`` says; raises ``BuildFailed``."""
        ...


Worker = Callable[["Floor", RowMapping, bool], Coroutine[Any, Any, None]]
"""Carries out one job, given its row and whether a lab that died may have begun it."""


class Floor:
    """Shared state. :class:`~jupyter_fpga.fpga.service.Fpga` makes it and gives it its workers.

    Parameters
    ----------
    store, builds, config, clock, data_dir
        As for :class:`~jupyter_fpga.fpga.service.Fpga`.
    pool
        The boards.
    open_link
        Opens a board's link.
    checkpoint
        Called with a name before and after every commit and around each step on a board.
    """

    def __init__(
        self,
        *,
        store: Store,
        builds: Builder,
        pool: Pool,
        config: FpgaConfig,
        data_dir: Path,
        clock: Clock,
        open_link: LinkFactory,
        checkpoint: Callable[[str], None],
    ) -> None:
        self.store = store
        self.builds = builds
        self.pool = pool
        self.config = config
        self.data_dir = data_dir
        self.clock = clock
        self.open_link = open_link
        self.checkpoint = checkpoint
        self.alarms = Alarms(clock, config.alarm_horizon)
        self.gate = BuildGate(config.builds_in_parallel)
        self.queue: BoardQueue[Lease] = BoardQueue(
            free=pool.free, held=pool.held, claim=self._claim_board, limit=config.quotas.max_held_boards
        )
        self.logs = Logs(store, clock)
        self.counts = Counts()
        self.estimates = Estimates(store, pool, self.gate, self.queue, clock)
        self.workers: Mapping[str, Worker] = {}
        self.expire: Callable[[int], Coroutine[Any, Any, None]]
        self.reset_error: Callable[[int], Coroutine[Any, Any, None]]
        self.stopping = False
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._writes: set[asyncio.Task[Any]] = set()
        self._limits: dict[str, RateLimit] = {}

    # The store

    async def write(self, name: str, work: Callable[Concatenate[Move, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Carry out ``work(move, *args, **kwargs)`` and return once it is committed and the lab's memory follows it.

        ``checkpoint`` is called with ``"{name}:before commit"`` inside the transaction, in the writer's thread, and
        with ``"{name}:after commit"`` on the event loop. Once begun, a move is finished even if the caller is
        cancelled.
        """
        task = asyncio.create_task(
            self._write(name, partial(_call, work, args, kwargs)), name=f"jupyter_fpga write {name}"
        )
        self._writes.add(task)
        task.add_done_callback(self._written)
        return await asyncio.shield(task)

    def _written(self, task: asyncio.Task[Any]) -> None:
        self._writes.discard(task)
        if not task.cancelled():
            # The caller got it, unless it was cancelled; then nobody is left to ask for it.
            task.exception()

    async def _write(self, name: str, work: Callable[[Move], T]) -> T:
        def transaction(tx: Transaction) -> tuple[Move, T]:
            move = Move(tx, self.config)
            result = work(move)
            self.checkpoint(f"{name}:before commit")
            return move, result

        move, result = await self.store.write(transaction)
        self.checkpoint(f"{name}:after commit")
        self._follow(move)
        return result

    async def read(self, query: Callable[[Connection], T]) -> T:
        """A snapshot of the store."""
        return await self.store.read(query)

    def _follow(self, move: Move) -> None:
        for lsn, row in move.boards:
            if self.config.board(row["fpga_id"]) is not None:
                self.pool[row["fpga_id"]].follow(lsn, row)
        for fpga_id, expires_at in move.expiries.items():
            self._arm(("session", fpga_id), expires_at, self.expire, fpga_id)
        for fpga_id, due in move.resets.items():
            self._arm(("reset", fpga_id), due, self.reset_error, fpga_id)
        for job_id in move.dropped:
            self.drop(job_id)
        for row in move.added:
            self.spawn(row)
        for row in move.finished:
            self.counts.job(row["type"], row["status"])
            self.logs.finished(row["job_id"])
        if move.boards:
            self.queue.wake()
            self._refuse_hopeless()

    def _arm(
        self, key: tuple[str, int], when: float | None, action: Callable[[int], Coroutine[Any, Any, None]], fpga_id: int
    ) -> None:
        async def ring() -> None:
            try:
                await action(fpga_id)
            except StoreFailed as failure:
                log.error("The lab can't act on the %s of board %s: %s", key[0], fpga_id, failure.message)
                self._arm(key, self.clock.time() + STORE_RETRY_SECONDS, action, fpga_id)

        if when is None:
            self.alarms.clear(key)
        else:
            self.alarms.set(key, when, ring)

    def _refuse_hopeless(self) -> None:
        for job_id, target, tags in self.queue.waiting():
            if error := self.hopeless(target, tags):
                self.queue.refuse(job_id, error)

    def hopeless(self, target: str, tags: frozenset[str]) -> LabError | None:
        """What a job hears that wants a board of which every one is quarantined or unplugged."""
        suitable = self.pool.suitable(target, tags)
        quarantined, unplugged = sum(u.quarantined for u in suitable), sum(u.unplugged for u in suitable)
        if quarantined + unplugged < len(suitable):
            return None
        return refusals.no_healthy_board(target, quarantined, unplugged)

    async def board_for(self, row: RowMapping) -> Lease:
        """Wait for the board of a job whose build is done; ``no_healthy_board`` as soon as none can come."""
        target, tags = row["request"]["target"], frozenset(row["request"]["tags"])
        if error := self.hopeless(target, tags):
            raise error
        return await self.queue.board(self.ticket(row), target, tags)

    async def _claim_board(self, job_id: str, fpga_id: int) -> Lease | None:
        """Give a free board to a job whose build is done: ``idle → queued → building → programming`` in one move."""

        def work(move: Move) -> Lease | None:
            board = move.board(fpga_id)
            if board["state"] != "idle" or board["health"] != "ok":
                return None
            job = move.job(job_id)
            if job["status"] != "running":
                raise Stale(f"job {job_id}", "status", job["status"], ("running",))
            move.move_board(fpga_id, "submitted", job_id=job_id, owner=job["owner"], current_job_id=job_id)
            move.move_board(fpga_id, "picked_up", job_id=job_id)
            board = move.move_board(fpga_id, "built", take=True, job_id=job_id)
            move.stage(job_id, "programming", fpga_id=fpga_id)
            return Lease(job_id, job["fence"], fpga_id, board["fence"])

        return await self.write("claim board", work)

    # Tasks

    def spawn(self, row: RowMapping, again: bool = False) -> None:
        """Start to carry out a job that is in the store."""
        job_id = row["job_id"]
        if self.stopping or job_id in self._tasks:
            return
        task = asyncio.create_task(self._work(row, again), name=f"jupyter_fpga job {job_id}")
        self._tasks[job_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(job_id, None))

    async def _work(self, row: RowMapping, again: bool) -> None:
        try:
            await self.workers[row["type"]](self, row, again)
        except Exception as error:
            # Whatever went wrong, the job and its board must not be left hanging: see _broken.
            await self._broken(row["job_id"], error)
        finally:
            self.alarms.clear(("lease", row["job_id"]))

    async def _broken(self, job_id: str, error: Exception) -> None:
        """A worker ended with an error that it doesn't know: end its job and free its board, unless both are another's.

        A worker whose job was cancelled, or whose session ended, meets ``Stale`` here, and there is nothing to do.
        """

        def work(move: Move) -> bool:
            job = move.job(job_id)
            if job["status"] in FINISHED or isinstance(error, StaleFence):
                return False
            stage = (job["stage"] or "queued").partition(":")[0]
            # What another error says is for the lab's log: it may quote statements, paths or what others sent.
            reason = error.message.rstrip(".") if isinstance(error, LabError) else type(error).__name__
            reason = (
                f"The lab failed at this job ({reason}). Submit it again; if that fails too, tell an operator, who "
                "finds the reason in the lab's log."
            )
            move.move_job(job_id, "failed", error=error_record("internal_error", stage, reason))
            if job["fpga_id"] is not None and move.board(job["fpga_id"])["current_job_id"] == job_id:
                move.abandon(job["fpga_id"], job_id, reason)
            return True

        if await self.insist("broken", work):
            log.error("Job %s failed inside the lab", job_id, exc_info=error)

    async def insist(self, name: str, work: Callable[[Move], T]) -> T:
        """Carry out a move that must not be left out, however long the database fails (a full disk)."""
        while True:
            try:
                return await self.write(name, work)
            except StoreFailed as failure:
                log.error("The lab can't go on with '%s': %s", name, failure.message)
                await self.clock.sleep(STORE_RETRY_SECONDS)

    def keep(self, lease: Lease) -> None:
        """Renew the lease of a job as long as its worker is at it."""
        seconds = self.config.lease_seconds
        key = ("lease", lease.job_id)

        async def renew() -> None:
            def work(tx: Transaction) -> None:
                tx.renew(jobs, {"job_id": lease.job_id}, fence=lease.job_fence, lease_seconds=seconds)

            try:
                await self.store.write(work)
            except StaleFence:
                # Somebody else's by now; the worker will find out.
                return
            except StoreFailed as failure:
                log.error("The lease of job %s can't be renewed: %s", lease.job_id, failure.message)
            if lease.job_id in self._tasks:
                self.keep(lease)

        self.alarms.set(key, self.clock.time() + seconds / 2, renew)

    def drop(self, job_id: str) -> "asyncio.Task[None] | None":
        """Stop the worker of a job that has ended in the store; returns its task, to be awaited."""
        task = self._tasks.get(job_id)
        if task is not None and task is not asyncio.current_task():
            task.cancel()
        return task

    def task(self, job_id: str) -> "asyncio.Task[None] | None":
        """The task of a job that is at work."""
        return self._tasks.get(job_id)

    async def stop(self) -> None:
        """Stop every worker where it is; the store keeps what they were at."""
        self.stopping = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self.queue.close()
        if self._writes:
            await asyncio.wait(self._writes)

    async def settled(self) -> None:
        """Wait until no job is at work."""
        while self._tasks:
            await asyncio.wait(set(self._tasks.values()))

    # Boards

    def check_link(self, unit: Unit) -> None:
        """After a board became ``reserved``: it may have been lost in the moment between its proof and that."""
        if unit.link is None:
            self.board_lost(unit, LinkLost("it was lost just after it had been programmed."))

    def board_lost(self, unit: Unit, error: LinkLost) -> None:
        """A board that was proven can't be reached any more: to ``error`` with it, whether anybody waits or not."""
        unit.detach()
        trouble: LabError = error
        if isinstance(unit.driver, Pluggable) and unit.row is not None:
            trouble = unit.driver.trouble(unit.row["process"]) or error

        def work(move: Move) -> None:
            board = move.board(unit.fpga_id)
            if board["state"] == "reserved" and board["session_id"] is not None:
                move.lose_board(unit.fpga_id, "lost", trouble.message, unplugged=isinstance(trouble, Unplugged))

        if not self.stopping:
            task = asyncio.create_task(self.insist("board lost", work), name=f"jupyter_fpga lost {unit.fpga_id}")
            self._writes.add(task)
            task.add_done_callback(self._written)

    def limit(self, owner: str) -> RateLimit:
        """The rate limit that all streams of an owner share."""
        if owner not in self._limits:
            config = self.config
            self._limits[owner] = RateLimit(self.clock, config.stream_frames_per_second, config.stream_burst)
        return self._limits[owner]

    def ticket(self, row: RowMapping) -> Ticket:
        """A job's place among others."""
        return Ticket(row["job_id"], row["owner"], row["priority"], row["lsn"])


def _call(work: Callable[..., T], args: tuple[Any, ...], kwargs: Mapping[str, Any], move: Move) -> T:
    return work(move, *args, **kwargs)
