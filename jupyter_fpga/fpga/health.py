"""How a board is and was: its health history, and the doctor, who walks the chain from power to registers."""

from contextlib import AsyncExitStack
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from jupyter_fpga.clock import iso
from jupyter_fpga.errors import LabError
from jupyter_fpga.fpga import refusals
from jupyter_fpga.fpga.drivers import Check
from jupyter_fpga.fpga.floor import Floor
from jupyter_fpga.fpga.moves import Move
from jupyter_fpga.fpga.pool import Link, Unit
from jupyter_fpga.fpga.wishbone import BusError, LinkBusy, LinkError, LinkLost, Operation, ProofFailed
from jupyter_fpga.gateware.manifest import Manifest
from jupyter_fpga.people import Person
from jupyter_fpga.store.tables import board_health, builds

__all__ = ("LINKS", "examine", "history")

LINKS = {
    "power": "power",
    "programmer": "the programmer",
    "uart": "the UART",
    "identifier": "the identifier",
    "scratch": "the scratch register",
    "bus_errors": "the bus-error counter",
}
"""The chain from a board's power to a design's registers, in order, and what a sentence calls each link."""


async def history(floor: Floor, person: Person, fpga_id: int, *, limit: int, before: int | None) -> dict[str, Any]:
    """How a board is, and what it has gone through, the newest first.

    Parameters
    ----------
    limit, before
        How many entries of the history, and only those with a smaller LSN.
    """
    unit = floor.pool[fpga_id]

    def query(connection: Connection) -> list[RowMapping]:
        statement = select(board_health).where(board_health.c.fpga_id == fpga_id)
        if before is not None:
            statement = statement.where(board_health.c.lsn < before)
        return list(connection.execute(statement.order_by(board_health.c.lsn.desc()).limit(limit)).mappings())

    rows = await floor.read(query)
    assert unit.row is not None
    return {
        **{name: unit.row[name] for name in ("fpga_id", "state", "health", "reason", "reset_failures")},
        "history": [_entry(row, person) for row in rows],
    }


def _entry(row: RowMapping, person: Person) -> dict[str, Any]:
    return {
        "lsn": row["lsn"],
        "time": iso(row["time"]),
        "kind": row["kind"],
        "reason": row["reason"],
        "job_id": row["job_id"],
        # Which operator it was is for operators.
        "person": row["person"] if person.is_operator else None,
    }


async def examine(floor: Floor, person: Person, fpga_id: int) -> dict[str, Any]:
    """Walk the chain on a board that nobody else is at, and say which link is broken first.

    ``{"fpga_id", "state", "health", "broken": link or None, "verdict": sentence, "checks": [{"link", "state",
    "found"}]}``. A board with a person's design on it is only looked at.

    Raises
    ------
    Forbidden
        ``operator_only``
    Conflict
        ``fpga_not_examinable``: a job is at it.
    """
    if not person.is_operator:
        raise refusals.operator_only("examine a board")
    unit = floor.pool[fpga_id]
    _must_be_at_rest(unit)
    async with unit.operation:
        _must_be_at_rest(unit)
        assert unit.row is not None
        in_use = unit.row["session_id"] is not None
        checks = {check.link: check async for check in unit.driver.examine(unit.row["process"], in_use=in_use)}
        if all(check.state == "ok" for check in checks.values()):
            checks |= await _examine_bus(floor, unit, in_use)
        row = unit.row
    broken = next((link for link in LINKS if link in checks and checks[link].state == "broken"), None)
    if broken is None:
        skipped = any(check.state == "skipped" for check in checks.values())
        verdict = f"Nothing is wrong with board {fpga_id}{', as far as could be looked' if skipped else ''}."
    else:
        name = LINKS[broken]
        reason = verdict = f"{name[0].upper()}{name[1:]} of board {fpga_id} is broken: {checks[broken].found}."
        await floor.write("examined", lambda move: _note(move, fpga_id, reason, person))
        for link in LINKS:
            checks.setdefault(link, Check(link, "skipped", f"not looked at, since {name} comes before it"))
    return {
        "fpga_id": fpga_id,
        "state": row["state"],
        "health": row["health"],
        "broken": broken,
        "verdict": verdict,
        "checks": [checks[link].to_json() for link in LINKS],
    }


