"""Lists of actions, queues and workers as a person reads them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jupyter_fpga.client.tables import Column

__all__ = ("ACTION_COLUMNS", "QUEUE_COLUMNS", "REPLAY_COLUMNS", "WORKER_COLUMNS")

#: Digits of a worker's id that tell it from others, and that commands take in place of all 64.
_SHORT = 12


def _submitted(record: dict[str, Any]) -> str:
    """When, by this machine's clock and in its time zone."""
    return datetime.fromisoformat(record["created_at"]).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _how(action: dict[str, Any]) -> str:
    """What came of an action."""
    if not action["finished"]:
        return "–" if not action["retry_count"] else f"tried again {action['retry_count']} of {action['max_retries']}"
    result = action["result"]
    if result is None:
        return str((action["error"] or {}).get("error") or "–")
    if result["ok"]:
        return "ok, from the cache" if action["cached"] else f"ok in {result['seconds']:.2f} s"
    return str((result["error"] or {}).get("error") or f"exit code {result['exit_code']}")


ACTION_COLUMNS: Mapping[str, Column] = {
    "action": "lsn",
    "function": "function",
    "worker": lambda action: str(action["worker"])[:_SHORT],
    "queue": "queue_id",
    "state": "state",
    "result": _how,
    "submitted": _submitted,
}

QUEUE_COLUMNS: Mapping[str, Column] = {
    "queue": lambda queue: str(queue.get("queue_token") or queue["queue_id"]),
    "number": "queue_id",
    "state": "state",
    "active": "active",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
    "made": _submitted,
}

WORKER_COLUMNS: Mapping[str, Column] = {
    "worker": lambda worker: str(worker["worker"])[:_SHORT],
    "name": "name",
    "functions": lambda worker: ", ".join(sorted(function["name"] for function in worker["functions"])),
    "cores": "cores",
    "memory, MiB": "memory_mb",
    "time limit, s": lambda worker: f"{worker['timeout_seconds']:g}",
}

REPLAY_COLUMNS: Mapping[str, Column] = {
    "number": "number",
    "function": "function",
    "action": "lsn",
    "result": lambda one: "ok" if one["ok"] else "failed",
    "seconds": lambda one: "–" if one["seconds"] is None else f"{one['seconds']:.2f}",
    "why": "why",
}
