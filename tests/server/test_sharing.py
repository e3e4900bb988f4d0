"""One lab, many doors: who hosts, how the others pass requests on, and what happens when the host goes."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from tornado.httpclient import HTTPClientError

from jupyter_fpga.errors import Conflict, Unavailable
from jupyter_fpga.server.auth import TokenAuthenticator
from jupyter_fpga.server.door import Here, There
from jupyter_fpga.server.forward import Remote
from jupyter_fpga.server.hosting import AnotherLab, FixedDoor, Hosting, HostingOptions, SharedDoor
from jupyter_fpga.server.runtime import RuntimeFile
from jupyter_fpga.server.standalone import listen, make_application

JOB = "0b9d9a4e-6f0e-4c8b-9d5c-2d0e7f1c8a11"


class SmallLab:
    """A lab around a recording floor."""

    def __init__(self, fpga) -> None:
        self.fpga = fpga
        self.compute = None
        self.failure: Exception | None = None
        self.running = False
        self.may_start = asyncio.Event()
        self.may_start.set()

    async def start(self) -> None:
        await self.may_start.wait()
        if self.failure is not None:
            raise self.failure
        self.running = True

    async def stop(self) -> None:
        self.running = False
        # As the floors do: whoever watches hears of the end.
        self.fpga.frames.put_nowait(None)
        self.fpga.stream.end("lab_stopping")


@pytest.fixture
def lab(fpga) -> SmallLab:
    return SmallLab(fpga)


@pytest.fixture
def make_hosting(tmp_path, owner, lab) -> Callable[[], Hosting]:
    return lambda: Hosting(HostingOptions(owner, tmp_path / "runtime", tmp_path / "data"), lambda: lab)


@pytest.fixture
async def hosting(make_hosting) -> AsyncIterator[Hosting]:
    """A lab that another process would host."""
    hosting = make_hosting()
    await hosting.start()
    yield hosting
    await hosting.stop()


@pytest.fixture
async def shared(make_hosting, tmp_path) -> AsyncIterator[SharedDoor]:
    """A second server's door."""
    door = SharedDoor(make_hosting, tmp_path / "runtime", patience=5)
    yield door
    await door.stop()


@asynccontextmanager
async def serving(door, owner, new_client):
    application = make_application(door, TokenAuthenticator(owner, "second-server-token"), base="/second")
    server, port = listen(application, 0)
    client = new_client(f"http://127.0.0.1:{port}/second", "second-server-token")
    try:
        yield client
    finally:
        await client.close()
        server.stop()
        await door.activity.end_sockets()
        await server.close_all_connections()


@pytest.fixture
async def second(shared, owner, new_client):
    """A client of the second server."""
    async with serving(shared, owner, new_client) as client:
        yield client


async def test_the_first_hosts_and_says_where(shared, tmp_path, lab, new_client):
    place = await shared.reach()
    assert isinstance(place, Here)
    assert place.lab is lab
    record = RuntimeFile(tmp_path / "runtime").read()
    assert record is not None
    client = new_client(record.url, record.token)
    assert await client.get("/fpga") == []
    await client.close()
    await shared.stop()
    assert RuntimeFile(tmp_path / "runtime").read() is None
    assert not lab.running


async def test_the_second_sends_its_requests_there(hosting, shared):
    place = await shared.reach()
    assert place == There(Remote(hosting.record.url, hosting.record.token), own=True)


async def test_the_second_takes_over_when_the_first_stops(hosting, shared):
    assert isinstance(await shared.reach(), There)
    await hosting.stop()
    assert isinstance(await shared.reach(), Here)


async def test_nobody_else_can_host_meanwhile(hosting, make_hosting):
    with pytest.raises(AnotherLab) as caught:
        await make_hosting().start()
    assert caught.value.message == (
        f"Your lab runs already at {hosting.record.url} (process {hosting.record.pid}); use that one, or stop it first."
    )


async def test_requests_wait_for_a_lab_that_starts(shared, lab):
    lab.may_start.clear()
    waiting = [asyncio.ensure_future(shared.reach()) for _ in range(3)]
    await asyncio.sleep(0)
    lab.may_start.set()
    assert [place.lab for place in await asyncio.gather(*waiting)] == [lab] * 3


async def test_requests_do_not_wait_for_ever(make_hosting, tmp_path, lab):
    lab.may_start.clear()
    door = SharedDoor(make_hosting, tmp_path / "runtime", patience=0)
    with pytest.raises(Unavailable) as caught:
        await door.reach()
    assert caught.value.code == "lab_starting"
    assert caught.value.message == "The lab is starting and takes longer than usual; try again in a moment."
    await door.stop()


