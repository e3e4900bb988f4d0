"""The API inside a Jupyter server: its identity, its authorizer and its rules against cross-site requests."""

from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import allow_unauthenticated, ws_authenticated
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.httputil import HTTPServerRequest

from jupyter_fpga.errors import Forbidden

from .door import Door
from .envelopes import EnvelopeHandler, UnknownPath
from .handlers import RouteHandler
from .operations import ROUTES
from .routes import group_by_path, pattern
from .sockets import SocketHandler

__all__ = ("RESOURCE", "jupyter_handlers")

RESOURCE = "fpga"
"""What an authorizer of the Jupyter server is asked about, with the actions ``read``, ``write`` and ``execute``."""

_ACTIONS = {"GET": "read", "HEAD": "read", "POST": "write", "PUT": "write", "DELETE": "write"}


def _lend_api_key(request: HTTPServerRequest) -> None:
    """Let an ``X-API-Key`` count as the server's token, before anything looks at the request."""
    key = request.headers.get("X-API-Key")
    if key and "Authorization" not in request.headers:
        request.headers["Authorization"] = f"token {key}"


async def _sign_in(handler: Any, action: str) -> None:
    """Make the server's user the lab's person, if the server's authorizer allows it."""
    user = handler.current_user
    if user is None:
        return
    if not await ensure_async(handler.authorizer.is_authorized(handler, user, action, RESOURCE)):
        raise Forbidden(
            f"This server doesn't allow you to {action} its FPGA lab; ask whoever runs it.",
            code="not_authorized",
            detail={"action": action, "resource": RESOURCE},
        )
    handler.person = handler.settings["jupyter_fpga_owner"]


class _JupyterHost(EnvelopeHandler):
    """What all handlers here have."""

    def signed_in(self) -> bool:
        """Whether the server knows who is asking; one that fails its XSRF check is known and refused all the same."""
        return getattr(self, "_jupyter_current_user", None) is not None


class _JupyterApi(_JupyterHost, APIHandler):
    def finish(self, *args: Any, **kwargs: Any) -> Any:
        """Keep the content type of the answer; the base class would make everything JSON."""
        kwargs.setdefault("set_content_type", self._headers.get("Content-Type", "application/json"))
        return super().finish(*args, **kwargs)


class _JupyterRouteBase(RouteHandler, _JupyterApi):
    async def prepare(self) -> None:  # type: ignore[override]
        _lend_api_key(self.request)
        await APIHandler.prepare(self)
        if (
            self.request.method == "OPTIONS"
        ):  # a browser's question before a cross-site request; the base class answers it
            return
        await _sign_in(self, _ACTIONS.get(self.request.method or "", "write"))
        receiving = self.watch_body()
        if receiving is not None:
            await receiving


@web.stream_request_body
class _JupyterRoute(_JupyterRouteBase):
    @web.authenticated
    async def get(self, **texts: str) -> None:
        await self.serve(**texts)

    head = post = put = delete = get


@web.stream_request_body
class _JupyterPublicRoute(_JupyterRouteBase):
    @allow_unauthenticated
    async def get(self, **texts: str) -> None:
        await self.serve(**texts)


class _JupyterSocket(WebSocketMixin, SocketHandler, _JupyterHost, JupyterHandler):
    async def prepare(self) -> None:  # type: ignore[override]
        _lend_api_key(self.request)
        await super().prepare()
        await _sign_in(self, "execute")

    @ws_authenticated
    async def get(self, **texts: str) -> None:
        await self.shake_hands(**texts)


@web.stream_request_body
class _JupyterRouteAndSocket(WebSocketMixin, SocketHandler, _JupyterRouteBase):
    async def prepare(self) -> None:  # type: ignore[override]
        if self.request.method != "GET":
            await _JupyterRouteBase.prepare(self)
            return
        _lend_api_key(self.request)
        await JupyterHandler.prepare(self, _redirect_to_login=False)
        await _sign_in(self, "execute")

    @ws_authenticated
    async def get(self, **texts: str) -> None:
        await self.shake_hands(**texts)

    @web.authenticated
    async def post(self, **texts: str) -> None:
        await self.serve(**texts)


class _JupyterUnknown(UnknownPath, _JupyterApi):
    async def prepare(self) -> None:  # type: ignore[override]
        _lend_api_key(self.request)
        await APIHandler.prepare(self)

    @web.authenticated
    def get(self, *args: str) -> None:
        self.refuse()

    post = put = patch = delete = head = get


def jupyter_handlers(door: Door, base_url: str, folder: str) -> list[tuple[str, Any, dict[str, Any]]]:
    """Patterns, handlers and their arguments for an extension of a Jupyter server.

    Parameters
    ----------
    door
        Where the lab is.
    base_url
        The server's, which it puts before the patterns itself.
    folder
        Below it, the API's.
    """
    base = url_path_join(base_url, folder)
    handlers: list[tuple[str, Any, dict[str, Any]]] = []
    for path, routes in group_by_path(ROUTES).items():
        table = tuple(routes.values())
        sockets = {route.socket for route in table}
        if len(sockets) == 2:
            kind: Any = _JupyterRouteAndSocket
        elif True in sockets:
            kind = _JupyterSocket
        else:
            kind = _JupyterPublicRoute if all(route.public for route in table) else _JupyterRoute
        handlers.append((f"/{folder}{pattern(path)}", kind, {"door": door, "base": base, "routes": routes}))
    handlers.append((f"/{folder}(?:/.*)?", _JupyterUnknown, {"door": door, "base": base, "routes": {}}))
    return handlers
