"""A runner in this very process: supervises programs behind walls, each in a sandbox of its own.

A runner process (:mod:`~jupyter_fpga.compute.runners.local`) has one of these inside.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_fpga.compute.runners.base import Late, RunnerVanished, Task
from jupyter_fpga.compute.sandbox import Finished, ProgramKilled, Runner

__all__ = ("DirectRunner",)


class DirectRunner:
    """Runs tasks from this process.

    Parameters
    ----------
    programs
        Starts and supervises single programs.
    capacity
        Tasks at once; as many as there are processors if not given.
    """

    name = "direct"

    def __init__(self, programs: Runner, capacity: int | None = None) -> None:
        self._programs = programs
        self._capacity = capacity or len(os.sched_getaffinity(0))
        self._tokens: set[str] = set()

    @property
    def capacity(self) -> int:
        """Tasks at once."""
        return self._capacity

    async def start(self, on_late: Late) -> None:
        """Nothing to start."""

    async def run(
        self, task: Task, into: Path, *, on_start: Callable[[], None], on_output: Callable[[str], None]
    ) -> Finished:
        """Run a task: see :class:`~jupyter_fpga.compute.runners.base.ActionRunner`."""
        self._tokens.add(task.token)
        try:
            return await self._programs.run(
                task.command,
                limits=task.limits,
                inputs=task.inputs,
                outputs=task.outputs,
                into=into,
                mounts=task.mounts,
                environment=task.environment,
                warm=task.warm,
                on_start=on_start,
                on_output=on_output,
            )
        except ProgramKilled as error:
            raise RunnerVanished(
                "The program was killed from outside, neither by the lab nor by itself; the machine may be out of "
                "memory. It is tried again.",
                code="runner_killed",
            ) from error
        finally:
            self._tokens.discard(task.token)

    def describe(self) -> dict[str, Any]:
        """Facts for people."""
        running = sorted(self._tokens)
        return {"kind": self.name, "capacity": self._capacity, "processes": [{"pid": os.getpid(), "running": running}]}

    async def stop(self) -> None:
        """End what stands ready; whoever awaits a run ends that."""
        await self._programs.close()
