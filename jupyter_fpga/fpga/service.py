"""The floor's face: everything that a door may ask for, for one person at a time.

Every method takes the person who asks, answers with plain data that JSON can carry, and refuses with a ``LabError``.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

from prometheus_client import CollectorRegistry
from sqlalchemy import Connection, RowMapping, select

from jupyter_fpga._version import __version__
from jupyter_fpga.clock import Clock, SystemClock
from jupyter_fpga.compute.builds.design import Source
from jupyter_fpga.fpga import (
    bench,
    captures,
    etherbone,
    events,
    health,
    jobs,
    metrics,
    refusals,
    restart,
    sessions,
    stream,
    submission,
    worker,
)
from jupyter_fpga.fpga.bench import Watch as BenchWatch
from jupyter_fpga.fpga.config import BoardConfig, FpgaConfig, SubmitOptions
from jupyter_fpga.fpga.drivers import Driver, DriverOfBoards
from jupyter_fpga.fpga.floor import Builder, Floor
from jupyter_fpga.fpga.jobs import JobFilter
from jupyter_fpga.fpga.plugging import Desk, Plugging
from jupyter_fpga.fpga.pool import LinkFactory, Pool, open_link
from jupyter_fpga.fpga.records import board_record
from jupyter_fpga.people import Person
from jupyter_fpga.store import Store
from jupyter_fpga.store.tables import board_sessions
from jupyter_fpga.store.tables import jobs as jobs_table

__all__ = ("Fpga", "SubmitOptions")

log = logging.getLogger(__name__)


class Fpga:
    """Boards, board sessions and jobs of one lab.

    Parameters
    ----------
    store
        The durable truth; opened and closed by the caller.
    builds
        The compute floor's builds.
    drivers
        Drivers by the name that the boards of ``config`` give, or what makes the driver of each board.
    desk
        Where boards can be plugged in and out.
    config
        The pool and its limits.
    data_dir
        Where sources are kept.
    clock
        What time it is.
    open_link
        Opens a board's link; the Wishbone link over the driver's wire when not given.
    checkpoint
        Called with a name before and after every commit (before: in the store's thread), and around each step of a
        build, a run and each programming of a board. A test process ends itself there.
    """

    def __init__(
        self,
        *,
        store: Store,
        builds: Builder,
        drivers: Mapping[str, Driver | DriverOfBoards],
        config: FpgaConfig,
        data_dir: Path,
        clock: Clock | None = None,
        desk: Desk | None = None,
        open_link: LinkFactory = open_link,
        checkpoint: Callable[[str], None] = lambda name: None,
    ) -> None:
        def driver_of(board: BoardConfig) -> Driver:
            driver = drivers[board.driver]
            # Simulated boards are told apart by their records; one on a desk has to be found first.
            return driver.of(board) if isinstance(driver, DriverOfBoards) else driver

        self._floor = Floor(
            store=store,
            builds=builds,
            pool=Pool(config, driver_of),
            config=config,
            data_dir=data_dir,
            clock=clock or SystemClock(),
            open_link=open_link,
            checkpoint=checkpoint,
        )
        self._floor.workers = {
            "build_and_program": worker.build_job,
            "build": worker.build_job,
            "run": worker.run_job,
            "reset": worker.reset_job,
        }
        self._floor.expire = lambda fpga_id: sessions.expire(self._floor, fpga_id)
        self._floor.reset_error = lambda fpga_id: sessions.reset_error(self._floor, fpga_id)
        self._alarms: asyncio.Task[None] | None = None
        self._plugging = None if desk is None else Plugging(self._floor, desk)
        self._watch: asyncio.Task[None] | None = None
        self._running = False

    async def start(self) -> None:
        """Compare the store with reality (see :mod:`~jupyter_fpga.fpga.restart`), then go on where it was left."""
        await self._floor.estimates.load()
        if self._plugging is not None:
            await self._plugging.enroll()
        await restart.recover(self._floor)
        if self._plugging is not None:
            self._watch = asyncio.create_task(self._plugging.run(), name="jupyter_fpga desk")
        self._alarms = asyncio.create_task(self._floor.alarms.run(), name="jupyter_fpga alarms")
        self._running = True

    async def stop(self) -> None:
        """Stop in order: workers where they are, streams, links, and the simulated boards. The store keeps the rest."""
        self._running = False
        if self._alarms is not None:
            self._alarms.cancel()
            await asyncio.wait({self._alarms})
        await self._end_watch()
        await self._floor.stop()
        await restart.shut_down(self._floor)

    async def _end_watch(self) -> None:
        if self._plugging is None or self._watch is None:
            return
        self._watch.cancel()
        await asyncio.wait({self._watch})
        await self._plugging.stop()
        if not self._watch.cancelled() and (error := self._watch.exception()) is not None:
            log.error("The lab didn't notice boards that came and went", exc_info=error)

    # Submitting

    async def submit(
        self, person: Person, source: Source, options: SubmitOptions, fpga_id: int | None = None
    ) -> dict[str, Any]:
        """Queue a design for one board (or the person's own, while its design runs on), or for any.

        Returns
        -------
        dict
            ``{"job_id", "fpga_id" (None for any), "status": "queued"}``

        Raises
        ------
        Conflict
            ``fpga_not_idle``, ``idempotency_conflict``.
        Invalid
            ``design_rejected``, ``target_unknown``, ``target_mismatch``.
        TooLarge, QuotaExceeded
        Unavailable
            ``no_healthy_board``.
        Forbidden
            ``priority_not_allowed``.
        """
        return await submission.submit(self._floor, person, source, options, fpga_id)

    async def build(self, person: Person, source: Source, options: SubmitOptions) -> dict[str, Any]:
        """Queue a build without a board; answers and refusals as :meth:`submit`."""
        return await submission.submit_build(self._floor, person, source, options)

    async def run(
        self, person: Person, fpga_id: int, transactions: Sequence[dict[str, Any]], design: str | None = None
    ) -> dict[str, Any]:
        """Queue transactions on a board that the person holds.

        Parameters
        ----------
        design
            Digest of the manifest by which the person knows the registers; refused when the board runs another.

        Raises
        ------
        Conflict
            ``fpga_not_reserved``, ``session_ended``, ``design_replaced``.
        Forbidden
            ``not_session_holder``.
        Invalid
            What can't be right: nothing has reached the bus.
        """
        return await submission.run(self._floor, person, fpga_id, transactions, design)

    async def reset(self, person: Person, fpga_id: int) -> dict[str, Any]:
        """Queue a reset; answers with its job. ``fpga_not_resettable``, ``not_session_holder``."""
        return await sessions.reset(self._floor, person, fpga_id)

    # Boards

    async def boards(self, person: Person) -> list[dict[str, Any]]:
        """Every board of the lab, by number."""
        return await self._boards(person, [unit.fpga_id for unit in self._floor.pool])

    async def board(self, person: Person, fpga_id: int) -> dict[str, Any]:
        """One board; ``fpga_not_found``."""
        unit = self._floor.pool[fpga_id]
        return (await self._boards(person, [unit.fpga_id]))[0]

    async def _boards(self, person: Person, fpga_ids: list[int]) -> list[dict[str, Any]]:
        rows = [row for fpga_id in sorted(fpga_ids) if (row := self._floor.pool[fpga_id].row) is not None]
        live, current = await self._floor.read(lambda connection: _around(connection, rows))
        now = self._floor.clock.time()
        return [
            board_record(row, live.get(row["session_id"]), current.get(row["current_job_id"]), person, now)
            for row in rows
        ]

    async def quarantine(
        self, person: Person, fpga_id: int, reason: str = "An operator put it there."
    ) -> dict[str, Any]:
        """Take a board out of the pool until it is cleared. ``operator_only``, ``fpga_not_idle``."""
        return await sessions.quarantine(self._floor, person, fpga_id, reason)

    async def clear(self, person: Person, fpga_id: int) -> dict[str, Any]:
        """Give a board in quarantine back to the lab; answers with the reset job. ``operator_only``."""
        return await sessions.clear(self._floor, person, fpga_id)

    async def board_health(
        self, person: Person, fpga_id: int, *, limit: int = 100, before: int | None = None
    ) -> dict[str, Any]:
        """How a board is and what it has gone through: see :func:`~jupyter_fpga.fpga.health.history`."""
        return await health.history(self._floor, person, fpga_id, limit=limit, before=before)

    async def examine(self, person: Person, fpga_id: int) -> dict[str, Any]:
        """Which link of a board is broken: see :func:`~jupyter_fpga.fpga.health.examine`. ``operator_only``,
        ``fpga_not_examinable``."""
        return await health.examine(self._floor, person, fpga_id)

    # Sessions

    async def session(self, person: Person, fpga_id: int) -> dict[str, Any]:
        """The board's session; ``no_active_session``."""
        return await sessions.session(self._floor, person, fpga_id)

    async def renew(self, person: Person, fpga_id: int) -> dict[str, Any]:
        """More time for the holder; answers with the session."""
        return await sessions.renew(self._floor, person, fpga_id)

    async def release(self, person: Person, fpga_id: int) -> dict[str, Any]:
        """Give the board back; answers with the reset job. ``no_active_session``, ``not_session_holder``."""
        return await sessions.release(self._floor, person, fpga_id)

    async def kick(self, person: Person, fpga_id: int) -> dict[str, Any]:
        """An operator frees the board; answers with the reset job. ``operator_only``, ``no_active_session``."""
        return await sessions.kick(self._floor, person, fpga_id)

    async def allow_observers(self, person: Person, fpga_id: int, allowed: bool) -> dict[str, Any]:
        """Let others open streams that only read."""
        return await sessions.allow_observers(self._floor, person, fpga_id, allowed)

    # Jobs

    async def jobs(self, person: Person, **wanted: Unpack[JobFilter]) -> list[dict[str, Any]]:
        """Jobs, newest first; the filters are those of :class:`~jupyter_fpga.fpga.jobs.JobFilter`.

        ``filter_rejected``.
        """
        return await jobs.list_jobs(self._floor, person, wanted)

    async def job(self, person: Person, job_id: str, fpga_id: int | None = None) -> dict[str, Any]:
        """One job; ``job_not_found`` also for another's, and for one of another board than ``fpga_id``."""
        return await jobs.job(self._floor, person, job_id, fpga_id)

    async def logs(
        self, person: Person, job_id: str, *, after: int = 0, fpga_id: int | None = None
    ) -> list[tuple[int, str]]:
        """Log lines after number ``after``."""
        return await jobs.logs(self._floor, person, job_id, after=after, fpga_id=fpga_id)

    def follow_logs(
        self, person: Person, job_id: str, after: int = 0, fpga_id: int | None = None
    ) -> AsyncIterator[tuple[int, str]]:
        """Log lines after number ``after`` and those to come; ends with the job."""
        return jobs.follow_logs(self._floor, person, job_id, after, fpga_id)

    async def result(self, person: Person, job_id: str, fpga_id: int | None = None) -> dict[str, Any]:
        """The result of a complete job; ``job_not_complete``."""
        return await jobs.result(self._floor, person, job_id, fpga_id)

    async def manifest(self, person: Person, job_id: str, fpga_id: int | None = None) -> dict[str, Any]:
        """The manifest of what a job built; ``job_not_complete``."""
        return await jobs.manifest(self._floor, person, job_id, fpga_id)

    async def artifact(
        self, person: Person, job_id: str, name: str, fpga_id: int | None = None
    ) -> Path | dict[str, Any]:
        """The file of an artifact, and what the ``report`` says; ``job_not_complete``, ``artifact_not_found``."""
        return await jobs.artifact(self._floor, person, job_id, name, fpga_id)

    async def cancel(self, person: Person, job_id: str, fpga_id: int | None = None) -> None:
        """Cancel a job that waits or a build that runs, its processes included; ``job_not_cancellable``."""
        await jobs.cancel(self._floor, person, job_id, fpga_id)

    # Live

    async def open_stream(
        self, person: Person, fpga_id: int, *, observe: bool = False, design: str | None = None
    ) -> stream.Stream:
        """A live path to a board, for one design or for any: see :func:`~jupyter_fpga.fpga.stream.open_stream`."""
        return await stream.open_stream(self._floor, person, fpga_id, observe=observe, design=design)

    async def etherbone(self, person: Person, fpga_id: int, *, design: str | None = None) -> etherbone.EtherbonePath:
        """A path for packets of LiteX's tools: see :func:`~jupyter_fpga.fpga.etherbone.open_path`."""
        return await etherbone.open_path(self._floor, person, fpga_id, design=design)

    async def etherbone_port(self, person: Person, fpga_id: int, *, design: str | None = None) -> dict[str, Any]:
        """The port of a board session for LiteX's tools: see :func:`~jupyter_fpga.fpga.etherbone.open_port`."""
        return await etherbone.open_port(self._floor, person, fpga_id, design=design)

    async def bench(self, person: Person, fpga_id: int) -> dict[str, Any]:
        """What a bench shows of the holder's board: LEDs, buttons, switches, clock cycles."""
        return await bench.state(self._floor, person, fpga_id)

    async def bench_action(self, person: Person, fpga_id: int, action: Mapping[str, Any]) -> dict[str, Any]:
        """Touch the bench of the holder's board; answers with its state afterwards."""
        return await bench.act(self._floor, person, fpga_id, action)

    async def arm_capture(
        self, person: Person, fpga_id: int, wanted: Mapping[str, Any], *, design: str | None = None
    ) -> dict[str, Any]:
        """Begin to capture signals of the holder's board: see :func:`~jupyter_fpga.fpga.captures.arm`."""
        return await captures.arm(self._floor, person, fpga_id, wanted, design=design)

    async def captured(self, person: Person, fpga_id: int, *, wait: float = 0.0) -> dict[str, Any]:
        """The board's latest capture, waited for: see :func:`~jupyter_fpga.fpga.captures.captured`."""
        return await captures.captured(self._floor, person, fpga_id, wait)

    async def stop_capture(self, person: Person, fpga_id: int) -> None:
        """End the board's capture with what there is."""
        await captures.stop(self._floor, person, fpga_id)

    def watch_bench(self, person: Person, fpga_id: int, interval: float, console: int | None = None) -> BenchWatch:
        """The bench of the holder's board, again and again: see :class:`~jupyter_fpga.fpga.bench.Watch`."""
        return BenchWatch(self._floor, person, fpga_id, interval, console)

    def events(self, person: Person, since: int | None = None) -> AsyncIterator[dict[str, Any]]:
        """Frames for what happens after ``since``, for ever; see :func:`~jupyter_fpga.fpga.events.follow`."""
        return events.follow(self._floor.store, person, since, self._floor.config.watermark_seconds)

    # The lab

    def health(self) -> dict[str, Any]:
        """Whether the lab can serve; ``ok`` false means 503. Names nobody."""
        units = list(self._floor.pool)
        boards = {"total": len(units), "quarantined": sum(unit.quarantined for unit in units)}
        boards["idle"] = sum(unit.offered for unit in units)
        boards["unplugged"] = sum(unit.unplugged for unit in units)
        working = not units or boards["quarantined"] + boards["unplugged"] < len(units)
        ok = self._running and working
        reason = None
        if not self._running:
            reason = refusals.lab_stopping().message
        elif not working:
            reason = "Every board is quarantined; an operator has to clear one."
            if boards["unplugged"]:
                reason = "No board works: each is unplugged or quarantined. Plug one in, or have an operator clear one."
        return {"ok": ok, "reason": reason, "boards": boards, "version": __version__}

    async def targets(self) -> list[dict[str, Any]]:
        """The kinds of boards that designs can be built for: what each is, whether its tools are here, and how many
        ``boards`` of it the lab has."""
        has = Counter(board.target for board in self._floor.config.boards)
        return [target | {"boards": has[target["name"]]} for target in await self._floor.builds.targets()]

    async def toolchains(self) -> list[dict[str, Any]]:
        """What makes bitstreams, vendors' tools for LiteX's platforms included: what is here, and what is missing."""
        return await self._floor.builds.toolchains()

    def version(self) -> dict[str, Any]:
        """Name and version of what runs."""
        return {"name": "jupyter_fpga", "version": __version__}

    def metrics(self) -> CollectorRegistry:
        """The floor's metrics."""
        return metrics.registry(self._floor)

    async def settled(self) -> None:
        """Wait until no job is at work."""
        await self._floor.settled()


def _around(connection: Connection, rows: Sequence[RowMapping]) -> tuple[dict[str, RowMapping], dict[str, RowMapping]]:
    """The sessions and current jobs of boards, by their ids."""
    session_ids = [row["session_id"] for row in rows if row["session_id"]]
    job_ids = [row["current_job_id"] for row in rows if row["current_job_id"]]
    live = connection.execute(select(board_sessions).where(board_sessions.c.session_id.in_(session_ids))).mappings()
    current = connection.execute(select(jobs_table).where(jobs_table.c.job_id.in_(job_ids))).mappings()
    return {row["session_id"]: row for row in live}, {row["job_id"]: row for row in current}
