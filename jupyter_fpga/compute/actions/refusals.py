"""Every refusal of the compute floor, in one place: code, sentence, facts."""

from collections.abc import Iterable, Sequence
from typing import Any

from jupyter_fpga.errors import Conflict, Forbidden, Invalid, LabError, NotFound, QuotaExceeded, TooLarge, Unavailable


def action_rejected(why: str, **detail: Any) -> Invalid:
    return Invalid(f"The action can't be taken: {why}", code="action_rejected", detail=detail)


def worker_rejected(why: str, **detail: Any) -> Invalid:
    return Invalid(f"The worker's descriptor can't be taken: {why}", code="worker_rejected", detail=detail)


def queue_rejected(why: str, **detail: Any) -> Invalid:
    return Invalid(f"The queue can't be made: {why}", code="queue_rejected", detail=detail)


def function_unknown(function: str, version: str, known: Sequence[tuple[str, str]], worker: str | None) -> Invalid:
    versions = sorted(v for name, v in known if name == function)
    whose = f"Worker {worker[:12]}…" if worker else "No worker"
    if versions:
        verb = "has" if worker else "of this lab has"
        why = (
            f"{whose} {'doesn’t have' if worker else verb} version {version} of the function “{function}”; "
            f"there is {_listed(versions)}."
        )
    else:
        names = sorted({name for name, _ in known})
        verb = "doesn’t have" if worker else "has"
        why = f"{whose} {verb} the function “{function}”; there {'is' if len(names) == 1 else 'are'} {_listed(names)}."
    return Invalid(
        f"{why} Ask for the workers and take a function and a version of theirs.",
        code="function_unknown",
        detail={"function": function, "version": version, "known": [list(pair) for pair in sorted(known)]},
    )


def worker_not_found(worker: object) -> NotFound:
    return NotFound(
        f"There is no worker {worker}. Ask for the list and take one that is there.", code="worker_not_found"
    )


def priority_not_allowed(priority: int) -> Forbidden:
    return Forbidden(
        f"Priority {priority} is for operators; everybody else's actions have 0. Leave the priority out.",
        code="priority_not_allowed",
        detail={"priority": priority},
    )


def job_not_found(lsn: object, queue: int | None = None) -> NotFound:
    where = "" if queue is None else f" in queue {queue}"
    return NotFound(
        f"There is no action {lsn}{where} of yours. Ask for the list of jobs; finished ones are kept for a day.",
        code="job_not_found",
    )


def action_not_found(worker: str, action: str) -> NotFound:
    return NotFound(
        f"Worker {worker[:12]}… has no action {action[:12]}… of yours. Post the action to have it computed.",
        code="job_not_found",
    )


def not_cancellable(lsn: int, state: str) -> Conflict:
    return Conflict(
        f"Action {lsn} can't be cancelled any more: it is {state}. Retire it when you don't need its result.",
        code="job_not_cancellable",
        detail={"lsn": lsn, "state": state},
    )


def not_retired(lsn: int, state: str) -> Conflict:
    return Conflict(
        f"Action {lsn} can't be retired yet: it is {state}. Wait for its end, or cancel it first.",
        code="job_not_finished",
        detail={"lsn": lsn, "state": state},
    )


def not_reschedulable(lsn: int, state: str) -> Conflict:
    return Conflict(
        f"Action {lsn} can't be rescheduled: it is {state}. Only failed and abandoned actions are tried again.",
        code="job_not_reschedulable",
        detail={"lsn": lsn, "state": state},
    )


def retries_used_up(lsn: int, retries: int, limit: int) -> Conflict:
    return Conflict(
        f"Action {lsn} can't be rescheduled: it was tried again {retries} of {limit} times already. Post it anew, or "
        "in a queue with more max_retries.",
        code="retries_used_up",
        detail={"lsn": lsn, "retry_count": retries, "max_retries": limit},
    )


def not_retractable(lsn: int, state: str) -> Conflict:
    return Conflict(
        f"Action {lsn} can't be retracted: it is {state}. Only one that a runner has can be taken off it.",
        code="job_not_retractable",
        detail={"lsn": lsn, "state": state},
    )


def priority_fixed(lsn: int, state: str) -> Conflict:
    return Conflict(
        f"The priority of action {lsn} can't be changed any more: it is {state}. Only an action that waits has one.",
        code="priority_fixed",
        detail={"lsn": lsn, "state": state},
    )


def queue_not_found(queue: object) -> NotFound:
    return NotFound(f"There is no queue {queue} of yours. Make one with POST /queues.", code="queue_not_found")


def queue_not_active(queue: int, state: str) -> Conflict:
    what = {
        "draining": "it is being drained and takes no new work",
        "complete": "it is complete",
        "cancelled": "it was cancelled",
    }[state]
    return Conflict(
        f"Queue {queue} can't do that: {what}. Make a new queue.",
        code="queue_not_active",
        detail={"queue_id": queue, "state": state},
    )


def chunk_not_found(hash: str) -> NotFound:
    return NotFound(f"There is no chunk {hash} of yours. Send it with PUT first.", code="chunk_not_found")


def chunk_mismatch(expected: str, found: str) -> Invalid:
    return Invalid(
        f"The chunk isn't what its name says: its SHA-256 is {found}, expected was {expected}. Send it again.",
        code="chunk_mismatch",
        detail={"expected": expected, "found": found},
    )


def chunk_too_large(size: int, limit: int) -> TooLarge:
    return TooLarge(
        f"A chunk may have {limit} bytes, and this one has {size}. Split the input into several.",
        code="chunk_too_large",
        detail={"size": size, "limit": limit},
    )


def hash_rejected(hash: str) -> Invalid:
    return Invalid(f"“{hash[:80]}” is no SHA-256: give 64 hexadecimal digits in lower case.", code="hash_rejected")


def size_mismatch(name: str, hash: str, said: int, found: int) -> Invalid:
    return action_rejected(
        f"input “{name}” says {said} bytes, and chunk {hash[:12]}… has {found}. Give the size of the chunk.",
        input=name,
        said=said,
        found=found,
    )


def too_many_unfinished(count: int, limit: int) -> QuotaExceeded:
    return QuotaExceeded(
        f"You have {count} unfinished actions; {limit} is the most. Wait until some are done.",
        code="quota_exceeded",
        detail={"unfinished": count, "limit": limit},
    )


def too_many_queues(count: int, limit: int) -> QuotaExceeded:
    return QuotaExceeded(
        f"You have {count} open queues; {limit} is the most. Cancel or drain one.",
        code="quota_exceeded",
        detail={"queues": count, "limit": limit},
    )


def operator_only(what: str) -> Forbidden:
    return Forbidden(f"Only an operator may {what}. Ask one of this lab's operators.", code="operator_only")


def filter_rejected(name: str, value: object, allowed: Iterable[str]) -> Invalid:
    return Invalid(
        f"There is no {name} “{value}”; use one of {', '.join(allowed)}.",
        code="filter_rejected",
        detail={name: str(value), "allowed": list(allowed)},
    )


def not_recording() -> Conflict:
    return Conflict("Nothing is being recorded. Start a recording first.", code="not_recording")


def recording_already(folder: str) -> Conflict:
    return Conflict(
        f"A recording is under way already, into {folder}. Stop it first.",
        code="recording_already",
        detail={"folder": folder},
    )


def stopping() -> LabError:
    return Unavailable("The lab is stopping. Try again when it runs.", code="lab_stopping")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"“{name}”" for name in names) if names else "none"
