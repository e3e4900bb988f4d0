"""Testbenches as functions of a worker of their own: it needs Python and nothing else, so it is there at once."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from jupyter_fpga.compute.actions.descriptors import Action
from jupyter_fpga.compute.builds.functions import COMMAND
from jupyter_fpga.compute.builds.toolchains import packages_digest
from jupyter_fpga.compute.cache import ActionCache, Blob
from jupyter_fpga.compute.runners import Task
from jupyter_fpga.compute.sandbox import MIB, Limits

__all__ = ("SIMULATE", "SIMULATION", "SimulatorFunctions")

SIMULATE = "simulate"
"""The function: ``source/…`` as inputs, and ``entry``, ``top``, ``params``, ``target``, ``sys_clk_freq`` and ``until``
as constants."""
SIMULATION = "simulation.json"
"""What it leaves, also when a testbench fails."""

_LIMITS = Limits(wall_seconds=60, cpu_seconds=120, memory_bytes=1024 * MIB, disk_bytes=128 * MIB)


class SimulatorFunctions:
    """Amaranth's simulator as a worker's function.

    Parameters
    ----------
    cache
        Where contents are.
    seconds
        The longest that a simulation may run; the usual time without.
    command
        See :data:`~jupyter_fpga.compute.builds.functions.COMMAND`.
    """

    name = "simulator"

    def __init__(self, cache: ActionCache, seconds: float | None = None, command: Sequence[str] = COMMAND) -> None:
        self._cache = cache
        self._command = tuple(command)
        self._limits = _LIMITS if seconds is None else replace(_LIMITS, wall_seconds=seconds, cpu_seconds=2 * seconds)
        # It doesn't change while the lab runs, and takes a look at every file of the workshop.
        self.versions: Mapping[str, str] = {SIMULATE: str(uuid.UUID(hex=packages_digest()[:32]))}

    async def task(self, action: Action, token: str) -> Task:
        """What is to be run for an action."""
        inputs: dict[str, Path | bytes] = {
            name: self._cache.blobs.path(Blob(content.hash, content.size)) for name, content in action.inputs.items()
        }
        inputs["request.json"] = json.dumps(dict(action.constants)).encode()
        return Task(
            token=token,
            command=(*self._command, SIMULATE),
            limits=self._limits,
            inputs=inputs,
            outputs=(SIMULATION, "error.json"),
            required=(SIMULATION,),
            scrap=("error.json", "request.json"),
            # It stops by itself a little earlier, so that what it has simulated isn't lost.
            environment={"LAB_SECONDS": f"{self._limits.wall_seconds:g}"},
            warm=SIMULATE,
        )
