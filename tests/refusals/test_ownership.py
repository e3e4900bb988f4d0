"""What is somebody else's, what is nobody's, and what isn't there."""

import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from .conftest import GOOD, Held, Lab, Person

READ = {"op": "read", "address": 0}
NO_JOB = "00000000-0000-4000-8000-000000000000"

NOT_SIGNED_IN = (
    401,
    "not_signed_in",
    "This request carries no token that the lab knows; send one as `Authorization: token …` or `X-API-Key: …`.",
)

# Method and path below a held board, and the body.
HOLDERS: list[tuple[str, str, object]] = [
    ("POST", "/run", READ),
    ("POST", "/session/renew", None),
    ("POST", "/session/release", None),
    ("POST", "/session/observers", {"allowed": True}),
    ("GET", "/bench", None),
    ("POST", "/bench", {"action": "press", "buttons": 1}),
]


@pytest.mark.parametrize(("method", "path", "body"), [*HOLDERS, ("POST", "/reset", None)], ids=lambda value: str(value))
def test_anothers_board(grace: Person, held: Held, method: str, path: str, body: object) -> None:
    assert grace.refusal(method, f"/fpga/{held.fpga_id}{path}", body) == (
        403,
        "not_session_holder",
        f"Board {held.fpga_id} is held by somebody else. Submit your design to get a board of your own.",
    )


@pytest.mark.parametrize(("method", "path", "body"), HOLDERS, ids=lambda value: str(value))
def test_an_operator_uses_no_board_of_others(olga: Person, held: Held, method: str, path: str, body: object) -> None:
    assert olga.refusal(method, f"/fpga/{held.fpga_id}{path}", body)[:2] == (403, "not_session_holder")


@pytest.mark.parametrize("name", ["grace", "olga"])
def test_submitting_to_anothers_board(lab: Lab, held: Held, name: str) -> None:
    assert lab.people[name].refusal("POST", f"/fpga/{held.fpga_id}/submit", {"source": GOOD}) == (
        409,
        "fpga_not_idle",
        f"Board {held.fpga_id} can't take a design now: it is held by a board session (state 'reserved'). Submit "
        "without a board number to get the next one that is free.",
    )


@pytest.mark.parametrize(
    ("path", "body", "what"),
    [
        ("/session/kick", None, "take a board from its holder"),
        ("/quarantine", {"reason": "mine"}, "put a board in quarantine"),
        ("/clear", None, "clear a board in quarantine"),
    ],
)
def test_what_operators_do(grace: Person, ada: Person, held: Held, path: str, body: object, what: str) -> None:
    for person in (grace, ada):
        assert person.refusal("POST", f"/fpga/{held.fpga_id}{path}", body) == (
            403,
            "operator_only",
            f"Only an operator may {what}. Ask one of this lab's operators.",
        )


def test_nobody_else_sees_the_number_of_a_session(lab: Lab, held: Held) -> None:
    assert lab.people["ada"].get(f"/fpga/{held.fpga_id}/session")["session_id"] == held.session_id
    for name in ("grace", "olga"):
        person = lab.people[name]
        session = person.get(f"/fpga/{held.fpga_id}/session")
        assert (session["owner"], session["session_id"]) == ("ada", None)
        for path in ("/fpga", f"/fpga/{held.fpga_id}", f"/fpga/{held.fpga_id}/session"):
            assert held.session_id not in json.dumps(person.get(path))


BELOW_A_JOB = ("", "/logs", "/logs?follow=1", "/result", "/manifest", "/artifacts/bitstream", "/artifacts/csr.json")


@pytest.mark.parametrize("path", BELOW_A_JOB)
def test_anothers_job(grace: Person, held: Held, path: str) -> None:
    """It might as well not be there."""
    for job_id in (held.job_id, NO_JOB):
        assert grace.refusal("GET", f"/jobs/{job_id}{path}") == (
            404,
            "job_not_found",
            f"There is no job '{job_id}' that you may see. The list of jobs shows yours.",
        )
        assert grace.refusal("GET", f"/fpga/{held.fpga_id}/jobs/{job_id}{path}") == (
            404,
            "job_not_found",
            f"There is no job '{job_id}' of board {held.fpga_id} that you may see. The list of jobs shows yours.",
        )


