"""The API's operations: each one call into the boards' floor. The table at the end is the API."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

from prometheus_client.exposition import CONTENT_TYPE_LATEST

from .answers import Answer, Chunks, Download, Json, Nothing, Text
from .compute.operations import COMPUTE_ROUTES
from .metrics import as_text
from .models import (
    BenchAction,
    BenchQuery,
    Board,
    BoardHealth,
    BoardSession,
    CaptureArmed,
    Captured,
    CapturedQuery,
    CaptureQuery,
    CaptureRequest,
    EtherbonePort,
    EtherboneQuery,
    EventsQuery,
    Examination,
    Health,
    HealthQuery,
    Job,
    JobAccepted,
    JobsQuery,
    LogsQuery,
    Manifest,
    Me,
    ObserversRequest,
    Quarantined,
    QuarantineRequest,
    RunQuery,
    RunRequest,
    RunResult,
    StreamQuery,
    TargetRecord,
    Toolchain,
    Version,
)
from .openapi import document
from .routes import Call, Route
from .uploads import source_of

__all__ = ("ROUTES",)

NDJSON = "application/x-ndjson"


# --- Submitting -------------------


async def submit(call: Call) -> Answer:
    """Build a design and program it onto any suitable board.

    The build holds no board. When it is done, the first suitable board that is free is claimed; until then the job's
    `fpga_id` is null and its record shows `position` and `eta_seconds`.
    """
    source, options = await source_of(call)
    return Json(await call.fpga.submit(call.person, source, options))


async def submit_to_board(call: Call) -> Answer:
    """Build a design and program it onto this board.

    The board must be `idle`, or held by whoever submits: then the old design runs on until the new one is built, and
    stays if the build fails.
    """
    source, options = await source_of(call)
    return Json(await call.fpga.submit(call.person, source, options, fpga_id=call.path["fpga_id"]))


async def build(call: Call) -> Answer:
    """Build a design without a board: report and bitstream only."""
    source, options = await source_of(call)
    return Json(await call.fpga.build(call.person, source, options))


# --- Boards -------------------


async def list_boards(call: Call) -> Answer:
    """List all boards."""
    return Json(await call.fpga.boards(call.person))


async def show_board(call: Call) -> Answer:
    """Show one board."""
    return Json(await call.fpga.board(call.person, call.path["fpga_id"]))


async def run(call: Call) -> Answer:
    """Read or write registers as a durable job; the result comes from the job.

    One transaction, or up to 1,024 in `transactions`, executed in order. Only for the holder of the board. What is
    misaligned, outside the window or too wide is refused here and nothing reaches the bus.
    """
    body: RunRequest = call.body
    return Json(await call.fpga.run(call.person, call.path["fpga_id"], body.as_transactions(), call.query.design))


async def reset(call: Call) -> Answer:
    """Reset a board: program the base SoC, prove it, and only then offer the board again.

    From `reserved` (holder or operator) or `error`.
    """
    return Json(await call.fpga.reset(call.person, call.path["fpga_id"]))


async def quarantine(call: Call) -> Answer:
    """Take a board out of the pool until an operator clears it. Operators only."""
    body: QuarantineRequest = call.body
    return Json(await call.fpga.quarantine(call.person, call.path["fpga_id"], body.reason))


async def clear(call: Call) -> Answer:
    """Give a quarantined board another chance: answers its reset job. Operators only."""
    return Json(await call.fpga.clear(call.person, call.path["fpga_id"]))


async def board_health(call: Call) -> Answer:
    """Show how a board is, and what it has gone through: failures, resets, quarantines, the newest first."""
    query: HealthQuery = call.query
    person, fpga_id = call.person, call.path["fpga_id"]
    return Json(await call.fpga.board_health(person, fpga_id, limit=query.limit, before=query.before))


async def examine_board(call: Call) -> Answer:
    """Look for the broken link between a board's power and its registers. Operators only.

    Power, programmer, UART, identifier, scratch register and bus-error counter are looked at in this order, under the
    board's lock. A board with somebody's design on it is only looked at; else nothing but the lab's own SoC is used.
    """
    return Json(await call.fpga.examine(call.person, call.path["fpga_id"]))


async def show_bench(call: Call) -> Answer:
    """Show what the bench of a simulated board has: LEDs, buttons, switches, cycles and the scale of board time."""
    return Json(await call.fpga.bench(call.person, call.path["fpga_id"]))


async def act_at_bench(call: Call) -> Answer:
    """Do what a hand would do at the bench of a simulated board."""
    action: BenchAction = call.body
    return Json(await call.fpga.bench_action(call.person, call.path["fpga_id"], action.model_dump(exclude_unset=True)))


async def watch_bench(call: Call) -> Any:
    """Watch the bench of a simulated board, and touch it meanwhile (WebSocket).

    Text frames with what `GET …/bench` shows, when anything but the cycle counter has changed; `lit` is the share of
    time that each LED was on since the frame before. What is sent to it is done as by `POST …/bench`; refusals are
    answered by the error's envelope. Board time runs as long as somebody watches. Closes with 4410 when the session
    has ended, 1012 when the board gets another design.
    """
    query: BenchQuery = call.query
    return call.fpga.watch_bench(call.person, call.path["fpga_id"], query.interval, query.console)


async def arm_capture(call: Call) -> Answer:
    """Begin to capture signals of a board around a trigger.

    Answers once the trigger is being looked for, so that what is done to the board afterwards is seen. Registers stay
    usable meanwhile. One capture of a board at a time; it ends with the board session, or when the board gets another
    design.
    """
    body: CaptureRequest = call.body
    query: CaptureQuery = call.query
    wanted = body.model_dump(exclude_none=True)
    return Json(await call.fpga.arm_capture(call.person, call.path["fpga_id"], wanted, design=query.design))


async def show_capture(call: Call) -> Answer:
    """Show a board's latest capture, after waiting for its end.

    For its holder, and whoever they let watch.
    """
    query: CapturedQuery = call.query
    return Json(await call.fpga.captured(call.person, call.path["fpga_id"], wait=query.wait))


async def stop_capture(call: Call) -> Answer:
    """End a capture with what there is of it."""
    await call.fpga.stop_capture(call.person, call.path["fpga_id"])
    return Nothing()


async def stream(call: Call) -> Any:
    """Open the live path to a board's registers (WebSocket).

    Binary frames, big endian: `op(1) length(3) address(4) data(4×length)`, op 1 write (| 0x80 keeps the address
    fixed), 2 read (length 1, data = number of words). Answers: `status(1) length(3) data`, in the order of the
    requests, which may be sent without waiting. A binary message may have several request frames, one right after the
    other (at most 1,024, which read and write at most 65,536 words): they are done as one run, and answered by one
    message with their answers. When one of them can't be done, nothing of a message is; when the board doesn't do one,
    those behind it are left out. Status 1 is the failed one's, 2 that of the others, which have no result because of
    it. Text frames carry the same as JSON, with register names, one in each message. Closes with 4409 while the board's
    link is held exclusively, 4410 when the session has ended, 4411 when the board has got another design than the one
    that was asked for, 4403 when an observer may not watch any more.
    """
    query: StreamQuery = call.query
    return await call.fpga.open_stream(call.person, call.path["fpga_id"], observe=query.observe, design=query.design)


# --- Board sessions -------------------


async def show_session(call: Call) -> Answer:
    """Show who holds a board, and until when."""
    return Json(await call.fpga.session(call.person, call.path["fpga_id"]))


async def renew_session(call: Call) -> Answer:
    """Hold on to a board for longer; the `session_id` stays."""
    return Json(await call.fpga.renew(call.person, call.path["fpga_id"]))


async def release_session(call: Call) -> Answer:
    """Give a board back; answers the reset job."""
    return Json(await call.fpga.release(call.person, call.path["fpga_id"]))


async def allow_observers(call: Call) -> Answer:
    """Say whether others may watch one's board: open streams that only read."""
    body: ObserversRequest = call.body
    return Json(await call.fpga.allow_observers(call.person, call.path["fpga_id"], body.allowed))


