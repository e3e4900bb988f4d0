"""What each family of devices takes: the commands of its tools, and its file of constraints."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_fpga.gateware.targets import Device, Family, Pads, Pull, Target

from ._ram import MAP_RAM, RAM, RAM_FILE
from ._shell import pad_names

__all__ = ("FAMILIES", "Constraint", "Flow", "constraints_of", "is_flat", "mapping")


@dataclass(frozen=True)
class Constraint:
    """Where a port of ``lab_top`` is, and how its pin is made."""

    port: str
    pin: str
    pull: Pull
    io_standard: str


@dataclass(frozen=True)
class Flow:
    """The tools of a family.

    Parameters
    ----------
    synthesize
        Yosys' command for a device and a top module; whether that is what has the pads.
    map_ram
        What is done in the place of that command's part ``map_ram``; nothing else if empty.
    nextpnr, packer
        Names of the tools.
    place
        nextpnr's arguments for a device: the design is ``design.json``, constraints in ``pins``, the result ``placed``,
        the report ``nextpnr.json``. With a larger alpha than its own (0.1) the placer comes to an end earlier, and to
        the same speed: of the lab's SoC, means of three seeds, 22.7 instead of 22.0 MHz on an iCE40, 73.9 and 72.8 on
        an ECP5, 79.3 and 73.0 on a Gowin, in 1.0, 1.3 and 2.0 s instead of 2.2, 2.0 and 3.2 (nextpnr 0.11.1).
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
    map_ram: Sequence[str] = ()


def constraints_of(target: Target) -> list[Constraint]:
    """Every pin that the SoC uses."""
    assert target.oscillator is not None
    assert target.serial is not None
    clock, serial = target.oscillator, target.serial
    pads = [
        Pads("clk", (clock.pin,), "i", io_standard=(clock.io_standard,)),
        Pads("serial_rx", (serial.rx,), "i", pull="up", io_standard=(serial.io_standard,)),
        Pads("serial_tx", (serial.tx,), "o", io_standard=(serial.io_standard,)),
        Pads("high", target.high, "o"),
        *target.pads(),
    ]
    if target.busy:
        pads.append(Pads("busy", (target.busy,), "o"))
    assert target.device is not None
    common = target.device.io_standard
    return [
        Constraint(name, pin, group.pull, standard or common)
        for group in pads
        for name, pin, standard in zip(
            pad_names(group), group.pins, group.io_standard or ("",) * len(group.pins), strict=True
        )
    ]


def _ice40_pins(target: Target, pins: list[Constraint], frequency: int | None) -> Iterator[str]:
    for pin in pins:
        # The device has no resistors that pull down.
        yield f"set_io {'-pullup yes ' if pin.pull == 'up' else ''}{pin.port} {pin.pin}"
    if frequency:
        yield f"set_frequency pad_clk {frequency / 1e6:g}"


def _ecp5_pins(target: Target, pins: list[Constraint], frequency: int | None) -> Iterator[str]:
    yield "BLOCK RESETPATHS;"
    yield "BLOCK ASYNCPATHS;"
    for pin in pins:
        pull = f" PULLMODE={pin.pull.upper()}" if pin.pull else ""
        yield f'LOCATE COMP "{pin.port}" SITE "{pin.pin}";'
        yield f'IOBUF PORT "{pin.port}" IO_TYPE={pin.io_standard}{pull};'
    if frequency:
        yield f'FREQUENCY PORT "pad_clk" {frequency / 1e6:g} MHZ;'


def _gowin_pins(target: Target, pins: list[Constraint], frequency: int | None) -> Iterator[str]:
    for pin in pins:
        pull = f" PULL_MODE={pin.pull.upper()}" if pin.pull else ""
        yield f'IO_LOC "{pin.port}" {pin.pin};'
        yield f'IO_PORT "{pin.port}" IO_TYPE={pin.io_standard}{pull};'


FAMILIES: dict[Family, Flow] = {
    "ice40": Flow(
        synthesize=lambda device, top, pads: f"synth_ice40 {'-dsp ' if device.dsp else ''}-top {top}",
        nextpnr="nextpnr-ice40",
        place=lambda device: [
            f"--{device.part}",
            *("--package", device.package),
            *("--pcf", "pins"),
            *("--asc", "placed"),
            *("--placer-heap-alpha", "0.3"),
        ],
        packer="icepack",
        pack=lambda device: [*device.packing, "placed", "bitstream"],
        constraints=_ice40_pins,
        map_ram=MAP_RAM,
    ),
    "ecp5": Flow(
        # Without the multiplexers that join LUTs: the lab's SoC is a fifth smaller and nextpnr a quarter faster, at 74
        # instead of 77 MHz (Yosys 0.70, nextpnr 0.11.1, means of three seeds).
        synthesize=lambda device, top, pads: f"synth_ecp5 -nowidelut -top {top}",
        nextpnr="nextpnr-ecp5",
        place=lambda device: [
            f"--{device.part}",
            *("--package", device.package),
            *("--speed", device.speed),
            *("--lpf", "pins"),
            *("--textcfg", "placed"),
            *("--placer-heap-alpha", "0.2"),
        ],
        packer="ecppack",
        pack=lambda device: ["--compress", *device.packing, "placed", "bitstream"],
        constraints=_ecp5_pins,
    ),
    "gowin": Flow(
        # With the multiplexers that join LUTs, ABC makes a tree of constants of every look-up table: the lab's SoC has
        # 2,397 LUTs and 1,033 multiplexers instead of 1,354 LUTs, reaches 65 MHz instead of 79, and nextpnr takes three
        # times as long (Yosys 0.70, nextpnr 0.11.1, means of three seeds).
        synthesize=lambda device, top, pads: f"synth_gowin -nowidelut {'' if pads else '-noiopads '}-top {top}",
        nextpnr="nextpnr-himbaechel-gowin",
        place=lambda device: [
            *("--device", device.part),
            *("--vopt", f"family={device.variant}"),
            *("--vopt", "cst=pins"),
            *("--write", "placed"),
            *("--placer-heap-alpha", "0.2"),
        ],
        packer="gowin_pack",
        pack=lambda device: ["-d", device.variant, *device.packing, "-o", "bitstream", "placed"],
        constraints=_gowin_pins,
    ),
}
"""Those whose tools are open, by name."""


_PLAIN = "proc; opt_reduce; opt_expr -mux_bool; opt_dff; opt_clean; memory -nomap; opt_clean"


def is_flat(device: Device) -> bool:
    """Whether design and base are made one module before place and route.

    A vendor's tools want one text. On an iCE40 what one always says to the other must be seen by its LUTs (see
    :mod:`._fold`); other devices' nextpnr takes the design as a module within the base, which saves that step.
    """
    return device.family in ("ice40", "vendor")


def mapping(work: Path, device: Device, top: str, *, pads: bool) -> list[str]:
    """Yosys' commands that bring the module ``top`` to the device's cells; what they read is put into ``work``.

    Parameters
    ----------
    pads
        It is what has the pads.
    """
    if device.family == "vendor":
        # Its own tools do all that matters. Just so much that a memory is written as they know it: with one enable for
        # a word, and its output's register with it.
        return [f"hierarchy -top {top}; {_PLAIN}"]
    flow = FAMILIES[device.family]
    command = flow.synthesize(device, top, pads)
    if not flow.map_ram:
        return [command]
    (work / RAM_FILE).write_text(RAM, "utf-8")
    return [f"{command} -run begin:map_ram", *flow.map_ram, f"{command} -run map_ffram:"]
