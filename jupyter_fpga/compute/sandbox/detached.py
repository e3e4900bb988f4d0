"""Programs that outlive the lab: simulated boards, behind the same walls as a build."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_fpga.compute.sandbox.limits import MIB, Limits
from jupyter_fpga.compute.sandbox.mounts import Mount
from jupyter_fpga.compute.sandbox.process import launch, wait_readable
from jupyter_fpga.compute.sandbox.walls import Sandbox

__all__ = ("DETACHED_LIMITS", "Detached", "kill_detached", "spawn_detached", "start_time")

DETACHED_LIMITS = Limits(
    wall_seconds=float("inf"),
    # A board may run for days: the kernel's counter of processor seconds would end it in the middle.
    cpu_seconds=float(2**31),
    memory_bytes=512 * MIB,
    processes=8,
    disk_bytes=256 * MIB,
    output_bytes=1 * MIB,
    files=64,
)
"""What a simulated board may use; the kernel keeps it, since no supervisor is there when the lab is away."""

_waiting: dict[int, "subprocess.Popen[bytes]"] = {}
"""bubblewraps that this process must reap when their program ends, by their number."""


@dataclass(frozen=True)
class Detached:
    """A program that was started to outlive the lab.

    Parameters
    ----------
    pid
        Number on the machine of the program itself; the same for its whole life. Killing it takes everything it
        started with it.
    start_time
        Clock ticks between the machine's start and its own (field 22 of ``/proc/pid/stat``): with ``pid`` and the
        machine's boot id, a name that is never used twice.
    """

    pid: int
    start_time: int


def start_time(pid: int) -> int | None:
    """When a process started, in clock ticks after the machine's start; None if there is none, or only its corpse."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name, in brackets, may hold anything, brackets and spaces included.
            fields = file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


async def spawn_detached(
    sandbox: Sandbox,
    command: Sequence[str],
    *,
    folder: Path,
    mounts: Sequence[Mount] = (),
    environment: Mapping[str, str] | None = None,
    passed: Sequence[int] = (),
    limits: Limits = DETACHED_LIMITS,
    before_start: Callable[[Detached], None] = lambda detached: None,
) -> Detached:
    """Start a program that goes on when the lab is gone.

    Parameters
    ----------
    command
        Program and arguments, as paths in the sandbox; in the tier ``none`` the sandbox's paths in them become the
        machine's.
    folder
        Its work folder, on the machine; ``/work`` and current directory inside. What it prints goes to ``output.log``
        there. A lab that runs as root gives the folder to the user number that it made up for the program.
    mounts
        Its executable, for example.
    passed
        Descriptors that it inherits, with their numbers (the master of a pseudo-terminal).
    limits
        Kept by the kernel alone, per process.
    before_start
        Called while the program still waits at its gate: what is noted here is noted of every program that ever ran,
        for one whose lab dies before it opens the gate ends there.

    Raises
    ------
    SandboxError
        It could not be started.
    """
    plan = sandbox.plan(
        command, mounts=mounts, environment=environment, work=folder, disk_bytes=limits.disk_bytes, detached=True
    )
    log = os.open(folder / "output.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        launched = await launch(plan, passed=passed, stdout=log)
    finally:
        os.close(log)
    try:
        launched.limit(limits, count_processes=sandbox.counts_processes)
        detached = Detached(launched.leader, start_time(launched.leader) or 0)
        before_start(detached)
        launched.start()
    finally:
        _reap_later(launched.popen)
        launched.close()
    return detached


async def kill_detached(detached: Detached) -> None:
    """End a detached program and everything it started; return when it is gone. Nothing happens if it is gone already.

    Parameters
    ----------
    detached
        What :func:`spawn_detached` returned, in this life of the lab or in an earlier one.
    """
    try:
        descriptor = os.pidfd_open(detached.pid)
    except ProcessLookupError:
        return
    try:
        if start_time(detached.pid) != detached.start_time:
            return
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        # Without a name space, what it started is in its session and its group.
        if os.getpgid(detached.pid) == detached.pid:
            os.killpg(detached.pid, signal.SIGKILL)
        await wait_readable(descriptor)
    except ProcessLookupError:
        return
    finally:
        os.close(descriptor)


def _reap_later(popen: "subprocess.Popen[bytes]") -> None:
    """Collect the exit of a bubblewrap when it comes, however long that takes."""
    loop = asyncio.get_running_loop()
    descriptor = os.pidfd_open(popen.pid)
    _waiting[popen.pid] = popen

    def reap() -> None:
        loop.remove_reader(descriptor)
        os.close(descriptor)
        popen.wait()
        _waiting.pop(popen.pid, None)

    loop.add_reader(descriptor, reap)