async def test_a_lab_that_can_not_start_says_why_and_is_tried_again(shared, lab, caplog):
    lab.failure = Conflict("Another lab uses this database; stop it first.", detail={"pid": 7})
    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            refusals = await asyncio.gather(shared.reach(), shared.reach(), return_exceptions=True)
            for refusal in refusals:
                assert isinstance(refusal, Unavailable)
                assert (refusal.code, refusal.detail) == ("lab_not_started", {"pid": 7})
                assert refusal.message == "The lab can't start: Another lab uses this database; stop it first."
    assert len(caplog.records) == 2
    lab.failure = None
    assert isinstance(await shared.reach(), Here)


async def test_a_fault_while_starting_keeps_its_inside_to_the_log(shared, lab, caplog):
    lab.failure = RuntimeError("inside")
    with caplog.at_level(logging.ERROR), pytest.raises(Unavailable) as caught:
        await shared.reach()
    assert caught.value.message == (
        "The lab can't start because of a fault of its own; the server's log has the reason."
    )
    assert caplog.records[0].exc_info


async def test_a_stopped_door_hosts_nothing_any_more(shared):
    await shared.stop()
    with pytest.raises(Unavailable) as caught:
        await shared.reach()
    assert caught.value.message == "This server is shutting down; ask another one."


async def test_who_hosts_is_told(make_hosting, tmp_path):
    told = []
    door = SharedDoor(make_hosting, tmp_path / "runtime", on_hosting=told.append)
    await door.reach()
    await door.stop()
    assert [type(hosting) for hosting in told] == [Hosting, type(None)]


# --- Passing requests on ------------------------------------------------


async def test_every_kind_of_answer_comes_through(hosting, second, fpga, owner):
    fpga.answers["jobs"] = [{"lsn": 9}]
    response = await second.ask("GET", "/jobs?limit=1&status=failed")
    assert json.loads(response.body) == [{"lsn": 9}]
    assert response.headers["Link"] == '<?status=failed&limit=1&before=9>; rel="next"'
    assert (await second.ask("POST", "/fpga/0/run", {"op": 2, "address": 0})).code == 202
    assert (await second.ask("DELETE", f"/jobs/{JOB}")).code == 204
    response = await second.ask("GET", f"/jobs/{JOB}/artifacts/bitstream")
    assert response.body == b"\x00\xffbits" * 100_000
    assert response.headers["Content-Disposition"] == 'attachment; filename="bitstream"'
    response = await second.ask("GET", f"/jobs/{JOB}/logs", headers={"Accept": "application/x-ndjson"})
    assert response.headers["Content-Type"] == "application/x-ndjson"
    assert response.headers["X-Log-Seq"] == "2"
    assert (await second.get("/health", token=""))["ok"]
    assert {call[1] for call in fpga.calls} == {owner}


async def test_refusals_come_through_as_they_are(hosting, second, fpga):
    fpga.answers["reset"] = Conflict("Not now.", code="fpga_not_resettable", detail={"state": "queued"})
    response = await second.ask("POST", "/fpga/0/reset")
    assert response.code == 409
    assert json.loads(response.body) == fpga.answers["reset"].as_dict()
    assert (await second.refusal("GET", "/fpga/x"))[:2] == (404, "fpga_not_found")
    assert (await second.refusal("POST", "/submit", {"sauce": "x"}))[:2] == (422, "invalid_request")
    assert (await second.refusal("GET", "/fpga", token="wrong"))[:2] == (401, "not_signed_in")


async def test_a_log_is_followed_through_the_second_server(hosting, second, fpga):
    host, port = second.url.removeprefix("http://").removesuffix("/second").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"GET /second/jobs/{JOB}/logs?follow=1 HTTP/1.1\r\nHost: lab\r\nX-API-Key: {second.token}\r\n\r\n"
    writer.write(head.encode())
    fpga.log.put_nowait((1, "one"))
    await reader.readuntil(b"one\n")
    fpga.log.put_nowait((2, "two"))
    await reader.readuntil(b"two\n")
    writer.close()
    await writer.wait_closed()
    await fpga.log_closed.wait()


async def test_an_answer_that_breaks_off_does_not_look_whole(hosting, second, fpga):
    host, port = second.url.removeprefix("http://").removesuffix("/second").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"GET /second/jobs/{JOB}/logs?follow=1 HTTP/1.1\r\nHost: lab\r\nX-API-Key: {second.token}\r\n\r\n"
    writer.write(head.encode())
    fpga.log.put_nowait((1, "one"))
    await reader.readuntil(b"one\n\r\n")
    await hosting.stop()
    assert b"0\r\n\r\n" not in await reader.read()
    writer.close()


