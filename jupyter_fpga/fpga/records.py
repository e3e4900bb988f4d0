"""Rows of the store as the API shows them: names, times and what each person may see."""

from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_fpga.clock import iso
from jupyter_fpga.compute.builds.design import BuildResult
from jupyter_fpga.people import Person

__all__ = (
    "LAB",
    "board_record",
    "error_record",
    "job_record",
    "located",
    "session_record",
    "source_records",
    "stage_records",
)

LAB = "(lab)"
"""Owner of what the lab does by itself."""

Row = Mapping[Any, Any]


def session_record(row: Row, person: Person, now: float) -> dict[str, Any]:
    """A board session. Its ``session_id``, and when the board's registers were lost, are shown to its owner only;
    everybody else sees ``None`` there."""
    own = row["owner"] == person.name
    lost_at = row["registers_lost_at"] if own else None
    return {
        "session_id": row["session_id"] if own else None,
        "fpga_id": row["fpga_id"],
        "owner": row["owner"],
        "created_at": iso(row["created_at"]),
        "expires_at": iso(row["expires_at"]),
        "remaining_seconds": max(0.0, round(row["expires_at"] - now, 3)),
        "registers_lost_at": iso(lost_at) if lost_at is not None else None,
    }


def board_record(row: Row, session: Row | None, current_job: Row | None, person: Person, now: float) -> dict[str, Any]:
    """A board as everybody may see it."""
    return {
        "fpga_id": row["fpga_id"],
        "state": row["state"],
        "target": row["target"],
        "tags": list(row["tags"]),
        "health": row["health"],
        "reason": row["reason"],
        "owner": row["owner"],
        "session": session_record(session, person, now) if session is not None else None,
        "current_job_id": row["current_job_id"],
        "current_job_created_at": iso(current_job["created_at"]) if current_job is not None else None,
    }


def job_record(row: Row, place: Mapping[str, Any]) -> dict[str, Any]:
    """A job as its owner sees it; ``place`` gives ``position``, ``eta_seconds`` and ``eta_basis`` while it waits."""
    stage, _, build_stage = (row["stage"] or "").partition(":")
    return {
        "job_id": row["job_id"],
        "fpga_id": row["fpga_id"],
        "type": row["type"],
        "status": row["status"],
        "stage": stage or None,
        "build_stage": build_stage or None,
        "owner": row["owner"],
        "priority": row["priority"],
        "created_at": iso(row["created_at"]),
        "updated_at": iso(row["updated_at"]),
        "lsn": row["lsn"],
        "position": place.get("position"),
        "eta_seconds": place.get("eta_seconds"),
        "eta_basis": place.get("eta_basis"),
        "error": row["error"],
    }


def stage_records(result: BuildResult) -> list[dict[str, Any]]:
    """What each stage of a build took, in order."""
    return [{"name": stage.name, "seconds": round(stage.seconds, 4), "cached": stage.cached} for stage in result.stages]


def source_records(result: BuildResult) -> dict[str, list[dict[str, Any] | None]]:
    """For each clock, where each step of its critical path comes from."""
    return {
        clock: [None if place is None else {"file": place.file, "line": place.line} for place in path]
        for clock, path in result.sources.items()
    }


def located(report: dict[str, Any], sources: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """A build's report with the lines of one job's own text: ``source`` in each step of a critical path.

    Parameters
    ----------
    report
        As the tools left it, the same for equal designs.
    sources
        As :func:`source_records` has them.
    """
    clocks = {}
    for name, clock in report.get("clocks", {}).items():
        path = [_plain_step(step) for step in clock["critical_path"]]
        # A job of an older lab knows no lines.
        lines = sources.get(name) or [None] * len(path)
        clocks[name] = {
            **clock,
            "critical_path": [{**step, "source": line} for step, line in zip(path, lines, strict=False)],
        }
    return {**report, "clocks": clocks} if clocks else report


def _plain_step(step: Mapping[str, Any]) -> dict[str, Any]:
    """Without the numbers of the netlist's objects, which mean nothing to people."""
    return {name: value for name, value in step.items() if name not in ("places", "leads_to")}


def error_record(code: str, stage: str, reason: str, /, **detail: Any) -> dict[str, Any]:
    """A job's ``error``: machine code, the stage that failed, one sentence, and whatever else is known.

    ``detail`` may be any error's; what it says under the names of the first three is left out.
    """
    known = {name: value for name, value in detail.items() if value is not None}
    return {**known, "code": code, "stage": stage, "reason": reason}
