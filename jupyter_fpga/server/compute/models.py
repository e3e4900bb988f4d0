"""What goes in and out of the compute floor's routes.

Requests of actions, workers and queues are described here, and checked by the floor itself: thousands of them come in a
second, and a client in the same process gets the same words.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from jupyter_fpga.compute.actions.states import ActionState, QueueState
from jupyter_fpga.server.models import AnswerModel, Envelope, Line, Lsn, QueryModel, RequestModel

__all__ = (
    "ActionAccepted",
    "ActionBatch",
    "ActionQuery",
    "ActionRecord",
    "ActionRequest",
    "ActionsQuery",
    "BatchAnswer",
    "CompletedQuery",
    "Needs",
    "PriorityRequest",
    "QueueCreated",
    "QueueRecord",
    "QueueRequest",
    "Ready",
    "Recording",
    "RemoteQueueCreated",
    "Rescheduled",
    "SysInfo",
    "WorkerCreated",
    "WorkerRecord",
    "WorkerRequest",
)

MAX_BATCH = 1000
"""Actions of one request."""

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 in hexadecimal.")]
Priority = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]


# --- Actions -------------------


class Content(RequestModel):
    """A chunk, as an action names it."""

    hash: Hash
    size: int = Field(ge=0, le=1 << 40, description="Bytes.")


class ActionRequest(RequestModel):
    """One pure function, applied."""

    function: str = Field(min_length=1, max_length=100)
    function_version: str = Field(description="A UUID.")
    inputs: dict[str, Content] = Field(default_factory=dict, max_length=1024, description="By name.")
    constants: dict[str, Any] = Field(default_factory=dict)
    priority: Priority = Field(0, description="Higher is sooner; other than 0 for operators.")
    cache: Literal["use", "skip"] = Field("use", description="Whether a kept result will do.")


class ActionBatch(RequestModel):
    """Several actions, taken in one transaction."""

    actions: list[dict[str, Any]] = Field(
        min_length=1, max_length=MAX_BATCH, description="Actions; each gets an answer of its own."
    )


class Needs(AnswerModel):
    """Nothing was taken yet: these chunks have to be sent first."""

    needs: list[Hash] = Field(min_length=1)


class ActionAccepted(AnswerModel):
    """An action that the lab has durably taken."""

    lsn: int = Field(description="Names the action; the number of its event.")
    action: Hash


BatchAnswer = list[ActionAccepted | Needs | Envelope]


class ActionRecord(AnswerModel):
    """One action."""

    lsn: int
    action: str
    function: str
    function_version: str
    worker: str
    queue_id: int | None
    owner: str
    state: ActionState
    finished: bool = Field(description="Whether it changes no more by itself.")
    priority: int
    retry_count: int
    max_retries: int
    cached: bool
    created_at: str
    started_at: str | None
    finished_at: str | None
    done_lsn: int | None = Field(description="Number of the event of its end.")
    result: dict[str, Any] | None
    error: dict[str, Any] | None


class _Filters(QueryModel):
    priority: Priority | None = Field(None, description="Only actions of this priority.")


class ActionsQuery(_Filters):
    """Which actions to list."""

    state: Literal[ActionState, "unfinished"] | None = None
    worker: Hash | None = None
    owner: Line | None = Field(None, max_length=200, description="Operators only; everybody else sees their own.")
    after: Lsn | None = Field(None, description="Only actions whose LSN is greater.")
    before: Lsn | None = Field(None, description="Only actions whose LSN is smaller: the next page.")
    limit: int = Field(100, ge=1, le=1000)


class ActionQuery(_Filters):
    """How long to wait for an action; or which of a worker's to list."""

    wait: float = Field(0.0, ge=0, le=3600, allow_inf_nan=False, description="Seconds to wait for its end, at most 60.")
    before: Lsn | None = Field(None, description="Of a worker's: only those whose LSN is smaller: the next page.")
    limit: int = Field(1000, ge=1, le=1000)


class CompletedQuery(_Filters):
    """Which ends were seen already."""

    after: Lsn = Field(0, description="Only actions that ended after this one's `done_lsn`.")
    limit: int = Field(1000, ge=1, le=1000)


class PriorityRequest(RequestModel):
    """How soon."""

    priority: Priority = Field(description="Higher is sooner; other than 0 for operators.")


class Rescheduled(AnswerModel):
    """An action that is tried again."""

    lsn: int
    retry_count: int


# --- Queues -------------------


class QueueRequest(RequestModel):
    """How a queue's actions are treated."""

    max_retries: int = Field(3, ge=0, le=100, description="How often a failed or abandoned action is tried again.")
    max_active: int | None = Field(None, ge=1, le=10_000, description="How many may be at work at once.")
    ttl_seconds: float = Field(900, ge=1, le=86_400, description="An idle queue ends after so long.")


class QueueCreated(AnswerModel):
    """A queue for programs on the lab's own machine."""

    queue_id: int


class RemoteQueueCreated(QueueCreated):
    """A queue for whoever has its token, and is its owner."""

    queue_token: str = Field(pattern=r"^[0-9a-f]{24}$")


class QueueRecord(AnswerModel):
    """One queue, with the number of its actions by how they are."""

    queue_id: int
    owner: str
    state: QueueState
    remote: bool
    config: dict[str, Any]
    created_at: str
    active: int
    completed: int
    failed: int
    cancelled: int
    is_complete: bool


# --- Workers -------------------


class FunctionName(RequestModel):
    """A function, and which state of it."""

    name: str = Field(min_length=1, max_length=100)
    version: str = Field(description="A UUID.")


class WorkerRequest(RequestModel):
    """A worker's descriptor; its SHA-256 names the worker."""

    name: str = Field(min_length=1, max_length=100)
    functions: list[FunctionName] = Field(min_length=1, max_length=1024)
    executables: dict[str, Hash] = Field(min_length=1, max_length=1024, description="Chunks by path; one is started.")
    files: dict[str, Hash] = Field(default_factory=dict, max_length=1024)
    environment: dict[str, str] = Field(default_factory=dict)
    cores: int = Field(1, ge=1, le=1024)
    memory_mb: int = Field(1024, ge=16, le=1 << 20)
    timeout_seconds: float = Field(60, ge=0.1, le=86_400)
    host: str = "linux-x86_64"


class WorkerCreated(AnswerModel):
    """A worker that actions can be posted for."""

    worker: Hash


class WorkerRecord(AnswerModel):
    """One worker."""

    worker: Hash
    name: str
    functions: list[dict[str, str]]


# --- The lab -------------------


class Ready(AnswerModel):
    """Whether actions can be run."""

    ok: bool
    reason: str | None


class Recording(AnswerModel):
    """A recording: its folder on the lab's machine, and how many actions are in it."""

    folder: str
    actions: int


class SysInfo(AnswerModel):
    """What the lab's machine has, and what it is doing."""

    cores: int
    load: list[float]
    memory: dict[str, int]
    disk: dict[str, int]
    sandbox: dict[str, Any]
    runner: dict[str, Any]
    queue_depths: dict[str, Any]
    functions: list[dict[str, Any]]
