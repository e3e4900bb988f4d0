"""The messages of the live path, ``WS …/stream``: one binary frame, or its twin in JSON, for each read or write.

A binary request is ``op(1) length(3) address(4) data(4×length)``, all big endian, the address a byte offset in the
window. Op 1 writes ``data``; op 2 reads, and its single word of data says how many words. With 0x80 added to the op all
words go to, or come from, the one address. The answer is ``status(1) length(3) data(4×length)``: status 0 and the words
read, or status 1 and a sentence in UTF-8, filled with NULs to whole words. (The layout is the peer system's, whose
client takes no notice of an error's data.)

A text request is a JSON object with the fields of a transaction of ``POST …/run``, names included, and an ``id`` of the
sender's choice that comes back with the answer: ``{"ok": true, "data": […]}`` with ``values`` and, where the design has
an enum, ``names`` for what was asked for by name; or ``{"ok": false, "error": …, "message": …, "detail": {…}}``.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_fpga.errors import Invalid, LabError

__all__ = (
    "MAX_FRAME_BYTES",
    "MAX_FRAME_WORDS",
    "MAX_TEXT_CHARACTERS",
    "Answer",
    "Request",
    "TextRequest",
    "decode_answer",
    "decode_request",
    "decode_text",
    "encode_answer",
    "encode_error",
    "encode_request",
    "encode_text_answer",
    "encode_text_error",
)

#: Words that one frame may write or read: 256 KiB, which keep a wire of 1 Mbaud busy for 2.6 s.
MAX_FRAME_WORDS = 65_536

_REQUEST_HEAD = 8
_ANSWER_HEAD = 4

#: Bytes of the largest request.
MAX_FRAME_BYTES = _REQUEST_HEAD + 4 * MAX_FRAME_WORDS

#: Characters of the largest text request: as many words, written out in decimal with commas and spaces.
MAX_TEXT_CHARACTERS = 12 * MAX_FRAME_WORDS + 4096

_WRITE, _READ, _FIXED = 1, 2, 0x80
_OK, _ERROR = 0, 1


@dataclass(frozen=True, slots=True)
class Request:
    """A binary request.

    Parameters
    ----------
    address
        Byte offset in the window; not checked against any design.
    words
        What a write writes; ``None`` for a read.
    count
        How many words.
    fixed_address
        All words go to, or come from, the one address.
    """

    address: int
    words: tuple[int, ...] | None
    count: int
    fixed_address: bool = False


@dataclass(frozen=True, slots=True)
class TextRequest:
    """A text request: a transaction as ``POST …/run`` has it, not checked yet, and the sender's ``id``."""

    transaction: dict[str, Any]
    id: str | int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A binary answer: the words read, or (``ok`` false) what went wrong."""

    ok: bool
    words: tuple[int, ...] = ()
    message: str = ""


def decode_request(frame: bytes) -> Request:
    """The request in ``frame``, which must be exactly one.

    Raises
    ------
    Invalid
        ``frame_invalid``: the frame isn't well formed. The sentence says where.
    """
    if len(frame) < _REQUEST_HEAD:
        raise _invalid(f"it has {len(frame)} bytes, and its head alone takes {_REQUEST_HEAD}.")
    head, address = struct.unpack_from(">II", frame)
    op, length = head >> 24, head & 0xFF_FFFF
    if op & ~_FIXED not in (_WRITE, _READ):
        raise _invalid(f"its op is {op:#04x}; there are 0x01 (write) and 0x02 (read), with 0x80 for a fixed address.")
    if length > MAX_FRAME_WORDS:
        raise _invalid(f"it announces {length} words, and a frame has at most {MAX_FRAME_WORDS}. Send several.")
    if len(frame) != _REQUEST_HEAD + 4 * length:
        raise _invalid(
            f"it announces {length} {_words(length)}, which makes {_REQUEST_HEAD + 4 * length} bytes, and has "
            f"{len(frame)}. Send one request in each message."
        )
    words = struct.unpack_from(f">{length}I", frame, _REQUEST_HEAD)
    fixed = bool(op & _FIXED)
    if op & ~_FIXED == _WRITE:
        if not length:
            raise _invalid("it is a write without data. Give at least one word.")
        return Request(address, words, length, fixed)
    if length != 1:
        raise _invalid(f"it is a read with {length} words of data, and a read has one: how many words to read.")
    if not 1 <= words[0] <= MAX_FRAME_WORDS:
        raise _invalid(f"it asks for {words[0]} words, and a frame reads 1 to {MAX_FRAME_WORDS}.")
    return Request(address, None, words[0], fixed)


def encode_request(request: Request) -> bytes:
    """The frame of ``request``."""
    flag = _FIXED if request.fixed_address else 0
    if request.words is None:
        return struct.pack(">III", (_READ | flag) << 24 | 1, request.address, request.count)
    length = len(request.words)
    return struct.pack(f">II{length}I", (_WRITE | flag) << 24 | length, request.address, *request.words)


def encode_answer(words: Sequence[int]) -> bytes:
    """The answer to a request that was carried out: the words read, none for a write."""
    return struct.pack(f">I{len(words)}I", _OK << 24 | len(words), *words)


def encode_error(error: LabError) -> bytes:
    """The answer to a request that wasn't carried out."""
    text = error.message.encode()
    text += b"\0" * (-len(text) % 4)
    return struct.pack(">I", _ERROR << 24 | len(text) // 4) + text


def decode_answer(frame: bytes) -> Answer:
    """The answer in ``frame``.

    Raises
    ------
    Invalid
        ``frame_invalid``: the frame isn't well formed.
    """
    if len(frame) < _ANSWER_HEAD:
        raise _invalid(f"it has {len(frame)} bytes, and its head alone takes {_ANSWER_HEAD}.")
    (head,) = struct.unpack_from(">I", frame)
    status, length = head >> 24, head & 0xFF_FFFF
    if status not in (_OK, _ERROR):
        raise _invalid(f"its status is {status}, and there are 0 (ok) and 1 (error).")
    if len(frame) != _ANSWER_HEAD + 4 * length:
        raise _invalid(
            f"it announces {length} {_words(length)}, which makes {_ANSWER_HEAD + 4 * length} bytes, "
            f"and has {len(frame)}."
        )
    if status == _ERROR:
        return Answer(False, (), frame[_ANSWER_HEAD:].rstrip(b"\0").decode(errors="replace"))
    return Answer(True, struct.unpack_from(f">{length}I", frame, _ANSWER_HEAD))


def decode_text(text: str) -> TextRequest:
    """The request in a text message. Its transaction is checked where the design is known.

    Raises
    ------
    Invalid
        ``frame_invalid``: the text isn't a JSON object, is too long, or has an ``id`` that isn't one.
    """
    if len(text) > MAX_TEXT_CHARACTERS:
        raise _invalid(f"it has {len(text)} characters, and a message has at most {MAX_TEXT_CHARACTERS}. Send several.")
    try:
        data = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise _invalid("it is nested too deep; a request is one flat JSON object.") from None
    except ValueError as error:
        raise _invalid(f"it isn't JSON ({error}).") from None
    if not isinstance(data, dict):
        raise _invalid(f"it is a JSON {_kind(data)}, and a request is an object with 'op' and 'register' or 'address'.")
    identity = data.pop("id", None)
    if identity is not None and (isinstance(identity, bool) or not isinstance(identity, str | int)):
        raise _invalid(f"its id is a JSON {_kind(identity)}; use a string or a whole number.")
    return TextRequest(data, identity)


def encode_text_answer(request: TextRequest, answer: Mapping[str, Any]) -> str:
    """The text answer to a request that was carried out; ``answer`` is what :meth:`Access.answer` gave."""
    return json.dumps({"ok": True, **answer, **_identity(request)})


def encode_text_error(request: TextRequest | None, error: LabError) -> str:
    """The text answer to a request that wasn't; ``None`` for a message that wasn't even a request."""
    return json.dumps({"ok": False, **error.as_dict(), **_identity(request)})


def _identity(request: TextRequest | None) -> dict[str, Any]:
    return {} if request is None or request.id is None else {"id": request.id}


def _invalid(why: str) -> Invalid:
    return Invalid(f"The frame can't be understood: {why}", code="frame_invalid")


def _words(count: int) -> str:
    return "word" if count == 1 else "words"


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]
