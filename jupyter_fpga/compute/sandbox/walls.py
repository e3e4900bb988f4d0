"""The walls around a program that a stranger wrote: what bubblewrap is told.

Untrusted Python, Yosys scripts and simulators compiled from designs all reach the machine if they may. Inside, a
program sees a read-only system, its work folder, a process list of its own and no network; see :class:`Sandbox`.
"""

import os
import platform
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from jupyter_fpga.compute.sandbox.mounts import (
    WORK,
    Mount,
    mount_options,
    python_mounts,
    python_path,
    system_mounts,
    translate,
)
from jupyter_fpga.compute.sandbox.seccomp import seccomp_filter
from jupyter_fpga.errors import LabError

__all__ = ("GATE", "READY", "SEARCHED", "WORK", "Mount", "Plan", "Sandbox", "SandboxError", "Tier", "descriptors")

Tier = Literal["full", "none"]
"""``full``: bubblewrap. ``none``: only limits, fit for the machine's own user alone."""


_DEVICES = ("null", "zero", "full", "random", "urandom")

SEARCHED = f"{os.path.join(sys.prefix, 'bin')}:/usr/local/bin:/usr/bin:/bin"
"""``PATH`` of every sandboxed program."""

READY = b"\x01"
# One byte on standard error says that the walls stand, one line on standard input lets the program start: in between
# the lab puts the inputs in and sets the limits. The program gets neither end.
GATE = r"printf '\001' >&2; read -r _ || exit 125; "
"""How the command line of every sandbox begins."""
_GATE = GATE + r"""exec "$@" </dev/null 2>&1"""
_GATE_THAT_STAYS = _GATE.replace("exec ", "")


class SandboxError(LabError):
    """The sandbox itself didn't come up; nothing was run."""

    default_code = "sandbox_failed"


@dataclass(frozen=True)
class Plan:
    """A command line with what must be handed to it.

    Parameters
    ----------
    command
        What runs: the gate, then the program. In the tier ``full`` it is bubblewrap that starts it.
    environment, cwd
        For ``subprocess.Popen``.
    bwrap
        Path of bubblewrap; None in the tier ``none``.
    options
        bubblewrap's options, each ended by NUL. They go through a descriptor (``--args``): on the command line, the
        program could read the machine's paths in ``/proc/1/cmdline``.
    filter
        Seccomp program for the descriptor after ``--seccomp``.
    """

    command: list[str]
    environment: dict[str, str]
    cwd: str
    bwrap: str | None = None
    options: bytes = b""
    filter: bytes | None = None


@contextmanager
def descriptors(plan: Plan, passed: Sequence[int] = ()) -> Iterator[tuple[list[str], list[int]]]:
    """The whole command line of a plan, and the descriptors that must be passed for it, open until the block ends.

    Parameters
    ----------
    passed
        More descriptors for the program, which keep their numbers.
    """
    if plan.bwrap is None:
        yield plan.command, list(passed)
        return
    own = [_memory_file("options", plan.options)]
    argv = [plan.bwrap, "--args", str(own[0])]
    if plan.filter is not None:
        own.append(_memory_file("filter", plan.filter))
        argv += ["--seccomp", str(own[1])]
    try:
        yield [*argv, "--", *plan.command], [*own, *passed]
    finally:
        for descriptor in own:
            os.close(descriptor)


