"""The handler of every plain route: authenticate, validate, one call, answer. Hosts add their own base class."""

import asyncio
import contextlib
from collections.abc import Awaitable
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from tornado.iostream import StreamClosedError

from jupyter_fpga.compute.actions import refusals
from jupyter_fpga.errors import LabError
from jupyter_fpga.people import Person

from .body import UPLOAD_LIMIT, BodyLimit, upload_from_body
from .compute.packages import CHUNK_LIMIT, PACKAGE_LIMIT, Package, boundary_of
from .door import Here
from .envelopes import EnvelopeHandler
from .errors import MethodNotAllowed, NotSignedIn, UnsupportedMediaType
from .forward import RemoteLost, forward
from .locality import is_local
from .paths import parse_path
from .receiving import Incoming, Spool
from .routes import Call, Route
from .sending import send
from .validation import model_from_json, model_from_query, parse_json

__all__ = ("RouteHandler",)


class RouteHandler(EnvelopeHandler):
    """All methods of one path. Subclasses (one per host) authenticate in ``prepare`` and set :attr:`person`.

    Parameters
    ----------
    door
        Where the lab is.
    base
        Path of the API's base URL, without a slash at the end.
    routes
        Method → route.
    """

    _limit: BodyLimit | None = None
    _incoming: Incoming | None = None
    _busy: contextlib.ExitStack | None = None
    _work: asyncio.Task[None] | None = None
    _begun = False
    unread = True

    @property
    def route(self) -> Route | None:
        """The route of this request; ``None`` for a method that the path doesn't take."""
        return self.routes.get(self.request.method or "")

    def watch_body(self) -> Awaitable[None] | None:
        """To be called at the end of ``prepare``: from here on the body is counted.

        Raises
        ------
        TooLarge
            By its Content-Length, before any of it is read.
        MethodNotAllowed
            The path doesn't take the method.
        Invalid
            The address, or the Content-Type, can't be right.
        """
        route = self.route
        if route is None:
            raise MethodNotAllowed(self.request.method or "", self.request.path, tuple(self.routes))
        packed = route.package and self._media_type() == "multipart/mixed"
        if route.content:
            parse_path(self.path_kwargs)
            self._limit = BodyLimit(CHUNK_LIMIT, refuse=refusals.chunk_too_large)
        elif packed:
            self._limit = BodyLimit(PACKAGE_LIMIT)
        else:
            self._limit = BodyLimit(UPLOAD_LIMIT if route.upload else route.limit, upload=route.upload)
        self._limit.headers(self.request.headers)
        return self._to_disk(self._limit, packed) if packed or route.content else None

    async def _to_disk(self, limit: BodyLimit, packed: bool) -> None:
        """Make ready for a body that doesn't go into memory; nobody fills the disk who isn't known."""
        if self.person is None:
            raise NotSignedIn
        boundary = boundary_of(self.request.headers["Content-Type"]) if packed else None
        self._busy = contextlib.ExitStack()
        self._busy.enter_context(self.door.activity)
        try:
            place = await self.door.reach()
            if boundary is not None and isinstance(place, Here):
                self._incoming = Package(limit, boundary, place.uploads)
            else:
                self._incoming = Spool(limit, place.uploads if isinstance(place, Here) else Path(gettempdir()))
        except BaseException:
            self._let_go()
            raise
        # tornado counts, too, and closes the connection in place of an answer: ours comes first.
        self.request.connection.set_max_body_size(2 * limit.limit)  # type: ignore[union-attr]

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Take a piece of the body; too much of it is answered at once, and the rest is thrown away by tornado."""
        self.unread = False
        if self._incoming is not None:
            return self._write(self._incoming, chunk)
        if self._limit is not None:  # None: a method that takes no body, such as OPTIONS
            try:
                self._limit.chunk(chunk)
            except LabError as error:
                self.finish_error(error)
        return None

    async def _write(self, incoming: Incoming, chunk: bytes) -> None:
        try:
            await incoming.take(chunk)
        except LabError as error:
            self._let_go()
            self.finish_error(error)

    def _let_go(self) -> None:
        """Remove what has come of a body and wasn't taken away."""
        if self._incoming is not None:
            self._incoming.discard()
            self._incoming = None
        if self._busy is not None:
            self._busy.close()
            self._busy = None

    async def serve(self, **texts: str) -> None:
        """Answer the request; what ``get``, ``post``, ``put`` and ``delete`` do."""
        if self._finished:  # refused while the body arrived
            return
        self._begun, self.unread = True, False
        try:
            with self.door.activity:
                if self.request.method == "GET":
                    await self._serve_while_asked(texts)
                else:
                    await self._serve(texts)
        except StreamClosedError:
            pass  # nobody is left to answer
        finally:
            self._let_go()

    async def _serve_while_asked(self, texts: dict[str, str]) -> None:
        self._work = asyncio.ensure_future(self._serve(texts))
        try:
            await self._work
        except asyncio.CancelledError:
            # The client went away, and on_connection_close stopped the work: nobody is left to answer.
            if not self._work.cancelled():
                self._work.cancel()
                raise

    def on_connection_close(self) -> None:
        """Stop what only this client wanted: a log that is followed, a download. Writes run on to their end."""
        super().on_connection_close()
        if self._work is not None:
            self._work.cancel()
        elif not self._begun:
            self._let_go()

    async def _serve(self, texts: dict[str, str]) -> None:
        route = self.route
        assert route is not None
        if self._incoming is not None:
            await self._incoming.end()
        while True:
            place = await self.door.reach()
            if isinstance(place, Here):
                if isinstance(self._incoming, Spool) and route.package:
                    await self._unpack(self._incoming, place)
                await send(self, await route.run(self._call(route, place, texts)), route.status)
                return
            body = self._incoming.path if isinstance(self._incoming, Spool) else self._body()
            try:
                local = place.own and is_local(self.request)
                await forward(self, place.remote, self.path_below_base(), body, local=local)
            except RemoteLost as lost:
                self.door.lost(place)
                if not lost.may_repeat:
                    raise lost.as_refusal() from lost
                continue
            return

    async def _unpack(self, spool: Spool, here: Here) -> None:
        """A package came for another process's lab, and the lab is here by now."""
        boundary = boundary_of(self.request.headers["Content-Type"])
        self._incoming = await asyncio.to_thread(Package.of_file, spool.path, boundary, here.uploads)
        spool.discard()

    def _body(self) -> bytes:
        return self._limit.body if self._limit is not None else b""

    def _media_type(self) -> str:
        return self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def _call(self, route: Route, here: Here, texts: dict[str, str]) -> Call:
        headers = self.request.headers
        path = parse_path(texts)
        query = model_from_query(route.query, self.request.query_arguments) if route.query else None
        upload = upload_from_body(headers.get("Content-Type", ""), self._body()) if route.upload else None
        files: tuple[tuple[str, Path], ...] = ()
        if isinstance(self._incoming, Package):
            files = tuple(self._incoming.files)
        elif isinstance(self._incoming, Spool):
            files = ((path["hash"], self._incoming.path),)
        assert self.person is not None or route.public
        person = self.person if self.person is not None else Person("")
        return Call(
            here,
            person,
            path,
            query,
            None if route.body is None else self._json(route),
            upload,
            headers.get("Accept", ""),
            is_local(self.request),
            files,
        )

    def _json(self, route: Route) -> Any:
        if isinstance(self._incoming, Package):
            body = bytes(self._incoming.descriptor)
        else:
            body = self._body()
            kind = self._media_type()
            # curl -d and clients that forget the type say something else; a body that is JSON is taken as JSON.
            if kind.startswith("multipart/"):
                also = ", or multipart/mixed with it as the first part" if route.package else ""
                raise UnsupportedMediaType(f"This request's body is application/json{also}; got {kind}.")
        if route.optional and not body:
            return {}
        return model_from_json(route.body, body) if route.checks else parse_json(body)
