"""The live path: handshakes that are refused, and frames that are none, each of which costs its answer and no more."""

import json
import struct
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from jupyter_fpga.fpga.frames import Answer, decode_answers

from .conftest import Held, Lab, Person

FRAME = "The frame can't be understood: "
NOTHING = "Nothing was sent to the board: "


def decode_answer(message: bytes) -> Answer:
    """The answer to a message of one frame."""
    (answer,) = decode_answers(message)
    return answer


async def refused(person: Person, path: str, headers: dict[str, str] | None = None) -> tuple[int, str, str]:
    with pytest.raises(HTTPClientError) as caught:
        async with person.socket(path, headers):
            pass
    assert caught.value.response is not None
    envelope = json.loads(caught.value.response.body)
    return caught.value.code, envelope["error"], envelope["message"]


async def test_handshakes_of_others(lab: Lab, held: Held) -> None:
    path = f"/fpga/{held.fpga_id}/stream"
    assert (await refused(lab.people["nobody"], path))[:2] == (401, "not_signed_in")
    for name in ("grace", "olga"):
        assert await refused(lab.people[name], path) == (
            403,
            "not_session_holder",
            f"Board {held.fpga_id} is held by somebody else. Submit your design to get a board of your own.",
        )
    assert await refused(lab.people["grace"], path + "?observe=1") == (
        403,
        "observers_not_allowed",
        f"The holder of board {held.fpga_id} does not let others watch it. Ask them to allow observers.",
    )


async def test_handshakes_that_can_not_be(ada: Person, held: Held) -> None:
    path = f"/fpga/{held.fpga_id}/stream"
    free = 1 - held.fpga_id
    assert (await refused(ada, f"/fpga/{free}/stream"))[:2] == (409, "fpga_not_reserved")
    assert (await refused(ada, "/fpga/99/stream"))[:2] == (404, "fpga_not_found")
    assert (await refused(ada, "/fpga/x/stream"))[:2] == (404, "fpga_not_found")
    assert await refused(ada, path + "?observe=maybe") == (
        422,
        "invalid_request",
        '`observe` must be true or false; got "maybe".',
    )
    assert await refused(ada, path, {"Origin": "http://elsewhere.example"}) == (
        403,
        "cross_origin",
        "A page from http://elsewhere.example may not open this WebSocket; open it from a page of this server.",
    )
    assert ada.refusal("GET", path) == (
        426,
        "upgrade_required",
        f"/jupyter-fpga{path} speaks WebSocket only; open it with a WebSocket client.",
    )


async def test_events_from_nowhere(ada: Person) -> None:
    assert await refused(ada, "/events?since=x") == (422, "invalid_request", '`since` must be an integer; got "x".')
    status, code, message = await refused(ada, "/events?since=999999999")
    assert (status, code) == (422, "lsn_in_future")
    assert message.endswith(
        "and events after 999999999 were asked for: that number is from another log. Read the state anew and follow "
        "the log from its end."
    )


async def test_events_take_nothing(ada: Person) -> None:
    async with ada.socket("/events") as socket:
        await socket.read_message()
        await socket.write_message("hello")
        assert await socket.read_message() is None
        assert (socket.close_code, socket.close_reason) == (
            1008,
            "this socket only sends; open a board's stream to send requests",
        )


