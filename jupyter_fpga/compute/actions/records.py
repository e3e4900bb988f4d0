"""Rows of the store as the API shows them."""

from typing import Any

from sqlalchemy import RowMapping

from jupyter_fpga.clock import iso
from jupyter_fpga.compute.actions.states import UNFINISHED

__all__ = ("action_record", "is_finished", "queue_record")


def is_finished(row: RowMapping) -> bool:
    """Whether an action will change no more by itself."""
    return row["state"] not in UNFINISHED and row["retry_at"] is None


def action_record(row: RowMapping) -> dict[str, Any]:
    """An action."""
    return {
        "lsn": row["lsn"],
        "action": row["action"],
        "function": row["function"],
        "function_version": row["function_version"],
        "worker": row["worker"],
        "queue_id": row["queue_id"],
        "owner": row["owner"],
        "state": row["state"],
        "finished": is_finished(row),
        "priority": row["priority"],
        "retry_count": row["retries"],
        "max_retries": row["max_retries"],
        "cached": row["cached"],
        "created_at": iso(row["created_at"]),
        "started_at": iso(row["started_at"]),
        "finished_at": iso(row["finished_at"]),
        "done_lsn": row["done_lsn"],
        "result": _result(row["result"]),
        "error": row["error"],
    }


def _result(result: dict[str, Any] | None) -> dict[str, Any] | None:
    if result is None:
        return None
    outputs = {name: {"hash": blob["hash"], "size": blob["size"]} for name, blob in result["outputs"].items()}
    return {"bound": None, "error": None, "cpu_seconds": None, "peak_bytes": None, **result, "outputs": outputs}


def queue_record(row: RowMapping, counts: dict[str, int]) -> dict[str, Any]:
    """A queue, with the number of its actions by state."""
    return {
        "queue_id": row["queue_id"],
        "owner": row["owner"],
        "state": row["state"],
        "remote": row["remote"],
        "config": row["config"],
        "created_at": iso(row["created_at"]),
        "active": sum(counts.get(state, 0) for state in UNFINISHED),
        "completed": counts.get("completed", 0),
        "failed": counts.get("failed", 0) + counts.get("abandoned", 0),
        "cancelled": counts.get("cancelled", 0),
        "is_complete": row["state"] == "complete",
    }
