"""The step ``synthesize``: from a netlist to C++, with a board around it that the harness knows how to drive.

In the current folder: ``netlist.json`` and the files that it names. Out of it come ``design.cc``, ``top.v`` (the design
in Verilog, for people) and ``report.json``.
"""

import json
from pathlib import Path
from typing import Any

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.netlist import read_netlist
from jupyter_fpga.gateware.simulation._cxxrtl import Generated
from jupyter_fpga.gateware.simulation._glue import soc_glue, window_glue
from jupyter_fpga.gateware.yosys import run_yosys

__all__ = ("run",)

_NAMESPACE = "lab_design"

#: Half of what the lab lets the process of a simulated board use.
_MEMORY_BYTES = 256 << 20


def run(work: Path) -> None:
    """Run the step in the folder ``work``."""
    netlist = read_netlist(work)
    write = f"write_cxxrtl -header -O6 -g4 -namespace {_NAMESPACE} generated.cc"
    run_yosys([*netlist.read(), write], work=work, log="synthesize.log")
    top = netlist.top
    design = Generated((work / "generated.h").read_text("utf-8"), (work / "generated.cc").read_text("utf-8"), top)
    _check_fits(design)
    glue = soc_glue(design) if netlist.whole_soc else window_glue(design)
    (work / "design.cc").write_text(glue, "utf-8")
    (work / "report.json").write_text(json.dumps(_report(design), indent=2) + "\n", "utf-8")


def _check_fits(design: Generated) -> None:
    # CXXRTL keeps each word of a memory in chunks of 32 bits.
    size = sum(depth * -(-width // 32) * 4 for _, width, depth in design.memories())
    if size > _MEMORY_BYTES:
        raise DesignError(
            f"The design's memories take {-(-size >> 20):,} MiB, and a simulated board has {_MEMORY_BYTES >> 20} MiB "
            "for them; make them smaller.",
            code="does_not_fit",
        )


def _report(design: Generated) -> dict[str, Any]:
    memories = design.memories()
    return {
        "registers_bits": design.register_bits,
        "memories": [{"width": width, "depth": depth} for _, width, depth in memories],
        "memory_bits": sum(width * depth for _, width, depth in memories),
        "only_rising_clock": design.only_rising_clock,
    }
