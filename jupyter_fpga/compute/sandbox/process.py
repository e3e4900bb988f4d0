"""Starting one program behind the walls, up to the moment before it runs."""

import asyncio
import json
import os
import resource
import select
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from jupyter_fpga.compute.sandbox.limits import Limits
from jupyter_fpga.compute.sandbox.walls import READY, Plan, SandboxError, descriptors

__all__ = ("Launched", "kernel_limits", "launch", "wait_readable")

_START_SECONDS = 30.0
"""A sandbox takes 5 ms; on a machine that swaps, seconds. After this it isn't coming."""


async def wait_readable(descriptor: int) -> None:
    """Return when there is something to read from a descriptor, or its other end is closed."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)


def kernel_limits(limits: Limits, *, count_processes: bool) -> list[tuple[int, int]]:
    """What the kernel is told to keep, per process: numbers of resources (``RLIMIT_…``) and values.

    Parameters
    ----------
    count_processes
        See :meth:`Launched.limit`.
    """
    kept = [
        (resource.RLIMIT_CPU, int(limits.cpu_seconds) + 1),
        # What one process may own; the supervisor sums the tree. Twice, so that the supervisor names the bound.
        (resource.RLIMIT_DATA, 2 * limits.memory_bytes),
        (resource.RLIMIT_FSIZE, limits.disk_bytes),
        (resource.RLIMIT_NOFILE, min(limits.files, 4096)),
        # Less than any core dump. Nothing would still allow those that the machine gives to a program (core(5)).
        (resource.RLIMIT_CORE, 1),
    ]
    return [*kept, (resource.RLIMIT_NPROC, limits.processes + 2)] if count_processes else kept


@dataclass
class Launched:
    """A program that waits at its gate.

    Parameters
    ----------
    popen
        The process that the lab started and must wait for: bubblewrap, or the program itself in the tier ``none``.
    leader
        Number on the machine of the process with whose death everything dies: process 1 of the name space, or the
        leader of the program's session.
    leader_fd
        pidfd of the leader; readable when it has ended.
    output
        What the program prints, non-blocking; at its end already if it prints into a file.
    gate
        Where a line lets it start.
    has_warden
        ``popen`` is a warden, which is told to end the program and ends last.
    """

    popen: "subprocess.Popen[bytes]"
    leader: int
    leader_fd: int
    output: int
    gate: int
    has_warden: bool = False
    _word: bytes = b"\n"

    def limit(self, limits: Limits, *, count_processes: bool) -> None:
        """Set the limits that the kernel keeps, per process, before the program starts.

        Parameters
        ----------
        count_processes
            Whether the kernel counts the processes of this sandbox alone; else its limit would count everything that
            the lab's user runs, and is left to the supervisor.
        """
        # A warden that counts by itself reads here how many there may be; a shell at the gate reads over it.
        self.say(b"%d\n" % (limits.processes + 2))
        for kind, value in kernel_limits(limits, count_processes=count_processes):
            _, most = resource.prlimit(self.leader, kind)
            if most != resource.RLIM_INFINITY:
                value = min(value, most)  # the lab's own limit is tighter, and may not be raised
            resource.prlimit(self.leader, kind, (value, value))

    def say(self, word: bytes) -> None:
        """What opens the gate: a line."""
        self._word = word

    def start(self) -> None:
        """Open the gate."""
        os.write(self.gate, self._word)
        os.close(self.gate)
        self.gate = -1

    def kill(self) -> None:
        """End the leader at once; in a name space of its own, the kernel ends everything else in it too.

        A warden ends everything below it, and then itself.
        """
        try:
            signal.pidfd_send_signal(self.leader_fd, signal.SIGTERM if self.has_warden else signal.SIGKILL)
        except ProcessLookupError:
            return

    @property
    def has_ended(self) -> bool:
        """Whether the leader is no more."""
        waiting = select.poll()
        waiting.register(self.leader_fd, select.POLLIN)
        return bool(waiting.poll(0))

    def close(self) -> None:
        """Close the lab's descriptors."""
        for descriptor in (self.leader_fd, self.output, self.gate):
            if descriptor >= 0:
                os.close(descriptor)
        self.leader_fd = self.output = self.gate = -1


async def launch(plan: Plan, *, passed: Sequence[int] = (), stdout: int | None = None) -> Launched:
    """Start what a plan says and wait until its walls stand.

    Parameters
    ----------
    passed
        Descriptors for the program; they keep their numbers.
    stdout
        Descriptor that the program prints to; a pipe to the lab if not given.

    Raises
    ------
    SandboxError
        It didn't come up; the message carries the last line that bubblewrap printed.
    """
    gate_read, gate = os.pipe()
    output, output_write = os.pipe()
    # Not a pipe: when the lab dies just now, bubblewrap must not die of a broken one between its own birth and the
    # word that its child waits for. It lives on, and the child ends at the gate, which nobody will open.
    info = os.memfd_create("info")
    os.set_blocking(output, False)
    try:
        with descriptors(plan, passed) as (argv, inherited):
            if plan.bwrap is not None:
                argv[1:1] = ["--info-fd", str(info)]
                inherited.append(info)
            popen = subprocess.Popen(  # noqa: ASYNC220 (returns after vfork and exec: a millisecond)
                argv,
                stdin=gate_read,
                stdout=output_write if stdout is None else stdout,
                stderr=output_write,
                env=plan.environment,
                cwd=plan.cwd,
                pass_fds=inherited,
                start_new_session=True,
            )
    except OSError as error:
        for descriptor in (gate, output, info):
            os.close(descriptor)
        raise SandboxError(f"The sandbox could not be started: {error.strerror}.") from error
    finally:
        for descriptor in (gate_read, output_write):
            os.close(descriptor)
    try:
        async with asyncio.timeout(_START_SECONDS):
            await wait_readable(output)
        ready = os.read(output, 1)
        if ready != READY:
            raise SandboxError(f"The sandbox could not be started: {await _last_line(output, ready)}")
        leader = popen.pid if plan.bwrap is None else int(json.loads(os.pread(info, 4096, 0))["child-pid"])
        return Launched(popen, leader, os.pidfd_open(leader), output, gate, plan.has_warden)
    except BaseException as error:
        # Without its parent bubblewrap's child would wait for ever; until its walls stand they are one group.
        with suppress(ProcessLookupError):
            os.killpg(popen.pid, signal.SIGKILL)
        popen.wait()
        os.close(gate)
        os.close(output)
        if isinstance(error, TimeoutError):
            raise SandboxError(
                f"The sandbox could not be started: it wasn't up after {_START_SECONDS:.0f} s. The machine may be out "
                "of memory; try again."
            ) from error
        raise
    finally:
        os.close(info)


async def _last_line(output: int, text: bytes) -> str:
    while True:
        await wait_readable(output)
        chunk = os.read(output, 4096)
        if not chunk:
            break
        text += chunk
    lines = text.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it ended without a word."
