"""Edges: what one transaction may do to single boards and jobs, each change with its event.

:class:`Edges` wraps the store's transaction, takes its edges from :mod:`~jupyter_fpga.fpga.states` and remembers what
it changed, so that the lab's memory can follow once the transaction is committed.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, insert, select, update

from jupyter_fpga.compute.builds.design import BuildResult
from jupyter_fpga.fpga import refusals, states
from jupyter_fpga.fpga.config import FpgaConfig
from jupyter_fpga.fpga.records import stage_records
from jupyter_fpga.store.tables import board_health, board_sessions, boards, builds, jobs
from jupyter_fpga.store.transaction import Transaction

__all__ = ("Edges", "Lease")


@dataclass(frozen=True)
class Lease:
    """What a worker holds: a job, and the board it works on when there is one, each with its fence token."""

    job_id: str
    job_fence: int
    fpga_id: int | None = None
    board_fence: int = 0


class Edges:
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
        self.boards: list[tuple[int | None, RowMapping]] = []
        """Boards as they are after each change, with the LSN of the change if it has one."""
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
        row = self.tx.execute(select(boards).where(boards.c.fpga_id == fpga_id)).mappings().one_or_none()
        if row is None or row["health"] == "retired":
            raise refusals.fpga_not_found(fpga_id, (board.fpga_id for board in self.config.boards))
        return row

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
        else:
            self.boards.append((None, row))
        return row

    def note_health(
        self,
        fpga_id: int,
        kind: states.HealthEvent,
        reason: str | None,
        *,
        job_id: str | None = None,
        person: str | None = None,
    ) -> None:
        """Add to what the board has gone through.

        Parameters
        ----------
        person
            Who did it, if it was an operator.
        """
        lsn = self.tx.event("board_health", fpga_id=fpga_id, job_id=job_id, public=True, what=kind, reason=reason)
        row = {"lsn": lsn, "fpga_id": fpga_id, "time": self.now, "kind": kind, "reason": reason, "job_id": job_id}
        self.tx.execute(insert(board_health), {**row, "person": person})

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

    # Builds, and what an owner has

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
