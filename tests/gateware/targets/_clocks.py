"""Whether clocks can be made: asked of LiteX in a process of its own, since it changes the one that it is in."""

import json
import subprocess
import sys
from collections.abc import Iterable

_PROGRAM = """
import contextlib, io, json, logging, sys
logging.disable(logging.CRITICAL)
from migen import Signal
from jupyter_fpga.gateware._clocking import Clocking
from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.targets import find_target
for line in sys.stdin:
    name, clocks = json.loads(line)
    failed, target = [], find_target(name)
    for clock in clocks if not target.simulated else ():
        try:
            Clocking(target, clock, Signal(), Signal())
        except DesignError as error:
            failed.append(str(error))
    print(json.dumps(failed))
"""


def impossible(name: str, clocks: Iterable[int]) -> list[str]:
    """What the lab says of those of the ``clocks`` (Hz) that a target can't make."""
    (failed,) = impossible_of([(name, list(clocks))])
    return failed


def impossible_of(asked: list[tuple[str, list[int]]]) -> list[list[str]]:
    """The same of several targets."""
    lines = "".join(f"{json.dumps(one)}\n" for one in asked)
    finished = subprocess.run([sys.executable, "-c", _PROGRAM], input=lines, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in finished.stdout.splitlines()]
