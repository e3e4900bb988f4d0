"""A lab as a process of its own: what ``jupyter fpga serve`` runs until it is told to stop, or nobody needs it."""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from enum import Enum
from typing import Any

from jupyter_fpga.clock import Clock, SystemClock

from .hosting import Hosting
from .runtime import RuntimeRecord

__all__ = ("Ending", "serve")

_LOOK_AGAIN = 60.0
"""Seconds until the next look, when the door is quiet and a board is held or a job runs: these end without the door."""


class Ending(Enum):
    """Why :func:`serve` returned."""

    SIGNAL = "signal"
    IDLE = "idle"


async def serve(
    hosting: Hosting,
    *,
    idle_seconds: float | None = None,
    on_ready: Callable[[RuntimeRecord], None] = lambda record: None,
    clock: Clock | None = None,
) -> Ending:
    """Host a lab until SIGTERM or SIGINT, or until nobody needs it; then stop it in order.

    Parameters
    ----------
    hosting
        The lab and its door.
    idle_seconds
        End after so long without a request, an open WebSocket, a board session or a job; never when None.
    on_ready
        Told where the lab is, once it answers.
    clock
        For the waiting.

    Raises
    ------
    AnotherLab
        This person's lab runs already.
    LabError, OSError
        It can't start, or can't listen on its address.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    try:
        record = await hosting.start()
        try:
            on_ready(record)
            return await _until_done(hosting, stop, idle_seconds, clock or SystemClock())
        finally:
            await hosting.stop()
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


async def _until_done(hosting: Hosting, stop: asyncio.Event, idle_seconds: float | None, clock: Clock) -> Ending:
    waiting: set[asyncio.Future[Any]] = {asyncio.ensure_future(stop.wait())}
    if idle_seconds is not None:
        waiting.add(asyncio.ensure_future(_until_idle(hosting, idle_seconds, clock)))
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            if task.done():
                task.result()  # a fault of the watching ends the lab, and is told
        return Ending.SIGNAL if stop.is_set() else Ending.IDLE
    finally:
        for task in waiting:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _until_idle(hosting: Hosting, idle_seconds: float, clock: Clock) -> None:
    while True:
        quiet = hosting.activity.quiet_seconds()
        if quiet < idle_seconds:
            # While a request or a WebSocket is open its end isn't known: look when it could be long enough ago.
            await clock.sleep(idle_seconds - quiet)
        elif await _is_needed(hosting):
            await clock.sleep(min(_LOOK_AGAIN, idle_seconds))
        else:
            return


async def _is_needed(hosting: Hosting) -> bool:
    """Whether anybody holds a board, or has a job or an action."""
    owner, fpga = hosting.options.owner, hosting.lab.fpga
    if any(board["session"] is not None for board in await fpga.boards(owner)):
        return True
    for status in ("queued", "running"):
        if await fpga.jobs(owner, status=status, limit=1):
            return True
    return bool(await hosting.lab.compute.jobs(owner, state="unfinished", limit=1))
