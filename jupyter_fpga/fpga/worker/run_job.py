"""Run: transactions on the bus of a board that its owner holds."""

import asyncio
from typing import Any

from sqlalchemy import RowMapping

from jupyter_fpga.fpga.floor import Floor
from jupyter_fpga.fpga.moves import Lease, Move
from jupyter_fpga.fpga.pool import Link
from jupyter_fpga.fpga.records import error_record
from jupyter_fpga.fpga.registers import Plan
from jupyter_fpga.fpga.wishbone import LinkError, LinkLost
from jupyter_fpga.store.tables import jobs

__all__ = ("run_job",)

ON_BUS = "on_bus"
"""Stage of a run that may have touched the bus: stored before the first byte is sent."""


async def run_job(floor: Floor, row: RowMapping, again: bool) -> None:
    """Carry out a ``run`` job."""
    unit = floor.pool[row["fpga_id"]]
    async with unit.operation:
        lease = await floor.write("run claim", _claim, row)
        if lease is None:
            return
        floor.keep(lease)
        link, known = unit.link, unit.registers
        if link is None or known is None:
            # The board was lost a moment ago; the move that says so ends this job's session.
            await floor.write("run lost", _lost_before, lease)
            return
        await _carry_out(floor, lease, row, link, known.plan(row["request"]["transactions"]))


async def _carry_out(floor: Floor, lease: Lease, row: RowMapping, link: Link, plan: Plan) -> None:
    operations = plan.operations
    progress = _Progress(floor, lease, len(operations))
    floor.checkpoint("run:before bus")
    try:
        results = await link.session(row["owner"]).run(operations, on_done=progress.done)
    except LinkError as error:
        floor.checkpoint("run:after bus")
        await progress.settle()
        done = plan.answers(error.completed)
        await floor.write("run failed", _failed, lease, row, error, done)
        return
    floor.checkpoint("run:after bus")
    await progress.settle()
    await floor.write("run done", _done, lease, plan.answers(results))


class _Progress:
    """Stores how many operations are known to be done, while more are under way."""

    def __init__(self, floor: Floor, lease: Lease, total: int) -> None:
        self._floor = floor
        self._lease = lease
        self._total = total
        self._known = 0
        self._task: asyncio.Task[None] | None = None

    def done(self, index: int, words: list[int]) -> None:
        """Operation ``index`` is done, and those before it."""
        self._known = index + 1
        # The end is stored with the result, in a moment.
        if self._known < self._total and self._task is None:
            self._task = asyncio.create_task(self._store())

    async def settle(self) -> None:
        """Wait until nothing is being stored."""
        if self._task is not None:
            await self._task

    async def _store(self) -> None:
        stored = 0
        while stored < self._known < self._total:
            known = self._known
            await self._floor.write("run progress", _progress, self._lease, known)
            stored = known
        self._task = None


def _progress(move: Move, lease: Lease, known: int) -> None:
    move.tx.fenced(jobs, {"job_id": lease.job_id}, lease.job_fence)
    move.note_job(lease.job_id, known_done=known)


def _claim(move: Move, row: RowMapping) -> Lease | None:
    """Take the job; it is cancelled instead when the board no longer runs the design it was made for."""
    board = move.board(row["fpga_id"])
    if board["state"] != "reserved" or board["session_id"] != row["session_id"]:
        move.cancel_job(row["job_id"], "session_ended", f"The session on board {row['fpga_id']} ended before this ran.")
        return None
    if board["image_digest"] != row["manifest_digest"]:
        reason = f"Board {row['fpga_id']} was programmed with another design before this ran."
        move.cancel_job(row["job_id"], "design_replaced", reason)
        return None
    job = move.claim_job(row["job_id"], ON_BUS, known_done=0)
    board = move.change_board(row["fpga_id"], take=True, current_job_id=board["current_job_id"] or row["job_id"])
    return Lease(job["job_id"], job["fence"], board["fpga_id"], board["fence"])


def _done(move: Move, lease: Lease, answers: list[dict[str, Any]]) -> None:
    _leave(move, lease)
    data = [word for answer in answers for word in answer["data"]]
    result = {"ok": True, "data": data, "results": answers}
    move.move_job(lease.job_id, "completed", stage="done", result=result, known_done=len(answers))


def _failed(move: Move, lease: Lease, row: RowMapping, error: LinkError, done: list[dict[str, Any]]) -> None:
    lost = isinstance(error, LinkLost)
    detail = {**error.detail, "done": len(done), "results": done}
    detail.pop("reason", None)
    record = error_record("board_lost" if lost else error.code, ON_BUS, error.message, **detail)
    _leave(move, lease)
    move.move_job(lease.job_id, "failed", error=record, known_done=len(done))
    board = move.board(row["fpga_id"])
    if lost and board["state"] == "reserved" and board["session_id"] == row["session_id"]:
        move.lose_board(row["fpga_id"], "lost", error.message, job_id=lease.job_id)


def _lost_before(move: Move, lease: Lease) -> None:
    _leave(move, lease)
    reason = f"Board {lease.fpga_id} was lost before this ran; nothing was sent to it."
    record = error_record("board_lost", ON_BUS, reason, done=0, results=[])
    move.move_job(lease.job_id, "failed", error=record)


def _leave(move: Move, lease: Lease) -> None:
    """Take the job off the board. The board may have been taken away meanwhile; the job is still this worker's."""
    move.tx.fenced(jobs, {"job_id": lease.job_id}, lease.job_fence)
    assert lease.fpga_id is not None
    if move.board(lease.fpga_id)["current_job_id"] == lease.job_id:
        move.change_board(lease.fpga_id, current_job_id=None)
