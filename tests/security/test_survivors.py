"""Of a program that ended, was ended or was cancelled, nothing is left, however well it hides."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_fpga.compute.sandbox import Mount, Sandbox
from jupyter_fpga.compute.sandbox.process import wait_readable

from .conftest import LIMITS, Prey


class Alive:
    """A FIFO whose writing end a survivor holds."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        path.chmod(0o666)
        self.reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.mounts = [Mount(path, "/alive", writable=True)]

    def was_up_and_is_gone(self) -> bool:
        """Whether somebody held it, and nobody does."""
        return os.read(self.reader, 2) == b"up" and os.read(self.reader, 2) == b""


@pytest.fixture
def alive(tmp_path: Path) -> Iterator[Alive]:
    alive = Alive(tmp_path / "alive")
    yield alive
    os.close(alive.reader)


async def test_double_fork_and_setsid_when_the_program_ends(prey: Prey, alive: Alive) -> None:
    assert await prey.lines("survivor.py", "/alive", "end", mounts=alive.mounts) == ["left"]
    assert alive.was_up_and_is_gone()


async def test_double_fork_and_setsid_when_it_is_ended(prey: Prey, alive: Alive) -> None:
    limits = replace(LIMITS, wall_seconds=1)
    finished = await prey.attack("survivor.py", "/alive", "stay", mounts=alive.mounts, limits=limits)
    assert finished.bound == "time"
    assert alive.was_up_and_is_gone()


async def test_double_fork_and_setsid_when_it_is_cancelled(prey: Prey, alive: Alive) -> None:
    left = asyncio.Event()
    attack = prey.attack("survivor.py", "/alive", "stay", mounts=alive.mounts, on_output=lambda line: left.set())
    running = asyncio.create_task(attack)
    await left.wait()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert running.cancelled()
    assert alive.was_up_and_is_gone()


async def test_it_ends_nobody_else(prey: Prey) -> None:
    """Signals to all, to the lab, to its parent and to the first process; all that it ends is itself, if that."""
    victim = await asyncio.create_subprocess_exec("sleep", "1000")
    try:
        finished = await prey.attack("killer.py", str(os.getpid()), str(victim.pid))
        assert finished.bound is None
        if prey.sandbox.tier == "full":
            # In its own list of processes these are numbers of nobody, or itself.
            assert set(finished.output_tail.splitlines()) <= {"lab ESRCH", "victim ESRCH", "first EPERM", "all ESRCH"}
        else:
            assert finished.output_tail.splitlines()[:3] == ["lab EPERM", "victim EPERM", "first EPERM"]
        assert victim.returncode is None
    finally:
        victim.kill()
        await victim.wait()


async def test_it_changes_no_other_process(prey: Prey) -> None:
    """Without a name space, limits, priorities and processors of other programs of one user could be changed."""
    victim = await asyncio.create_subprocess_exec("sleep", "1000")
    try:
        assert await prey.lines("meddler.py", str(victim.pid)) == [
            "prlimit EPERM",
            "setpriority of a process EPERM",
            "setpriority of a user EPERM",
            "sched_setaffinity EPERM",
            "sched_setscheduler EPERM",
            "ioprio_set EPERM",
            "ptrace EPERM",
            "process_vm_readv EPERM",
            "pidfd_getfd EPERM",
            "own priority",
        ]
    finally:
        victim.kill()
        await victim.wait()


async def test_who_ends_the_sandbox_from_outside_is_told_of(prey: Prey, alive: Alive) -> None:
    """The process that the lab started is killed; the program and what it left go as well."""
    left = asyncio.Event()
    attack = prey.attack("survivor.py", "/alive", "stay", mounts=alive.mounts, on_output=lambda line: left.set())
    running = asyncio.create_task(attack)
    await left.wait()
    (starter,) = _starters()
    os.kill(starter, 9)
    with pytest.raises(Exception, match="The sandbox was killed by SIGKILL from outside") as caught:
        await running
    assert caught.value.code == "program_killed"  # type: ignore[attr-defined]
    await wait_readable(alive.reader)
    assert os.read(alive.reader, 2) == b"up"
    # In a name space of its own the kernel ends the rest, in a moment of its own choice.
    await wait_readable(alive.reader)
    assert os.read(alive.reader, 2) == b""


async def test_who_ends_the_second_warden_is_too_late_as_well(bombs: Path, alive: Alive) -> None:
    prey = Prey(Sandbox.probe(tiers=("landlock",)), bombs)
    left = asyncio.Event()
    attack = prey.attack("survivor.py", "/alive", "stay", mounts=alive.mounts, on_output=lambda line: left.set())
    running = asyncio.create_task(attack)
    await left.wait()
    (starter,) = _starters()
    (second,) = _children(starter)
    os.kill(second, 9)
    finished = await running
    assert (finished.returncode, finished.bound) == (128 + 9, None)
    assert alive.was_up_and_is_gone()


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _starters() -> list[int]:
    """What this process has started to start sandboxes."""
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in _children(os.getpid())}
    return [pid for pid, command in commands.items() if "bwrap" in command or "warden.py" in command]