async def kick_session(call: Call) -> Answer:
    """End somebody else's session. Operators only; the holder is told, and it is recorded."""
    return Json(await call.fpga.kick(call.person, call.path["fpga_id"]))


async def open_etherbone(call: Call) -> Answer:
    """Open a port of the lab's machine for LiteX's own tools, or say where it is.

    As long as the session lives, it speaks what LiteX's `litex_server` speaks, on the loopback interface only, with the
    addresses of `csr.csv`. What can't be done ends in a connection reset. In a lab that several people share it is 403;
    there, `jupyter fpga etherbone` opens the port on the user's machine.
    """
    query: EtherboneQuery = call.query
    return Json(await call.fpga.etherbone_port(call.person, call.path["fpga_id"], design=query.design))


async def tunnel_etherbone(call: Call) -> Any:
    """Let LiteX's own tools use one's board from elsewhere (WebSocket).

    Each binary message is one Etherbone packet as `litex_server` takes it, without the greeting; reads and probes are
    answered by one message each, in their order. When a packet isn't carried out, a text message with the error's
    envelope follows, and the socket closes with 4422. Else it closes as a stream does.
    """
    query: EtherboneQuery = call.query
    return await call.fpga.etherbone(call.person, call.path["fpga_id"], design=query.design)


# --- Jobs -------------------


