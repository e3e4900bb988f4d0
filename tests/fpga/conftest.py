"""A lab in memory: the real store and the real floor, over boards and builds whose faults a test chooses."""

import asyncio
import hashlib
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.compute.design import BuildFailed, BuildResult, Source, StageReport
from jupyter_fpga.errors import Unavailable
from jupyter_fpga.fpga.config import FpgaConfig, SubmitOptions, simulated_boards
from jupyter_fpga.fpga.service import Fpga
from jupyter_fpga.fpga.wishbone import LinkLost, Operation, ProofFailed
from jupyter_fpga.gateware.manifest import Control, Manifest, Register, Window
from jupyter_fpga.people import Person
from jupyter_fpga.store import Store

ANN = Person("ann")
BEN = Person("ben")
OPERATOR = Person("olga", frozenset(("student", "operator")))

DESIGN = Source({"design.py": b"class Top: ..."}, "design.py")

WINDOW = 0x3000_0000


#: Seconds after which something that is awaited never comes; not a measure of how long it may take.
PATIENCE = 120


class TestClock:
    """A clock that goes when it is told to."""

    __test__ = False

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> "asyncio.Future[None]":
        # Not a coroutine: the time counts from the call, however late somebody awaits it.
        future = asyncio.get_running_loop().create_future()
        if seconds > 0:
            self._sleepers.append((self.now + seconds, future))
        else:
            future.set_result(None)
        return future

    def advance(self, seconds: float) -> None:
        self.now += seconds
        due = [sleeper for sleeper in self._sleepers if sleeper[0] <= self.now]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self.now]
        for _, future in due:
            if not future.done():
                future.set_result(None)


def manifest_of(identifier: str, digest: str) -> Manifest:
    return Manifest(
        target="simulated",
        form="amaranth_component",
        top="Top",
        clock_hz=12_000_000,
        baud=1_000_000,
        fifo_depth=1024,
        window=Window(WINDOW, 64),
        control=Control(
            scratch=0xF000_0000,
            bus_errors=0xF000_0004,
            cycles=0xF000_0008,
            overflow=0xF000_0010,
            identifier=0xF000_1000,
            identifier_words=64,
        ),
        digest=digest,
        identifier=identifier,
        registers=[
            Register("duty", 0, 8, 1, "rw"),
            Register("count", 4, 32, 1, "ro"),
            Register("data", 8, 32, 1, "rw"),
        ],
    )


class Boards:
    """A driver over boards in memory. What is done to them, and what goes wrong, is in the test's hands."""

    def __init__(self) -> None:
        self.running: dict[int, dict[str, Any]] = {}
        self.programmed: list[str] = []
        self.failures: list[Exception] = []
        """Raised by the next programmings, one each."""
        self.broken = False
        """Whether every programming fails."""
        self.hold: asyncio.Event | None = None
        """Programming waits for it."""
        self.holding = asyncio.Event()
        self._pids = itertools.count(1)

    async def program(self, image: Path, manifest: Manifest) -> dict[str, Any]:
        if self.hold is not None:
            self.holding.set()
            await self.hold.wait()
        if self.broken:
            raise Unavailable("The simulator does not start.", code="driver_error")
        if self.failures:
            raise self.failures.pop(0)
        return self._start(manifest.identifier)

    def _start(self, identifier: str) -> dict[str, Any]:
        pid = next(self._pids)
        self.running[pid] = {"identifier": identifier, "memory": defaultdict(int), "links": []}
        self.programmed.append(identifier)
        return {"pid": pid}

    async def power_cycle(self, record: dict[str, Any], image: Path, manifest: Manifest) -> dict[str, Any]:
        await self.shutdown(record)
        return await self.program(image, manifest)

    async def open(self, record: dict[str, Any]) -> Any:
        raise NotImplementedError

    async def find(self, record: dict[str, Any]) -> bool:
        return record["pid"] in self.running

    async def shutdown(self, record: dict[str, Any]) -> None:
        self.kill(record["pid"])

    async def sweep(self, known: Collection[dict[str, Any]]) -> None:
        for pid in set(self.running) - {record["pid"] for record in known}:
            self.kill(pid)

    def bench(self, record: dict[str, Any]) -> Any:
        raise NotImplementedError

    def kill(self, pid: int) -> None:
        board = self.running.pop(pid, None)
        for link in board["links"] if board else ():
            link.lose("its serial line was hung up.")


