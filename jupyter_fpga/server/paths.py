"""Parameters of paths: from the texts in an address to what the floors want."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from jupyter_fpga.compute.actions import refusals
from jupyter_fpga.compute.actions.descriptors import check_hash
from jupyter_fpga.errors import NotFound

__all__ = ("parse_path",)

_BOARD_ID = re.compile(r"0|[1-9][0-9]{0,8}")
_JOB_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LSN = re.compile(r"0|[1-9][0-9]{0,17}")
_WORKER = re.compile(r"[0-9a-f]{64}")


def parse_path(texts: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of a path as the floors want them.

    Raises
    ------
    NotFound
        An id that can't be one: nothing has it.
    Invalid
        ``hash_rejected``
    """
    return {name: _PARSERS[name](text) if name in _PARSERS else text for name, text in texts.items()}


def _board(text: str) -> int:
    if not _BOARD_ID.fullmatch(text):
        raise NotFound(
            f"There is no board {text[:40]!r}; boards have numbers, and GET …/fpga lists them.", code="fpga_not_found"
        )
    return int(text)


def _job_id(text: str) -> str:
    if not _JOB_ID.fullmatch(text.lower()):
        raise NotFound(
            f"There is no job {text[:40]!r}; a job's id is the UUID that its submission answered, "
            "and GET …/jobs lists yours.",
            code="job_not_found",
        )
    return text.lower()


def _job(text: str) -> int | str:
    """An action's LSN, or a worker: 64 digits are a worker, whatever digits they are."""
    if _WORKER.fullmatch(text):
        return text
    if not _LSN.fullmatch(text):
        raise NotFound(
            f"There is no action {text[:40]!r}; an action is named by its LSN, a worker by 64 hexadecimal digits, "
            "and GET …/compute/jobs lists yours.",
            code="job_not_found",
        )
    return int(text)


def _lsn(text: str) -> int:
    job = _job(text)
    if isinstance(job, str):
        raise NotFound(
            f"There is no action {text[:12]}…; that is a worker, and this is done to an action, named by its LSN.",
            code="job_not_found",
        )
    return job


def _worker(text: str) -> str:
    if not _WORKER.fullmatch(text):
        raise refusals.worker_not_found(repr(text[:80]))
    return text


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "fpga_id": _board,
    "job_id": _job_id,
    "job": _job,
    "lsn": _lsn,
    "worker": _worker,
    "action": check_hash,
    "hash": check_hash,
}