async def list_jobs(call: Call) -> Answer:
    """List jobs, newest first.

    One's own; operators see all. When there may be more, a `Link` header names the next page.
    """
    query: JobsQuery = call.query
    jobs = await call.fpga.jobs(
        call.person,
        status=query.status,
        type=query.type,
        owner=query.owner,
        after=query.after,
        before=query.before,
        limit=query.limit,
    )
    if len(jobs) < query.limit:
        return Json(jobs)
    following = {**query.model_dump(exclude_none=True), "before": jobs[-1]["lsn"]}
    # Relative to the request's own address, so that it is right behind every proxy.
    return Json(jobs, headers={"Link": f'<?{urlencode(following)}>; rel="next"'})


async def show_job(call: Call) -> Answer:
    """Show one job."""
    return Json(await call.fpga.job(call.person, **_job(call)))


async def job_logs(call: Call) -> Answer:
    """Show a job's log as text.

    `after` skips what was seen, `follow=1` keeps the answer open until the job ends. With `Accept:
    application/x-ndjson` each line is `{"seq": …, "text": …}`, so that a reader who lost the connection knows where to
    go on; as text the header `X-Log-Seq` gives the last number.
    """
    query: LogsQuery = call.query
    numbered = NDJSON in call.accept
    media_type = NDJSON if numbered else "text/plain; charset=utf-8"
    # Asked for in both cases first: a job that doesn't exist is a 404, not a stream that breaks.
    entries = await call.fpga.logs(call.person, after=query.after, **_job(call))
    if not query.follow:
        last = entries[-1][0] if entries else query.after
        text = "".join(_log_entry(seq, text, numbered) for seq, text in entries)
        return Text(text, media_type, headers={"X-Log-Seq": str(last)})

    async def pieces() -> AsyncIterator[str]:
        async for seq, text in call.fpga.follow_logs(call.person, after=query.after, **_job(call)):
            yield _log_entry(seq, text, numbered)

    return Chunks(pieces(), media_type)


def _log_entry(seq: int, text: str, numbered: bool) -> str:
    if numbered:
        return json.dumps({"seq": seq, "text": text}, ensure_ascii=False) + "\n"
    return text if text.endswith("\n") else text + "\n"


async def job_result(call: Call) -> Answer:
    """Show what a complete job gave."""
    return Json(await call.fpga.result(call.person, **_job(call)))


async def job_manifest(call: Call) -> Answer:
    """Show the manifest of a job's build: window, registers, pins, digest."""
    return Json(await call.fpga.manifest(call.person, **_job(call)))


_MEDIA_TYPES = {
    "csr.json": "application/json",
    "csr.csv": "text/csv; charset=utf-8",
    "analyzer.csv": "text/csv; charset=utf-8",
    "top.v": "text/plain; charset=utf-8",
}


