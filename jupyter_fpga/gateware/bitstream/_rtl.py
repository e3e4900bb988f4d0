"""The same SoC as in a bitstream, in Verilog as it was before synthesis."""

from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_fpga.gateware.elaborate._interface import window_ports
from jupyter_fpga.gateware.implementation._shell import (
    USER,
    WINDOW_BUS,
    identifier_rom,
    soc_connections,
    user_module,
    user_ports,
)
from jupyter_fpga.gateware.targets import Target

__all__ = ("RTL", "rtl_source")

RTL = "lab_rtl"
"""Its top module."""

#: Ports of ``lab_window`` that the bench holds or watches, with at most eight bits, and their names in a whole SoC.
_INPUTS = {"buttons": "buttons", "switches": "switches", "pmod_i": "pmod_i", "console_rx": "uart_rx"}
_OUTPUTS = {"leds": "leds", "pmod_o": "pmod_o", "pmod_oe": "pmod_oe", "console_tx": "uart_tx"}

_WIDTHS = {"buttons": 4, "switches": 8, "pmod_i": 8}

#: The simulation's clock is the logic's own: what a PLL makes of the oscillator's.
_PLL = """\
module SB_PLL40_PAD #(
    parameter FEEDBACK_PATH = "", DELAY_ADJUSTMENT_MODE_FEEDBACK = "", DELAY_ADJUSTMENT_MODE_RELATIVE = "",
    parameter PLLOUT_SELECT = "", SHIFTREG_DIV_MODE = 0, FDA_FEEDBACK = 0, FDA_RELATIVE = 0, DIVR = 0, DIVF = 0,
    parameter DIVQ = 0, FILTER_RANGE = 0, ENABLE_ICEGATE = 0, TEST_MODE = 0
) (
    input PACKAGEPIN, RESETB, BYPASS, output PLLOUTGLOBAL, PLLOUTCORE, LOCK
);
    assign PLLOUTGLOBAL = PACKAGEPIN;
    assign PLLOUTCORE = PACKAGEPIN;
    assign LOCK = 1'b1;
endmodule
"""


def rtl_source(target: Target, identifier: str, pins: Sequence[Mapping[str, Any]] | None, probes: int = 0) -> str:
    """The module :data:`RTL`: what ``lab_top`` is to the pads, with the names that the harness knows.

    Parameters
    ----------
    identifier
        What the board answers.
    pins
        Of a person's whole SoC, its ports that are resources; None where there is a design in the lab's own.
    probes
        Bits of the design's probes that the lab's own SoC has an analyzer for.
    """
    ports = window_ports(target, probes)
    inputs = {name: outside for name, outside in _INPUTS.items() if name in ports}
    outputs = {name: outside for name, outside in _OUTPUTS.items() if name in ports}
    header = ["input clk", "input serial_rx", "output serial_tx", "output busy"]
    # The bench holds as many as a simulated board has, of which others take the first.
    header += [f"input [{_WIDTHS.get(outside, 1) - 1}:0] {outside}" for outside in inputs.values()]
    header += [f"output [{ports[name][0] - 1}:0] {outside}" for name, outside in outputs.items()]
    body = "".join(
        f"    wire [{width - 1}:0] w_{name};\n" for name, (width, _) in ports.items() if not name.startswith("wb_")
    )
    for name, (width, direction) in ports.items():
        if name.startswith("wb_"):
            continue
        if direction == "i" and name == "pmod_i":
            # A pin reads what it drives.
            body += "    assign w_pmod_i = (w_pmod_oe & w_pmod_o) | (~w_pmod_oe & pmod_i);\n"
        elif direction == "i" and name in inputs:
            body += f"    assign w_{name} = {inputs[name]};\n"
        elif direction == "i":
            stem = name.removesuffix("_i")
            driven = f"w_{stem}_oe & w_{stem}_o" if f"{stem}_oe" in ports else f"{width}'d0"
            body += f"    assign w_{name} = {driven};\n"
    for name, outside in outputs.items():
        body += f"    assign {outside} = {'w_pmod_o & w_pmod_oe' if name == 'pmod_o' else f'w_{name}'};\n"
    inside = _window(target, probes) if pins is None else _whole(target, pins)
    extra = user_module(target, identifier, probes) if pins is None else identifier_rom(target, identifier)
    return f"module {RTL} (\n    {', '.join(header)}\n);\n{body}{inside}endmodule\n{extra}{_PLL}"


def _window(target: Target, probes: int) -> str:
    ports = list(user_ports(target, probes))
    own = {name for name, _ in window_ports(target, probes).items() if not name.startswith("wb_")}
    wires = "".join(f"    wire [{width - 1}:0] u_{name};\n" for _, name, width in ports if name not in own)
    bus = "".join(f", .window_{name}(u_wb_{name})" for name in WINDOW_BUS)
    bus += ", .probes(w_probes)" if probes else ""
    connections = ", ".join(f".{name}({'w' if name in own else 'u'}_{name})" for _, name, _ in ports)
    return (
        f"{wires}    lab_base base (.clk(clk), .serial_rx(serial_rx), .serial_tx(serial_tx), .busy(busy), "
        ".sys_clk(u_clk), .window_rst(u_rst), .identifier_adr(u_identifier_adr), "
        f".identifier_dat(u_identifier_dat){bus});\n    {USER} user ({connections});\n"
    )


def _whole(target: Target, pins: Sequence[Mapping[str, Any]]) -> str:
    connections, driven = soc_connections(target, pins, "w_")
    bits = (target.control.identifier_words - 1).bit_length()
    tied = "".join(
        f"    assign w_{name} = 0;\n"
        for name, (_, direction) in window_ports(target).items()
        if direction == "o" and not name.startswith("wb_") and name not in driven
    )
    return (
        f"    wire [{bits - 1}:0] identifier_adr;\n    wire [7:0] identifier_dat;\n{tied}"
        "    lab_soc soc (.clk(clk), .serial_rx(serial_rx), .serial_tx(serial_tx), .busy(busy), "
        f".identifier_adr(identifier_adr), .identifier_dat(identifier_dat){connections});\n"
        "    lab_identifier identifier (.adr(identifier_adr), .dat(identifier_dat));\n"
    )
