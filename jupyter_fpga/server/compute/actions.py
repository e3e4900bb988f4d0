"""Operations on actions: the lab's own and those of a queue, which differ in nothing but the queue."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from jupyter_fpga.errors import Invalid, NotFound
from jupyter_fpga.server.answers import Answer, Json, Nothing
from jupyter_fpga.server.errors import MethodNotAllowed
from jupyter_fpga.server.routes import Call

from .models import MAX_BATCH, ActionQuery, ActionsQuery, CompletedQuery
from .queues import queue_id
from .workers import take_chunks

__all__ = (
    "action_result",
    "cancel_action",
    "completed_actions",
    "list_actions",
    "post_action",
    "post_action_for_worker",
    "reschedule_action",
    "retire_action",
    "retract_action",
    "set_action_priority",
    "show_action",
)


async def _queue(call: Call) -> int | None:
    return await queue_id(call) if "queue" in call.path else None


# --- Posting -------------------


async def post_action(call: Call) -> Answer:
    """Have an action computed, by any worker that can.

    When chunks that it names aren't known the answer is 200 with their hashes, and nothing is scheduled: send them,
    and post again; or send all in one `multipart/mixed` package, the JSON first. With `{"actions": [...]}` up to 1,000
    are taken in one transaction, and the answer is a list.
    """
    return await _post(call, None)


async def post_action_for_worker(call: Call) -> Answer:
    """Have an action computed by this worker."""
    worker = call.path["job"]
    if isinstance(worker, int):
        raise MethodNotAllowed("POST", "The address of an action", ("GET", "DELETE"))
    return await _post(call, worker)


async def _post(call: Call, worker: str | None) -> Answer:
    queue = await _queue(call)
    await take_chunks(call)
    if isinstance(call.body, Mapping) and "actions" in call.body:
        answers = await call.compute.submit_many(call.person, _batch(call.body), queue=queue, worker=worker)
        return Json(answers, status=202 if any("lsn" in answer for answer in answers) else 200)
    answer = await call.compute.submit(call.person, call.body, queue=queue, worker=worker)
    return Json(answer, status=200 if "needs" in answer else 202)


def _batch(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    actions: list[dict[str, Any]] = body["actions"]
    sound = isinstance(actions, list) and all(isinstance(action, dict) for action in actions)
    if not sound or len(body) > 1 or not 1 <= len(actions) <= MAX_BATCH:
        raise Invalid(
            f"`actions` must be a list of 1 to {MAX_BATCH} actions, each a JSON object, and the only field; split "
            "larger ones.",
            code="batch_rejected",
            detail={"limit": MAX_BATCH},
        )
    return actions


# --- Looking -------------------


async def list_actions(call: Call) -> Answer:
    """List actions, newest first.

    One's own; operators see all. When there may be more, a `Link` header names the next page.
    """
    query: ActionsQuery = call.query
    jobs = await call.compute.jobs(call.person, queue=await _queue(call), **query.model_dump())
    return _page(jobs, query, "before", "lsn")


async def completed_actions(call: Call) -> Answer:
    """List what has ended and wasn't retired, in the order in which it ended.

    `after` is the `done_lsn` of the last one that was seen.
    """
    query: CompletedQuery = call.query
    jobs = await call.compute.completed(call.person, queue=await _queue(call), **query.model_dump())
    return _page(jobs, query, "after", "done_lsn")


async def show_action(call: Call) -> Answer:
    """Show an action: 200 when it has ended, 202 while it hasn't. Of a worker: list what it has pending and running."""
    query: ActionQuery = call.query
    queue, job = await _queue(call), call.path["job"]
    if isinstance(job, int):
        record = await call.compute.job(call.person, job, queue=queue, wait=query.wait)
        return Json(record, status=200 if record["finished"] else 202)
    filters = query.model_dump(exclude={"wait"})
    jobs = await call.compute.jobs(call.person, queue=queue, worker=job, state="unfinished", **filters)
    if not jobs:
        await call.compute.worker(call.person, job)
    return _page(jobs, query, "before", "lsn")


async def action_result(call: Call) -> Answer:
    """Show the newest action of that digest which this worker has: 200 when it has ended, 202 while it hasn't."""
    worker = call.path["job"]
    if isinstance(worker, int):
        raise NotFound(
            f"There is nothing below action {worker} but what can be done to it: cancel, priority, reschedule, "
            "retract. An action by its digest is below its worker.",
            code="job_not_found",
        )
    record = await call.compute.job_of(call.person, worker, call.path["action"])
    return Json(record, status=200 if record["finished"] else 202)


def _page(jobs: list[dict[str, Any]], query: Any, name: str, key: str) -> Answer:
    if len(jobs) < query.limit:
        return Json(jobs)
    following = {**query.model_dump(exclude_none=True, exclude_defaults=True), "limit": query.limit}
    following[name] = jobs[-1][key]
    # Relative to the request's own address, so that it is right behind every proxy.
    return Json(jobs, headers={"Link": f'<?{urlencode(following)}>; rel="next"'})


# --- Doing something to one -------------------


async def retire_action(call: Call) -> Answer:
    """Forget an action that has ended."""
    job = call.path["job"]
    if isinstance(job, str):
        raise MethodNotAllowed("DELETE", "The address of a worker", ("GET", "POST"))
    await call.compute.retire(call.person, job, queue=await _queue(call))
    return Nothing()


async def cancel_action(call: Call) -> Answer:
    """End an action; its processes are gone when this answers."""
    return Json(await call.compute.cancel(call.person, call.path["lsn"], queue=await _queue(call)))


async def set_action_priority(call: Call) -> Answer:
    """Let a waiting action run sooner, or later. Other than 0 for operators."""
    queue = await _queue(call)
    return Json(await call.compute.set_priority(call.person, call.path["lsn"], call.body.priority, queue=queue))


async def reschedule_action(call: Call) -> Answer:
    """Try a failed or abandoned action again now, which counts as a retry."""
    return Json(await call.compute.reschedule(call.person, call.path["lsn"], queue=await _queue(call)))


async def retract_action(call: Call) -> Answer:
    """Take an action off its runner and let it wait again, which counts as no retry."""
    return Json(await call.compute.retract(call.person, call.path["lsn"], queue=await _queue(call)))
