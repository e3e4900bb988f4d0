"""Board sessions: who holds which board, and how that ends. Also resets and quarantine, which end a hold as well."""

from typing import Any

from sqlalchemy import RowMapping, select, update

from jupyter_fpga.clock import iso
from jupyter_fpga.fpga import refusals
from jupyter_fpga.fpga.floor import Floor
from jupyter_fpga.fpga.moves import Move
from jupyter_fpga.fpga.pool import Unit
from jupyter_fpga.fpga.records import session_record
from jupyter_fpga.people import Person
from jupyter_fpga.store.tables import board_sessions

__all__ = (
    "allow_observers",
    "clear",
    "expire",
    "hold_of",
    "kick",
    "may_use",
    "may_watch",
    "quarantine",
    "release",
    "renew",
    "reset",
    "reset_error",
    "session",
)


def hold_of(move: Move, fpga_id: int, person: Person) -> tuple[RowMapping, RowMapping]:
    """The board and the session of a person who may use its registers now.

    Raises
    ------
    Conflict
        ``fpga_not_reserved``, or ``session_ended`` when the time ran out a moment ago.
    Forbidden
        ``not_session_holder``.
    """
    board = move.board(fpga_id)
    live = move.session(board["session_id"])
    if board["state"] != "reserved" or live is None:
        raise refusals.fpga_not_reserved(board)
    if live["owner"] != person.name:
        raise refusals.not_session_holder(fpga_id)
    if live["expires_at"] <= move.now:
        raise refusals.session_ended(fpga_id)
    return board, live


def may_use(floor: Floor, unit: Unit, person: Person) -> None:
    """Refuse, as far as the lab's memory knows, what :func:`hold_of` refuses; costs no transaction."""
    row = unit.row
    if row is None or row["state"] != "reserved" or row["session_id"] is None:
        raise refusals.fpga_not_reserved(row)
    if row["owner"] != person.name:
        raise refusals.not_session_holder(unit.fpga_id)
    end = floor.alarms.due(("session", unit.fpga_id))
    if end is not None and end <= floor.clock.time():
        raise refusals.session_ended(unit.fpga_id)


def may_watch(floor: Floor, unit: Unit, person: Person) -> None:
    """Refuse who is neither the holder of a board nor somebody whom the holder lets watch."""
    row = unit.row
    if row is None or row["state"] != "reserved" or row["session_id"] is None:
        raise refusals.fpga_not_reserved(row)
    if row["owner"] != person.name and not unit.observers_allowed and not person.is_operator:
        raise refusals.observers_not_allowed(unit.fpga_id)


def check_design(unit: Unit, design: str | None) -> None:
    """Refuse whoever knows the board by the manifest of ``design`` when it runs another; ``None`` asks for any."""
    if design is not None and unit.manifest is not None and unit.manifest.digest != design:
        raise refusals.design_replaced(unit.fpga_id, design)


async def allow_observers(floor: Floor, person: Person, fpga_id: int, allowed: bool) -> dict[str, Any]:
    """The holder lets others watch the board, or no longer; it ends with the session, and with the lab."""
    unit = floor.pool[fpga_id]
    may_use(floor, unit, person)
    unit.observers_allowed = allowed
    if not allowed:
        unit.end_streams("observers_shut_out", observers=True)
    return {"fpga_id": fpga_id, "observers_allowed": allowed}


async def session(floor: Floor, person: Person, fpga_id: int) -> dict[str, Any]:
    """The board's session; only its owner sees its id, and the digest of the design."""
    unit = floor.pool[fpga_id]
    session_id = unit.row["session_id"] if unit.row is not None else None
    row = await floor.read(
        lambda connection: (
            connection.execute(
                select(board_sessions).where(
                    board_sessions.c.session_id == session_id, board_sessions.c.ended_at.is_(None)
                )
            )
            .mappings()
            .one_or_none()
        )
    )
    now = floor.clock.time()
    if row is None or row["expires_at"] <= now:
        raise refusals.no_active_session(fpga_id)
    design = unit.manifest.digest if unit.manifest is not None and row["owner"] == person.name else None
    return {**session_record(row, person, now), "design": design}


async def renew(floor: Floor, person: Person, fpga_id: int) -> dict[str, Any]:
    """Give the holder more time: up to ``max_renew`` from now, and ``max_session`` in all."""

    def work(move: Move) -> dict[str, Any]:
        live = _live(move, fpga_id)
        if live["owner"] != person.name:
            raise refusals.not_session_holder(fpga_id)
        end = min(move.now + move.config.max_renew, live["created_at"] + move.config.max_session)
        end = max(end, live["expires_at"])
        row = (
            move.tx.execute(
                update(board_sessions)
                .where(board_sessions.c.session_id == live["session_id"])
                .values(expires_at=end)
                .returning(*board_sessions.c)
            )
            .mappings()
            .one()
        )
        move.expiries[fpga_id] = end
        move.tx.event("session_renewed", fpga_id=fpga_id, owner=person.name, expires_at=iso(end))
        return session_record(row, person, move.now)

    return await floor.write("renew", work)


