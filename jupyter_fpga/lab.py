"""The composition root: builds the floors from configuration, and owns their start and stop."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .clock import Clock, SystemClock
from .compute import ActionCache, BuildOptions, BuildResult, Builds, Sandbox, Source, StageReport, Toolchains
from .compute.actions import Compute
from .compute.builds.catalog import Catalog, TargetInfo
from .compute.builds.functions import LIMITS, limits_within
from .compute.builds.icebox import find_icebox
from .compute.builds.implementers import find_implementers
from .compute.builds.simulator import SimulatorFunctions
from .compute.builds.vendors import find_vendors
from .compute.runners.local import LocalRunner
from .compute.sandbox.orphans import end_orphans
from .errors import Unavailable
from .fpga.config import FpgaConfig
from .fpga.drivers import Driver, DriverOfBoards, SerialDriver, SimulatedDriver
from .fpga.images import images_needed
from .fpga.openfpgaloader import Walls
from .fpga.service import Fpga
from .fpga.usb import UsbBus
from .store import Store

__all__ = ("Lab", "LabConfig", "UnsafeLab")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LabConfig:
    """How a lab is set up.

    Parameters
    ----------
    data_dir
        Folder of the database, the sources and the builds; on a local disk. Made when missing, for its owner only.
    store_url
        The database; a SQLite file in ``data_dir`` when None.
    fpga
        The boards and their limits.
    several_users
        Whether people who don't trust one another share this lab.
    stage_seconds
        The longest that one stage of a build may run; the stages' own limits when None.
    """

    data_dir: Path
    store_url: str | None = None
    fpga: FpgaConfig = field(default_factory=FpgaConfig)
    several_users: bool = False
    stage_seconds: float | None = None


class UnsafeLab(Unavailable):
    """Several people would share a lab whose designs run without walls around them."""

    default_code = "no_sandbox"


class Lab:
    """All floors of one lab.

    Parameters
    ----------
    config
        How it is set up.
    clock
        What time it is.
    probe
        Finds out which sandbox this machine allows.
    progress
        Gets a sentence whenever something begins that takes long.
    bus
        Where boards on a desk are plugged in.
    targets
        Tells the kinds of boards that there are.
    """

    def __init__(
        self,
        config: LabConfig,
        *,
        clock: Clock | None = None,
        probe: Callable[[], Sandbox] = Sandbox.probe,
        progress: Callable[[str], None] = log.info,
        bus: UsbBus | None = None,
        targets: Callable[[], Awaitable[Mapping[str, TargetInfo]]] = Catalog.load,
    ) -> None:
        self.config = config
        self._bus = bus or UsbBus()
        self._targets = targets
        self._clock = clock or SystemClock()
        self._probe = probe
        self._progress = progress
        self._store: Store | None = None
        self._compute: Compute | None = None
        self._fpga: Fpga | None = None
        self._workshop: _Workshop | None = None

    @property
    def compute(self) -> Compute:
        """The compute floor.

        Raises
        ------
        Unavailable
            The lab isn't running.
        """
        if self._compute is None:
            raise _not_running()
        return self._compute

    @property
    def fpga(self) -> Fpga:
        """The boards' floor.

        Raises
        ------
        Unavailable
            The lab isn't running.
        """
        if self._fpga is None:
            raise _not_running()
        return self._fpga

    @property
    def store(self) -> Store:
        """The durable truth.

        Raises
        ------
        Unavailable
            The lab isn't running.
        """
        if self._store is None:
            raise _not_running()
        return self._store

    async def start(self) -> None:
        """Open the store, find the boards again, and make the tools ready meanwhile.

        Raises
        ------
        UnsafeLab
            Several people, and no sandbox.
        LabError
            Another lab uses the database, or it can't be used; the message says what to do.
        """
        config = self.config
        sandbox = await asyncio.to_thread(self._probe)
        await asyncio.to_thread(end_orphans)
        if config.several_users and not sandbox.fit_for_strangers:
            raise UnsafeLab(
                f"A lab for several people needs a sandbox around their designs. {sandbox.reason} "
                "For a lab of your own, start it without a file of keys.",
                detail={"tier": sandbox.tier},
            )
        config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        url = config.store_url or f"sqlite:///{config.data_dir.absolute() / 'lab.sqlite'}"
        self._store = await Store.open(url, clock=self._clock)
        self._compute = Compute(
            store=self._store,
            folder=config.data_dir / "compute",
            cache=ActionCache(config.data_dir / "cache"),
            runner=LocalRunner(sandbox, clock=self._clock),
            sandbox=sandbox,
            clock=self._clock,
        )
        # Before what an earlier life of the lab left unfinished goes on.
        simulator = await asyncio.to_thread(SimulatorFunctions, self._compute.cache, config.stage_seconds)
        await self._compute.install(simulator)
        await self._compute.start()
        self._workshop = _Workshop(config, self._compute, self._store, self._progress)
        if config.fpga.boards or config.fpga.discover:
            self._workshop.prepare()
        drivers: dict[str, Driver | DriverOfBoards] = {
            "simulated": SimulatedDriver(sandbox, config.data_dir / "boards")
        }
        desk = await self._desk(sandbox)
        if desk is not None:
            drivers["serial"] = desk
        self._fpga = Fpga(
            store=self._store,
            builds=self._workshop,
            drivers=drivers,
            config=replace(config.fpga, several_users=config.several_users),
            data_dir=config.data_dir,
            clock=self._clock,
            desk=desk,
        )
        await self._fpga.start()

    async def _desk(self, sandbox: Sandbox) -> SerialDriver | None:
        """Boards on a desk, when the lab is to have any."""
        config = self.config.fpga
        if not config.discover and all(board.driver != "serial" for board in config.boards):
            return None
        desk = SerialDriver(
            await self._targets(), self._bus, self.config.data_dir / "programming", walls=Walls(sandbox.bwrap)
        )
        desk.check(config.discover)
        self._bus.start()
        return desk

    async def stop(self) -> None:
        """Stop from the top down: the boards' floor with its simulated boards, the workshop, the actions, the store."""
        fpga, self._fpga = self._fpga, None
        workshop, self._workshop = self._workshop, None
        compute, self._compute = self._compute, None
        store, self._store = self._store, None
        try:
            if fpga is not None:
                await fpga.stop()
        finally:
            self._bus.stop()
            if workshop is not None:
                await workshop.stop()
            if compute is not None:
                await compute.stop()
            if store is not None:
                await store.close()


