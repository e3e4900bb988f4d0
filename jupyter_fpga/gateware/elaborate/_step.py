"""The elaboration step: a work folder in, a netlist and its manifest out."""

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

from jupyter_fpga.gateware.csr import csr_map
from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.manifest import Analyzer, DesignWarning, Manifest, Window

from ._blame import person_errors
from ._find import Top, find_top
from ._netlist import Outcome
from ._params import check_known, constructor_arguments
from ._probes import add_probes
from ._program import Program, execute
from ._request import Request
from ._source import Source

__all__ = ("elaborate", "run")

_FILES = {"rtlil": "netlist.il", "verilog": "netlist.v"}


def run(work: Path) -> None:
    """Elaborate what is in ``work`` and write ``netlist.*``, ``netlist.json``, ``manifest.json``, ``csr.*`` and, with
    probes, ``analyzer.csv`` there.

    Raises
    ------
    DesignError
        The design is at fault.
    """
    work = work.resolve()
    request = Request.load(work / "request.json")
    source = Source(work / "source", request.entry)
    before = Path.cwd()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            outcome = elaborate(source, request)
    except DesignError as error:
        _hush_amaranth()
        if error.file and error.text is None:
            error.text = source.line_text(error.file, error.line)
        raise
    finally:
        os.chdir(before)
    outcome.warnings += _own_warnings(caught, source)
    analyzer = add_probes(outcome, source, request) if request.probes else None
    manifest = _manifest(outcome, request, analyzer)
    _write(work, outcome, manifest)


def elaborate(source: Source, request: Request) -> Outcome:
    """The design in the form that it has."""
    if source.is_verilog:
        from ._verilog import elaborate_verilog

        return elaborate_verilog(source, request)
    program = execute(source, request.params)
    top = find_top(program, request.top, lambda cls: _make(program, cls, request))
    return _elaborate_top(program, top, request)


def _elaborate_top(program: Program, top: Top, request: Request) -> Outcome:
    if top.form in ("litex_module", "litex_soc"):
        from ._litex import elaborate_litex

        return elaborate_litex(program, top, request)
    from ._amaranth import elaborate_amaranth

    if top.is_class:
        design = _make(program, top.made, request)
    else:
        check_known(program, request.params, [])
        design = top.made
    return elaborate_amaranth(program, top, design, request)


def _make(program: Program, cls: type, request: Request) -> Any:
    with person_errors(program.source):
        return cls(**constructor_arguments(program, cls, request.params))


def _hush_amaranth() -> None:
    """Say nothing at exit about parts of a design that were not used because the design failed."""
    library = sys.modules.get("amaranth.hdl._ir")
    if library is not None:
        library.UnusedElaboratable._MustUse__silence = True


def _own_warnings(caught: list[warnings.WarningMessage], source: Source) -> list[DesignWarning]:
    """Python's warnings about the person's lines, each once."""
    found = []
    for warning in caught:
        file = source.own_name(warning.filename)
        if file is not None:
            found.append(DesignWarning(" ".join(str(warning.message).split()), file, warning.lineno))
    return list(dict.fromkeys(found))


def _manifest(outcome: Outcome, request: Request, analyzer: Analyzer | None) -> Manifest:
    target = request.target
    base = target.window.base if outcome.window_base is None else outcome.window_base
    return Manifest(
        target=target.name,
        form=outcome.form,
        top=outcome.top,
        clock_hz=request.clock_hz,
        baud=request.baud,
        fifo_depth=target.fifo_depth,
        answer_depth=target.answer_depth,
        window=Window(base, outcome.window_size),
        control=target.control,
        registers=outcome.registers,
        memories=outcome.memories,
        pins=outcome.pins,
        warnings=outcome.warnings,
        parameters=request.params,
        analyzer=analyzer,
    )


def _write(work: Path, outcome: Outcome, manifest: Manifest) -> None:
    name = _FILES[outcome.language]
    netlist = {
        "language": outcome.language,
        "files": [name],
        "top": "lab_soc" if outcome.whole_soc else "lab_window",
        "whole_soc": outcome.whole_soc,
    }
    csr = outcome.csr or csr_map(manifest)
    (work / name).write_text(outcome.netlist, "utf-8")
    (work / "netlist.json").write_text(json.dumps(netlist, indent=2) + "\n", "utf-8")
    (work / "manifest.json").write_text(manifest.dumps(), "utf-8")
    (work / "csr.json").write_text(csr.to_json(), "utf-8")
    (work / "csr.csv").write_text(csr.to_csv(), "utf-8")
    if manifest.analyzer is not None:
        (work / "analyzer.csv").write_text(manifest.analyzer.to_csv(manifest.clock_hz), "utf-8")
