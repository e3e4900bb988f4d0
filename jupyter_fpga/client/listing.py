"""Lists of boards and jobs as a person reads them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from .tables import Column, Table

__all__ = ("BOARD_COLUMNS", "HEALTH_COLUMNS", "JOB_COLUMNS", "TARGET_COLUMNS", "TOOLCHAIN_COLUMNS", "asked_for")

#: Who does what nobody has asked for: the owner that the lab writes into the resets after its start and after a crash.
_LAB = "(lab)"
#: Jobs that are asked of the lab at once: its own limit.
_PAGE = 1000


def _status(job: dict[str, Any]) -> str:
    """How far it is: of a job that goes on, also the step that it is in."""
    step = job.get("build_stage") or job.get("stage")
    if job["status"] not in ("queued", "running") or step in (None, job["status"]):
        return str(job["status"])
    return f"{job['status']}: {step.replace('_', ' ')}"


def _submitted(job: dict[str, Any]) -> str:
    """When, by this machine's clock and in its time zone."""
    return datetime.fromisoformat(job["created_at"]).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _tools(target: dict[str, Any]) -> str:
    return "here" if target["tools"]["found"] else f"missing: {target['tools']['missing']}"


TARGET_COLUMNS: Mapping[str, Column] = {
    "target": "name",
    "board": "doc",
    "clock, MHz": lambda target: f"{target['clock_hz'] / 1e6:g}",
    "in this lab": "boards",
    "tools": _tools,
}

TOOLCHAIN_COLUMNS: Mapping[str, Column] = {
    "toolchain": "title",
    "tools": lambda toolchain: _tools({"tools": toolchain}),
    "which": "version",
}

BOARD_COLUMNS: Mapping[str, Column] = {
    "board": "fpga_id",
    "target": "target",
    "state": "state",
    "held by": "owner",
    "health": "health",
    "tags": "tags",
}

JOB_COLUMNS: Mapping[str, Column] = {
    "job": "job_id",
    "what": lambda job: job["type"].replace("_", " "),
    "board": "fpga_id",
    "status": _status,
    "submitted": _submitted,
}


def _when(record: dict[str, Any]) -> str:
    return datetime.fromisoformat(record["time"]).astimezone().strftime("%Y-%m-%d %H:%M:%S")


HEALTH_COLUMNS: Mapping[str, Column] = {
    "when": _when,
    "what": lambda record: record["kind"].replace("_", " "),
    "why": lambda record: record["reason"] or "",
}


def asked_for(jobs: Callable[..., Table], *, limit: int, status: str | None = None, type: str | None = None) -> Table:
    """The newest jobs that somebody has asked for, without resets that the lab did by itself.

    Parameters
    ----------
    jobs
        Of the lab's client.
    limit
        How many at most.
    status, type
        As of ``jobs``.
    """
    found: list[dict[str, Any]] = []
    before, size = None, limit
    while True:
        page = jobs(before=before, limit=size, status=status, type=type)
        found += [job for job in page if job["type"] != "reset" or job["owner"] != _LAB]
        if len(found) >= limit or len(page) < size:
            return Table(found[:limit], JOB_COLUMNS)
        before, size = page[-1]["lsn"], _PAGE
