"""The step ``synthesize``: from a netlist to C++, with a board around it that the harness knows how to drive.

In the current folder: ``netlist.json`` and the files that it names. Out of it come ``design.cc``, ``top.v`` (the design
in Verilog, for people) and ``report.json``.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.simulation._cxxrtl import Generated
from jupyter_fpga.gateware.simulation._glue import soc_glue, window_glue
from jupyter_fpga.gateware.simulation._netlist import clean_rtlil
from jupyter_fpga.gateware.simulation._yosys import run_yosys

__all__ = ("run",)

_NAMESPACE = "lab_design"

#: Half of what the lab lets the process of a simulated board use.
_MEMORY_BYTES = 256 << 20

#: What a simulation has no use for: prints and checks reach the process itself, and format strings are text.
_REMOVED = ("$print", "$check", "$assert", "$assume", "$live", "$fair", "$cover", "$scopeinfo")


def run(work: Path) -> None:
    """Run the step in the folder ``work``."""
    netlist = json.loads((work / "netlist.json").read_text("utf-8"))
    top = "lab_soc" if netlist.get("whole_soc") else "lab_window"
    if netlist["language"] == "verilog":
        _read_verilog(work, netlist["files"], top)
        shutil.copyfile(work / netlist["files"][0], work / "top.v")
        source = "read.il"
    else:
        (source,) = netlist["files"]
    with (
        open(work / source, encoding="utf-8", errors="surrogateescape") as lines,
        open(work / "clean.il", "w", encoding="utf-8", errors="surrogateescape") as output,
    ):
        output.writelines(clean_rtlil(lines))
    commands = ["read_rtlil clean.il", f"hierarchy -check -top {top}"]
    if netlist["language"] == "rtlil":
        commands += ["design -save read", "proc", "write_verilog -noattr top.v", "design -load read"]
    commands += [
        "proc",
        *(f"delete */t:{kind}" for kind in _REMOVED),
        f"write_cxxrtl -header -O6 -g4 -namespace {_NAMESPACE} generated.cc",
    ]
    run_yosys(commands, work=work, log="synthesize.log")
    design = Generated((work / "generated.h").read_text("utf-8"), (work / "generated.cc").read_text("utf-8"), top)
    _check_fits(design)
    glue = soc_glue(design) if netlist.get("whole_soc") else window_glue(design)
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


def _read_verilog(work: Path, files: list[str], top: str) -> None:
    """Read Verilog into ``read.il``; it can only be made harmless there."""
    for name in files:
        if not (work / name).is_file() or set(name) & set(" \t\n;#\"'"):
            raise DesignError(f"The netlist names the file {name!r}, which isn't there.", code="synthesis_failed")
    run_yosys(
        [
            *(f"read_verilog -sv {name}" for name in files),
            f"hierarchy -check -top {top}",
            "proc",
            "write_rtlil read.il",
        ],
        work=work,
        log="read.log",
    )


def _report(design: Generated) -> dict[str, Any]:
    memories = design.memories()
    return {
        "registers_bits": design.register_bits,
        "memories": [{"width": width, "depth": depth} for _, width, depth in memories],
        "memory_bits": sum(width * depth for _, width, depth in memories),
        "only_rising_clock": design.only_rising_clock,
    }
