"""The module ``lab_top``: what stands between the SoC's logic and the pins of the device.

Inside, every signal is as designs see it: a 1 lights a LED and a pressed button is a 1. Outside are the pads as the
board has them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jupyter_fpga.gateware.elaborate._interface import window_ports
from jupyter_fpga.gateware.targets import Pads, Target

__all__ = (
    "TOP",
    "USER",
    "WINDOW_BUS",
    "base_shell",
    "identifier_rom",
    "pad_names",
    "soc_connections",
    "soc_shell",
    "user_module",
    "user_ports",
)

TOP = "lab_top"
USER = "lab_user"
"""The module that the base has a hole for: a design's window, and the board's identifier."""

WINDOW_BUS = ("adr", "dat_w", "sel", "cyc", "stb", "we", "dat_r", "ack")


def _identifier_bits(target: Target) -> int:
    return (target.control.identifier_words - 1).bit_length()


def _range(width: int) -> str:
    return f"[{width - 1}:0] "


def user_ports(target: Target, probes: int) -> Iterator[tuple[str, str, int]]:
    """Direction, name and width of every port of ``lab_user``."""
    yield "input", "clk", 1
    yield "input", "rst", 1
    yield "input", "identifier_adr", _identifier_bits(target)
    yield "output", "identifier_dat", 8
    for name, (width, direction) in window_ports(target, probes).items():
        yield ("input" if direction == "i" else "output"), name, width


def _header(name: str, ports: Sequence[tuple[str, str, int]]) -> str:
    lines = ",\n".join(f"    {direction} wire {_range(width)}{port}" for direction, port, width in ports)
    return f"module {name} (\n{lines}\n);\n"


def user_module(target: Target, identifier: str, probes: int = 0) -> str:
    """The module ``lab_user``, around ``lab_window``, in Verilog."""
    connections = ", ".join(f".{name}({name})" for name in ("clk", "rst", *window_ports(target, probes)))
    return (
        _header(USER, list(user_ports(target, probes)))
        + f"    lab_window window ({connections});\n"
        + "    lab_identifier identifier (.adr(identifier_adr), .dat(identifier_dat));\nendmodule\n"
        + identifier_rom(target, identifier)
    )


def identifier_rom(target: Target, text: str) -> str:
    """The module ``lab_identifier``: the characters of ``text``, and zero behind them.

    Raises
    ------
    ValueError
        The text is longer than the memory, or isn't plain ASCII.
    """
    if len(text) >= target.control.identifier_words or not text.isascii() or not text.isprintable():
        raise ValueError(
            f"An identifier has at most {target.control.identifier_words - 1} printable ASCII characters, not {text!r}."
        )
    cases = "".join(f"        {index}: dat = {ord(character)};\n" for index, character in enumerate(text))
    bits = _identifier_bits(target)
    return (
        f"module lab_identifier (input wire {_range(bits)}adr, output reg [7:0] dat);\n"
        f"    always @* case (adr)\n{cases}        default: dat = 0;\n    endcase\nendmodule\n"
    )


def pad_names(pads: Pads) -> list[str]:
    """Names of the ports of ``lab_top``, one for each pin."""
    if len(pads.pins) == 1:
        return [f"pad_{pads.port}"]
    return [f"pad_{pads.port}[{index}]" for index in range(len(pads.pins))]


def base_shell(target: Target, probes: int = 0) -> str:
    """``lab_top`` around the lab's own SoC, with ``lab_user`` as a hole, in Verilog."""
    ports = list(user_ports(target, probes))
    wires = "".join(f"    wire {_range(width)}{name};\n" for _, name, width in ports)
    window = "".join(f", .window_{name}(wb_{name})" for name in WINDOW_BUS)
    window += ", .probes(probes)" if probes else ""
    body = (
        f"    lab_base base (.clk(pad_clk), .serial_rx(pad_serial_rx), .serial_tx(pad_serial_tx), .sys_clk(clk), "
        f".window_rst(rst), .identifier_adr(identifier_adr), .identifier_dat(identifier_dat){_busy(target)}{window});\n"
        f"    {USER} user ({', '.join(f'.{name}({name})' for _, name, _ in ports)});\n"
    )
    hole = f"(* blackbox *)\n{_header(USER, ports)}endmodule\n"
    return f"{hole}{_top_header(target)}{wires}{body}{_pads(target)}endmodule\n"


