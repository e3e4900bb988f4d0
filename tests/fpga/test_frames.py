"""The messages of the live path: their bytes, and the full text of every refusal."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_fpga.errors import Conflict, Invalid
from jupyter_fpga.fpga import frames
from jupyter_fpga.fpga.frames import MAX_FRAME_BYTES, MAX_FRAME_WORDS, MAX_TEXT_CHARACTERS, Answer, Request, TextRequest

WORD = st.integers(0, 0xFFFF_FFFF)
REQUESTS = st.one_of(
    st.builds(
        lambda address, words, fixed: Request(address, tuple(words), len(words), fixed),
        WORD,
        st.lists(WORD, min_size=1, max_size=50),
        st.booleans(),
    ),
    st.builds(Request, WORD, st.none(), st.integers(1, MAX_FRAME_WORDS), st.booleans()),
)


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
    assert frames.decode_request(bytes.fromhex(frame)) == request_


def test_the_bytes_of_answers():
    assert frames.encode_answer([]) == bytes.fromhex("00 000000")
    assert frames.encode_answer([1, 2]) == bytes.fromhex("00 000002 00000001 00000002")
    assert frames.encode_error(Conflict("No.")) == bytes.fromhex("01 000001") + b"No.\0"
    assert frames.decode_answer(frames.encode_answer([1, 2])) == Answer(True, (1, 2))
    assert frames.decode_answer(frames.encode_error(Conflict("Später."))) == Answer(False, (), "Später.")


@given(REQUESTS)
def test_a_request_survives_its_frame(request_: Request):
    assert frames.decode_request(frames.encode_request(request_)) == request_


@given(st.binary(max_size=64))
def test_any_bytes_are_a_request_or_refused(frame: bytes):
    try:
        request = frames.decode_request(frame)
    except Invalid:
        return
    assert frames.encode_request(request) == frame


@given(REQUESTS, st.data())
def test_a_frame_with_bytes_missing_or_too_many_is_refused(request_: Request, data: st.DataObject):
    frame = frames.encode_request(request_)
    cut = data.draw(st.integers(0, len(frame) - 1))
    more = data.draw(st.binary(min_size=1, max_size=8))
    for wrong in (frame[:cut], frame + more):
        with pytest.raises(Invalid):
            frames.decode_request(wrong)


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
            "it announces 2 words, which makes 16 bytes, and has 12. Send one request in each message.",
        ),
        (
            head(1, 1) + bytes(5),
            "it announces 1 word, which makes 12 bytes, and has 13. Send one request in each message.",
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
        frames.decode_request(frame)
    assert refusal.value.message == f"The frame can't be understood: {why}"
    assert refusal.value.code == "frame_invalid"


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (b"\0\0", "it has 2 bytes, and its head alone takes 4."),
        (bytes.fromhex("02 000000"), "its status is 2, and there are 0 (ok) and 1 (error)."),
        (bytes.fromhex("00 000001"), "it announces 1 word, which makes 8 bytes, and has 4."),
    ],
)
def test_answers_that_are_refused(frame: bytes, why: str):
    with pytest.raises(Invalid) as refusal:
        frames.decode_answer(frame)
    assert refusal.value.message == f"The frame can't be understood: {why}"


def test_the_largest_frame_is_taken():
    request = Request(0, (0,) * MAX_FRAME_WORDS, MAX_FRAME_WORDS)
    frame = frames.encode_request(request)
    assert len(frame) == MAX_FRAME_BYTES
    assert frames.decode_request(frame) == request


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
