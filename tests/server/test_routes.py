"""Every route of the API: what it asks of the floor, and what it answers."""

import json

import pytest

from jupyter_fpga.compute import Source
from jupyter_fpga.fpga.config import SubmitOptions
from jupyter_fpga.people import Person
from jupyter_fpga.server.operations import ROUTES

JOB = "0b9d9a4e-6f0e-4c8b-9d5c-2d0e7f1c8a11"
SOURCE = Source(files={"design.py": b"text"}, entry="design.py")
UPLOAD = {"source": "text"}
RUN = {"op": 2, "address": 0, "data": [], "count": 1}
BELOW = {"job_id": JOB, "fpga_id": 3}
ANYWHERE = {"job_id": JOB, "fpga_id": None}

# method, path, body → status, call, its arguments
CALLS = [
    ("POST", "/submit", UPLOAD, 202, "submit", (SOURCE, SubmitOptions()), {}),
    ("POST", "/fpga/3/submit", UPLOAD, 202, "submit", (SOURCE, SubmitOptions()), {"fpga_id": 3}),
    ("POST", "/build", UPLOAD, 202, "build", (SOURCE, SubmitOptions()), {}),
    ("GET", "/fpga", None, 200, "boards", (), {}),
    ("GET", "/fpga/3", None, 200, "board", (3,), {}),
    ("POST", "/fpga/3/run", RUN, 202, "run", (3, [RUN], None), {}),
    ("POST", "/fpga/3/run", {"transactions": [RUN, RUN]}, 202, "run", (3, [RUN, RUN], None), {}),
    ("POST", "/fpga/3/run?design=d1", RUN, 202, "run", (3, [RUN], "d1"), {}),
    ("POST", "/fpga/3/reset", None, 202, "reset", (3,), {}),
    ("POST", "/fpga/3/quarantine", {"reason": "loose"}, 200, "quarantine", (3, "loose"), {}),
    ("POST", "/fpga/3/clear", None, 202, "clear", (3,), {}),
    ("GET", "/fpga/3/health", None, 200, "board_health", (3,), {"limit": 100, "before": None}),
    ("GET", "/fpga/3/health?limit=5&before=9", None, 200, "board_health", (3,), {"limit": 5, "before": 9}),
    ("POST", "/fpga/3/doctor", None, 200, "examine", (3,), {}),
    ("GET", "/fpga/3/bench", None, 200, "bench", (3,), {}),
    (
        "POST",
        "/fpga/3/bench",
        {"action": "press", "buttons": 1},
        200,
        "bench_action",
        (3, {"action": "press", "buttons": 1}),
        {},
    ),
    (
        "POST",
        "/fpga/3/capture?design=d1",
        {"signals": ["a"], "trigger": [[{"signal": "a", "edge": "rise"}]]},
        202,
        "arm_capture",
        (3, {"signals": ["a"], "trigger": [[{"signal": "a", "edge": "rise"}]]}),
        {"design": "d1"},
    ),
    ("GET", "/fpga/3/capture?wait=2.5", None, 200, "captured", (3,), {"wait": 2.5}),
    ("DELETE", "/fpga/3/capture", None, 204, "stop_capture", (3,), {}),
    ("GET", "/fpga/3/session", None, 200, "session", (3,), {}),
    ("POST", "/fpga/3/session/renew", None, 200, "renew", (3,), {}),
    ("POST", "/fpga/3/session/release", None, 202, "release", (3,), {}),
    ("POST", "/fpga/3/session/kick", None, 202, "kick", (3,), {}),
    ("POST", "/fpga/3/session/etherbone", None, 200, "etherbone_port", (3,), {"design": None}),
    ("POST", "/fpga/3/session/etherbone?design=d1", None, 200, "etherbone_port", (3,), {"design": "d1"}),
    ("POST", "/fpga/3/session/observers", {"allowed": True}, 200, "allow_observers", (3, True), {}),
    (
        "GET",
        "/jobs?status=running&type=run&owner=ada&after=1&before=9&limit=5",
        None,
        200,
        "jobs",
        (),
        {"status": "running", "type": "run", "owner": "ada", "after": 1, "before": 9, "limit": 5},
    ),
    ("GET", f"/jobs/{JOB}", None, 200, "job", (), ANYWHERE),
    ("GET", f"/jobs/{JOB.upper()}/logs?after=7", None, 200, "logs", (), {"after": 7, **ANYWHERE}),
    ("GET", f"/jobs/{JOB}/result", None, 200, "result", (), ANYWHERE),
    ("GET", f"/jobs/{JOB}/manifest", None, 200, "manifest", (), ANYWHERE),
    ("GET", f"/jobs/{JOB}/artifacts/top.v", None, 200, "artifact", (), {"name": "top.v", **ANYWHERE}),
    ("DELETE", f"/jobs/{JOB}", None, 204, "cancel", (), ANYWHERE),
    ("GET", f"/fpga/3/jobs/{JOB}", None, 200, "job", (), BELOW),
    ("GET", f"/fpga/3/jobs/{JOB}/logs", None, 200, "logs", (), {"after": 0, **BELOW}),
    ("GET", f"/fpga/3/jobs/{JOB}/result", None, 200, "result", (), BELOW),
    ("GET", f"/fpga/3/jobs/{JOB}/manifest", None, 200, "manifest", (), BELOW),
    ("GET", f"/fpga/3/jobs/{JOB}/artifacts/report", None, 200, "artifact", (), {"name": "report", **BELOW}),
    ("DELETE", f"/fpga/3/jobs/{JOB}", None, 204, "cancel", (), BELOW),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "name", "args", "kwargs"), CALLS, ids=[f"{c[0]} {c[1]}" for c in CALLS]
)
async def test_each_route_is_one_call(client, fpga, owner, method, path, body, status, name, args, kwargs):
    response = await client.ask(method, path, body)
    assert response.code == status, response.body
    assert fpga.calls == [(name, owner, args, kwargs)]


