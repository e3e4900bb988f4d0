"""The step ``unpack``: an iCE40's bitstream, back to logic, as C++ for the step ``compile``.

In the current folder: ``bitstream``, and ``request.json`` with ``target`` and ``clock_hz``. Nothing else of the build
is looked at, so that what is simulated is what would be flashed. Out of it comes ``design.cc``.
"""

import json
from pathlib import Path

from jupyter_fpga.gateware.targets import find_target

from ._board import board_source
from ._chip import read_bitstream
from ._clusters import clusters_of
from ._program import Program

__all__ = ("run",)


def run(work: Path) -> None:
    """Run the step in the folder ``work``.

    Raises
    ------
    DesignError
        ``no_model``: the bitstream has something that the simulation has no model of.
    """
    request = json.loads((work / "request.json").read_text("utf-8"))
    target = find_target(request["target"])
    netlist = read_bitstream(target, work)
    program = Program(netlist, clusters_of(netlist), "pad_clk")
    (work / "design.cc").write_text(board_source(netlist, program, target, int(request["clock_hz"])), "utf-8")
