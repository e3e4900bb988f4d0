"""A lab of real simulated boards, each on a serial line that a test can spoil."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

import pytest
import serial

from jupyter_fpga.compute import Sandbox, Source
from jupyter_fpga.compute.sandbox.detached import start_time
from jupyter_fpga.fpga.config import BoardConfig, FpgaConfig, SubmitOptions
from jupyter_fpga.fpga.drivers import Record, SimulatedDriver
from jupyter_fpga.fpga.service import Fpga
from jupyter_fpga.gateware.manifest import Manifest
from jupyter_fpga.people import Person
from jupyter_fpga.store import Store

from ..workbench import Workbench  # noqa: TID252 - the tests are no package

OLGA = Person("olga", frozenset(("student", "operator")))

PATIENCE = 120.0
"""Seconds within which a board must be back, whatever happened: a mute one is looked for during half a minute."""

Fault = Literal["garbage in", "garbage out", "flipped bits", "cut", "mute", "killed", "stopped"]
"""What can happen to a board: bytes that nobody sent come to the lab, or to the board; bits of what passes change; the
line is pulled; nothing passes any more; its process is killed, or stopped."""


class Line:
    """Two pseudo-terminals in a row: the board's own, and one that the lab opens; bytes pass between them.

    Parameters
    ----------
    board
        The board's line, open.
    choose
        What garbage there is, and when bits flip.
    """

    def __init__(self, board: serial.Serial, choose: random.Random) -> None:
        self._board = board
        self._choose = choose
        self._master, slave = os.openpty()
        self.wire = serial.Serial(os.ttyname(slave), board.baudrate, timeout=0, exclusive=True)
        os.close(slave)
        os.set_blocking(self._master, False)
        self._loop = asyncio.get_running_loop()
        self._out: dict[int, bytearray] = {self._master: bytearray(), board.fd: bytearray()}
        self._passed = 0
        self._due: list[tuple[int, Fault]] = []
        self._mute = self._flipping = False
        self.open = True
        self._loop.add_reader(self._master, self._pass, self._master, board.fd)
        self._loop.add_reader(board.fd, self._pass, board.fd, self._master)

    def spoil(self, fault: Fault, after: int = 0) -> None:
        """Let something happen once ``after`` more bytes have passed."""
        if after:
            self._due.append((self._passed + after, fault))
        elif fault == "cut":
            self.close()
        elif fault == "mute":
            self._mute = True
        elif fault == "flipped bits":
            self._flipping = True
        elif self.open:
            self._send(self._master if fault == "garbage in" else self._board.fd, self._garbage())

    def _garbage(self) -> bytes:
        return self._choose.randbytes(self._choose.randrange(1, 300))

    def _pass(self, source: int, target: int) -> None:
        try:
            data = os.read(source, 65536)
        except BlockingIOError:
            return
        except OSError:
            # EIO: the other end was closed.
            data = b""
        if not data:
            self.close()
            return
        self._passed += len(data)
        if self._flipping and self._choose.random() < 0.2:
            at = self._choose.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ (1 << self._choose.randrange(8))]) + data[at + 1 :]
        if not self._mute:
            self._send(target, data)
        due = [fault for when, fault in self._due if when <= self._passed]
        self._due = [(when, fault) for when, fault in self._due if when > self._passed]
        for fault in due:
            self.spoil(fault)

    def _send(self, target: int, data: bytes) -> None:
        self._out[target] += data
        self._flush(target)

    def _flush(self, target: int) -> None:
        out = self._out[target]
        try:
            del out[: os.write(target, out)]
        except BlockingIOError:
            self._loop.add_writer(target, self._flush, target)
            return
        except OSError:
            self.close()
            return
        if not out:
            self._loop.remove_writer(target)

    def close(self) -> None:
        """Pull it: both ends are hung up."""
        if self.open:
            self.open = False
            for end in (self._master, self._board.fd):
                self._loop.remove_reader(end)
                self._loop.remove_writer(end)
            os.close(self._master)
            self._board.close()


class FaultyDriver(SimulatedDriver):
    """Reaches one board, to which things happen.

    Parameters
    ----------
    choose
        Chooses garbage and moments.
    """

    def __init__(self, sandbox: Sandbox, run_dir: Path, choose: random.Random) -> None:
        super().__init__(sandbox, run_dir, linger=30.0)
        self._choose = choose
        self._folder = run_dir
        self.coming: list[Fault | None] = []
        """What happens to the board at its next programmings, one each."""
        self.spoilt_images = 0
        """How many of the next programmings get an image that is no program."""
        self.records: list[Record] = []
        """Every board that was started."""
        self.line: Line | None = None
        self._line_fault: Fault | None = None

    async def program(self, image: Path, manifest: Manifest, **how: Any) -> Record:
        if self.spoilt_images:
            self.spoilt_images -= 1
            image = self._spoilt(image)
        record = await super().program(image, manifest, **how)
        self.records.append(record)
        fault = self.coming.pop(0) if self.coming else None
        if fault in ("killed", "stopped"):
            self.happen(fault)
        else:
            self._line_fault = fault
        return record

    def _spoilt(self, image: Path) -> Path:
        spoilt = self._folder.with_suffix(".spoilt")
        spoilt.write_bytes(image.read_bytes()[:1000])
        spoilt.chmod(0o755)
        return spoilt

    async def open(self, record: Record) -> Any:
        self.line = Line(await super().open(record), self._choose)
        fault, self._line_fault = self._line_fault, None
        if fault is not None:
            # A proof is some hundred bytes long.
            self.line.spoil(fault, self._choose.randrange(1, 400))
        return self.line.wire

    def happen(self, fault: Fault) -> None:
        """Let something happen to the board now."""
        if fault in ("killed", "stopped"):
            os.kill(self.records[-1]["pid"], signal.SIGKILL if fault == "killed" else signal.SIGSTOP)
        else:
            assert self.line is not None
            self.line.spoil(fault)

    def alive(self) -> list[int]:
        """Processes of the board that run, or are stopped: of this one and those before it."""
        return [record["pid"] for record in self.records if start_time(record["pid"]) == record["start_time"]]


class FaultyLab:
    """A lab whose boards fail."""

    def __init__(self, folder: Path, boards: int, seed: int) -> None:
        self.folder = folder
        self.choose = random.Random(seed)
        self.boards = range(boards)
        sandbox = Sandbox.probe()
        self.drivers = [
            FaultyDriver(sandbox, folder / f"board{n}", random.Random(self.choose.random())) for n in self.boards
        ]
        self._bench = Workbench(folder, sandbox)
        self.store: Store
        self.fpga: Fpga

    async def start(self) -> None:
        self.store = await Store.open(f"sqlite:///{self.folder}/lab.sqlite")
        builds = await self._bench.start(self.store)
        await builds.prepare()
        configured = tuple(BoardConfig(n, driver=f"board{n}") for n in self.boards)
        self.fpga = Fpga(
            store=self.store,
            builds=builds,
            drivers={f"board{n}": driver for n, driver in enumerate(self.drivers)},
            config=FpgaConfig(boards=configured, reset_backoff=(0.0,)),
            data_dir=self.folder,
        )
        await self.fpga.start()

    async def stop(self) -> None:
        """Stop in order; nothing of any board may be left."""
        await self.fpga.stop()
        await self._bench.stop()
        await self.store.close()
        assert [driver.alive() for driver in self.drivers] == [[] for _ in self.drivers]
        assert [list((self.folder / f"board{n}").iterdir()) for n in self.boards] == [[] for _ in self.boards]

    async def until(self, look: Callable[[], Awaitable[Any]]) -> Any:
        """Look again after each event until ``look`` finds something, and return that."""
        events = self.fpga.events(OLGA, self.store.events.latest)
        try:
            async with asyncio.timeout(PATIENCE):
                while not (found := await look()):
                    await anext(events)
                return found
        except TimeoutError:
            boards, jobs = await self.fpga.boards(OLGA), await self.fpga.jobs(OLGA, limit=5)
            raise AssertionError(f"not within {PATIENCE} s: {boards}\n{jobs}") from None
        finally:
            await events.aclose()

    async def back(self, fpga_id: int) -> dict[str, Any]:
        """Wait until a board is free, or in quarantine; returns its record."""

        async def look() -> dict[str, Any] | None:
            board = await self.fpga.board(OLGA, fpga_id)
            at_rest = board["state"] == "idle" or board["health"] == "quarantined"
            return board if at_rest and board["current_job_id"] is None else None

        return dict(await self.until(look))

    async def submit(self, fpga_id: int, source: Source) -> dict[str, Any]:
        """Have a design on a board; returns the job's record when it has ended."""
        return await self.ended(await self.fpga.submit(OLGA, source, SubmitOptions(), fpga_id))

    async def ended(self, job: dict[str, Any]) -> dict[str, Any]:
        """Wait until a job has ended; returns its record."""

        async def look() -> dict[str, Any] | None:
            record = await self.fpga.job(OLGA, job["job_id"])
            return record if record["status"] in ("complete", "failed", "cancelled") else None

        return dict(await self.until(look))


@pytest.fixture
async def make_lab(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[FaultyLab]]]:
    """Starts labs, and stops them at the end."""
    labs: list[FaultyLab] = []

    async def make(boards: int, seed: int) -> FaultyLab:
        lab = FaultyLab(tmp_path, boards, seed)
        labs.append(lab)
        await lab.start()
        return lab

    yield make
    for lab in labs:
        await lab.stop()
