"""Opening a WebSocket to a lab."""

import asyncio
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

__all__ = ("connect",)


async def connect(request: HTTPRequest, **options: Any) -> WebSocketClientConnection:
    """Open a WebSocket that sends each message at once. It is closed if nobody waits for it any more.

    Parameters
    ----------
    options
        As for :func:`tornado.websocket.websocket_connect`.

    Raises
    ------
    HTTPClientError
        The handshake was refused; ``.response.body`` has the envelope. Code 599: it took too long.
    OSError, WebSocketError
        Nobody answers there, or what answers speaks no WebSocket.
    """
    opening = asyncio.ensure_future(websocket_connect(request, ping_interval=30, **options))
    try:
        socket = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close)
        raise
    # Tornado leaves it to the system to wait for more: 40 ms for each message behind one that isn't answered.
    if socket.protocol is not None:  # not closed again already
        socket.protocol.set_nodelay(True)
    return socket


def _close(opening: "asyncio.Future[WebSocketClientConnection]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
