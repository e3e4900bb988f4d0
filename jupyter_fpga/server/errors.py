"""What a refusal looks like over HTTP: the one place that maps a kind of :class:`LabError` to a status."""

from http import HTTPStatus
from typing import Any, ClassVar

from jupyter_fpga.errors import (
    Conflict,
    Forbidden,
    Invalid,
    LabError,
    NotFound,
    QuotaExceeded,
    TooLarge,
    Unavailable,
)

__all__ = (
    "MethodNotAllowed",
    "NotSignedIn",
    "UnsupportedMediaType",
    "UpgradeRequired",
    "envelope_of_status",
    "internal_error",
    "status_of",
)


class NotSignedIn(LabError):
    """The request carries no token that this lab knows."""

    default_code: ClassVar[str] = "not_signed_in"

    def __init__(self) -> None:
        super().__init__(
            "This request carries no token that the lab knows; send one as `Authorization: token …` or `X-API-Key: …`."
        )


class MethodNotAllowed(LabError):
    """The path exists, the method doesn't."""

    default_code: ClassVar[str] = "method_not_allowed"

    def __init__(self, method: str, path: str, allowed: tuple[str, ...]) -> None:
        super().__init__(
            f"{path} doesn't take {method}; it takes {' and '.join(allowed)}.",
            detail={"allowed": list(allowed)},
        )


class UnsupportedMediaType(LabError):
    """A body whose Content-Type the route doesn't read."""

    default_code: ClassVar[str] = "unsupported_media_type"


class UpgradeRequired(LabError):
    """A plain GET where only a WebSocket makes sense."""

    default_code: ClassVar[str] = "upgrade_required"

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} speaks WebSocket only; open it with a WebSocket client.")


# The first class that fits decides, so a subclass of two kinds is never ambiguous.
_STATUSES: tuple[tuple[type[LabError], HTTPStatus], ...] = (
    (NotSignedIn, HTTPStatus.UNAUTHORIZED),
    (MethodNotAllowed, HTTPStatus.METHOD_NOT_ALLOWED),
    (UnsupportedMediaType, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    (UpgradeRequired, HTTPStatus.UPGRADE_REQUIRED),
    (Invalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (Forbidden, HTTPStatus.FORBIDDEN),
    (TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (QuotaExceeded, HTTPStatus.TOO_MANY_REQUESTS),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
)


def status_of(error: LabError) -> int:
    """The HTTP status that says what ``error`` says.

    A bare :class:`LabError` (a failure of a tool or a board, not of the request) is 503: the same request may work
    later.
    """
    for kind, status in _STATUSES:
        if isinstance(error, kind):
            return int(status)
    return int(HTTPStatus.SERVICE_UNAVAILABLE)


# What tornado and the Jupyter server refuse by themselves, in the lab's words.
_HOST_REFUSALS: dict[int, tuple[str, str]] = {
    400: ("bad_request", "The request isn't valid HTTP for this path; check its encoding and headers."),
    401: ("not_signed_in", NotSignedIn().message),
    403: (
        "forbidden",
        "The server refused this request; a write from a page needs the X-XSRFToken header with its cookie's value.",
    ),
    404: ("not_found", "There is nothing at this address; GET …/openapi.json lists what there is."),
    413: ("too_large", "The body is larger than the server takes."),
}


def envelope_of_status(status: int, message: str = "") -> dict[str, Any]:
    """The envelope for a refusal that the web server made itself, before or around the lab's own code."""
    code, words = _HOST_REFUSALS.get(status, ("http_error", f"The server refused this request with status {status}."))
    return {"error": code, "message": words, "detail": {"reason": message} if message else {}}


def internal_error(incident: str) -> dict[str, Any]:
    """The envelope of a fault of our own; ``incident`` is how to find it in the server's log."""
    return {
        "error": "internal_error",
        "message": f"The lab met a fault of its own; look for incident {incident} in the server's log and report it.",
        "detail": {"incident": incident},
    }
