"""The netlist of a configured iCE40, read from what Yosys writes of icebox' Verilog."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ("ONE", "ZERO", "FlipFlop", "Gate", "Netlist", "Ram", "Unreadable", "read_netlist")

#: A bit of the netlist: Yosys' number for it, or one of the two constants.
Bit = int
ZERO: Bit = 0
ONE: Bit = 1

#: Yosys' gates and their inputs in the order that :class:`Gate` has them.
_GATES = {
    "NOT": "A",
    "BUF": "A",
    "AND": "AB",
    "NAND": "AB",
    "OR": "AB",
    "NOR": "AB",
    "XOR": "AB",
    "XNOR": "AB",
    "ANDNOT": "AB",
    "ORNOT": "AB",
    "MUX": "ABS",
}

#: ``$_SDFFCE_PN0P_``: the clock's edge, then reset's level and value, then enable's level, as far as there are.
_FLIP_FLOP = re.compile(r"\$_(S?)DFF(C?)(E?)_([NP])(?:([NP])([01]))?([NP])?_")

_PLL = re.compile(r"SB_PLL40_(?:2F?_)?(?:PAD|CORE)")

#: icebox' comment before a flip-flop says where it is.
_PLACE = re.compile(r"/\* FF\s+(\d+)\s+(\d+)\s+(\d+) \*/")


class Unreadable(Exception):
    """The bitstream has something that there is no model of; ``what`` names it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True)
class Gate:
    """``output`` is a function of ``inputs``; ``kind`` is the middle of Yosys' name (``ANDNOT``)."""

    kind: str
    output: Bit
    inputs: tuple[Bit, ...]


@dataclass(frozen=True)
class Control:
    """What flip-flops of a tile share.

    Parameters
    ----------
    clock, rising
        Their clock, and the edge of it.
    enable, enable_level
        They take a new value only while ``enable`` is at that level.
    reset, reset_level
        They take their reset value while ``reset`` is at that level: at a clock edge or, ``asynchronous``, at once.
    enabled_reset
        A reset at a clock edge needs the enable too.
    """

    clock: Bit
    rising: bool
    enable: Bit = ONE
    enable_level: bool = True
    reset: Bit = ZERO
    reset_level: bool = True
    asynchronous: bool = False
    enabled_reset: bool = False


@dataclass(frozen=True)
class FlipFlop:
    """A flip-flop. All of them are 0 when configuration ends.

    Parameters
    ----------
    output, data
        Its bits.
    reset_value
        What a reset makes of it.
    control
        See there.
    place
        Column, row and number in the tile.
    """

    output: Bit
    data: Bit
    reset_value: bool
    control: Control
    place: tuple[int, int, int]


@dataclass(frozen=True)
class Ram:
    """A block RAM of 256 words of 16 bits (``SB_RAM40_4K``).

    Parameters
    ----------
    place
        Column and row.
    ports
        Bits by Lattice's names for them, the lowest first.
    read_mode, write_mode
        0 to 3: words of 16, 8, 4, 2 bits.
    read_rising, write_rising
        The clocks' edges.
    words
        What configuration leaves in it.
    """

    place: tuple[int, int]
    ports: Mapping[str, tuple[Bit, ...]]
    read_mode: int
    write_mode: int
    read_rising: bool
    write_rising: bool
    words: tuple[int, ...]


@dataclass
class Netlist:
    """All of it.

    Parameters
    ----------
    pads
        Bits of the pins, by the name of each.
    inputs
        Bits that the outside world drives, where nothing else does.
    drivers
        Of a pin that is driven: the level that goes out, and the bit that says whether it does.
    """

    gates: list[Gate] = field(default_factory=list)
    flip_flops: list[FlipFlop] = field(default_factory=list)
    rams: list[Ram] = field(default_factory=list)
    pads: dict[str, Bit] = field(default_factory=dict)
    inputs: set[Bit] = field(default_factory=set)
    drivers: dict[str, tuple[Bit, Bit]] = field(default_factory=dict)


def read_netlist(module: Mapping[str, Any], verilog: str) -> Netlist:
    """Read a module of Yosys' JSON.

    Parameters
    ----------
    module
        Flat, and mapped to simple gates; block RAMs as they are.
    verilog
        The text that Yosys read, for its comments.

    Raises
    ------
    Unreadable
        It has a cell that there is no model of.
    """
    return _Reader(module, verilog).read()