async def job_artifact(call: Call) -> Answer:
    """Download an artifact of a job's build: `csr.json`, `csr.csv`, `top.v`, `bitstream` or `report`.

    The report of a real board has `utilization`, and for each of its `clocks` what it reaches (`fmax_mhz`), what it has
    to (`constraint_mhz`) and its `critical_path`: steps with `kind`, `from`, `to`, `delay_ns` and `source`, the `file`
    and `line` of the submitted text that the step comes from, or null where that is not known or the lab's own.
    """
    name = call.path["name"]
    found = await call.fpga.artifact(call.person, name=name, **_job(call))
    if isinstance(found, dict):
        return Json(found)
    return Download(found, name, _MEDIA_TYPES.get(name, "application/octet-stream"))


async def cancel_job(call: Call) -> Answer:
    """Cancel a job that waits, or stop a build that runs."""
    await call.fpga.cancel(call.person, **_job(call))
    return Nothing()


def _job(call: Call) -> dict[str, Any]:
    return {"job_id": call.path["job_id"], "fpga_id": call.path.get("fpga_id")}


# --- Watching -------------------


async def events(call: Call) -> Any:
    """Watch what happens (WebSocket).

    One JSON object per event, `{lsn, prev, time, kind, fpga_id, job_id, …}`: one's own, and the public state of
    boards. `prev` is the LSN of the frame before, and watermark frames tell how far the log is, so that a reconnect
    with `since` can prove that nothing is missing.
    """
    return call.fpga.events(call.person, call.query.since)


async def health(call: Call) -> Answer:
    """Say whether the lab works."""
    report = call.fpga.health()
    return Json(report, status=200 if report["ok"] else 503)


async def targets(call: Call) -> Answer:
    """List the kinds of boards that designs can be built for."""
    return Json(await call.fpga.targets())


async def toolchains(call: Call) -> Answer:
    """List what makes bitstreams, vendors' tools for LiteX's platforms included, and what of it is installed."""
    return Json(await call.fpga.toolchains())


async def me(call: Call) -> Answer:
    """Say who the lab takes the asker for: the name that owns what they submit, and what they may do."""
    return Json({"name": call.person.name, "roles": sorted(call.person.roles)})


async def version(call: Call) -> Answer:
    """Say which lab this is."""
    return Json(call.fpga.version())


async def metrics(call: Call) -> Answer:
    """Show the lab's metrics in Prometheus' text format."""
    return Text(as_text(call.here.lab), CONTENT_TYPE_LATEST)


async def openapi(call: Call) -> Answer:
    """Show this description."""
    return Json(document(ROUTES))


# --- The table -------------------

_JOB_ROUTES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("", {"method": "GET", "run": show_job, "answer": Job}),
    ("", {"method": "DELETE", "run": cancel_job, "status": 204, "refusals": (409,)}),
    ("/logs", {"method": "GET", "run": job_logs, "media_type": "text/plain", "query": LogsQuery, "refusals": (422,)}),
    ("/result", {"method": "GET", "run": job_result, "answer": RunResult, "refusals": (409,)}),
    ("/manifest", {"method": "GET", "run": job_manifest, "answer": Manifest, "refusals": (409,)}),
    (
        "/artifacts/{name}",
        {"method": "GET", "run": job_artifact, "media_type": "application/octet-stream", "refusals": (409,)},
    ),
)


def _below(prefix: str, variant: str = "") -> tuple[Route, ...]:
    return tuple(Route(path=prefix + path, tag="jobs", variant=variant, **facts) for path, facts in _JOB_ROUTES)


_SUBMIT: dict[str, Any] = {
    "answer": JobAccepted,
    "status": 202,
    "upload": True,
    "refusals": (403, 409, 413, 415, 422, 429),
    "tag": "submitting",
}

