"""The messages of the live path, ``WS …/stream``: binary frames, or their twin in JSON, one for each read or write.

A binary request is ``op(1) length(3) address(4) data(4×length)``, all big endian, the address a byte offset in the
window. Op 1 writes ``data``; op 2 reads, and its single word of data says how many words. With 0x80 added to the op all
words go to, or come from, the one address. The answer is ``status(1) length(3) data(4×length)``: status 0 and the words
read, or status 1 and a sentence in UTF-8, filled with NULs to whole words. (The layout is the peer system's, whose
client takes no notice of an error's data.)

*Several in one message.* A binary message has one request frame, or several, one right after the other: they are one
run on the bus, done in their order, and share the wire's frames. The answer is one message with their answers in the
same order. It has at most :data:`MAX_MESSAGE_FRAMES` frames, which read and write at most :data:`MAX_FRAME_WORDS` words
together. Each frame counts for the rate limit, for what waits to be answered, and in the lab's numbers, as if it had
come alone. What fails:

- A frame that can't be understood or may not be done: nothing of its message reaches the board. It is answered with
  status 1 and its sentence, the others with status 2, which is an error as well: not by their own fault, but because of
  the frame that the sentence names (the first of a message is frame 0). A message that isn't well formed is answered up
  to the frame that isn't, as nobody knows where another would begin.
- A frame that the board didn't do: those before it have their results, it has status 1 and its sentence, those behind
  it have status 2 and a sentence that says whether they were carried out all the same (by a board that speaks UARTBone
  only). Where the outcome can't be known, each frame that was on the wire has status 1 and says so.

Status 2 comes in answers to messages of several frames only.

A text request is a JSON object, one in each message. It has the fields of a transaction of ``POST …/run``, names
included, and an ``id`` of the sender's choice that comes back with the answer: ``{"ok": true, "data": […]}`` with
``values`` and, where the design has an enum, ``names`` for what was asked for by name; or ``{"ok": false, "error": …,
"message": …, "detail": {…}}``.
"""

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_fpga.errors import Conflict, Invalid, LabError

__all__ = (
    "MAX_FRAME_BYTES",
    "MAX_FRAME_WORDS",
    "MAX_MESSAGE_FRAMES",
    "MAX_TEXT_CHARACTERS",
    "Answer",
    "LeftOut",
    "Request",
    "TextRequest",
    "decode_answers",
    "decode_message",
    "decode_text",
    "encode_answers",
    "encode_refusal",
    "encode_request",
    "encode_text_answer",
    "encode_text_error",
)

#: Words that one frame may write or read, or all of one message together: 256 KiB, which keep a wire of 1 Mbaud busy
#: for 2.6 s.
MAX_FRAME_WORDS = 65_536

#: Frames of one message: as many single reads keep a wire of 1 Mbaud busy for 40 ms, and the lab, which checks them
#: all before the first is sent, for less than 10.
MAX_MESSAGE_FRAMES = 1024

_REQUEST_HEAD = 8
_ANSWER_HEAD = 4

#: Bytes of the largest request.
MAX_FRAME_BYTES = _REQUEST_HEAD + 4 * MAX_FRAME_WORDS

#: Characters of the largest text request: as many words, written out in decimal with commas and spaces.
MAX_TEXT_CHARACTERS = 12 * MAX_FRAME_WORDS + 4096

_WRITE, _READ, _FIXED = 1, 2, 0x80
_OK, _ERROR, _LEFT_OUT = 0, 1, 2


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
    """A binary answer: the words read, or (``ok`` false) what went wrong, with another frame when ``left_out``."""

    ok: bool
    words: tuple[int, ...] = ()
    message: str = ""
    left_out: bool = False


class LeftOut(Conflict):
    """Why a frame has no result though nothing is wrong with it: another frame of its message failed."""

    default_code = "left_out"

    @classmethod
    def before_the_board(cls, frame: int) -> "LeftOut":
        """Nothing of the message may be done, because of ``frame``."""
        return cls(f"Nothing of this message was sent to the board, because of its frame {frame}.")


def decode_message(message: bytes) -> Request | tuple[Request, ...]:
    """The request in ``message``, or the requests when there are several.

    Raises
    ------
    Invalid
        ``frame_invalid``: one of them isn't well formed, or the message has more than it may have. The sentence says
        where; ``detail["frame"]`` is how many frames are before it.
    """
    requests: list[Request] = []
    at = words = 0
    while True:
        number = len(requests)
        if number == MAX_MESSAGE_FRAMES:
            raise _too_much(number, f"a message has at most {number} frames.")
        request, at = _decode_request(message, at, number)
        words += request.count
        if words > MAX_FRAME_WORDS:
            raise _too_much(number, f"with it they read and write {words} words, and at most {MAX_FRAME_WORDS} may be.")
        requests.append(request)
        if at == len(message):
            return tuple(requests) if number else request


