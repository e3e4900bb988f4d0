"""Start: what the store says is compared with what is really there, and nothing is guessed.

Each board is asked for (is its process the same? does it answer with the expected identifier?), and then attached
again, programmed again, or handed to the lab's own reset. Jobs in flight are taken over by new workers, whose fence
tokens shut out the old ones. Only a ``run`` that was on the bus can't be taken over: nobody can know how it ended.
"""

import asyncio
import logging
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, RowMapping, select, update

from jupyter_fpga.compute import image_of
from jupyter_fpga.errors import LabError, Unavailable
from jupyter_fpga.fpga.drivers import Record, Unplugged
from jupyter_fpga.fpga.floor import Floor
from jupyter_fpga.fpga.moves import Move
from jupyter_fpga.fpga.pool import Unit
from jupyter_fpga.fpga.records import error_record
from jupyter_fpga.fpga.worker.board import attach, program
from jupyter_fpga.fpga.worker.run_job import ON_BUS
from jupyter_fpga.gateware.manifest import Manifest
from jupyter_fpga.store.tables import boards, builds, jobs

__all__ = ("recover", "shut_down")

log = logging.getLogger(__name__)


async def recover(floor: Floor) -> None:
    """Bring the store and the boards together, then let the jobs go on."""
    await floor.write("restart boards", _enter_boards)
    await floor.write("restart runs", _end_runs)
    await _sweep(floor)
    await asyncio.gather(*(_check(floor, unit) for unit in floor.pool))
    for row in await floor.read(_unfinished):
        floor.spawn(row, again=True)


async def _sweep(floor: Floor) -> None:
    """Take down boards that run though no board's row knows them: their lab died while it programmed, or they were
    taken out of the configuration."""
    for name, driver in {unit.config.driver: unit.driver for unit in floor.pool}.items():
        rows = [unit.row for unit in floor.pool if unit.config.driver == name and unit.row is not None]
        await driver.sweep([row["process"] for row in rows if row["process"] is not None])


def _enter_boards(move: Move) -> None:
    """Every configured board has a row; one that is new, or came back, starts in ``error`` and is reset."""
    known = {row["fpga_id"]: row for row in move.tx.execute(select(boards)).mappings()}
    for board in move.config.boards:
        move.enter_board(board, known.pop(board.fpga_id, None))
    for row in known.values():
        _retire(move, row)


def _retire(move: Move, row: RowMapping) -> None:
    """A board that is no longer configured: nothing of it goes on. It is in ``error`` should it ever come back."""
    if row["health"] == "retired":
        return
    fpga_id = row["fpga_id"]
    reason = f"Board {fpga_id} is no longer part of the lab."
    move.end_session(fpga_id, "board_removed")
    for job in move.unfinished(fpga_id, ("build_and_program", "run", "reset")):
        move.move_job(job["job_id"], "failed", error=error_record("board_removed", "queued", reason))
    move.tx.execute(
        update(boards)
        .where(boards.c.fpga_id == fpga_id)
        .values(
            state="error",
            health="retired",
            reason=reason,
            owner=None,
            session_id=None,
            current_job_id=None,
            fence=boards.c.fence + 1,
            updated_at=move.now,
        )
    )
    move.tx.event("board_retired", fpga_id=fpga_id, public=True)


def _end_runs(move: Move) -> None:
    """Runs that may have touched the bus when the lab died: how they ended can't be known."""
    statement = select(jobs).where(jobs.c.type == "run", jobs.c.status == "running", jobs.c.stage == ON_BUS)
    for row in move.tx.execute(statement).mappings().all():
        done, total = row["known_done"] or 0, len(row["request"]["transactions"])
        reason = (
            f"The lab stopped while this ran: {done} of {total} transactions are known to be done, and the others may "
            "or may not have been carried out. Read back what matters before you go on."
        )
        record = error_record("outcome_unknown", ON_BUS, reason, done=done, total=total)
        move.move_job(row["job_id"], "failed", error=record)
        board = move.board(row["fpga_id"])
        if board["current_job_id"] == row["job_id"]:
            move.change_board(row["fpga_id"], take=True, current_job_id=None)


async def _check(floor: Floor, unit: Unit) -> None:
    row = unit.row
    assert row is not None
    if row["state"] == "idle":
        await _check_idle(floor, unit, row)
    elif row["state"] == "reserved" and row["session_id"] is not None:
        await _check_reserved(floor, unit, row)
    elif row["state"] == "programming" and row["current_job_id"] is None:
        # A lab that died while it programmed this board again, as below.
        await _restore(floor, unit, row)
    # Every other board is in the hands of a job, or of the reset that is due: both program it anew.


