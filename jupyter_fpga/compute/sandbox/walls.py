"""The walls around a program that a stranger wrote.

Untrusted Python, Yosys scripts and simulators compiled from designs all reach the machine if they may. Inside, a
program sees a read-only system, its work folder, a process list of its own and no network; see :class:`Sandbox`.
"""

import os
import platform
import random
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_fpga.compute.sandbox.bubblewrap import bubblewrap_options
from jupyter_fpga.compute.sandbox.confine import landlock_rules, linked_packages, unprivileged_user
from jupyter_fpga.compute.sandbox.landlock import SCOPES_SINCE, landlock_version
from jupyter_fpga.compute.sandbox.mounts import WORK, Mount, python_mounts, python_path, translate
from jupyter_fpga.compute.sandbox.plans import GATE, READY, Confinement, Plan, SandboxError, descriptors, try_out
from jupyter_fpga.compute.sandbox.seccomp import seccomp_filter
from jupyter_fpga.compute.sandbox.tiers import (
    TIERS,
    NoTier,
    Tier,
    python_outside_work,
    reason_for_landlock,
    reason_for_none,
)

__all__ = (
    "GATE",
    "READY",
    "SEARCHED",
    "TIERS",
    "WORK",
    "Mount",
    "Plan",
    "Sandbox",
    "SandboxError",
    "Tier",
    "descriptors",
)

SEARCHED = f"{os.path.join(sys.prefix, 'bin')}:/usr/local/bin:/usr/bin:/bin"
"""``PATH`` of every sandboxed program."""

_GATE = GATE + r"""exec "$@" </dev/null 2>&1"""
_GATE_THAT_STAYS = _GATE.replace("exec ", "")