def soc_shell(target: Target, pins: Sequence[Mapping[str, Any]], identifier: str) -> str:
    """``lab_top`` around a person's whole SoC, in Verilog.

    Parameters
    ----------
    pins
        The SoC's ports that are resources, as the manifest has them.
    """
    window = window_ports(target)
    resource_ports = {wire.port for resource in target.resources.values() for wire in resource.wires}
    wires = "".join(f"    wire {_range(window[port][0])}{port};\n" for port in sorted(resource_ports))
    tied = ""
    connections, driven = soc_connections(target, pins)
    for port in sorted(resource_ports - driven):
        if window[port][1] == "o":
            tied += f"    assign {port} = 0;\n"
    bits = _identifier_bits(target)
    body = (
        f"    wire {_range(bits)}identifier_adr;\n    wire [7:0] identifier_dat;\n"
        f"    lab_soc soc (.clk(pad_clk), .serial_rx(pad_serial_rx), .serial_tx(pad_serial_tx), "
        f".identifier_adr(identifier_adr), .identifier_dat(identifier_dat){_busy(target)}{connections});\n"
        f"    lab_identifier identifier (.adr(identifier_adr), .dat(identifier_dat));\n"
    )
    return f"{_top_header(target)}{wires}{body}{tied}{_pads(target)}endmodule\n{identifier_rom(target, identifier)}"


def _busy(target: Target) -> str:
    return ", .busy(pad_busy)" if target.busy else ""


def soc_connections(target: Target, pins: Sequence[Mapping[str, Any]], prefix: str = "") -> tuple[str, set[str]]:
    """How a whole SoC's resources are wired to ports of ``lab_window``, and which of these that makes.

    Parameters
    ----------
    prefix
        What the names of wires begin with, before the names of the ports.
    """
    connections, driven = "", set()
    for pin in pins:
        wire = next(wire for wire in target.resources[pin["resource"]].wires if _soc_port(pin, wire.name))
        port = wire.port if wire.port in target.resources else pin["port"]
        connections += f", .{port}({prefix}{wire.port})"
        driven.add(wire.port)
    return connections, driven


def _soc_port(pin: Mapping[str, Any], wire: str) -> bool:
    return bool(pin["port"] == (f"{pin['resource']}_{wire}" if wire else pin["resource"]))


def _top_header(target: Target) -> str:
    kinds = {"i": "input", "o": "output", "io": "inout"}
    ports = [("input", "pad_clk", 1), ("input", "pad_serial_rx", 1), ("output", "pad_serial_tx", 1)]
    if target.high:
        ports.append(("output", "pad_high", len(target.high)))
    if target.busy:
        ports.append(("output", "pad_busy", 1))
    ports += [(kinds[pads.direction], f"pad_{pads.port}", len(pads.pins)) for pads in target.pads()]
    return _header(TOP, ports)


def _pads(target: Target) -> str:
    lines = ["    assign pad_high = ~0;\n"] if target.high else []
    for pads in target.pads():
        name, invert = f"pad_{pads.port}", "~" if pads.active_low else ""
        if pads.direction == "i":
            lines.append(f"    assign {pads.port} = {invert}{name};\n")
        elif pads.direction == "o":
            lines.append(f"    assign {name} = {invert}{pads.port};\n")
        else:
            lines.append(f"    assign {pads.port}_i = {name};\n")
            lines += (
                f"    assign {name}[{bit}] = {pads.port}_oe[{bit}] ? {pads.port}_o[{bit}] : 1'bz;\n"
                for bit in range(len(pads.pins))
            )
    return "".join(lines)
