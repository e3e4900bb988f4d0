"""The WebSockets: order, back-pressure, close codes, and what is given back when a client goes."""

import asyncio
import json
import struct

import pytest
from tornado.httpclient import HTTPClientError

from jupyter_fpga.errors import Conflict, Forbidden
from jupyter_fpga.fpga.frames import Answer, LeftOut, Request, TextRequest, decode_answers

READ = struct.pack(">III", 0x02000001, 0x10, 3)
WRITE = struct.pack(">IIII", 0x81000002, 0x20, 7, 8)


def decode_answer(message: bytes) -> Answer:
    """The answer to a message of one frame."""
    (answer,) = decode_answers(message)
    return answer


async def refused(client, path, **kwargs) -> tuple[int, dict]:
    with pytest.raises(HTTPClientError) as caught:
        await client.socket(path, **kwargs)
    assert caught.value.response is not None
    return caught.value.code, json.loads(caught.value.response.body)


async def closed(socket) -> tuple[int | None, str | None]:
    while await socket.read_message() is not None:
        pass
    return socket.close_code, socket.close_reason


async def test_binary_frames_are_answered_in_their_order(client, fpga, owner):
    socket = await client.socket("/fpga/3/stream")
    assert fpga.calls == [("open_stream", owner, (3,), {"observe": False, "design": None})]
    for frame in (READ, WRITE, READ):
        await socket.write_message(frame, binary=True)
    taken = [await fpga.stream.requests.get() for _ in range(3)]
    assert [request for request, _ in taken] == [
        Request(0x10, None, 3),
        Request(0x20, (7, 8), 2, fixed_address=True),
        Request(0x10, None, 3),
    ]
    # All three were taken before any was answered; answered last first, they come back first to last.
    taken[2][1].set_result([9])
    taken[1][1].set_result([])
    taken[0][1].set_result([1, 2, 3])
    answers = [decode_answer(await socket.read_message()) for _ in range(3)]
    assert [answer.words for answer in answers] == [(1, 2, 3), (), (9,)]
    assert all(answer.ok for answer in answers)
    socket.close()
    await fpga.stream.given_back.wait()


async def test_several_frames_in_one_message_are_answered_in_one(client, fpga):
    socket = await client.socket("/fpga/3/stream")
    await socket.write_message(READ, binary=True)
    await socket.write_message(READ + WRITE + READ, binary=True)
    await socket.write_message('{"op": "read"}')
    await socket.write_message(READ, binary=True)
    taken = [await fpga.stream.requests.get() for _ in range(4)]
    read = Request(0x10, None, 3)
    assert [request for request, _ in taken] == [
        read,
        (read, Request(0x20, (7, 8), 2, fixed_address=True), read),
        TextRequest({"op": "read"}),
        read,
    ]
    # Answered last first, they come back first to last, each in its message.
    taken[3][1].set_result([9])
    taken[2][1].set_result({"data": [8]})
    taken[1][1].set_result(([4], Conflict("No."), LeftOut("Because of that.")))
    taken[0][1].set_result([1, 2, 3])
    assert decode_answers(await socket.read_message()) == [Answer(True, (1, 2, 3))]
    assert decode_answers(await socket.read_message()) == [
        Answer(True, (4,)),
        Answer(False, (), "No."),
        Answer(False, (), "Because of that.", left_out=True),
    ]
    assert json.loads(await socket.read_message()) == {"ok": True, "data": [8]}
    assert decode_answers(await socket.read_message()) == [Answer(True, (9,))]
    socket.close()


async def test_a_message_that_is_refused_as_a_whole_has_an_answer_for_each_frame(client, fpga):
    socket = await client.socket("/fpga/3/stream")
    await socket.write_message(READ + READ, binary=True)
    await socket.write_message(READ + READ + b"\x07" * 9 + READ, binary=True)
    _, answer = await fpga.stream.requests.get()
    answer.set_exception(Conflict("No.", code="fpga_not_reserved"))
    assert decode_answers(await socket.read_message()) == [Answer(False, (), "No.")] * 2
    # Where the one behind the frame that is wrong begins nobody knows.
    others = "Nothing of this message was sent to the board, because of its frame 2."
    assert decode_answers(await socket.read_message()) == [
        *[Answer(False, (), others, left_out=True)] * 2,
        Answer(
            False,
            (),
            "Frame 2 of the message can't be understood: its op is 0x07; there are 0x01 (write) and 0x02 (read), with "
            "0x80 for a fixed address.",
        ),
    ]
    assert fpga.stream.requests.empty()
    socket.close()


