"""Every refusal of this floor, with its machine code and its sentence. The tests assert each text in full."""

from collections.abc import Iterable
from typing import Any

from jupyter_fpga.errors import Conflict, Forbidden, Invalid, LabError, NotFound, QuotaExceeded, TooLarge, Unavailable

__all__ = (
    "artifact_not_found",
    "bench_rejected",
    "capture_rejected",
    "capture_running",
    "design_rejected",
    "design_too_large",
    "etherbone_not_shared",
    "filter_rejected",
    "flash_not_allowed",
    "flash_not_possible",
    "flash_without_board",
    "fpga_not_examinable",
    "fpga_not_found",
    "fpga_not_free",
    "fpga_not_idle",
    "fpga_not_reserved",
    "fpga_not_resettable",
    "idempotency_conflict",
    "job_not_cancellable",
    "job_not_complete",
    "job_not_found",
    "lab_stopping",
    "link_busy",
    "manifest_not_ready",
    "no_active_session",
    "no_capture",
    "no_healthy_board",
    "not_quarantined",
    "not_session_holder",
    "observers_not_allowed",
    "observers_only_read",
    "operator_only",
    "priority_not_allowed",
    "run_rejected",
    "session_ended",
    "target_mismatch",
    "target_unknown",
    "too_many_boards",
    "too_many_jobs",
)

_WHAT_STATES_MEAN = {
    "idle": "is free, with no design of yours on it",
    "queued": "waits for a build",
    "building": "waits for a build that runs",
    "programming": "is being programmed",
    "reserved": "is held by a board session",
    "error": "failed and is being reset by the lab",
}


def _state(row: Any) -> str:
    if row["health"] == "quarantined":
        return "it is quarantined (state 'error')"
    if row["health"] == "unplugged":
        return "it is not plugged in (state 'error')"
    if row["state"] == "reserved" and row["session_id"] is None:
        return "it is being reset (state 'reserved', without a session)"
    return f"it {_WHAT_STATES_MEAN[row['state']]} (state '{row['state']}')"


def _status(row: Any) -> str:
    return {"failed": "it has failed", "cancelled": "it was cancelled"}.get(row["status"], f"it is {row['status']}")


def _facts(row: Any) -> dict[str, Any]:
    return {"fpga_id": row["fpga_id"], "state": row["state"], "health": row["health"]}


def fpga_not_found(fpga_id: object, known: Iterable[int]) -> NotFound:
    ids = sorted(known)
    return NotFound(
        f"There is no board {fpga_id}; this lab has {_numbers(ids)}.", code="fpga_not_found", detail={"fpga_ids": ids}
    )


def fpga_not_idle(row: Any) -> Conflict:
    return Conflict(
        f"Board {row['fpga_id']} can't take a design now: {_state(row)}. "
        "Submit without a board number to get the next one that is free.",
        code="fpga_not_idle",
        detail={**_facts(row), "allowed": ["idle"]},
    )


def fpga_not_free(row: Any) -> Conflict:
    return Conflict(
        f"Board {row['fpga_id']} can't be put in quarantine now: {_state(row)}. "
        "A board that is idle, or in error and not being reset, can be; kick its session or cancel its job first.",
        code="fpga_not_idle",
        detail={**_facts(row), "allowed": ["idle", "error"]},
    )


def fpga_not_reserved(row: Any) -> Conflict:
    return Conflict(
        f"Board {row['fpga_id']} can't be read or written now: {_state(row)}. "
        "Its registers answer once a design of yours is programmed (state 'reserved').",
        code="fpga_not_reserved",
        detail={**_facts(row), "allowed": ["reserved"]},
    )


def fpga_not_resettable(row: Any) -> Conflict:
    if row["health"] == "quarantined":
        return Conflict(
            f"Board {row['fpga_id']} is quarantined: {(row['reason'] or 'no reason was kept').rstrip('.')}. "
            "An operator has to clear it first.",
            code="fpga_not_resettable",
            detail=_facts(row),
        )
    return Conflict(
        f"Board {row['fpga_id']} can't be reset now: {_state(row)}. "
        "A reset is for boards in state 'reserved' or 'error'; a job that waits or builds can be cancelled instead.",
        code="fpga_not_resettable",
        detail={**_facts(row), "allowed": ["reserved", "error"]},
    )


def fpga_not_examinable(row: Any) -> Conflict:
    at = "it is being reset" if row["state"] in ("reserved", "error") else _state(row)
    return Conflict(
        f"Board {row['fpga_id']} can't be examined now: {at}. Ask again when that is done.",
        code="fpga_not_examinable",
        detail={**_facts(row), "allowed": ["idle", "reserved", "error"]},
    )


def flash_not_allowed() -> Forbidden:
    return Forbidden(
        "Only an operator may write a board's flash: what is in it stays when the board is given back. Submit without "
        "flash, or ask one of this lab's operators.",
        code="forbidden",
    )


