"""A port on this machine for LiteX's own tools, with a board of the lab behind it."""

import asyncio
import json
import os
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from tornado.websocket import WebSocketClientConnection, WebSocketClosedError

from jupyter_fpga.etherbone import Listener, expects_answer

from .door import Door
from .errors import AccessFailed, Conflict, Invalid, LabError, Unavailable
from .live import DESIGN_REPLACED, LINK_BUSY, SESSION_ENDED, design_replaced
from .loop import blocking, loop, on_the_loop

__all__ = ("DEFAULT_PORT", "EtherbonePort", "open_etherbone")

#: Where LiteX's tools look when nobody tells them; ``litex_term`` can't be told.
DEFAULT_PORT = 1234


class _Tunnel:
    """One connection's way to the lab: a WebSocket, each of whose messages is a packet."""

    def __init__(self, connection: WebSocketClientConnection, fpga_id: int) -> None:
        self._connection = connection
        self._fpga_id = fpga_id
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._refusal: LabError | None = None
        self._reader = asyncio.ensure_future(self._read())

    @classmethod
    async def open(cls, door: Door, fpga_id: int, design: str | None) -> "_Tunnel":
        """Open it; raises what the lab refuses the handshake with."""
        return cls(await door.websocket(f"fpga/{fpga_id}/session/etherbone", design=design), fpga_id)

    async def submit(self, packet: bytes) -> Awaitable[bytes]:
        """Send a packet; the answer to one that has none is there at once."""
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        if not expects_answer(packet):
            answer.set_result(b"")
        elif self._reader.done():
            raise self.why()
        else:
            self._waiting.append(answer)
        try:
            await self._connection.write_message(packet, binary=True)
        except WebSocketClosedError:
            raise self.why() from None
        return answer

    async def wait_over(self) -> str:
        """Wait until the lab has closed it; returns a sentence that says why."""
        await asyncio.wait({self._reader})
        return self.why().message

    async def close(self) -> None:
        """Close it, once what was sent is on its way."""
        self._connection.close()
        await asyncio.wait({self._reader})

    async def _read(self) -> None:
        while (message := await self._connection.read_message()) is not None:
            if isinstance(message, str):
                told = json.loads(message)
                self._refusal = AccessFailed(told["message"], code=told["error"], detail=told.get("detail"))
            elif self._waiting:
                self._waiting.popleft().set_result(message)
        # The lab has ended it; tornado wants to hear it from us, too.
        self._connection.close()
        for answer in self._waiting:
            answer.set_exception(self.why())
            # Whoever was to await it may be gone.
            answer.exception()

    def why(self) -> LabError:
        """What has ended it."""
        if self._refusal is not None:
            return self._refusal
        code, reason = self._connection.close_code, self._connection.close_reason
        if code == SESSION_ENDED:
            return Conflict(
                f"The board session on board {self._fpga_id} has ended, and with it the port for LiteX's tools. Submit "
                "the design again to get a board.",
                code="session_ended",
            )
        if code == DESIGN_REPLACED:
            return design_replaced(self._fpga_id)
        if code == LINK_BUSY:
            return Conflict(
                f"Board {self._fpga_id} is in exclusive use just now (a capture, a grader); try again when it is over.",
                code="link_busy",
            )
        return Unavailable(
            f"The connection to board {self._fpga_id} was lost{f' ({reason})' if reason else ''}.", code="link_lost"
        )


class EtherbonePort:
    """A port of this machine that LiteX's tools take for a ``litex_server``. Made by :func:`open_etherbone`.

    Any number of programs may use it at once, and beside registers by name. It lives as long as the board session.
    Whatever can't be done, a bus error included, ends in a connection reset.

    Parameters
    ----------
    fpga_id
        The board.
    """

    def __init__(self, fpga_id: int, listener: Listener, claim: _Tunnel) -> None:
        self.fpga_id = fpga_id
        self.host = listener.host
        self.port = listener.port
        self._listener = listener
        #: Never used for packets: it is told when the session ends, though nobody may be connected.
        self._claim = claim
        self._over = asyncio.ensure_future(self._watch())

    async def _watch(self) -> LabError:
        await self._claim.wait_over()
        why = self._claim.why()
        self._listener.close(why.message)
        await self._listener.wait_ended()
        return why

    @property
    def closed(self) -> bool:
        """Whether nobody listens any more."""
        return self._over.done()

    @on_the_loop
    async def await_closed(self) -> LabError:
        """Wait until the port is closed, by the end of the board session or by :meth:`close`; returns why."""
        return await asyncio.shield(self._over)

    @on_the_loop
    async def aclose(self) -> None:
        """Close the port, and cut what is connected to it."""
        self._listener.close("the port was closed.")
        await self._claim.close()
        await asyncio.wait({self._over})

    close = blocking(aclose)

    def wait_closed(self) -> LabError:
        """Wait until the port is closed: see :meth:`await_closed`."""
        return loop.call(self.await_closed)

    def __enter__(self) -> "EtherbonePort":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<EtherbonePort {self.host}:{self.port}{', closed' if self.closed else ''}>"


async def open_etherbone(
    door: Door,
    fpga_id: int,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    design: str | None = None,
    tell: Callable[[str], None] = lambda sentence: None,
) -> EtherbonePort:
    """Open a port for a board that one holds.

    Parameters
    ----------
    host, port
        What to listen on; port 0 for any that is free.
    design
        Digest of the manifest whose ``csr.csv`` the tools go by; ``None``: of whatever the board runs.
    tell
        Gets a sentence for each connection that was reset.

    Raises
    ------
    LabError
        ``not_session_holder``, ``fpga_not_reserved``, ``design_replaced``.
    Invalid
        ``cannot_listen``: the address isn't this machine's, or is taken.
    """
    claim = await _Tunnel.open(door, fpga_id, design)
    try:
        listener = Listener(lambda: _Tunnel.open(door, fpga_id, design), host, port, tell=tell)
    except OSError as error:
        await claim.close()
        # What Python adds to the system's words is the address again; the resolver's errors aren't the system's.
        why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise Invalid(
            f"Nobody can listen on {host}:{port} here ({why}). Choose another address or port.",
            code="cannot_listen",
        ) from None
    opened = EtherbonePort(fpga_id, listener, claim)
    await listener.start()
    return opened