def test_anothers_job_is_not_cancelled(grace: Person, held: Held) -> None:
    assert grace.refusal("DELETE", f"/jobs/{held.job_id}")[:2] == (404, "job_not_found")
    assert held.job_id not in [job["job_id"] for job in grace.get("/jobs?owner=ada")]


def test_a_job_below_another_board(ada: Person, held: Held) -> None:
    other = 1 - held.fpga_id
    assert ada.refusal("GET", f"/fpga/{other}/jobs/{held.job_id}") == (
        404,
        "job_not_found",
        f"There is no job '{held.job_id}' of board {other} that you may see. The list of jobs shows yours.",
    )


def test_an_artifact_that_is_none(ada: Person, held: Held) -> None:
    for name in ("secrets", "../../lab.sqlite", "/etc/shadow", "\0"):
        assert ada.refusal("GET", f"/jobs/{held.job_id}/artifacts/{quote(name, safe='')}") == (
            404,
            "artifact_not_found",
            f"This build has no artifact '{name}'; it has bitstream, csr.csv, csr.json, report, top.v.",
        )


def test_too_late_to_cancel(ada: Person, held: Held) -> None:
    assert ada.refusal("DELETE", f"/jobs/{held.job_id}") == (
        409,
        "job_not_cancellable",
        f"Job {held.job_id} can't be cancelled: it is complete already. Jobs that wait, and builds that run, can be.",
    )


@pytest.fixture
def failed(ada: Person) -> str:
    job = ada.build("raise ValueError('no design')")
    assert job["status"] == "failed"
    return str(job["job_id"])


def test_what_a_failed_job_has_not(ada: Person, failed: str) -> None:
    assert ada.refusal("GET", f"/jobs/{failed}/result") == (
        409,
        "job_not_complete",
        f"Job {failed} has no result: it has failed. Its record says why.",
    )
    for path in ("/manifest", "/artifacts/report"):
        assert ada.refusal("GET", f"/jobs/{failed}{path}") == (
            409,
            "job_not_complete",
            f"Job {failed} has no build to show: it has failed, and its design hasn't been built. A manifest and "
            "artifacts are there once the build is done.",
        )
    assert ada.refusal("DELETE", f"/jobs/{failed}") == (
        409,
        "job_not_cancellable",
        f"Job {failed} can't be cancelled: it has failed already. Jobs that wait, and builds that run, can be.",
    )


def test_a_board_that_nobody_holds(ada: Person, olga: Person, held: Held) -> None:
    free = 1 - held.fpga_id
    nobody_holds = (
        404,
        "no_active_session",
        f"Nobody holds board {free}: it has no active session. Submit a design to start one.",
    )
    assert ada.refusal("GET", f"/fpga/{free}/session") == nobody_holds
    for action in ("renew", "release"):
        assert ada.refusal("POST", f"/fpga/{free}/session/{action}") == nobody_holds
    assert olga.refusal("POST", f"/fpga/{free}/session/kick") == nobody_holds
    assert ada.refusal("POST", f"/fpga/{free}/reset") == (
        409,
        "fpga_not_resettable",
        f"Board {free} can't be reset now: it is free, with no design of yours on it (state 'idle'). A reset is for "
        "boards in state 'reserved' or 'error'; a job that waits or builds can be cancelled instead.",
    )
    assert olga.refusal("POST", f"/fpga/{free}/clear") == (
        409,
        "not_quarantined",
        f"Board {free} is not quarantined, so there is nothing to clear.",
    )


def test_a_board_that_is_held_is_not_quarantined(olga: Person, held: Held) -> None:
    assert olga.refusal("POST", f"/fpga/{held.fpga_id}/quarantine", {"reason": "loose"}) == (
        409,
        "fpga_not_idle",
        f"Board {held.fpga_id} can't be put in quarantine now: it is held by a board session (state 'reserved'). A "
        "board that is idle, or in error and not being reset, can be; kick its session or cancel its job first.",
    )


