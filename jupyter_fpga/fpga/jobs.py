"""Jobs as their owners see them: lists, records, logs, results, artifacts, and cancelling."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypedDict

from sqlalchemy import Connection, RowMapping, select

from jupyter_fpga.fpga import refusals, states
from jupyter_fpga.fpga.floor import Floor
from jupyter_fpga.fpga.moves import Move
from jupyter_fpga.fpga.records import error_record, job_record, located
from jupyter_fpga.people import Person
from jupyter_fpga.store.tables import builds, jobs

__all__ = ("JobFilter", "artifact", "cancel", "follow_logs", "job", "list_jobs", "logs", "manifest", "result")

LONGEST_LIST = 1000
"""Jobs in one answer."""


class JobFilter(TypedDict, total=False):
    """Which jobs somebody wants to see. What is ``None`` or isn't there leaves none out."""

    status: str | None
    type: str | None
    owner: str | None
    after: int | None
    """Only jobs whose ``lsn`` is above."""
    before: int | None
    """Only jobs whose ``lsn`` is below."""
    limit: int
    """At most so many, 1 … 1000; 100 unless told."""


async def list_jobs(floor: Floor, person: Person, wanted: JobFilter) -> list[dict[str, Any]]:
    """Jobs, newest first: the person's own, or everybody's for an operator."""
    status, type_ = wanted.get("status"), wanted.get("type")
    if status is not None and status not in states.JOB_STATUSES:
        raise refusals.filter_rejected("status", status, states.JOB_STATUSES)
    if type_ is not None and type_ not in states.JOB_TYPES:
        raise refusals.filter_rejected("type", type_, states.JOB_TYPES)
    limit = max(1, min(wanted.get("limit", 100), LONGEST_LIST))
    statement = select(jobs).order_by(jobs.c.lsn.desc()).limit(limit)
    if not person.is_operator:
        statement = statement.where(jobs.c.owner == person.name)
    for column, value in ((jobs.c.status, status), (jobs.c.type, type_), (jobs.c.owner, wanted.get("owner"))):
        if value is not None:
            statement = statement.where(column == value)
    if (after := wanted.get("after")) is not None:
        statement = statement.where(jobs.c.lsn > after)
    if (before := wanted.get("before")) is not None:
        statement = statement.where(jobs.c.lsn < before)
    rows = await floor.read(lambda connection: list(connection.execute(statement).mappings()))
    places = await floor.estimates.places(rows)
    return [job_record(row, places[row["job_id"]]) for row in rows]


async def job(floor: Floor, person: Person, job_id: str, fpga_id: int | None = None) -> dict[str, Any]:
    """One job's record."""
    row = await _visible(floor, person, job_id, fpga_id)
    places = await floor.estimates.places([row])
    return job_record(row, places[job_id])


async def logs(
    floor: Floor, person: Person, job_id: str, *, after: int = 0, fpga_id: int | None = None
) -> list[tuple[int, str]]:
    """Log lines after number ``after``, each with its number."""
    await _visible(floor, person, job_id, fpga_id)
    return await floor.logs.lines(job_id, after)


async def follow_logs(
    floor: Floor, person: Person, job_id: str, after: int = 0, fpga_id: int | None = None
) -> AsyncIterator[tuple[int, str]]:
    """Log lines after number ``after`` and those to come, until the job ends."""
    await _visible(floor, person, job_id, fpga_id)
    async for line in floor.logs.follow(job_id, after):
        yield line


async def result(floor: Floor, person: Person, job_id: str, fpga_id: int | None = None) -> dict[str, Any]:
    """The result of a complete job: ``{"ok": true, "data": [u32…], …}``."""
    row = await _visible(floor, person, job_id, fpga_id)
    if row["status"] != "complete":
        raise refusals.job_not_complete(row)
    found: dict[str, Any] = row["result"]
    return found


async def manifest(floor: Floor, person: Person, job_id: str, fpga_id: int | None = None) -> dict[str, Any]:
    """The manifest of what a job built (of a ``run``: of what it ran on)."""
    found: dict[str, Any] = (await _build(floor, person, job_id, fpga_id))["manifest"]
    return found


async def artifact(
    floor: Floor, person: Person, job_id: str, name: str, fpga_id: int | None = None
) -> Path | dict[str, Any]:
    """The file of an artifact: ``csr.json``, ``csr.csv``, ``top.v``, ``bitstream`` …; and of the ``report`` what it
    says, with the lines of the job's own text in its critical paths."""
    known = (await _build(floor, person, job_id, fpga_id))["artifacts"]
    path = Path(known[name]) if name in known else None
    if path is None or not path.is_file():
        raise refusals.artifact_not_found(name, known)
    if name != "report":
        return path
    row = await _visible(floor, person, job_id, fpga_id)
    told = json.loads(await asyncio.to_thread(path.read_bytes))
    return located(told, (row["result"] or {}).get("sources") or {})


async def cancel(floor: Floor, person: Person, job_id: str, fpga_id: int | None = None) -> None:
    """Cancel a job that waits, or a build that runs; its processes are gone when this returns."""
    await _visible(floor, person, job_id, fpga_id)
    task = floor.task(job_id)

    def work(move: Move) -> None:
        row = move.job(job_id)
        if not _cancellable(move, row):
            raise refusals.job_not_cancellable(row)
        stage = (row["stage"] or "queued").partition(":")[0]
        error = error_record("cancelled", stage, f"Cancelled by {person.name}.")
        move.move_job(job_id, "cancelled", error=error)
        move.dropped.append(job_id)
        if row["fpga_id"] is not None and move.board(row["fpga_id"])["state"] in states.board_sources("cancelled"):
            move.move_board(row["fpga_id"], "cancelled", take=True, job_id=job_id, owner=None, current_job_id=None)

    await floor.write("cancel", work)
    if task is not None:
        await asyncio.wait({task})


def _cancellable(move: Move, row: RowMapping) -> bool:
    if row["type"] == "reset":
        return False
    if row["status"] == "queued":
        return True
    if row["status"] != "running" or row["type"] == "run":
        return False
    if row["fpga_id"] is not None and move.board(row["fpga_id"])["state"] == "programming":
        return False
    return (row["stage"] or "").partition(":")[0] in ("building", "waiting_for_board")


async def _visible(floor: Floor, person: Person, job_id: str, fpga_id: int | None) -> RowMapping:
    """The row of a job that the person may see, below the board that they named."""
    if fpga_id is not None:
        floor.pool[fpga_id]

    def query(connection: Connection) -> RowMapping | None:
        return connection.execute(select(jobs).where(jobs.c.job_id == job_id)).mappings().one_or_none()

    row = await floor.read(query)
    if row is None or (row["owner"] != person.name and not person.is_operator):
        raise refusals.job_not_found(job_id, fpga_id)
    if fpga_id is not None and row["fpga_id"] != fpga_id:
        raise refusals.job_not_found(job_id, fpga_id)
    return row


async def _build(floor: Floor, person: Person, job_id: str, fpga_id: int | None) -> RowMapping:
    row = await _visible(floor, person, job_id, fpga_id)
    if row["manifest_digest"] is None:
        raise refusals.manifest_not_ready(row)

    def query(connection: Connection) -> RowMapping:
        return connection.execute(select(builds).where(builds.c.digest == row["manifest_digest"])).mappings().one()

    return await floor.read(query)
