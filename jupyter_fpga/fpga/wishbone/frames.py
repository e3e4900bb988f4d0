"""Frames in flight: what goes into the next one, which answer belongs to what, and the way back after a fault.

The protocol is described in :mod:`.codec`. What it gives: a frame is executed once, whole and in order, or not at all,
and the board can always say which, and say its answers again. So a fault on the wire costs time and nothing else; an
outcome is unknown only when the board has lost its memory (a reset, its power) or can't be reached.

*Size.* A frame, or its answer, takes about 4 ms of wire. Longer ones would have less around them, but a frame is
executed only when it is whole, and others wait for it. Whatever is to be done when the wire is free is sent at once.

*Credit.* As much is under way as the wire takes in one and a half times a round trip, and two frames, so that neither
end ever waits. Of that a board whose bus stands still has one frame in its memory and the rest in its receive FIFO,
unless the way is long. Answers under way never exceed the ring in which the board keeps them. After a fault, which may
have been an overflow of the FIFO, requests don't exceed its depth for a while.
"""

import asyncio
from collections import deque
from random import Random

from . import codec
from .body import Body
from .errors import LinkTimeout, OutcomeUnknown
from .port import Port
from .resync import LinkTiming
from .schedule import Chunk, Run, Schedule
from .transport import OutOfStep

__all__ = ("FrameTransport",)

#: Wire time of a frame, or of its answer, seconds.
_FRAME_SECONDS = 4e-3

#: Start bit, eight data bits, stop bit.
_BITS_PER_BYTE = 10

#: Words of a burst that is cut: small enough to fill frames well; what belongs together is put together again there.
_BURST_WORDS = 32

#: Room in the ring for a STATUS of each attempt to find the board, and one that it sends on its own account.
_RING_RESERVE = 16 * codec.STATUS_BYTES

#: Frames after a fault until what is under way may exceed the FIFO again.
_CAUTION_FRAMES = 256

#: Time that the host may take to react (it has other things to do), seconds.
_REACTION = 4e-3

#: Answers are late when so much time has passed beyond what was calculated, seconds.
_PATIENCE = 0.1

_LOST = "The board has forgotten the session: it was reset, or lost its power, with operations under way."


class _Frame:
    """A frame that was sent and not answered."""

    __slots__ = ("alone", "answer_bytes", "chunks", "reads", "request_bytes", "sent_at", "sequence", "words")

    def __init__(self, sequence: int, body: Body, request_bytes: int) -> None:
        self.sequence = sequence
        self.chunks = body.chunks
        self.request_bytes = request_bytes
        #: Words that are read or written, and words that are read.
        self.words = body.words
        self.reads = body.reads
        self.answer_bytes = codec.ANSWER_BYTES + codec.WORD_BYTES * body.reads
        #: When it was sent, and whether nothing else was under way then.
        self.sent_at = 0.0
        self.alone = False


