"""The lab's door as a client sees it: one base address, a token, HTTP requests and WebSockets, and nothing else."""

import asyncio
import json
import secrets
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.iostream import StreamClosedError
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError
from tornado.websocket import WebSocketClientConnection, WebSocketError

from jupyter_fpga.websockets import connect

from .errors import Unavailable, error_from_response

__all__ = ("Door",)

#: Seconds to wait for a connection. A lab on this machine answers in milliseconds, one behind a Hub within a second.
CONNECT_TIMEOUT = 10
#: Seconds to wait for an answer. No request of the contract takes the lab long: what does is a job.
REQUEST_TIMEOUT = 60
#: Largest answer, bytes: a bitstream, or a simulator with its symbols, is some tens of MB at most.
MAX_BODY = 256 * 1024 * 1024
#: Bytes a second of the slowest line over which a large content still arrives in time.
SLOWEST = 100_000


class Door:
    """HTTP and WebSocket below one base address.

    Parameters
    ----------
    url
        The base address **B** of the contract, such as ``http://127.0.0.1:8888/jupyter-fpga``.
    token
        Sent as ``Authorization: token …``; empty for a lab that asks for none.
    """

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"token {token}"} if token else {}
        self._http: AsyncHTTPClient | None = None
        self._sockets: weakref.WeakSet[WebSocketClientConnection] = weakref.WeakSet()

    def _client(self) -> AsyncHTTPClient:
        if self._http is None:
            # Follow-the-log requests stay open for minutes: they must not use up the slots of the others.
            self._http = AsyncHTTPClient(force_instance=True, max_clients=100, max_body_size=MAX_BODY)
        return self._http

    def address(self, path: str, query: Mapping[str, Any] | None = None) -> str:
        """The full address of ``path`` below the base; query values that are None are left out."""
        given = [(key, value) for key, value in (query or {}).items() if value is not None]
        return f"{self.url}/{path}" + (f"?{urlencode(given, doseq=True)}" if given else "")

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        content_type: str | None = None,
        timeout: float = REQUEST_TIMEOUT,
    ) -> bytes:
        """One request, one answer's body.

        Raises
        ------
        LabError
            Of the kind that the answer's status means; :class:`Unavailable` when nobody answered.
        """
        headers = dict(self._headers)
        if content_type:
            headers["Content-Type"] = content_type
        if method == "POST" and body is None:
            body = b""
        response = await self._fetch(
            HTTPRequest(
                self.address(path, query),
                method,
                headers,
                body,
                connect_timeout=CONNECT_TIMEOUT,
                request_timeout=timeout,
                decompress_response=True,
            )
        )
        return response.body or b""

    async def _fetch(self, request: HTTPRequest, streamed: list[bytes] | None = None) -> HTTPResponse:
        what = f"{request.method} {request.url}"
        try:
            response = await self._client().fetch(request, raise_error=False)
        except (OSError, HTTPStreamClosedError, HTTPTimeoutError) as error:
            raise self.unreachable(error) from None
        if isinstance(response.error, HTTPStreamClosedError | HTTPTimeoutError | OSError):
            raise self.unreachable(response.error) from None
        if response.code >= 400 or response.error is not None:
            body = b"".join(streamed) if streamed is not None else response.body
            raise error_from_response(response.code, body or b"", what)
        return response

    def unreachable(self, error: Exception) -> Unavailable:
        """Nobody answers at this door."""
        return Unavailable(
            f"No lab answers at {self.url} ({_reason(error)}). Start one with `jupyter fpga serve` or `jupyter lab`, "
            "or set JUPYTER_FPGA_URL to the address of one that runs.",
            code="no_lab",
        )

    async def get(self, path: str, **query: Any) -> Any:
        """The JSON that ``GET path`` answers."""
        return json.loads(await self.request("GET", path, query=query))

    async def post(self, path: str, body: Any = None) -> Any:
        """The JSON that ``POST path`` answers; ``None`` for an empty answer."""
        data = None if body is None else json.dumps(body).encode()
        answer = await self.request("POST", path, body=data, content_type="application/json")
        return json.loads(answer) if answer.strip() else None

    async def upload(self, path: str, filename: str, content: bytes, fields: Mapping[str, Any]) -> Any:
        """``POST`` a file as multipart ``file``, with other form fields; a dict or list goes as JSON."""
        boundary = secrets.token_hex(16)
        parts: list[bytes] = []
        for name, value in fields.items():
            if value is None:
                continue
            text = value if isinstance(value, str) else json.dumps(value)
            parts.append(_part(boundary, f'name="{name}"', text.encode()))
        parts.append(_part(boundary, f'name="file"; filename="{_quoted(filename)}"', content))
        body = b"".join(parts) + f"--{boundary}--\r\n".encode()
        answer = await self.request("POST", path, body=body, content_type=f"multipart/form-data; boundary={boundary}")
        return json.loads(answer)

    async def send(
        self, path: str, size: int, produce: Callable[[Callable[[bytes], Awaitable[None]]], Awaitable[None]]
    ) -> None:
        """``PUT`` a content that is never in memory as a whole.

        Parameters
        ----------
        size
            Its bytes.
        produce
            Awaits the function that it gets for each piece.
        """
        headers = {**self._headers, "Content-Length": str(size), "Content-Type": "application/octet-stream"}
        request = HTTPRequest(
            self.address(path),
            "PUT",
            headers,
            body_producer=produce,  # type: ignore[arg-type]  # awaitables are as good as the futures that tornado names
            connect_timeout=CONNECT_TIMEOUT,
            request_timeout=REQUEST_TIMEOUT + size / SLOWEST,
        )
        await self._fetch(request)

    async def receive(self, path: str, size: int, take: Callable[[bytes], None]) -> None:
        """``GET`` a content of ``size`` bytes in pieces; an :class:`OSError` of ``take`` ends it, and is raised."""
        refusal: list[bytes] = []
        refused = False
        trouble: OSError | None = None

        def on_header(line: str) -> None:
            nonlocal refused
            if line.startswith("HTTP/"):
                refused = int(line.split()[1]) >= 400

        def on_chunk(chunk: bytes) -> None:
            nonlocal trouble
            try:
                refusal.append(chunk) if refused else take(chunk)
            except OSError as error:
                trouble = error
                # The only way to make tornado's client hang up in the middle of an answer.
                raise StreamClosedError from None

        request = HTTPRequest(
            self.address(path),
            headers=dict(self._headers),
            connect_timeout=CONNECT_TIMEOUT,
            request_timeout=REQUEST_TIMEOUT + size / SLOWEST,
            header_callback=on_header,
            streaming_callback=on_chunk,
        )
        try:
            await self._fetch(request, refusal)
        except Unavailable:
            if trouble is not None:
                raise trouble from None
            raise

    async def lines(self, path: str, **query: Any) -> AsyncIterator[Any]:
        """The records of ``GET path`` as newline-delimited JSON, as they arrive, until the lab ends the answer."""
        rest = b""
        async for chunk in self._chunks(path, query):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                yield json.loads(line)

    async def _chunks(self, path: str, query: Mapping[str, Any]) -> AsyncIterator[bytes]:
        arrived: asyncio.Queue[bytes | None] = asyncio.Queue()
        refused = False
        abandoned = False
        refusal: list[bytes] = []

        def on_header(line: str) -> None:
            nonlocal refused
            if line.startswith("HTTP/"):
                refused = int(line.split()[1]) >= 400

        def on_chunk(chunk: bytes) -> None:
            if abandoned:
                # The only way to make tornado's client hang up in the middle of an answer.
                raise StreamClosedError
            if refused:
                refusal.append(chunk)
            else:
                arrived.put_nowait(chunk)

        request = HTTPRequest(
            self.address(path, query),
            headers={**self._headers, "Accept": "application/x-ndjson"},
            connect_timeout=CONNECT_TIMEOUT,
            request_timeout=0,
            header_callback=on_header,
            streaming_callback=on_chunk,
        )
        fetching = asyncio.ensure_future(self._fetch(request, refusal))
        fetching.add_done_callback(lambda _: arrived.put_nowait(None))
        try:
            while (chunk := await arrived.get()) is not None:
                yield chunk
            await fetching
        finally:
            abandoned = True
            fetching.cancel()

    async def websocket(self, path: str, **query: Any) -> WebSocketClientConnection:
        """Open a WebSocket; a refusal on the handshake raises what the same answer to a request would."""
        scheme, *rest = urlsplit(self.address(path, query))
        url = urlunsplit(("wss" if scheme == "https" else "ws", *rest))
        request = HTTPRequest(url, headers=dict(self._headers), connect_timeout=CONNECT_TIMEOUT)
        try:
            socket = await connect(request, max_message_size=MAX_BODY)
        except HTTPClientError as error:
            body = error.response.body if error.response is not None else b""
            if error.code == 599:
                raise self.unreachable(error) from None
            raise error_from_response(error.code, body or b"", f"WebSocket {url}") from None
        except (OSError, WebSocketError) as error:
            raise self.unreachable(error) from None
        self._sockets.add(socket)
        return socket

    def close(self) -> None:
        """Hang up: end every WebSocket and every request."""
        for socket in list(self._sockets):
            socket.close()
        if self._http is not None:
            self._http.close()
            self._http = None


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return str(error) or type(error).__name__


def _quoted(filename: str) -> str:
    return filename.replace("\\", "_").replace('"', "_").replace("\r", "_").replace("\n", "_")


def _part(boundary: str, disposition: str, content: bytes) -> bytes:
    head = f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n"
    if "filename=" in disposition:
        head += "Content-Type: application/octet-stream\r\n"
    return f"{head}\r\n".encode() + content + b"\r\n"
