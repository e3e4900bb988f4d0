"""What the doors refuse by themselves, before anything reaches a floor."""

import asyncio
import contextlib
import json
import logging

import pytest

from jupyter_fpga.errors import (
    Conflict,
    Forbidden,
    Invalid,
    LabError,
    NotFound,
    QuotaExceeded,
    TooLarge,
    Unavailable,
)
from jupyter_fpga.server.body import JSON_LIMIT, MAX_BUNDLE, MAX_FILE, UPLOAD_LIMIT
from jupyter_fpga.server.operations import ROUTES

JOB = "0b9d9a4e-6f0e-4c8b-9d5c-2d0e7f1c8a11"
NOT_SIGNED_IN = (
    401,
    "not_signed_in",
    "This request carries no token that the lab knows; send one as `Authorization: token …` or `X-API-Key: …`.",
)


def concrete(path: str) -> str:
    values = {"fpga_id": "0", "job_id": JOB, "name": "report", "lsn": "1", "job": "1", "queue": "1"}
    return path.format_map(dict.fromkeys(("hash", "worker", "action"), "0" * 64) | values)


PRIVATE = [(route.method, concrete(route.path)) for route in ROUTES if not route.public and route.method != "HEAD"]


@pytest.mark.parametrize(("method", "path"), PRIVATE)
async def test_without_a_token_nothing_is_asked(client, fpga, method, path):
    assert await client.refusal(method, path, token="") == NOT_SIGNED_IN
    assert await client.refusal(method, path, token="wrong-token-0123456789") == NOT_SIGNED_IN
    assert fpga.calls == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Invalid("x."), 422),
        (NotFound("x."), 404),
        (Conflict("x.", code="fpga_not_idle", detail={"state": "queued"}), 409),
        (Forbidden("x."), 403),
        (TooLarge("x."), 413),
        (QuotaExceeded("x."), 429),
        (Unavailable("x."), 503),
        (LabError("x."), 503),
    ],
)
async def test_each_kind_of_refusal_has_its_status(client, fpga, error, status):
    fpga.answers["board"] = error
    response = await client.ask("GET", "/fpga/0")
    assert (response.code, json.loads(response.body)) == (status, error.as_dict())


async def test_a_lab_that_is_not_there(client, door):
    door.refusal = Unavailable(
        "The lab is starting and takes longer than usual; try again in a moment.", code="lab_starting"
    )
    for path in ("/fpga", "/health", "/events"):
        headers = {
            "Upgrade": "websocket",
            "Connection": "upgrade",
            "Sec-WebSocket-Key": "x",
            "Sec-WebSocket-Version": "13",
        }
        assert await client.refusal("GET", path, headers=headers) == (503, "lab_starting", door.refusal.message)


async def test_a_fault_of_our_own_is_an_envelope_with_a_number_for_the_log(client, fpga, caplog):
    fpga.answers["boards"] = RuntimeError("secret of the inside")
    with caplog.at_level(logging.ERROR, "jupyter_fpga.server.envelopes"):
        response = await client.ask("GET", "/fpga")
    envelope = json.loads(response.body)
    incident = envelope["detail"]["incident"]
    assert response.code == 500
    assert envelope["message"] == (
        f"The lab met a fault of its own; look for incident {incident} in the server's log and report it."
    )
    assert b"secret" not in response.body
    assert any(incident in record.getMessage() and record.exc_info for record in caplog.records)


@pytest.mark.parametrize("path", ["/nothing", "/fpga/0/nothing", "/jobs/", "", "/fpga/0/jobs"])
async def test_an_unknown_path(client, path):
    assert await client.refusal("GET", path) == (
        404,
        "not_found",
        "There is nothing at this address; GET …/openapi.json lists what there is.",
    )


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/fpga", "GET"),
        ("POST", "/fpga", "GET"),
        ("GET", "/submit", "POST"),
        ("PATCH", f"/jobs/{JOB}", "GET, DELETE"),
        ("DELETE", "/fpga/0/session", "GET"),
        ("POST", "/events", "GET"),
        ("TRACE", "/fpga", "GET"),
        ("OPTIONS", "/fpga", "GET"),
    ],
)
async def test_a_method_that_the_path_does_not_take(client, method, path, allowed):
    response = await client.ask(method, path)
    envelope = json.loads(response.body)
    assert (response.code, envelope["error"], response.headers["Allow"]) == (405, "method_not_allowed", allowed)
    assert envelope["message"] == f"/base{path} doesn't take {method}; it takes {allowed.replace(', ', ' and ')}."


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "01", "9" * 30, "%00", "0%2F1", "%C3%A9"])
async def test_a_board_that_can_not_be(client, fpga, text):
    status, code, message = await client.refusal("GET", f"/fpga/{text}")
    assert (status, code) == (404, "fpga_not_found")
    assert message.endswith("boards have numbers, and GET …/fpga lists them.")
    assert fpga.calls == []


async def test_a_path_that_is_not_utf8(client):
    assert await client.refusal("GET", "/fpga/%FF") == (
        400,
        "bad_request",
        "The request isn't valid HTTP for this path; check its encoding and headers.",
    )


