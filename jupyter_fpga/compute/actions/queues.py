"""Queues: a client's group of actions, with a life of its own."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, func, insert, select, update

from jupyter_fpga.clock import Clock
from jupyter_fpga.compute.actions import moves, refusals
from jupyter_fpga.compute.actions.config import ComputeConfig
from jupyter_fpga.compute.actions.descriptors import read_queue
from jupyter_fpga.compute.actions.dispatch import Dispatcher
from jupyter_fpga.compute.actions.records import queue_record
from jupyter_fpga.compute.actions.states import UNFINISHED
from jupyter_fpga.people import Person
from jupyter_fpga.store import Store, Transaction
from jupyter_fpga.store.action_tables import actions, queues
from jupyter_fpga.store.tables import counters

__all__ = ("Queues", "queue_of")


def queue_of(row: RowMapping | None, queue_id: int, person: Person) -> RowMapping:
    """A queue's row, if the person may use it; ``queue_not_found`` if not."""
    if row is None or (row["owner"] != person.name and not person.is_operator):
        raise refusals.queue_not_found(queue_id)
    return row


class Queues:
    """The queues of the lab.

    Parameters
    ----------
    store, dispatcher, clock, config
        The floor's parts.
    """

    def __init__(self, store: Store, dispatcher: Dispatcher, clock: Clock, config: ComputeConfig) -> None:
        self._store = store
        self._dispatcher = dispatcher
        self._clock = clock
        self._config = config

    async def start(self) -> None:
        """Know the limits of the queues that are open."""
        open_ones = queues.c.state.in_(("active", "draining"))
        for row in await self._store.read(
            lambda connection: list(connection.execute(select(queues).where(open_ones)).mappings())
        ):
            self._dispatcher.book.cap(row["queue_id"], row["config"]["max_active"])

    async def create(self, person: Person, told: Mapping[str, Any], remote: bool) -> int:
        """Make a queue; ``queue_rejected``, ``quota_exceeded``."""
        config = read_queue(told)

        def work(tx: Transaction) -> int:
            mine = (queues.c.owner == person.name) & queues.c.state.in_(("active", "draining"))
            count = tx.execute(select(func.count()).select_from(queues).where(mine)).scalar_one()
            if count >= self._config.max_queues:
                raise refusals.too_many_queues(count, self._config.max_queues)
            counter = update(counters).where(counters.c.name == "queue").values(value=counters.c.value + 1)
            queue_id: int = tx.execute(counter.returning(counters.c.value)).scalar_one()
            times = {"created_at": tx.now, "used_at": tx.now, "updated_at": tx.now}
            facts = {"owner": person.name, "remote": remote, "state": "active", "config": asdict(config)}
            tx.execute(insert(queues), {"queue_id": queue_id, **facts, **times})
            tx.event("queue_created", owner=person.name, queue_id=queue_id)
            return queue_id

        queue_id: int = await self._store.write(work)
        self._dispatcher.book.cap(queue_id, config.max_active)
        return queue_id

    async def list(self, person: Person) -> list[dict[str, Any]]:
        """The person's queues; an operator sees all. The newest first."""

        def query(connection: Connection) -> list[dict[str, Any]]:
            statement = select(queues).order_by(queues.c.queue_id.desc()).limit(1000)
            if not person.is_operator:
                statement = statement.where(queues.c.owner == person.name)
            rows = list(connection.execute(statement).mappings())
            counts = _counts(connection, [row["queue_id"] for row in rows])
            return [queue_record(row, counts[row["queue_id"]]) for row in rows]

        return await self._store.read(query)

    async def show(self, person: Person, queue_id: int) -> dict[str, Any]:
        """One queue; ``queue_not_found``."""

        def query(connection: Connection) -> dict[str, Any]:
            found = connection.execute(select(queues).where(queues.c.queue_id == queue_id)).mappings().one_or_none()
            row = queue_of(found, queue_id, person)
            return queue_record(row, _counts(connection, [queue_id])[queue_id])

        return await self._store.read(query)

    async def drain(self, person: Person, queue_id: int) -> dict[str, Any]:
        """Take no new work, and end when what is there is done; ``queue_not_active``."""

        def work(tx: Transaction) -> None:
            row = self._mine(tx, person, queue_id)
            if row["state"] == "draining":
                return
            if moves.move_queue(tx, queue_id, "drained") is None:
                raise refusals.queue_not_active(queue_id, row["state"])
            moves.end_queue_if_empty(tx, [queue_id])

        await self._store.write(work)
        return await self.show(person, queue_id)

    async def cancel(
        self, person: Person, queue_id: int, cancel: Callable[[Collection[int]], Awaitable[None]]
    ) -> dict[str, Any]:
        """End a queue, and everything that it has not done yet; one that has ended stays as it is.

        Parameters
        ----------
        cancel
            Ends the runs of actions whose rows are cancelled already.
        """

        def work(tx: Transaction) -> list[int]:
            self._mine(tx, person, queue_id)
            if moves.move_queue(tx, queue_id, "cancelled") is None:
                return []
            table = actions.c
            unfinished = table.state.in_(UNFINISHED) | table.retry_at.is_not(None)
            rows = moves.rows_of(tx, and_(table.queue_id == queue_id, unfinished))
            moved = moves.move(tx, "cancelled", {row["lsn"]: None for row in rows}, common={"retry_at": None})
            return sorted(moved)

        await cancel(await self._store.write(work))
        return await self.show(person, queue_id)

    async def expire(self) -> None:
        """End those that nobody has used for their time, and in which nothing is left to do."""

        def work(tx: Transaction) -> None:
            for row in tx.execute(select(queues).where(queues.c.state == "active")).mappings().all():
                if row["used_at"] + row["config"]["ttl_seconds"] <= tx.now and not moves.has_work(tx, row["queue_id"]):
                    moves.move_queue(tx, row["queue_id"], "expired")

        await self._store.write(work)

    def _mine(self, tx: Transaction, person: Person, queue_id: int) -> RowMapping:
        found = tx.execute(select(queues).where(queues.c.queue_id == queue_id)).mappings().one_or_none()
        return queue_of(found, queue_id, person)


def _counts(connection: Connection, queue_ids: Collection[int]) -> "defaultdict[int, dict[str, int]]":
    table = actions.c
    statement = select(table.queue_id, table.state, func.count()).where(table.queue_id.in_(queue_ids))
    counts: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for queue_id, state, count in connection.execute(statement.group_by(table.queue_id, table.state)):
        counts[queue_id][state] = count
    return counts
