"""The messages of the live path: their bytes, and the full text of every refusal."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_fpga.errors import Conflict, Invalid
from jupyter_fpga.fpga import frames
from jupyter_fpga.fpga.frames import (
    MAX_FRAME_BYTES,
    MAX_FRAME_WORDS,
    MAX_MESSAGE_FRAMES,
    MAX_TEXT_CHARACTERS,
    Answer,
    LeftOut,
    Request,
    TextRequest,
)

WORD = st.integers(0, 0xFFFF_FFFF)


def requests(written: int, read: int) -> st.SearchStrategy[Request]:
    """Requests that write or read at most so many words."""
    return st.one_of(
        st.builds(
            lambda address, words, fixed: Request(address, tuple(words), len(words), fixed),
            WORD,
            st.lists(WORD, min_size=1, max_size=written),
            st.booleans(),
        ),
        st.builds(Request, WORD, st.none(), st.integers(1, read), st.booleans()),
    )


REQUESTS = requests(50, MAX_FRAME_WORDS)


@pytest.mark.parametrize(
    ("request_", "frame"),
    [
        (Request(0x20, (1, 0xAABBCCDD), 2), "01 000002 00000020 00000001 aabbccdd"),
        (Request(0x20, (1, 2), 2, True), "81 000002 00000020 00000001 00000002"),
        (Request(0x104, None, 3), "02 000001 00000104 00000003"),
        (Request(0x104, None, 3, True), "82 000001 00000104 00000003"),
    ],
)
def test_the_bytes_of_requests(request_: Request, frame: str):
    assert frames.encode_request(request_) == bytes.fromhex(frame)
    assert frames.decode_message(bytes.fromhex(frame)) == request_


def test_the_bytes_of_answers():
    assert frames.encode_answers([[]]) == bytes.fromhex("00 000000")
    assert frames.encode_answers([[1, 2]]) == bytes.fromhex("00 000002 00000001 00000002")
    assert frames.encode_answers([Conflict("No.")]) == bytes.fromhex("01 000001") + b"No.\0"
    assert frames.decode_answers(frames.encode_answers([[1, 2]])) == [Answer(True, (1, 2))]
    assert frames.decode_answers(frames.encode_answers([Conflict("Später.")])) == [Answer(False, (), "Später.")]


@given(REQUESTS)
def test_a_request_survives_its_frame(request_: Request):
    assert frames.decode_message(frames.encode_request(request_)) == request_


@given(st.binary(max_size=64))
def test_any_bytes_are_requests_or_refused(message: bytes):
    try:
        asked = frames.decode_message(message)
    except Invalid:
        return
    assert b"".join(map(frames.encode_request, asked if isinstance(asked, tuple) else (asked,))) == message


@given(REQUESTS, st.data())
def test_a_frame_with_bytes_missing_is_refused(request_: Request, data: st.DataObject):
    frame = frames.encode_request(request_)
    cut = data.draw(st.integers(0, len(frame) - 1))
    with pytest.raises(Invalid):
        frames.decode_message(frame[:cut])


SMALL = requests(5, 100)


@given(st.lists(SMALL, min_size=2, max_size=20), st.data())
def test_several_requests_survive_their_message(requests: list[Request], data: st.DataObject):
    encoded = [frames.encode_request(request) for request in requests]
    assert frames.decode_message(b"".join(encoded)) == tuple(requests)
    # A message that ends within its last frame, or goes on with less than a head, names the frame that is wrong.
    cut = data.draw(st.integers(1, len(encoded[-1]) - 1))
    for wrong, frame in (
        (b"".join(encoded)[:-cut], len(requests) - 1),
        (b"".join(encoded) + data.draw(st.binary(min_size=1, max_size=7)), len(requests)),
    ):
        with pytest.raises(Invalid) as refusal:
            frames.decode_message(wrong)
        assert refusal.value.detail == {"frame": frame}


READ = frames.encode_request(Request(0, None, 1))


@pytest.mark.parametrize(
    ("message", "frame", "text"),
    [
        (
            READ + b"x",
            1,
            "Frame 1 of the message can't be understood: it has 1 bytes, and its head alone takes 8.",
        ),
        (
            READ * 2 + b"\xff" * 12,
            2,
            "Frame 2 of the message can't be understood: its op is 0xff; there are 0x01 (write) and 0x02 (read), with "
            "0x80 for a fixed address.",
        ),
        (
            READ + READ[:8],
            1,
            "Frame 1 of the message can't be understood: it announces 1 word, which makes 12 bytes, and has 8. Send it "
            "whole, in one message.",
        ),
        (
            READ * (MAX_MESSAGE_FRAMES + 1),
            MAX_MESSAGE_FRAMES,
            "Frame 1024 of the message is too much: a message has at most 1024 frames. Send several messages.",
        ),
        (
            frames.encode_request(Request(0, None, MAX_FRAME_WORDS - 1))
            + frames.encode_request(Request(0, (7,), 1))
            + READ
            + READ,
            2,
            "Frame 2 of the message is too much: with it they read and write 65537 words, and at most 65536 may be. "
            "Send several messages.",
        ),
    ],
    ids=["a byte too many", "garbage", "cut off", "too many frames", "too many words"],
)
def test_messages_that_are_refused(message: bytes, frame: int, text: str):
    with pytest.raises(Invalid) as refusal:
        frames.decode_message(message)
    assert (refusal.value.message, refusal.value.code) == (text, "frame_invalid")
    assert refusal.value.detail == {"frame": frame}
    others = Answer(
        False, (), f"Nothing of this message was sent to the board, because of its frame {frame}.", left_out=True
    )
    assert frames.decode_answers(frames.encode_refusal(None, refusal.value)) == [
        *[others] * frame,
        Answer(False, (), text),
    ]


def test_the_fullest_messages_are_taken():
    assert frames.decode_message(READ * MAX_MESSAGE_FRAMES) == (Request(0, None, 1),) * MAX_MESSAGE_FRAMES
    words = Request(4, None, MAX_FRAME_WORDS // 2), Request(8, (0,) * (MAX_FRAME_WORDS // 2), MAX_FRAME_WORDS // 2)
    assert frames.decode_message(b"".join(map(frames.encode_request, words))) == words


def test_the_answers_of_one_message():
    left_out = LeftOut.before_the_board(3)
    message = frames.encode_answers([[1, 2], [], Conflict("No."), left_out])
    expected = bytes.fromhex("00 000002 00000001 00000002 00 000000 01 000001") + b"No.\0" + bytes.fromhex("02 000012")
    assert message == expected + b"Nothing of this message was sent to the board, because of its frame 3.\0\0"
    assert frames.decode_answers(message) == [
        Answer(True, (1, 2)),
        Answer(True),
        Answer(False, (), "No."),
        Answer(False, (), "Nothing of this message was sent to the board, because of its frame 3.", left_out=True),
    ]
    # A message that is refused as a whole has an answer for each of its frames.
    one, three = Request(0, None, 1), (Request(0, None, 1),) * 3
    no = Answer(False, (), "No.")
    assert frames.decode_answers(frames.encode_refusal(one, Conflict("No."))) == [no]
    assert frames.decode_answers(frames.encode_refusal(three, Conflict("No."))) == [no] * 3


def head(op: int, length: int, address: int = 0) -> bytes:
    return struct.pack(">II", op << 24 | length, address)


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (b"", "it has 0 bytes, and its head alone takes 8."),
        (b"\1\0\0", "it has 3 bytes, and its head alone takes 8."),
        (head(0, 0), "its op is 0x00; there are 0x01 (write) and 0x02 (read), with 0x80 for a fixed address."),
        (head(0x83, 0), "its op is 0x83; there are 0x01 (write) and 0x02 (read), with 0x80 for a fixed address."),
        (head(1, 0), "it is a write without data. Give at least one word."),
        (
            head(1, 2) + bytes(4),
            "it announces 2 words, which makes 16 bytes, and has 12. Send it whole, in one message.",
        ),
        (head(1, 65_537), "it announces 65537 words, and a frame has at most 65536. Send several."),
        (head(2, 0), "it is a read with 0 words of data, and a read has one: how many words to read."),
        (head(2, 2) + bytes(8), "it is a read with 2 words of data, and a read has one: how many words to read."),
        (head(2, 1) + bytes(4), "it asks for 0 words, and a frame reads 1 to 65536."),
        (head(2, 1) + b"\xff" * 4, "it asks for 4294967295 words, and a frame reads 1 to 65536."),
    ],
)
def test_frames_that_are_refused(frame: bytes, why: str):
    with pytest.raises(Invalid) as refusal:
        frames.decode_message(frame)
    assert refusal.value.message == f"The frame can't be understood: {why}"
    assert refusal.value.code == "frame_invalid"


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (b"\0\0", "it has 2 bytes, and its head alone takes 4."),
        (
            bytes.fromhex("03 000000"),
            "its status is 3, and there are 0 (ok), 1 (error) and 2 (left out, because of another).",
        ),
        (bytes.fromhex("00 000001"), "it announces 1 word, which makes 8 bytes, and has 4."),
    ],
)
def test_answers_that_are_refused(frame: bytes, why: str):
    with pytest.raises(Invalid) as refusal:
        frames.decode_answers(frame)
    assert refusal.value.message == f"The frame can't be understood: {why}"


def test_the_largest_frame_is_taken():
    request = Request(0, (0,) * MAX_FRAME_WORDS, MAX_FRAME_WORDS)
    frame = frames.encode_request(request)
    assert len(frame) == MAX_FRAME_BYTES
    assert frames.decode_message(frame) == request


def test_text_requests():
    assert frames.decode_text('{"op": "read", "register": "duty"}') == TextRequest({"op": "read", "register": "duty"})
    assert frames.decode_text('{"id": 7, "op": 2, "address": 0}') == TextRequest({"op": 2, "address": 0}, 7)
    assert frames.decode_text('{"id": "a"}') == TextRequest({}, "a")


def test_text_answers():
    asked = TextRequest({}, 7)
    assert json.loads(frames.encode_text_answer(asked, {"data": [1], "values": [1]})) == {
        "ok": True,
        "data": [1],
        "values": [1],
        "id": 7,
    }
    error = Conflict("No.", code="link_busy", detail={"holder": "a capture"})
    assert json.loads(frames.encode_text_error(asked, error)) == {
        "ok": False,
        "error": "link_busy",
        "message": "No.",
        "detail": {"holder": "a capture"},
        "id": 7,
    }
    assert "id" not in json.loads(frames.encode_text_error(None, error))
    assert "id" not in json.loads(frames.encode_text_answer(TextRequest({}), {"data": []}))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it isn't JSON (Expecting value: line 1 column 1 (char 0))."),
        ('{"op": 1,}', None),
        ('{"op": NaN}', "it isn't JSON (NaN is not a number in JSON)."),
        ("[" * 100_000, "it is nested too deep; a request is one flat JSON object."),
        ("[1]", "it is a JSON array, and a request is an object with 'op' and 'register' or 'address'."),
        ("null", "it is a JSON null, and a request is an object with 'op' and 'register' or 'address'."),
        ("true", "it is a JSON boolean, and a request is an object with 'op' and 'register' or 'address'."),
        ('{"id": [1]}', "its id is a JSON array; use a string or a whole number."),
        ('{"id": true}', "its id is a JSON boolean; use a string or a whole number."),
        ('{"id": 1.5}', "its id is a JSON number; use a string or a whole number."),
        (
            " " * (MAX_TEXT_CHARACTERS + 1),
            f"it has {MAX_TEXT_CHARACTERS + 1} characters, and a message has at most {MAX_TEXT_CHARACTERS}. "
            "Send several.",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_texts_that_are_refused(text: str, why: str | None):
    with pytest.raises(Invalid) as refusal:
        frames.decode_text(text)
    # What Python says of a comma too many differs by version.
    if why is not None:
        assert refusal.value.message == f"The frame can't be understood: {why}"
    assert refusal.value.code == "frame_invalid"


@given(st.text(max_size=50))
def test_any_text_is_a_request_or_refused(text: str):
    try:
        request = frames.decode_text(text)
    except Invalid:
        return
    assert isinstance(request.transaction, dict)