class FrameTransport:
    """Frames over a serial line. See :class:`~.transport.Transport`.

    Parameters
    ----------
    port
        Where to send.
    baud, clock_hz, fifo_depth, answer_depth
        As the board's manifest says.
    bus_timeout_cycles
        Clock cycles after which the board's bus gives up on an access.
    random
        Source of the session's number and of tags.
    """

    def __init__(
        self,
        port: Port,
        *,
        baud: int,
        clock_hz: int,
        fifo_depth: int,
        answer_depth: int,
        bus_timeout_cycles: int,
        timing: LinkTiming,
        random: Random,
    ) -> None:
        self._port = port
        self._timing = timing
        self._random = random
        self._loop = asyncio.get_running_loop()
        self._byte_seconds = _BITS_PER_BYTE / baud
        self._word_seconds = bus_timeout_cycles / clock_hz
        self._fifo_depth = fifo_depth
        self._answer_depth = answer_depth
        self._answer_limit = answer_depth - _RING_RESERVE
        # At the slowest rate there is still room for something in a frame.
        self._frame_bytes = max(64, min(codec.MAX_BODY, int(_FRAME_SECONDS / self._byte_seconds)))
        words = min(_BURST_WORDS, (self._frame_bytes - 8) // codec.WORD_BYTES)
        self.schedule = Schedule(read_words=words, write_words=words)
        self._session = next(codec.sessions(random))
        self._in_flight: deque[_Frame] = deque()
        #: What a bus error kept a frame from executing.
        self._left: list[Chunk] = []
        self._buffer = bytearray()
        self._following = 0
        self._position = 0
        self._page: int | None = None
        self._requests_due = 0
        self._answers_due = 0
        self._words_due = 0
        self._latency: float | None = None
        self._caution = 0
        self._window = 0
        self._set_window()
        self._opened = False
        self._came = asyncio.Event()

    # ---- what is going on

    @property
    def waiting(self) -> bool:
        return bool(self._in_flight)

    @property
    def seconds_due(self) -> float:
        return self._wire_seconds + self._words_due * self._word_seconds

    @property
    def patience(self) -> float:
        # A design that is slower than this is asked in vain, and no harm is done.
        return _PATIENCE + 4 * self.latency + 2 * self._wire_seconds

    @property
    def latency(self) -> float:
        """Time that something and its answer take besides that on the wire, seconds, as far as is known."""
        return self._latency or 0.0

    @property
    def _wire_seconds(self) -> float:
        return (self._requests_due + self._answers_due) * self._byte_seconds

    def unsettled(self) -> list[Run]:
        return list({id(chunk.run): chunk.run for chunk in self._doubtful()}.values())

    def _doubtful(self) -> list[Chunk]:
        return [*self._left, *(chunk for frame in self._in_flight for chunk in frame.chunks)]

    # ---- out

    def fill(self) -> bytes:
        out = bytearray()
        while len(self._in_flight) < codec.SEQUENCES - 1:
            frame = self._next_frame()
            if frame is None:
                break
            out += frame
        return bytes(out)

    def _set_window(self) -> None:
        """Bytes that may be under way."""
        self._window = int((1.5 * self.latency + _REACTION) / self._byte_seconds) + 2 * self._frame_bytes

    def _room(self) -> tuple[int, int]:
        """Bytes that the next frame and its answer may have; none if it had better wait."""
        most = self._frame_bytes
        if not self._in_flight:
            return most, most
        requests = min(self._window, self._fifo_depth) if self._caution else self._window
        request = requests - self._requests_due - codec.FRAME_BYTES
        answer = min(self._window, self._answer_limit) - self._answers_due - codec.ANSWER_BYTES
        # A frame that is no frame's worth, for want of credit, would only be in the way of the one that is.
        if min(request, answer) < most // 2:
            return 0, 0
        return min(request, most), min(answer, most)

    def _next_frame(self) -> bytes | None:
        room, answer_room = self._room()
        if not room:
            return None
        schedule = self.schedule
        body = Body(self._page, room, answer_room)
        while (chunk := schedule.current()) is not None and body.fits(chunk):
            body.add(chunk)
            schedule.taken()
        self._page = body.page
        return self._send(body) if body.chunks else None

    def _send(self, body: Body) -> bytes:
        data = codec.encode_frame(self._session, self._following, body.data)
        frame = _Frame(self._following, body, len(data))
        frame.sent_at = self._loop.time()
        frame.alone = not self._in_flight
        self._in_flight.append(frame)
        self._following = (self._following + 1) % codec.SEQUENCES
        self._requests_due += frame.request_bytes
        self._answers_due += frame.answer_bytes
        self._words_due += frame.words
        return data

    # ---- in

    def receive(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        at = 0
        try:
            while len(buffer) > at:
                if not self._in_flight or buffer[at] & 0x80:
                    raise OutOfStep(self._complaint(at))
                frame = self._in_flight[0]
                if len(buffer) - at < frame.answer_bytes:
                    break
                if not self._answered(frame, buffer, at):
                    raise OutOfStep("What came from the board is not the answer to what was sent.")
                at += frame.answer_bytes
                if self._left:
                    raise OutOfStep("The board halted at a bus error.")
        finally:
            del buffer[:at]

    def _complaint(self, at: int) -> str:
        status = codec.decode_status(self._session, self._buffer, at)
        if status is not None and status.refused:
            return "The board refused what came to it: it was not what was sent."
        return "Bytes came from the board that nobody had asked for."

    def _answered(self, frame: _Frame, data: bytearray, at: int) -> bool:
        """Settle a frame by the answer that begins at ``at``, if that is whole."""
        answer = codec.answer_words(self._session, frame.sequence, data, at, frame.reads)
        if answer is None:
            return False
        self._measure(frame)
        self._done(frame)
        self._position = (self._position + frame.answer_bytes) % self._answer_depth
        outcome = answer[-1]
        if outcome:
            self._failed(frame, answer, outcome)
            return True
        place = 0
        for chunk in frame.chunks:
            if chunk.words is None:
                chunk.values = answer[place : place + chunk.count]
                place += chunk.count
            chunk.run.settle(chunk)
        return True

    def _done(self, frame: _Frame) -> None:
        self._in_flight.popleft()
        self._requests_due -= frame.request_bytes
        self._answers_due -= frame.answer_bytes
        self._words_due -= frame.words
        if self._caution:
            self._caution -= 1

    def _measure(self, frame: _Frame) -> None:
        """Learn how long the way is: from frames that were alone on it, and from whatever was quicker."""
        on_wire = (frame.request_bytes + frame.answer_bytes) * self._byte_seconds
        latency = max(0.0, self._loop.time() - frame.sent_at - on_wire)
        if self._latency is None or latency < self._latency:
            self._latency = latency
        elif frame.alone:
            self._latency += (latency - self._latency) / 4
        else:
            return
        self._set_window()

    def _failed(self, frame: _Frame, answer: tuple[int, ...], outcome: int) -> None:
        """Settle what a frame did before the access number ``outcome`` failed; what is behind it has been left."""
        before = place = 0
        for number, chunk in enumerate(frame.chunks):
            run = chunk.run
            if before + chunk.count >= outcome:
                step = 0 if chunk.fixed else codec.WORD_BYTES
                run.fail_on_bus(chunk, chunk.address + step * (outcome - before - 1))
                self._left = frame.chunks[number + 1 :]
                break
            if chunk.words is None:
                chunk.values = answer[place : place + chunk.count]
                place += chunk.count
            run.settle(chunk)
            before += chunk.count

    # ---- the way back

    def leave(self, error: type[OutcomeUnknown], reason: str) -> None:
        if self._in_flight:
            self._caution = _CAUTION_FRAMES
        # Nothing is lost yet: what the board has done it will say. But nobody waits for that for ever.
        if error is LinkTimeout:
            for run in self.unsettled():
                run.fail_unknown(error, reason)

    def overhear(self, data: bytes) -> None:
        self._buffer += data
        self._came.set()

    async def find(self, *, silent: bool) -> str | None:
        timing = self._timing
        wait = timing.silence
        if silent and not self._opened:
            # UARTBone may be in the middle of a command. In a session it is shut off, even after a reset.
            await asyncio.sleep(timing.silence)
        heard = False
        attempts = 0
        while attempts < timing.attempts:
            found = await self._ask(wait + 2 * self.latency)
            heard = heard or bool(self._buffer)
            if found is not None and self._resume(*found):
                return None
            # A board that has answered is worth more attempts than one that says nothing.
            attempts += 1
            if found is None:
                wait *= 2
        waits = f"with waits of {timing.silence:g} to {wait / 2:g} s"
        if heard:
            return f"it didn't answer {attempts} attempts to find it rightly, {waits}; something came."
        return f"it didn't answer {attempts} attempts to find it, {waits}."

    async def _ask(self, wait: float) -> tuple[codec.Status, bytearray] | None:
        """One SYNC; its status and what the board said again before it, or ``None`` if none came in time."""
        tags = iter(lambda: self._random.randrange(8, 0x100), None)
        tag, sync = codec.encode_sync(self._session, tags, self._position)
        self._port.discard_output()
        self._port.send(sync)
        seen = 0
        try:
            async with asyncio.timeout(wait):
                while True:
                    for at in range(seen, len(self._buffer) - codec.STATUS_BYTES + 1):
                        status = codec.decode_status(self._session, self._buffer, at)
                        if status is not None and status.tag == tag and not status.refused:
                            return self._again(status, at)
                    seen = max(0, len(self._buffer) - codec.STATUS_BYTES + 1)
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            return None

    def _again(self, status: codec.Status, at: int) -> tuple[codec.Status, bytearray]:
        size = (status.position - self._position) % self._answer_depth if status.known else 0
        again = self._buffer[at - size : at] if size <= at else bytearray()
        del self._buffer[: at + codec.STATUS_BYTES]
        return status, again

    def _resume(self, status: codec.Status, again: bytearray) -> bool:
        """Take the board's word for what it has done; false if that must be asked for once more."""
        frames = self._in_flight
        if not status.known:
            self._forgotten()
        executed = (status.following - frames[0].sequence) % codec.SEQUENCES if frames else 0
        if executed > len(frames):
            # No board does that. Whatever this is, it is not to be talked to in this session.
            self._forgotten()
            self._session = next(codec.sessions(self._random))
            return False
        at = 0
        while executed and at < len(again):
            if again[at] & 0x80:
                if codec.decode_status(self._session, again, at) is None:
                    break
                at += codec.STATUS_BYTES
                self._position = (self._position + codec.STATUS_BYTES) % self._answer_depth
                continue
            frame = frames[0]
            if len(again) - at < frame.answer_bytes or not self._answered(frame, again, at):
                break
            at += frame.answer_bytes
            executed -= 1
        if executed:
            return False
        self._position = (status.position + codec.STATUS_BYTES) % self._answer_depth
        self._opened = True
        self._take_back()
        self._following = status.following
        return True

    def _take_back(self) -> None:
        """What wasn't executed is to be sent again."""
        chunks = self._doubtful()
        self._forget()
        for chunk in reversed(chunks):
            chunk.run.take_back(chunk)
        self.schedule.put_back(list({id(chunk.run): chunk.run for chunk in chunks}.values()))

    def _forgotten(self) -> None:
        """The board doesn't know any more what it has done."""
        for run in self.unsettled():
            run.fail_unknown(OutcomeUnknown, _LOST)
        self._forget()

    def _forget(self) -> None:
        self._in_flight.clear()
        self._left = []
        self._requests_due = self._answers_due = self._words_due = 0
        self._page = None

    def farewell(self) -> bytes:
        return codec.encode_close()
