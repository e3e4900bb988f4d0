"""Where requests go: to the lab in this process, or on to the one that this person's lab already is."""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tornado.iostream import IOStream, StreamClosedError

from .forward import Remote
from .queue_tokens import QueueTokens

if TYPE_CHECKING:
    from jupyter_fpga.compute.actions import Compute
    from jupyter_fpga.fpga.service import Fpga

__all__ = ("Activity", "Door", "Here", "LabLike", "There")

_LINGER_SECONDS = 10.0
_LINGER_BYTES = 64 * 1024 * 1024
_LINGER_BLOCK = 64 * 1024
"""How long and how much a client may go on sending what was refused already, and how much of it is read at once."""


class LabLike(Protocol):
    """What the doors need of a lab; the composition root makes it."""

    @property
    def fpga(self) -> "Fpga":
        """The boards' floor, once started."""
        ...

    @property
    def compute(self) -> "Compute":
        """The floor of actions, once started."""
        ...

    async def start(self) -> None:
        """Build the floors."""
        ...

    async def stop(self) -> None:
        """Take them down in order, also after a start that failed half-way."""
        ...


@dataclass(frozen=True)
class Here:
    """The lab is in this process.

    Parameters
    ----------
    lab
        Its floors.
    uploads
        Folder in which contents arrive, on the file system of the lab's data.
    tokens
        Of the queues that may be used from elsewhere.
    """

    lab: LabLike
    uploads: Path
    tokens: QueueTokens


@dataclass(frozen=True)
class There:
    """The lab is another process's.

    Parameters
    ----------
    remote
        Where.
    own
        Whether it is this very person's lab, on this machine.
    """

    remote: Remote
    own: bool = False


class Activity:
    """Whether anybody is using a door: requests in flight, open WebSockets, and when the last one ended."""

    def __init__(self) -> None:
        self.open = 0
        self.last = time.monotonic()
        self.sockets: set[OpenSocket] = set()
        self._lingering: set[asyncio.Task[None]] = set()

    def __enter__(self) -> None:
        self.open += 1

    def __exit__(self, *_: object) -> None:
        self.open -= 1
        self.last = time.monotonic()

    def quiet_seconds(self) -> float:
        """How long nobody has used the door; 0 while somebody does."""
        return 0.0 if self.open else time.monotonic() - self.last

    async def end_sockets(self) -> None:
        """Close the WebSockets that are still open, and wait until each has given back what it held.

        Clients that are still sending what was refused are cut off.

        tornado's server forgets a connection once it is a WebSocket, so that nobody else does it.
        """
        for task in self._lingering:
            task.cancel()
        if self._lingering:
            await asyncio.wait(self._lingering)
        over = {asyncio.ensure_future(socket.over.wait()) for socket in self.sockets}
        for socket in tuple(self.sockets):
            socket.hang_up(1012, "the lab stops; connect again when it runs")
        if over:
            await asyncio.wait(over)

    def linger(self, stream: IOStream, written: Awaitable[None]) -> None:
        """Let the client of an answered request send on, for a while and to nobody, so that it reads the answer.

        Parameters
        ----------
        stream
            The connection; closed in the end.
        written
            Done when the answer is written.
        """
        task = asyncio.ensure_future(_linger(stream, written))
        self._lingering.add(task)
        task.add_done_callback(self._lingering.discard)


async def _linger(stream: IOStream, written: Awaitable[None]) -> None:
    left = _LINGER_BYTES
    try:
        async with asyncio.timeout(_LINGER_SECONDS):
            await written
            while left > 0:
                left -= len(await stream.read_bytes(_LINGER_BLOCK, partial=True))
    except (StreamClosedError, TimeoutError):
        pass  # the client has read the answer, or never will
    finally:
        stream.close()


class OpenSocket(Protocol):
    """A WebSocket that somebody has open."""

    over: asyncio.Event

    def hang_up(self, code: int, reason: str) -> None:
        """Close it; when the client doesn't answer, tornado cuts the connection after 5 s."""
        ...


class Door(Protocol):
    """What every handler of one host holds."""

    activity: Activity

    async def reach(self) -> Here | There:
        """Where the lab is, as soon as it is there.

        Raises
        ------
        Unavailable
            It isn't there, and didn't come within the time that a request may wait.
        """
        ...

    def lost(self, there: There) -> None:
        """Tell that the other process doesn't answer, so that the next :meth:`reach` looks again."""
        ...