async def test_sockets_go_through_both_ways(hosting, second, fpga):
    fpga.frames.put_nowait({"lsn": 7})
    events = await second.socket("/events?since=7")
    assert json.loads(await events.read_message()) == {"lsn": 7}
    assert fpga.calls[0][2] == (7,)
    stream = await second.socket("/fpga/3/stream?observe=1")
    await stream.write_message(bytes.fromhex("020000010000001000000003"), binary=True)
    _, answer = await fpga.stream.requests.get()
    answer.set_result([1, 2, 3])
    assert await stream.read_message() == bytes.fromhex("00000003000000010000000200000003")
    fpga.stream.end("session_ended")
    assert await stream.read_message() is None
    assert stream.close_code == 4410
    packets = await second.socket("/fpga/3/session/etherbone")
    await packets.write_message(b"packet", binary=True)
    asked, answer = await fpga.path.requests.get()
    answer.set_result(b"answer to " + asked)
    assert await packets.read_message() == b"answer to packet"
    fpga.path.fail(Conflict("Nobody answered.", code="bus_error"))
    assert json.loads(await packets.read_message())["error"] == "bus_error"
    assert await packets.read_message() is None
    assert packets.close_code == 4422
    events.close()
    await fpga.events_closed.wait()


async def test_a_refused_handshake_comes_through(hosting, second, fpga):
    fpga.answers["open_stream"] = Conflict("Not reserved.", code="fpga_not_reserved")
    with pytest.raises(HTTPClientError) as caught:
        await second.socket("/fpga/3/stream")
    assert caught.value.code == 409
    assert json.loads(caught.value.response.body)["error"] == "fpga_not_reserved"


async def test_a_socket_whose_lab_goes_is_told_to_connect_again(hosting, second, fpga, lab):
    fpga.frames.put_nowait({"lsn": 7})
    events = await second.socket("/events")
    await events.read_message()
    await hosting.stop()
    assert await events.read_message() is None
    assert events.close_code == 1012
    fpga.frames = asyncio.Queue()
    fpga.frames.put_nowait({"lsn": 8})
    again = await second.socket("/events")
    assert json.loads(await again.read_message()) == {"lsn": 8}
    assert lab.running


async def test_what_answers_there_and_is_no_lab_is_left(hosting, shared, second, make_hosting, tmp_path):
    """The host was killed, and its port is somebody else's now: nothing is sent there twice."""
    record = hosting.record
    RuntimeFile(tmp_path / "runtime").write(type(record)(**{**vars(record), "token": "of-a-lab-that-is-gone"}))
    assert isinstance(await shared.reach(), There)
    hosting.record = None  # it won't take its file away either
    await hosting.stop()
    hosting.options = None

    async def stranger(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    port = int(record.url.rpartition(":")[2])
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(await asyncio.start_server(stranger, "127.0.0.1", port))
        assert (await second.ask("POST", "/fpga/0/reset")).code == 202
    assert isinstance(await shared.reach(), Here)


async def test_a_write_whose_lab_dies_meanwhile_is_not_sent_again(
    shared, second, make_hosting, hosting, tmp_path, fpga
):
    record = hosting.record
    await hosting.stop()

    async def dying(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(dying, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    RuntimeFile(tmp_path / "runtime").write(type(record)(**{**vars(record), "url": f"http://127.0.0.1:{port}"}))
    async with server:
        assert await second.refusal("POST", "/fpga/0/reset") == (
            503,
            "lab_lost",
            "The lab's process ended while it worked on this request, so it isn't known whether it was done; "
            "look at GET …/jobs before sending it again.",
        )
        assert fpga.calls == []
        assert await second.get("/fpga") == []  # a read is, by the lab that took over
    assert isinstance(await shared.reach(), Here)


async def test_a_lab_given_by_its_address(hosting, owner, new_client, fpga):
    async with serving(FixedDoor(Remote(hosting.record.url, hosting.record.token)), owner, new_client) as client:
        assert await client.get("/fpga") == []
        fpga.frames.put_nowait({"lsn": 7})
        events = await client.socket("/events")
        assert await events.read_message() == '{"lsn": 7}'


async def test_a_lab_given_by_its_address_that_is_not_there(owner, new_client, unused_tcp_port):
    url = f"http://127.0.0.1:{unused_tcp_port}"
    async with serving(FixedDoor(Remote(url, "token")), owner, new_client) as client:
        expected = (
            503,
            "lab_unreachable",
            f"The lab at {url} doesn't answer, or doesn't know this server's token; ask whoever runs it.",
        )
        assert await client.refusal("GET", "/fpga") == expected
        headers = {
            "Upgrade": "websocket",
            "Connection": "upgrade",
            "Sec-WebSocket-Key": "x",
            "Sec-WebSocket-Version": "13",
        }
        assert await client.refusal("GET", "/events", headers=headers) == expected
