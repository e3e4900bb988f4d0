"""What has to happen at a known time: the end of a session, the next try of a reset. Nothing else wakes an idle lab."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

from jupyter_fpga.clock import Clock

__all__ = ("Alarms",)

Action = Callable[[], Awaitable[None]]


class Alarms:
    """Actions and the times at which they are due, run one after the other by one task.

    Parameters
    ----------
    clock
        Whose ``time`` and ``sleep`` count.
    horizon
        Longest single sleep, seconds: after a suspension of the machine the time is looked at within it.
    """

    def __init__(self, clock: Clock, horizon: float) -> None:
        self._clock = clock
        self._horizon = horizon
        self._entries: dict[Hashable, tuple[float, Action]] = {}
        self._changed = asyncio.Event()

    def set(self, key: Hashable, when: float, action: Action) -> None:
        """Run ``action`` at ``when`` (Unix seconds), instead of what was set for ``key`` before."""
        self._entries[key] = (when, action)
        self._changed.set()

    def clear(self, key: Hashable) -> None:
        """Forget what was set for ``key``."""
        if self._entries.pop(key, None) is not None:
            self._changed.set()

    def due(self, key: Hashable) -> float | None:
        """When the action of ``key`` is due; ``None`` without one."""
        entry = self._entries.get(key)
        return entry[0] if entry else None

    async def run(self) -> None:
        """Run what becomes due, for ever."""
        while True:
            self._changed.clear()
            now = self._clock.time()
            due = sorted(
                ((when, key) for key, (when, _) in self._entries.items() if when <= now), key=lambda entry: entry[0]
            )
            for _, key in due:
                entry = self._entries.pop(key, None)
                if entry is not None:
                    await entry[1]()
            if not due:
                await self._wait(now)

    async def _wait(self, now: float) -> None:
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._changed.wait())]
        if self._entries:
            next_due = min(when for when, _ in self._entries.values())
            waits.append(asyncio.ensure_future(self._clock.sleep(min(next_due - now, self._horizon))))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
