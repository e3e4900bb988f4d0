"""What one piece of work may do to the database: statements, events, transitions, claims."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    CursorResult,
    Executable,
    RowMapping,
    Table,
    and_,
    bindparam,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from jupyter_fpga.errors import NotFound
from jupyter_fpga.store.errors import Leased, Stale, StaleFence
from jupyter_fpga.store.events import Event, plain
from jupyter_fpga.store.tables import counters, events, row_in_words

__all__ = ("Transaction",)

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""Values for a statement: of one row, or of many."""

NEXT_LSN = (
    update(counters).where(counters.c.name == "lsn").values(value=counters.c.value + 1).returning(counters.c.value)
)
NEXT_LSNS = (
    update(counters)
    .where(counters.c.name == "lsn")
    .values(value=counters.c.value + bindparam("more", type_=counters.c.value.type))
    .returning(counters.c.value)
)
NEW_EVENTS = insert(events)


class Transaction:
    """One piece of work inside the writer's transaction, with a savepoint of its own.

    Valid only inside the function that was given to :meth:`~jupyter_fpga.store.Store.write`. On PostgreSQL a failed
    statement spoils everything up to the next savepoint: a work that means to survive one runs it in
    ``with transaction.connection.begin_nested():``.

    Parameters
    ----------
    connection
        The writer's connection.
    now
        Unix seconds; the time of everything that this work does.
    """

    def __init__(self, connection: Connection, now: float) -> None:
        self._connection: Connection | None = connection
        self.now = now
        self.events: list[Event] = []
        """Events of this work, in order."""

    @property
    def connection(self) -> Connection:
        """The writer's connection, inside this work's savepoint."""
        if self._connection is None:
            raise RuntimeError("A transaction ends with the function that it was given to.")
        return self._connection

    def end(self) -> None:
        """Make this object useless; called when the work has returned or raised."""
        self._connection = None

    def execute(self, statement: Executable, parameters: Parameters | None = None) -> CursorResult[Any]:
        """Run a SQLAlchemy Core statement; ``parameters`` as in :meth:`sqlalchemy.Connection.execute`."""
        return self.connection.execute(statement, parameters)

    def event(
        self,
        kind: str,
        *,
        fpga_id: int | None = None,
        job_id: str | None = None,
        owner: str | None = None,
        public: bool = False,
        **data: Any,
    ) -> int:
        """Append an event to the log and return its LSN. Followers see it after the commit, and only then.

        Parameters
        ----------
        kind
            What happened.
        fpga_id, job_id, owner
            What and whom it is about.
        public
            Whether everybody may see it.
        data
            JSON-able facts; ``TypeError`` or ``ValueError`` if they aren't.
        """
        facts = plain(data)
        lsn: int = self.connection.execute(NEXT_LSN).scalar_one()
        event = Event(lsn, self.now, kind, fpga_id, job_id, owner, public, facts)
        self.connection.execute(NEW_EVENTS, vars(event))
        self.events.append(event)
        return lsn

    def events_of(self, kind: str, about: Sequence[tuple[str | None, dict[str, Any]]], *, public: bool = False) -> int:
        """Append one event of a kind for each owner and facts in ``about``; returns the LSN of the first.

        The same as as many calls of :meth:`event`, in two statements: for thousands of actions at a time.

        Parameters
        ----------
        kind, public
            As for :meth:`event`.
        about
            At least one pair of owner and JSON-able facts.
        """
        last: int = self.connection.execute(NEXT_LSNS, {"more": len(about)}).scalar_one()
        first = last - len(about) + 1
        news = [
            Event(first + number, self.now, kind, owner=owner, public=public, data=plain(facts))
            for number, (owner, facts) in enumerate(about)
        ]
        self.connection.execute(NEW_EVENTS, [vars(event) for event in news])
        self.events += news
        return first

    def transition(
        self,
        table: Table,
        key: Mapping[str, Any],
        *,
        from_: Collection[str],
        to: str,
        column: str | None = None,
        values: Mapping[str, Any] | None = None,
        fence: int | None = None,
    ) -> RowMapping:
        """Move a row from one state to another, if it is still in a state that allows it.

        One conditional UPDATE; ``updated_at`` is set to now where the table has it and ``values`` doesn't.

        Parameters
        ----------
        table
            One of :mod:`jupyter_fpga.store.tables`.
        key
            Columns and values that name the row.
        from_
            States from which the move is allowed.
        to
            The new state.
        column
            The column that holds the state: ``state`` or ``status``, whichever the table has, when not given.
        values
            Further columns to set.
        fence
            The fence token of the caller's claim.

        Returns
        -------
        RowMapping
            The row after the move.

        Raises
        ------
        NotFound
            If there is no such row.
        StaleFence
            If the row was claimed since with a newer token.
        Stale
            If the row is in none of ``from_``; the message and ``found`` name what it is.
        """
        state = table.c[column] if column else _state_column(table)
        conditions = [state.in_(from_)]
        if fence is not None:
            conditions.append(table.c.fence == fence)
        row = self._update(table, key, conditions, {**(values or {}), state.name: to})
        if row is None:
            found = self._found(table, key)
            if fence is not None and found["fence"] != fence:
                raise StaleFence(row_in_words(table, key), found["fence"], fence)
            raise Stale(row_in_words(table, key), state.name, found[state.name], from_)
        return row

    def claim(
        self,
        table: Table,
        key: Mapping[str, Any],
        *,
        from_: Collection[str],
        to: str,
        lease_seconds: float | None = None,
        column: str | None = None,
        values: Mapping[str, Any] | None = None,
        take_over: bool = False,
    ) -> RowMapping:
        """Take a row to work on it: a transition that also raises its fence token, and so shuts out older claims.

        Parameters
        ----------
        lease_seconds
            How long the claim is good without :meth:`renew`; for tables with ``lease_until``. ``None``: for ever.
        take_over
            Claim a row that is ``to`` already though its lease still runs: for a restarted lab, whose lock on the
            database proves that the holder is dead.

        The other parameters are those of :meth:`transition`. ``from_`` may hold ``to`` itself: a row whose lease has
        run out can then be claimed again.

        Returns
        -------
        RowMapping
            The row; its ``fence`` is the token that later writes name.

        Raises
        ------
        NotFound, Stale
            As in :meth:`transition`.
        Leased
            If the row is ``to`` already and its lease still runs.
        """
        state = table.c[column] if column else _state_column(table)
        conditions: list[ColumnElement[bool]] = [state.in_(from_)]
        changes = {**(values or {}), state.name: to, "fence": table.c.fence + 1}
        if "lease_until" in table.c:
            lease = table.c.lease_until
            changes["lease_until"] = None if lease_seconds is None else self.now + lease_seconds
            if not take_over:
                conditions.append(or_(state != to, lease <= self.now))
        row = self._update(table, key, conditions, changes)
        if row is None:
            found = self._found(table, key)
            if found[state.name] not in from_:
                raise Stale(row_in_words(table, key), state.name, found[state.name], from_)
            raise Leased(row_in_words(table, key), found["lease_until"] and found["lease_until"] - self.now)
        return row

    def renew(self, table: Table, key: Mapping[str, Any], *, fence: int, lease_seconds: float) -> RowMapping:
        """Let the lease of a claim run until ``lease_seconds`` from now; returns the row.

        Raises
        ------
        NotFound
            If there is no such row.
        StaleFence
            If somebody has claimed it since.
        """
        changes = {"lease_until": self.now + lease_seconds}
        row = self._update(table, key, [table.c.fence == fence], changes, touch=False)
        if row is None:
            raise StaleFence(row_in_words(table, key), self._found(table, key)["fence"], fence)
        return row

    def fenced(self, table: Table, key: Mapping[str, Any], fence: int) -> RowMapping:
        """Check that ``fence`` is still the row's token, before other writes about it; returns the row.

        Raises
        ------
        NotFound
            If there is no such row.
        StaleFence
            If somebody has claimed it since.
        """
        row = self._found(table, key)
        if row["fence"] != fence:
            raise StaleFence(row_in_words(table, key), row["fence"], fence)
        return row

    def _update(
        self,
        table: Table,
        key: Mapping[str, Any],
        conditions: list[ColumnElement[bool]],
        changes: dict[str, Any],
        touch: bool = True,
    ) -> RowMapping | None:
        if touch and "updated_at" in table.c:
            changes.setdefault("updated_at", self.now)
        statement = update(table).where(_is_row(table, key), *conditions).values(changes).returning(*table.c)
        return self.connection.execute(statement).mappings().one_or_none()

    def _found(self, table: Table, key: Mapping[str, Any]) -> RowMapping:
        row = self.connection.execute(select(table).where(_is_row(table, key))).mappings().one_or_none()
        if row is None:
            raise NotFound(f"There is no {row_in_words(table, key)}. Ask for the list and take one that is there.")
        return row


def _is_row(table: Table, key: Mapping[str, Any]) -> ColumnElement[bool]:
    return and_(*(table.c[name] == value for name, value in key.items()))


def _state_column(table: Table) -> Any:
    return table.c.state if "state" in table.c else table.c.status
