"""Starts labs for the crash tests: ``jupyter fpga serve`` with something that may happen at each checkpoint.

    python nursery.py < commands

A command is a line of JSON: ``{"argv": […], "plan": path, "log": path}``. Each makes one lab, in a process of its own
that is forked from this one, in which everything is imported already: the tests start hundreds of them. Answers are
lines of JSON, too: what the lab tells when it is ready (its url, token and pid), and ``{"ended": status}`` when it has
ended.

The plan is a JSON file that is looked at whenever the lab passes a checkpoint; while it isn't there nothing happens.
``"passed"``: file to which the checkpoint's name is appended. ``"kill"``: the lab kills itself at this one, its name
followed by ``#`` and how often it was passed with this plan. ``"number"``: tells the plan from the one before.
``"lose"``: prefixes of names; at these the board that was programmed last is killed.
"""

import ctypes
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import jupyter_fpga.lab
from jupyter_fpga.cli import serve  # noqa: F401 (what a lab imports when it starts, imported once)
from jupyter_fpga.cli.app import main
from jupyter_fpga.fpga.drivers import SimulatedDriver
from jupyter_fpga.fpga.service import Fpga

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
"""Of linux/prctl.h."""


class Checkpoints:
    """Carries out a plan."""

    def __init__(self, plan: Path) -> None:
        self._plan = plan
        self._number = 0
        self._passed: Counter[str] = Counter()
        self.board = 0
        """Process of the board that was programmed last."""

    def __call__(self, name: str) -> None:
        try:
            plan = json.loads(self._plan.read_bytes())
        except FileNotFoundError:
            return
        if plan["number"] != self._number:
            self._number = plan["number"]
            self._passed.clear()
        self._passed[name] += 1
        step = f"{name}#{self._passed[name]}"
        with open(plan["passed"], "a") as file:
            file.write(step + "\n")
        if self.board and name.startswith(tuple(plan["lose"])):
            os.kill(self.board, signal.SIGKILL)
        if step == plan["kill"]:
            os.kill(os.getpid(), signal.SIGKILL)


def lab(argv: list[str], plan: Path) -> int:
    """Be a lab; returns its exit code."""
    checkpoints = Checkpoints(plan)

    class Driver(SimulatedDriver):
        async def program(self, image, manifest, **how):  # type: ignore[no-untyped-def]
            record = await super().program(image, manifest, **how)
            checkpoints.board = record["pid"]
            return record

    jupyter_fpga.lab.SimulatedDriver = Driver  # type: ignore[misc]
    jupyter_fpga.lab.Fpga = lambda **parts: Fpga(**parts, checkpoint=checkpoints)  # type: ignore[assignment,misc]
    return main(argv) or 0


def end(*_: object) -> None:
    """End everything that labs have left behind, and this process."""
    while children := Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        for child in map(int, children):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    os._exit(0)


def reap() -> None:
    """Collect what died after its lab."""
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        return


def serve_commands() -> None:
    """Start one lab after the other."""
    prctl = ctypes.CDLL(None).prctl
    # What outlives its lab becomes this process's child: so the tests find everything that a lab has left behind.
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # And nothing outlives the tests.
    signal.signal(signal.SIGTERM, end)
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    for line in sys.stdin:
        reap()
        command = json.loads(line)
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            ready = os.dup(1)
            log = os.open(command["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            code = 1
            try:
                code = lab(["serve", *command["argv"], f"--ready-fd={ready}"], Path(command["plan"]))
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        reap()
        print(json.dumps({"ended": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    serve_commands()
