"""The live path: one WebSocket to a board's bus, many frames in flight, answers in order.

The binary frames are those of the API (``spec`` of ``WS …/stream``), all big endian:
``op(1) length(3) address(4) data(4·length)``, op 1 write (with 0x80: fixed address), 2 read, whose single data word is
the number of words wanted; answered by ``status(1) length(3) data``: status 0 and the words, or 1 and a sentence in
UTF-8, filled with NULs to whole words.

A message has several of them, one right after the other, as many as the API's limits allow. They are one run on the
bus, so that a batch fills the wire's own frames, and come back in one message. When one of them can't be done, nothing
of its message is; when the board doesn't do one, those behind it are left out. Those others have status 2, which is an
error of somebody else's.
"""

import asyncio
import contextlib
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tornado.websocket import WebSocketClientConnection, WebSocketClosedError

from .door import Door
from .errors import AccessFailed, Conflict, Forbidden, LabError, Unavailable
from .ports import Operation

__all__ = ("LiveLink", "Refused", "decode_answers", "design_replaced", "encode_message")

WRITE, READ, FIXED = 1, 2, 0x80
OK, LEFT_OUT = 0, 2
#: Frames of one message, and words that they read and write together: the API's limits.
MAX_FRAMES, MAX_WORDS = 1024, 65_536
#: Bytes of a message that is waited for until the connection has taken it.
LARGE = 4096
#: Close codes of the API.
SHUT_OUT, LINK_BUSY, SESSION_ENDED, DESIGN_REPLACED = 4403, 4409, 4410, 4411


@dataclass(frozen=True)
class Refused:
    """What a frame is answered with that has no result.

    Parameters
    ----------
    sentence
        Why; may be empty.
    left_out
        Whether another frame of its message is to blame.
    """

    sentence: str
    left_out: bool = False


def encode_message(operations: Sequence[Operation]) -> bytes:
    """The request frames of operations, one after the other."""
    return b"".join(_encode_frame(operation) for operation in operations)


def _encode_frame(operation: Operation) -> bytes:
    fixed = FIXED if operation.fixed else 0
    if operation.data is None:
        return struct.pack(">III", (READ | fixed) << 24 | 1, operation.offset, operation.count)
    words = operation.data
    return struct.pack(f">II{len(words)}I", (WRITE | fixed) << 24 | len(words), operation.offset, *words)


def decode_answers(message: bytes) -> list[list[int] | Refused]:
    """The words of each answer in a message, or why there are none.

    Raises
    ------
    ValueError
        The message's length isn't what the heads in it say.
    """
    answers: list[list[int] | Refused] = []
    at = 0
    while at < len(message) or not answers:
        left = len(message) - at
        if left < 4:
            raise ValueError(f"an answer of {left} bytes has no head")
        (head,) = struct.unpack_from(">I", message, at)
        status, count = head >> 24, head & 0xFF_FFFF
        if left < 4 + 4 * count:
            raise ValueError(f"an answer of {left} bytes says that it has {count} words")
        begin, at = at + 4, at + 4 + 4 * count
        if status == OK:
            answers.append(list(struct.unpack_from(f">{count}I", message, begin)))
        else:
            answers.append(Refused(message[begin:at].rstrip(b"\0").decode(errors="replace"), status == LEFT_OUT))
    return answers


def design_replaced(fpga_id: int) -> Conflict:
    """What a handle says whose board runs another design by now: its registers would be read by the wrong layout."""
    return Conflict(
        f"Board {fpga_id} has been programmed with another design since, from another notebook or terminal; nothing "
        f"was read or written. Run this design's cell again, or take up the new design with “%fpga attach {fpga_id}”.",
        code="design_replaced",
        detail={"fpga_id": fpga_id},
    )


