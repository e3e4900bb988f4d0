"""A lab in memory: the real store and the real floor, over boards and builds whose faults a test chooses."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.compute.builds.design import Source
from jupyter_fpga.errors import Unavailable
from jupyter_fpga.fpga.config import FpgaConfig, SubmitOptions, simulated_boards
from jupyter_fpga.fpga.service import Fpga
from jupyter_fpga.fpga.wishbone import LinkLost
from jupyter_fpga.gateware.manifest import Manifest
from jupyter_fpga.people import Person
from jupyter_fpga.store import Store

from .in_memory import Boards, Builds, Link, TestClock

ANN = Person("ann")
BEN = Person("ben")
OPERATOR = Person("olga", frozenset(("student", "operator")))

DESIGN = Source({"design.py": b"class Top: ..."}, "design.py")

#: Seconds after which something that is awaited never comes; not a measure of how long it may take.
PATIENCE = 120


async def crash(fpga: Fpga) -> None:
    """End a lab's floor without its ordered stop: the boards go on."""
    floor = fpga._floor
    await floor.stop()
    assert fpga._alarms is not None
    fpga._alarms.cancel()
    await asyncio.wait({fpga._alarms})
    for unit in floor.pool:
        unit.detach()


class Lab:
    """A lab over a folder: it can be started, crashed, and started again."""

    def __init__(self, folder: Path, config: FpgaConfig) -> None:
        self.folder = folder
        self.config = config
        self.clock = TestClock()
        self.driver = Boards()
        self.builds = Builds(folder)
        self.links: list[Link] = []
        self.checkpoints: list[str] = []
        """Names of the checkpoints that were passed."""
        self._passed = asyncio.Event()
        self.store: Store
        self.fpga: Fpga

    async def start(self) -> "Lab":
        self.store = await Store.open(f"sqlite:///{self.folder}/lab.sqlite", clock=self.clock)
        self.fpga = Fpga(
            store=self.store,
            builds=self.builds,
            drivers={"simulated": self.driver},
            config=self.config,
            data_dir=self.folder,
            clock=self.clock,
            open_link=self._open_link,
            checkpoint=self._checkpoint,
        )
        await self.fpga.start()
        return self

    def _checkpoint(self, name: str) -> None:
        self.checkpoints.append(name)
        if not name.endswith(":before commit"):
            self._passed.set()

    async def reached(self, name: str) -> None:
        """Wait until a checkpoint has been passed."""
        async with asyncio.timeout(PATIENCE):
            while name not in self.checkpoints:
                self._passed.clear()
                await self._passed.wait()

    async def stop(self) -> None:
        await self.fpga.stop()
        await self.store.close()

    async def crash(self) -> None:
        """End the lab without its ordered stop: the boards go on."""
        await crash(self.fpga)
        await self.store.close()

    async def _open_link(
        self,
        driver: Any,
        record: dict[str, Any],
        manifest: Manifest,
        *,
        fresh: bool,
        on_lost: Callable[[LinkLost], None],
    ) -> Link:
        if record["pid"] not in self.driver.running:
            raise Unavailable("The simulator is gone.", code="driver_error")
        link = Link(self.driver, record["pid"], on_lost)
        self.links.append(link)
        return link

    # What tests do again and again

    async def submit(
        self, person: Person = ANN, text: str = "class Top: ...", fpga_id: int | None = None, **options: Any
    ) -> dict[str, Any]:
        """Submit a design of one file."""
        source = Source({"design.py": text.encode()}, "design.py")
        return await self.fpga.submit(person, source, SubmitOptions(**options), fpga_id)

    async def released(self, fpga_id: int = 0, person: Person = ANN) -> None:
        """Release a board and wait until it is idle."""
        await self.ended((await self.fpga.release(person, fpga_id))["job_id"])

    async def events(self, *kinds: str, person: Person = OPERATOR) -> list[dict[str, Any]]:
        """What has happened so far, of these kinds."""
        frames = []
        async for frame in self.fpga.events(person, 0):
            if frame["kind"] == "watermark":
                return frames
            if frame["kind"] in kinds:
                frames.append(frame)
        raise AssertionError("the log ended")

    async def edges(self, fpga_id: int = 0) -> list[str]:
        """The states that a board went through."""
        return [
            frame["state"]
            for frame in await self.events("board_state")
            if frame["fpga_id"] == fpga_id and "cause" in frame
        ]

    async def until(self, what: Callable[[dict[str, Any]], bool], since: int = 0) -> dict[str, Any]:
        """The first event from ``since`` on that ``what`` accepts; the log is followed until then."""
        frames = self.fpga.events(OPERATOR, since)
        async with asyncio.timeout(PATIENCE):
            async for frame in frames:
                if frame["kind"] != "watermark" and what(frame):
                    await frames.aclose()
                    return frame
        raise AssertionError("the log ended")

    async def state(self, fpga_id: int, state: str) -> dict[str, Any]:
        """Wait until a board is in a state."""
        while (board := await self.fpga.board(OPERATOR, fpga_id))["state"] != state:
            # From what the board's row in memory is of: the log may be ahead of it for a turn of the loop.
            await self.until(lambda f: f["fpga_id"] == fpga_id, self.fpga._floor.pool[fpga_id].lsn)
        return board

    async def ended(self, job_id: str) -> dict[str, Any]:
        """Wait until a job has ended; returns its record."""
        await self.until(lambda f: f["job_id"] == job_id and f.get("status") in ("complete", "failed", "cancelled"))
        return await self.fpga.job(OPERATOR, job_id)

    async def stage(self, job_id: str, stage: str) -> None:
        """Wait until a job has reached a stage."""
        await self.until(lambda f: f["job_id"] == job_id and (f.get("stage") or "").startswith(stage))

    async def all_idle(self) -> None:
        for board in self.config.boards:
            await self.state(board.fpga_id, "idle")

    async def reserved(
        self, person: Person = ANN, fpga_id: int | None = 0, source: Source = DESIGN, **options: Any
    ) -> dict[str, Any]:
        """Submit, and wait until the design runs; returns the job's record."""
        answer = await self.fpga.submit(person, source, SubmitOptions(**options), fpga_id)
        job = await self.ended(answer["job_id"])
        assert job["status"] == "complete", job
        return job


@pytest.fixture
def people() -> tuple[Person, Person, Person]:
    """Two students and an operator."""
    return ANN, BEN, OPERATOR


@pytest.fixture
def make_lab(tmp_path: Path) -> Callable[..., Lab]:
    """Makes labs that a test starts and stops itself."""

    def make(boards: int = 2, folder: Path = tmp_path, **config: Any) -> Lab:
        config.setdefault("watermark_seconds", 0.01)
        return Lab(folder, FpgaConfig(boards=simulated_boards(boards), **config))

    return make


@pytest.fixture
async def lab(make_lab: Callable[..., Lab]) -> AsyncIterator[Lab]:
    """A lab with two boards that are idle."""
    lab = await make_lab().start()
    await lab.all_idle()
    yield lab
    await lab.stop()