def flash_not_possible(target: str) -> Invalid:
    return Invalid(
        f"Boards of target '{target}' have no flash that the lab can write. Submit without flash.",
        code="flash_not_possible",
        detail={"target": target},
    )


def flash_without_board() -> Invalid:
    return Invalid(
        "A build without a board writes no flash. Submit the design to a board, or leave flash out.",
        code="flash_not_possible",
    )


def not_session_holder(fpga_id: int) -> Forbidden:
    return Forbidden(
        f"Board {fpga_id} is held by somebody else. Submit your design to get a board of your own.",
        code="not_session_holder",
        detail={"fpga_id": fpga_id},
    )


def no_active_session(fpga_id: int) -> NotFound:
    return NotFound(
        f"Nobody holds board {fpga_id}: it has no active session. Submit a design to start one.",
        code="no_active_session",
        detail={"fpga_id": fpga_id},
    )


def session_ended(fpga_id: int) -> Conflict:
    return Conflict(
        f"The session on board {fpga_id} has ended. Submit your design again to get a board.",
        code="session_ended",
        detail={"fpga_id": fpga_id},
    )


def design_replaced(fpga_id: int, asked: str) -> Conflict:
    return Conflict(
        f"Board {fpga_id} no longer runs the design that was asked for: its holder has programmed another. Nothing was "
        "read or written. Ask for the manifest of the job that programmed it last, or submit your design again.",
        code="design_replaced",
        detail={"fpga_id": fpga_id, "design": asked},
    )


def operator_only(what: str) -> Forbidden:
    return Forbidden(f"Only an operator may {what}. Ask one of this lab's operators.", code="operator_only")


def priority_not_allowed(priority: int) -> Forbidden:
    return Forbidden(
        f"Priority {priority} is for operators; everybody else has 0 or less. Leave the priority out.",
        code="priority_not_allowed",
        detail={"priority": priority, "allowed_up_to": 0},
    )


def job_not_found(job_id: object, fpga_id: int | None = None) -> NotFound:
    where = "" if fpga_id is None else f" of board {fpga_id}"
    return NotFound(
        f"There is no job '{job_id}'{where} that you may see. The list of jobs shows yours.",
        code="job_not_found",
        detail={"job_id": str(job_id)},
    )


def job_not_complete(row: Any) -> Conflict:
    if row["status"] in ("failed", "cancelled"):
        return Conflict(
            f"Job {row['job_id']} has no result: {_status(row)}. Its record says why.",
            code="job_not_complete",
            detail={"status": row["status"], "error": row["error"]},
        )
    return Conflict(
        f"Job {row['job_id']} has no result yet: {_status(row)}. Wait until it is complete.",
        code="job_not_complete",
        detail={"status": row["status"]},
    )


def manifest_not_ready(row: Any) -> Conflict:
    return Conflict(
        f"Job {row['job_id']} has no build to show: {_status(row)}, and its design hasn't been built. "
        "A manifest and artifacts are there once the build is done.",
        code="job_not_complete",
        detail={"status": row["status"]},
    )


def job_not_cancellable(row: Any) -> Conflict:
    if row["status"] == "running":
        what = f"it is running (stage '{(row['stage'] or 'running').partition(':')[0]}')"
    else:
        what = f"{_status(row)} already"
    return Conflict(
        f"Job {row['job_id']} can't be cancelled: {what}. Jobs that wait, and builds that run, can be.",
        code="job_not_cancellable",
        detail={"status": row["status"], "stage": row["stage"]},
    )


def artifact_not_found(name: str, known: Iterable[str]) -> NotFound:
    names = sorted(known)
    return NotFound(
        f"This build has no artifact '{name}'; it has {', '.join(names) or 'none'}.",
        code="artifact_not_found",
        detail={"artifacts": names},
    )


def design_rejected(why: str, **detail: Any) -> Invalid:
    return Invalid(f"The design was not taken: {why}", code="design_rejected", detail=detail)


def design_too_large(what: str, limit: int) -> TooLarge:
    return TooLarge(
        f"{what} has more than {limit:,} bytes, which is what the lab takes. Leave out what the design doesn't need.",
        code="design_too_large",
        detail={"limit": limit},
    )


def run_rejected(why: str, **detail: Any) -> Invalid:
    return Invalid(f"Nothing was sent to the board: {why}", code="run_rejected", detail=detail)


def filter_rejected(name: str, value: object, allowed: Iterable[str]) -> Invalid:
    return Invalid(
        f"Jobs can't be listed by {name} {value!r}; it is one of {', '.join(allowed)}.",
        code="filter_rejected",
        detail={"filter": name, "allowed": list(allowed)},
    )


def too_many_jobs(queued: int, limit: int) -> QuotaExceeded:
    return QuotaExceeded(
        f"You have {queued} jobs waiting, and the lab lets one person queue {limit}. "
        "Wait until some are done, or cancel some.",
        detail={"queued": queued, "limit": limit},
    )


def too_many_boards(held: int, limit: int) -> QuotaExceeded:
    return QuotaExceeded(
        f"You hold {held} boards, and the lab lets one person hold {limit}. "
        "Release one, or submit to the board you hold.",
        detail={"held": held, "limit": limit},
    )


