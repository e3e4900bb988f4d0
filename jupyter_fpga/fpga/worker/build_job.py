"""Build, and build and program: from a source to a proven board that is reserved for its owner."""

import asyncio
from typing import Any

from sqlalchemy import RowMapping

from jupyter_fpga.compute.builds.design import BuildOptions, BuildResult, StageReport
from jupyter_fpga.errors import LabError
from jupyter_fpga.fpga import sources
from jupyter_fpga.fpga.drivers import Unplugged
from jupyter_fpga.fpga.floor import Floor
from jupyter_fpga.fpga.logs import JobLog
from jupyter_fpga.fpga.moves import Lease, Move
from jupyter_fpga.fpga.records import error_record, source_records, stage_records
from jupyter_fpga.fpga.worker.board import held_by, program
from jupyter_fpga.store import Stale

__all__ = ("build_job",)


async def build_job(floor: Floor, row: RowMapping, again: bool) -> None:
    """Carry out a ``build`` or ``build_and_program`` job."""
    if _is_resubmit(row):
        # The holder's designs come onto the board in the order in which they were submitted.
        async with floor.pool[row["fpga_id"]].resubmits:
            await _carry_out(floor, row, again)
    else:
        await _carry_out(floor, row, again)


def _is_resubmit(row: RowMapping) -> bool:
    return row["session_id"] is not None


async def _carry_out(floor: Floor, row: RowMapping, again: bool) -> None:
    async with floor.logs.open(row["job_id"]) as log:
        async with floor.gate.slot(floor.ticket(row)):
            lease = await floor.write("build claim", _claim, row, again)
            floor.keep(lease)
            log.fence = lease.job_fence
            started = floor.clock.monotonic()
            try:
                result = await _build(floor, row, lease, log)
            except Stale:
                raise
            except LabError as error:
                log.write(error.message)
                await log.flush()
                await floor.write("build failed", _build_failed, lease, error)
                return
        seconds = floor.clock.monotonic() - started
        floor.estimates.built(seconds)
        facts: dict[str, Any] = {
            "ok": True,
            "data": [],
            "digest": result.digest,
            "build_seconds": round(seconds, 3),
            "stages": stage_records(result),
        }
        if result.sources:
            facts["sources"] = source_records(result)
        if row["type"] == "build":
            await log.flush()
            await floor.write("build done", _build_done, lease, result, facts)
            return
        await _program(floor, row, lease, result, facts, log)


async def _build(floor: Floor, row: RowMapping, lease: Lease, log: JobLog) -> BuildResult:
    request = row["request"]
    source = await sources.load(floor, row["source_digest"])
    options = BuildOptions(
        target=request["target"],
        top=request["top"],
        sys_clk_freq=request["sys_clk_freq"],
        timing_target_mhz=request["timing_target_mhz"],
        # Jobs that an older lab took have none.
        seed=request.get("seed", 1),
        explore=request.get("explore", 1),
        probes=tuple(request["probes"]),
        params=request["params"],
        use_cache=request["use_cache"],
        verify=request.get("verify", False),
    )
    writes: list[asyncio.Task[Any]] = []
    refused: list[BaseException] = []

    def on_stage(report: StageReport) -> None:
        if report.state == "running":
            writes.append(asyncio.create_task(floor.write("build stage", _stage, lease, report.name)))
        else:
            log.write(f"{report.name}: {'from the cache' if report.cached else f'{report.seconds:.2f} s'}")

    floor.checkpoint("build:before")
    try:
        result = await floor.builds.build(
            source,
            options,
            owner=row["owner"],
            priority=row["priority"],
            on_stage=on_stage,
            on_log=log.write,
        )
    finally:
        if writes:
            await asyncio.wait(writes)
            # Looked at in any case; but when the build was cancelled or failed, that comes first.
            refused += [error for written in writes if (error := written.exception()) is not None]
    if refused:
        raise refused[0]
    floor.checkpoint("build:after")
    return result


async def _program(
    floor: Floor, row: RowMapping, lease: Lease, result: BuildResult, facts: dict[str, Any], log: JobLog
) -> None:
    if _is_resubmit(row):
        await floor.write("built", _built, lease, result, "waiting_for_board")
        unit = floor.pool[row["fpga_id"]]
        async with unit.operation:
            lease = await floor.write("rebuilt", _rebuilt, row, lease)
            await _onto_board(floor, row, lease, result, facts, log)
        return
    if lease.fpga_id is None:
        await floor.write("built", _built, lease, result, "waiting_for_board")
        log.write("Built; waiting for a board.")
        try:
            lease = await floor.board_for(row)
        except Stale:
            raise
        except LabError as error:
            await floor.write("no board", _no_board, lease, error)
            return
    else:
        await floor.write("built", _built, lease, result, "programming")
    assert lease.fpga_id is not None
    async with floor.pool[lease.fpga_id].operation:
        await _onto_board(floor, row, lease, result, facts, log)