class Link:
    """A link to a board in memory."""

    def __init__(self, boards: Boards, pid: int, on_lost: Callable[[LinkLost], None]) -> None:
        self._boards = boards
        self._pid = pid
        self._on_lost: Callable[[LinkLost], None] | None = on_lost
        self.log: list[Operation] = []
        self.error: Callable[[int, Operation, list[list[int]]], Exception | None] = lambda *_: None
        self.hold: asyncio.Event | None = None
        self.holding = asyncio.Event()
        self.lost: LinkLost | None = None
        self._held = False
        boards.running[pid]["links"].append(self)

    def session(self, name: str) -> "Link":
        return self

    @asynccontextmanager
    async def exclusive(self, name: str) -> AsyncIterator["Link"]:
        yield self

    async def run(
        self, operations: Sequence[Operation], *, on_done: Callable[[int, list[int]], None] | None = None
    ) -> list[list[int]]:
        results: list[list[int]] = []
        for index, operation in enumerate(operations):
            if self.hold is not None:
                self.holding.set()
                await self.hold.wait()
            if self.lost is not None:
                raise LinkLost(self.lost.reason, completed=results, total=len(operations))
            if error := self.error(index, operation, results):
                raise error
            self.log.append(operation)
            results.append(self._one(operation))
            if on_done is not None:
                on_done(index, results[-1])
        return results

    def _one(self, operation: Operation) -> list[int]:
        memory = self._boards.running[self._pid]["memory"]
        addresses = [operation.address + (0 if operation.fixed else 4 * i) for i in range(operation.count)]
        if operation.words is None:
            return [memory[address] for address in addresses]
        memory.update(zip(addresses, operation.words, strict=True))
        return []

    async def prove(self, identifier: str) -> None:
        found = self._boards.running[self._pid]["identifier"]
        if found != identifier:
            raise ProofFailed(f"The board answers as '{found}', not as '{identifier}'.")

    def close(self) -> None:
        self._on_lost = None
        self.lose("it was closed by the lab.")

    def lose(self, reason: str) -> None:
        if self.lost is None:
            self.lost = LinkLost(reason)
            if self.hold is not None:
                self.hold.set()
            if self._on_lost is not None:
                self._on_lost(self.lost)


class Builds:
    """Builds whose end the test decides."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.hold: asyncio.Event | None = None
        self.started: asyncio.Queue[str] = asyncio.Queue()
        self.cancelled: list[str] = []
        self.running = 0
        self.most = 0

    async def base(self, target: str, sys_clk_freq: int | None = None) -> BuildResult:
        return self._result("base", [])

    async def build(
        self,
        source: Source,
        options: Any,
        *,
        on_stage: Callable[[StageReport], None],
        on_log: Callable[[str], None],
    ) -> BuildResult:
        text = source.files[source.entry].decode()
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            on_stage(StageReport("elaborate", 0.0, False, "running"))
            self.started.put_nowait(text)
            on_log(f"Elaborating {source.entry}")
            if self.hold is not None:
                await self.hold.wait()
            if "FAIL" in text:
                raise BuildFailed(
                    "There is no class 'Top'.", stage="elaborate", code="no_top", file="design.py", line=3
                )
            report = StageReport("elaborate", 0.5, False)
            on_stage(report)
            return self._result(hashlib.sha256(text.encode()).hexdigest()[:16], [report])
        except asyncio.CancelledError:
            self.cancelled.append(text)
            raise
        finally:
            self.running -= 1

    def _result(self, digest: str, stages: list[StageReport]) -> BuildResult:
        identifier = f"jupyter_fpga simulated {digest}"
        image = self._folder / digest
        image.write_text(identifier)
        artifacts = {"bitstream": image, "csr.json": image}
        return BuildResult(digest, manifest_of(identifier, digest), artifacts, stages)


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

    async def state(self, fpga_id: int, state: str, since: int = 0) -> dict[str, Any]:
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
