"""Stands in for ``python -m jupyter_fpga.gateware``: the same files, with a design that is Python to be run as it is.

Every stage writes what it was given; the design may do as it likes, as a person's would.
"""

import json
import os
import pathlib
import sys


def here(name: str) -> pathlib.Path:
    return pathlib.Path(name)


def elaborate() -> None:
    request = json.loads(here("request.json").read_text())
    text = (here("source") / request["entry"]).read_text()
    names = {"request": request, "netlist": text.partition("#")[0]}
    exec(text, names)
    netlist = str(names["netlist"])
    here("netlist.il").write_text(netlist)
    about = {"language": "rtlil", "files": ["netlist.il"], "top": "lab_window", "whole_soc": False}
    here("netlist.json").write_text(json.dumps(about))
    here("manifest.json").write_text(json.dumps(manifest("verilog")))
    here("csr.json").write_text("{}")
    here("csr.csv").write_text("")


def manifest(form: str) -> dict[str, object]:
    control = {"scratch": 0, "bus_errors": 4, "cycles": 8, "overflow": 16, "identifier": 64, "identifier_words": 64}
    return {
        "target": "simulated",
        "form": form,
        "top": "top",
        "clock_hz": 12_000_000,
        "baud": 1_000_000,
        "fifo_depth": 1024,
        "window": {"base": 0, "size": 4},
        "control": control,
        "digest": "",
        "identifier": "",
        "registers": [],
        "memories": [],
        "pins": [],
        "warnings": [],
    }


def synthesize() -> None:
    print("synthesizing")
    here("design.cc").write_text(here("netlist.il").read_text())
    here("report.json").write_text("{}")


def base() -> None:
    identifier = json.loads(here("request.json").read_text())["identifier"]
    here("base.o").write_text("base")
    here("simulator").write_text("base")
    here("simulator").chmod(0o755)
    here("manifest.json").write_text(json.dumps({**manifest("base"), "identifier": identifier}))


def compile() -> None:
    identifier = json.loads(here("request.json").read_text())["identifier"]
    base = (pathlib.Path(os.environ["LAB_BASE"]) / "base.o").read_text()
    here("simulator").write_text(f"{base}\n{here('design.cc').read_text()}\n{identifier}")
    here("simulator").chmod(0o755)


globals()[sys.argv[1]]()
