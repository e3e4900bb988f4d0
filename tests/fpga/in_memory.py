"""What a lab stands on, in memory: a clock, boards and builds whose faults a test chooses."""

import asyncio
import hashlib
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from jupyter_fpga.compute.builds.design import BuildFailed, BuildResult, Source, StageReport
from jupyter_fpga.errors import LabError, Unavailable
from jupyter_fpga.fpga.drivers import Check
from jupyter_fpga.fpga.wishbone import BusError, LinkLost, Operation, ProofFailed
from jupyter_fpga.gateware.manifest import Control, Manifest, Register, Window

WINDOW, WINDOW_BYTES = 0x3000_0000, 64
CONTROL = 0xF000_0000
BUS_ERRORS = CONTROL + 4


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
        window=Window(WINDOW, WINDOW_BYTES),
        control=Control(
            scratch=CONTROL,
            bus_errors=BUS_ERRORS,
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
        self.flashed: list[str] | None = None
        """What was written into flash; None: these boards have none."""
        self.failures: list[Exception] = []
        """Raised by the next programmings, one each."""
        self.ailing: str | None = None
        """The link that the doctor finds broken."""
        self.broken = False
        """Whether every programming fails."""
        self.hold: asyncio.Event | None = None
        """Programming waits for it."""
        self.holding = asyncio.Event()
        self._pids = itertools.count(1)

    @property
    def has_flash(self) -> bool:
        return self.flashed is not None

    async def program(
        self, image: Path, manifest: Manifest, *, log: Callable[[str], None] = print, flash: bool = False
    ) -> dict[str, Any]:
        if flash:
            assert self.flashed is not None
            self.flashed.append(manifest.identifier)
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

    async def power_cycle(
        self, record: dict[str, Any] | None, image: Path, manifest: Manifest, *, log: Callable[[str], None] = print
    ) -> dict[str, Any]:
        if record is not None:
            await self.shutdown(record)
        return await self.program(image, manifest)

    def explain(self, record: dict[str, Any], error: LabError) -> LabError:
        return error

    async def examine(self, record: dict[str, Any] | None, *, in_use: bool) -> AsyncIterator[Check]:
        for link in ("power", "programmer", "uart"):
            works = link != self.ailing
            yield Check(link, "ok" if works else "broken", "as it should be" if works else "it is not well")
            if not works:
                return

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
        self.runs: list[list[Operation]] = []
        self.error: Callable[[int, Operation, list[list[int]]], Exception | None] = lambda *_: None
        self.hold: asyncio.Event | None = None
        self.holding = asyncio.Event()
        self.counts = 1
        """What an access to nothing adds to the bus-error counter."""
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
        self.runs.append(list(operations))
        for index, operation in enumerate(operations):
            if self.hold is not None:
                self.holding.set()
                await self.hold.wait()
            if self.lost is not None:
                raise LinkLost(self.lost.reason, completed=results, total=len(operations))
            if error := self.error(index, operation, results):
                raise error
            if WINDOW + WINDOW_BYTES <= operation.address < CONTROL:
                self._boards.running[self._pid]["memory"][BUS_ERRORS] += self.counts
                raise BusError(
                    index, operation, address=operation.address, certain=True, completed=results, ran_on=range(0)
                )
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
        owner: str = "lab",
        priority: int = 0,
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
