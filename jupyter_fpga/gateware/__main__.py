"""``python -m jupyter_fpga.gateware STEP``: one step of a build, in the current folder.

Exit codes: 0 done; 3 the design is at fault, told in ``error.json``; anything else is a failure of the lab itself.
"""

import contextlib
import importlib
import json
import os
import sys
import traceback
from pathlib import Path

from jupyter_fpga.gateware.errors import EXIT_DESIGN_ERROR, DesignError
from jupyter_fpga.gateware.targets import TARGETS

#: Each step is the function ``run(work: Path)`` of a module; where there are two, the second is for targets with a
#: device.
STEPS: dict[str, tuple[str, ...]] = {
    "targets": ("jupyter_fpga.gateware.targets",),
    "base": ("jupyter_fpga.gateware.simulation.base", "jupyter_fpga.gateware.implementation.base"),
    "elaborate": ("jupyter_fpga.gateware.elaborate",),
    "simulate": ("jupyter_fpga.gateware.testbench",),
    "synthesize": ("jupyter_fpga.gateware.simulation.synthesize", "jupyter_fpga.gateware.implementation.synthesize"),
    "compile": ("jupyter_fpga.gateware.simulation.compile",),
    "place": ("jupyter_fpga.gateware.implementation.place",),
    "pack": ("jupyter_fpga.gateware.implementation.pack",),
    "unpack": ("jupyter_fpga.gateware.bitstream.unpack",),
    "verify": ("jupyter_fpga.gateware.bitstream.verify",),
}


def main(arguments: list[str]) -> int:
    """Run the step that ``arguments`` name, importing nothing that another one needs."""
    if len(arguments) != 1 or arguments[0] not in STEPS:
        print(f"usage: python -m jupyter_fpga.gateware {{{','.join(STEPS)}}}", file=sys.stderr)  # noqa: T201
        return 2
    work = Path.cwd()
    modules = STEPS[arguments[0]]
    try:
        importlib.import_module(modules[-1 if _is_for_device(work) else 0]).run(work)
    except DesignError as error:
        (work / "error.json").write_text(json.dumps(error.to_json(), indent=2) + "\n", "utf-8")
        if error.__cause__ is not None and not error.frames:
            # Nothing of the person's was running: what was, belongs into the log. They may have closed it.
            with contextlib.suppress(OSError, ValueError):
                traceback.print_exception(error.__cause__)
        return EXIT_DESIGN_ERROR
    return 0


def _is_for_device(work: Path) -> bool:
    """Whether the step's request names a target that designs are placed and routed for."""
    try:
        target = json.loads((work / "request.json").read_text("utf-8")).get("target")
    except FileNotFoundError:
        return False
    # What isn't among them is a platform of litex_boards.
    return target is not None and (target not in TARGETS or TARGETS[target].implemented)


def _same_hashes() -> None:
    """Start again with a fixed hash seed: a design that walks over a set of strings must always give one netlist."""
    if sys.flags.hash_randomization and os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


if __name__ == "__main__":
    if sys.argv[1:] in (["elaborate"], ["simulate"]):
        _same_hashes()
    sys.exit(main(sys.argv[1:]))
