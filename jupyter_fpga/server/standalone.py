"""The API on plain tornado: for ``jupyter fpga serve``, and as the loopback door beside a lab in a Jupyter server."""

import socket
from collections.abc import Awaitable
from typing import Any

from tornado import httpserver, httputil, web
from tornado.routing import AnyMatches, Router, Rule

from .auth import Authenticator
from .body import UPLOAD_LIMIT
from .door import Door
from .envelopes import UnknownPath
from .handlers import RouteHandler
from .operations import ROUTES
from .routes import group_by_path, pattern
from .sockets import SocketHandler

__all__ = ("listen", "make_application")

_BACKLOG = 128
"""Connections that may wait to be accepted; tornado's own default."""
_PING_SECONDS = 30.0
"""Keep-alive of WebSockets: below the minute after which proxies and address translators forget a quiet connection."""


class _PlainHost(web.RequestHandler):
    """Authentication of a stand-alone lab, for both kinds of handlers."""

    def set_default_headers(self) -> None:
        # A log or an artifact is never a page or a script, whatever is in it.
        self.set_header("X-Content-Type-Options", "nosniff")

    def sign_in(self) -> Any:
        authenticator: Authenticator = self.settings["jupyter_fpga_authenticator"]
        return authenticator.authenticate(self.request)


@web.stream_request_body
class _PlainRoute(RouteHandler, _PlainHost):
    def prepare(self) -> Awaitable[None] | None:
        route = self.route
        if route is None or not route.public:
            self.person = self.sign_in()
        return self.watch_body()

    async def get(self, **texts: str) -> None:
        await self.serve(**texts)

    head = post = put = delete = get


class _PlainSocket(SocketHandler, _PlainHost):
    def prepare(self) -> Awaitable[None] | None:
        self.person = self.sign_in()
        return None

    async def get(self, **texts: str) -> None:
        await self.shake_hands(**texts)


@web.stream_request_body
class _PlainRouteAndSocket(RouteHandler, SocketHandler, _PlainHost):
    def prepare(self) -> Awaitable[None] | None:
        self.person = self.sign_in()
        return self.watch_body()

    async def get(self, **texts: str) -> None:
        await self.shake_hands(**texts)

    async def post(self, **texts: str) -> None:
        await self.serve(**texts)


class _PlainUnknown(UnknownPath, _PlainHost):
    def prepare(self) -> Awaitable[None] | None:
        self.person = self.sign_in()
        self.refuse()
        return None


class _ExactPaths(Router):
    """Paths without parameters, found at once: tornado tries one pattern after the other, some dozens of them."""

    application: web.Application

    def __init__(self) -> None:
        self.handlers: dict[str, tuple[type[web.RequestHandler], dict[str, Any]]] = {}

    def find_handler(self, request: httputil.HTTPServerRequest, **kwargs: Any) -> httputil.HTTPMessageDelegate | None:
        found = self.handlers.get(request.path)
        return None if found is None else self.application.get_handler_delegate(request, *found)


def make_application(door: Door, authenticator: Authenticator, *, base: str = "") -> web.Application:
    """The whole API as a tornado application.

    Parameters
    ----------
    door
        Where the lab is.
    authenticator
        Who its people are.
    base
        Path of the base URL, without a slash at the end.
    """
    exact = _ExactPaths()
    handlers: list[Any] = [Rule(AnyMatches(), exact)]
    for path, routes in group_by_path(ROUTES).items():
        sockets = {route.socket for route in routes.values()}
        kind: Any = _PlainRouteAndSocket if len(sockets) == 2 else _PlainSocket if True in sockets else _PlainRoute
        arguments = {"door": door, "base": base, "routes": routes}
        if "{" in path:
            handlers.append((base + pattern(path), kind, arguments))
        else:
            exact.handlers[base + path] = kind, arguments
    exact.application = web.Application(
        handlers,
        default_handler_class=_PlainUnknown,
        default_handler_args={"door": door, "base": base, "routes": {}},
        jupyter_fpga_authenticator=authenticator,
        websocket_ping_interval=_PING_SECONDS,
        websocket_ping_timeout=_PING_SECONDS,
    )
    return exact.application


def listen(application: web.Application, port: int, address: str = "127.0.0.1") -> tuple[httpserver.HTTPServer, int]:
    """Serve ``application``.

    Parameters
    ----------
    port
        0 for any that is free.
    address
        What to listen on.

    Returns
    -------
    server, port
        The server, and the port that it got.

    Raises
    ------
    OSError
        The port is taken, or isn't this user's to open.
    """
    # Not tornado's bind_sockets, which leaves a socket open when the address is taken.
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.create_server((address, port), family=family, backlog=_BACKLOG)
    listening.setblocking(False)
    # tornado refuses a longer body by closing the connection; ours are refused before with an envelope.
    server = httpserver.HTTPServer(application, max_body_size=8 * UPLOAD_LIMIT)
    server.add_socket(listening)
    return server, listening.getsockname()[1]
