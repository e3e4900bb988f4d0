"""The step ``compile``: from C++ to the program that is the board.

In the current folder: ``design.cc``, and ``request.json`` with the ``identifier`` that the board shall answer. The
outputs of the step ``base`` are in ``/base``, or where ``LAB_BASE`` says. Out of it comes ``simulator``.
"""

import json
import os
from pathlib import Path

from jupyter_fpga.gateware.simulation._compiler import Unit, find_compiler
from jupyter_fpga.gateware.simulation._cxxrtl import COLD, HOT, MORE, part_condition
from jupyter_fpga.gateware.simulation._identifier import identifier_source

__all__ = ("HARNESS_OBJECTS", "base_objects", "run")

#: What a program needs besides its SoC.
HARNESS_OBJECTS = ("main.o", "machine.o", "control.o", "trace.o", "capture.o")

_BASE_MORE = "base_more.o"


def base_objects(base: Path) -> tuple[str, ...]:
    """What a program needs besides its window and the harness: the base, which is in three when it is large."""
    more = (_BASE_MORE,) if (base / _BASE_MORE).exists() else ()
    return ("base_board.o", "base_debug.o", *more)


def run(work: Path) -> None:
    """Run the step in the folder ``work``."""
    base = Path(os.environ.get("LAB_BASE", "/base"))
    identifier = str(json.loads((work / "request.json").read_text("utf-8"))["identifier"])
    (work / "identifier.h").write_text(identifier_source(identifier), "utf-8")
    compiler = find_compiler()
    source = (work / "design.cc").read_text("utf-8")
    units = [
        Unit("design.cc", name, hot=part != COLD, flags=(f"-DLAB_PART={part}",))
        for part, name in ((HOT, "design.o"), (MORE, "more.o"), (COLD, "debug.o"))
        if part_condition(part) in source
    ]
    compiler.compile(units, include=[str(base)], work=work)
    whole_soc = "make_board" in source
    objects = HARNESS_OBJECTS if whole_soc else (*HARNESS_OBJECTS, *base_objects(base))
    compiler.link([*(unit.output for unit in units), *(str(base / name) for name in objects)], "simulator", work=work)
