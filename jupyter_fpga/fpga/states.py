"""What boards and jobs may do: the one place that knows their states, and every edge between them.

Everything that isn't in :data:`BOARD_EDGES` or :data:`JOB_EDGES` is refused with a conflict that names the state.
"""

from dataclasses import dataclass
from typing import Literal, get_args

__all__ = (
    "BOARD_EDGES",
    "BOARD_STATES",
    "FINISHED",
    "JOB_EDGES",
    "JOB_STATUSES",
    "JOB_TYPES",
    "BoardState",
    "Cause",
    "Edge",
    "Health",
    "HealthEvent",
    "JobCause",
    "JobStatus",
    "JobType",
    "board_sources",
    "board_target",
    "job_sources",
    "job_target",
)

BoardState = Literal["idle", "queued", "building", "programming", "reserved", "error"]
"""``idle`` promises that the base SoC was programmed and proven; ``reserved`` that a design was."""

Health = Literal["ok", "quarantined", "unplugged", "retired"]
"""``quarantined`` boards wait for an operator, ``unplugged`` ones for their cable; ``retired`` ones are no longer in
the lab's configuration."""

HealthEvent = Literal[
    "failed", "reset", "reset_failed", "quarantined", "cleared", "unplugged", "plugged_in", "examined"
]
"""What a board's health history tells of."""

Cause = Literal[
    "submitted",
    "cancelled",
    "picked_up",
    "built",
    "build_failed",
    "proven",
    "program_failed",
    "rebuilt",
    "reset",
    "lost",
    "withdrawn",
]
"""Why a board goes from one state to another."""

JobType = Literal["build_and_program", "build", "run", "reset"]
JobStatus = Literal["queued", "running", "complete", "failed", "cancelled"]
JobCause = Literal["claimed", "completed", "failed", "cancelled"]

BOARD_STATES: tuple[BoardState, ...] = get_args(BoardState)
JOB_TYPES: tuple[JobType, ...] = get_args(JobType)
JOB_STATUSES: tuple[JobStatus, ...] = get_args(JobStatus)

FINISHED: frozenset[str] = frozenset(("complete", "failed", "cancelled"))
"""Statuses that a job never leaves."""


@dataclass(frozen=True)
class Edge:
    """One allowed change."""

    source: str
    cause: str
    target: str


BOARD_EDGES: tuple[Edge, ...] = (
    Edge("idle", "submitted", "queued"),
    Edge("queued", "cancelled", "idle"),
    Edge("queued", "picked_up", "building"),
    Edge("building", "built", "programming"),
    Edge("building", "build_failed", "idle"),
    Edge("building", "cancelled", "idle"),
    Edge("programming", "proven", "reserved"),
    Edge("programming", "program_failed", "error"),
    # The holder's next design: built while the old one ran.
    Edge("reserved", "rebuilt", "programming"),
    Edge("reserved", "reset", "idle"),
    Edge("reserved", "lost", "error"),
    Edge("error", "reset", "idle"),
    # What the lab finds when it starts: a board that was idle and is not what "idle" promises.
    Edge("idle", "lost", "error"),
    # An operator's quarantine.
    Edge("idle", "withdrawn", "error"),
)

JOB_EDGES: tuple[Edge, ...] = (
    Edge("queued", "claimed", "running"),
    Edge("queued", "cancelled", "cancelled"),
    Edge("queued", "failed", "failed"),
    Edge("running", "completed", "complete"),
    Edge("running", "failed", "failed"),
    Edge("running", "cancelled", "cancelled"),
)


def board_sources(cause: Cause) -> tuple[str, ...]:
    """The states that ``cause`` can move a board out of."""
    return tuple(edge.source for edge in BOARD_EDGES if edge.cause == cause)


def board_target(cause: Cause) -> str:
    """The one state that ``cause`` moves a board to."""
    return _only_target(BOARD_EDGES, cause)


def job_sources(cause: JobCause) -> tuple[str, ...]:
    """The statuses that ``cause`` can move a job out of."""
    return tuple(edge.source for edge in JOB_EDGES if edge.cause == cause)


def job_target(cause: JobCause) -> str:
    """The one status that ``cause`` moves a job to."""
    return _only_target(JOB_EDGES, cause)


def _only_target(edges: tuple[Edge, ...], cause: str) -> str:
    (target,) = {edge.target for edge in edges if edge.cause == cause}
    return target
