"""A view's way to the lab through the kernel, for pages that don't reach the lab themselves.

The browser's side is ``labextension/src/lab/relayDoor.ts``. It sends one message for each request and each frame;
what goes back is collected, and sent at most some times a second, since each message of a widget costs the front end
as much as a picture.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tornado.websocket import WebSocketClientConnection, WebSocketClosedError

from jupyter_fpga.client.door import Door
from jupyter_fpga.client.errors import LabError
from jupyter_fpga.client.loop import loop

__all__ = ("Relay",)

#: Between two messages to the browser, seconds.
PAUSE = 0.2
#: RFC 6455's code for a connection that was refused, or broke, without a close frame.
ABNORMAL = 1006

Send = Callable[[dict[str, Any], list[bytes]], None]


class Relay:
    """Passes requests and WebSockets of one view's browser sides on to the lab.

    Parameters
    ----------
    door
        The way to the lab.
    send
        Sends content and buffers to the browser; called in the client's own thread.
    """

    def __init__(self, door: Door, send: Send) -> None:
        self._door = door
        self._send = send
        self._sockets: dict[int, _Socket] = {}
        self._news: list[dict[str, Any]] = []
        self._buffers: list[bytes] = []
        self._sending: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, message: Mapping[str, Any], buffers: Sequence[bytes]) -> None:
        """Take a message of the browser's; called in the kernel's thread, and never waits."""
        copied = [bytes(buffer) for buffer in buffers]
        loop.submit(self._take(message, copied))

    def close(self) -> None:
        """Close every socket: nobody looks any more."""
        loop.submit(self._close())

    async def _close(self) -> None:
        for socket in list(self._sockets.values()):
            socket.close()

    async def _take(self, message: Mapping[str, Any], buffers: Sequence[bytes]) -> None:
        number = message["id"]
        match message["relay"]:
            case "request":
                self._begin(self._request(number, message["method"], message["path"], message["body"]))
            case "open":
                self._sockets[number] = _Socket()
                self._begin(self._serve(number, message["path"], message["query"]))
            case "send" if number in self._sockets:
                self._sockets[number].send(buffers[0] if buffers else message["text"])
            case "close" if number in self._sockets:
                self._sockets[number].close()

    def _begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _request(self, number: int, method: str, path: str, body: Any) -> None:
        data = None if body is None else json.dumps(body).encode()
        try:
            answer = await self._door.request(method, path, body=data, content_type="application/json")
        except LabError as error:
            self._tell({"is": "refusal", "id": number, "code": error.code, "message": str(error)})
        else:
            self._tell({"is": "answer", "id": number, "body": json.loads(answer) if answer.strip() else None})

    async def _serve(self, number: int, path: str, query: Mapping[str, Any]) -> None:
        socket = self._sockets[number]
        try:
            connection = await self._door.websocket(path, **query)
        except LabError as error:
            code, reason = ABNORMAL, str(error)
        else:
            self._tell({"is": "open", "id": number})
            code, reason = await self._follow(number, socket, connection)
        del self._sockets[number]
        self._tell({"is": "closed", "id": number, "code": code, "reason": reason})

    async def _follow(self, number: int, socket: "_Socket", connection: WebSocketClientConnection) -> tuple[int, str]:
        socket.connected(connection)
        try:
            while (message := await connection.read_message()) is not None:
                if isinstance(message, bytes):
                    self._tell({"is": "binary", "id": number}, message)
                else:
                    self._tell({"is": "text", "id": number, "text": message})
        finally:
            connection.close()
        return connection.close_code or ABNORMAL, connection.close_reason or ""

    def _tell(self, news: dict[str, Any], data: bytes | None = None) -> None:
        if data is not None:
            news["buffer"] = len(self._buffers)
            self._buffers.append(data)
        self._news.append(news)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.ensure_future(self._send_all())

    async def _send_all(self) -> None:
        # The first goes at once; those that come in the pause behind it go together.
        while self._news:
            news, self._news = self._news, []
            buffers, self._buffers = self._buffers, []
            self._send({"relay": news}, buffers)
            await asyncio.sleep(PAUSE)


class _Socket:
    """A WebSocket that may be written to, and closed, before it is connected."""

    def __init__(self) -> None:
        self._connection: WebSocketClientConnection | None = None
        self._early: list[str | bytes] = []
        self._closed = False

    def connected(self, connection: WebSocketClientConnection) -> None:
        self._connection = connection
        if self._closed:
            connection.close()
        for message in self._early:
            self._write(connection, message)

    def send(self, message: str | bytes) -> None:
        if self._connection is None:
            self._early.append(message)
        else:
            self._write(self._connection, message)

    def close(self) -> None:
        self._closed = True
        if self._connection is not None:
            self._connection.close()

    def _write(self, connection: WebSocketClientConnection, message: str | bytes) -> None:
        # Its end is told by whoever reads.
        with contextlib.suppress(WebSocketClosedError):
            connection.write_message(message, binary=isinstance(message, bytes))
