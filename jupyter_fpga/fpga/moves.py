"""Moves: what belongs together when sessions begin and end and boards fail, on top of single edges."""

import dataclasses
import uuid
from typing import Any

from sqlalchemy import RowMapping, and_, insert, or_, select, update

from jupyter_fpga.clock import iso
from jupyter_fpga.fpga import states
from jupyter_fpga.fpga.config import BoardConfig
from jupyter_fpga.fpga.edges import Edges, Lease
from jupyter_fpga.fpga.records import LAB, error_record
from jupyter_fpga.store.tables import board_sessions, boards, jobs

__all__ = ("Lease", "Move")


class Move(Edges):
    """One transaction about boards, sessions and jobs."""

    # Sessions

    def start_session(self, fpga_id: int, owner: str, job_id: str) -> str:
        """A new session row; the caller puts its id on the board."""
        session_id = str(uuid.uuid4())
        expires_at = self.now + self.config.session_ttl
        self.tx.execute(
            insert(board_sessions),
            {
                "session_id": session_id,
                "fpga_id": fpga_id,
                "owner": owner,
                "created_at": self.now,
                "expires_at": expires_at,
                "job_id": job_id,
            },
        )
        self.tx.event("session_started", fpga_id=fpga_id, job_id=job_id, owner=owner, expires_at=iso(expires_at))
        self.expiries[fpga_id] = expires_at
        return session_id

    def end_session(self, fpga_id: int, reason: str, *, except_job: str | None = None, **facts: Any) -> None:
        """End the board's session, if it has one, and what waits for it: queued runs, the holder's next build."""
        board = self.board(fpga_id)
        session = self.session(board["session_id"])
        if session is None:
            return
        self.tx.execute(
            update(board_sessions)
            .where(board_sessions.c.session_id == session["session_id"])
            .values(ended_at=self.now, end_reason=reason)
        )
        self.tx.event("session_ended", fpga_id=fpga_id, owner=session["owner"], reason=reason, **facts)
        self.expiries[fpga_id] = None
        waiting = select(jobs.c.job_id).where(
            jobs.c.fpga_id == fpga_id,
            jobs.c.session_id == session["session_id"],
            or_(
                and_(jobs.c.type == "run", jobs.c.status == "queued"),
                and_(jobs.c.type == "build_and_program", jobs.c.status.in_(("queued", "running"))),
            ),
        )
        for job_id in self.tx.execute(waiting).scalars().all():
            if job_id != except_job:
                self.cancel_job(job_id, "session_ended", f"The session on board {fpga_id} ended before this job ran.")
        self.change_board(fpga_id, session_id=None, owner=None)

    def lose_registers(self, session_id: str) -> None:
        """The lab programmed the board of a session again by itself: what was in its registers is lost, and its owner
        is told."""
        session = self.session(session_id)
        if session is not None:
            self._registers_lost(session_id, self.now)
            self.tx.event("registers_lost", fpga_id=session["fpga_id"], owner=session["owner"])

    def renew_registers(self, session_id: str) -> None:
        """Its owner had the board of a session programmed: registers begin anew as they wish."""
        self._registers_lost(session_id, None)

    def _registers_lost(self, session_id: str, time: float | None) -> None:
        self.tx.execute(
            update(board_sessions).where(board_sessions.c.session_id == session_id).values(registers_lost_at=time)
        )

    def cancel_job(self, job_id: str, code: str, reason: str) -> None:
        """Cancel a job whose worker is told after the commit."""
        row = self.job(job_id)
        stage = (row["stage"] or "queued").partition(":")[0]
        self.move_job(job_id, "cancelled", error=error_record(code, stage, reason))
        self.dropped.append(job_id)

    # Resets and failures

    def add_reset(self, fpga_id: int, owner: str = LAB) -> RowMapping:
        """Queue a reset job as the board's current job."""
        job = self.add_job("reset", owner, fpga_id=fpga_id)
        self.resets[fpga_id] = None
        self.change_board(fpga_id, "board_state", current_job_id=job["job_id"])
        return job

    def release(self, fpga_id: int, reason: str, owner: str, **facts: Any) -> RowMapping:
        """End the session of a reserved board and queue the reset that frees it."""
        self.end_session(fpga_id, reason, **facts)
        return self.add_reset(fpga_id, owner)

    def enter_board(self, board: BoardConfig, row: RowMapping | None) -> RowMapping:
        """Bring a configured board's ``row`` up to date. One that is new, or came back, starts in ``error`` and is
        reset."""
        found = dataclasses.asdict(board.hardware) if board.found else None
        described: dict[str, Any] = {
            "target": board.target,
            "tags": list(board.tags),
            "driver": board.driver,
            "found": found,
        }
        if row is None:
            values = {"state": "error", "health": "ok", "reason": "It is new.", "updated_at": self.now}
            self.tx.execute(insert(boards), {"fpga_id": board.fpga_id, **described, **values})
            row = self.change_board(board.fpga_id, "board_state")
        elif row["health"] == "retired":
            row = self.change_board(board.fpga_id, "board_state", health="ok", reason="It came back.", **described)
        else:
            row = self.change_board(board.fpga_id, "board_checked", **described)
        if row["state"] == "error" and row["current_job_id"] is None:
            self.plan_reset(row)
        return row

    def lose_board(
        self,
        fpga_id: int,
        cause: states.Cause,
        reason: str,
        *,
        job_id: str | None = None,
        unplugged: bool = False,
    ) -> None:
        """A board failed (while ``job_id`` was at it): its session ends, and the lab will reset it.

        Parameters
        ----------
        unplugged
            It isn't there any more, and is reset once it is plugged in again.
        """
        self.end_session(fpga_id, "board_failed", except_job=job_id)
        values: dict[str, Any] = {"owner": None, "session_id": None, "current_job_id": None, "reason": reason}
        if unplugged:
            values["health"] = "unplugged"
        row = self.move_board(fpga_id, cause, job_id=job_id, take=True, **values)
        self.note_health(fpga_id, "unplugged" if unplugged else "failed", reason, job_id=job_id)
        self.plan_reset(row)

    def unplug(self, fpga_id: int, reason: str) -> None:
        """A board in ``error`` isn't there any more: its reset waits for it."""
        row = self.change_board(fpga_id, "board_unplugged", take=True, health="unplugged", reason=reason)
        self.note_health(fpga_id, "unplugged", reason)
        self.plan_reset(row)

    def plug_in(self, fpga_id: int) -> None:
        """An unplugged board is there again: it is reset soon."""
        reason = "It was plugged in again."
        row = self.change_board(fpga_id, "board_plugged_in", health="ok", reset_failures=0, reason=reason)
        self.note_health(fpga_id, "plugged_in", reason)
        if row["current_job_id"] is None:
            self.plan_reset(row, self.config.plugged_in_wait)

    def fail_reset(
        self, fpga_id: int, job_id: str, reason: str, *, boards_fault: bool = True, unplugged: bool = False
    ) -> None:
        """A reset came to nothing. After the third in a row the board is quarantined, unless the fault wasn't its."""
        before = self.board(fpga_id)
        boards_fault = boards_fault and not unplugged
        failures = before["reset_failures"] + boards_fault
        quarantined = failures >= self.config.resets_before_quarantine
        values: dict[str, Any] = {"reset_failures": failures, "reason": reason, "current_job_id": None, "owner": None}
        values["health"] = "unplugged" if unplugged else "quarantined" if quarantined else "ok"
        if before["state"] == "reserved":
            row = self.move_board(fpga_id, "lost", job_id=job_id, take=True, **values)
        else:
            row = self.change_board(fpga_id, "board_state", take=True, **values)
        self.note_health(fpga_id, "unplugged" if unplugged else "reset_failed", reason, job_id=job_id)
        if values["health"] == "quarantined":
            self.tx.event("board_quarantined", fpga_id=fpga_id, public=True, reason=reason)
            self.note_health(fpga_id, "quarantined", reason, job_id=job_id)
        self.plan_reset(row, None if boards_fault else self.config.tools_retry)

    def plan_reset(self, row: RowMapping, wait: float | None = None) -> None:
        """Let the lab reset a board in ``error``, later the more often that failed; not one in quarantine."""
        waits = self.config.reset_backoff
        if wait is None:
            wait = waits[min(row["reset_failures"], len(waits) - 1)]
        self.resets[row["fpga_id"]] = self.now + wait if row["health"] == "ok" else None

    def abandon(self, fpga_id: int, job_id: str, reason: str) -> None:
        """Free a board whose current job ended by a failure of the lab's own."""
        board = self.board(fpga_id)
        nobody = {"owner": None, "current_job_id": None}
        if self.job(job_id)["type"] == "reset":
            self.fail_reset(fpga_id, job_id, reason)
        elif board["state"] == "queued":
            self.move_board(fpga_id, "cancelled", job_id=job_id, take=True, **nobody)
        elif board["state"] == "building":
            self.move_board(fpga_id, "build_failed", job_id=job_id, take=True, **nobody)
        elif board["state"] == "programming":
            self.lose_board(fpga_id, "program_failed", reason, job_id=job_id)
        else:
            self.change_board(fpga_id, take=True, current_job_id=None)