@dataclass
class Sandbox:
    """Knows how to put a program behind walls on this machine; makes command lines and starts nothing.

    Parameters
    ----------
    bwrap
        Path of bubblewrap in the tier ``full``, else None.
    setpriv
        Path of util-linux' ``setpriv``; the tier ``full`` needs it when the lab runs as root.
    root
        Whether the lab runs as root: then bubblewrap makes no user name space (in one, root keeps its own number and
        the kernel doesn't count its processes) and ``setpriv``, or the warden, gives root's rights away instead.
    reason
        Why the tier is what it is, in one sentence.
    choose
        ``choose(low, high)`` picks a user number for a sandbox of a lab that runs as root.
    landlock
        The version of the kernel's Landlock in the tier ``landlock``, else 0.
    """

    bwrap: str | None
    setpriv: str | None = None
    root: bool = False
    reason: str = "bubblewrap works on this machine."
    choose: Callable[[int, int], int] = random.randint
    python_mounts: list[Mount] = field(default_factory=python_mounts)
    landlock: int = 0

    @property
    def tier(self) -> Tier:
        """Which walls there are."""
        if self.bwrap is not None:
            return "full"
        return "landlock" if self.landlock else "none"

    @property
    def fit_for_strangers(self) -> bool:
        """Whether people who don't trust one another may share this lab.

        With an older Landlock, a program that has the lab's own user number could end the lab.
        """
        if self.tier == "landlock":
            return self.root or self.landlock >= SCOPES_SINCE
        return self.tier == "full"

    @property
    def counts_processes(self) -> bool:
        """Whether the kernel counts a sandbox's processes apart: by its own user, or in its user name space.

        Linux does the latter from 5.14 on; before, and without a name space, it counts all that the lab's user runs.
        """
        release = re.match(r"(\d+)\.(\d+)", platform.release())
        per_namespace = release is not None and (int(release[1]), int(release[2])) >= (5, 14)
        return self.tier != "none" and (self.root or (self.tier == "full" and per_namespace))

    @classmethod
    def without(cls, reason: str) -> "Sandbox":
        """The tier ``none``, for the reason given."""
        return cls(bwrap=None, reason=reason)

    @classmethod
    def probe(
        cls,
        *,
        search: Callable[[str], str | None] = shutil.which,
        version: Callable[[], int] = landlock_version,
        tiers: Sequence[Tier] = TIERS,
    ) -> "Sandbox":
        """The best walls that this machine allows, found by starting a program that does nothing.

        Parameters
        ----------
        search
            Finds a program's path by name.
        version
            Which version of Landlock the kernel has.
        tiers
            Those that are wanted; ``none`` is what remains.
        """
        refusals: list[NoTier] = []
        if "full" in tiers:
            try:
                return cls._full(search)
            except NoTier as refused:
                refusals.append(refused)
        else:
            refusals.append(NoTier("bubblewrap is not wanted"))
        if "landlock" in tiers:
            try:
                return cls._landlock(version(), refusals[0].why)
            except NoTier as refused:
                refusals.append(refused)
        return cls.without(reason_for_none(refusals))

    @classmethod
    def _full(cls, search: Callable[[str], str | None]) -> "Sandbox":
        root = os.geteuid() == 0
        bwrap, setpriv = search("bwrap"), search("setpriv")
        if bwrap is None:
            raise NoTier(
                "there is no bubblewrap on this machine",
                "Install it (Debian, Ubuntu: apt install bubblewrap) and restart the lab.",
            )
        if root and setpriv is None:
            raise NoTier(
                "the lab runs as root and there is no setpriv on this machine to give root's rights away",
                "Install util-linux, or run the lab as an ordinary user.",
            )
        sandbox = cls(
            bwrap=os.path.realpath(bwrap),
            setpriv=setpriv and os.path.realpath(setpriv),
            root=root,
            python_mounts=python_outside_work(),
        )
        # With an import from the packages: they may be installed so that only root can read them.
        refusal = try_out(sandbox.plan([sys.executable, "-c", "import jupyter_fpga.errors"], disk_bytes=1 << 20))
        if refusal is not None:
            raise NoTier(f"bubblewrap doesn't work on this machine ({refusal})")
        return sandbox

    @classmethod
    def _landlock(cls, version: int, instead_of: str) -> "Sandbox":
        if not version:
            raise NoTier("its kernel has no Landlock")
        if seccomp_filter() is None:
            raise NoTier(f"the lab has no list of system calls for {platform.machine()}")
        sandbox = cls(bwrap=None, root=os.geteuid() == 0, python_mounts=python_outside_work(), landlock=version)
        with tempfile.TemporaryDirectory(prefix="jupyter-fpga-") as folder:
            # With a look at something that isn't for it.
            code = "import jupyter_fpga.errors, os\nif os.access('/proc/version', os.R_OK):\n"
            code += "    try: open('/proc/version')\n    except PermissionError: raise SystemExit\nprint('no walls')"
            refusal = try_out(sandbox.plan([sys.executable, "-c", code], work=Path(folder), disk_bytes=1 << 20))
        if refusal is not None:
            raise NoTier(f"Landlock doesn't work on this machine ({refusal})")
        sandbox.reason = reason_for_landlock(instead_of, version, fit=sandbox.fit_for_strangers)
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
            The program outlives the lab, is process 1 of its name space, or starts none, and may listen on a UNIX
            socket; it finds no Python.
        """
        user = unprivileged_user(self.choose) if self.root and self.tier != "none" else None
        if user is not None and work is not None:
            os.chown(work, user, user)
        environment = {**self._environment(), **(environment or {})}
        if self.tier == "full":
            return self._behind_bubblewrap(command, mounts, environment, work, disk_bytes, user, detached)
        assert work is not None
        seen = [*self.python_mounts, *mounts]
        confinement = None
        if self.landlock:
            work = work.resolve()
            if path := linked_packages(self.python_mounts, work):
                environment["PYTHONPATH"] = path
            confinement = Confinement(
                landlock_rules(mounts, () if detached else self.python_mounts, work),
                self.landlock,
                user,
                work,
                detached,
            )
        gate = [] if self.landlock else ["/bin/sh", "-c", _GATE, "lab"]
        return Plan(
            command=gate + [translate(word, seen, work) for word in command],
            environment={name: translate(value, seen, work) for name, value in environment.items()},
            cwd=str(work),
            filter=seccomp_filter(unix_sockets=detached, lab_user=user is None, alone=detached),
            confinement=confinement,
        )

    def _behind_bubblewrap(
        self,
        command: Sequence[str],
        mounts: Sequence[Mount],
        environment: Mapping[str, str],
        work: Path | None,
        disk_bytes: int,
        user: int | None,
        detached: bool,
    ) -> Plan:
        # When a lab that runs as root dies, bubblewrap may end processes of its own user only: the shell stays as
        # process 1, and its end is everybody's.
        stays = self.root and not detached
        gate = ["/bin/sh", "-c", _GATE_THAT_STAYS if stays else _GATE, "lab"]
        drop: list[str] = []
        if user is not None:
            drop = [self.setpriv or "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
            drop += ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"]
        options = bubblewrap_options(
            mounts=mounts,
            # A simulator is a compiled program: it has no use for Python.
            python=() if detached else self.python_mounts,
            environment=environment,
            work=work,
            disk_bytes=disk_bytes,
            user=1000 if user is None else user,
            root=self.root,
            detached=detached,
        )
        return Plan(
            # The gate stands before the drop: a lab without CAP_SYS_RESOURCE may set the limits of its own user only.
            command=[*gate, *drop, *command],
            environment={},
            cwd="/",
            bwrap=self.bwrap,
            options=b"".join(option.encode() + b"\0" for option in options),
            filter=seccomp_filter(unix_sockets=detached),
        )

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
            # Else tools from the YoWASP wheels list the machine's root and show their program everything in it.
            "YOWASP_MOUNT": f"/=.:{WORK}={WORK}",
        }
        if path := python_path(self.python_mounts):
            environment["PYTHONPATH"] = path
        return environment