async def release(floor: Floor, person: Person, fpga_id: int) -> dict[str, Any]:
    """The holder gives the board back; answers with the reset job."""

    def work(move: Move) -> dict[str, Any]:
        live = _live(move, fpga_id)
        if live["owner"] != person.name:
            raise refusals.not_session_holder(fpga_id)
        _must_be_reserved(move, fpga_id)
        return _accepted(move.release(fpga_id, "released", person.name))

    return await floor.write("release", work)


async def kick(floor: Floor, person: Person, fpga_id: int) -> dict[str, Any]:
    """An operator takes the board from its holder; answers with the reset job."""
    if not person.is_operator:
        raise refusals.operator_only("take a board from its holder")

    def work(move: Move) -> dict[str, Any]:
        live = _live(move, fpga_id)
        _must_be_reserved(move, fpga_id)
        move.tx.event("session_kicked", fpga_id=fpga_id, owner=live["owner"], by=person.name)
        return _accepted(move.release(fpga_id, "kicked", person.name, by=person.name))

    return await floor.write("kick", work)


async def reset(floor: Floor, person: Person, fpga_id: int) -> dict[str, Any]:
    """Reset a board that is held by the person (or any, for operators), or one in ``error``."""

    def work(move: Move) -> dict[str, Any]:
        board = move.board(fpga_id)
        if board["state"] not in ("reserved", "error") or board["health"] == "quarantined":
            raise refusals.fpga_not_resettable(board)
        live = move.session(board["session_id"])
        current = move.job(board["current_job_id"]) if board["current_job_id"] else None
        if live is None and current is not None and current["type"] == "reset":
            if board["state"] == "reserved" and current["owner"] != person.name and not person.is_operator:
                raise refusals.not_session_holder(fpga_id)
            # It is being reset already, which is what was asked for.
            return _accepted(current)
        if live is not None and live["owner"] != person.name and not person.is_operator:
            raise refusals.not_session_holder(fpga_id)
        if live is not None:
            return _accepted(move.release(fpga_id, "reset", person.name, by=person.name))
        return _accepted(move.add_reset(fpga_id, person.name))

    return await floor.write("reset", work)


async def expire(floor: Floor, fpga_id: int) -> None:
    """The alarm of a session rang: release the board, if its time is really over."""

    def work(move: Move) -> None:
        board = move.board(fpga_id)
        live = move.session(board["session_id"])
        if live is None:
            return
        if live["expires_at"] > move.now:
            move.expiries[fpga_id] = live["expires_at"]
        elif board["state"] == "reserved":
            move.release(fpga_id, "expired", live["owner"])
        # While the holder's next design is being programmed the board can't be released; the end of that sets the
        # alarm again.

    await floor.write("expire", work)


async def reset_error(floor: Floor, fpga_id: int) -> None:
    """The alarm of a board in ``error`` rang: the lab resets it."""

    def work(move: Move) -> None:
        board = move.board(fpga_id)
        if board["state"] == "error" and board["health"] == "ok" and board["current_job_id"] is None:
            move.add_reset(fpga_id)

    await floor.write("reset error", work)


async def quarantine(floor: Floor, person: Person, fpga_id: int, reason: str) -> dict[str, Any]:
    """An operator takes a board that is idle or in error out of the pool."""
    if not person.is_operator:
        raise refusals.operator_only("put a board in quarantine")

    def work(move: Move) -> dict[str, Any]:
        board = move.board(fpga_id)
        if board["health"] == "quarantined":
            raise refusals.fpga_not_resettable(board)
        if board["state"] == "idle":
            move.move_board(fpga_id, "withdrawn", take=True)
        elif board["state"] != "error" or board["current_job_id"] is not None:
            raise refusals.fpga_not_free(board)
        row = move.change_board(fpga_id, "board_quarantined", health="quarantined", reason=reason)
        move.note_health(fpga_id, "quarantined", reason, person=person.name)
        move.plan_reset(row)
        return {"fpga_id": fpga_id, "state": row["state"], "health": row["health"], "reason": reason}

    return await floor.write("quarantine", work)


async def clear(floor: Floor, person: Person, fpga_id: int) -> dict[str, Any]:
    """An operator gives a board in quarantine back to the lab, which resets it; answers with the reset job."""
    if not person.is_operator:
        raise refusals.operator_only("clear a board in quarantine")

    def work(move: Move) -> dict[str, Any]:
        if move.board(fpga_id)["health"] != "quarantined":
            raise refusals.not_quarantined(fpga_id)
        move.change_board(fpga_id, "board_cleared", health="ok", reset_failures=0)
        move.note_health(fpga_id, "cleared", None, person=person.name)
        return _accepted(move.add_reset(fpga_id, person.name))

    return await floor.write("clear", work)


def _live(move: Move, fpga_id: int) -> RowMapping:
    live = move.session(move.board(fpga_id)["session_id"])
    if live is None or live["expires_at"] <= move.now:
        raise refusals.no_active_session(fpga_id)
    return live


def _must_be_reserved(move: Move, fpga_id: int) -> None:
    board = move.board(fpga_id)
    if board["state"] != "reserved":
        raise refusals.fpga_not_resettable(board)


def _accepted(job: RowMapping) -> dict[str, Any]:
    return {"job_id": job["job_id"], "fpga_id": job["fpga_id"], "status": job["status"]}
