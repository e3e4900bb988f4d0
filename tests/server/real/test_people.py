"""Three people and two boards, through the API: whose is what, and who may see it."""

import asyncio
import itertools
import json
import struct

import pytest
from tornado.httpclient import HTTPClientError

from jupyter_fpga.fpga.frames import Answer, decode_answers
from jupyter_fpga.server.models import Board, BoardSession, Job, JobAccepted, Manifest, RunResult

DESIGN = """
from amaranth.hdl import *
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

class Mode(enum.Enum, shape=2):
    OFF = 0
    SLOW = 1
    FAST = 2

class Top(wiring.Component):
    duty: In(8)
    led: Out(1)
    twice: Out(16)
    mode: In(Mode)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [self.led.eq(self.duty[0]), self.twice.eq(self.duty << 1)]
        return m
"""


def decode_answer(message: bytes) -> Answer:
    """The answer to a message of one frame."""
    (answer,) = decode_answers(message)
    return answer


async def accepted(client, path, body=None) -> str:
    response = await client.ask("POST", path, body)
    assert response.code == 202, response.body
    return JobAccepted.model_validate_json(response.body).job_id


async def done(client, job_id) -> dict:
    """The job at its end: a log that is followed ends with it."""
    response = await client.ask("GET", f"/jobs/{job_id}/logs?follow=1")
    assert response.code == 200
    job = await client.get(f"/jobs/{job_id}")
    Job.model_validate(job, strict=True)
    assert job["status"] == "complete", (job, response.body.decode())
    return job


@pytest.fixture
async def held(people):
    """Ada's design on a board; the board's number and the job."""
    ada = people["ada"]
    job = await done(ada, await accepted(ada, "/submit", {"source": DESIGN}))
    yield job["fpga_id"], job["job_id"]
    response = await ada.ask("POST", f"/fpga/{job['fpga_id']}/session/release")
    if response.code == 202:
        await done(ada, json.loads(response.body)["job_id"])


async def test_registers_by_address_and_by_name(people, held):
    board, _ = held
    ada = people["ada"]
    await done(ada, await accepted(ada, f"/fpga/{board}/run", {"op": "write", "register": "duty", "data": [41]}))
    batch = {"transactions": [{"op": 2, "address": 0, "data": [], "count": 3}, {"op": "read", "register": "twice"}]}
    job_id = await accepted(ada, f"/fpga/{board}/run", batch)
    await done(ada, job_id)
    for path in (f"/jobs/{job_id}/result", f"/fpga/{board}/jobs/{job_id}/result"):
        result = await ada.get(path)
        assert RunResult.model_validate(result).ok
        assert result["data"] == [41, 1, 82, 82]
    assert (await ada.refusal("POST", f"/fpga/{board}/run", {"op": 2, "address": 2, "count": 1}))[0] == 422
    assert (await ada.refusal("GET", f"/fpga/{1 - board}/jobs/{job_id}"))[:2] == (404, "job_not_found")


async def test_names_of_an_enum_are_written_and_read(people, held):
    board, _ = held
    ada = people["ada"]
    batch = [{"op": "write", "register": "mode", "data": ["FAST"]}, {"op": "read", "register": "mode"}]
    job_id = await accepted(ada, f"/fpga/{board}/run", {"transactions": batch})
    await done(ada, job_id)
    result = await ada.get(f"/jobs/{job_id}/result")
    assert result["results"] == [{"data": []}, {"data": [2], "values": [2], "names": ["FAST"]}]
    # Both ways to the registers say the same of a name that there isn't.
    write = {"op": "write", "register": "mode", "data": ["WILD"]}
    message = "Nothing was sent to the board: 'mode' has no value called 'WILD'; it takes OFF, SLOW, FAST."
    assert await ada.refusal("POST", f"/fpga/{board}/run", write) == (422, "run_rejected", message)
    stream = await ada.socket(f"/fpga/{board}/stream")
    await stream.write_message(json.dumps(write))
    refused = json.loads(await stream.read_message())
    assert (refused["error"], refused["message"]) == ("run_rejected", message)


async def test_the_stream_reaches_the_board(people, held):
    board, _ = held
    stream = await people["ada"].socket(f"/fpga/{board}/stream")
    for value in range(100):
        await stream.write_message(struct.pack(">III", 0x01000001, 0, value), binary=True)
        await stream.write_message(struct.pack(">III", 0x02000001, 8, 1), binary=True)
    answers = [decode_answer(await stream.read_message()) for _ in range(200)]
    assert all(answer.ok for answer in answers)
    assert [answer.words for answer in answers[1::2]] == [(2 * value,) for value in range(100)]
    await stream.write_message('{"id": "a", "op": "read", "register": "duty"}')
    assert json.loads(await stream.read_message())["data"] == [99]
    await stream.write_message(struct.pack(">III", 0x02000001, 0x1000, 1), binary=True)
    assert not decode_answer(await stream.read_message()).ok