def _memory_file(name: str, content: bytes) -> int:
    descriptor = os.memfd_create(name, 0)
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _unprivileged_ids(choose: Callable[[int, int], int]) -> int:
    """A user number that nobody has, so that the kernel counts each sandbox's processes on its own.

    Containers map only some numbers (``/proc/self/uid_map``); the upper half of the largest range is taken, below
    ``nobody`` and below 2³¹.
    """
    start, count = 0, 65536
    with open("/proc/self/uid_map") as lines:
        for line in lines:
            inside, _, length = (int(word) for word in line.split())
            if length >= count:
                start, count = inside, length
    last = min(start + count - 3, 2_000_000_000)
    return choose(max(start + count // 2, start + 1) if last < 2_000_000_000 else 1_000_000_000, last)


@dataclass
class Sandbox:
    """Knows how to put a program behind walls on this machine; makes command lines and starts nothing.

    Parameters
    ----------
    bwrap
        Path of bubblewrap, or None for the tier ``none``.
    setpriv
        Path of util-linux' ``setpriv``; needed when the lab runs as root.
    root
        Whether the lab runs as root: then bubblewrap makes no user name space (in one, root keeps its own number and
        the kernel doesn't count its processes) and ``setpriv`` gives all rights away instead.
    reason
        Why the tier is what it is, in one sentence.
    choose
        ``choose(low, high)`` picks a user number for a sandbox of a lab that runs as root.
    """

    bwrap: str | None
    setpriv: str | None = None
    root: bool = False
    reason: str = "bubblewrap works on this machine."
    choose: Callable[[int, int], int] = random.randint
    python_mounts: list[Mount] = field(default_factory=python_mounts)

    @property
    def tier(self) -> Tier:
        """Which walls there are."""
        return "full" if self.bwrap else "none"

    @property
    def fit_for_strangers(self) -> bool:
        """Whether people who don't trust one another may share this lab."""
        return self.tier != "none"

    @property
    def counts_processes(self) -> bool:
        """Whether the kernel counts a sandbox's processes apart: by its own user, or in its user name space.

        Linux does the latter from 5.14 on; before, and without walls, it counts all that the lab's user runs.
        """
        release = re.match(r"(\d+)\.(\d+)", platform.release())
        per_namespace = release is not None and (int(release[1]), int(release[2])) >= (5, 14)
        return self.bwrap is not None and (self.root or per_namespace)

    @classmethod
    def without(cls, reason: str) -> "Sandbox":
        """The tier ``none``, for the reason given."""
        return cls(bwrap=None, reason=reason)

    @classmethod
    def probe(cls, *, search: Callable[[str], str | None] = shutil.which) -> "Sandbox":
        """Try what this machine allows, by starting a program that does nothing.

        Parameters
        ----------
        search
            Finds a program's path by name.
        """
        root = os.geteuid() == 0
        python = python_mounts()
        bwrap, setpriv = search("bwrap"), search("setpriv")
        if bwrap is None:
            return cls.without(
                "There is no bubblewrap on this machine, so designs run with nothing but limits around them: fit for "
                "one's own designs only. Install it (Debian, Ubuntu: apt install bubblewrap) and restart the lab."
            )
        if root and setpriv is None:
            return cls.without(
                "The lab runs as root and there is no setpriv on this machine to give root's rights away, so designs "
                "run with nothing but limits around them. Install util-linux, or run the lab as an ordinary user."
            )
        if any(mount.target == WORK for mount in python):
            return cls.without(
                f"Python is installed in {WORK}, where sandboxed programs have their work folder, so designs run with "
                "nothing but limits around them. Install it in another folder."
            )
        sandbox = cls(
            bwrap=os.path.realpath(bwrap),
            setpriv=setpriv and os.path.realpath(setpriv),
            root=root,
            python_mounts=python,
        )
        # With an import from the packages: they may be installed so that only root can read them.
        plan = sandbox.plan([sys.executable, "-c", "import jupyter_fpga.errors"], disk_bytes=1 << 20)
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
        if finished.returncode or finished.stdout != READY:
            text = finished.stdout.decode(errors="replace").strip("\x01 \n").splitlines()
            return cls.without(
                f"bubblewrap doesn't work on this machine ({text[-1] if text else 'no reason given'}), so designs run "
                "with nothing but limits around them: fit for one's own designs only."
            )
        return sandbox

    def plan(
        self,
        command: Sequence[str],
        *,
        mounts: Sequence[Mount] = (),
        environment: Mapping[str, str] | None = None,
        work: Path | None = None,
        disk_bytes: int,
        detached: bool = False,
    ) -> Plan:
        """The command line that runs ``command`` behind the walls.

        Its standard input is a gate: the program starts when a line arrives. The byte :data:`READY` on its standard
        error says that the walls stand; from then on standard error goes where standard output goes.

        Parameters
        ----------
        command
            Program and arguments, as paths in the sandbox.
        mounts
            What it may see besides the system and Python.
        environment
            All of its environment but ``PATH``, ``HOME``, ``TMPDIR`` and ``LANG``.
        work
            A folder of the machine as work folder; if not given, a file system in memory of ``disk_bytes`` (tier
            ``full`` only).
        detached
            The program outlives the lab, is process 1 of its name space and may listen on a UNIX socket; it finds no
            Python.
        """
        environment = {**self._environment(), **(environment or {})}
        # When a lab that runs as root dies, bubblewrap may end processes of its own user only: the shell stays as
        # process 1, and its end is everybody's.
        stays = self.root and self.bwrap is not None and not detached
        gate = ["/bin/sh", "-c", _GATE_THAT_STAYS if stays else _GATE, "lab"]
        if self.bwrap is None:
            assert work is not None
            mounts = [*self.python_mounts, *mounts]
            return Plan(
                command=gate + [translate(word, mounts, work) for word in command],
                environment={name: translate(value, mounts, work) for name, value in environment.items()},
                cwd=str(work),
            )
        user = _unprivileged_ids(self.choose) if self.root else 1000
        options = self._options(mounts, environment, work, disk_bytes, user, detached)
        drop: list[str] = []
        if self.root:
            drop = [self.setpriv or "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
            drop += ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"]
            if work is not None:
                os.chown(work, user, user)
        return Plan(
            # The gate stands before the drop: a lab without CAP_SYS_RESOURCE may set the limits of its own user only.
            command=[*gate, *drop, *command],
            environment={},
            cwd="/",
            bwrap=self.bwrap,
            options=b"".join(option.encode() + b"\0" for option in options),
            filter=seccomp_filter(unix_sockets=detached),
        )

    def _options(
        self,
        mounts: Sequence[Mount],
        environment: Mapping[str, str],
        work: Path | None,
        disk: int,
        user: int,
        detached: bool,
    ) -> list[str]:
        options = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
        # As process 1 the program takes everything with it when it ends, and bubblewrap collects it.
        options += ["--hostname", "lab", "--new-session", "--clearenv", "--as-pid-1"]
        options += [] if detached else ["--die-with-parent"]
        if self.root:
            options += ["--cap-drop", "ALL"]
            for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
                options += ["--cap-add", capability]
        else:
            options += ["--unshare-user", "--disable-userns", "--uid", str(user), "--gid", str(user)]
        for name, value in environment.items():
            options += ["--setenv", name, value]
        # bubblewrap's own root is half the memory, and writable: a megabyte holds mount points.
        options += ["--perms", "0755", "--size", str(1 << 20), "--tmpfs", "/", "--proc", "/proc"]
        options += ["--perms", "0755", "--dir", "/dev"]
        for device in _DEVICES:
            options += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
        for link, descriptor in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
            options += ["--symlink", f"/proc/self/fd{descriptor}", f"/dev/{link}"]
        if work is None:
            options += ["--perms", "1777", "--size", str(disk), "--tmpfs", WORK]
        else:
            options += ["--perms", "0755", "--dir", WORK, "--bind", str(work), WORK]
        # A simulator is a compiled program: it has no use for Python.
        python = () if detached else self.python_mounts
        options += ["--perms", "0755", "--dir", "/tmp", *mount_options([*system_mounts(), *python, *mounts])]
        for mount in python:
            # A Jupyter server that is configured inside the prefix keeps its passwords there.
            if (settings := mount.source / "etc" / "jupyter").is_dir():
                options += ["--perms", "0555", "--size", "4096", "--tmpfs", str(settings)]
        return [*options, "--remount-ro", "/", "--chdir", WORK]

    def _environment(self) -> dict[str, str]:
        environment = {
            "PATH": SEARCHED,
            "HOME": WORK,
            "TMPDIR": WORK,
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            # Order of sets must not reach a netlist: equal designs are to have equal digests.
            "PYTHONHASHSEED": "0",
        }
        if path := python_path(self.python_mounts):
            environment["PYTHONPATH"] = path
        return environment
