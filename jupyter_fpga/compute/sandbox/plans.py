"""How a program is started behind walls, as data; and what is opened for it just before."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jupyter_fpga.compute.sandbox.landlock import Rule, make_ruleset
from jupyter_fpga.compute.sandbox.seccomp import ASKED
from jupyter_fpga.compute.sandbox.syscalls import number
from jupyter_fpga.errors import LabError

__all__ = ("GATE", "READY", "Confinement", "Plan", "SandboxError", "descriptors", "try_out")

READY = b"\x01"
# One byte on standard error says that the walls stand, one line on standard input lets the program start: in between
# the lab puts the inputs in and sets the limits. The program gets neither end.
GATE = r"printf '\001' >&2; read -r _ || exit 125; "
"""How the command line of every sandbox begins in which no warden stands at the gate."""

_WARDEN = Path(__file__).with_name("warden.py")


class SandboxError(LabError):
    """The sandbox itself didn't come up; nothing was run."""

    default_code = "sandbox_failed"


@dataclass(frozen=True)
class Confinement:
    """What the tier ``landlock`` needs to know besides the command line.

    Parameters
    ----------
    rules
        What may be opened.
    version
        Of the kernel's Landlock.
    user
        The number that the program gets; None if it keeps the lab's own.
    work
        Its work folder.
    alone
        The program starts nothing, outlives the lab, and no warden stays beside it.
    """

    rules: tuple[Rule, ...]
    version: int
    user: int | None
    work: Path
    alone: bool


@dataclass(frozen=True)
class Plan:
    """A command line with what must be handed to it.

    Parameters
    ----------
    command
        What runs. In the tier ``full`` it is the gate and the program, and bubblewrap starts them; in the tier
        ``landlock`` it is the program alone, and the warden starts it.
    environment, cwd
        For ``subprocess.Popen``.
    bwrap
        Path of bubblewrap in the tier ``full``.
    options
        bubblewrap's options, each ended by NUL. They go through a descriptor (``--args``): on the command line, the
        program could read the machine's paths in ``/proc/1/cmdline``.
    filter
        Seccomp program.
    confinement
        In the tier ``landlock``.
    """

    command: list[str]
    environment: dict[str, str]
    cwd: str
    bwrap: str | None = None
    options: bytes = b""
    filter: bytes | None = None
    confinement: Confinement | None = None

    @property
    def has_warden(self) -> bool:
        """Whether the process that the lab starts is a warden, which ends everything below it on SIGTERM."""
        return self.confinement is not None and not self.confinement.alone


@contextmanager
def descriptors(plan: Plan, passed: Sequence[int] = ()) -> Iterator[tuple[list[str], list[int]]]:
    """The whole command line of a plan, and the descriptors that must be passed for it, open until the block ends.

    Parameters
    ----------
    passed
        More descriptors for the program, which keep their numbers.

    Raises
    ------
    OSError
        The kernel refuses the rules.
    """
    own: list[int] = []
    argv = plan.command
    try:
        if plan.bwrap is not None:
            own.append(_memory_file("options", plan.options))
            argv = [plan.bwrap, "--args", str(own[0])]
            if plan.filter is not None:
                own.append(_memory_file("filter", plan.filter))
                argv += ["--seccomp", str(own[1])]
            argv += ["--", *plan.command]
        elif (confinement := plan.confinement) is not None:
            own.append(make_ruleset(confinement.rules, confinement.version))
            own.append(_memory_file("confinement", _spec(plan, confinement, own[0])))
            argv = [sys.executable, "-I", "-S", str(_WARDEN), str(own[1])]
        yield argv, [*own, *passed]
    finally:
        for descriptor in own:
            os.close(descriptor)


def _spec(plan: Plan, confinement: Confinement, ruleset: int) -> bytes:
    machine = platform.machine()
    assert plan.filter is not None
    return json.dumps(
        {
            "command": plan.command,
            "ruleset": ruleset,
            "filter": plan.filter.hex(),
            "asked": {str(asked): name for name in ASKED if (asked := number(name, machine)) is not None},
            "user": confinement.user,
            "work": str(confinement.work),
            "alone": confinement.alone,
            "lab": os.getpid(),
        }
    ).encode()


def _memory_file(name: str, content: bytes) -> int:
    descriptor = os.memfd_create(name, 0)
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def try_out(plan: Plan) -> str | None:
    """Run a program that prints nothing; None if it came to a good end, else the last line that was printed."""
    try:
        with descriptors(plan) as (argv, passed):
            finished = subprocess.run(
                argv,
                input=b"\n",
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=plan.environment,
                cwd=plan.cwd,
                pass_fds=passed,
                check=False,
                timeout=20,
            )
    except OSError as error:
        return error.strerror or str(error)
    if finished.returncode or finished.stdout != READY:
        lines = finished.stdout.decode(errors="replace").strip("\x01 \n").splitlines()
        return lines[-1] if lines else "no reason given"
    return None