def words(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


BINARY: list[tuple[bytes, str]] = [
    (b"", FRAME + "it has 0 bytes, and its head alone takes 8."),
    (
        words(0x02000001, 0),
        FRAME + "it announces 1 word, which makes 12 bytes, and has 8. Send it whole, in one message.",
    ),
    (
        b"\xff" * 100,
        FRAME + "its op is 0xff; there are 0x01 (write) and 0x02 (read), with 0x80 for a fixed address.",
    ),
    (words(0x01000000, 0), FRAME + "it is a write without data. Give at least one word."),
    (words(0x01FFFFFF, 0), FRAME + "it announces 16777215 words, and a frame has at most 65536. Send several."),
    (
        words(0x02000002, 0, 1, 1),
        FRAME + "it is a read with 2 words of data, and a read has one: how many words to read.",
    ),
    (words(0x02000001, 0, 0), FRAME + "it asks for 0 words, and a frame reads 1 to 65536."),
    (words(0x02000001, 0, 0xFFFFFFFF), FRAME + "it asks for 4294967295 words, and a frame reads 1 to 65536."),
    (
        words(0x02000001, 2, 1),
        NOTHING + "the address 0x2 is misaligned; it must be a multiple of 4. The nearest register is 'duty' at 0x0.",
    ),
    (
        words(0x02000001, 0xFFFFFFFC, 1),
        NOTHING
        + "the address 0xfffffffc is outside the design's window of 0xc bytes. The nearest register is 'twice' at "
        "0x8.",
    ),
    (words(0x01000001, 0, 256), NOTHING + "the value 0x100 doesn't fit 'duty', which has 8 bits at 0x0."),
    (
        words(0x01000001, 4, 1),
        NOTHING
        + "the address 0x4 belongs to 'led', which can only be read. The nearest register that can be written is "
        "'duty' at 0x0.",
    ),
]


async def test_binary_frames(ada: Person, held: Held) -> None:
    async with ada.socket(f"/fpga/{held.fpga_id}/stream") as socket:
        for frame, _ in BINARY:
            # Not waited for: the answers come in order all the same, and what is right is carried out.
            await socket.write_message(frame, binary=True)
            await socket.write_message(words(0x02000001, 0, 1), binary=True)
        for _, message in BINARY:
            answer = decode_answer(await socket.read_message())
            assert (answer.ok, answer.message) == (False, message)
            answer = decode_answer(await socket.read_message())
            assert (answer.ok, answer.words) == (True, (0,))


async def test_a_message_with_a_frame_that_is_none(ada: Person, held: Held) -> None:
    read, write = words(0x02000001, 0, 1), words(0x01000001, 0, 5)
    left_out = "Nothing of this message was sent to the board, because of its frame 2."
    async with ada.socket(f"/fpga/{held.fpga_id}/stream") as socket:
        for frame, message in BINARY[1:]:
            message = message.replace("The frame can't", "Frame 2 of the message can't")
            await socket.write_message(read + write + frame, binary=True)
            answers = decode_answers(await socket.read_message())
            assert [(answer.left_out, answer.message) for answer in answers] == [
                (True, left_out),
                (True, left_out),
                (False, message),
            ]
        # Nothing of them was done.
        await socket.write_message(read, binary=True)
        assert decode_answer(await socket.read_message()).words == (0,)


async def test_messages_that_are_too_much(ada: Person, held: Held) -> None:
    async with ada.socket(f"/fpga/{held.fpga_id}/stream") as socket:
        for message, frame, why in (
            (words(0x02000001, 0, 1) * 700_000, 1024, "a message has at most 1024 frames."),
            (
                words(0x82000001, 0, 40_000) * 700,
                1,
                "with it they read and write 80000 words, and at most 65536 may be.",
            ),
        ):
            await socket.write_message(message, binary=True)
            *others, last = decode_answers(await socket.read_message())
            assert [answer.left_out for answer in others] == [True] * frame
            assert last.message == f"Frame {frame} of the message is too much: {why} Send several messages."
        await socket.write_message(words(0x02000001, 0, 1), binary=True)
        assert decode_answer(await socket.read_message()).words == (0,)


TEXT: list[tuple[str, str, str, Any]] = [
    ("", "frame_invalid", FRAME + "it isn't JSON (Expecting value: line 1 column 1 (char 0)).", None),
    ('{"op": NaN}', "frame_invalid", FRAME + "it isn't JSON (NaN is not a number in JSON).", None),
    ("[" * 100_000, "frame_invalid", FRAME + "it is nested too deep; a request is one flat JSON object.", None),
    (
        "[]",
        "frame_invalid",
        FRAME + "it is a JSON array, and a request is an object with 'op' and 'register' or 'address'.",
        None,
    ),
    (
        '{"op": "read", "register": "duty", "id": [1]}',
        "frame_invalid",
        FRAME + "its id is a JSON array; use a string or a whole number.",
        None,
    ),
    (
        "x" * 800_000,
        "frame_invalid",
        FRAME + "it has 800000 characters, and a message has at most 790528. Send several.",
        None,
    ),
    ('{"op": "erase", "id": 1}', "run_rejected", NOTHING + "op is 'erase'; use 1 or 'write', 2 or 'read'.", 1),
    (
        '{"op": "read", "id": "a"}',
        "run_rejected",
        NOTHING + "the transaction has neither address nor register; give one of them.",
        "a",
    ),
    (
        '{"op": "read", "register": "dutty", "id": 2}',
        "run_rejected",
        NOTHING + "the design has no register 'dutty'; the nearest is 'duty'.",
        2,
    ),
    (
        '{"op": "read", "address": 1e999, "id": 3}',
        "run_rejected",
        NOTHING + "address is inf; give a whole number.",
        3,
    ),
    (
        '{"op": "write", "register": "duty", "data": [256], "id": 4}',
        "run_rejected",
        NOTHING + "the value 256 doesn't fit 'duty', which has 8 bits (0 to 255).",
        4,
    ),
    (
        '{"op": "write", "register": "duty", "data": ["ON"], "id": 5}',
        "run_rejected",
        NOTHING + "the value 'ON' is a text, and 'duty' takes whole numbers.",
        5,
    ),
    (
        '{"op": "read", "register": "duty", "value": 1, "id": 6}',
        "run_rejected",
        NOTHING + "a transaction has no field 'value'; it has op, address, register, data, count, fixed_address.",
        6,
    ),
]


async def test_text_frames(ada: Person, held: Held) -> None:
    async with ada.socket(f"/fpga/{held.fpga_id}/stream") as socket:
        for frame, code, message, identity in TEXT:
            await socket.write_message(frame)
            answer = json.loads(await socket.read_message())
            assert (answer["ok"], answer["error"], answer["message"]) == (False, code, message)
            assert answer.get("id") == identity
        await socket.write_message('{"op": "read", "register": "duty", "id": 7}')
        assert json.loads(await socket.read_message()) == {"ok": True, "data": [0], "values": [0], "id": 7}


async def test_a_message_that_nobody_reads(ada: Person, held: Held) -> None:
    path = f"/fpga/{held.fpga_id}/stream"
    async with ada.socket(path) as socket:
        # The head of a masked binary message of a terabyte, which is refused before any of it is sent.
        await socket.protocol.stream.write(struct.pack(">BBQI", 0x82, 0xFF, 1 << 40, 0))
        assert await socket.read_message() is None
        assert (socket.close_code, socket.close_reason) == (1009, "message too big")
    async with ada.socket(path) as again:
        await again.write_message(words(0x02000001, 0, 1), binary=True)
        assert decode_answer(await again.read_message()).words == (0,)


async def test_an_observer_only_reads(ada: Person, grace: Person, held: Held) -> None:
    path = f"/fpga/{held.fpga_id}/session/observers"
    assert ada.ask("POST", path, {"allowed": True})[0] == 200
    async with grace.socket(f"/fpga/{held.fpga_id}/stream?observe=1") as socket:
        await socket.write_message('{"op": "write", "register": "duty", "data": [3]}')
        answer = json.loads(await socket.read_message())
        assert (answer["error"], answer["message"]) == (
            "observers_only_read",
            f"You watch board {held.fpga_id}, which its holder alone may write. Read, or submit a design of your own.",
        )
        await socket.write_message('{"op": "read", "register": "duty"}')
        assert json.loads(await socket.read_message())["data"] == [0]
        assert ada.ask("POST", path, {"allowed": False})[0] == 200
        assert await socket.read_message() is None
        assert socket.close_code == 4403
