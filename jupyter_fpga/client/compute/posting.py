"""Posting actions: contents are hashed, the lab says which it needs, those are sent, and the action is posted again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jupyter_fpga.client.door import Door
from jupyter_fpga.client.errors import (
    Conflict,
    Forbidden,
    Invalid,
    LabError,
    NotFound,
    QuotaExceeded,
    TooLarge,
    Unavailable,
    reworded,
)

from .contents import Content, Given, read_contents, send_contents

__all__ = ("Call", "Posting", "post_many", "post_until_taken")

#: Actions of one request, and bytes of its body: a little below what the lab takes.
_MOST, _MOST_BYTES = 1000, 900_000
#: Times that contents are sent: the lab forgets one that nobody uses only after an hour.
_ROUNDS = 3

#: What an item of a batch was refused with, by its code; anything else is :class:`Invalid`.
_KINDS: Mapping[str, type[LabError]] = {
    "quota_exceeded": QuotaExceeded,
    "priority_not_allowed": Forbidden,
    "queue_not_found": NotFound,
    "worker_not_found": NotFound,
    "queue_not_active": Conflict,
    "chunk_too_large": TooLarge,
    "lab_stopping": Unavailable,
}


@dataclass(frozen=True)
class Call:
    """One application of a function, as :meth:`~jupyter_fpga.client.compute.ComputeClient.submit` takes it.

    Parameters
    ----------
    function
        Its name.
    inputs
        By name: bytes, paths of files, or outputs of other actions.
    constants
        Values that JSON can carry.
    priority
        Higher is sooner; operators only.
    cache
        Whether a result that is there already will do.
    version
        Of the function; the newest that the lab knows without.
    """

    function: str
    inputs: Mapping[str, Given] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 0
    cache: bool = True
    version: str | None = None


@dataclass(frozen=True)
class Posting:
    """An action as the lab takes it, with its contents by hash."""

    body: Mapping[str, Any]
    contents: Mapping[str, Content]

    @classmethod
    async def of(cls, call: Call, version: str) -> "Posting":
        """Hash the inputs of a call."""
        inputs = await read_contents(call.inputs)
        body: dict[str, Any] = {
            "function": call.function,
            "function_version": version,
            "inputs": {name: inputs[name].named() if name in inputs else given for name, given in call.inputs.items()},
            "constants": dict(call.constants),
        }
        if call.priority:
            body["priority"] = call.priority
        if not call.cache:
            body["cache"] = "skip"
        return cls(body, {content.hash: content for content in inputs.values()})


async def post_until_taken(
    door: Door, path: str, body: Mapping[str, Any], contents: Mapping[str, Content]
) -> dict[str, Any]:
    """Post an action or a worker, and send what it needs; the answer once it is taken.

    Raises
    ------
    LabError
        What it is refused with.
    """
    for _ in range(_ROUNDS):
        answer: dict[str, Any] = await door.post(path, _json(body))
        if "needs" not in answer:
            return answer
        await send_contents(door, _had(answer["needs"], contents), contents)
    raise _lost()


async def post_many(door: Door, path: str, postings: Sequence[Posting]) -> list[dict[str, Any] | LabError]:
    """Post actions in batches; for each the answer, or what it is refused with."""
    answers: list[dict[str, Any] | LabError] = [_lost()] * len(postings)
    waiting = list(range(len(postings)))
    for _ in range(_ROUNDS):
        needs: dict[str, Content] = {}
        again = []
        for batch in _batches(postings, waiting):
            found = await door.post(path, {"actions": [_json(postings[place].body) for place in batch]})
            for place, answer in zip(batch, found, strict=True):
                if "needs" in answer:
                    again.append(place)
                    contents = postings[place].contents
                    needs |= {hash: contents[hash] for hash in _had(answer["needs"], contents)}
                elif "error" in answer:
                    kind = _KINDS.get(answer["error"], Invalid)
                    message = reworded(answer["error"], answer["message"])
                    answers[place] = kind(message, code=answer["error"], detail=answer.get("detail"))
                else:
                    answers[place] = answer
        if not again:
            break
        await send_contents(door, needs, needs)
        waiting = again
    return answers


def _batches(postings: Sequence[Posting], places: Sequence[int]) -> list[list[int]]:
    batches: list[list[int]] = []
    size = _MOST_BYTES
    for place in places:
        more = len(json.dumps(_json(postings[place].body))) + 2
        if size + more > _MOST_BYTES or len(batches[-1]) == _MOST:
            batches.append([])
            size = 0
        batches[-1].append(place)
        size += more
    return batches


def _json(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """``body``, if JSON can carry it."""
    try:
        json.dumps(body, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Invalid(
            f"What an action is told must be values of JSON, and these aren't: {error}. Give files and bytes as "
            "inputs.",
            code="action_rejected",
        ) from None
    return body


def _had(needs: Sequence[str], contents: Mapping[str, Content]) -> Sequence[str]:
    missing = [hash for hash in needs if hash not in contents]
    if missing:
        raise Invalid(
            f"The lab doesn't have the content {missing[0]}, and it was named by its hash alone; give the file.",
            code="chunk_not_found",
            detail={"needs": missing},
        )
    return needs


def _lost() -> Unavailable:
    return Unavailable(
        "The lab asked for the same contents again and again: it keeps none. Its disk may be full.",
        code="chunks_lost",
    )