async def _check_idle(floor: Floor, unit: Unit, row: RowMapping) -> None:
    reason = "It was not there any more when the lab started."
    base = await floor.read(partial(_build_of, digest=row["image_digest"]))
    if base is not None and await _found(unit, row):
        try:
            await attach(floor, unit, row["process"], Manifest.from_json(base["manifest"]), fresh=False)
            unit.detach()
            return
        except LabError as error:
            reason = error.message

    def work(move: Move) -> None:
        move.lose_board(unit.fpga_id, "lost", reason)

    await floor.write("restart lost", work)


async def _check_reserved(floor: Floor, unit: Unit, row: RowMapping) -> None:
    """A board with a session: attach to what runs, else program the same design again and tell its owner."""
    build = await floor.read(partial(_build_of, digest=row["image_digest"]))
    if build is not None and await _found(unit, row):
        try:
            await attach(floor, unit, row["process"], Manifest.from_json(build["manifest"]), fresh=False)
        except LabError as error:
            log.info("Board %s is there, but not as it was left: %s", unit.fpga_id, error.message)
        else:
            await floor.write("restart attached", _attached, row)
            floor.check_link(unit)
            return
    await _restore(floor, unit, row)


async def _restore(floor: Floor, unit: Unit, row: RowMapping) -> None:
    """Program the design that a session's board had; its registers start anew."""
    taken = await floor.write("restart begin", _take, row)

    def hold(move: Move) -> None:
        move.tx.fenced(boards, {"fpga_id": unit.fpga_id}, taken["fence"])

    try:
        image, manifest = await _design_of(floor, row)
        await program(
            floor, unit, image, manifest, hold, step="restart", log=partial(log.info, "Board %s: %s", unit.fpga_id)
        )
    except LabError as error:
        unit.detach()
        reason, unplugged = error.message, isinstance(error, Unplugged)

        def failed(move: Move) -> None:
            move.lose_board(unit.fpga_id, "program_failed", reason, unplugged=unplugged)

        await floor.write("restart failed", failed)
        return

    def proven(move: Move) -> None:
        hold(move)
        move.move_board(unit.fpga_id, "proven")
        move.lose_registers(row["session_id"])
        _attached(move, row)

    await floor.write("restart proven", proven)
    floor.check_link(unit)


def _take(move: Move, row: RowMapping) -> RowMapping:
    if row["state"] == "programming":
        return move.change_board(row["fpga_id"], take=True)
    return move.move_board(row["fpga_id"], "rebuilt", take=True)


async def _design_of(floor: Floor, row: RowMapping) -> tuple[Path, Manifest]:
    """What the board's session runs: built by the job that last put it there, whatever was programmed since."""

    def query(connection: Connection) -> RowMapping | None:
        digest = connection.execute(
            select(jobs.c.manifest_digest)
            .where(
                jobs.c.session_id == row["session_id"],
                jobs.c.type == "build_and_program",
                jobs.c.status == "complete",
            )
            .order_by(jobs.c.lsn.desc())
            .limit(1)
        ).scalar_one_or_none()
        return _build_of(connection, digest)

    build = await floor.read(query)
    if build is None or not (image := Path(image_of(build["artifacts"]))).is_file():
        raise Unavailable(f"The design of board {row['fpga_id']} is lost, and so can't be programmed again.")
    return image, Manifest.from_json(build["manifest"])


def _attached(move: Move, row: RowMapping) -> None:
    session = move.session(row["session_id"])
    if session is not None:
        # A time that has passed meanwhile is acted on at once.
        move.expiries[row["fpga_id"]] = session["expires_at"]


async def _found(unit: Unit, row: RowMapping) -> bool:
    record: Record | None = row["process"]
    return record is not None and await unit.driver.find(record)


def _build_of(connection: Connection, digest: str | None) -> RowMapping | None:
    return connection.execute(select(builds).where(builds.c.digest == digest)).mappings().one_or_none()


def _unfinished(connection: Connection) -> list[RowMapping]:
    statement = select(jobs).where(jobs.c.status.in_(("queued", "running"))).order_by(jobs.c.lsn)
    return list(connection.execute(statement).mappings())


async def shut_down(floor: Floor) -> None:
    """An ordered stop: leave the boards, and take down what would otherwise run on without a lab."""
    for unit in floor.pool:
        unit.end_streams("lab_stopping")
        unit.detach()
    await asyncio.gather(*(_take_down(unit) for unit in floor.pool))


async def _take_down(unit: Unit) -> None:
    if unit.row is None:
        return
    record: Record | None = unit.row["process"]
    if record is None:
        return
    try:
        await unit.driver.shutdown(record)
    except LabError as error:
        log.warning("Board %s could not be shut down: %s", unit.fpga_id, error.message)
