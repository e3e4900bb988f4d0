"""Exit codes: one table, shown by ``jupyter fpga --help`` and held by the tests."""

from collections.abc import Mapping
from typing import Any

from jupyter_fpga import errors
from jupyter_fpga.client.errors import TimedOut

__all__ = ("EXITS", "FAILED", "OK", "USAGE", "exit_code", "program_exit", "table")

OK, FAILED, USAGE, NO_LAB, REFUSED, NOT_FOUND, TIMED_OUT, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 130

EXITS: dict[int, str] = {
    OK: "done",
    FAILED: "a build, programming a board, a run or an action failed; for doctor: what is needed is missing, or broken",
    USAGE: "the command line can't be understood, or asks for what can't be (an unknown register, a bad design file)",
    NO_LAB: "no lab answers",
    REFUSED: "the lab refuses: not signed in, somebody else's board, a state that doesn't allow it, a quota",
    NOT_FOUND: "there is no such board, job, session, action, queue or worker",
    TIMED_OUT: "the time of --timeout has passed",
    INTERRUPTED: "interrupted",
}

_KINDS: tuple[tuple[type[BaseException], int], ...] = (
    (TimedOut, TIMED_OUT),
    (errors.Unavailable, NO_LAB),
    (errors.NotFound, NOT_FOUND),
    (errors.Invalid, USAGE),
    (errors.TooLarge, USAGE),
    (errors.Conflict, REFUSED),
    (errors.Forbidden, REFUSED),
    (errors.QuotaExceeded, REFUSED),
    (KeyboardInterrupt, INTERRUPTED),
)


def exit_code(error: BaseException) -> int:
    """What a command that ended with ``error`` exits with."""
    return next((code for kind, code in _KINDS if isinstance(error, kind)), FAILED)


def program_exit(result: Mapping[str, Any]) -> int:
    """What ``exec`` exits with, from an action's result.

    The program's own code; 128 and the signal's number for one that a signal ended, as shells have it; :data:`FAILED`
    for one that was stopped at a bound, or left less than it should.
    """
    if result["ok"]:
        return OK
    code = result["exit_code"]
    if result["error"] is not None or not code:
        return FAILED
    return int(code) if code > 0 else 128 - int(code)


def table() -> str:
    """The table as text."""
    return "\n".join(f"{code:>5}  {meaning}" for code, meaning in EXITS.items())
