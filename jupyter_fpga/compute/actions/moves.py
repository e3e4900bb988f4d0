"""Edges of actions in the store, many at a time: conditional changes, and one event per edge."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import RowMapping, Update, bindparam, delete, insert, select, update

from jupyter_fpga.compute.actions.portions import portions
from jupyter_fpga.compute.actions.states import ACTION_EDGES, QUEUE_EDGES, UNFINISHED, Cause, QueueCause
from jupyter_fpga.store import Transaction
from jupyter_fpga.store.action_tables import actions, queues

__all__ = (
    "accept",
    "end_queue_if_empty",
    "has_work",
    "move",
    "move_queue",
    "retire",
    "rows_of",
    "set_priority",
    "stale_result",
    "touch_queues",
)

_ACCEPT = insert(actions)
_ENDS = ("completed", "failed", "abandoned", "cancelled")


def accept(tx: Transaction, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert actions as ``pending``, with an event each; returns their LSNs, which are those of the events."""
    if not rows:
        return []
    facts = [
        (row["owner"], {"function": row["function"], "worker": row["worker"], "queue_id": row["queue_id"]})
        for row in rows
    ]
    first = tx.events_of("action_accepted", facts)
    common = {"state": "pending", "created_at": tx.now, "updated_at": tx.now, "cached": False}
    tx.execute(_ACCEPT, [{**common, **row, "lsn": first + number} for number, row in enumerate(rows)])
    return list(range(first, first + len(rows)))


def move(
    tx: Transaction,
    cause: Cause | tuple[Cause, ...],
    fences: Mapping[int, int | None],
    *,
    common: Mapping[str, Any] | None = None,
    each: Mapping[int, Mapping[str, Any]] | None = None,
    facts: Mapping[str, Any] | None = None,
    claim: bool = False,
) -> dict[int, int]:
    """Move actions along an edge, those that are where the edge begins and whose fence token is the caller's.

    Parameters
    ----------
    cause
        The edge; several that follow on one another are taken at once, with an event for each.
    fences
        By LSN, the token of the caller's claim; ``None``: any.
    common, each
        Columns to set in all rows, and by LSN. Each row of ``each`` must set the same columns.
    facts
        What the events say besides.
    claim
        Raise the fence tokens, which shuts out every earlier claim.

    Returns
    -------
    dict
        The fence tokens of those that were moved, by LSN. The others are somebody else's by now, or have ended.
    """
    causes = (cause,) if isinstance(cause, str) else cause
    from_, to = ACTION_EDGES[causes[0]][0], ACTION_EDGES[causes[-1]][1]
    found = [row for row in _rows(tx, fences) if row["state"] in from_ and fences[row["lsn"]] in (None, row["fence"])]
    if not found:
        return {}
    told = [(row["owner"], {**_about(row), **(facts or {})}) for row in found]
    first = [tx.events_of(f"action_{each_cause}", told) for each_cause in causes][-1]
    same = {"state": to, "updated_at": tx.now, **(common or {})}
    if to in _ENDS:
        same["finished_at"] = tx.now
    changes: list[dict[str, Any]] = []
    for number, row in enumerate(found):
        change = {**same, "fence": row["fence"] + claim, **(each[row["lsn"]] if each else {})}
        if to in _ENDS:
            change["done_lsn"] = first + number
        changes.append({f"new_{name}": value for name, value in change.items()} | {"at": row["lsn"]})
    # The rows were read in this transaction, and nobody else writes: the conditions that were checked still hold.
    tx.execute(_change(tuple(change)), changes)
    return {change["at"]: change["new_fence"] for change in changes}


@cache
def _change(names: tuple[str, ...]) -> Update:
    """The statement that sets columns of one row; made once, which takes longer than to execute it."""
    values = {name: bindparam(f"new_{name}", type_=actions.c[name].type) for name in names}
    return update(actions).where(actions.c.lsn == bindparam("at")).values(values)