async def _onto_board(
    floor: Floor, row: RowMapping, lease: Lease, result: BuildResult, facts: dict[str, Any], log: JobLog
) -> None:
    assert lease.fpga_id is not None
    unit = floor.pool[lease.fpga_id]
    log.write(f"Programming board {unit.fpga_id}.")
    try:
        await program(
            floor,
            unit,
            result.image,
            result.manifest,
            held_by(lease),
            step="program",
            log=log.write,
            # Jobs of an older lab say nothing of it.
            flash=row["request"].get("flash", False),
        )
    except Stale:
        raise
    except LabError as error:
        unit.detach()
        log.write(error.message)
        await log.flush()
        await floor.write("program failed", _program_failed, lease, error)
        return
    log.write(f"Board {unit.fpga_id} runs it: {result.manifest.identifier}")
    await log.flush()
    await floor.write("proven", _proven, lease, facts)
    floor.check_link(unit)


def _claim(move: Move, row: RowMapping, again: bool) -> Lease:
    job = move.claim_job(row["job_id"], "building", again=again)
    if job["fpga_id"] is None or _is_resubmit(row):
        return Lease(job["job_id"], job["fence"])
    board = move.board(job["fpga_id"])
    if board["state"] == "queued":
        board = move.move_board(board["fpga_id"], "picked_up", take=True, job_id=job["job_id"])
    else:
        # A lab that died had begun; what it did on the board is done again.
        board = move.change_board(board["fpga_id"], take=True)
    return Lease(job["job_id"], job["fence"], board["fpga_id"], board["fence"])


def _stage(move: Move, lease: Lease, name: str) -> None:
    move.hold(lease)
    move.stage(lease.job_id, f"building:{name}")


def _built(move: Move, lease: Lease, result: BuildResult, stage: str) -> None:
    move.hold(lease)
    move.keep_build(result)
    if lease.fpga_id is not None and move.board(lease.fpga_id)["state"] == "building":
        move.move_board(lease.fpga_id, "built", job_id=lease.job_id)
    move.stage(lease.job_id, stage, manifest_digest=result.digest)


def _rebuilt(move: Move, row: RowMapping, lease: Lease) -> Lease:
    """The holder's next design takes the place of the one that ran until now."""
    move.hold(lease)
    board = move.board(row["fpga_id"])
    if board["state"] == "programming" and board["current_job_id"] == lease.job_id:
        board = move.change_board(row["fpga_id"], take=True)
    else:
        board = move.move_board(row["fpga_id"], "rebuilt", take=True, job_id=lease.job_id, current_job_id=lease.job_id)
    move.stage(lease.job_id, "programming")
    return Lease(lease.job_id, lease.job_fence, board["fpga_id"], board["fence"])


def _proven(move: Move, lease: Lease, facts: dict[str, Any]) -> None:
    move.hold(lease)
    assert lease.fpga_id is not None
    board, job = move.board(lease.fpga_id), move.job(lease.job_id)
    session = move.session(board["session_id"])
    if session is None:
        session_id = move.start_session(lease.fpga_id, job["owner"], lease.job_id)
    else:
        session_id = session["session_id"]
        move.renew_registers(session_id)
        move.expiries[lease.fpga_id] = session["expires_at"]
    move.move_board(
        lease.fpga_id,
        "proven",
        job_id=lease.job_id,
        owner=job["owner"],
        session_id=session_id,
        current_job_id=None,
        reason=None,
    )
    move.move_job(lease.job_id, "completed", stage="done", result=facts, session_id=session_id)


def _build_done(move: Move, lease: Lease, result: BuildResult, facts: dict[str, Any]) -> None:
    move.hold(lease)
    move.keep_build(result)
    move.move_job(lease.job_id, "completed", stage="done", result=facts, manifest_digest=result.digest)


def _build_failed(move: Move, lease: Lease, error: LabError) -> None:
    move.hold(lease)
    stage = error.detail.get("stage") or "building"
    record = error_record(error.code, stage, error.message, **error.detail)
    fpga_id = move.move_job(lease.job_id, "failed", error=record)["fpga_id"]
    board = move.board(fpga_id) if fpga_id is not None else None
    if board is None or board["current_job_id"] != lease.job_id:
        # No board yet; or the holder's, on which the old design runs on.
        return
    if board["state"] == "building":
        nobody = {"owner": None, "current_job_id": None}
        move.move_board(fpga_id, "build_failed", take=True, job_id=lease.job_id, **nobody)
    elif board["state"] == "programming":
        # It was built before the lab died, and can't be built any more: the board was half programmed.
        move.lose_board(fpga_id, "program_failed", error.message, job_id=lease.job_id)


def _program_failed(move: Move, lease: Lease, error: LabError) -> None:
    move.hold(lease)
    assert lease.fpga_id is not None
    record = error_record(error.code, "programming", error.message, **error.detail)
    move.move_job(lease.job_id, "failed", error=record)
    unplugged = isinstance(error, Unplugged)
    move.lose_board(lease.fpga_id, "program_failed", error.message, job_id=lease.job_id, unplugged=unplugged)


def _no_board(move: Move, lease: Lease, error: LabError) -> None:
    move.hold(lease)
    record = error_record(error.code, "waiting_for_board", error.message, **error.detail)
    move.move_job(lease.job_id, "failed", error=record)
