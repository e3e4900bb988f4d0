"""Waiting for actions without asking again and again: one connection for all of a client's actions."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_fpga.client.door import Door
from jupyter_fpga.client.errors import LabError, Unavailable
from jupyter_fpga.client.events import RETRIES, follow_events

__all__ = ("ActionWatcher",)

_PAGE = 1000
#: Events after which there may be more in a list of what has ended, or a queue may have.
_ENDS = frozenset(
    {
        *(f"action_{cause}" for cause in ("completed", "failed", "abandoned", "cancelled")),
        *(f"queue_{cause}" for cause in ("drained", "emptied", "expired", "cancelled")),
    }
)


class ActionWatcher:
    """Tells whoever waits for actions when there is something new about them."""

    def __init__(self, door: Door) -> None:
        self._door = door
        # By LSN; None: whoever waits for the end of any action.
        self._waiting: dict[int | None, set[asyncio.Event]] = {}
        self._listener: asyncio.Task[None] | None = None
        self._live: asyncio.Future[None] | None = None

    async def changes(self, lsn: int, path: str) -> AsyncIterator[dict[str, Any]]:
        """The action's record now, and again whenever it has changed, until it has ended.

        Parameters
        ----------
        path
            Where it is shown.

        Raises
        ------
        Unavailable
            The lab has been away for longer than a minute.
        """
        seen: dict[str, Any] | None = None
        with self._news(lsn) as news:
            while True:
                await self._listening()
                news.clear()
                record = await self._get(path)
                if record != seen:
                    seen = record
                    yield record
                if record["finished"]:
                    return
                await news.wait()

    async def completions(
        self, path: str, after: int, over: Callable[[], Awaitable[bool]] | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Records of actions in the order in which they end, those first that have ended already.

        Parameters
        ----------
        path
            Of the list of completed actions.
        after
            Only those whose ``done_lsn`` is greater.
        over
            Asked when all that has ended was given: whether nothing more will.
        """
        with self._news(None) as news:
            while True:
                await self._listening()
                news.clear()
                # Before the list is asked for: what ends in between is in it.
                last = over is not None and await over()
                while page := await self._get(path, after=after, limit=_PAGE):
                    for record in page:
                        after = record["done_lsn"]
                        yield record
                if last:
                    return
                await news.wait()

    async def _get(self, path: str, **query: Any) -> Any:
        for pause in RETRIES:
            try:
                return await self._door.get(path, **query)
            except Unavailable:
                await asyncio.sleep(pause)
        return await self._door.get(path, **query)

    @contextmanager
    def _news(self, about: int | None) -> Iterator[asyncio.Event]:
        news = asyncio.Event()
        self._waiting.setdefault(about, set()).add(news)
        try:
            yield news
        finally:
            self._waiting[about].discard(news)
            if not self._waiting[about]:
                del self._waiting[about]
            if not self._waiting and self._listener is not None:
                # A connection that nobody needs would keep a lab alive that ends itself when it is idle.
                self._listener.cancel()

    async def _listening(self) -> None:
        """Be connected: what happens from now on is heard. Raises why the connection was lost for good."""
        if self._listener is None or self._listener.done() or self._listener.cancelling():
            self._live = asyncio.get_running_loop().create_future()
            self._listener = asyncio.ensure_future(self._listen(self._live))
        assert self._live is not None
        await asyncio.shield(self._live)

    async def _listen(self, live: "asyncio.Future[None]") -> None:
        try:
            async for event in follow_events(self._door):
                if not live.done():
                    live.set_result(None)
                self._tell(event)
        except LabError as error:
            if not live.done():
                live.set_exception(error)
        finally:
            if not live.done():
                live.cancel()
            # They connect again, or hear why that can't be.
            for about in list(self._waiting):
                self._wake(about)

    def _tell(self, event: dict[str, Any]) -> None:
        self._wake(event.get("action_lsn", 0))
        if event["kind"] in _ENDS:
            self._wake(None)

    def _wake(self, about: int | None) -> None:
        for news in self._waiting.get(about, ()):
            news.set()

    async def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.wait([self._listener])
