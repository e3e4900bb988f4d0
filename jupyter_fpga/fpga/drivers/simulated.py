"""Boards that are processes: each a simulator, in a sandbox of its own, with a pseudo-terminal as its serial line."""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import socket
import termios
import tty
from collections.abc import AsyncIterator, Callable, Collection
from pathlib import Path
from typing import Any

import serial

from jupyter_fpga.compute.sandbox.detached import Detached, kill_detached, spawn_detached, start_time
from jupyter_fpga.compute.sandbox.walls import Mount, Sandbox, SandboxError
from jupyter_fpga.errors import LabError
from jupyter_fpga.gateware.manifest import Manifest

from ._bench import SimulatedBench
from ._channel import Channel, connect, gone
from .base import Bench, Check, DriverError, Record, unheard

__all__ = ("SimulatedDriver",)

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

#: File in a board's folder that names its process, from before its program begins.
_PROCESS = "process.json"

#: Where the sandbox shows the board its own program.
_PROGRAM = "/board/simulator"

_QUIT_SECONDS = 1.0
"""How long a board may take to end in order (a trace is written out) before it is killed."""


class SimulatedDriver:
    """See :class:`~jupyter_fpga.fpga.drivers.base.Driver`.

    Parameters
    ----------
    sandbox
        The walls around each board.
    run_dir
        A private folder on this machine; each board has one in it.
    linger
        Seconds after which a board whose lab is gone ends itself.
    tail
        Seconds of board time that go on after the last byte on a line, or the last command of the bench.
    start_seconds
        A board answers within 20 ms of its start; on a machine that swaps, later. After this it isn't coming.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        run_dir: Path,
        *,
        linger: float = 300.0,
        tail: float = 0.05,
        start_seconds: float = 20.0,
    ) -> None:
        self._sandbox = sandbox
        self._run_dir = run_dir
        self._linger = linger
        self._tail = tail
        self._start_seconds = start_seconds
        self._channels: dict[str, Channel] = {}

    @property
    def has_flash(self) -> bool:
        return False

    async def program(
        self, image: Path, manifest: Manifest, *, log: Callable[[str], None] = unheard, flash: bool = False
    ) -> Record:
        folder = _make_folder(self._run_dir)
        try:
            with contextlib.ExitStack() as closing:
                master, slave = os.openpty()
                closing.callback(os.close, master)
                closing.callback(os.close, slave)
                tty.setraw(slave, termios.TCSANOW)
                control = closing.enter_context(_listen(folder / "control"))
                board = await self._spawn(folder, image, manifest, master, slave, control.fileno())
                terminal = os.ttyname(slave)
            record: Record = {
                "pid": board.pid,
                "start_time": board.start_time,
                "boot_id": _boot_id(),
                "tty": terminal,
                "control_socket": str(folder / "control"),
                "run_dir": str(folder),
                "baud": manifest.baud,
            }
            try:
                channel = await self._channel(record)
                async with asyncio.timeout(self._start_seconds):
                    await channel.hello()
            except BaseException as error:
                self._forget(record)
                await kill_detached(board)
                if isinstance(error, (DriverError, TimeoutError)):
                    raise DriverError(_did_not_start(folder)) from error
                raise
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return record

    async def _spawn(
        self, folder: Path, image: Path, manifest: Manifest, master: int, slave: int, control: int
    ) -> Detached:
        options = {
            "tty": master,
            "tty-slave": slave,
            "control": control,
            "clock": manifest.clock_hz,
            "baud": manifest.baud,
            "linger": self._linger,
            "tail": self._tail,
        }
        command = [_PROGRAM, *(word for name, value in options.items() for word in (f"--{name}", str(value)))]
        try:
            return await spawn_detached(
                self._sandbox,
                command,
                folder=folder / "work",
                mounts=[Mount(_absolute(image), _PROGRAM)],
                passed=[master, slave, control],
                before_start=lambda board: _note(folder, board),
            )
        except (SandboxError, OSError) as error:
            raise DriverError(f"The simulated board could not be started: {error}") from error

    async def open(self, record: Record) -> Any:
        if not _is_alive(record):
            raise gone()
        try:
            return serial.Serial(record["tty"], record["baud"], timeout=0, exclusive=True)
        except (serial.SerialException, OSError, termios.error) as error:
            # The line ends with the process, before this is seen to be dead; opened meanwhile, termios says so.
            if not _is_alive(record) or not _has_line(record):
                raise gone() from error
            raise DriverError(
                f"The serial line {record['tty']} of the board can't be opened: {error}. Reset the board."
            ) from error

    async def find(self, record: Record) -> bool:
        if not _is_alive(record):
            return False
        try:
            channel = await self._channel(record)
            async with asyncio.timeout(self._start_seconds):
                await channel.hello()
        except (DriverError, TimeoutError):
            self._forget(record)
            return False
        return True

    async def power_cycle(
        self, record: Record | None, image: Path, manifest: Manifest, *, log: Callable[[str], None] = unheard
    ) -> Record:
        if record is not None:
            await self.shutdown(record)
        return await self.program(image, manifest)

    def explain(self, record: Record, error: LabError) -> LabError:
        return error

    async def examine(self, record: Record | None, *, in_use: bool) -> AsyncIterator[Check]:
        if record is None or not _is_alive(record):
            yield Check("power", "broken", "the simulated board has no process; reset the board")
            return
        try:
            state = await self.bench(record).state()
        except DriverError as error:
            yield Check("power", "broken", error.message.rstrip("."))
            return
        if not state["powered"]:
            yield Check("power", "broken", "its bench has switched it off; switch it on there, or reset the board")
            return
        yield Check("power", "ok", f"process {record['pid']} runs and is switched on")
        yield Check("programmer", "ok", "a simulated board needs none: its process is the design")
        if in_use:
            yield Check("uart", "ok", f"{record['tty']} is open at {record['baud']:,} baud")
            return
        try:
            (await self.open(record)).close()
        except DriverError as error:
            yield Check("uart", "broken", error.message.rstrip("."))
        else:
            yield Check("uart", "ok", f"{record['tty']} can be opened at {record['baud']:,} baud")

    async def shutdown(self, record: Record) -> None:
        if record.get("boot_id") == _boot_id():
            if _is_alive(record):
                with contextlib.suppress(DriverError, TimeoutError):
                    channel = await self._channel(record)
                    async with asyncio.timeout(_QUIT_SECONDS):
                        await channel.ask("quit")
            await kill_detached(Detached(record["pid"], record["start_time"]))
        self._forget(record)
        shutil.rmtree(record["run_dir"], ignore_errors=True)

    async def sweep(self, known: Collection[Record]) -> None:
        keep = {Path(record["run_dir"]).name for record in known}
        for folder in self._run_dir.glob("*/"):
            if folder.name not in keep:
                board = _noted(folder)
                if board is not None:
                    await kill_detached(board)
                shutil.rmtree(folder, ignore_errors=True)

    def bench(self, record: Record) -> Bench:
        return SimulatedBench(
            shared=lambda: self._channel(record),
            connect=lambda: connect(Path(record["control_socket"])),
            folder=Path(record["run_dir"]),
        )

    async def disconnect(self) -> None:
        """Hang up on every board and leave it running; each ends itself after a while if no lab finds it."""
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()

    async def _channel(self, record: Record) -> Channel:
        """The lasting connection to a board, by which it knows that its lab is there."""
        path = str(record["control_socket"])
        channel = self._channels.get(path)
        if channel is None or not channel.open:
            channel = await connect(Path(path))
            other = self._channels.get(path)
            if other is not None and other.open:
                channel.close()
                return other
            self._channels[path] = channel
        return channel

    def _forget(self, record: Record) -> None:
        channel = self._channels.pop(str(record["control_socket"]), None)
        if channel is not None:
            channel.close()


def _make_folder(run_dir: Path) -> Path:
    """A new private folder for a board, with its work folder in it."""
    run_dir.mkdir(parents=True, exist_ok=True)
    folder = run_dir / secrets.token_hex(8)
    folder.mkdir(mode=0o700)
    # A lab that runs as root gives it to the board's own user number, and bubblewrap must be able to enter it.
    (folder / "work").mkdir(mode=0o711)
    return folder


def _note(folder: Path, board: Detached) -> None:
    """Write down a board's process where :func:`_noted` finds it; the board itself sees only its work folder."""
    process = {"pid": board.pid, "start_time": board.start_time, "boot_id": _boot_id()}
    (folder / _PROCESS).write_text(json.dumps(process), "ascii")