def test_a_board_in_quarantine(lab: Lab, ada: Person, olga: Person, held: Held) -> None:
    free = 1 - held.fpga_id
    status, _, _ = olga.ask("POST", f"/fpga/{free}/quarantine", {"reason": "A cable is loose."})
    assert status == 200
    assert ada.refusal("POST", f"/fpga/{free}/submit", {"source": GOOD}) == (
        409,
        "fpga_not_idle",
        f"Board {free} can't take a design now: it is quarantined (state 'error'). Submit without a board number to "
        "get the next one that is free.",
    )
    for person, path in ((ada, "reset"), (olga, "reset"), (olga, "quarantine")):
        assert person.refusal("POST", f"/fpga/{free}/{path}", None if path == "reset" else {}) == (
            409,
            "fpga_not_resettable",
            f"Board {free} is quarantined: A cable is loose. An operator has to clear it first.",
        )
    assert olga.done(olga.accepted(f"/fpga/{free}/clear"))["status"] == "complete"
    assert olga.get(f"/fpga/{free}")["state"] == "idle"


NO_BOARDS = ["-1", "x", "1e3", "0x0", "00", "٣", "%00", "1" * 400, "1.5", " 0"]
BELOW_A_BOARD = [
    ("GET", "", None),
    ("GET", "/session", None),
    ("GET", "/bench", None),
    ("GET", "/capture", None),
    ("POST", "/capture", {}),
    ("DELETE", "/capture", None),
    ("GET", f"/jobs/{NO_JOB}", None),
    ("DELETE", f"/jobs/{NO_JOB}", None),
    ("POST", "/submit", {"source": GOOD}),
    ("POST", "/run", READ),
    ("POST", "/reset", None),
    ("POST", "/session/renew", None),
    ("POST", "/session/release", None),
    ("POST", "/session/kick", None),
    ("POST", "/quarantine", {}),
    ("POST", "/clear", None),
]


@pytest.mark.parametrize(("method", "path", "body"), BELOW_A_BOARD, ids=lambda value: str(value)[:40])
def test_boards_that_are_not_there(olga: Person, method: str, path: str, body: object) -> None:
    missing = olga.refusal(method, f"/fpga/99{path}", body)
    assert missing == (404, "fpga_not_found", "There is no board 99; this lab has boards 0, 1.")
    for text in NO_BOARDS:
        shown = "\0" if text == "%00" else text
        assert olga.refusal(method, f"/fpga/{quote(text, safe='%')}{path}", body) == (
            404,
            "fpga_not_found",
            f"There is no board {shown[:40]!r}; boards have numbers, and GET …/fpga lists them.",
        )


@pytest.mark.parametrize("path", BELOW_A_JOB)
def test_jobs_that_can_not_be(olga: Person, path: str) -> None:
    for text in ("x", "7", "../..", NO_JOB[:-1], NO_JOB + "0", "1" * 400, "\0", "é"):
        for place in ("/jobs/", "/fpga/0/jobs/"):
            assert olga.refusal("GET", f"{place}{quote(text, safe='')}{path}") == (
                404,
                "job_not_found",
                f"There is no job {text[:40]!r}; a job's id is the UUID that its submission answered, and GET …/jobs "
                "lists yours.",
            )


FILTERS = [
    ("status=done", "`status` must be 'queued', 'running', 'complete', 'failed' or 'cancelled'; got \"done\"."),
    ("type=flash", "`type` must be 'build_and_program', 'run', 'reset' or 'build'; got \"flash\"."),
    ("limit=0", '`limit` must be greater than or equal to 1; got "0".'),
    ("limit=1001", '`limit` must be less than or equal to 1000; got "1001".'),
    ("after=x", '`after` must be an integer; got "x".'),
    ("after=-1", '`after` must be greater than or equal to 0; got "-1".'),
    ("before=1e3", '`before` must be an integer; got "1e3".'),
    ("owner=%00", '`owner` must be a text without control characters; got "\\u0000".'),
]


@pytest.mark.parametrize(("query", "message"), FILTERS)
def test_lists_of_jobs_that_can_not_be(ada: Person, query: str, message: str) -> None:
    assert ada.refusal("GET", f"/jobs?{query}") == (422, "invalid_request", message)


def test_a_log_from_nowhere(ada: Person, held: Held) -> None:
    for query, message in (
        ("after=x", '`after` must be an integer; got "x".'),
        ("follow=maybe", '`follow` must be true or false; got "maybe".'),
    ):
        assert ada.refusal("GET", f"/jobs/{held.job_id}/logs?{query}") == (422, "invalid_request", message)


