"""Runs programs behind the walls on this machine."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from jupyter_fpga.compute.detached import DETACHED_LIMITS, Detached, kill_detached, spawn_detached
from jupyter_fpga.compute.limits import Limits
from jupyter_fpga.compute.sandbox import Mount, Sandbox

__all__ = ("Runner",)


class Runner:
    """Runs programs in sandboxes of this machine.

    Parameters
    ----------
    sandbox
        The walls; :meth:`Sandbox.probe` finds the best ones.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    async def spawn_detached(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        mounts: Sequence[Mount] = (),
        environment: Mapping[str, str] | None = None,
        passed: Sequence[int] = (),
        limits: Limits = DETACHED_LIMITS,
    ) -> Detached:
        """Start a program that outlives the lab; see :func:`~jupyter_fpga.compute.detached.spawn_detached`."""
        return await spawn_detached(
            self.sandbox, command, folder=folder, mounts=mounts, environment=environment, passed=passed, limits=limits
        )

    async def kill_detached(self, detached: Detached) -> None:
        """End it with everything it started; see :func:`~jupyter_fpga.compute.detached.kill_detached`."""
        await kill_detached(detached)
