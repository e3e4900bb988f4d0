"""A compute floor of its own for tests that build: the store may be shared, everything else is made here."""

from pathlib import Path
from typing import Any

from jupyter_fpga.compute import Builds, Runner, Sandbox
from jupyter_fpga.compute.actions import Compute
from jupyter_fpga.compute.builds.toolchains import Toolchains
from jupyter_fpga.compute.cache import ActionCache
from jupyter_fpga.compute.runners.direct import DirectRunner
from jupyter_fpga.store import Store

__all__ = ("Workbench",)


class Workbench:
    """Builds on a compute floor.

    Parameters
    ----------
    folder
        The lab's folder.
    sandbox
        The walls.
    parallel
        Programs at once.
    """

    def __init__(self, folder: Path, sandbox: Sandbox, parallel: int | None = None) -> None:
        self._folder = folder
        self._sandbox = sandbox
        self._parallel = parallel
        self._own_store: Store | None = None

    async def start(self, store: Store | None = None, toolchains: Toolchains | None = None, **more: Any) -> Builds:
        """The builds; ``more`` goes to :class:`~jupyter_fpga.compute.Builds`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if store is None:
            store = self._own_store = await Store.open(f"sqlite:///{self._folder.absolute()}/actions.sqlite")
        self.compute = Compute(
            store=store,
            folder=self._folder / "compute",
            cache=ActionCache(self._folder / "cache"),
            runner=DirectRunner(Runner(self._sandbox), self._parallel),
            sandbox=self._sandbox,
        )
        await self.compute.start()
        tools = toolchains or await Toolchains.find()
        return Builds(data_dir=self._folder, compute=self.compute, toolchains=tools, **more)

    async def stop(self) -> None:
        """End it all; the folder stays."""
        await self.compute.stop()
        if self._own_store is not None:
            await self._own_store.close()