async def test_text_frames_are_answered_as_text_with_their_id(client, fpga):
    socket = await client.socket("/fpga/3/stream?observe=1&design=d1")
    assert fpga.calls[0][3] == {"observe": True, "design": "d1"}
    await socket.write_message(json.dumps({"id": 5, "op": "read", "register": "duty"}))
    request, answer = await fpga.stream.requests.get()
    assert request == TextRequest({"op": "read", "register": "duty"}, 5)
    answer.set_result({"data": [4], "values": [4]})
    assert json.loads(await socket.read_message()) == {"ok": True, "data": [4], "values": [4], "id": 5}
    socket.close()


async def test_an_error_is_the_answer_to_its_own_frame_only(client, fpga):
    socket = await client.socket("/fpga/3/stream")
    await socket.write_message(READ, binary=True)
    await socket.write_message('{"op": "read"}')
    await socket.write_message(b"\x07", binary=True)
    await socket.write_message("[]")
    await socket.write_message(READ, binary=True)
    refusal = Conflict("No.", code="bus_error", detail={"index": 0})
    for _ in range(2):
        _, answer = await fpga.stream.requests.get()
        answer.set_exception(refusal)
    _, last = await fpga.stream.requests.get()
    last.set_result([1, 2, 3])
    binary = decode_answer(await socket.read_message())
    assert (binary.ok, binary.message) == (False, "No.")
    text = json.loads(await socket.read_message())
    assert text == {"ok": False, "error": "bus_error", "message": "No.", "detail": {"index": 0}}
    short = decode_answer(await socket.read_message())
    assert short.message == "The frame can't be understood: it has 1 bytes, and its head alone takes 8."
    assert json.loads(await socket.read_message())["error"] == "frame_invalid"
    assert decode_answer(await socket.read_message()).words == (1, 2, 3)
    socket.close()


async def test_a_client_is_read_no_further_than_the_stream_takes(client, fpga):
    fpga.stream.room = asyncio.Semaphore(2)
    socket = await client.socket("/fpga/3/stream")
    for _ in range(5):
        await socket.write_message(READ, binary=True)
    first = [await fpga.stream.requests.get() for _ in range(2)]
    assert fpga.stream.requests.empty()
    fpga.stream.room.release()
    third = await fpga.stream.requests.get()
    assert fpga.stream.requests.empty()
    for _ in range(2):
        fpga.stream.room.release()
    rest = [await fpga.stream.requests.get() for _ in range(2)]
    for number, (_, answer) in enumerate((*first, third, *rest)):
        answer.set_result([number])
    assert [decode_answer(await socket.read_message()).words for _ in range(5)] == [(n,) for n in range(5)]
    socket.close()
    await fpga.stream.given_back.wait()


@pytest.mark.parametrize(
    ("reason", "code", "words"),
    [
        ("session_ended", 4410, "the board session has ended; submit the design again to get a board"),
        ("link_busy", 4409, "the board's link is held exclusively just now; try again when that is done"),
        ("design_replaced", 4411, "the board runs another design by now; read the manifest of its last job"),
        ("observers_shut_out", 4403, "the holder doesn't let others watch the board any more"),
        ("lab_stopping", 1012, "the lab stops; connect again when it runs"),
    ],
)
async def test_why_a_stream_is_over(client, fpga, reason, code, words):
    socket = await client.socket("/fpga/3/stream")
    fpga.stream.end(reason)
    assert await closed(socket) == (code, words)
    await fpga.stream.given_back.wait()


async def test_requests_in_flight_hear_of_the_end_of_the_session(client, fpga):
    socket = await client.socket("/fpga/3/stream")
    await socket.write_message(READ, binary=True)
    _, answer = await fpga.stream.requests.get()
    fpga.stream.end("session_ended")
    answer.set_exception(Conflict("It has ended.", code="session_ended"))
    assert decode_answer(await socket.read_message()).message == "It has ended."
    assert (await closed(socket))[0] == 4410


@pytest.mark.parametrize("frames", [1, 3])
async def test_a_busy_link_is_told_by_the_close_code_and_not_by_an_answer(client, fpga, frames):
    socket = await client.socket("/fpga/3/stream")
    await socket.write_message(READ * frames, binary=True)
    _, answer = await fpga.stream.requests.get()
    fpga.stream.end("link_busy")
    answer.set_exception(Conflict("Busy.", code="link_busy"))
    assert await socket.read_message() is None
    assert socket.close_code == 4409


async def test_what_is_on_the_wire_is_not_cancelled_when_its_sender_goes(client, fpga):
    socket = await client.socket("/fpga/3/stream")
    await socket.write_message(READ, binary=True)
    _, answer = await fpga.stream.requests.get()
    socket.close()
    await fpga.stream.given_back.wait()
    assert not answer.cancelled()
    answer.set_result([0])


