"""What the compute floor asks of whatever runs its actions: a process of this machine, or a cluster."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from jupyter_fpga.compute.sandbox import Finished, Limits, Mount
from jupyter_fpga.errors import Unavailable

__all__ = ("ActionRunner", "Late", "RunnerVanished", "Task")


@dataclass(frozen=True)
class Task:
    """One program to run behind walls, as data that can go to another process or machine.

    Parameters
    ----------
    token
        ``LSN:fence`` of the claim that it is run for: unique, and what a late result is refused by.
    command
        Program and arguments, as paths in the sandbox; the current directory is its work folder.
    limits
        What it may use.
    inputs
        Files of its work folder: content, or a file to copy, by name.
    outputs
        Names of files to take out of the work folder; ``name/`` means all files below that folder, ``*`` everything.
    required
        Outputs without which it has failed, whatever its exit code.
    scrap
        Outputs that are of use only when it has failed.
    results
        Folder whose name is left out of the names of the outputs: ``outputs/``.
    mounts
        What else it may see.
    environment
        What it finds in its environment besides the usual.
    warm
        Kind of warm sandbox that suits it, if one is ready.
    """

    token: str
    command: tuple[str, ...]
    limits: Limits
    inputs: Mapping[str, Path | bytes] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    scrap: tuple[str, ...] = ()
    results: str = ""
    mounts: tuple[Mount, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    warm: str | None = None


class RunnerVanished(Unavailable):
    """A runner's process died, or doesn't answer any more. What it ran is abandoned, and tried again."""

    default_code = "runner_vanished"


Late = Callable[[str, Finished], None]
"""Told of a result that comes for a task which was given up long ago: its token, and how it ended."""


class ActionRunner(Protocol):
    """Runs tasks. The store owns retries, priorities and order: a runner begins what it is given, at once."""

    name: str

    @property
    def capacity(self) -> int:
        """Tasks at once."""
        ...

    async def start(self, on_late: Late) -> None:
        """Begin to be able to run tasks."""
        ...

    async def run(
        self, task: Task, into: Path, *, on_start: Callable[[], None], on_output: Callable[[str], None]
    ) -> Finished:
        """Run a task to its end. When the caller is cancelled, the whole tree is gone before this returns.

        Parameters
        ----------
        into
            Folder for the outputs.
        on_start
            Called when the program begins.
        on_output
            Gets each line that it prints.

        Raises
        ------
        RunnerVanished
            Who ran it is gone.
        SandboxError
            It could not be started.
        BadOutput
            It left something else than plain files of acceptable size as outputs.
        """
        ...

    def describe(self) -> dict[str, Any]:
        """Facts for people: kind, processes, capacity, tokens at work."""
        ...

    async def stop(self) -> None:
        """End what runs, and be gone."""
        ...
