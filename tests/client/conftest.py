"""Small real servers that answer as a test says, on the client's own loop."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

from jupyter_fpga.client.loop import loop


@pytest.fixture
def serve() -> Iterator[Callable[[list[Any]], str]]:
    """Serve tornado handlers; the address of the server."""
    servers: list[HTTPServer] = []

    def start(handlers: list[Any]) -> str:
        async def listen() -> int:
            sockets = bind_sockets(0, "127.0.0.1")
            server = HTTPServer(Application(handlers))
            server.add_sockets(sockets)
            servers.append(server)
            return int(sockets[0].getsockname()[1])

        return f"http://127.0.0.1:{loop.call(listen)}"

    yield start

    async def stop() -> None:
        for server in servers:
            server.stop()
            await server.close_all_connections()

    loop.call(stop)


def answering(status: int, body: Any, seen: list[Any] | None = None) -> type[RequestHandler]:
    """A handler that always answers the same."""

    class Handler(RequestHandler):
        def check_xsrf_cookie(self) -> None:
            """Nothing here is worth protecting."""

        def answer(self) -> None:
            if seen is not None:
                seen.append(self.request)
            self.set_status(status)
            self.finish(body if isinstance(body, str | bytes) else json.dumps(body))

        get = post = delete = answer  # type: ignore[assignment]

    return Handler


def talking(script: Callable[[WebSocketHandler], Any], on_frame: Any = None) -> type[WebSocketHandler]:
    """A WebSocket handler that runs ``script`` when it is open, and ``on_frame(handler, frame)`` for each message."""

    class Handler(WebSocketHandler):
        def open(self) -> None:
            self.task = asyncio.ensure_future(self._script())

        async def _script(self) -> None:
            result = script(self)
            if asyncio.iscoroutine(result):
                await result

        def on_message(self, message: str | bytes) -> None:
            on_frame(self, message)

    return Handler


@pytest.fixture(name="answering")
def _answering() -> Any:
    return answering


@pytest.fixture(name="talking")
def _talking() -> Any:
    return talking
