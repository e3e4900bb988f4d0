"""What actions and queues may do: the one place that knows their states, and every edge between them."""

from typing import Literal, get_args

__all__ = (
    "ACTION_EDGES",
    "ACTION_STATES",
    "QUEUE_EDGES",
    "QUEUE_STATES",
    "UNFINISHED",
    "ActionState",
    "Cause",
    "QueueCause",
    "QueueState",
    "sources",
)

ActionState = Literal["pending", "submitting", "running", "completed", "failed", "abandoned", "cancelled"]
"""``submitting``: given to a runner that hasn't begun yet. ``failed``: it couldn't be run (a design's own error is a
result). ``abandoned``: its runner vanished. Both of these are left again while ``retry_at`` is set."""

Cause = Literal[
    "submitted",
    "started",
    "begun",
    "completed",
    "failed",
    "abandoned",
    "retried",
    "retracted",
    "recovered",
    "cancelled",
]
"""Why an action goes from one state to another; the event is called ``action_`` and this."""

QueueState = Literal["active", "draining", "complete", "cancelled"]
QueueCause = Literal["drained", "emptied", "expired", "cancelled"]

ACTION_STATES: tuple[ActionState, ...] = get_args(ActionState)
QUEUE_STATES: tuple[QueueState, ...] = get_args(QueueState)

UNFINISHED: tuple[ActionState, ...] = ("pending", "submitting", "running")
"""States in which an action is at work, or waits for it."""

_AT_WORK: tuple[ActionState, ...] = ("submitting", "running")

ACTION_EDGES: dict[Cause, tuple[tuple[ActionState, ...], ActionState]] = {
    "submitted": (("pending",), "submitting"),
    "started": (("submitting",), "running"),
    # The lab's own functions take a millisecond and need no runner.
    "begun": (("pending",), "running"),
    "completed": (_AT_WORK, "completed"),
    "failed": (_AT_WORK, "failed"),
    "abandoned": (_AT_WORK, "abandoned"),
    "retried": (("failed", "abandoned"), "pending"),
    "retracted": (_AT_WORK, "pending"),
    # The lab that ran it died; its runners died with it.
    "recovered": (_AT_WORK, "pending"),
    # Failed and abandoned ones only while they wait to be tried again.
    "cancelled": ((*UNFINISHED, "failed", "abandoned"), "cancelled"),
}
"""For each cause the states that it leads from, and the one that it leads to."""

QUEUE_EDGES: dict[QueueCause, tuple[tuple[QueueState, ...], QueueState]] = {
    "drained": (("active",), "draining"),
    "emptied": (("draining",), "complete"),
    "expired": (("active",), "complete"),
    "cancelled": (("active", "draining"), "cancelled"),
}


def sources(cause: Cause) -> tuple[ActionState, ...]:
    """States from which ``cause`` leads somewhere."""
    return ACTION_EDGES[cause][0]
