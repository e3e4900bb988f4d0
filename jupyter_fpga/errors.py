"""What can go wrong, said once: every refusal of the lab is a :class:`LabError` with a machine code and a sentence."""

from typing import Any, ClassVar

__all__ = (
    "Conflict",
    "Forbidden",
    "Invalid",
    "LabError",
    "NotFound",
    "QuotaExceeded",
    "TooLarge",
    "Unavailable",
)


class LabError(Exception):
    """An error that a person can meet.

    Parameters
    ----------
    message
        One or two sentences: what happened, what was expected, and what to do next.
    code
        Machine code in ``snake_case``; the class's :attr:`default_code` when not given.
    detail
        JSON-able facts for programs (``line``, ``nearest``, ``limit`` …).

    The subclasses name the *kind* of refusal. Doors translate the kind into their own terms (HTTP statuses, exit
    codes); floors never do.
    """

    default_code: ClassVar[str] = "lab_error"

    def __init__(self, message: str, *, code: str | None = None, detail: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.detail: dict[str, Any] = dict(detail or {})

    def as_dict(self) -> dict[str, Any]:
        """The error as the API's envelope: ``{"error": code, "message": …, "detail": {…}}``."""
        return {"error": self.code, "message": self.message, "detail": self.detail}


class Invalid(LabError):
    """The request itself can't be right, whatever the state of the lab."""

    default_code = "invalid"


class NotFound(LabError):
    """No such thing, or nothing that this person may know of."""

    default_code = "not_found"


class Conflict(LabError):
    """The request is well formed, but the state of the thing doesn't allow it now."""

    default_code = "conflict"


class Forbidden(LabError):
    """The thing exists, and is somebody else's or needs another role."""

    default_code = "forbidden"


class TooLarge(LabError):
    """More bytes, words or files than the lab takes."""

    default_code = "too_large"


class QuotaExceeded(LabError):
    """The person holds or queues as much as the lab allows one person."""

    default_code = "quota_exceeded"


class Unavailable(LabError):
    """The lab, or something it needs, isn't there now; the same request may work later."""

    default_code = "unavailable"