class _Reader:
    def __init__(self, module: Mapping[str, Any], verilog: str) -> None:
        self._module = module
        self._lines = verilog.splitlines()
        self._same: dict[Bit, Bit] = {}
        outputs = {"Y", "Q", "RDATA", "LOCK", "PLLOUTCORE", "PLLOUTGLOBAL"}
        self._driven: set[int | str] = {
            bit
            for cell in module["cells"].values()
            for port, bits in cell["connections"].items()
            if port in outputs
            for bit in bits
        } | {bit for port in module["ports"].values() if port["direction"] != "output" for bit in port["bits"]}
        self._netlist = Netlist()

    def read(self) -> Netlist:
        cells: dict[str, dict[str, Any]] = self._module["cells"]
        for cell in cells.values():
            if _PLL.fullmatch(cell["type"]):
                self._add_pll(cell)
        for name, port in self._module["ports"].items():
            (bit,) = port["bits"]
            self._netlist.pads[name] = self._bit(bit)
            if port["direction"] != "input":
                # A pin whose driver is never on is left undriven by Yosys.
                self._netlist.drivers[name] = (self._bit(bit), ONE if self._is_driven(bit) else ZERO)
        tristate: dict[Bit, tuple[Bit, Bit]] = {}
        for name, cell in cells.items():
            kind = cell["type"]
            if kind.startswith(("$tribuf", "$_TBUF_")):
                enable = self._pin(cell, "EN" if kind == "$tribuf" else "E")
                tristate[self._pin(cell, "Y")] = (self._pin(cell, "A"), enable)
            elif not _PLL.fullmatch(kind):
                self._add(name, cell)
        for name, bit in list(self._netlist.pads.items()):
            if bit in tristate:
                self._add_tristate(name, bit, *tristate[bit])
            elif self._module["ports"][name]["direction"] == "input":
                self._netlist.inputs.add(bit)
        return self._netlist

    def _add_tristate(self, name: str, bit: Bit, level: Bit, enable: Bit) -> None:
        """A pin reads what it drives, and what the outside does while it doesn't."""
        outside = -1 - len(self._netlist.inputs)
        self._netlist.pads[name] = outside
        self._netlist.inputs.add(outside)
        self._netlist.drivers[name] = (level, enable)
        self._netlist.gates.append(Gate("MUX", bit, (outside, level, enable)))

    def _is_driven(self, bit: int | str) -> bool:
        return bit in self._driven or bit in ("0", "1")

    def _bit(self, bit: int | str) -> Bit:
        # Constants are text; numbers begin at 2. What is undefined has no pull-down, but the fabric reads it as 0.
        number = (ONE if bit == "1" else ZERO) if isinstance(bit, str) or bit not in self._driven else bit
        while number in self._same:
            number = self._same[number]
        return number

    def _bits(self, cell: Mapping[str, Any], port: str) -> tuple[Bit, ...]:
        return tuple(self._bit(bit) for bit in cell["connections"].get(port, ()))

    def _pin(self, cell: Mapping[str, Any], port: str) -> Bit:
        (bit,) = self._bits(cell, port)
        return bit

    def _add_pll(self, cell: Mapping[str, Any]) -> None:
        """A PLL's outputs are its input: the simulation's clock is that of the logic, which the PLL would make."""
        connections = cell["connections"]
        (source,) = connections.get("PACKAGEPIN") or connections["REFERENCECLK"]
        for port, bits in connections.items():
            for bit in bits:
                if isinstance(bit, str):
                    continue
                if port.startswith("PLLOUT"):
                    self._same[bit] = source
                elif port == "LOCK":
                    self._same[bit] = ONE

    def _add(self, name: str, cell: Mapping[str, Any]) -> None:
        kind: str = cell["type"]
        gate = kind.removeprefix("$_").removesuffix("_")
        if kind.startswith("$_") and gate in _GATES:
            inputs = tuple(self._pin(cell, port) for port in _GATES[gate])
            self._netlist.gates.append(Gate(gate, self._pin(cell, "Y"), inputs))
        elif match := _FLIP_FLOP.fullmatch(kind):
            self._netlist.flip_flops.append(self._flip_flop(cell, match))
        elif kind.startswith("SB_RAM40_4K"):
            self._netlist.rams.append(self._ram(name, cell))
        else:
            raise Unreadable(kind)

    def _flip_flop(self, cell: Mapping[str, Any], match: re.Match[str]) -> FlipFlop:
        synchronous, enabled_reset, has_enable, clock, reset, value, enable = match.groups()
        control = Control(
            clock=self._pin(cell, "C"),
            rising=clock == "P",
            enable=self._pin(cell, "E") if has_enable else ONE,
            enable_level=enable != "N",
            reset=self._pin(cell, "R") if reset else ZERO,
            reset_level=reset != "N",
            asynchronous=bool(reset) and not synchronous,
            enabled_reset=bool(enabled_reset),
        )
        return FlipFlop(self._pin(cell, "Q"), self._pin(cell, "D"), value == "1", control, self._place(cell))

    def _place(self, cell: Mapping[str, Any]) -> tuple[int, int, int]:
        for line in re.findall(r":(\d+)\.", cell.get("attributes", {}).get("src", "")):
            if match := _PLACE.match(self._lines[int(line) - 1]):
                return int(match[1]), int(match[2]), int(match[3])
        return (0, 0, 0)  # of a pin

    def _ram(self, name: str, cell: Mapping[str, Any]) -> Ram:
        # SB_RAM40_4KNR, NW, NRNW: read or write at the falling edge, at RCLKN, WCLKN.
        suffix = cell["type"].removeprefix("SB_RAM40_4K")
        ports = {port.removesuffix("N"): self._bits(cell, port) for port in cell["connections"]}
        parameters = cell["parameters"]
        memory = 0
        for index in range(16):
            # Yosys writes a parameter as binary digits.
            memory |= int(parameters.get(f"INIT_{index:X}", "0").replace("x", "0"), 2) << 256 * index
        match = re.fullmatch(r"\\?ram40_(\d+)_(\d+)", name)
        return Ram(
            place=(int(match[1]), int(match[2])) if match else (0, 0),
            ports=ports,
            read_mode=int(parameters.get("READ_MODE", "0"), 2),
            write_mode=int(parameters.get("WRITE_MODE", "0"), 2),
            read_rising="NR" not in suffix,
            write_rising="NW" not in suffix,
            words=tuple(memory >> 16 * index & 0xFFFF for index in range(256)),
        )
