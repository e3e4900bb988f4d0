"""Moves: what one transaction may do to boards, sessions and jobs, each edge with its event.

A :class:`Move` wraps the store's transaction, takes its edges from :mod:`~jupyter_fpga.fpga.states` and remembers what
it changed, so that the lab's memory can follow once the transaction is committed.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, and_, insert, or_, select, update

from jupyter_fpga.compute.design import BuildResult
from jupyter_fpga.fpga import refusals, states
from jupyter_fpga.fpga.config import FpgaConfig
from jupyter_fpga.fpga.records import LAB, error_record, iso, stage_records
from jupyter_fpga.store.tables import board_sessions, boards, builds, jobs
from jupyter_fpga.store.transaction import Transaction

__all__ = ("Lease", "Move")


@dataclass(frozen=True)
class Lease:
    """What a worker holds: a job, and the board it works on when there is one, each with its fence token."""

    job_id: str
    job_fence: int
    fpga_id: int | None = None
    board_fence: int = 0


class Move:
    """One transaction about boards, sessions and jobs.

    Parameters
    ----------
    transaction
        The store's; this object is as short-lived as it.
    config
        Limits and the pool.
    """

    def __init__(self, transaction: Transaction, config: FpgaConfig) -> None:
        self.tx = transaction
        self.now = transaction.now
        self.config = config
        self.boards: list[tuple[int, RowMapping]] = []
        """Boards as they are after each change, with the LSN of the change."""
        self.added: list[RowMapping] = []
        """New jobs, whose workers start after the commit."""
        self.finished: list[RowMapping] = []
        """Jobs that ended."""
        self.dropped: list[str] = []
        """Those of them that ended under their workers."""
        self.expiries: dict[int, float | None] = {}
        """When the session of a board ends; ``None``: it has none any more."""
        self.resets: dict[int, float | None] = {}
        """When the lab resets a board in ``error``; ``None``: not any more."""

    # Rows

    def board(self, fpga_id: int) -> RowMapping:
        """The board's row; refused with ``fpga_not_found`` when the lab has no such board."""
        if self.config.board(fpga_id) is None:
            raise refusals.fpga_not_found(fpga_id, (board.fpga_id for board in self.config.boards))
        return self.tx.execute(select(boards).where(boards.c.fpga_id == fpga_id)).mappings().one()

    def job(self, job_id: str) -> RowMapping:
        """The job's row; refused with ``job_not_found``."""
        row = self.tx.execute(select(jobs).where(jobs.c.job_id == job_id)).mappings().one_or_none()
        if row is None:
            raise refusals.job_not_found(job_id)
        return row

    def session(self, session_id: str | None) -> RowMapping | None:
        """The session's row if it hasn't ended (it may have run out)."""
        statement = select(board_sessions).where(
            board_sessions.c.session_id == session_id, board_sessions.c.ended_at.is_(None)
        )
        return self.tx.execute(statement).mappings().one_or_none()

    def hold(self, lease: Lease) -> None:
        """Refuse to go on (``StaleFence``) unless everything in ``lease`` is still the caller's."""
        self.tx.fenced(jobs, {"job_id": lease.job_id}, lease.job_fence)
        if lease.fpga_id is not None:
            self.tx.fenced(boards, {"fpga_id": lease.fpga_id}, lease.board_fence)

    # Boards

    def move_board(
        self, fpga_id: int, cause: states.Cause, *, take: bool = False, job_id: str | None = None, **values: Any
    ) -> RowMapping:
        """Move a board along an edge.

        Parameters
        ----------
        cause
            Why; it names the edges of the table.
        take
            Whether the mover takes the board over: its fence token grows.
        job_id
            The job that does it, for the event.
        values
            Further columns to set.
        """
        before = self.board(fpga_id)
        sources, target = states.board_sources(cause), states.board_target(cause)
        values["fence"] = before["fence"] + 1 if take else before["fence"]
        row = self.tx.transition(boards, {"fpga_id": fpga_id}, from_=sources, to=target, values=values)
        self._board_event("board_state", row, job_id, cause=cause, **{"from": before["state"]})
        return row

    def change_board(self, fpga_id: int, kind: str | None = None, *, take: bool = False, **values: Any) -> RowMapping:
        """Set columns of a board that stays in its state; ``kind`` is the event's, without one nobody is told."""
        if take:
            values["fence"] = boards.c.fence + 1
        statement = update(boards).where(boards.c.fpga_id == fpga_id).values(updated_at=self.now, **values)
        row = self.tx.execute(statement.returning(*boards.c)).mappings().one()
        if kind is not None:
            self._board_event(kind, row, row["current_job_id"])
        return row

    def _board_event(self, kind: str, row: RowMapping, job_id: str | None, **data: Any) -> None:
        lsn = self.tx.event(
            kind,
            fpga_id=row["fpga_id"],
            job_id=job_id,
            owner=row["owner"],
            public=True,
            state=row["state"],
            health=row["health"],
            **data,
        )
        self.boards.append((lsn, row))

    # Jobs

    def add_job(
        self,
        type_: states.JobType,
        owner: str,
        *,
        fpga_id: int | None = None,
        request: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> RowMapping:
        """Queue a job; returns its row."""
        job_id = str(uuid.uuid4())
        lsn = self.tx.event(
            "job_status", fpga_id=fpga_id, job_id=job_id, owner=owner, type=type_, status="queued", stage=None
        )
        values = {"priority": 0, **values}
        row = {
            "job_id": job_id,
            "fpga_id": fpga_id,
            "type": type_,
            "status": "queued",
            "owner": owner,
            "created_at": self.now,
            "updated_at": self.now,
            "lsn": lsn,
            "request": dict(request or {}),
            **values,
        }
        self.tx.execute(insert(jobs), row)
        added = self.job(job_id)
        self.added.append(added)
        return added

    def claim_job(self, job_id: str, stage: str, *, again: bool = False, **values: Any) -> RowMapping:
        """Take a job to work on it: ``queued → running`` with a lease and a new fence token.

        Parameters
        ----------
        again
            Take it over from a worker of a lab that died.
        """
        sources = states.job_sources("claimed")
        row = self.tx.claim(
            jobs,
            {"job_id": job_id},
            from_=(*sources, "running") if again else sources,
            to=states.job_target("claimed"),
            lease_seconds=self.config.lease_seconds,
            take_over=again,
            values={"stage": stage, **values},
        )
        self._job_event(row)
        return row

    def move_job(self, job_id: str, cause: states.JobCause, **values: Any) -> RowMapping:
        """Move a job along an edge; a finished job gives up its lease."""
        target = states.job_target(cause)
        if target in states.FINISHED:
            values["lease_until"] = None
        row = self.tx.transition(jobs, {"job_id": job_id}, from_=states.job_sources(cause), to=target, values=values)
        self._job_event(row)
        if target in states.FINISHED:
            self.finished.append(row)
        return row

    def stage(self, job_id: str, stage: str, **values: Any) -> RowMapping:
        """Say how far a running job is."""
        row = self.tx.transition(
            jobs, {"job_id": job_id}, from_=("running",), to="running", values={"stage": stage, **values}
        )
        self._job_event(row)
        return row

    def note_job(self, job_id: str, **values: Any) -> None:
        """Set columns of a job without telling anybody."""
        self.tx.execute(update(jobs).where(jobs.c.job_id == job_id).values(**values))

    def _job_event(self, row: RowMapping) -> None:
        error = row["error"] or {}
        reason = {"reason": error["reason"]} if "reason" in error else {}
        self.tx.event(
            "job_status",
            fpga_id=row["fpga_id"],
            job_id=row["job_id"],
            owner=row["owner"],
            type=row["type"],
            status=row["status"],
            stage=row["stage"],
            **reason,
        )

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

    def lose_board(self, fpga_id: int, cause: states.Cause, reason: str, *, job_id: str | None = None) -> None:
        """A board failed (while ``job_id`` was at it): its session ends, and the lab will reset it."""
        self.end_session(fpga_id, "board_failed", except_job=job_id)
        nobody = {"owner": None, "session_id": None, "current_job_id": None}
        row = self.move_board(fpga_id, cause, job_id=job_id, take=True, reason=reason, **nobody)
        self.plan_reset(row)

    def abandon(self, fpga_id: int, job_id: str, reason: str) -> None:
        """Free a board whose current job ended in a way that says nothing about the board: the lab's own failure."""
        board = self.board(fpga_id)
        nobody = {"owner": None, "current_job_id": None}
        if board["state"] == "queued":
            self.move_board(fpga_id, "cancelled", job_id=job_id, take=True, **nobody)
        elif board["state"] == "building":
            self.move_board(fpga_id, "build_failed", job_id=job_id, take=True, **nobody)
        elif board["state"] == "programming":
            self.lose_board(fpga_id, "program_failed", reason, job_id=job_id)
        elif board["state"] == "reserved" and board["session_id"] is None:
            self.lose_board(fpga_id, "lost", reason, job_id=job_id)
        else:
            row = self.change_board(fpga_id, "board_state", take=True, current_job_id=None)
            if row["state"] == "error":
                self.plan_reset(row)

    def plan_reset(self, row: RowMapping) -> None:
        """Let the lab reset a board in ``error``, later the more often that failed; not one in quarantine."""
        if row["health"] == "ok":
            waits = self.config.reset_backoff
            self.resets[row["fpga_id"]] = self.now + waits[min(row["reset_failures"], len(waits) - 1)]
        else:
            self.resets[row["fpga_id"]] = None

    def keep_build(self, result: BuildResult) -> None:
        """Note a build, or that it was used again."""
        values = {
            "target": result.manifest.target,
            "manifest": result.manifest.to_json(),
            "artifacts": {name: str(path) for name, path in result.artifacts.items()},
            "last_used": self.now,
            "stages": stage_records(result),
        }
        known = self.tx.execute(update(builds).where(builds.c.digest == result.digest).values(**values))
        if known.rowcount == 0:
            self.tx.execute(insert(builds), {"digest": result.digest, "created_at": self.now, **values})

    def queued_jobs(self, owner: str) -> int:
        """Jobs of ``owner`` that wait."""
        statement = select(jobs.c.job_id).where(jobs.c.owner == owner, jobs.c.status == "queued")
        return len(self.tx.execute(statement).all())

    def held_boards(self, owner: str) -> int:
        """Boards that ``owner`` has, or that a job of theirs is on."""
        statement = select(boards.c.fpga_id).where(boards.c.owner == owner, boards.c.health != "retired")
        return len(self.tx.execute(statement).all())

    def unfinished(self, fpga_id: int, types: Collection[str]) -> list[RowMapping]:
        """Jobs of a board that wait or run, oldest first."""
        statement = (
            select(jobs)
            .where(jobs.c.fpga_id == fpga_id, jobs.c.type.in_(types), jobs.c.status.in_(("queued", "running")))
            .order_by(jobs.c.lsn)
        )
        return list(self.tx.execute(statement).mappings())
