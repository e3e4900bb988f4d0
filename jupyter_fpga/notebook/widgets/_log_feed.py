"""A job's log on its way through the kernel to the browser: what is new, and nothing twice.

The browser's side is ``labextension/src/lab/kernelLog.ts``. Places in the log are counted as the browser counts them,
in UTF-16 code units, so that a page that has a part of it already can tell which.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from jupyter_fpga.client import Job
from jupyter_fpga.client.errors import LabError, Unavailable
from jupyter_fpga.client.events import RETRIES
from jupyter_fpga.client.loop import loop

__all__ = ("LogFeed",)

#: Between two messages to the browser, seconds.
PAUSE = 0.2
_UNIT = 2
_ENCODING = "utf-16-le"


class LogFeed:
    """Follows a job's log for the browser sides of one view.

    Parameters
    ----------
    job
        Whose log.
    send
        Sends content and buffers to the browser; called in the client's own thread. The text is a buffer, as UTF-8.
    """

    def __init__(self, job: Job, send: Callable[[dict[str, Any], list[bytes]], None]) -> None:
        self._job = job
        self._send = send
        self._text = bytearray()
        self._seen = 0
        self._sent = 0
        self._ended: str | None = None
        self._trouble = ""
        self._following: asyncio.Task[None] | None = None
        self._sending: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Send the log, from its first line on, as it grows. Never waits."""
        loop.submit(self._start())

    def ask(self, position: int) -> None:
        """A page has the log only up to here: send it the rest."""
        loop.submit(self._answer(position))

    def close(self) -> None:
        """Nobody looks any more."""
        loop.submit(self._close())

    async def _start(self) -> None:
        if self._following is None:
            # At once, and before there is anything: then a page knows that nothing is missing.
            self._tell(0)
            self._following = asyncio.ensure_future(self._follow())

    async def _answer(self, position: int) -> None:
        if self._following is None:
            await self._start()
        else:
            self._tell(position)

    async def _close(self) -> None:
        for task in (self._following, self._sending):
            if task is not None:
                task.cancel()

    async def _follow(self) -> None:
        """Read the log to its end, across lost connections."""
        attempt = 0
        while True:
            seen = self._seen
            try:
                await self._read()
                self._ended = (await self._job.arefresh()).status
                self._trouble = ""
            except Unavailable as error:
                self._trouble = str(error)
                attempt = 0 if self._seen > seen else attempt + 1
                if attempt < len(RETRIES):
                    self._news()
                    await asyncio.sleep(RETRIES[attempt])
                    continue
            except LabError as error:
                self._trouble = str(error)
            self._news()
            return

    async def _read(self) -> None:
        path = f"jobs/{self._job.id}/logs"
        async for entry in self._job.lab.door.lines(path, after=self._seen, follow=1):
            text: str = entry["text"]
            self._text += (text if text.endswith("\n") else f"{text}\n").encode(_ENCODING, "replace")
            self._seen, self._trouble = entry["seq"], ""
            self._news()

    def _news(self) -> None:
        if self._sending is None or self._sending.done():
            self._sending = asyncio.ensure_future(self._send_soon())

    async def _send_soon(self) -> None:
        # What comes in the pause goes together. The first pause lets the lab send what it has already.
        await asyncio.sleep(PAUSE)
        self._tell(self._sent)

    def _tell(self, position: int) -> None:
        text = self._text[_UNIT * position :].decode(_ENCODING)
        self._sent = len(self._text) // _UNIT
        # Beside the message, not in its JSON, which takes six bytes for each escape of a colour.
        buffers = [text.encode()] if text else []
        self._send({"log": {"at": position, "ended": self._ended, "trouble": self._trouble}}, buffers)