async def test_refusals_are_statuses_of_the_handshake(client, fpga):
    fpga.answers["open_stream"] = Forbidden("Somebody else's.", code="not_session_holder")
    assert await refused(client, "/fpga/3/stream") == (
        403,
        {"error": "not_session_holder", "message": "Somebody else's.", "detail": {}},
    )
    assert (await refused(client, "/fpga/x/stream"))[0] == 404
    assert (await refused(client, "/fpga/3/stream?observe=perhaps"))[1]["message"] == (
        '`observe` must be true or false; got "perhaps".'
    )
    assert (await refused(client, "/events?since=-1"))[0] == 422
    assert (await refused(client, "/events?since=999"))[1]["error"] == "lsn_in_future"
    assert (await refused(client, "/events", token="wrong"))[0] == 401


async def test_a_page_from_elsewhere_is_refused(client, fpga):
    response = await client.ask(
        "GET",
        "/events",
        headers={
            "Origin": "http://evil.example",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": "x",
            "Sec-WebSocket-Version": "13",
        },
    )
    assert response.code == 403
    assert json.loads(response.body)["message"] == (
        "A page from http://evil.example may not open this WebSocket; open it from a page of this server."
    )
    assert fpga.calls == []


async def test_events_come_as_they_happen(client, fpga, owner):
    fpga.frames.put_nowait({"lsn": 7, "kind": "watermark", "prev": 7})
    socket = await client.socket("/events?since=7")
    assert fpga.calls == [("events", owner, (7,), {})]
    assert json.loads(await socket.read_message()) == {"lsn": 7, "kind": "watermark", "prev": 7}
    fpga.frames.put_nowait({"lsn": 8, "prev": 7})
    assert json.loads(await socket.read_message()) == {"lsn": 8, "prev": 7}
    socket.close()
    await fpga.events_closed.wait()


async def test_the_end_of_the_log_is_the_end_of_the_lab(client, fpga):
    fpga.frames.put_nowait({"lsn": 7})
    socket = await client.socket("/events")
    await socket.read_message()
    fpga.frames.put_nowait(None)
    assert await closed(socket) == (1012, "the lab stops; connect again with since=LSN")


async def test_events_take_nothing(client, fpga):
    fpga.frames.put_nowait({"lsn": 7})
    socket = await client.socket("/events")
    await socket.read_message()
    await socket.write_message("hello")
    assert await closed(socket) == (1008, "this socket only sends; open a board's stream to send requests")
    await fpga.events_closed.wait()


async def test_a_benchs_states_come_when_more_than_time_has_passed(client, fpga, owner):
    fpga.watch.seen.put_nowait({"cycles": 1, "leds": 0})
    socket = await client.socket("/fpga/3/bench/watch?interval=0.05&console=7")
    assert fpga.calls == [("watch_bench", owner, (3, 0.05, 7), {})]
    assert json.loads(await socket.read_message()) == {"cycles": 1, "leds": 0}
    for state in ({"cycles": 2, "leds": 0}, {"cycles": 3, "leds": 1}):
        fpga.watch.seen.put_nowait(state)
    assert json.loads(await socket.read_message()) == {"cycles": 3, "leds": 1}
    socket.close()
    await fpga.watch.over.wait()


async def test_a_hand_at_a_bench(client, fpga):
    fpga.watch.seen.put_nowait({"cycles": 1})
    socket = await client.socket("/fpga/3/bench/watch")
    await socket.read_message()
    await socket.write_message('{"action": "set", "buttons": 1}')
    await socket.write_message('{"refuse": true}')
    refusal = {"error": "bench_rejected", "message": "Not that.", "detail": {}}
    assert json.loads(await socket.read_message()) == refusal
    assert fpga.watch.done == [{"action": "set", "buttons": 1}]
    for message in ("hello", "[1]"):
        await socket.write_message(message)
        assert json.loads(await socket.read_message())["message"] == (
            'This socket takes actions at the bench as JSON objects, such as {"action": "press", "buttons": 1}.'
        )
    socket.close()


@pytest.mark.parametrize(
    ("last", "code", "reason"),
    [
        (None, 1012, "the board is being programmed; connect again"),
        (
            Conflict("Over.", code="fpga_not_reserved"),
            4410,
            "the board session has ended; submit the design again to get a board",
        ),
    ],
)
async def test_the_end_of_a_bench(client, fpga, last, code, reason):
    fpga.watch.seen.put_nowait({"cycles": 1})
    socket = await client.socket("/fpga/3/bench/watch")
    fpga.watch.seen.put_nowait(last)
    assert await closed(socket) == (code, reason)


