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

from jupyter_fpga.gateware._base_soc import analyzer_of, describe_base, elaborate_base, elaborate_phy
from jupyter_fpga.gateware.simulation._compiler import Compiler, Unit, find_compiler
from jupyter_fpga.gateware.simulation._cxxrtl import COLD, HOT, MORE, Generated, part_condition
from jupyter_fpga.gateware.simulation._identifier import identifier_source
from jupyter_fpga.gateware.simulation.compile import HARNESS_OBJECTS, base_objects
from jupyter_fpga.gateware.targets import find_target
from jupyter_fpga.gateware.yosys import run_yosys

__all__ = ("run",)

_COUNTER = "p_ctrl__cycles"
_SILENCE = "p_lab__silence"
#: What looks at the count of silence looks at so many of its upper bits, or for the last count there is.
_SILENCE_EVENTS = 5
_WRITE = "write_cxxrtl -header -O6 -g4 -namespace {namespace} {file}"


def run(work: Path) -> None:
    """Run the step in the folder ``work``."""
    request = json.loads((work / "request.json").read_text("utf-8"))
    target = find_target(request["target"])
    clock_hz = int(request.get("sys_clk_freq") or target.clock_hz)
    identifier = str(request["identifier"])
    analyzer = analyzer_of(request)
    base, files = elaborate_base(target, clock_hz, analyzer)
    verilog = {"lab_base": base, "lab_phy": elaborate_phy(target, clock_hz)}
    for name, text in verilog.items():
        (work / f"{name}.v").write_text(text, "utf-8")
    for name, content in files.items():
        (work / name).write_text(content, "utf-8")
    _copy_sources(work)
    compiler = find_compiler()
    for name in verilog:
        run_yosys(
            [
                f"read_verilog {name}.v",
                f"hierarchy -check -top {name}",
                _WRITE.format(namespace=f"{name}_soc", file=f"{name}.cc"),
            ],
            work=work,
            log=f"{name}.log",
        )
    _write_soc(work, probed=analyzer is not None)
    _compile(compiler, work, identifier)
    description = {
        "target": target.name,
        "clock_hz": clock_hz,
        "baud": target.baud(clock_hz),
        "fifo_depth": target.fifo_depth,
        "compiler": compiler.kind,
        "digest": _digest(verilog),
    }
    (work / "base.json").write_text(json.dumps(description, indent=2) + "\n", "utf-8")
    describe_base(target, clock_hz, identifier, work)


def _copy_sources(work: Path) -> None:
    for source in resources.files(__package__).joinpath("harness").iterdir():
        (work / source.name).write_text(source.read_text("utf-8"), "utf-8")


def _write_soc(work: Path, *, probed: bool) -> None:
    soc, phy = (
        Generated((work / f"{name}.h").read_text("utf-8"), (work / f"{name}.cc").read_text("utf-8"), name)
        for name in ("lab_base", "lab_phy")
    )
    if not (soc.only_rising_clock and phy.only_rising_clock):
        raise AssertionError("base_board.cc evaluates the base at rising edges only, but the base looks at more.")
    (identifier,) = (name for name, width, depth in soc.memories() if (width, depth) == (8, 64))
    # base_board.cc counts by itself while nothing else changes, so it must be told of everything but the counters.
    (watchdog,) = (name for name in soc.members if name.endswith("__bone__count"))
    counters = {"CYCLE_COUNTER": _COUNTER, "SILENCE": _SILENCE, "WATCHDOG": watchdog}
    for name in counters.values():
        if soc.members[name][0] != "wire":
            raise AssertionError(f"The base's {name} isn't a register.")
    names = {
        "BASE_SOC": f"{soc.namespace}::{soc.type}",
        "PHY": f"{phy.namespace}::{phy.type}",
        "IDENTIFIER_MEMORY": identifier,
        "SILENCE_STEP": str(1 << soc.members[_SILENCE][1] - _SILENCE_EVENTS),
        **counters,
    }
    (work / "base_soc.h").write_text(
        '#include "board.h"\n'
        + "".join(f"#define LAB_{name} {what}\n" for name, what in names.items())
        + ("#define LAB_PROBES\n" if probed else "")
        + soc.text("", whole=True, uncounted=counters.values())
        + phy.text("", whole=True),
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


def _digest(verilog: dict[str, str]) -> str:
    """What the base is: its SoC and the harness around it, not who compiled it."""
    digest = hashlib.sha256("".join(verilog.values()).encode())
    for source in sorted(resources.files(__package__).joinpath("harness").iterdir(), key=lambda item: item.name):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()
