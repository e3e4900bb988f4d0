"""What goes in and out of the API, as pydantic models: they validate requests and make the OpenAPI document.

Answers are described, not enforced: the floors own their content, and a test holds them to these models.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    Tag,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from jupyter_fpga.people import Role

__all__ = (
    "AnswerModel",
    "BenchAction",
    "Board",
    "BoardHealth",
    "BoardSession",
    "Envelope",
    "EtherbonePort",
    "EtherboneQuery",
    "Examination",
    "Health",
    "HealthQuery",
    "Job",
    "JobAccepted",
    "JobsQuery",
    "LogsQuery",
    "Lsn",
    "Manifest",
    "Me",
    "ObserversRequest",
    "QuarantineRequest",
    "Quarantined",
    "QueryModel",
    "RequestModel",
    "RunRequest",
    "RunResult",
    "SessionCard",
    "SourceUpload",
    "Stage",
    "StreamQuery",
    "SubmitFields",
    "SubmitJson",
    "Transaction",
    "TransactionBatch",
    "Version",
)

MAX_TRANSACTIONS = 1024
"""Transactions in one ``run`` job: spec of the API."""

BoardState = Literal["idle", "queued", "building", "programming", "reserved", "error"]
JobType = Literal["build_and_program", "run", "reset", "build"]
JobStatus = Literal["queued", "running", "complete", "failed", "cancelled"]
Lsn = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""A number in the event log: a 64-bit integer in the store."""

Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A text without control characters: no name needs one, and not every database takes a NUL."""


class RequestModel(BaseModel):
    """A body: a field that the API doesn't know is refused, so that a typing error isn't silently ignored."""

    model_config = ConfigDict(extra="forbid", strict=True)


class QueryModel(BaseModel):
    """A query string: texts are converted, and parameters that the API doesn't know are ignored (pages add some)."""

    model_config = ConfigDict(extra="ignore")


class AnswerModel(BaseModel):
    """An answer; fields may be added in later versions."""

    model_config = ConfigDict(extra="allow")


class Envelope(BaseModel):
    """How every refusal answers."""

    error: str = Field(description="Machine code in snake_case.", examples=["fpga_not_idle"])
    message: str = Field(description="One sentence that says what to do.")
    detail: dict[str, Any] = Field(description="Facts for programs.")


# --- Submitting -------------------


class SubmitFields(RequestModel):
    """The optional fields of a submission, besides its source."""

    top: Line | None = Field(None, max_length=200, description="Name of the object, class or module to build.")
    target: Line | None = Field(None, max_length=100, description="Kind of board; the default target when absent.")
    tags: list[Line] = Field(default_factory=list, max_length=32, description="Only a board with all of these tags.")
    sys_clk_freq: int | None = Field(None, ge=1, le=10**10, description="System clock of the design's SoC, in hertz.")
    timing_target_mhz: float | None = Field(
        None, gt=0, le=10**4, allow_inf_nan=False, description="Fail the build when timing misses this clock, in MHz."
    )
    seed: int = Field(1, ge=0, le=2**31 - 1, description="Where place and route begins; simulated boards have none.")
    explore: int = Field(
        1, ge=1, le=32, description="Place and route with so many seeds, from `seed` on, and keep the fastest result."
    )
    probes: list[Line] = Field(
        default_factory=list, max_length=256, description="Signals to capture; dotted paths allowed."
    )
    params: dict[str, Any] = Field(default_factory=dict, description="Names and values for the design's constructor.")
    priority: int = Field(0, ge=-1000, le=1000, description="Higher is sooner; above 0 only for operators.")
    idempotency_key: Line | None = Field(
        None, min_length=1, max_length=200, description="The same key with the same body gets the first answer again."
    )
    use_cache: bool = Field(True, description="Whether a build with equal inputs may be answered from the cache.")
    verify: bool = Field(
        False,
        description="Simulate an iCE40's bitstream beside the design, and fail the build unless both answer alike.",
    )
    flash: bool = Field(
        False,
        description="Write the design into the board's flash, so that the board starts with it from then on; "
        "operators only.",
    )


class SubmitJson(SubmitFields):
    """A submission as JSON: the source as text."""

    source: str = Field(description="The text of the design.")
    filename: str = Field("design.py", min_length=1, max_length=255, description="Its extension picks the language.")


