"""A bitstream as a netlist: iceunpack, icebox and Yosys."""

import json
import os
import shlex
import subprocess
from pathlib import Path

from jupyter_fpga.gateware.implementation._families import constraints_of
from jupyter_fpga.gateware.implementation._tools import run_tool
from jupyter_fpga.gateware.targets import Target
from jupyter_fpga.gateware.yosys import run_yosys

from ._netlist import Netlist, read_netlist

__all__ = ("read_bitstream",)

_MODULE = "chip"

#: What icebox leaves as it is: Yosys need only know which way its ports go. Each may be with the falling edge, too.
_CELLS = """\
module SB_RAM40_4K{suffix} (
    output [15:0] RDATA, input RCLK{read}, RCLKE, RE, input [10:0] RADDR,
    input WCLK{write}, WCLKE, WE, input [10:0] WADDR, input [15:0] MASK, WDATA
);
    parameter READ_MODE = 0, WRITE_MODE = 0;
    parameter {contents};
endmodule
"""
_PLLS = """\
module SB_PLL40_PAD (
    input PACKAGEPIN, output PLLOUTCORE, PLLOUTGLOBAL, input EXTFEEDBACK, input [7:0] DYNAMICDELAY, output LOCK,
    input BYPASS, RESETB, LATCHINPUTVALUE, output SDO, input SDI, SCLK
);
    parameter FEEDBACK_PATH = "", DELAY_ADJUSTMENT_MODE_FEEDBACK = "", DELAY_ADJUSTMENT_MODE_RELATIVE = "";
    parameter PLLOUT_SELECT = "", SHIFTREG_DIV_MODE = 0, FDA_FEEDBACK = 0, FDA_RELATIVE = 0, DIVR = 0, DIVF = 0;
    parameter DIVQ = 0, FILTER_RANGE = 0, ENABLE_ICEGATE = 0, TEST_MODE = 0;
endmodule
"""


def read_bitstream(target: Target, work: Path) -> Netlist:
    """The netlist of the file ``bitstream`` in the folder ``work``, for a device and pins like those of ``target``."""
    assert target.device is not None
    # icebox knows vectors only by halves: each pin gets a name of its own.
    pins = "".join(
        f"set_io {constraint.port.replace('[', '_').rstrip(']')} {constraint.pin}\n"
        for constraint in constraints_of(target)
    )
    (work / "icebox.pcf").write_text(pins, "utf-8")
    run_tool("iceunpack", ["bitstream", "chip.asc"], work=work, log="iceunpack.log")
    icebox = shlex.split(os.environ["ICEBOX_VLOG"])
    options = ["-s", "-n", _MODULE, "-p", "icebox.pcf", "-d", target.device.package, "chip.asc"]
    verilog = subprocess.run([*icebox, *options], cwd=work, check=True, stdout=subprocess.PIPE).stdout.decode()
    (work / "chip.v").write_text(verilog, "utf-8")
    contents = ", ".join(f"INIT_{index:X} = 256'h0" for index in range(16))
    cells = _PLLS + "".join(
        _CELLS.format(suffix=suffix, read="N" * ("NR" in suffix), write="N" * ("NW" in suffix), contents=contents)
        for suffix in ("", "NR", "NW", "NRNW")
    )
    (work / "cells.v").write_text(cells, "utf-8")
    run_yosys(
        [
            'logger -nowarn "limited support for tri-state logic"',
            "read_verilog -lib cells.v",
            "read_verilog chip.v",
            f"hierarchy -check -top {_MODULE}",
            # Its own optimizations would take a pin that is never driven for one that is low.
            "proc -noopt",
            "tribuf",
            # Flip-flops begin at 0, whatever icebox doesn't say; then nothing may be made of not knowing it.
            "setundef -init -zero",
            "opt -full",
            "simplemap",
            "opt",
            "simplemap",
            "clean",
            "write_json chip.json",
        ],
        work=work,
        log="unpack.log",
        purpose="read the bitstream's netlist",
    )
    module = json.loads((work / "chip.json").read_text("utf-8"))["modules"][_MODULE]
    return read_netlist(module, verilog)
