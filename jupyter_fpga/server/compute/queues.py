"""Operations on queues, and how a queue is named from outside."""

import re
from typing import Any

from jupyter_fpga.compute.actions import refusals
from jupyter_fpga.errors import Forbidden, NotFound
from jupyter_fpga.server.answers import Answer, Json
from jupyter_fpga.server.queue_tokens import TOKEN_LENGTH, malformed
from jupyter_fpga.server.routes import Call

__all__ = (
    "create_queue",
    "create_remote_queue",
    "delete_queue",
    "drain_queue",
    "list_queues",
    "queue_id",
    "show_queue",
)

_NUMBER = re.compile(r"[0-9]+")
_LONGEST_NUMBER = 18


def _local_only() -> Forbidden:
    return Forbidden(
        "Queues with numbers are for programs on the lab's own machine, asking it directly; make one with "
        "POST …/compute/queues/remote and use its token.",
        code="queue_local_only",
    )


async def queue_id(call: Call) -> int:
    """The number of the queue that the path names.

    Raises
    ------
    Forbidden
        ``queue_local_only``: a number, and the request isn't from this machine.
    Invalid
        ``queue_token_malformed``
    NotFound
        ``queue_not_found``
    """
    text: str = call.path["queue"]
    if len(text) == TOKEN_LENGTH:
        return await _of_token(call, text)
    if not _NUMBER.fullmatch(text):
        raise malformed(text)
    if not call.local:
        raise _local_only()
    if len(text) > _LONGEST_NUMBER:
        raise refusals.queue_not_found(text[:40])
    return int(text)


async def _of_token(call: Call, token: str) -> int:
    tokens = call.here.tokens
    number = tokens.queue_id(token)
    if number is None:
        raise refusals.queue_not_found(token)
    if not tokens.is_known(number, call.person):
        try:
            record = await call.compute.queue(call.person, number)
        except NotFound:
            raise refusals.queue_not_found(token) from None
        if not record["remote"]:
            raise refusals.queue_not_found(token)
        tokens.know(number, call.person)
    return number


def _with_token(call: Call, record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "queue_token": call.here.tokens.token(record["queue_id"])} if record["remote"] else record


async def create_queue(call: Call) -> Answer:
    """Make a queue for programs on the lab's own machine.

    It is named by a number, and can't be used from elsewhere.
    """
    if not call.local:
        raise _local_only()
    return Json({"queue_id": await call.compute.create_queue(call.person, call.body, remote=False)})


async def create_remote_queue(call: Call) -> Answer:
    """Make a queue that can be used from elsewhere.

    It is named by a token that nobody can guess, and that stays valid when the lab restarts.
    """
    number = await call.compute.create_queue(call.person, call.body, remote=True)
    call.here.tokens.know(number, call.person)
    return Json({"queue_token": call.here.tokens.token(number), "queue_id": number})


async def list_queues(call: Call) -> Answer:
    """List one's queues, newest first; operators see all."""
    return Json([_with_token(call, record) for record in await call.compute.queues(call.person)])


async def show_queue(call: Call) -> Answer:
    """Show one queue."""
    return Json(_with_token(call, await call.compute.queue(call.person, await queue_id(call))))


async def delete_queue(call: Call) -> Answer:
    """Cancel a queue, with what it has pending and running."""
    return Json(_with_token(call, await call.compute.delete_queue(call.person, await queue_id(call))))


async def drain_queue(call: Call) -> Answer:
    """Let a queue take no new work, finish what is there, and end."""
    return Json(_with_token(call, await call.compute.drain_queue(call.person, await queue_id(call))))