@pytest.mark.parametrize(("method", "path", "body"), BELOW_A_BOARD, ids=lambda value: str(value)[:40])
def test_without_a_key(nobody: Person, method: str, path: str, body: object) -> None:
    assert nobody.refusal(method, f"/fpga/0{path}", body) == NOT_SIGNED_IN


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": "wrong-0123456789abcdef"},
        {"X-API-Key": "\xff"},
        {"X-API-Key": "k" * 5000},
        {"Authorization": "token wrong"},
        {"Authorization": "Basic YWRhOmFkYQ=="},
        {"Authorization": "token"},
    ],
)
def test_with_a_wrong_key(nobody: Person, headers: dict[str, str]) -> None:
    for path in ("/submit", "/fpga/0/run", "/fpga/0/session/release"):
        assert nobody.refusal("POST", path, {"source": GOOD}, headers=headers) == NOT_SIGNED_IN


METHODS = [
    ("PUT", "/fpga", "GET"),
    ("POST", "/fpga/0", "GET"),
    ("GET", "/submit", "POST"),
    ("DELETE", "/fpga/0/run", "POST"),
    ("PATCH", f"/jobs/{NO_JOB}", "GET and DELETE"),
    ("POST", "/events", "GET"),
    ("BREW", "/health", "GET"),
]


@pytest.mark.parametrize(("method", "path", "allowed"), METHODS)
def test_methods(ada: Person, method: str, path: str, allowed: str) -> None:
    assert ada.refusal(method, path) == (
        405,
        "method_not_allowed",
        f"/jupyter-fpga{path} doesn't take {method}; it takes {allowed}.",
    )


@pytest.mark.parametrize("path", ["/", "/nothing", "/fpga/", "/fpga/0/nothing", "/fpga/0/jobs", "/jobs/", "/submit/x"])
def test_addresses_with_nothing(ada: Person, path: str) -> None:
    assert ada.refusal("GET", path) == (
        404,
        "not_found",
        "There is nothing at this address; GET …/openapi.json lists what there is.",
    )


BENCH = [
    ({"action": "press"}, "buttons is missing; give it a value."),
    ({"action": "press", "buttons": 16}, "buttons takes a whole number from 0 to 15, not 16."),
    ({"action": "press", "buttons": 1, "seconds": 0}, "seconds takes a number up to 10, not 0.0."),
    ({"action": "press", "buttons": 1, "cycles": 5}, "'press' takes buttons, seconds, not 'cycles'."),
    ({"action": "set", "switches": 256}, "switches takes a whole number from 0 to 255, not 256."),
    ({"action": "run", "cycles": 0}, "cycles takes a whole number from 1 to 1000000000, not 0."),
    ({"action": "run", "cycles": 10**10}, "cycles takes a whole number from 1 to 1000000000, not 10000000000."),
    ({"action": "power"}, "on is missing; give it a value."),
    ({"action": "console", "text": "x" * 65_537}, "text takes a text of up to 65,536 bytes."),
    (
        {"action": "console_read", "position": -1},
        "position takes a whole number from 0 to 4611686018427387904, not -1.",
    ),
]


@pytest.mark.parametrize(("body", "why"), BENCH, ids=range(len(BENCH)))
def test_at_the_bench(ada: Person, held: Held, body: object, why: str) -> None:
    assert ada.refusal("POST", f"/fpga/{held.fpga_id}/bench", body) == (
        422,
        "bench_rejected",
        f"The bench of board {held.fpga_id} can't do that: {why}",
    )


def test_one_key_for_two_requests(ada: Person, grace: Person) -> None:
    body = {"source": "raise ValueError", "idempotency_key": "monday"}
    job_id = ada.accepted("/build", body)
    assert ada.accepted("/build", body) == job_id
    for path, other in (("/build", {**body, "source": "x"}), ("/build", {**body, "top": "x"}), ("/submit", body)):
        assert ada.refusal("POST", path, other) == (
            409,
            "idempotency_conflict",
            "The idempotency key 'monday' was used for another request. Use a new key for a new request.",
        )
    theirs = grace.accepted("/build", body)
    assert theirs != job_id
    ada.done(job_id)
    grace.done(theirs)


def test_ada_still_has_her_board(ada: Person, held: Held, still_answers: Callable[[], None]) -> None:
    still_answers()
    assert ada.get(f"/fpga/{held.fpga_id}/session")["session_id"] == held.session_id
