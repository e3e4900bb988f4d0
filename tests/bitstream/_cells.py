"""Cells that Yosys' own models leave black, in the configurations that its mapping makes of designs.

Block RAMs of 18 kbit become one kind of memory, of 2048 lanes of nine bits (Lattice FPGA-TN-02204, Gowin UG285);
multipliers have no registers (FPGA-TN-02205, UG287). A PLL's output is its input: the simulation's clock is the logic's
own.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ("MODELS", "memories")

_LANES = 2048
_MODES = {"NORMAL": 0, "WRITETHROUGH": 1, "READBEFOREWRITE": 2}
Cell = dict[str, Any]
Bits = list[Any]

#: Nets for outputs that nobody reads.
_NOWHERE = itertools.count(1 << 28)


@dataclass(frozen=True)
class Port:
    """One port of a memory: bits of a word, what it shows when it writes (as Gowin counts), whether it writes."""

    width: int
    mode: int


@dataclass(frozen=True)
class Memory:
    """A configuration."""

    ports: tuple[Port, ...]

    @property
    def name(self) -> str:
        return "memory" + "".join(f"_{port.width}_{port.mode}" for port in self.ports)

    def verilog(self) -> str:
        """The module."""
        header, body = [], ""
        for index, port in enumerate(self.ports):
            header += [f"input clk{index}, ce{index}, we{index}, rst{index}", f"input [13:0] ad{index}"]
            header += [f"input [{port.width - 1}:0] di{index}", f"output reg [{port.width - 1}:0] do{index}"]
            body += _behaviour(index, port)
        return (
            f"module {self.name} (\n    {', '.join(header)}\n);\n    parameter [{9 * _LANES - 1}:0] INIT = 0;\n"
            f"    reg [8:0] lanes [0:{_LANES - 1}];\n    integer lane;\n"
            f"    initial for (lane = 0; lane < {_LANES}; lane = lane + 1) lanes[lane] = INIT[9 * lane +: 9];\n"
            f"{body}endmodule\n"
        )


def _behaviour(index: int, port: Port) -> str:
    width, address = port.width, f"ad{index}"
    count = max(1, width // 9)
    # The lowest bits of a wide port's address say which lanes it writes.
    bits = count.bit_length() - 1
    lanes = [
        f"lanes[{{{address}[13:{3 + bits}]" + (f", {bits}'d{lane}" if bits else "") + "}]" for lane in range(count)
    ]
    if width < 9:
        start = f"[{address}[2:0] +: {width}]"
        writes = f"            {lanes[0]}{start} <= di{index};\n"
        value = f"{lanes[0]} >> {address}[2:0]"
    else:
        writes = "".join(
            f"            {'' if count == 1 else f'if ({address}[{lane}]) '}{place} <= di{index}[{9 * lane} +: 9];\n"
            for lane, place in enumerate(lanes)
        )
        value = "{" + ", ".join(reversed(lanes)) + "}"
    shown = f"            {f'if (!we{index}) ' if port.mode == 0 else ''}do{index} <= {value};\n"
    if port.mode == 1 and width < 18:
        shown += f"            if (we{index}) do{index} <= di{index};\n"
    elif port.mode == 1:
        for lane in range(count):
            part = f"{index}[{9 * lane} +: 9]"
            shown += f"            if (we{index} && {address}[{lane}]) do{part} <= di{part};\n"
    return (
        f"    initial do{index} = 0;\n    always @(posedge clk{index}) if (ce{index}) begin\n"
        f"        if (we{index}) begin\n{writes}        end\n"
        f"        if (rst{index}) do{index} <= 0;\n        else begin\n{shown}        end\n    end\n"
    )


def memories(module: Mapping[str, Any]) -> Iterator[Memory]:
    """Make every block RAM of a module, as ``write_json`` wrote it, one of the cells that this yields."""
    constants = {
        cell["connections"][pin][0]: level
        for cell in module["cells"].values()
        for kind, pin, level in (("GND", "G", "0"), ("VCC", "V", "1"))
        if cell["type"] == kind
    }
    for cell in module["cells"].values():
        if cell["type"] in ("GND", "VCC"):
            continue
        wires = cell["connections"]
        cell["connections"] = {pin: [constants.get(bit, bit) for bit in bits] for pin, bits in wires.items()}
        if cell["type"] == "DP16KD":
            memory, made = _lattice(cell)
        elif cell["type"] in _GOWIN:
            memory, made = _gowin(cell)
        else:
            continue
        cell.clear()
        cell |= {"type": memory.name, "hide_name": 0, "attributes": {}, **made}
        yield memory


def _is_zero(bits: Bits) -> bool:
    return all(bit == "0" for bit in bits)


def _number(cell: Cell, parameter: str) -> int:
    return int(cell["parameters"][parameter], 2)


def _lattice(cell: Cell) -> tuple[Memory, Cell]:
    parameters = cell["parameters"]
    assert {parameters["REGMODE_A"], parameters["REGMODE_B"]} == {"NOREG"}
    assert (parameters["CLKAMUX"], parameters["CLKBMUX"]) == ("CLKA", "CLKB")
    wires = cell["connections"]
    data = {f"{way}{side}": _bits(wires, f"{way}{side}", 18) for way in ("DI", "DO") for side in "AB"}
    widths = {side: _number(cell, f"DATA_WIDTH_{side}") for side in "AB"}
    ports, connections = [], {}
    for index, side in enumerate("AB"):
        width = widths[side]
        mode = _MODES[parameters.get(f"WRITEMODE_{side}", "NORMAL")]
        into, out = data[f"DI{side}"], data[f"DO{side}"]
        if width == 36:
            # Two ports' data belong to one of them: A writes, B reads.
            into, out = data["DIA"] + data["DIB"], [] if side == "A" else data["DOA"] + data["DOB"]
        elif side == "A" and widths["B"] == 36:
            out = []
        connections |= {
            **{f"{what.lower()}{index}": wires.get(f"{what}{side}", ["0"]) for what in ("CLK", "CE", "WE", "RST")},
            f"ad{index}": _bits(wires, f"AD{side}", 14),
            f"di{index}": into[:width],
            f"do{index}": out[:width],
        }
        assert parameters["RESETMODE"] == "SYNC" or _is_zero(connections[f"rst{index}"])
        ports.append(Port(width, mode))
    rows = [parameters.get(f"INITVAL_{row:02X}", "0").zfill(320) for row in range(64)]
    # Sixteen words of 18 bits, each in 20.
    words = [row[320 - 20 * word - 18 : 320 - 20 * word] for row in rows for word in range(16)]
    return Memory(tuple(ports)), _cell(connections, "".join(reversed(words)))


def _bits(wires: Mapping[str, Bits], name: str, count: int) -> Bits:
    return [(wires.get(f"{name}{index}") or ["0"])[0] for index in range(count)]


#: Gowin's block RAMs: for each port the letter of its pins, the number of its parameters, and ``w`` where it only
#: writes, ``r`` where it only reads.
_GOWIN = {
    **dict.fromkeys(("SP", "SPX9"), (("", "", "rw"),)),
    **dict.fromkeys(("DPB", "DPX9B"), (("A", "0", "rw"), ("B", "1", "rw"))),
    **dict.fromkeys(("SDPB", "SDPX9B"), (("A", "0", "w"), ("B", "1", "r"))),
}


def _gowin(cell: Cell) -> tuple[Memory, Cell]:
    kind, parameters, wires = cell["type"], cell["parameters"], cell["connections"]
    ports, connections = [], {}
    lane = 9 if "X9" in kind else 8
    for index, (side, number, way) in enumerate(_GOWIN[kind]):
        bits = _number(cell, f"BIT_WIDTH_{number}" if kind not in ("SP", "SPX9") else "BIT_WIDTH")
        both = kind not in ("SDPB", "SDPX9B")
        mode = _number(cell, f"WRITE_MODE{number}") if both else 0
        assert all(
            _is_zero(list(value)) for key, value in parameters.items() if key.startswith(("READ_MODE", "BLK_SEL"))
        )
        into = wires[f"DI{side}" if both else "DI"] if "w" in way else []
        out = wires[f"DO{side}" if both else "DO"] if "r" in way else []
        width = bits if bits < 8 else bits // lane * 9
        reset = wires[f"RESET{side}"]
        assert parameters["RESET_MODE"] == "SYNC" or _is_zero(reset)
        connections |= {
            f"clk{index}": wires[f"CLK{side}"],
            f"ce{index}": wires[f"CE{side}"],
            f"we{index}": wires[f"WRE{side}"] if both else ["1" if way == "w" else "0"],
            f"rst{index}": reset,
            f"ad{index}": wires[f"AD{side}"],
            f"di{index}": _by_nine(into, lane, "0")[:width] if into else ["0"] * width,
            f"do{index}": _by_nine(out, lane, None)[:width] if out else [],
        }
        ports.append(Port(width, mode))
    rows = [parameters.get(f"INIT_RAM_{row:02X}", "0").zfill(32 * lane) for row in range(64)]
    lanes = [row[32 * lane - lane * (word + 1) : 32 * lane - lane * word] for row in rows for word in range(32)]
    return Memory(tuple(ports)), _cell(connections, "".join(one.zfill(9) for one in reversed(lanes)))


def _by_nine(bits: Bits, lane: int, filler: str | None) -> Bits:
    """Bits of lanes of eight as those of lanes of nine."""
    if lane == 9:
        return bits
    spread: Bits = []
    for start in range(0, len(bits), 8):
        spread += [*bits[start : start + 8], filler or next(_NOWHERE)]
    return spread


def _cell(connections: Mapping[str, Bits], contents: str) -> Cell:
    connections = {name: bits for name, bits in connections.items() if bits}
    directions = {name: "output" if name.startswith("do") else "input" for name in connections}
    return {
        "parameters": {"INIT": contents.replace("x", "0")},
        "port_directions": directions,
        "connections": connections,
    }


def _vector(name: str, width: int) -> str:
    return ", ".join(f"{name}{index}" for index in reversed(range(width)))


def _product(width: int, a: str, b: str, a_signed: str, b_signed: str) -> str:
    """The Verilog expression of a product of two numbers of ``width`` bits."""
    factors = (f"{{{{{width}{{{signed}}}}}, {bits}}}" for bits, signed in ((a, a_signed), (b, b_signed)))
    return " * ".join(f"$signed({factor})" for factor in factors)


def _lattice_product() -> str:
    return _product(18, _vector("A", 18), _vector("B", 18), "SIGNEDA & A17", "SIGNEDB & B17")


def _gowin_multiplier(width: int) -> str:
    top = width - 1
    return f"""
module MULT{width}X{width} (
    input [{top}:0] A, SIA, B, SIB, input ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET, output [{2 * width - 1}:0] DOUT,
    output [{top}:0] SOA, SOB
);
    assign DOUT = {_product(width, "A", "B", f"ASIGN & A[{top}]", f"BSIGN & B[{top}]")};
endmodule
"""


MODELS: Mapping[str, str] = {
    "ecp5": f"""
module MULT18X18D (
    input {_vector("A", 18)}, input {_vector("B", 18)}, input {_vector("C", 18)}, input SIGNEDA, SIGNEDB, SOURCEA,
    SOURCEB, output {_vector("P", 36)}
);
    assign {{{_vector("P", 36)}}} = {_lattice_product()};
endmodule
module EHXPLLL (input CLKI, CLKFB, RST, STDBY, ENCLKOP, ENCLKOS, output CLKOP, CLKOS, LOCK);
    assign CLKOP = CLKI;
    assign CLKOS = CLKI;
    assign LOCK = 1'b1;
endmodule
""",
    "gowin": "".join(_gowin_multiplier(width) for width in (9, 18, 36)),
}
"""Verilog of the rest, by family."""