def template(path: str) -> str:
    """The path template that a path of ``CALLS`` belongs to."""
    path = path.partition("?")[0].lower().replace(JOB, "{job_id}").replace("/fpga/3", "/fpga/{fpga_id}")
    return path.replace("/artifacts/top.v", "/artifacts/{name}").replace("/artifacts/report", "/artifacts/{name}")


def test_no_route_is_forgotten_here():
    elsewhere = {"/health", "/me", "/targets", "/toolchains", "/version", "/openapi.json", "/metrics"}
    called = {(method, template(path)) for method, path, *_ in CALLS}
    boards = [route for route in ROUTES if not route.path.startswith("/compute/")]
    assert called == {
        (route.method, route.path) for route in boards if route.path not in elsewhere and not route.socket
    }


async def test_a_person_with_a_key_is_that_person(client, fpga, ada_key):
    await client.ask("GET", "/fpga", token=ada_key)
    assert fpga.calls[0][1] == Person("ada")


async def test_everybody_is_told_who_they_are(client, owner, ada_key):
    assert await client.get("/me") == {"name": owner.name, "roles": ["grader", "operator", "student", "teacher"]}
    assert await client.get("/me", token=ada_key) == {"name": "ada", "roles": ["student"]}
    assert (await client.refusal("GET", "/me", token=""))[0] == 401


async def test_a_form_is_taken_with_its_options(client, fpga):
    body = (
        b'--e\r\nContent-Disposition: form-data; name="sys_clk_freq"\r\n\r\n50000000\r\n'
        b'--e\r\nContent-Disposition: form-data; name="file"; filename="C:\\designs\\blink.v"\r\n\r\nmodule\r\n'
        b"--e--\r\n"
    )
    response = await client.ask("POST", "/submit", body, headers={"Content-Type": "multipart/form-data; boundary=e"})
    assert response.code == 202
    assert json.loads(response.body) == {"job_id": JOB, "fpga_id": None, "status": "queued"}
    (call,) = fpga.calls
    assert call[2] == (
        Source(files={"blink.v": b"module"}, entry="blink.v"),
        SubmitOptions(sys_clk_freq=50_000_000),
    )


async def test_a_full_page_of_jobs_links_to_the_next(client, fpga):
    fpga.answers["jobs"] = [{"lsn": 9}, {"lsn": 4}]
    response = await client.ask("GET", "/jobs?status=failed&limit=2")
    assert response.headers["Link"] == '<?status=failed&limit=2&before=4>; rel="next"'
    response = await client.ask("GET", "/jobs?limit=3")
    assert "Link" not in response.headers


async def test_logs_as_text_and_numbered(client):
    response = await client.ask("GET", f"/jobs/{JOB}/logs")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert (response.body, response.headers["X-Log-Seq"]) == (b"one\ntwo\n", "2")
    response = await client.ask("GET", f"/jobs/{JOB}/logs", headers={"Accept": "application/x-ndjson"})
    assert response.headers["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line) for line in response.body.splitlines()] == [
        {"seq": 1, "text": "one\n"},
        {"seq": 2, "text": "two"},
    ]


async def test_a_log_is_followed_to_its_end(client, fpga):
    fpga.log.put_nowait((3, "three"))
    fpga.log.put_nowait((4, "four\n"))
    fpga.log.put_nowait(None)
    response = await client.ask("GET", f"/fpga/3/jobs/{JOB}/logs?after=2&follow=1")
    assert response.body == b"three\nfour\n"
    assert fpga.calls[-1][3] == {"after": 2, "fpga_id": 3}


async def test_an_artifact_comes_as_a_file(client):
    response = await client.ask("GET", f"/jobs/{JOB}/artifacts/bitstream")
    assert response.body == b"\x00\xffbits" * 100_000
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"] == 'attachment; filename="bitstream"'
    response = await client.ask("GET", f"/jobs/{JOB}/artifacts/csr.csv")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_file_that_was_thrown_away_just_then(client, fpga, tmp_path):
    fpga.answers["artifact"] = tmp_path / "gone"
    assert await client.refusal("GET", f"/jobs/{JOB}/artifacts/bitstream") == (
        404,
        "file_gone",
        "“bitstream” was thrown away a moment ago, to make room. Have it made, or send it, again.",
    )


@pytest.mark.parametrize("path", ["/health", "/version"])
async def test_health_and_version_are_for_everybody(client, path):
    assert (await client.get(path, token=""))["version"] == "1"


async def test_health_of_a_lab_that_is_not_well(client, fpga):
    fpga.well = False
    response = await client.ask("GET", "/health", token="")
    assert response.code == 503
    assert json.loads(response.body) == {"ok": False, "reason": "It isn't well.", "version": "1"}


async def test_metrics(client):
    response = await client.ask("GET", "/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert b"jupyter_fpga_answer 42.0" in response.body
    assert b"jupyter_fpga_question 43.0" in response.body


async def test_openapi_describes_every_route(client):
    document = await client.get("/openapi.json")
    assert document["openapi"] == "3.1.0"
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == {(route.method, route.path) for route in ROUTES}
    names = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(names) == len(set(names))
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
    data = document["components"]["schemas"]["Transaction"]["properties"]["data"]
    assert data["items"] == {"anyOf": [{"type": "integer"}, {"type": "string"}]}
