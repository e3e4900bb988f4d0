"""What happens in the lab, as it happens, and waiting for jobs without asking again and again."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from .door import Door
from .errors import LabError, Unavailable

__all__ = ("FINAL", "RETRIES", "JobWatcher", "follow_events")

#: Statuses that a job never leaves.
FINAL = frozenset({"complete", "failed", "cancelled"})

#: Seconds before a lost connection is tried again: at once, since most are a server's restart or a sleeping laptop,
#: then slower, and given up after about a minute.
RETRIES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


async def follow_events(door: Door, since: int | None = None) -> AsyncIterator[dict[str, Any]]:
    """The lab's events after LSN ``since`` (from now on without), across lost connections, none missing or doubled.

    Raises
    ------
    Unavailable
        The lab was away for longer than a minute, or forgot events that this reader hasn't seen.
    """
    last = since
    attempt = 0
    while True:
        try:
            socket = await door.websocket("events", since=last)
        except Unavailable:
            if attempt == len(RETRIES):
                raise
            await asyncio.sleep(RETRIES[attempt])
            attempt += 1
            continue
        attempt = 0
        try:
            while (text := await socket.read_message()) is not None:
                frame = json.loads(text)
                if last is not None and frame["prev"] != last:
                    raise Unavailable(
                        f"Events between {last} and {frame['prev']} are missing; look at boards and jobs anew.",
                        code="events_missing",
                    )
                last = frame["lsn"]
                yield frame
        finally:
            socket.close()


class JobWatcher:
    """Tells whoever waits for a job when there is something new about it. One connection for all of a client's jobs."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._listener: asyncio.Task[None] | None = None
        self._lost: LabError | None = None

    async def changes(self, job_id: str) -> AsyncIterator[dict[str, Any]]:
        """The job's record now, and again whenever it has changed, until it is final.

        Raises
        ------
        Unavailable
            The lab has been away for longer than a minute.
        """
        news = asyncio.Event()
        self._waiting.setdefault(job_id, set()).add(news)
        seen: dict[str, Any] | None = None
        try:
            while True:
                news.clear()
                record = await self._record(job_id)
                if record != seen:
                    seen = record
                    yield record
                if record["status"] in FINAL:
                    return
                self._listen(record["lsn"])
                await news.wait()
                if self._lost is not None:
                    raise self._lost
        finally:
            self._waiting[job_id].discard(news)
            if not self._waiting[job_id]:
                del self._waiting[job_id]
            if not self._waiting and self._listener is not None:
                # A connection that nobody needs would keep a lab alive that ends itself when it is idle.
                self._listener.cancel()

    async def _record(self, job_id: str) -> dict[str, Any]:
        for pause in RETRIES:
            try:
                return await self._door.get(f"jobs/{job_id}")  # type: ignore[no-any-return]
            except Unavailable:
                await asyncio.sleep(pause)
        return await self._door.get(f"jobs/{job_id}")  # type: ignore[no-any-return]

    def _listen(self, since: int) -> None:
        if self._listener is None or self._listener.done() or self._listener.cancelling():
            self._lost = None
            # From the record's own LSN on: what happens between the two requests is not missed.
            self._listener = asyncio.ensure_future(self._dispatch(since))

    async def _dispatch(self, since: int) -> None:
        try:
            async for event in follow_events(self._door, since):
                for news in self._waiting.get(event.get("job_id") or "", ()):
                    news.set()
        except LabError as error:
            self._lost = error
        finally:
            for waiting in self._waiting.values():
                for news in waiting:
                    news.set()

    async def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.wait([self._listener])
