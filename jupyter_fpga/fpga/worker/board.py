"""Putting an image on a board and proving that it is there."""

from collections.abc import Callable
from pathlib import Path

from jupyter_fpga.errors import LabError
from jupyter_fpga.fpga.drivers import Record
from jupyter_fpga.fpga.floor import Floor
from jupyter_fpga.fpga.moves import Lease, Move
from jupyter_fpga.fpga.pool import Link, Unit
from jupyter_fpga.fpga.wishbone import LinkLost
from jupyter_fpga.gateware.manifest import Manifest

__all__ = ("attach", "held_by", "program")


async def program(
    floor: Floor,
    unit: Unit,
    image: Path,
    manifest: Manifest,
    hold: Callable[[Move], None],
    *,
    step: str,
    log: Callable[[str], None],
    flash: bool = False,
    power_cycle: bool = False,
) -> None:
    """Program ``image`` and prove it; the unit's link is open afterwards.

    Parameters
    ----------
    hold
        Raises in a move when the board isn't the caller's any more.
    step
        Name of the step for checkpoints: ``program``, ``reset`` …
    log
        Gets lines of progress.
    flash
        Into the board's flash.
    power_cycle
        Take the power away first.

    Raises
    ------
    DriverError, LinkError, ProofFailed
        The board can't be programmed, or isn't what it should be afterwards.
    Stale
        It is somebody else's by now.
    """
    unit.detach()
    record = await floor.write(f"{step} begin", _begin, unit, hold)
    floor.checkpoint(f"{step}:before driver")
    if power_cycle:
        record = await unit.driver.power_cycle(record, image, manifest, log=log)
    else:
        if record is not None:
            await unit.driver.shutdown(record)
        record = await unit.driver.program(image, manifest, log=log, flash=flash)
    floor.checkpoint(f"{step}:after driver")

    def programmed(move: Move) -> None:
        hold(move)
        move.change_board(unit.fpga_id, process=record, image_digest=manifest.digest)

    await floor.write(f"{step} record", programmed)
    await attach(floor, unit, record, manifest, fresh=True)
    floor.checkpoint(f"{step}:after proof")


async def attach(floor: Floor, unit: Unit, record: Record, manifest: Manifest, *, fresh: bool) -> None:
    """Open the link to a board that should run what ``manifest`` describes, and prove it.

    Parameters
    ----------
    fresh
        The board was powered up just now.

    Raises
    ------
    DriverError, LinkError, ProofFailed
        It doesn't.
    """
    link: Link | None = None

    def on_lost(error: LinkLost) -> None:
        if link is not None and unit.link is link:
            floor.board_lost(unit, error)

    link = await floor.open_link(unit.driver, record, manifest, fresh=fresh, on_lost=on_lost)
    try:
        await link.prove(manifest.identifier)
    except LabError as error:
        link.close()
        raise unit.driver.explain(record, error) from error
    except BaseException:
        link.close()
        raise
    unit.attach(link, manifest)


def held_by(lease: Lease) -> Callable[[Move], None]:
    """The check that ``lease`` is still its holder's."""
    return lambda move: move.hold(lease)


def _begin(move: Move, unit: Unit, hold: Callable[[Move], None]) -> Record | None:
    hold(move)
    record: Record | None = move.board(unit.fpga_id)["process"]
    return record
