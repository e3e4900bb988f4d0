"""The devices that boards have, as the open tools name them."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ("Device", "Family", "ecp5", "gowin", "ice40")

#: Devices that are synthesized, placed and packed by the same tools: open ones, or those of the device's vendor.
Family = Literal["ice40", "ecp5", "gowin", "vendor"]


@dataclass(frozen=True)
class Device:
    """A device in its package.

    Parameters
    ----------
    family
        Which tools it takes.
    part
        What nextpnr is told: ``up5k``, ``85k``, ``GW1NR-LV9QN88PC6/I5``.
    package
        What nextpnr is told besides, where it is: ``sg48``, ``CABGA381``.
    speed
        Speed grade, where nextpnr is told one.
    io_standard
        Of all pins, where constraints say so.
    dsp
        The device has multipliers that Yosys must be told to use.
    variant
        Gowin's name for the kind of die, where packing is told: ``GW1N-9C``.
    packing
        More of the packer's arguments, for what the board's flash memory or the device's own pins need.
    vendor
        Of the family ``vendor``: LiteX's name for the toolchain.
    """

    family: Family
    part: str
    package: str = ""
    speed: str = ""
    io_standard: str = ""
    dsp: bool = False
    variant: str = ""
    packing: tuple[str, ...] = ()
    vendor: str = ""

    @property
    def toolchain(self) -> str:
        """What makes its bitstreams."""
        return self.vendor or self.family

    def to_json(self) -> dict[str, Any]:
        """As dict."""
        return asdict(self)


def ice40(part: str, package: str) -> Device:
    """A Lattice iCE40; ``up5k`` alone has multipliers."""
    return Device("ice40", part, package, dsp=part.startswith("up"))


def ecp5(part: str, package: str, *, speed: int = 6, flash_mhz: float | None = None) -> Device:
    """A Lattice ECP5 (``25k``, ``um5g-85k`` …).

    Parameters
    ----------
    speed
        Speed grade: 6, 7 or 8.
    flash_mhz
        How fast the device reads its flash memory at power-up: 2.4, 4.8, 9.7, 19.4, 38.8 or 62.0. The slowest when not
        given.
    """
    packing = ("--freq", str(flash_mhz)) if flash_mhz else ()
    return Device("ecp5", part, package, speed=str(speed), io_standard="LVCMOS33", dsp=True, packing=packing)


def gowin(part: str, variant: str) -> Device:
    """A Gowin LittleBee or Arora."""
    return Device("gowin", part, variant=variant, io_standard="LVCMOS33", dsp=True)
