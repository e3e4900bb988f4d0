"""Time, passed in, so that a test can move it."""

import asyncio
import datetime
import time
from typing import Protocol

__all__ = ("Clock", "SystemClock", "iso")


def iso(seconds: float | None) -> str | None:
    """A moment in UTC as ISO 8601 with milliseconds and ``+00:00``, which ``datetime.fromisoformat`` reads."""
    if seconds is None:
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="milliseconds")


class Clock(Protocol):
    """What the floors ask for the time."""

    def time(self) -> float:
        """Seconds since the Unix epoch; what is stored and shown."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; what time-outs are measured with."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds`` on this clock."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
