"""The base of all handlers: whatever is refused, and by whom, is answered in the API's own words."""

import json
import logging
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tornado import web

from jupyter_fpga.errors import LabError
from jupyter_fpga.people import Person

from .door import Door
from .errors import MethodNotAllowed, NotSignedIn, envelope_of_status, internal_error, status_of
from .routes import Route

__all__ = ("EnvelopeHandler", "UnknownPath")

log = logging.getLogger(__name__)


class EnvelopeHandler(web.RequestHandler):
    """Answers every refusal, the host's own included, with the API's envelope."""

    person: Person | None = None
    unread = False
    """Whether a body may be on its way of which nothing has been read yet."""
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
        if self.unread and self._has_body():
            self._finish_and_linger(json.dumps(envelope))
        else:
            self.finish(json.dumps(envelope))

    def _has_body(self) -> bool:
        headers = self.request.headers
        return headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers

    def _finish_and_linger(self, body: str) -> None:
        """Answer a client that has only begun to send.

        tornado would close the connection at once, and the client's system would then throw the answer away: most
        clients read no answer before they have sent everything.
        """
        self.set_header("Connection", "close")
        self.set_header("Content-Length", str(len(body)))
        self.write(body)
        written = self.flush()
        self.application.log_request(self)
        self.door.activity.linger(self.detach(), written)

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


class UnknownPath(EnvelopeHandler):
    """Everything below the base URL that isn't in the table."""

    def refuse(self) -> None:
        raise web.HTTPError(404)