def _about(row: RowMapping) -> dict[str, Any]:
    return {"action_lsn": row["lsn"], "worker": row["worker"], "queue_id": row["queue_id"]}


_LOOK = (
    select(*(actions.c[name] for name in ("lsn", "state", "fence", "owner", "worker", "queue_id")))
    .where(actions.c.lsn.in_(bindparam("lsns", expanding=True)))
    .order_by(actions.c.lsn)
)


def _rows(tx: Transaction, lsns: Collection[int]) -> list[RowMapping]:
    found: list[RowMapping] = []
    for some in portions(sorted(lsns)):
        found += tx.execute(_LOOK, {"lsns": some}).mappings()
    return found


def rows_of(tx: Transaction, *conditions: Any) -> list[RowMapping]:
    """Whole rows of actions, oldest first."""
    return list(tx.execute(select(actions).where(*conditions).order_by(actions.c.lsn)).mappings())


def stale_result(tx: Transaction, lsn: int, fence: int, runner: str) -> None:
    """Note that a result came with an old token, and was refused."""
    row = tx.execute(select(actions.c.owner, actions.c.fence).where(actions.c.lsn == lsn)).mappings().one_or_none()
    tx.event(
        "action_result_refused",
        owner=row["owner"] if row else None,
        action_lsn=lsn,
        fence=fence,
        found=row["fence"] if row else None,
        runner=runner,
    )


def retire(tx: Transaction, lsns: Collection[int]) -> None:
    """Forget finished actions."""
    for some in portions(sorted(lsns)):
        tx.execute(delete(actions).where(actions.c.lsn.in_(some)))


def move_queue(tx: Transaction, queue_id: int, cause: QueueCause) -> RowMapping | None:
    """Move a queue along an edge, with an event; returns its row, or ``None`` when it isn't where the edge begins."""
    from_, to = QUEUE_EDGES[cause]
    row = (
        tx.execute(
            update(queues)
            .where(queues.c.queue_id == queue_id, queues.c.state.in_(from_))
            .values(state=to, updated_at=tx.now, used_at=tx.now)
            .returning(*queues.c)
        )
        .mappings()
        .one_or_none()
    )
    if row is not None:
        tx.event(f"queue_{cause}", owner=row["owner"], queue_id=queue_id)
    return row


def end_queue_if_empty(tx: Transaction, queue_ids: Collection[int]) -> list[int]:
    """End those draining queues in which nothing is left to do; returns them."""
    ended = []
    for queue_id in sorted(queue_ids):
        draining = tx.execute(
            select(queues.c.queue_id).where(queues.c.queue_id == queue_id, queues.c.state == "draining")
        ).first()
        if draining and not has_work(tx, queue_id):
            move_queue(tx, queue_id, "emptied")
            ended.append(queue_id)
    return ended


def has_work(tx: Transaction, queue_id: int) -> bool:
    """Whether something is left to do in a queue."""
    table = actions.c
    waits = table.state.in_(UNFINISHED) | table.retry_at.is_not(None)
    return tx.execute(select(table.lsn).where(table.queue_id == queue_id, waits).limit(1)).first() is not None


def touch_queues(tx: Transaction, queue_ids: Collection[int]) -> dict[int, RowMapping]:
    """Note that queues are in use; returns their rows by number."""
    if not queue_ids:
        return {}
    rows = tx.execute(
        update(queues).where(queues.c.queue_id.in_(queue_ids)).values(used_at=tx.now).returning(*queues.c)
    ).mappings()
    return {row["queue_id"]: row for row in rows}


def set_priority(tx: Transaction, lsn: int, priority: int) -> bool:
    """Give a waiting action another priority; whether it still waits."""
    table = actions.c
    statement = update(actions).where(table.lsn == lsn, table.state == "pending")
    return tx.execute(statement.values(priority=priority, updated_at=tx.now)).rowcount == 1
