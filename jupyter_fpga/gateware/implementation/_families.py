"""What each family of devices takes: the commands of its tools, and its file of constraints."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from jupyter_fpga.gateware.targets import Device, Family, Pads, Target

from ._shell import pad_names

__all__ = ("FAMILIES", "Constraint", "Flow", "constraints_of")


@dataclass(frozen=True)
class Constraint:
    """Where a port of ``lab_top`` is, and how its pin is made."""

    port: str
    pin: str
    pull_up: bool


@dataclass(frozen=True)
class Flow:
    """The tools of a family.

    Parameters
    ----------
    synthesize
        Yosys' command for a device and a top module; whether that is what has the pads.
    nextpnr, packer
        Names of the tools.
    place
        nextpnr's arguments for a device: the design is ``design.json``, constraints in ``pins``, the result ``placed``,
        the report ``nextpnr.json``.
    pack
        The packer's arguments: from ``placed`` to ``bitstream``.
    constraints
        The text of ``pins``: for each pin, and the oscillator's frequency in Hz where nextpnr shall hold to it.
    """

    synthesize: Callable[[Device, str, bool], str]
    nextpnr: str
    place: Callable[[Device], list[str]]
    packer: str
    pack: Callable[[Device], list[str]]
    constraints: Callable[[Target, list[Constraint], int | None], Iterator[str]]


def constraints_of(target: Target) -> list[Constraint]:
    """Every pin that the SoC uses."""
    assert target.oscillator is not None
    assert target.serial is not None
    pads = [
        Pads("clk", (target.oscillator.pin,), "i"),
        Pads("serial_rx", (target.serial.rx,), "i", pull_up=True),
        Pads("serial_tx", (target.serial.tx,), "o"),
        *target.pads(),
    ]
    return [
        Constraint(name, pin, group.pull_up)
        for group in pads
        for name, pin in zip(pad_names(group), group.pins, strict=True)
    ]


def _ice40_pins(target: Target, pins: list[Constraint], frequency: int | None) -> Iterator[str]:
    for pin in pins:
        yield f"set_io {'-pullup yes ' if pin.pull_up else ''}{pin.port} {pin.pin}"
    if frequency:
        yield f"set_frequency pad_clk {frequency / 1e6:g}"


def _ecp5_pins(target: Target, pins: list[Constraint], frequency: int | None) -> Iterator[str]:
    assert target.device is not None
    yield "BLOCK RESETPATHS;"
    yield "BLOCK ASYNCPATHS;"
    for pin in pins:
        pull = " PULLMODE=UP" if pin.pull_up else ""
        yield f'LOCATE COMP "{pin.port}" SITE "{pin.pin}";'
        yield f'IOBUF PORT "{pin.port}" IO_TYPE={target.device.io_standard}{pull};'
    if frequency:
        yield f'FREQUENCY PORT "pad_clk" {frequency / 1e6:g} MHZ;'


def _gowin_pins(target: Target, pins: list[Constraint], frequency: int | None) -> Iterator[str]:
    assert target.device is not None
    for pin in pins:
        pull = " PULL_MODE=UP" if pin.pull_up else ""
        yield f'IO_LOC "{pin.port}" {pin.pin};'
        yield f'IO_PORT "{pin.port}" IO_TYPE={target.device.io_standard}{pull};'


FAMILIES: dict[Family, Flow] = {
    "ice40": Flow(
        synthesize=lambda device, top, pads: f"synth_ice40 {'-dsp ' if device.dsp else ''}-top {top}",
        nextpnr="nextpnr-ice40",
        place=lambda device: [
            f"--{device.part}",
            *("--package", device.package),
            *("--pcf", "pins"),
            *("--asc", "placed"),
        ],
        packer="icepack",
        pack=lambda device: ["placed", "bitstream"],
        constraints=_ice40_pins,
    ),
    "ecp5": Flow(
        synthesize=lambda device, top, pads: f"synth_ecp5 -top {top}",
        nextpnr="nextpnr-ecp5",
        place=lambda device: [
            f"--{device.part}",
            *("--package", device.package),
            *("--speed", device.speed),
            *("--lpf", "pins"),
            *("--textcfg", "placed"),
        ],
        packer="ecppack",
        pack=lambda device: ["--compress", "placed", "bitstream"],
        constraints=_ecp5_pins,
    ),
    "gowin": Flow(
        synthesize=lambda device, top, pads: f"synth_gowin {'' if pads else '-noiopads '}-top {top}",
        nextpnr="nextpnr-himbaechel-gowin",
        place=lambda device: [
            *("--device", device.part),
            *("--vopt", f"family={device.variant}"),
            *("--vopt", "cst=pins"),
            *("--write", "placed"),
        ],
        packer="gowin_pack",
        pack=lambda device: ["-d", device.variant, "-o", "bitstream", "placed"],
        constraints=_gowin_pins,
    ),
}
"""By name."""