def _must_be_at_rest(unit: Unit) -> None:
    row = unit.row
    assert row is not None
    if row["state"] not in ("idle", "reserved", "error") or (
        row["current_job_id"] is not None and row["session_id"] is None
    ):
        raise refusals.fpga_not_examinable(row)


def _note(move: Move, fpga_id: int, reason: str, person: Person) -> None:
    move.note_health(fpga_id, "examined", reason, person=person.name)


async def _examine_bus(floor: Floor, unit: Unit, in_use: bool) -> dict[str, Check]:
    """Identifier, scratch register and bus-error counter, through the board's link."""
    row = unit.row
    assert row is not None
    digest = row["image_digest"]
    build = await floor.read(
        lambda connection: connection.execute(select(builds).where(builds.c.digest == digest)).mappings().one_or_none()
    )
    if build is None or row["process"] is None:
        unknown = "the lab has programmed nothing onto it yet; reset the board"
        return {link: Check(link, "skipped", unknown) for link in ("identifier", "scratch", "bus_errors")}
    manifest = Manifest.from_json(build["manifest"])
    async with AsyncExitStack() as closing:
        try:
            link = unit.link
            if link is None:
                link = await floor.open_link(
                    unit.driver, row["process"], manifest, fresh=False, on_lost=lambda error: None
                )
                closing.callback(link.close)
            await link.prove(manifest.identifier)
        except LinkBusy as busy:
            held = f"its link is held exclusively for {busy.detail['holder']}; ask again when that is done"
            return {name: Check(name, "skipped", held) for name in ("identifier", "scratch", "bus_errors")}
        except ProofFailed as error:
            return _unproven(manifest, unit.driver.explain(row["process"], error), error.code)
        except LabError as error:
            explained = unit.driver.explain(row["process"], error)
            return {"uart": Check("uart", "broken", explained.message.rstrip("."))}
        proven = {
            "identifier": Check("identifier", "ok", f"it runs {manifest.identifier}"),
            "scratch": Check("scratch", "ok", "every bit of a word moves both ways"),
        }
        try:
            return proven | {"bus_errors": await _examine_counter(link, manifest, in_use)}
        except LinkLost as error:
            return {"uart": Check("uart", "broken", error.message.rstrip("."))}
        except LinkError as error:
            return proven | {"bus_errors": Check("bus_errors", "broken", error.message.rstrip("."))}


def _unproven(manifest: Manifest, error: LabError, code: str) -> dict[str, Check]:
    found = error.message.rstrip(".")
    if code == "scratch_mismatch":
        identified = Check("identifier", "ok", f"it runs {manifest.identifier}")
        return {"identifier": identified, "scratch": Check("scratch", "broken", found)}
    return {"identifier": Check("identifier", "broken", found)}


async def _examine_counter(link: Link, manifest: Manifest, in_use: bool) -> Check:
    """The counter's value; and on a board that nobody uses, whether it counts an access to nothing."""
    control, bus = manifest.control, link.session("the doctor")
    ((before,), (overflow,)) = await bus.run([Operation.read(control.bus_errors), Operation.read(control.overflow)])
    lost = "; its bridge has lost received bytes since then" if overflow else ""
    if in_use:
        return Check("bus_errors", "ok", f"{before} since it was programmed{lost}; not tried, since a design runs")
    nothing = manifest.window.base + manifest.window.size
    try:
        await bus.run([Operation.read(nothing)])
    except BusError:
        ((after,),) = await bus.run([Operation.read(control.bus_errors)])
        if after == (before + 1) % (1 << 32):
            return Check("bus_errors", "ok", f"it counts: {before} before an access to nothing, {after} after it{lost}")
        return Check(
            "bus_errors", "broken", f"it went from {before} to {after} by one access to nothing; reset the board"
        )
    return Check("bus_errors", "broken", f"a read of {nothing:#010x}, where nothing is, was answered; reset the board")
