"""Reset: the base SoC is programmed and proven, and only then the board is ``idle``."""

from sqlalchemy import RowMapping

from jupyter_fpga.compute.builds.design import BuildResult
from jupyter_fpga.errors import LabError
from jupyter_fpga.fpga.drivers import MENDED_ELSEWHERE, Unplugged
from jupyter_fpga.fpga.floor import Floor
from jupyter_fpga.fpga.logs import JobLog
from jupyter_fpga.fpga.moves import Lease, Move
from jupyter_fpga.fpga.pool import Unit
from jupyter_fpga.fpga.records import error_record
from jupyter_fpga.fpga.worker.board import held_by, program
from jupyter_fpga.store import Stale

__all__ = ("reset_job",)


async def reset_job(floor: Floor, row: RowMapping, again: bool) -> None:
    """Carry out a ``reset`` job."""
    unit = floor.pool[row["fpga_id"]]
    async with unit.operation:
        lease = await floor.write("reset claim", _claim, row, again)
        floor.keep(lease)
        async with floor.logs.open(row["job_id"]) as log:
            log.fence = lease.job_fence
            try:
                base = await floor.builds.base(unit.config.target)
            except LabError as error:
                await _fail(floor, lease, log, error, boards_fault=False)
                return
            try:
                await _reset(floor, unit, lease, base, log)
            except Stale:
                raise
            except LabError as error:
                unit.detach()
                await _fail(floor, lease, log, error, boards_fault=error.code not in MENDED_ELSEWHERE)
                return
            log.write("The base SoC is programmed and proven.")
        # An idle board needs no link, and its wire must not keep it awake.
        unit.detach()
        await floor.write("reset done", _done, lease)


async def _reset(floor: Floor, unit: Unit, lease: Lease, base: BuildResult, log: JobLog) -> None:
    await floor.write("reset base", lambda move: move.keep_build(base))
    image = base.image
    hold = held_by(lease)
    try:
        await program(floor, unit, image, base.manifest, hold, step="reset", log=log.write)
    except Stale:
        raise
    except LabError as error:
        if error.code in MENDED_ELSEWHERE:
            raise
        log.write(f"{error.message} Trying again with a power cycle.")
        await program(floor, unit, image, base.manifest, hold, step="power cycle", log=log.write, power_cycle=True)


async def _fail(floor: Floor, lease: Lease, log: JobLog, error: LabError, *, boards_fault: bool) -> None:
    log.write(error.message)
    await log.flush()
    await floor.write("reset failed", _failed, lease, error, boards_fault)


def _claim(move: Move, row: RowMapping, again: bool) -> Lease:
    job = move.claim_job(row["job_id"], "resetting", again=again)
    board = move.change_board(row["fpga_id"], take=True)
    return Lease(job["job_id"], job["fence"], board["fpga_id"], board["fence"])


def _done(move: Move, lease: Lease) -> None:
    move.hold(lease)
    assert lease.fpga_id is not None
    move.move_board(
        lease.fpga_id,
        "reset",
        job_id=lease.job_id,
        take=True,
        reason=None,
        health="ok",
        reset_failures=0,
        owner=None,
        session_id=None,
        current_job_id=None,
    )
    move.note_health(lease.fpga_id, "reset", "The base SoC was programmed and proven.", job_id=lease.job_id)
    move.move_job(lease.job_id, "completed", stage="done", result={"ok": True, "data": []})


def _failed(move: Move, lease: Lease, error: LabError, boards_fault: bool) -> None:
    move.hold(lease)
    assert lease.fpga_id is not None
    record = error_record("reset_failed", "resetting", error.message, cause=error.code)
    move.move_job(lease.job_id, "failed", error=record)
    move.fail_reset(
        lease.fpga_id, lease.job_id, error.message, boards_fault=boards_fault, unplugged=isinstance(error, Unplugged)
    )
