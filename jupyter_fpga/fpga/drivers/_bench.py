"""The bench of a simulated board."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from ._capture import read_captured, read_signals, request
from ._channel import Channel
from .base import DriverError
from .capture import Captured, CapturePlan, Signal

__all__ = ("SimulatedBench",)

#: Bytes of a list of signals that is read: two hundred thousand of them.
_LONGEST_LIST = 16 << 20

_LEVELS = ("leds", "pmod", "pmod_oe", "pmod_in", "buttons", "switches")


class SimulatedBench:
    """See :class:`~jupyter_fpga.fpga.drivers.base.Bench`.

    Parameters
    ----------
    shared
        The lab's lasting connection to the board.
    connect
        Opens another one; a watcher has its own, since the board takes notice of who watches by it.
    folder
        Where files may be made that the board is handed to write into.
    """

    def __init__(
        self, shared: Callable[[], Awaitable[Channel]], connect: Callable[[], Awaitable[Channel]], folder: Path
    ) -> None:
        self._shared = shared
        self._connect = connect
        self._folder = folder

    async def state(self) -> dict[str, Any]:
        channel = await self._shared()
        return _state(await channel.ask("state"), await channel.hello())

    async def set(self, *, buttons: int | None = None, switches: int | None = None, pmod: int | None = None) -> None:
        given = {"buttons": buttons, "switches": switches, "pmod": pmod}
        await (await self._shared()).ask("set", {name: value for name, value in given.items() if value is not None})

    async def press(self, button: int, *, seconds: float = 0.02) -> None:
        if not 0 <= button < 4:
            raise DriverError(f"There is no button {button}; the board has buttons 0 to 3.", code="bench_refused")
        channel = await self._shared()
        clock_hz = _number(await channel.hello(), "clock")
        await channel.ask("press", {"buttons": 1 << button, "cycles": max(1, round(seconds * clock_hz))})

    async def run(self, cycles: int) -> int:
        return _number(await (await self._shared()).ask("run", {"cycles": cycles}), "cycles")

    async def idle(self) -> int:
        return _number(await (await self._shared()).ask("idle"), "cycles")

    async def power(self, on: bool) -> None:
        await (await self._shared()).ask("power", {"on": int(on)})

    async def watch(self, interval: float = 0.1) -> AsyncIterator[dict[str, Any]]:
        channel = await self._connect()
        latest: asyncio.Queue[dict[str, str] | None] = asyncio.Queue(1)

        def keep(state: dict[str, str] | None) -> None:
            # Who is slow sees the newest state, not all of them.
            if latest.full():
                latest.get_nowait()
            latest.put_nowait(state)

        try:
            channel.on_state = keep
            hello = await channel.hello()
            yield _state(await channel.ask("watch", {"interval_ms": max(1, round(interval * 1000))}), hello)
            while (state := await latest.get()) is not None:
                yield _state(state, hello)
        finally:
            channel.on_state = None
            channel.close()

    async def console_write(self, data: bytes, *, baud: int | None = None) -> None:
        values: dict[str, object] = {"data": data.hex()}
        if baud is not None:
            values["baud"] = baud
        await (await self._shared()).ask("console", values)

    async def console_read(self, position: int = 0) -> tuple[int, bytes]:
        answer = await (await self._shared()).ask("console_read", {"from": position})
        try:
            return _number(answer, "end"), bytes.fromhex(answer.get("data", ""))
        except ValueError as error:
            raise _nonsense() from error

    async def trace_start(self, path: Path, *, limit_bytes: int = 64 << 20, everything: bool = False) -> None:
        channel = await self._shared()
        # The board gets the open file: it sees no folder of the lab's.
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DriverError(f"The trace can't be written to {path}: {error.strerror}.") from error
        try:
            await channel.ask("trace_start", {"limit": limit_bytes, "everything": int(everything)}, pass_fd=descriptor)
        except BaseException:
            os.unlink(path)
            raise
        finally:
            os.close(descriptor)

    async def trace_stop(self) -> dict[str, Any]:
        trace = _trace(await (await self._shared()).ask("trace_stop"))
        if trace is None:
            raise _nonsense()
        return trace

    async def signals(self) -> list[Signal]:
        with tempfile.TemporaryFile(dir=self._folder) as file:
            await (await self._shared()).ask("signals", {"everything": 1}, pass_fd=file.fileno())
            file.seek(0)
            return read_signals(file.read(_LONGEST_LIST).decode("ascii", errors="replace"))

    async def capture(
        self, plan: CapturePlan, *, limit_bytes: int = 8 << 20, on_begun: Callable[[], None] = lambda: None
    ) -> Captured:
        known = await self.signals()
        widths = [known[number].width for number in plan.signals]
        # A connection of its own: when whoever asked is gone, the board forgets it.
        channel = await self._connect()
        try:
            # The board gets the open file: it sees no folder of the lab's.
            with tempfile.TemporaryFile(dir=self._folder) as file:
                await channel.ask("capture", request(plan, limit_bytes), pass_fd=file.fileno())
                on_begun()
                answer = await channel.ask("capture_wait")
                return await asyncio.to_thread(read_captured, answer, file, limit_bytes, plan, widths)
        finally:
            channel.close()

    async def capture_stop(self) -> None:
        await (await self._shared()).ask("capture_stop")


def _state(values: dict[str, str], hello: dict[str, str]) -> dict[str, Any]:
    running = bool(_number(values, "running"))
    try:
        lit = [int(count) for count in values.get("lit", "").split(",")]
    except ValueError as error:
        raise _nonsense() from error
    return {
        "cycles": _number(values, "cycles"),
        "clock_hz": _number(hello, "clock"),
        "powered": bool(_number(values, "powered")),
        "running": running,
        "scale": _number(values, "scale") / 1000 if running else None,
        "lit": lit,
        **{name: _number(values, name) for name in _LEVELS},
        "console": _number(values, "console"),
        "trace": _trace(values),
        "capturing": bool(_number(values, "capturing")),
    }


def _trace(values: dict[str, str]) -> dict[str, Any] | None:
    if "trace_bytes" not in values:
        return None
    ended = values.get("trace_ended")
    return {"bytes": _number(values, "trace_bytes"), "ended": ended if ended in ("limit", "write") else None}


def _number(values: dict[str, str], name: str) -> int:
    text = values.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise _nonsense()
    return int(text)


def _nonsense() -> DriverError:
    return DriverError(
        "The simulated board answered its bench with something that isn't an answer. Reset the board.",
        code="bench_refused",
    )