async def test_several_frames_of_one_message_reach_the_board(people, held):
    board, _ = held
    stream = await people["ada"].socket(f"/fpga/{board}/stream")
    write = [struct.pack(">III", 0x01000001, 0, value) for value in range(200)]
    read = struct.pack(">III", 0x02000001, 8, 1)
    await stream.write_message(read.join(write) + read, binary=True)
    await stream.write_message(read, binary=True)
    answers = decode_answers(await stream.read_message())
    assert [answer.words for answer in answers] == [words for value in range(200) for words in ((), (2 * value,))]
    assert decode_answer(await stream.read_message()).words == (398,)
    # Frame 2 is outside the design's window: 1 and 3 are not written either.
    outside = struct.pack(">III", 0x02000001, 0x1000, 1)
    await stream.write_message(read + write[1] + outside + write[3], binary=True)
    assert [(answer.ok, answer.left_out) for answer in decode_answers(await stream.read_message())] == [
        (False, True),
        (False, True),
        (False, False),
        (False, True),
    ]
    await stream.write_message(read + read, binary=True)
    assert [answer.words for answer in decode_answers(await stream.read_message())] == [(398,), (398,)]


async def test_a_stream_ends_with_its_session(people, held):
    board, _ = held
    ada = people["ada"]
    stream = await ada.socket(f"/fpga/{board}/stream")
    await done(ada, await accepted(ada, f"/fpga/{board}/session/release"))
    assert await stream.read_message() is None
    assert stream.close_code == 4410


async def test_a_session_is_its_owners(people, held):
    board, job_id = held
    ada, grace, olga = (people[name] for name in ("ada", "grace", "olga"))
    session = await ada.get(f"/fpga/{board}/session")
    BoardSession.model_validate(session)
    assert session["session_id"]
    for other in (grace, olga):
        seen = await other.get(f"/fpga/{board}/session")
        assert (seen["owner"], seen["session_id"]) == ("ada", None)
        for text in (
            (await other.ask("GET", "/fpga")).body,
            (await other.ask("GET", f"/fpga/{board}")).body,
        ):
            assert session["session_id"].encode() not in text
    read = {"op": 2, "address": 0, "count": 1}
    for method, path, body in (
        ("POST", f"/fpga/{board}/run", read),
        ("POST", f"/fpga/{board}/session/renew", None),
        ("POST", f"/fpga/{board}/session/release", None),
        ("POST", f"/fpga/{board}/reset", None),
        ("POST", f"/fpga/{board}/session/kick", None),
    ):
        assert (await grace.refusal(method, path, body))[0] == 403, path
    with pytest.raises(HTTPClientError) as caught:
        await grace.socket(f"/fpga/{board}/stream")
    assert caught.value.code == 403
    for path in ("", "/logs", "/result", "/manifest", "/artifacts/csr.json"):
        assert (await grace.refusal("GET", f"/jobs/{job_id}{path}"))[:2] == (404, "job_not_found")
        assert (await olga.ask("GET", f"/jobs/{job_id}{path}")).code == 200
    assert (await grace.refusal("DELETE", f"/jobs/{job_id}"))[:2] == (404, "job_not_found")
    assert await grace.get("/jobs") == []
    renewed = await ada.get(f"/fpga/{board}/session")
    response = await ada.ask("POST", f"/fpga/{board}/session/renew")
    assert json.loads(response.body)["session_id"] == renewed["session_id"]


async def test_an_operator_frees_a_board(people, held):
    board, _ = held
    await done(people["olga"], await accepted(people["olga"], f"/fpga/{board}/session/kick"))
    state = await people["ada"].get(f"/fpga/{board}")
    assert (state["state"], state["session"]) == ("idle", None)
    assert (await people["ada"].refusal("GET", f"/fpga/{board}/session"))[:2] == (404, "no_active_session")


async def test_what_a_build_gives(people, held):
    _, job_id = held
    ada = people["ada"]
    manifest = await ada.get(f"/jobs/{job_id}/manifest")
    Manifest.model_validate(manifest)
    assert [register["name"] for register in manifest["registers"]] == ["duty", "led", "twice", "mode"]
    assert "csr_registers" in await ada.get(f"/jobs/{job_id}/artifacts/csr.json")
    assert b"csr_base" in (await ada.ask("GET", f"/jobs/{job_id}/artifacts/csr.csv")).body
    assert (await ada.ask("GET", f"/jobs/{job_id}/artifacts/bitstream")).body.startswith(b"\x7fELF")
    assert (await ada.refusal("GET", f"/jobs/{job_id}/artifacts/secrets"))[:2] == (404, "artifact_not_found")
    assert (await ada.ask("GET", f"/jobs/{job_id}/artifacts/..%2F..%2Flab.sqlite")).code == 404