def idempotency_conflict(key: str) -> Conflict:
    return Conflict(
        f"The idempotency key '{key}' was used for another request. Use a new key for a new request.",
        code="idempotency_conflict",
        detail={"idempotency_key": key},
    )


def target_unknown(target: str, tags: Iterable[str], known: Iterable[str]) -> Invalid:
    wanted = f"target '{target}'" + "".join(f" and tag '{tag}'" for tag in tags)
    names = sorted(known)
    return Invalid(
        f"No board of this lab has {wanted}. Its boards are of {_targets(names)}.",
        code="target_unknown",
        detail={"targets": names},
    )


def target_mismatch(fpga_id: int, found: str, wanted: str) -> Invalid:
    return Invalid(
        f"Board {fpga_id} is of target '{found}', and the design was submitted for '{wanted}'. "
        "Leave the target out, or submit without a board number.",
        code="target_mismatch",
        detail={"fpga_id": fpga_id, "target": found},
    )


def no_healthy_board(target: str, quarantined: int, unplugged: int = 0) -> Unavailable:
    if not unplugged:
        why, mend = f"all {quarantined} that would do are quarantined", "An operator has to clear one"
    elif not quarantined:
        why, mend = f"all {unplugged} that would do are unplugged", "Somebody has to plug one in"
    else:
        why = f"of those that would do, {quarantined} are quarantined and {unplugged} unplugged"
        mend = "Somebody has to plug one in, or an operator to clear one"
    return Unavailable(
        f"No board of target '{target}' works: {why}. {mend}; nothing is wrong with your design.",
        code="no_healthy_board",
        detail={"target": target, "quarantined": quarantined, "unplugged": unplugged},
    )


def not_quarantined(fpga_id: int) -> Conflict:
    return Conflict(
        f"Board {fpga_id} is not quarantined, so there is nothing to clear.",
        code="not_quarantined",
        detail={"fpga_id": fpga_id},
    )


def link_busy(fpga_id: int) -> Conflict:
    return Conflict(
        f"The link of board {fpga_id} is held for exclusive use just now. Try again when that is done.",
        code="link_busy",
        detail={"fpga_id": fpga_id},
    )


def observers_not_allowed(fpga_id: int) -> Forbidden:
    return Forbidden(
        f"The holder of board {fpga_id} does not let others watch it. Ask them to allow observers.",
        code="observers_not_allowed",
        detail={"fpga_id": fpga_id},
    )


def observers_shut_out(fpga_id: int) -> Forbidden:
    return Forbidden(
        f"The holder of board {fpga_id} doesn't let others watch it any more. Ask its holder.",
        code="observers_not_allowed",
        detail={"fpga_id": fpga_id},
    )


def observers_only_read(fpga_id: int) -> Forbidden:
    return Forbidden(
        f"You watch board {fpga_id}, which its holder alone may write. Read, or submit a design of your own.",
        code="observers_only_read",
        detail={"fpga_id": fpga_id},
    )


def etherbone_not_shared(fpga_id: int) -> Forbidden:
    return Forbidden(
        f"Several people share this lab, so it opens no port of its machine to board {fpga_id}. Open one on your own "
        f"machine: jupyter fpga etherbone {fpga_id}",
        code="etherbone_not_shared",
        detail={"fpga_id": fpga_id},
    )


def bench_rejected(fpga_id: int, why: str) -> Invalid:
    return Invalid(
        f"The bench of board {fpga_id} can't do that: {why}", code="bench_rejected", detail={"fpga_id": fpga_id}
    )


def capture_rejected(fpga_id: int, why: str) -> Invalid:
    return Invalid(
        f"Nothing is captured on board {fpga_id}: {why}", code="capture_rejected", detail={"fpga_id": fpga_id}
    )


def capture_running(fpga_id: int) -> Conflict:
    return Conflict(
        f"A capture of board {fpga_id} goes on already. Wait for it, or stop it.",
        code="capture_running",
        detail={"fpga_id": fpga_id},
    )


def no_capture(fpga_id: int) -> NotFound:
    return NotFound(
        f"There is no capture of board {fpga_id}: none was begun in this board session, or the lab has started anew "
        "since. Begin one.",
        code="no_capture",
        detail={"fpga_id": fpga_id},
    )


def lab_stopping() -> LabError:
    return Unavailable(
        "The lab is shutting down and takes nothing new. Try again when it runs again.", code="lab_stopping"
    )


def _numbers(ids: list[int]) -> str:
    if not ids:
        return "none"
    if len(ids) > 2 and ids == list(range(ids[0], ids[-1] + 1)):
        return f"boards {ids[0]} to {ids[-1]}"
    return ("board " if len(ids) == 1 else "boards ") + ", ".join(map(str, ids))


def _targets(names: list[str]) -> str:
    if not names:
        return "no target at all"
    return ("target " if len(names) == 1 else "targets ") + ", ".join(f"'{name}'" for name in names)
