"""Looking inside a design that runs: a capture that has been begun, and its waveform."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from jupyter_fpga.waveform import Waveform

from .door import Door
from .errors import Conflict, LabError, TimedOut
from .loop import blocking, on_the_loop
from .triggers import Trigger, steps_of

__all__ = ("Capture", "NotTriggered", "arm")

#: Seconds of one request that waits for the end of a capture; proxies give up on longer ones.
WAIT = 20.0


class NotTriggered(TimedOut):
    """The trigger wasn't met in time.

    Parameters
    ----------
    waveform
        The newest samples, as many as there would have been.
    """

    default_code = "not_triggered"

    def __init__(self, message: str, waveform: Waveform) -> None:
        super().__init__(message)
        self.waveform = waveform


class Capture:
    """A capture that looks for its trigger, or has found it. Made by :meth:`.BoardHandle.arm`.

    As a context manager it is stopped at the end, if it isn't over by then.
    """

    def __init__(self, door: Door, fpga_id: int, capture_id: str, timeout: float) -> None:
        self._door = door
        self._path = f"fpga/{fpga_id}/capture"
        self._timeout = timeout
        self.capture_id = capture_id
        self.fpga_id = fpga_id
        self._waveform: Waveform | None = None

    @on_the_loop
    async def aresult(self) -> Waveform:
        """The waveform; waits for it.

        Raises
        ------
        NotTriggered
            The time passed without the trigger; the exception's ``waveform`` has what there was.
        LabError
            ``session_ended``, ``design_replaced`` …
        """
        waveform = await self._ended()
        if waveform.ended == "timeout":
            raise NotTriggered(
                f"The trigger was not met within {self._timeout:g} s. The exception's `waveform` has the last "
                f"{waveform.end // waveform.every} samples before that.",
                waveform,
            )
        return waveform

    @on_the_loop
    async def astop(self) -> Waveform:
        """End it; the waveform as far as it came."""
        if self._waveform is None:
            await self._door.request("DELETE", self._path)
        return await self._ended()

    @on_the_loop
    async def adone(self) -> bool:
        """Whether it is over."""
        return self._waveform is not None or await self._look(0) is not None

    async def _ended(self) -> Waveform:
        while self._waveform is None:
            self._waveform = await self._look(WAIT)
        return self._waveform

    async def _look(self, wait: float) -> Waveform | None:
        answer = await self._door.get(self._path, wait=wait)
        if answer["capture_id"] != self.capture_id:
            raise Conflict("This capture is gone: another one of the board was begun since.", code="capture_gone")
        return None if answer["waveform"] is None else Waveform.from_json(answer["waveform"])

    result = blocking(aresult)
    stop = blocking(astop)
    done = blocking(adone)

    def __enter__(self) -> "Capture":
        return self

    def __exit__(self, *_: object) -> None:
        if not self.done():
            self.stop()

    def __repr__(self) -> str:
        return f"<Capture of board {self.fpga_id}: {'looks for its trigger' if self._waveform is None else 'done'}>"


async def arm(
    door: Door,
    fpga_id: int,
    design: str,
    signals: str | Sequence[str] | None,
    *,
    trigger: Trigger | None,
    depth: int | None,
    pre: int | None,
    every: int,
    timeout: float,
    via: str | None,
) -> Capture:
    """Begin a capture: see :meth:`.BoardHandle.aarm`."""
    names = [name.strip() for name in signals.split(",")] if isinstance(signals, str) else signals
    wanted: dict[str, Any] = {
        "signals": None if names is None else list(names),
        "trigger": steps_of(trigger),
        "depth": depth,
        "pre": pre,
        "every": every,
        "timeout": timeout,
        "via": via,
    }
    body = {name: value for name, value in wanted.items() if value is not None}
    armed = await door.post(f"fpga/{fpga_id}/capture?design={design}", body)
    return Capture(door, fpga_id, armed["capture_id"], timeout)


async def stop_quietly(arming: "asyncio.Task[Capture]") -> None:
    """End a capture whose waveform nobody wants any more."""
    with contextlib.suppress(LabError):  # refused, or over already with its session
        await (await arming).astop()
