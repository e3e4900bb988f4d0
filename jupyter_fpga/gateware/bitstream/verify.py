"""The step ``verify``: is a bitstream what its design says?

The netlist before synthesis and the bitstream's own are simulated side by side, asked the same over the serial line in
the same clock cycles, and must answer the same in the same cycles.

In the current folder: ``design.cc``, the bitstream as the step ``unpack`` left it; ``netlist.json`` and the files that
it names; ``manifest.json``; ``request.json`` with ``target``, ``clock_hz``, ``identifier``, ``seed``, ``rounds``,
for a person's whole SoC ``pins``, for a design with probes their bits (``probes``); the outputs of the step ``base``
where the environment's ``LAB_BASE`` says. Out of it comes ``verified.json``.
"""

import json
import os
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.manifest import Manifest
from jupyter_fpga.gateware.netlist import read_netlist
from jupyter_fpga.gateware.simulation._compiler import Compiler, Unit, find_compiler
from jupyter_fpga.gateware.simulation._cxxrtl import HOT, MORE, Generated, no_signals, part_condition
from jupyter_fpga.gateware.simulation._glue import soc_glue
from jupyter_fpga.gateware.simulation._identifier import identifier_source
from jupyter_fpga.gateware.targets import find_target
from jupyter_fpga.gateware.yosys import run_yosys

from ._board import START_CYCLES
from ._rtl import RTL, rtl_source
from ._transcript import Answer, Difference, Request, first_difference, requests_for, script_of

__all__ = ("run",)


def run(work: Path) -> None:
    """Run the step in the folder ``work``.

    Raises
    ------
    DesignError
        ``verification_failed``, with the first difference; ``not_verifiable`` where the netlist can't be simulated.
    """
    request = json.loads((work / "request.json").read_text("utf-8"))
    manifest = Manifest.loads((work / "manifest.json").read_text("utf-8"))
    requests = requests_for(manifest, request["seed"], request["rounds"])
    (work / "script").write_text(script_of(requests), "ascii")
    (work / "identifier.h").write_text(identifier_source(request["identifier"]), "utf-8")
    _write_netlist(work, request)
    _compile(find_compiler(), work)
    netlist, bitstream = (_ask(work / name, work, manifest, len(requests)) for name in ("netlist", "bitstream"))
    difference = first_difference(requests, netlist, bitstream)
    if difference is not None:
        raise _failed(difference, requests)
    verified = {"requests": len(requests), "cycles": netlist[-1].cycle, "seed": request["seed"]}
    (work / "verified.json").write_text(json.dumps(verified, indent=2) + "\n", "utf-8")


def _write_netlist(work: Path, request: dict[str, Any]) -> None:
    """``rtl.cc``: the design as it was before synthesis, in the same SoC."""
    target = find_target(request["target"])
    netlist = read_netlist(work)
    files = ["rtl.v"]
    if not netlist.whole_soc:
        shutil.copyfile(Path(os.environ["LAB_BASE"]) / "lab_base.v", work / "lab_base.v")
        files.insert(0, "lab_base.v")
    pins = request.get("pins", []) if netlist.whole_soc else None
    (work / "rtl.v").write_text(rtl_source(target, request["identifier"], pins, request.get("probes", 0)), "utf-8")
    run_yosys(
        [
            *netlist.read(),
            f"read_verilog {' '.join(files)}",
            f"hierarchy -check -top {RTL}",
            "write_cxxrtl -header -O6 -g4 -namespace lab_rtl generated.cc",
        ],
        work=work,
        log="verify.log",
        purpose="simulate the netlist",
    )
    design = Generated((work / "generated.h").read_text("utf-8"), (work / "generated.cc").read_text("utf-8"), RTL)
    if design.has_other_clocks:
        raise DesignError(
            "The build can't be verified: the design makes a clock of its own, whose edges the simulation of a netlist "
            "doesn't see (CXXRTL). Use the lab's clock with an enable, or build it without verify.",
            code="not_verifiable",
        )
    text = soc_glue(design, has_identifier=False, start=START_CYCLES)
    (work / "rtl.cc").write_text(text, "utf-8")


def _compile(compiler: Compiler, work: Path) -> None:
    harness = work / "harness"
    harness.mkdir()
    for file in resources.files("jupyter_fpga.gateware.simulation").joinpath("harness").iterdir():
        (harness / file.name).write_text(file.read_text("utf-8"), "utf-8")
    units = [Unit(f"harness/{name}.cc", f"{name}.o") for name in ("transcript", "machine")]
    programs: dict[str, list[str]] = {}
    for source, program in (("rtl.cc", "netlist"), ("design.cc", "bitstream")):
        text = (work / source).read_text("utf-8")
        parts = [part for part in (HOT, MORE) if part_condition(part) in text]
        programs[program] = [f"{program}{part}.o" for part in parts]
        units += [Unit(source, f"{program}{part}.o", flags=(f"-DLAB_PART={part}",)) for part in parts]
    # The table of signals is never asked for, but a board's class names it.
    signals = no_signals("rtl.cc", (work / "rtl.cc").read_text("utf-8"))
    (work / "signals.cc").write_text(signals, "utf-8")
    units.append(Unit("signals.cc", "netlist-signals.o", hot=False))
    programs["netlist"].append("netlist-signals.o")
    compiler.compile(units, include=["harness", "."], work=work)
    for program, objects in programs.items():
        compiler.link(["transcript.o", "machine.o", *objects], program, work=work)


def _ask(program: Path, work: Path, manifest: Manifest, count: int) -> list[Answer]:
    command = [str(program), "script", str(manifest.clock_hz), str(manifest.baud)]
    said = subprocess.run(command, cwd=work, check=True, stdout=subprocess.PIPE).stdout.decode("ascii").splitlines()
    assert len(said) == count
    return [_answer(line) for line in said]


def _answer(line: str) -> Answer:
    data, cycle, *outputs = line.split()
    return Answer(bytes.fromhex(data.strip("-")), int(cycle), tuple(map(int, outputs)))


def _failed(difference: Difference, requests: list[Request]) -> DesignError:
    before = requests[difference.number - 1].name if difference.number else "power-up"
    return DesignError(
        f"The bitstream isn't what the design says: {difference.request.name}, after {before} (access "
        f"{difference.number + 1} of {len(requests)}), {difference.how}. Look for what synthesis may read in two ways, "
        "such as a value that is undefined, or a memory that is read while the same word is written.",
        code="verification_failed",
    )