def _not_running() -> Unavailable:
    return Unavailable("The lab isn't running here now; try again in a moment.", code="lab_not_running")


class _Workshop:
    """The builds, which are there as soon as the tools are: whoever needs one before waits for them.

    A machine without a C++ compiler has a lab all the same; its builds fail with the sentence that says what to do.
    """

    def __init__(self, config: LabConfig, compute: Compute, store: Store, progress: Callable[[str], None]) -> None:
        self._data_dir = config.data_dir
        self._kinds = sorted({board.target for board in config.fpga.boards})
        self._limits = LIMITS if config.stage_seconds is None else limits_within(config.stage_seconds)
        self._compute = compute
        self._store = store
        self._progress = progress
        self._builds: asyncio.Task[Builds] | None = None
        self._doing: str | None = None
        self._targets: list[dict[str, Any]] | None = None
        self._waiting: set[Callable[[str], None]] = set()

    def prepare(self) -> None:
        """Begin to make ready, so that the first build needn't wait for it."""
        self._builds = asyncio.create_task(self._prepare(), name="jupyter_fpga tools")

    async def _prepare(self) -> Builds:
        builds = Builds(
            data_dir=self._data_dir,
            compute=self._compute,
            toolchains=await Toolchains.find(),
            limits=self._limits,
            pinned=lambda: self._store.read(images_needed),
        )
        await builds.prepare(self._tell, self._kinds)
        return builds

    def _tell(self, sentence: str) -> None:
        """Whoever waits for a build reads in its log what it waits for."""
        self._progress(sentence)
        self._doing = sentence
        for tell in self._waiting:
            tell(sentence)

    async def _ready(self, tell: Callable[[str], None] | None = None) -> Builds:
        builds = self._builds
        if builds is None or (builds.done() and (builds.cancelled() or builds.exception() is not None)):
            # Not begun yet; or failed, and what was missing may have been installed since.
            self.prepare()
        assert self._builds is not None
        if tell is None or self._builds.done():
            return await asyncio.shield(self._builds)
        if self._doing is not None:
            tell(self._doing)
        self._waiting.add(tell)
        try:
            return await asyncio.shield(self._builds)
        finally:
            self._waiting.discard(tell)

    async def base(self, target: str, sys_clk_freq: int | None = None) -> BuildResult:
        """The idle image of a target."""
        return await (await self._ready()).base(target, sys_clk_freq)

    async def targets(self) -> list[dict[str, Any]]:
        """Every kind of board that designs can be built for, and whether its tools are here."""
        if self._targets is None:
            catalog, implementers, icebox = await asyncio.gather(
                Catalog.load(),
                asyncio.to_thread(find_implementers, os.environ),
                asyncio.to_thread(find_icebox, os.environ),
            )
            self._targets = []
            for target in catalog.values():
                told = target.to_json()
                if target.implemented:
                    tools = implementers[target.toolchain].to_json()
                    told["tools"] = icebox.beside(tools) if target.simulated else tools
                self._targets.append(told)
        return [target if "tools" in target else target | {"tools": self._simulation()} for target in self._targets]

    async def toolchains(self) -> list[dict[str, Any]]:
        """Every toolchain that bitstreams are made with, and whether it is here."""
        implementers, vendors = await asyncio.gather(
            asyncio.to_thread(find_implementers, os.environ), asyncio.to_thread(find_vendors, os.environ)
        )
        open_ones = [
            {"toolchain": name, "title": f"Yosys and nextpnr for {name}", "vendor": False, **tools.to_json()}
            for name, tools in implementers.items()
        ]
        return open_ones + [
            {"toolchain": name, "title": tool.title, "vendor": True, **tool.to_json()} for name, tool in vendors.items()
        ]

    def _simulation(self) -> dict[str, Any]:
        """Whether the tools of simulated boards are here, as far as it is known already."""
        failure = None
        if self._builds is not None and self._builds.done() and not self._builds.cancelled():
            failure = self._builds.exception()
        return {"found": failure is None, "version": "", "missing": str(failure or "")}

    async def build(
        self,
        source: Source,
        options: BuildOptions,
        *,
        owner: str,
        priority: int,
        on_stage: Callable[[StageReport], None],
        on_log: Callable[[str], None],
    ) -> BuildResult:
        """Build a design."""
        builds = await self._ready(on_log)
        return await builds.build(source, options, owner=owner, priority=priority, on_stage=on_stage, on_log=on_log)

    async def stop(self) -> None:
        """Stop making ready."""
        if self._builds is None:
            return
        self._builds.cancel()
        await asyncio.wait([self._builds])
        if not self._builds.cancelled():
            # Told already to whoever waited for a build.
            self._builds.exception()
