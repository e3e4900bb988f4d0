"""Passing a request or a WebSocket on to the lab in another process, as its user."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tornado import httputil, web
from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.websocket import WebSocketClientConnection, WebSocketError

from jupyter_fpga.errors import Unavailable
from jupyter_fpga.websockets import connect

__all__ = ("Remote", "RemoteLost", "forward", "open_remote_socket")

_CONNECT_SECONDS = 5.0
"""The other process is on this machine, or the class's lab: it answers quickly or not at all."""
_BLOCK = 256 * 1024
"""Bytes of a file that are in memory at a time."""
_MAX_ANSWER = 1 << 30
"""Largest answer, bytes: never in memory as a whole, so this only has to be larger than any artifact."""

# All else belongs to one connection, or is this server's own to say.
_REQUEST_HEADERS = ("Content-Type", "Accept", "User-Agent")
_ANSWER_HEADERS = (
    "Content-Type",
    "Content-Length",
    "Content-Disposition",
    "Link",
    "Allow",
    "Retry-After",
    "X-Log-Seq",
    "X-Accel-Buffering",
)


@dataclass(frozen=True)
class Remote:
    """A lab somewhere else.

    Parameters
    ----------
    url
        Its base URL.
    token
        Of the person that this server belongs to.
    """

    url: str
    token: str

    def target(self, path: str, query: str) -> str:
        """Path and query of a request there, for ``path`` below the base (percent-encoded as it came in)."""
        return urlsplit(self.url).path.rstrip("/") + path + (f"?{query}" if query else "")

    def socket_url(self, path: str, query: str) -> str:
        """The address of a WebSocket there."""
        scheme, netloc, *_ = urlsplit(self.url)
        return urlunsplit(("wss" if scheme == "https" else "ws", netloc, self.target(path, query), "", ""))

    @property
    def headers(self) -> dict[str, str]:
        """What names us there."""
        return {"Authorization": f"token {self.token}"}

    async def connect(self) -> IOStream:
        """A connection to it.

        Raises
        ------
        RemoteLost
            Nothing listens there.
        """
        address = urlsplit(self.url)
        secure = address.scheme == "https"
        port = address.port or (443 if secure else 80)
        try:
            return await TCPClient().connect(
                address.hostname or "", port, ssl_options={} if secure else None, timeout=_CONNECT_SECONDS
            )
        except (OSError, StreamClosedError, TimeoutError) as error:
            raise RemoteLost(may_repeat=True) from error


class RemoteLost(Exception):
    """The other process is gone, or went away while it answered.

    Parameters
    ----------
    may_repeat
        Whether the request can be sent again: nothing of it has reached a lab, or it only reads and nothing has been
        answered yet.
    """

    def __init__(self, *, may_repeat: bool) -> None:
        super().__init__("the lab's process doesn't answer")
        self.may_repeat = may_repeat

    def as_refusal(self) -> Unavailable:
        """What to tell a person whose write can't be repeated."""
        return Unavailable(
            "The lab's process ended while it worked on this request, so it isn't known whether it was done; "
            "look at GET …/jobs before sending it again.",
            code="lab_lost",
        )


class _Relay(httputil.HTTPMessageDelegate):
    """Writes an answer to ``handler`` as it arrives, no faster than the client reads it."""

    def __init__(self, handler: web.RequestHandler, stream: IOStream) -> None:
        self._handler = handler
        self._stream = stream
        self.begun = False
        self.complete = False
        # Whoever answers doesn't know our token: the lab's process is gone and its port is another's.
        self.stranger = False

    def headers_received(
        self, start_line: httputil.RequestStartLine | httputil.ResponseStartLine, headers: httputil.HTTPHeaders
    ) -> None:
        assert isinstance(start_line, httputil.ResponseStartLine)
        if start_line.code == 401:
            self.stranger = True
            return
        self.begun = True
        self._handler.set_status(start_line.code)
        for name in _ANSWER_HEADERS:
            if name in headers:
                self._handler.set_header(name, headers[name])

    async def data_received(self, chunk: bytes) -> None:
        if not self.begun:
            return
        self._handler.write(chunk)
        try:
            await self._handler.flush()
        except (StreamClosedError, asyncio.CancelledError):
            # Our client went away. Tornado would log whatever is raised here, so the connection's end says it instead.
            self._stream.close()

    def finish(self) -> None:
        self.complete = True


async def forward(
    handler: web.RequestHandler, remote: Remote, path: str, body: bytes | Path, *, local: bool = False
) -> None:
    """Pass ``handler``'s request on to ``remote``, and its answer back.

    Parameters
    ----------
    path
        Of the request, below the base (percent-encoded as it came in).
    body
        Of the request, whole; or the file that it is in.
    local
        Whether it is as good as one from the lab's own machine. If not the lab is told that it was passed on.

    Raises
    ------
    RemoteLost
        Nothing answers there, or what answers isn't the lab.
    """
    request = handler.request
    method = request.method or "GET"
    headers = httputil.HTTPHeaders({"Host": urlsplit(remote.url).netloc, "Connection": "close", **remote.headers})
    for name in _REQUEST_HEADERS:
        if name in request.headers:
            headers[name] = request.headers[name]
    if not local:
        headers["X-Forwarded-For"] = request.remote_ip or "unknown"
    if method in ("POST", "PUT"):
        headers["Content-Length"] = str(_length(body))
    stream = await remote.connect()
    relay = _Relay(handler, stream)
    try:
        connection = HTTP1Connection(
            stream, True, HTTP1ConnectionParameters(no_keep_alive=True, max_body_size=_MAX_ANSWER)
        )
        target = remote.target(path, request.query)
        start = httputil.RequestStartLine(method, target, "")
        if isinstance(body, bytes):
            connection.write_headers(start, headers, body or None)
        else:
            await connection.write_headers(start, headers)
            await _write_file(connection, body)
        connection.finish()
        await connection.read_response(relay)
    except StreamClosedError:
        pass  # told by what the relay has seen
    finally:
        # Also when the client went away: the lab notices, and stops following a log for nobody.
        stream.close()
    if relay.stranger:
        raise RemoteLost(may_repeat=True)
    if not relay.complete:
        if relay.begun:
            # Too late for an answer about it: cut the connection, so that a part doesn't look like the whole.
            handler.detach().close()
            return
        # A content by its hash is the same however often it is sent.
        raise RemoteLost(may_repeat=method in ("GET", "HEAD", "PUT"))
    handler.finish()


def _length(body: bytes | Path) -> int:
    return len(body) if isinstance(body, bytes) else os.path.getsize(body)


async def _write_file(connection: HTTP1Connection, path: Path) -> None:
    with await asyncio.to_thread(open, path, "rb") as file:
        while block := await asyncio.to_thread(file.read, _BLOCK):
            await connection.write(block)


async def open_remote_socket(remote: Remote, path: str, query: str) -> WebSocketClientConnection:
    """Open the same WebSocket at ``remote``.

    Raises
    ------
    RemoteLost
        Nothing answers there, or what answers isn't the lab.
    HTTPClientError
        The handshake was refused; ``.response.body`` has the envelope.
    """
    request = HTTPRequest(
        remote.socket_url(path, query), headers=httputil.HTTPHeaders(remote.headers), connect_timeout=_CONNECT_SECONDS
    )
    try:
        return await connect(request)
    except HTTPClientError as error:
        if error.code in (401, 599):
            raise RemoteLost(may_repeat=True) from error
        raise
    except (OSError, WebSocketError) as error:
        raise RemoteLost(may_repeat=True) from error
