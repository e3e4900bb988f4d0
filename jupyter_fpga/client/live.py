"""The live path: one WebSocket to a board's bus, many frames in flight, answers in order.

The binary frames are those of the API (``spec`` of ``WS …/stream``), all big endian:
``op(1) length(3) address(4) data(4·length)``, op 1 write (with 0x80: fixed address), 2 read, whose single data word is
the number of words wanted; answered by ``status(1) length(3) data``: status 0 and the words, or 1 and a sentence in
UTF-8, filled with NULs to whole words.
"""

import asyncio
import struct
from collections import deque
from collections.abc import Sequence

from tornado.websocket import WebSocketClientConnection, WebSocketClosedError

from .door import Door
from .errors import AccessFailed, Conflict, Forbidden, LabError, Unavailable
from .ports import Operation

__all__ = ("LiveLink", "decode_answer", "design_replaced", "encode_frame")

WRITE, READ, FIXED = 1, 2, 0x80
OK = 0
#: Close codes of the API.
SHUT_OUT, LINK_BUSY, SESSION_ENDED, DESIGN_REPLACED = 4403, 4409, 4410, 4411


def encode_frame(operation: Operation) -> bytes:
    """The request frame of one operation."""
    fixed = FIXED if operation.fixed else 0
    if operation.data is None:
        return struct.pack(">III", (READ | fixed) << 24 | 1, operation.offset, operation.count)
    words = operation.data
    return struct.pack(f">II{len(words)}I", (WRITE | fixed) << 24 | len(words), operation.offset, *words)


def decode_answer(frame: bytes) -> list[int] | str:
    """The words of an answer frame, or the sentence that says why there are none.

    Raises
    ------
    ValueError
        The frame's length isn't what its head says.
    """
    if len(frame) < 4:
        raise ValueError(f"an answer of {len(frame)} bytes has no head")
    (head,) = struct.unpack_from(">I", frame)
    count = head & 0xFF_FFFF
    if len(frame) != 4 + 4 * count:
        raise ValueError(f"an answer of {len(frame)} bytes says that it has {count} words")
    if head >> 24 != OK:
        return frame[4:].rstrip(b"\0").decode(errors="replace")
    return list(struct.unpack_from(f">{count}I", frame, 4))


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
        self._waiting: deque[tuple[Operation, asyncio.Future[list[int]]]] = deque()
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
        """Send all operations at once, then wait for all answers.

        Raises
        ------
        LabError
            The first operation that failed; those after it were still done.
        """
        if self.closed:
            raise self._ended()
        futures = []
        for operation in operations:
            future: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
            self._waiting.append((operation, future))
            futures.append(future)
            try:
                sending = self._connection.write_message(encode_frame(operation), binary=True)
            except WebSocketClosedError:
                self._waiting.pop()
                future.set_exception(self._ended())
                break
            if operation.data is not None and len(operation.data) > 1024:
                # A large write must not pile up in memory faster than the connection takes it.
                await sending
        answers = await asyncio.gather(*futures, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return answers  # type: ignore[return-value]

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

    def _take(self, frame: str | bytes) -> None:
        if isinstance(frame, str):
            # Text answers text, and this client sends none.
            return
        operation, future = self._waiting.popleft()
        if future.done():
            return
        answer = decode_answer(frame)
        if isinstance(answer, str):
            verb = "read" if operation.data is None else "write"
            sentence = answer or f"Board {self._fpga_id} did not do the {verb} at byte offset {operation.offset:#x}."
            future.set_exception(AccessFailed(sentence, detail={"offset": operation.offset}))
        else:
            future.set_result(answer)

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