@pytest.mark.parametrize("text", ["x", "1", JOB + "0", JOB.replace("-", ""), "%00"])
async def test_a_job_that_can_not_be(client, fpga, text):
    status, code, message = await client.refusal("GET", f"/jobs/{text}")
    assert (status, code) == (404, "job_not_found")
    assert message.endswith("a job's id is the UUID that its submission answered, and GET …/jobs lists yours.")
    assert fpga.calls == []


async def test_a_wrong_kind_of_body(client):
    headers = {"Content-Type": "multipart/form-data; boundary=e"}
    assert await client.refusal("POST", "/fpga/0/run", b"--e--\r\n", headers=headers) == (
        415,
        "unsupported_media_type",
        "This request's body is application/json; got multipart/form-data.",
    )


async def test_json_without_its_content_type_is_taken(client):
    response = await client.ask("POST", "/fpga/0/run", b'{"op": 2, "address": 0}', headers={"Content-Type": ""})
    assert response.code == 202


async def test_only_a_websocket_makes_sense_there(client):
    for path in ("/events", "/fpga/0/stream"):
        assert await client.refusal("GET", path) == (
            426,
            "upgrade_required",
            f"/base{path} speaks WebSocket only; open it with a WebSocket client.",
        )


async def early_answer(client, head: str, body: bytes = b"") -> tuple[int, dict]:
    """The answer to a request whose body is promised and not sent (beyond ``body``)."""
    host, port = client.url.removeprefix("http://").removesuffix("/base").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(head.encode() + b"\r\n\r\n" + body)
    await writer.drain()
    status = int((await reader.readline()).split()[1])
    length = 0
    while (line := await reader.readline()).strip():
        name, _, value = line.decode().partition(":")
        length = int(value) if name.lower() == "content-length" else length
    envelope = json.loads(await reader.readexactly(length))
    writer.close()
    await writer.wait_closed()
    return status, envelope


def head(path: str, length: int, kind: str, token: str) -> str:
    return (
        f"POST /base{path} HTTP/1.1\r\nHost: lab\r\nX-API-Key: {token}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {length}"
    )


FORM = "multipart/form-data; boundary=e"
FIRST = b'--e\r\nContent-Disposition: form-data; name="file"; filename="design.py"\r\n\r\n####'


@pytest.mark.parametrize("path", ["/submit", "/fpga/0/submit", "/build"])
async def test_a_body_over_the_limit_is_refused_before_it_is_sent(client, fpga, path):
    length = UPLOAD_LIMIT + 1
    status, envelope = await early_answer(client, head(path, length, FORM, client.token))
    assert (status, envelope["error"]) == (413, "design_too_large")
    assert envelope["message"] == (
        f"A bundle may have {MAX_BUNDLE} bytes and a single file {MAX_FILE}, and this request has {length}; "
        "leave out what the design doesn't need."
    )
    assert fpga.calls == []


async def test_a_body_beyond_what_tornado_takes_is_refused_in_the_same_words(client):
    status, envelope = await early_answer(client, head("/submit", 10**12, FORM, client.token))
    assert (status, envelope["error"]) == (413, "design_too_large")


async def test_a_single_file_of_five_megabytes_is_refused_before_it_is_sent(client):
    length = 5 * 1024 * 1024
    status, envelope = await early_answer(client, head("/submit", length, FORM, client.token), FIRST)
    assert (status, envelope["error"]) == (413, "design_too_large")
    assert envelope["message"] == (
        f"A single design file may have {MAX_FILE} bytes, and this one has about {length}; "
        f"move its data into a bundle (.zip), which may have {MAX_BUNDLE}."
    )


async def test_a_run_over_the_limit(client):
    status, envelope = await early_answer(client, head("/fpga/0/run", JSON_LIMIT + 1, "application/json", client.token))
    assert (status, envelope["error"]) == (413, "body_too_large")
    assert envelope["message"] == (
        f"The body may have {JSON_LIMIT} bytes here, and this one has {JSON_LIMIT + 1}; "
        "split the request into smaller ones."
    )


async def test_without_a_token_a_large_body_is_refused_for_that(client):
    status, envelope = await early_answer(client, head("/submit", UPLOAD_LIMIT + 1, FORM, "wrong"))
    assert (status, envelope["message"]) == (401, NOT_SIGNED_IN[2])


async def test_a_large_body_that_is_sent_all_the_same_gets_the_answer_too(client):
    body = FIRST + b"#" * (5 * 1024 * 1024)
    refusal = await client.refusal("POST", "/submit", body, headers={"Content-Type": FORM})
    assert refusal[:2] == (413, "design_too_large")


async def test_a_chunked_body_is_counted(client):
    host, port = client.url.removeprefix("http://").removesuffix("/base").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST /base/fpga/0/run HTTP/1.1\r\nHost: lab\r\nX-API-Key: {client.token}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    )
    answer = asyncio.ensure_future(reader.readline())
    piece = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    for _ in range(JSON_LIMIT // 0x100000 + 1):
        writer.write(piece)
        await writer.drain()
    assert (await answer).split()[1] == b"413"
    writer.close()
    with contextlib.suppress(ConnectionResetError):  # the body has no end
        await writer.wait_closed()


async def test_the_document_of_a_submission_with_a_mistake(client, fpga):
    status, code, message = await client.refusal("POST", "/submit", {"source": "x", "prio": 3})
    assert (status, code) == (422, "invalid_request")
    assert message == "`prio` is not a field that this request knows; remove it or check its spelling."
    assert fpga.calls == []