ROUTES: tuple[Route, ...] = (
    Route("POST", "/submit", submit, **_SUBMIT),
    Route("POST", "/fpga/{fpga_id}/submit", submit_to_board, **_SUBMIT),
    Route("POST", "/build", build, **_SUBMIT),
    Route("GET", "/fpga", list_boards, list[Board]),
    Route("GET", "/fpga/{fpga_id}", show_board, Board),
    Route(
        "POST",
        "/fpga/{fpga_id}/run",
        run,
        JobAccepted,
        202,
        query=RunQuery,
        body=RunRequest,
        refusals=(403, 409, 413, 415, 422, 429),
    ),
    Route("GET", "/fpga/{fpga_id}/stream", stream, query=StreamQuery, socket=True, refusals=(403, 409, 422, 426, 429)),
    Route("POST", "/fpga/{fpga_id}/reset", reset, JobAccepted, 202, refusals=(403, 409)),
    Route(
        "POST",
        "/fpga/{fpga_id}/quarantine",
        quarantine,
        Quarantined,
        body=QuarantineRequest,
        refusals=(403, 409, 413, 415, 422),
    ),
    Route("POST", "/fpga/{fpga_id}/clear", clear, JobAccepted, 202, refusals=(403, 409)),
    Route("GET", "/fpga/{fpga_id}/health", board_health, BoardHealth, query=HealthQuery, refusals=(422,)),
    Route("POST", "/fpga/{fpga_id}/doctor", examine_board, Examination, refusals=(403, 409)),
    Route("GET", "/fpga/{fpga_id}/bench", show_bench, dict[str, Any], refusals=(403, 409, 422)),
    Route(
        "POST",
        "/fpga/{fpga_id}/bench",
        act_at_bench,
        dict[str, Any],
        body=BenchAction,
        refusals=(403, 409, 413, 415, 422),
    ),
    Route(
        "GET",
        "/fpga/{fpga_id}/bench/watch",
        watch_bench,
        query=BenchQuery,
        socket=True,
        refusals=(403, 409, 422, 426),
    ),
    Route(
        "POST",
        "/fpga/{fpga_id}/capture",
        arm_capture,
        CaptureArmed,
        202,
        query=CaptureQuery,
        body=CaptureRequest,
        refusals=(403, 409, 413, 415, 422),
    ),
    Route("GET", "/fpga/{fpga_id}/capture", show_capture, Captured, query=CapturedQuery, refusals=(403, 409, 422)),
    Route("DELETE", "/fpga/{fpga_id}/capture", stop_capture, status=204, refusals=(403, 409)),
    Route("GET", "/fpga/{fpga_id}/session", show_session, BoardSession, tag="sessions"),
    Route("POST", "/fpga/{fpga_id}/session/renew", renew_session, BoardSession, refusals=(403, 409), tag="sessions"),
    Route(
        "POST",
        "/fpga/{fpga_id}/session/release",
        release_session,
        JobAccepted,
        202,
        refusals=(403, 409),
        tag="sessions",
    ),
    Route(
        "POST",
        "/fpga/{fpga_id}/session/observers",
        allow_observers,
        dict[str, Any],
        body=ObserversRequest,
        refusals=(403, 409, 413, 415, 422),
        tag="sessions",
    ),
    Route(
        "POST",
        "/fpga/{fpga_id}/session/etherbone",
        open_etherbone,
        EtherbonePort,
        query=EtherboneQuery,
        refusals=(403, 409, 422),
        tag="sessions",
    ),
    Route(
        "GET",
        "/fpga/{fpga_id}/session/etherbone",
        tunnel_etherbone,
        query=EtherboneQuery,
        socket=True,
        packets=True,
        refusals=(403, 409, 422, 426),
        tag="sessions",
    ),
    Route("POST", "/fpga/{fpga_id}/session/kick", kick_session, JobAccepted, 202, refusals=(403, 409), tag="sessions"),
    Route("GET", "/jobs", list_jobs, list[Job], query=JobsQuery, refusals=(403, 422), tag="jobs"),
    *_below("/jobs/{job_id}"),
    *_below("/fpga/{fpga_id}/jobs/{job_id}", "_of_board"),
    Route("GET", "/events", events, query=EventsQuery, socket=True, refusals=(422, 426), tag="watching"),
    Route("GET", "/health", health, Health, tag="watching", public=True),
    Route("GET", "/targets", targets, list[TargetRecord], tag="watching"),
    Route("GET", "/toolchains", toolchains, list[Toolchain], tag="watching"),
    Route("GET", "/me", me, Me, tag="watching"),
    Route("GET", "/version", version, Version, tag="watching", public=True),
    Route("GET", "/openapi.json", openapi, dict[str, Any], tag="watching"),
    Route("GET", "/metrics", metrics, media_type="text/plain", tag="watching"),
    *COMPUTE_ROUTES,
)
