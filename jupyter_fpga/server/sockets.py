"""The WebSockets' handshake and life; what goes on over each kind is in :mod:`.socket_services`."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

from tornado.httpclient import HTTPClientError
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from jupyter_fpga.errors import Forbidden
from jupyter_fpga.fpga.bench import Watch

from .door import Here
from .envelopes import EnvelopeHandler
from .errors import MethodNotAllowed, UpgradeRequired
from .forward import RemoteLost, open_remote_socket
from .paths import parse_path
from .routes import Call
from .socket_services import BenchService, EtherboneService, EventsService, Passage, Service, StreamService
from .validation import model_from_query

__all__ = ("SocketHandler",)


class SocketHandler(EnvelopeHandler, WebSocketHandler):
    """A WebSocket's handshake and life. Subclasses (one per host) authenticate in ``prepare`` and set :attr:`person`.

    Refusals are HTTP statuses on the handshake, with the envelope.
    """

    over: asyncio.Event
    _service: Service | None = None

    async def shake_hands(self, **texts: str) -> None:
        """Answer the handshake and serve the socket to its end; what ``get`` does."""
        if "GET" not in self.routes:
            raise MethodNotAllowed("GET", self.request.path, tuple(self.routes))
        self._check_handshake()
        with self.door.activity:
            self._service = await self._find_service(texts)
            if self._service is None:
                return
            self.over = asyncio.Event()
            try:
                await super().get()
            finally:
                await self._service.end()
                self.door.activity.sockets.discard(self)
                self.over.set()

    def _check_handshake(self) -> None:
        """Refuse, in the API's words, what tornado would refuse in its own."""
        headers = self.request.headers
        if headers.get("Upgrade", "").lower() != "websocket" or "Sec-WebSocket-Key" not in headers:
            self.set_header("Upgrade", "websocket")
            raise UpgradeRequired(self.request.path)
        origin = headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != headers.get("Host") and not self.check_origin(origin):
            raise Forbidden(
                f"A page from {origin} may not open this WebSocket; open it from a page of this server.",
                code="cross_origin",
                detail={"origin": origin},
            )

    async def _find_service(self, texts: dict[str, str]) -> Service | None:
        route = self.routes["GET"]
        while True:
            place = await self.door.reach()
            if isinstance(place, Here):
                assert self.person is not None
                query = model_from_query(route.query, self.request.query_arguments) if route.query else None
                found = await route.run(Call(place, self.person, parse_path(texts), query))
                if isinstance(found, Watch):
                    return await BenchService.begun(self, found)
                if isinstance(found, AsyncIterator):
                    return await EventsService.begun(self, found)
                return EtherboneService(self, found) if route.packets else StreamService(self, found)
            try:
                remote = await open_remote_socket(place.remote, self.path_below_base(), self.request.query)
            except RemoteLost:
                self.door.lost(place)
            except HTTPClientError as refusal:
                self._refuse_as(refusal)
                return None
            else:
                return Passage(self, remote, place)

    def _refuse_as(self, refusal: HTTPClientError) -> None:
        self.set_status(refusal.code)
        self.set_header("Content-Type", "application/json")
        self.finish(refusal.response.body if refusal.response is not None else b"")

    def open(self, *args: str, **kwargs: str) -> Any:
        """The handshake is done."""
        self.set_nodelay(True)
        self.door.activity.sockets.add(self)
        assert self._service is not None
        self._service.begin()
        return super().open(*args, **kwargs)

    async def on_message(self, message: str | bytes) -> None:
        """A frame has come; the next is read when this returns."""
        assert self._service is not None
        await self._service.take(message)

    async def tell(self, message: str | bytes) -> bool:
        """Send a frame, no faster than the client reads; whether there is still a client."""
        try:
            await self.write_message(message, binary=isinstance(message, bytes))
        except (WebSocketClosedError, StreamClosedError):
            return False
        return True

    def hang_up(self, code: int, reason: str) -> None:
        """Close; a reason may have 123 bytes."""
        self.close(code, reason.encode()[:123].decode(errors="ignore"))
