"""Stands ready in a warm sandbox: ``python -P waiting.py DESCRIPTOR MODULE[:WHAT]…``.

It imports what programs of its kind will import, calls ``MODULE.prepare(WHAT)`` where that is asked for, says so with a
byte, and waits for one line: which module to run as ``python -m`` would, with which arguments and within which limits.
It runs that once, in this very interpreter, and ends with it. Nothing of anybody was here before: what the program
finds is what a fresh interpreter would have imported a moment later.
"""

import importlib
import json
import os
import resource
import runpy
import sys
import types
from contextlib import suppress


def _wait(descriptor: int, modules: list[str]) -> str:
    """The module to run; everything else is prepared for it."""
    for name in modules:
        module, _, about = name.partition(":")
        with suppress(ImportError):  # not installed: the design will be told
            imported = importlib.import_module(module)
            if about:
                imported.prepare(about)
    os.write(descriptor, b"\x01")
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(descriptor, 65536)
        if not piece:
            os._exit(125)  # nobody needs it
        line += piece
    os.close(descriptor)
    order = json.loads(line)
    for kind, value in order["limits"]:
        if kind == resource.RLIMIT_CPU:
            # The kernel counts from the interpreter's start; the program's time begins here.
            value += int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2])) + 1
        _, most = resource.getrlimit(kind)
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (value, value))
    sys.argv[:] = ["-m", *order["arguments"]]
    sys.orig_argv[:] = order["command"]
    return str(order["module"])


if __name__ == "__main__":
    _module = _wait(int(sys.argv[1]), sys.argv[2:])
    # The program's global names are its own, and what the interpreter puts there at first.
    _main = sys.modules["__main__"] = types.ModuleType("__main__")
    if "__annotations__" in globals():
        _main.__annotations__ = {}
    # What the interpreter itself calls for -m: unlike run_module, it leaves the module as the main one to the end.
    runpy._run_module_as_main(_module)  # type: ignore[attr-defined]