def _decode_request(message: bytes, at: int, number: int) -> tuple[Request, int]:
    """The frame that begins at ``at``, and where the next one would."""
    left = len(message) - at
    if left < _REQUEST_HEAD:
        raise _invalid(f"it has {left} bytes, and its head alone takes {_REQUEST_HEAD}.", number)
    head, address = struct.unpack_from(">II", message, at)
    op, length = head >> 24, head & 0xFF_FFFF
    if op & ~_FIXED not in (_WRITE, _READ):
        raise _invalid(
            f"its op is {op:#04x}; there are 0x01 (write) and 0x02 (read), with 0x80 for a fixed address.", number
        )
    if length > MAX_FRAME_WORDS:
        raise _invalid(f"it announces {length} words, and a frame has at most {MAX_FRAME_WORDS}. Send several.", number)
    size = _REQUEST_HEAD + 4 * length
    if left < size:
        raise _invalid(
            f"it announces {length} {_words(length)}, which makes {size} bytes, and has {left}. Send it whole, in one "
            "message.",
            number,
        )
    words = struct.unpack_from(f">{length}I", message, at + _REQUEST_HEAD)
    fixed = bool(op & _FIXED)
    if op & ~_FIXED == _WRITE:
        if not length:
            raise _invalid("it is a write without data. Give at least one word.", number)
        return Request(address, words, length, fixed), at + size
    if length != 1:
        raise _invalid(f"it is a read with {length} words of data, and a read has one: how many words to read.", number)
    if not 1 <= words[0] <= MAX_FRAME_WORDS:
        raise _invalid(f"it asks for {words[0]} words, and a frame reads 1 to {MAX_FRAME_WORDS}.", number)
    return Request(address, None, words[0], fixed), at + size


def encode_request(request: Request) -> bytes:
    """The frame of ``request``."""
    flag = _FIXED if request.fixed_address else 0
    if request.words is None:
        return struct.pack(">III", (_READ | flag) << 24 | 1, request.address, request.count)
    length = len(request.words)
    return struct.pack(f">II{length}I", (_WRITE | flag) << 24 | length, request.address, *request.words)


def encode_answers(answers: Iterable[Sequence[int] | LabError]) -> bytes:
    """The answers to the requests of one message: the words read (none for a write), or why there are none."""
    return b"".join(
        _encode_error(answer)
        if isinstance(answer, LabError)
        else struct.pack(f">I{len(answer)}I", _OK << 24 | len(answer), *answer)
        for answer in answers
    )


def encode_refusal(asked: Request | tuple[Request, ...] | None, error: LabError) -> bytes:
    """The answer to a message that was refused as a whole; ``None`` for one that :func:`decode_message` refused."""
    if asked is None:
        frame = error.detail.get("frame", 0)
        return encode_answers([LeftOut.before_the_board(frame)] * frame + [error])
    return encode_answers([error] * (len(asked) if isinstance(asked, tuple) else 1))


def _encode_error(error: LabError) -> bytes:
    text = error.message.encode()
    text += b"\0" * (-len(text) % 4)
    status = _LEFT_OUT if isinstance(error, LeftOut) else _ERROR
    return struct.pack(">I", status << 24 | len(text) // 4) + text


def decode_answers(message: bytes) -> list[Answer]:
    """The answers in ``message``.

    Raises
    ------
    Invalid
        ``frame_invalid``: one of them isn't well formed.
    """
    answers: list[Answer] = []
    at = 0
    while at < len(message) or not answers:
        answer, at = _decode_answer(message, at, len(answers))
        answers.append(answer)
    return answers


def _decode_answer(message: bytes, at: int, number: int) -> tuple[Answer, int]:
    """The answer that begins at ``at``, and where the next one would."""
    left = len(message) - at
    if left < _ANSWER_HEAD:
        raise _invalid(f"it has {left} bytes, and its head alone takes {_ANSWER_HEAD}.", number)
    (head,) = struct.unpack_from(">I", message, at)
    status, length = head >> 24, head & 0xFF_FFFF
    if status not in (_OK, _ERROR, _LEFT_OUT):
        raise _invalid(
            f"its status is {status}, and there are 0 (ok), 1 (error) and 2 (left out, because of another).", number
        )
    size = _ANSWER_HEAD + 4 * length
    if left < size:
        raise _invalid(
            f"it announces {length} {_words(length)}, which makes {size} bytes, and has {left}.",
            number,
        )
    begin = at + _ANSWER_HEAD
    if status == _OK:
        return Answer(True, struct.unpack_from(f">{length}I", message, begin)), at + size
    text = message[begin : at + size].rstrip(b"\0").decode(errors="replace")
    return Answer(False, (), text, status == _LEFT_OUT), at + size


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


def _invalid(why: str, frame: int = 0) -> Invalid:
    which = f"Frame {frame} of the message" if frame else "The frame"
    return Invalid(f"{which} can't be understood: {why}", code="frame_invalid", detail={"frame": frame})


def _too_much(frame: int, why: str) -> Invalid:
    return Invalid(
        f"Frame {frame} of the message is too much: {why} Send several messages.",
        code="frame_invalid",
        detail={"frame": frame},
    )


def _words(count: int) -> str:
    return "word" if count == 1 else "words"


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]
