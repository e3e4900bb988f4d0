"""From rows to entries: what a lab finds unfinished in its store when it starts."""

from typing import Any

from sqlalchemy import RowMapping

from jupyter_fpga.compute.actions import moves
from jupyter_fpga.compute.actions.descriptors import Action, Content
from jupyter_fpga.compute.actions.ready import Entry
from jupyter_fpga.compute.actions.states import UNFINISHED
from jupyter_fpga.store import Transaction
from jupyter_fpga.store.action_tables import actions

__all__ = ("entry_of", "recover")


def entry_of(row: RowMapping) -> Entry:
    """A row's entry in memory."""
    request = row["request"]
    inputs = {name: Content(**content) for name, content in request["inputs"].items()}
    action = Action(row["function"], row["function_version"], inputs, request["constants"], key=row["action"])
    return Entry(
        lsn=row["lsn"],
        action=action,
        owner=row["owner"],
        worker=row["worker"],
        queue_id=row["queue_id"],
        priority=row["priority"],
        retries=row["retries"],
        max_retries=row["max_retries"],
        rank=request.get("rank", 0),
        is_labs_own=_is_labs_own(row),
        fence=row["fence"],
    )


def recover(tx: Transaction) -> list[RowMapping]:
    """Put back what a lab had at work that died, and its runners with it; returns everything that is unfinished."""
    table = actions.c
    unfinished = table.state.in_(UNFINISHED) | table.retry_at.is_not(None)
    # Whoever waited for those of the lab's own died with it; what is still wanted of them is asked for anew.
    nobodys = [row["lsn"] for row in moves.rows_of(tx, unfinished) if _is_labs_own(row)]
    moves.move(tx, "cancelled", dict.fromkeys(nobodys), common={"retry_at": None})
    moves.retire(tx, nobodys)
    at_work = moves.rows_of(tx, table.state.in_(("submitting", "running")))
    moves.move(tx, "recovered", {row["lsn"]: row["fence"] for row in at_work}, common={"started_at": None})
    return moves.rows_of(tx, unfinished)


def _is_labs_own(row: Any) -> bool:
    return "rank" in row["request"]
