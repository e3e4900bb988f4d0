"""The simulation step: a work folder in, what happened out."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_fpga.gateware.elaborate._program import execute
from jupyter_fpga.gateware.elaborate._request import Request
from jupyter_fpga.gateware.elaborate._source import Source
from jupyter_fpga.gateware.errors import DesignError

__all__ = ("run",)

SIMULATION = "simulation.json"
#: Of the time that the program has: then it ends by itself, and keeps what it has.
_SHARE = 0.8
#: Hz: the simulator counts femtoseconds.
_FASTEST = 10**11


def run(work: Path) -> None:
    """Simulate what is in ``work`` and write ``simulation.json`` there.

    ``request.json`` is that of the step ``elaborate``, and may have ``until`` besides:
    ``{"cycles": 500}`` or ``{"seconds": 1e-6}``.

    Raises
    ------
    DesignError
        The design or a testbench is at fault.
    """
    work = work.resolve()
    request = _request(work / "request.json")
    source = Source(work / "source", request.entry)
    if source.is_verilog:
        raise DesignError(
            "The simulation is of designs in Amaranth, and this one is Verilog; run it on a simulated board instead.",
            code="not_simulatable",
        )
    before = Path.cwd()
    try:
        _simulate(work, source, request)
    except DesignError as error:
        if error.file and error.text is None:
            error.text = source.line_text(error.file, error.line)
        raise
    finally:
        os.chdir(before)


def _request(path: Path) -> Request:
    """What is asked for; the clock may be any, since there is no UART that needs it."""
    clock_hz = json.loads(path.read_text("utf-8")).get("sys_clk_freq")
    request = Request.load(path, with_clock=False)
    if clock_hz is None:
        return request
    if not 1 <= clock_hz <= _FASTEST:
        raise DesignError(
            f"A clock of {clock_hz} Hz can't be simulated; one between 1 Hz and {_FASTEST / 1e9:g} GHz can.",
            code="bad_clock",
        )
    return replace(request, clock_hz=int(clock_hz))


def _simulate(work: Path, source: Source, request: Request) -> None:
    # Amaranth is imported only here: a text that Python can't read needn't wait for it.
    from ._asserts import tell_what_is_compared

    program = execute(source, request.params, tell_what_is_compared)

    from ._design import DUT, find_design
    from ._functions import find_functions
    from ._simulation import Clock, Simulation, Until

    name, dut = find_design(program, request)
    program.module.__dict__.setdefault(DUT, dut)
    functions = find_functions(program, dut)
    until = Until(**json.loads((work / "request.json").read_text("utf-8")).get("until") or {})
    simulation = Simulation(dut, functions, Clock(request.clock_hz), source)
    try:
        simulation.run(until, _SHARE * float(os.environ.get("LAB_SECONDS", "60")))
    finally:
        about: dict[str, Any] = {
            "top": type(dut).__name__ if re.fullmatch(r"dut|top", name) else name,
            "clock_hz": request.clock_hz,
            "cycles": simulation.cycles,
            "testbenches": list(functions.testbenches),
            "ended": simulation.ended,
            "waveform": simulation.waveform(),
        }
        (work / SIMULATION).write_text(json.dumps(about, separators=(",", ":")), "utf-8")
