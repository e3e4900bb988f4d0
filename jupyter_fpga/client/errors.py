"""The lab's refusals, raised on the person's side as the same kinds; IPython shows their own line, never our frames."""

import json
import linecache
import sysconfig
from pathlib import Path
from types import TracebackType
from typing import Any

from jupyter_fpga import errors as kinds

__all__ = (
    "AccessFailed",
    "Conflict",
    "Forbidden",
    "Invalid",
    "JobCancelled",
    "JobFailed",
    "LabError",
    "NotFound",
    "QuotaExceeded",
    "TimedOut",
    "TooLarge",
    "Unavailable",
    "error_from_response",
    "job_error",
    "own_lines",
    "reworded",
)

LabError = kinds.LabError

# Where code lives that isn't the person's.
_ELSEWHERE = (
    str(Path(__file__).parent.parent),
    *(path for name in ("stdlib", "platstdlib", "purelib", "platlib") if (path := sysconfig.get_paths().get(name))),
)


def own_lines(traceback: TracebackType | None) -> list[str]:
    """The innermost line of the person's own text in ``traceback``, as IPython marks it; empty when there is none."""
    found: list[str] = []
    while traceback is not None:
        code, number = traceback.tb_frame.f_code, traceback.tb_lineno
        path = code.co_filename
        if not path.startswith((*_ELSEWHERE, "<frozen")):
            text = linecache.getline(path, number, traceback.tb_frame.f_globals).strip()
            # What a magic becomes isn't what the person wrote.
            if text and not text.startswith("get_ipython().run_"):
                found = [f"----> {number} {text}"]
        traceback = traceback.tb_next
    return found


class _Tidy(Exception):
    """An exception that IPython shows as the person's own line and one sentence, never with our frames."""

    def _render_traceback_(self) -> list[str]:
        return [*own_lines(self.__traceback__), f"{type(self).__name__}: {self}"]


class Invalid(_Tidy, kinds.Invalid, ValueError):
    """The request itself can't be right, whatever the state of the lab."""


class NotFound(_Tidy, kinds.NotFound):
    """No such thing, or nothing that this person may know of."""


class Conflict(_Tidy, kinds.Conflict):
    """The state of the thing doesn't allow the request now."""


class Forbidden(_Tidy, kinds.Forbidden):
    """The thing is somebody else's, needs another role, or the lab doesn't know who is asking."""


class TooLarge(_Tidy, kinds.TooLarge):
    """More bytes, words or files than the lab takes."""


class QuotaExceeded(_Tidy, kinds.QuotaExceeded):
    """The person holds, queues or asks for as much as the lab allows one person."""


class Unavailable(_Tidy, kinds.Unavailable):
    """The lab, or something it needs, isn't there now."""


class TimedOut(_Tidy, kinds.Unavailable):
    """The person's own time limit ran out first."""

    default_code = "timed_out"


class AccessFailed(_Tidy, LabError):
    """A read or write on a board's bus was not done."""

    default_code = "access_failed"


class JobFailed(_Tidy, LabError):
    """A job ended as ``failed``; :attr:`code`, :attr:`message` and :attr:`detail` are the lab's reason."""

    default_code = "job_failed"


class JobCancelled(_Tidy, LabError):
    """A job was cancelled before it was done."""

    default_code = "job_cancelled"


class _Unexpected(_Tidy, LabError):
    """An answer that the contract doesn't know."""

    default_code = "unexpected_answer"


_Unexpected.__name__ = "LabError"

_KINDS: dict[int, type[LabError]] = {
    400: Invalid,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: Invalid,
    429: QuotaExceeded,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}

#: Where the lab's sentences send somebody who writes HTTP, and what that is for somebody who uses a client.
_PLACES = {
    "GET …/fpga lists": "`jupyter fpga boards` lists",
    "GET …/jobs lists": "`jupyter fpga jobs` lists",
    "GET …/compute/jobs lists": "`jupyter fpga jobs --actions` lists",
    "look at GET …/jobs before": "look at `jupyter fpga jobs` before",
}

#: Refusals whose sentence is for somebody who writes HTTP, in the words of somebody who uses a client.
_REWORDED = {
    "not_signed_in": (
        "The lab doesn't know this token, or none was given: give that of its Jupyter server, or an API key, with "
        "--token, token=… in Python, or JUPYTER_FPGA_TOKEN."
    ),
    "not_found": (
        "The lab knows nothing of the kind: it is another version of jupyter_fpga than this client. Install the same "
        "version on both sides."
    ),
    "queue_not_found": (
        "There is no such queue of yours; `jupyter fpga queues` lists those that there are, and "
        "`jupyter fpga queues --create` (create_queue() in Python) makes one."
    ),
    "queue_local_only": (
        "Queues with numbers are for programs on the lab's own machine; make one with `jupyter fpga queues --create` "
        "(create_queue() in Python), and use its token."
    ),
}


def error_from_response(status: int, body: bytes, what: str) -> LabError:
    """The refusal that an HTTP answer carries.

    Parameters
    ----------
    status, body
        Of the answer; a body that isn't the lab's envelope is quoted, since then something in between answered.
    what
        Method and address of the request, for the message.
    """
    kind = _KINDS.get(status, _Unexpected)
    try:
        envelope = json.loads(body)
        code = envelope["error"]
        return kind(reworded(code, envelope["message"]), code=code, detail=envelope.get("detail") or {})
    except (ValueError, KeyError, TypeError):
        text = " ".join(body.decode(errors="replace").split())[:200] or "nothing"
        return kind(
            f"What answers at {what.partition(' ')[2]} is no lab; it says: {text}. "
            "Check that the address is a lab's and that jupyter_fpga is enabled there (`jupyter fpga doctor`).",
            code="not_a_lab" if status == 404 else None,
            detail={"status": status, "request": what},
        )


def reworded(code: str, message: str) -> str:
    """The sentence of a refusal, in the words of somebody who uses a client."""
    for place, ours in _PLACES.items():
        message = message.replace(place, ours)
    return _REWORDED.get(code, message)


def job_error(job: dict[str, Any]) -> LabError:
    """The reason why a job that ended without success did so."""
    if job["status"] == "cancelled":
        reason = (job.get("error") or {}).get("message") or "The job was cancelled before it was done."
        return JobCancelled(reason, detail={"job_id": job["job_id"]})
    error = dict(job.get("error") or {})
    code = error.pop("error", None) or error.pop("code", None)
    message = (
        error.pop("message", None)
        or error.get("reason")
        or "The job failed, and the lab gave no reason; its log may tell more."
    )
    detail = {**(error.pop("detail", None) or {}), **error, "job_id": job["job_id"]}
    return JobFailed(message, code=code, detail=detail)
