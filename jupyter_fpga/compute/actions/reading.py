"""Looking at actions: lists, single ones, those that are done, and waiting for one."""

import asyncio
from collections.abc import Sequence
from typing import TypedDict, Unpack

from sqlalchemy import Connection, RowMapping, select

from jupyter_fpga.compute.actions import refusals
from jupyter_fpga.compute.actions.book import Book
from jupyter_fpga.compute.actions.descriptors import check_hash
from jupyter_fpga.compute.actions.queues import Queues
from jupyter_fpga.compute.actions.records import is_finished
from jupyter_fpga.compute.actions.states import ACTION_STATES, UNFINISHED
from jupyter_fpga.people import Person
from jupyter_fpga.store import Store
from jupyter_fpga.store.action_tables import actions

__all__ = ("LONGEST_WAIT", "JobFilter", "Reading")

LONGEST_WAIT = 60.0
"""Seconds that one question may wait for an action's end."""


class JobFilter(TypedDict, total=False):
    """Which actions to list.

    ``state`` is one of :data:`~jupyter_fpga.compute.actions.states.ACTION_STATES`, or ``unfinished``; ``after`` and
    ``before`` are LSNs, and those between them are listed.
    """

    queue: int | None
    worker: str | None
    state: str | None
    owner: str | None
    priority: int | None
    after: int | None
    before: int | None
    limit: int


class Reading:
    """Rows of actions, each person seeing their own; an operator sees all.

    Parameters
    ----------
    store, book, queues
        The floor's parts.
    """

    def __init__(self, store: Store, book: Book, queues: Queues) -> None:
        self._store = store
        self._book = book
        self._queues = queues

    async def jobs(self, person: Person, **wanted: Unpack[JobFilter]) -> Sequence[RowMapping]:
        """Actions, newest first. ``filter_rejected``, ``queue_not_found``."""
        state, queue = wanted.get("state"), wanted.get("queue")
        if state is not None and state not in (*ACTION_STATES, "unfinished"):
            raise refusals.filter_rejected("state", state, (*ACTION_STATES, "unfinished"))
        if queue is not None:
            await self._queues.show(person, queue)
        table = actions.c
        exact = {"owner": table.owner, "queue": table.queue_id, "worker": table.worker, "priority": table.priority}
        conditions = [column == wanted.get(name) for name, column in exact.items() if wanted.get(name) is not None]
        conditions += [] if person.is_operator else [table.owner == person.name]
        if (after := wanted.get("after")) is not None:
            conditions.append(table.lsn > after)
        if (before := wanted.get("before")) is not None:
            conditions.append(table.lsn < before)
        if state is not None:
            conditions.append(table.state.in_(UNFINISHED if state == "unfinished" else (state,)))
        statement = select(actions).where(*conditions).order_by(table.lsn.desc()).limit(wanted.get("limit", 100))
        return await self._store.read(lambda connection: list(connection.execute(statement).mappings()))

    async def completed(
        self,
        person: Person,
        *,
        after: int = 0,
        queue: int | None = None,
        priority: int | None = None,
        limit: int = 1000,
    ) -> Sequence[RowMapping]:
        """The person's finished actions that nobody has retired, in the order in which they ended, after an LSN."""
        if queue is not None:
            await self._queues.show(person, queue)
        table = actions.c
        conditions = [table.done_lsn > after, table.state.not_in(UNFINISHED), table.retry_at.is_(None)]
        conditions.append(table.owner == person.name if queue is None else table.queue_id == queue)
        conditions += [table.priority == priority] if priority is not None else []
        statement = select(actions).where(*conditions).order_by(table.done_lsn).limit(limit)
        return await self._store.read(lambda connection: list(connection.execute(statement).mappings()))

    async def job(self, person: Person, lsn: int, *, queue: int | None = None, wait: float = 0.0) -> RowMapping:
        """One action.

        Parameters
        ----------
        wait
            Seconds to wait for its end, at most a minute; then it is shown as it is.

        Raises
        ------
        NotFound
            ``job_not_found``
        """
        row = await self.row(person, lsn, queue)
        if wait > 0 and not is_finished(row):
            try:
                async with asyncio.timeout(min(wait, LONGEST_WAIT)):
                    await self._book.ended(lsn)
            except TimeoutError:
                pass
            row = await self.row(person, lsn, queue)
        return row

    async def job_of(self, person: Person, worker: str, action: str) -> RowMapping:
        """The person's newest action of that id; ``job_not_found``."""
        check_hash(action)
        table = actions.c
        conditions = [table.action == action, table.worker == worker]
        conditions += [] if person.is_operator else [table.owner == person.name]
        statement = select(actions).where(*conditions).order_by(table.lsn.desc()).limit(1)
        row = await self._store.read(lambda connection: connection.execute(statement).mappings().one_or_none())
        if row is None:
            raise refusals.action_not_found(worker, action)
        return row

    async def row(self, person: Person, lsn: int, queue: int | None) -> RowMapping:
        """One action; ``job_not_found``, also for another's and for one of another queue."""

        def query(connection: Connection) -> RowMapping | None:
            return connection.execute(select(actions).where(actions.c.lsn == lsn)).mappings().one_or_none()

        row = await self._store.read(query)
        mine = row is not None and (person.is_operator or row["owner"] == person.name)
        if row is None or not mine or (queue is not None and row["queue_id"] != queue):
            raise refusals.job_not_found(lsn, queue)
        return row

    async def end_of(self, lsn: int) -> RowMapping:
        """An action, once it has ended."""
        await self._book.ended(lsn)
        return await self._store.read(
            lambda connection: connection.execute(select(actions).where(actions.c.lsn == lsn)).mappings().one()
        )
