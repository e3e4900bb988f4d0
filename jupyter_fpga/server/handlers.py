"""The handler of every plain route: authenticate, validate, one call, answer. Hosts add their own base class."""

import asyncio
import json
import logging
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tornado import web
from tornado.iostream import StreamClosedError

from jupyter_fpga.errors import LabError
from jupyter_fpga.people import Person

from .answers import Answer, Chunks, Download, Json, Nothing, Text
from .body import JSON_LIMIT, UPLOAD_LIMIT, BodyLimit, upload_from_body
from .door import Door, Here
from .errors import MethodNotAllowed, NotSignedIn, UnsupportedMediaType, envelope_of_status, internal_error, status_of
from .forward import RemoteLost, forward
from .routes import Call, Route, parse_path
from .validation import model_from_json, model_from_query

__all__ = ("EnvelopeHandler", "RouteHandler", "UnknownPath")

log = logging.getLogger(__name__)

_BLOCK = 256 * 1024
"""Bytes of a download that are in memory at a time."""


class EnvelopeHandler(web.RequestHandler):
    """Answers every refusal, the host's own included, with the API's envelope."""

    person: Person | None = None
    routes: Mapping[str, Route] = {}

    def initialize(self, door: Door, base: str, routes: Mapping[str, Route]) -> None:
        self.door = door
        self.base = base
        self.routes = routes

    def path_below_base(self) -> str:
        """The part of the request's path that is below the API's base, as it came in (percent-encoded)."""
        return urlsplit(self.request.uri or "").path.removeprefix(self.base)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Turn whatever was raised into the envelope."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, LabError):
            self.finish_error(error)
            return
        if isinstance(error, web.HTTPError) or error is None:
            if status_code == 403 and not self.signed_in():
                # A host says 403, or talks of XSRF, for a request whose trouble is that it carries no token.
                self.finish_error(NotSignedIn())
            elif status_code == 405:
                self.finish_error(MethodNotAllowed(self.request.method or "", self.request.path, tuple(self.routes)))
            else:
                reason = getattr(error, "log_message", None) or ""
                self._finish_envelope(status_code, envelope_of_status(status_code, reason))
            return
        incident = secrets.token_hex(4)
        log.error("incident %s: %s %s", incident, self.request.method, self.request.path, exc_info=kwargs["exc_info"])
        self._finish_envelope(500, internal_error(incident))

    def finish_error(self, error: LabError) -> None:
        """Answer with ``error``."""
        if isinstance(error, MethodNotAllowed):
            self.set_header("Allow", ", ".join(error.detail["allowed"]))
        if isinstance(error, NotSignedIn):
            self.set_header("WWW-Authenticate", "Bearer")
        self._finish_envelope(status_of(error), error.as_dict())

    def _finish_envelope(self, status: int, envelope: dict[str, Any]) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(envelope))

    def log_exception(self, *exc_info: Any) -> None:
        """A refusal is an answer, and the access log has it; a fault is logged by write_error, with its number."""
        told = isinstance(exc_info[1], LabError | web.HTTPError)
        if not told and (self._finished or self._headers_written):  # too late for write_error
            log.error("while answering %s %s", self.request.method, self.request.path, exc_info=exc_info[1])

    def compute_etag(self) -> None:
        """No entity tags: answers change with every event."""

    def signed_in(self) -> bool:
        """Whether the host knows who is asking."""
        return self.person is not None


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
    _work: asyncio.Task[None] | None = None

    @property
    def route(self) -> Route | None:
        """The route of this request; ``None`` for a method that the path doesn't take."""
        return self.routes.get(self.request.method or "")

    def watch_body(self) -> None:
        """To be called at the end of ``prepare``: from here on the body is counted.

        Raises
        ------
        TooLarge
            By its Content-Length, before any of it is read.
        MethodNotAllowed
            The path doesn't take the method.
        """
        route = self.route
        if route is None:
            raise MethodNotAllowed(self.request.method or "", self.request.path, tuple(self.routes))
        self._limit = BodyLimit(UPLOAD_LIMIT if route.upload else JSON_LIMIT, upload=route.upload)
        self._limit.headers(self.request.headers)

    def data_received(self, chunk: bytes) -> None:
        """Take a piece of the body; too much of it is answered at once, and the rest is thrown away by tornado."""
        if self._limit is None:  # a method that takes no body, such as OPTIONS
            return
        try:
            self._limit.chunk(chunk)
        except LabError as error:
            self.finish_error(error)

    async def serve(self, **texts: str) -> None:
        """Answer the request; what ``get``, ``post`` and ``delete`` do."""
        if self._finished:  # refused while the body arrived
            return
        with self.door.activity:
            self._work = asyncio.ensure_future(self._serve(texts))
            try:
                await self._work
            except asyncio.CancelledError:
                # The client went away, and on_connection_close stopped the work: nobody is left to answer.
                if not self._work.cancelled():
                    self._work.cancel()
                    raise
            except StreamClosedError:
                pass  # the same, noticed while writing

    def on_connection_close(self) -> None:
        """Stop what only this client wanted: a log that is followed, a download. Writes run on to their end."""
        super().on_connection_close()
        if self._work is not None and self.request.method == "GET":
            self._work.cancel()

    async def _serve(self, texts: dict[str, str]) -> None:
        route = self.route
        assert route is not None
        while True:
            place = await self.door.reach()
            if isinstance(place, Here):
                await self._send(route, await route.run(self._call(route, place, texts)))
                return
            try:
                await forward(self, place.remote, self.path_below_base(), self._body())
            except RemoteLost as lost:
                self.door.lost(place)
                if not lost.may_repeat:
                    raise lost.as_refusal() from lost
                continue
            return

    def _body(self) -> bytes:
        return self._limit.body if self._limit is not None else b""

    def _call(self, route: Route, here: Here, texts: dict[str, str]) -> Call:
        path = parse_path(texts)
        query = model_from_query(route.query, self.request.query_arguments) if route.query else None
        content_type = self.request.headers.get("Content-Type", "")
        upload = upload_from_body(content_type, self._body()) if route.upload else None
        body = None
        if route.body is not None:
            kind = content_type.partition(";")[0].strip().lower()
            # curl -d and clients that forget the type say something else; a body that is JSON is taken as JSON.
            if kind.startswith("multipart/"):
                raise UnsupportedMediaType(f"This request's body is application/json; got {kind}.")
            body = model_from_json(route.body, self._body())
        assert self.person is not None or route.public
        person = self.person if self.person is not None else Person("")
        return Call(here.fpga, person, path, query, body, upload, self.request.headers.get("Accept", ""))

    async def _send(self, route: Route, answer: Answer) -> None:
        self.set_status(answer.status or route.status)
        match answer:
            case Json(value):
                self.set_header("Content-Type", "application/json")
                self._headers_and_finish(answer, json.dumps(value))
            case Text(text, media_type):
                self.set_header("Content-Type", media_type)
                self._headers_and_finish(answer, text)
            case Nothing():
                self.set_status(answer.status or 204)
                self._headers_and_finish(answer, None)
            case Chunks():
                await self._send_chunks(answer)
            case Download():
                await self._send_file(answer)

    def _headers_and_finish(self, answer: Answer, body: str | None) -> None:
        for name, value in answer.headers.items():
            self.set_header(name, value)
        self.finish(body)

    async def _send_chunks(self, answer: Chunks) -> None:
        self.set_header("Content-Type", answer.media_type)
        # Proxies that gather answers would hold back a log that is followed.
        self.set_header("X-Accel-Buffering", "no")
        await self.flush()  # so that the reader knows at once that there is such a job
        async for piece in answer.pieces:
            self.write(piece)
            await self.flush()
        self.finish()

    async def _send_file(self, answer: Download) -> None:
        with await asyncio.to_thread(open, answer.path, "rb") as file:
            size = await asyncio.to_thread(file.seek, 0, 2)
            await asyncio.to_thread(file.seek, 0)
            self.set_header("Content-Type", answer.media_type)
            self.set_header("Content-Length", str(size))
            name = "".join(c if c.isalnum() or c in "._-" else "_" for c in answer.name)
            self.set_header("Content-Disposition", f'attachment; filename="{name}"')
            while block := await asyncio.to_thread(file.read, _BLOCK):
                self.write(block)
                await self.flush()
        self.finish()


class UnknownPath(EnvelopeHandler):
    """Everything below the base URL that isn't in the table."""

    def refuse(self) -> None:
        raise web.HTTPError(404)