class LiveLink:
    """One open stream.

    Use :meth:`open`. When the connection is lost, every operation that waits for an answer fails: whether it reached
    the board can't be known.
    """

    def __init__(self, connection: WebSocketClientConnection, fpga_id: int) -> None:
        self._connection = connection
        self._fpga_id = fpga_id
        self._waiting: deque[tuple[int, asyncio.Future[list[list[int] | Refused]]]] = deque()
        self._reader = asyncio.ensure_future(self._read_answers())

    @classmethod
    async def open(cls, door: Door, fpga_id: int, *, observe: bool = False, design: str | None = None) -> "LiveLink":
        """Open the stream of a board that one holds.

        Parameters
        ----------
        observe
            Only read a board that somebody else holds.
        design
            The manifest's digest; the lab ends the stream when the board gets another design.

        Raises
        ------
        LabError
            What the lab answers on the handshake: ``not_session_holder``, ``fpga_not_reserved``, ``design_replaced`` …
        """
        query = {"observe": 1 if observe else None, "design": design}
        return cls(await door.websocket(f"fpga/{fpga_id}/stream", **query), fpga_id)

    @property
    def closed(self) -> bool:
        """Whether the stream has ended."""
        return self._reader.done()

    async def run(self, operations: Sequence[Operation]) -> list[list[int]]:
        """Send all operations at once, in as few messages as they fit into, then wait for all answers.

        Raises
        ------
        LabError
            The first operation that failed. What is behind it in its message was left out, and when it was refused
            before it came to the board, what is before it as well; other messages were still done.
        """
        if self.closed:
            raise self._ended()
        if not operations:
            return []
        sent: list[tuple[Sequence[Operation], asyncio.Future[list[list[int] | Refused]]]] = []
        try:
            for message in _messages(operations):
                future = asyncio.get_running_loop().create_future()
                sent.append((message, future))
                if not await self._send(message, future):
                    break
            await asyncio.wait([future for _, future in sent])
            return [words for message, future in sent for words in self._results(message, future.result())]
        finally:
            # Nobody waits for what is left, when one has failed or this was cancelled.
            for _, future in sent:
                if not future.cancel() and not future.cancelled():
                    future.exception()

    async def _send(self, message: Sequence[Operation], answers: "asyncio.Future[list[list[int] | Refused]]") -> bool:
        """Send a message and have ``answers`` wait for what comes; whether the stream may take another."""
        data = encode_message(message)
        try:
            sending = self._connection.write_message(data, binary=True)
        except WebSocketClosedError:
            answers.set_exception(self._ended())
            return False
        self._waiting.append((len(message), answers))
        if len(data) > LARGE:
            # What is large must not pile up in memory faster than the connection takes it.
            with contextlib.suppress(WebSocketClosedError):  # the reader sees it too, and says so
                await sending
        return True

    def _results(self, operations: Sequence[Operation], answers: Sequence[list[int] | Refused]) -> Sequence[list[int]]:
        """The answers to the operations of one message; raises the failure of one that is to blame for it."""
        failed: tuple[Operation, Refused] | None = None
        results = []
        for operation, answer in zip(operations, answers, strict=True):
            if not isinstance(answer, Refused):
                results.append(answer)
            elif failed is None or (failed[1].left_out and not answer.left_out):
                failed = operation, answer
        if failed is None:
            return results
        operation, answer = failed
        what = f"{'read' if operation.data is None else 'write'} at byte offset {operation.offset:#x}"
        sentence = answer.sentence or f"Board {self._fpga_id} did not do the {what}."
        raise AccessFailed(sentence, detail={"offset": operation.offset})

    async def _read_answers(self) -> None:
        try:
            while (frame := await self._connection.read_message()) is not None:
                self._take(frame)
        finally:
            self._connection.close()
            while self._waiting:
                _, future = self._waiting.popleft()
                if not future.done():
                    future.set_exception(self._ended(pending=True))

    def _take(self, message: str | bytes) -> None:
        if isinstance(message, str):
            # Text answers text, and this client sends none.
            return
        answers = decode_answers(message)
        count, _ = self._waiting[0]
        if len(answers) > count:
            raise ValueError(f"{len(answers)} answers to a message of {count} requests")
        _, future = self._waiting.popleft()
        if not future.done():
            # The lab answers a message that it doesn't understand up to the frame that it doesn't.
            future.set_result(answers + [Refused("", left_out=True)] * (count - len(answers)))

    def _ended(self, *, pending: bool = False) -> LabError:
        code = self._connection.close_code
        if code == SESSION_ENDED:
            return Conflict(
                f"The board session on board {self._fpga_id} has ended; run the design's cell again to get a board.",
                code="session_ended",
            )
        if code == LINK_BUSY:
            return Conflict(
                f"Board {self._fpga_id} is in exclusive use just now (a capture, a grader); try again when it is over.",
                code="link_busy",
            )
        if code == DESIGN_REPLACED:
            return design_replaced(self._fpga_id)
        if code == SHUT_OUT:
            return Forbidden(
                f"The holder of board {self._fpga_id} doesn't let others watch it any more.",
                code="observers_not_allowed",
            )
        reason = self._connection.close_reason
        unknown = " Whether the last operations reached the board isn't known." if pending else ""
        return Unavailable(
            f"The connection to board {self._fpga_id} was lost{f' ({reason})' if reason else ''}.{unknown}",
            code="link_lost",
        )

    def close(self) -> None:
        """Close the stream."""
        self._connection.close()


def _messages(operations: Sequence[Operation]) -> Iterator[Sequence[Operation]]:
    """Operations in their order, cut into messages that the API's limits allow."""
    start = words = 0
    for end, operation in enumerate(operations):
        count = operation.count if operation.data is None else len(operation.data)
        if end > start and (end - start == MAX_FRAMES or words + count > MAX_WORDS):
            yield operations[start:end]
            start, words = end, 0
        words += count
    if start < len(operations):
        yield operations[start:]