async def test_who_may_not_watch_a_bench_is_refused_on_the_handshake(client, fpga):
    fpga.watch.seen.put_nowait(Forbidden("Not yours.", code="not_session_holder"))
    assert (await refused(client, "/fpga/3/bench/watch"))[0] == 403
    assert (await refused(client, "/fpga/3/bench/watch?interval=0.001"))[0] == 422


PACKET = bytes.fromhex("4e6f1044 00000000 000f0001 00000000 00000010")


async def test_packets_are_answered_in_their_order_and_writes_are_not(client, fpga, owner):
    socket = await client.socket("/fpga/3/session/etherbone?design=d1")
    assert fpga.calls == [("etherbone", owner, (3,), {"design": "d1"})]
    for number in range(3):
        await socket.write_message(PACKET + bytes([number]), binary=True)
    taken = [await fpga.path.requests.get() for _ in range(3)]
    # What is a packet is the floor's to say.
    assert [packet for packet, _ in taken] == [PACKET + bytes([number]) for number in range(3)]
    taken[2][1].set_result(b"second")
    taken[1][1].set_result(b"")
    taken[0][1].set_result(b"first")
    assert [await socket.read_message(), await socket.read_message()] == [b"first", b"second"]
    socket.close()
    await fpga.path.given_back.wait()


async def test_a_packet_that_is_not_carried_out_is_the_end(client, fpga):
    socket = await client.socket("/fpga/3/session/etherbone")
    for _ in range(2):
        await socket.write_message(PACKET, binary=True)
    refusal = Conflict("Nobody answered.", code="bus_error", detail={"address": 16})
    _, answer = await fpga.path.requests.get()
    fpga.path.fail(refusal)
    answer.set_exception(refusal)
    assert json.loads(await socket.read_message()) == {
        "error": "bus_error",
        "message": "Nobody answered.",
        "detail": {"address": 16},
    }
    assert await closed(socket) == (4422, "a packet was not carried out; the message before this says why")
    await fpga.path.given_back.wait()


@pytest.mark.parametrize(
    ("reason", "code"),
    [("session_ended", 4410), ("design_replaced", 4411), ("link_busy", 4409), ("lab_stopping", 1012)],
)
async def test_why_packets_are_over(client, fpga, reason, code):
    socket = await client.socket("/fpga/3/session/etherbone")
    fpga.path.end(reason)
    assert (await closed(socket))[0] == code
    await fpga.path.given_back.wait()


async def test_packets_are_binary(client, fpga):
    socket = await client.socket("/fpga/3/session/etherbone")
    await socket.write_message("{}")
    assert await closed(socket) == (1008, "this socket takes Etherbone packets, as binary messages")
    await fpga.path.given_back.wait()


async def test_refusals_of_packets_are_statuses_of_the_handshake(client, fpga):
    fpga.answers["etherbone"] = Forbidden("Somebody else's.", code="not_session_holder")
    assert await refused(client, "/fpga/3/session/etherbone") == (
        403,
        {"error": "not_session_holder", "message": "Somebody else's.", "detail": {}},
    )
    assert (await refused(client, "/fpga/x/session/etherbone"))[0] == 404
    assert (await refused(client, "/fpga/3/session/etherbone", token="wrong"))[0] == 401
    # The same path takes a POST, and nothing else.
    assert (await client.refusal("GET", "/fpga/3/session/etherbone"))[:2] == (426, "upgrade_required")
    assert (await client.refusal("POST", "/fpga/3/session/etherbone", token="wrong"))[0] == 401
    assert (await client.refusal("DELETE", "/fpga/3/session/etherbone"))[:2] == (405, "method_not_allowed")


async def test_a_log_that_is_followed_ends_with_its_reader(client, fpga):
    host, port = client.url.removeprefix("http://").removesuffix("/base").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    path = "/base/jobs/0b9d9a4e-6f0e-4c8b-9d5c-2d0e7f1c8a11/logs?follow=1"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: lab\r\nX-API-Key: {client.token}\r\n\r\n".encode())
    assert (await reader.readline()).split()[1] == b"200"  # the head comes before the first line does
    fpga.log.put_nowait((1, "one"))
    await reader.readuntil(b"one\n")
    writer.close()
    await writer.wait_closed()
    await fpga.log_closed.wait()


async def test_open_sockets_and_requests_count_as_use_of_the_door(client, door, fpga):
    assert door.activity.open == 0
    fpga.frames.put_nowait({"lsn": 7})
    socket = await client.socket("/events")
    await socket.read_message()
    assert door.activity.open == 1
    assert door.activity.quiet_seconds() == 0
    socket.close()
    await fpga.events_closed.wait()
    await client.ask("GET", "/fpga")
    assert door.activity.open == 0