async def test_the_bench(people, held):
    board, _ = held
    ada = people["ada"]
    await done(ada, await accepted(ada, f"/fpga/{board}/run", {"op": 1, "address": 0, "data": [1]}))
    assert (await ada.get(f"/fpga/{board}/bench"))["leds"] & 1
    response = await ada.ask("POST", f"/fpga/{board}/bench", {"action": "set", "switches": 5})
    assert json.loads(response.body)["switches"] == 5
    assert (await people["grace"].refusal("GET", f"/fpga/{board}/bench"))[0] == 403


async def test_everybody_sees_the_boards_and_their_own_jobs(people):
    ada, grace = people["ada"], people["grace"]
    sockets = [await client.socket("/events") for client in (ada, grace)]
    starts = [json.loads(await socket.read_message()) for socket in sockets]
    job_id = await accepted(ada, "/submit", {"source": DESIGN})
    job = await done(ada, job_id)
    board = job["fpga_id"]
    await done(ada, await accepted(ada, f"/fpga/{board}/session/release"))
    end = (await ada.get("/jobs?limit=1"))[0]["lsn"]
    seen = []
    for socket, start in zip(sockets, starts, strict=True):
        frames = [start]
        while frames[-1]["lsn"] < end:
            frames.append(json.loads(await socket.read_message()))
        for before, after in itertools.pairwise(frames):
            assert after["prev"] == before["lsn"]
        seen.append(frames)
    adas, graces = seen
    assert any(frame.get("job_id") == job_id for frame in adas)
    assert all(frame.get("owner") in (None, "grace") or frame["fpga_id"] is not None for frame in graces)
    assert not any(frame["kind"].startswith("job") and frame.get("job_id") == job_id for frame in graces)
    assert any(frame.get("fpga_id") == board for frame in graces)


async def test_boards_and_jobs_are_as_described(people):
    for board in await people["grace"].get("/fpga"):
        Board.model_validate(board, strict=True)
    jobs = await people["olga"].get("/jobs?limit=1000")
    assert [job["lsn"] for job in jobs] == sorted((job["lsn"] for job in jobs), reverse=True)
    for job in jobs:
        Job.model_validate(job, strict=True)


async def test_pages_of_jobs_join_without_gap(people):
    olga = people["olga"]
    everything = [job["job_id"] for job in await olga.get("/jobs?limit=1000")]
    found, path = [], "/jobs?limit=2"
    while path:
        response = await olga.ask("GET", path)
        found += [job["job_id"] for job in json.loads(response.body)]
        link = response.headers.get("Link", "")
        path = "/jobs" + link[1 : link.index(">")] if link else ""
    assert found == everything


async def test_a_design_that_can_not_be(people):
    ada = people["ada"]
    assert (await ada.refusal("POST", "/submit", {"source": " "}))[:2] == (422, "design_rejected")
    assert (await ada.refusal("POST", "/submit", {"source": "x", "filename": "design.txt"}))[:2] == (
        422,
        "design_rejected",
    )
    body = b'--e\r\nContent-Disposition: form-data; name="file"; filename="design.py"\r\n\r\n\xff\xfe\r\n--e--\r\n'
    refusal = await ada.refusal("POST", "/submit", body, headers={"Content-Type": "multipart/form-data; boundary=e"})
    assert refusal[:2] == (422, "design_rejected")
    assert (await ada.refusal("POST", "/submit", {"source": "x", "priority": 1}))[:2] == (403, "priority_not_allowed")


async def test_a_build_that_fails_names_the_line(people):
    ada = people["ada"]
    job_id = await accepted(ada, "/build", {"source": "import amaranth\n\nx = ("})
    await ada.ask("GET", f"/jobs/{job_id}/logs?follow=1")
    job = await ada.get(f"/jobs/{job_id}")
    assert job["status"] == "failed"
    assert (job["error"]["stage"], job["error"]["line"]) == ("elaborate", 3)
    assert (await ada.refusal("GET", f"/jobs/{job_id}/result"))[:2] == (409, "job_not_complete")


async def test_of_a_hundred_submits_to_one_board_one_is_taken(people):
    ada = people["ada"]
    job_id = await accepted(ada, "/submit", {"source": DESIGN})
    await done(ada, job_id)
    board = (await ada.get(f"/jobs/{job_id}"))["fpga_id"]
    await done(ada, await accepted(ada, f"/fpga/{board}/session/release"))
    # Its build never ends by itself, so that none of them comes when the board is Ada's own already.
    body = {"source": "while True: pass"}
    responses = await asyncio.gather(*(ada.ask("POST", f"/fpga/{board}/submit", body) for _ in range(100)))
    codes = sorted(response.code for response in responses)
    assert codes == [202] + [409] * 99
    (taken,) = (json.loads(response.body) for response in responses if response.code == 202)
    assert (await ada.ask("DELETE", f"/jobs/{taken['job_id']}")).code == 204
    assert (await ada.get(f"/fpga/{board}"))["state"] == "idle"