def _noted(folder: Path) -> Detached | None:
    """The process that was noted in a board's folder, if it can still run."""
    try:
        process = json.loads((folder / _PROCESS).read_text("ascii"))
    except (FileNotFoundError, ValueError):
        # Its lab died before the board's program began, or the machine did.
        return None
    return Detached(process["pid"], process["start_time"]) if process["boot_id"] == _boot_id() else None


def _listen(path: Path) -> socket.socket:
    """A listening socket at ``path``, which may be longer than a socket's address."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        listening.bind(f"/proc/self/fd/{folder}/{path.name}")
        listening.listen(16)
    except BaseException:
        listening.close()
        raise
    finally:
        os.close(folder)
    return listening


def _absolute(path: Path) -> Path:
    return path.resolve()


def _has_line(record: Record) -> bool:
    return Path(record["tty"]).exists()


def _is_alive(record: Record) -> bool:
    return record.get("boot_id") == _boot_id() and start_time(record["pid"]) == record["start_time"]


def _boot_id() -> str:
    return _BOOT_ID.read_text("ascii").strip()


def _did_not_start(folder: Path) -> str:
    try:
        # The board could have put anything there.
        descriptor = os.open(folder / "work" / "output.log", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as log:
            said = log.read(4096).decode("utf-8", errors="replace").strip().splitlines()
    except OSError:
        said = []
    reason = f"the last it said was: {said[-1]}" if said else "it ended without a word"
    return f"The simulated board did not start; {reason}. Build the design again, and see the lab's log if it goes on."
