"""The step ``base``: LabSoC with an open window, compiled, and the idle board.

In the current folder: ``request.json`` with ``target``, ``sys_clk_freq`` (Hz or null), ``identifier``, what the idle
board shall answer, and for designs with probes ``analyzer`` (``width``, ``depth``). Out of it come object files,
headers and what a compiler can know of them in advance, for the step ``compile``; ``simulator``, the board that nobody
has programmed, with its ``manifest.json``, ``csr.json`` and ``csr.csv``; ``base.json``, which says what this is.
"""

import hashlib
import json
from importlib import resources
from pathlib import Path

from jupyter_fpga.gateware._base_soc import analyzer_of, describe_base, elaborate_base
from jupyter_fpga.gateware.simulation._compiler import Compiler, Unit, find_compiler
from jupyter_fpga.gateware.simulation._cxxrtl import COLD, HOT, MORE, Generated, part_condition
from jupyter_fpga.gateware.simulation._identifier import identifier_source
from jupyter_fpga.gateware.simulation.compile import HARNESS_OBJECTS, base_objects
from jupyter_fpga.gateware.targets import find_target
from jupyter_fpga.gateware.yosys import run_yosys

__all__ = ("run",)

_COUNTER = "p_ctrl__cycles"
_WRITE = "write_cxxrtl -header -O6 -g4 -namespace {namespace} {file}"


def run(work: Path) -> None:
    """Run the step in the folder ``work``."""
    request = json.loads((work / "request.json").read_text("utf-8"))
    target = find_target(request["target"])
    clock_hz = int(request.get("sys_clk_freq") or target.clock_hz)
    identifier = str(request["identifier"])
    analyzer = analyzer_of(request)
    verilog, files = elaborate_base(target, clock_hz, analyzer)
    (work / "lab_base.v").write_text(verilog, "utf-8")
    for name, content in files.items():
        (work / name).write_text(content, "utf-8")
    _copy_sources(work)
    compiler = find_compiler()
    run_yosys(
        [
            "read_verilog lab_base.v",
            "hierarchy -check -top lab_base",
            _WRITE.format(namespace="lab_base_soc", file="base_soc.cc"),
        ],
        work=work,
        log="base.log",
    )
    _write_soc(work, probed=analyzer is not None)
    _compile(compiler, work, identifier)
    description = {
        "target": target.name,
        "clock_hz": clock_hz,
        "baud": target.baud(clock_hz),
        "fifo_depth": target.fifo_depth,
        "compiler": compiler.kind,
        "digest": _digest(work, verilog),
    }
    (work / "base.json").write_text(json.dumps(description, indent=2) + "\n", "utf-8")
    describe_base(target, clock_hz, identifier, work)


def _copy_sources(work: Path) -> None:
    for source in resources.files(__package__).joinpath("harness").iterdir():
        (work / source.name).write_text(source.read_text("utf-8"), "utf-8")


def _write_soc(work: Path, *, probed: bool) -> None:
    soc = Generated((work / "base_soc.h").read_text("utf-8"), (work / "base_soc.cc").read_text("utf-8"), "lab_base")
    if not soc.only_rising_clock:
        raise AssertionError("base_board.cc evaluates the base at rising edges only, but the base looks at more.")
    (identifier,) = (name for name, width, depth in soc.memories() if (width, depth) == (8, 64))
    text = soc.text("")
    # base_board.cc counts by itself while nothing else changes, so it must be told of everything but the counter.
    commit = f"{_COUNTER}.commit(observer);"
    if f"changed |= {commit}" not in text or soc.members[_COUNTER] != ("wire", 64):
        raise AssertionError(f"The base's cycle counter isn't the register {_COUNTER} of 64 bits.")
    (work / "base_soc.h").write_text(
        f'#include "board.h"\n#define LAB_BASE_SOC {soc.namespace}::{soc.type}\n'
        f"#define LAB_IDENTIFIER_MEMORY {identifier}\n#define LAB_CYCLE_COUNTER {_COUNTER}\n"
        + ("#define LAB_PROBES\n" if probed else "")
        + text.replace(f"changed |= {commit}", commit),
        "utf-8",
    )


def _compile(compiler: Compiler, work: Path, identifier: str) -> None:
    (work / "identifier.cc").write_text(f'#include "board.h"\n{identifier_source(identifier)}', "utf-8")
    # With an analyzer it is so large that a half is compiled by itself.
    is_large = part_condition(MORE) in (work / "base_soc.h").read_text("utf-8")
    more = [Unit("base_soc.h", "base_more.o", flags=(f"-DLAB_PART={MORE}", "-O2", "-xc++"))] if is_large else []
    compiler.compile(
        [
            # Compiled once, so it may take longer: -O2 makes it run a fifth faster.
            Unit("base_board.cc", "base_board.o", flags=(f"-DLAB_PART={HOT}", "-O2")),
            *more,
            Unit("main.cc", "main.o"),
            Unit("machine.cc", "machine.o"),
            Unit("control.cc", "control.o"),
            Unit("trace.cc", "trace.o"),
            Unit("capture.cc", "capture.o"),
            Unit("base_soc.h", "base_debug.o", hot=False, flags=(f"-DLAB_PART={COLD}", "-xc++")),
            Unit("empty_window.cc", "empty_window.o"),
            Unit("identifier.cc", "identifier.o", hot=False),
        ],
        include=["."],
        work=work,
    )
    compiler.link([*HARNESS_OBJECTS, *base_objects(work), "empty_window.o", "identifier.o"], "simulator", work=work)


def _digest(work: Path, verilog: str) -> str:
    """What the base is: its SoC and the harness around it, not who compiled it."""
    digest = hashlib.sha256(verilog.encode())
    for source in sorted(resources.files(__package__).joinpath("harness").iterdir(), key=lambda item: item.name):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()