class SourceUpload(SubmitFields):
    """A submission as multipart form data. Lists are repeated fields, or separated by commas; ``params`` is JSON."""

    file: bytes = Field(
        description="`.py`, `.v`, or a bundle `.zip` with `mrg-project.json`.",
        json_schema_extra={"format": "binary"},
    )


class JobAccepted(AnswerModel):
    """A job that the lab has durably taken."""

    job_id: str = Field(json_schema_extra={"format": "uuid"})
    fpga_id: int | None = Field(description="Null until a board is claimed.")
    status: JobStatus


# --- Running -------------------


def _number_or_name(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """One finding for what is neither, instead of one for each."""
    try:
        return handler(value)
    except ValidationError as error:
        raise PydanticCustomError("number_or_name", "Input should be an integer or a name") from error


class Transaction(RequestModel):
    """One read or write in the design's window, by byte offset or by register name."""

    op: Literal[1, 2, "write", "read"] = Field(description="1 or `write`, 2 or `read`.")
    address: int | None = Field(None, description="Byte offset in the window, a multiple of 4.")
    register_: str | None = Field(None, alias="register", max_length=500, description="Name from the manifest.")
    data: list[Annotated[int | str, WrapValidator(_number_or_name)]] = Field(
        default_factory=list,
        max_length=65_536,
        description="What to write: words by address; values, or names of the register's enum, by name. "
        "Empty on a read.",
    )
    count: int | None = Field(None, description="Words to read; ignored on a write.")
    fixed_address: bool = Field(False, description="Access one address again and again, as a FIFO wants it.")


class TransactionBatch(RequestModel):
    """Several transactions in one job, executed in order."""

    transactions: list[Transaction] = Field(min_length=1, max_length=MAX_TRANSACTIONS)


def _run_kind(value: Any) -> str:
    return "batch" if isinstance(value, dict) and "transactions" in value else "single"


class RunRequest(
    RootModel[
        Annotated[
            Annotated[Transaction, Tag("single")] | Annotated[TransactionBatch, Tag("batch")],
            Discriminator(_run_kind),
        ]
    ]
):
    """One transaction, or a batch of them."""

    def as_transactions(self) -> list[dict[str, Any]]:
        """The transactions as plain dicts with only the fields that were sent."""
        batch = self.root.transactions if isinstance(self.root, TransactionBatch) else [self.root]
        return [transaction.model_dump(by_alias=True, exclude_unset=True) for transaction in batch]


class Stage(AnswerModel):
    """One stage of a build."""

    name: str
    seconds: float = Field(description="What it took in this job.")
    cached: bool = Field(description="Its outcome was there already.")


class SourceLine(AnswerModel):
    """A line of the submitted text."""

    file: str
    line: int = Field(description="Counted from 1.")


class RunResult(AnswerModel):
    """What a finished job gave."""

    ok: bool
    data: list[int] = Field(description="The words read, in order.")
    stages: list[Stage] = Field(default_factory=list, description="Of a build: its stages, in order.")
    sources: dict[str, list[SourceLine | None]] = Field(
        default_factory=dict,
        description="Of a build for a real board: for each clock, where each step of its critical path comes from; the "
        "report has the same in its steps.",
    )


# --- Boards, board sessions, jobs -------------------


class SessionCard(AnswerModel):
    """A board session as everybody may see it; ``session_id`` only for its owner."""

    session_id: str | None = None
    owner: str
    created_at: str
    expires_at: str
    remaining_seconds: float | None = None
    registers_lost_at: str | None = None
    """For its owner: when the lab last programmed the same design again by itself, after a restart that the board did
    not outlive. What was in the registers before is lost."""


class BoardSession(SessionCard):
    """The time-limited hold of one owner on one programmed board."""

    fpga_id: int
    remaining_seconds: float
    design: str | None = None
    """Digest of what the board runs, for its owner: when a session is asked for, not when it changes."""


class Board(AnswerModel):
    """One unit of a target in the pool."""

    fpga_id: int
    state: BoardState
    target: str
    tags: list[str]
    health: str
    owner: str | None
    session: SessionCard | None
    current_job_id: str | None
    current_job_created_at: str | None


class Job(AnswerModel):
    """One asynchronous change to a board, or a build."""

    job_id: str = Field(json_schema_extra={"format": "uuid"})
    fpga_id: int | None
    type: JobType
    status: JobStatus
    stage: str | None
    owner: str
    created_at: str
    updated_at: str
    build_stage: str | None
    lsn: int
    position: int | None
    eta_seconds: float | None
    error: dict[str, Any] | None


class JobsQuery(QueryModel):
    """Which jobs to list."""

    status: JobStatus | None = None
    type: JobType | None = None
    owner: Line | None = Field(None, max_length=200, description="Operators only; everybody else sees their own jobs.")
    after: Lsn | None = Field(None, description="Only jobs whose LSN is greater.")
    before: Lsn | None = Field(None, description="Only jobs whose LSN is smaller: the next page.")
    limit: int = Field(100, ge=1, le=1000)


class LogsQuery(QueryModel):
    """Where a log starts, and whether to follow it."""

    after: Lsn = Field(0, description="Only entries after this sequence number.")
    follow: bool = Field(False, description="Keep the answer open until the job ends.")


class Manifest(AnswerModel):
    """What a build produced, as data: see the manifest's own documentation."""

    digest: str
    target: str


# --- The health of a board -------------------


class HealthQuery(QueryModel):
    """Which part of a board's health history."""

    limit: int = Field(100, ge=1, le=1000)
    before: Lsn | None = Field(None, description="Only entries whose LSN is smaller: the next page.")


class HealthEntry(AnswerModel):
    """One thing that a board has gone through."""

    lsn: int
    time: str
    kind: Literal["failed", "reset", "reset_failed", "quarantined", "cleared", "unplugged", "plugged_in", "examined"]
    reason: str | None
    job_id: str | None
    person: str | None = Field(description="The operator who did it; shown to operators.")


class BoardHealth(AnswerModel):
    """How a board is, and what it has gone through, the newest first."""

    fpga_id: int
    state: BoardState
    health: str
    reason: str | None
    reset_failures: int = Field(description="Resets that failed in a row.")
    history: list[HealthEntry]


class Check(AnswerModel):
    """One link of the chain from a board's power to its registers, looked at."""

    link: Literal["power", "programmer", "uart", "identifier", "scratch", "bus_errors"]
    state: Literal["ok", "broken", "skipped"]
    found: str


class Examination(AnswerModel):
    """What the doctor found."""

    fpga_id: int
    state: BoardState
    health: str
    broken: str | None = Field(description="The first link that is broken.")
    verdict: str
    checks: list[Check]


# --- The bench of a simulated board -------------------


class ObserversRequest(RequestModel):
    """Whether others may watch."""

    allowed: bool = Field(description="Whether others may open streams that only read.")


class QuarantineRequest(RequestModel):
    """Why a board is taken out of the pool."""

    reason: Line = Field("withdrawn by an operator", min_length=1, max_length=500)


class Quarantined(AnswerModel):
    """A board that waits for an operator."""

    fpga_id: int
    state: BoardState
    health: str
    reason: str


class BenchAction(RequestModel):
    """What a hand would do at the bench: press a button, set switches, cut the power."""

    action: Literal["press", "set", "run", "power", "console", "console_read"]
    buttons: int | None = Field(None, description="A bit for each button: which to press, or its level to set.")
    seconds: float | None = Field(None, allow_inf_nan=False, description="How long to press, in board time.")
    switches: int | None = Field(None, description="Levels to set, a bit for each switch.")
    pmod: int | None = Field(None, description="Levels to set at the inputs of the Pmod connector.")
    cycles: int | None = Field(None, description="How far to let board time run, in clock cycles.")
    on: bool | None = Field(None, description="Whether the board has power.")
    text: str | None = Field(None, description="What to type at the console.")
    position: int | None = Field(None, description="From where to read the console, in bytes since power-up.")


_DESIGN = "The manifest's `digest` by which the sender knows the registers; refused when the board runs another design."


# --- Captures -------------------


class Condition(RequestModel):
    """One condition of a trigger: bits have a value, or an edge."""

    signal: str = Field(max_length=500, description="Its name, or the end of it; bits behind it as `[3]` or `[7:4]`.")
    value: int | str | None = Field(None, description="A number, `0x…` as text, or a value's name.")
    mask: int | str | None = Field(None, description="Which bits of the value count; all when absent.")
    edge: Literal["rise", "fall", "change"] | None = None


class CaptureRequest(RequestModel):
    """What to capture."""

    signals: list[Annotated[str, Field(max_length=500)]] | None = Field(
        None, max_length=2000, description="Names, or the ends of them; all of the design's own when absent."
    )
    trigger: list[list[Condition]] | None = Field(
        None,
        max_length=16,
        description="Steps, met one after the other; the conditions of a step are met in one clock cycle. At once when "
        "absent.",
    )
    depth: int | None = Field(None, description="Samples in all.")
    pre: int | None = Field(None, description="Of them before the trigger; a quarter when absent.")
    every: int | None = Field(None, description="Clock cycles from sample to sample.")
    timeout: float | None = Field(
        None, allow_inf_nan=False, description="Seconds to wait for the trigger, 10 if absent."
    )
    via: Literal["trace", "analyzer"] | None = Field(
        None, description="On a simulated board with probes: the simulation itself (any signal), or their analyzer."
    )


class CaptureQuery(QueryModel):
    """What a capture is for."""

    design: str | None = Field(None, max_length=100, description=_DESIGN)


class CapturedQuery(QueryModel):
    """How to wait for a capture."""

    wait: float = Field(0.0, ge=0, le=60, allow_inf_nan=False, description="Seconds to wait for its end.")


class CaptureArmed(AnswerModel):
    """A capture that waits for its trigger."""

    capture_id: str
    fpga_id: int
    state: Literal["armed"]


class Captured(AnswerModel):
    """A capture; its `waveform` once it is done."""

    capture_id: str
    fpga_id: int
    state: Literal["armed", "done"]
    waveform: dict[str, Any] | None = Field(
        description="`signals` with `name`, `width`, and `times` (clock cycles from the first sample) and `values` "
        "(hexadecimal) of changes; `end`, `trigger`, `first` (cycle of the board), `tick_seconds` as a fraction, "
        "`every`, `ended` (`complete`, `timeout`, `stopped`, `limit`, `power`)."
    )


# --- Watching -------------------


class EventsQuery(QueryModel):
    """Where to start watching."""

    since: Lsn | None = Field(None, description="The LSN of the last event that was seen; only new ones when absent.")


class RunQuery(QueryModel):
    """What a run is for."""

    design: str | None = Field(None, max_length=100, description=_DESIGN)


class BenchQuery(QueryModel):
    """How to watch a bench."""

    interval: float = Field(0.1, ge=0.02, le=10.0, description="Seconds between two looks.")
    console: int | None = Field(None, ge=0, description="From which byte on the console's text is wanted.")


class StreamQuery(QueryModel):
    """How to open a stream."""

    design: str | None = Field(None, max_length=100, description=_DESIGN + " The stream ends when it gets one.")
    observe: bool = Field(False, description="Only read, beside the holder, where the holder allows it.")


class EtherboneQuery(QueryModel):
    """Whose ``csr.csv`` LiteX's tools go by."""

    design: str | None = Field(None, max_length=100, description=_DESIGN)


class EtherbonePort(AnswerModel):
    """Where LiteX's tools find a board."""

    host: str = Field(description="Always 127.0.0.1: the lab's own machine.")
    port: int


class Health(AnswerModel):
    """Whether the lab works, with nothing private in it."""

    ok: bool
    reason: str | None = Field(description="Why not, when it doesn't.")
    version: str


class Tools(AnswerModel):
    """What makes images for a kind of board, on the lab's machine."""

    found: bool
    version: str
    missing: str = Field(description="What was looked for, and how to install it; empty when it is there.")


class Toolchain(Tools):
    """Tools that make bitstreams."""

    toolchain: str = Field(description="Its name, as targets have it.")
    title: str = Field(description="What people call it.")
    vendor: bool = Field(description="It is a vendor's, for LiteX's own platforms (`litex:NAME`).")


class TargetRecord(AnswerModel):
    """A kind of board that designs can be built for."""

    name: str
    doc: str
    simulated: bool
    clock_hz: int = Field(description="System clock when a build doesn't ask for another.")
    min_clock_hz: int
    max_clock_hz: int
    toolchain: str
    resources: dict[str, str] = Field(description="What a design's ports can be wired to: name → what it is.")
    tools: Tools
    boards: int = Field(description="How many of these the lab has.")


class Me(AnswerModel):
    """Who the lab takes the asker for."""

    name: str = Field(description="Owner of what they submit.")
    roles: list[Role]


class Version(AnswerModel):
    """Which lab this is."""

    version: str
