"""Runs tasks in a process of this machine, so that nothing that happens there happens to the lab."""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jupyter_fpga.clock import Clock, SystemClock
from jupyter_fpga.compute.runners.base import Late, RunnerVanished, Task
from jupyter_fpga.compute.runners.child import Child, Watch
from jupyter_fpga.compute.sandbox import Finished, Sandbox, SandboxError

__all__ = ("LocalRunner",)

_COMMAND = (sys.executable, "-P", "-m", "jupyter_fpga.compute.runners.process")
_TRIES = 3
_FIRST_WAIT = 0.1
_LONGEST_WAIT = 5.0


class LocalRunner:
    """Runs tasks in a runner process that it starts, watches, and replaces when it dies.

    Parameters
    ----------
    sandbox
        The walls; :meth:`Sandbox.probe` finds the best ones.
    capacity
        Tasks at once; as many as there are processors if not given.
    clock
        Measures silence and the waits between two starts.
    silent_seconds
        A process that answers nothing for so long is given up: what it runs is abandoned.
    kill_lost
        Whether it is killed then. If not, it stands for one on a machine where the lab can kill nobody: should it wake
        up, what it tells is late.
    keep_warm
        How many sandboxes stand ready of each kind that was asked for: see
        :mod:`~jupyter_fpga.compute.sandbox.warm`.
    command
        Starts a runner process; the number of its socket is put at the end.
    """

    name = "local"

    def __init__(
        self,
        sandbox: Sandbox,
        capacity: int | None = None,
        *,
        clock: Clock | None = None,
        silent_seconds: float = 5.0,
        kill_lost: bool = True,
        keep_warm: int = 1,
        command: Sequence[str] = _COMMAND,
    ) -> None:
        self._sandbox = sandbox
        self._capacity = capacity or len(os.sched_getaffinity(0))
        self._clock = clock or SystemClock()
        self._watch = Watch(command, self._clock, silent_seconds, kill_lost, keep_warm)
        self._scratch: Path | None = None
        self._on_late: Late = lambda token, finished: None
        self._child: Child | None = None
        self._children: set[Child] = set()
        self._starting: asyncio.Task[Child] | None = None
        self._failures = 0
        self._stopped = False

    @property
    def capacity(self) -> int:
        """Tasks at once."""
        return self._capacity

    async def start(self, on_late: Late) -> None:
        """Start a process, and don't wait for it: a lab that can run nothing can still be asked why."""
        self._on_late = on_late
        self._stopped = False
        if self._sandbox.tier != "full":
            # Work folders are on the disk then: one that is killed leaves them to the lab.
            self._scratch = Path(tempfile.mkdtemp(prefix="jupyter-fpga-runners-"))
        self._begin()

    async def run(
        self, task: Task, into: Path, *, on_start: Callable[[], None], on_output: Callable[[str], None]
    ) -> Finished:
        """Run a task: see :class:`~jupyter_fpga.compute.runners.base.ActionRunner`.

        Parameters
        ----------
        into
            Folder for the outputs, for this run alone: when a result comes late, the folder is removed.
        """
        child = self._child or await self._begin_and_wait()
        return await child.run(task, into, on_start=on_start, on_output=on_output)

    def describe(self) -> dict[str, Any]:
        """Facts for people: each process with what it runs and since when (Unix seconds)."""
        processes = sorted((child.describe() for child in self._children), key=lambda process: int(process["pid"]))
        return {"kind": self.name, "capacity": self._capacity, "processes": processes}

    async def stop(self) -> None:
        """End all processes with everything that they run."""
        self._stopped = True
        if self._starting is not None:
            self._starting.cancel()
        await asyncio.gather(*(child.stop() for child in self._children))
        if self._starting is not None:
            await asyncio.wait({self._starting})
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    async def _begin_and_wait(self) -> Child:
        starting = self._begin()
        await asyncio.wait({starting})
        if starting.cancelled():
            raise RunnerVanished("The runner was stopped, and what it ran with it.")
        return starting.result()

    def _begin(self) -> "asyncio.Task[Child]":
        """Start a process for what comes next; one start serves everybody who waits."""
        if self._starting is None or (self._starting.done() and self._child is None):
            self._starting = asyncio.create_task(self._start_one(), name="jupyter_fpga runner start")
            # Told to those who wait; when nobody does, the next one who asks makes a start of his own.
            self._starting.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._starting

    async def _start_one(self) -> Child:
        for _ in range(max(1, _TRIES - self._failures)):
            if self._failures:
                await self._clock.sleep(min(_FIRST_WAIT * 2.0 ** (self._failures - 1), _LONGEST_WAIT))
            child = Child(
                self._sandbox,
                self._capacity,
                self._watch,
                self._scratch,
                on_lost=self._lost,
                on_gone=self._children.discard,
                on_late=self._on_late,
            )
            self._children.add(child)
            await child.ready.wait()
            if not child.lost:
                self._child = child
                return child
        raise SandboxError(
            f"The lab's runner process {child.ended_with} while it was starting, {self._failures} times in a row, so "
            "nothing can be built or run. The lab's log has what it said; free memory or install jupyter-fpga again, "
            "then try again.",
            code="runner_start_failed",
        )

    def _lost(self, child: Child) -> None:
        self._failures = 0 if child.useful else self._failures + 1
        if self._child is child:
            self._child = None
            if not self._stopped:
                # While nobody waits yet.
                self._begin()
