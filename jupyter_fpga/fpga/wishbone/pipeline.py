"""Many requests in flight: what may be sent now, which answer belongs to what, and when an answer may be believed.

UARTBone answers in order and without any mark, so an answer is known only by its place, and one byte too few or too
many shifts every later one. So the pipeline keeps a fresh *nonce* in the board's scratch register and reads it back
behind what it sends:

- a **check** reads the count of bus errors. One follows each write command, each change from reads to a write, and each
  change of user, so that a bus error is that of one write, or of those among a few reads that read 0xffffffff. It costs
  6 bytes out and 4 in; a write of one word takes 10 out.
- a **seal** is a check followed by the nonce, and then the next nonce is written. It ends a batch: the nonce shows that
  all answers before it are in step (its four bytes differ, so that no shift by 1, 2 or 3 bytes maps it onto itself).
  Only then are the operations of that batch *known* to be done, and their values handed out. It costs 22 bytes out and
  8 in, once for every half FIFO of requests, or when there is nothing else to send and the wire is about to fall idle;
  a lone read takes 6 out. When more than half a FIFO has been sent since the board's overflow flag was last looked at,
  a seal reads that as well (6 out, 4 in).

What this can't show, since UARTBone has no checksum: a byte that was changed into another; among the answers, bytes
lost and as many gained within one batch; among the requests, an *even* number of bytes lost or gained inside a write,
if what is left of it looks like commands that the bridge takes no notice of. (All commands have an even length, so that
an odd number leaves everything behind it out of step, and shows.)

*Credit*: bytes that were sent and aren't known to have left the board's receive FIFO (a later read hasn't been
answered yet) never exceed its depth, so it can't overflow however long the bus stalls.
"""

from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Protocol

from . import uartbone
from .schedule import Chunk, Run, Schedule

__all__ = ("MIN_FIFO_DEPTH", "ControlAddresses", "OutOfStep", "Pipeline", "nonces")

#: Bytes of receive FIFO below which there is no room for an operation, its check and the next nonce.
MIN_FIFO_DEPTH = 128

#: What a read is answered with when nobody on the bus acknowledged it.
_BUS_ERROR_WORD = 0xFFFF_FFFF

#: What the scratch register holds after reset (LiteX's SoCController).
_SCRATCH_RESET = 0x1234_5678

#: So many bytes on their way to the board keep the wire busy while more may come (0.6 ms at 1 Mbaud).
_BUSY_BYTES = 64

#: Answers under way never exceed this many bytes (20 ms at 1 Mbaud): the kernel buffers 4 KiB of a pseudo-terminal,
#: and a user's single read waits behind no more than this.
_ANSWER_WINDOW = 2048


class ControlAddresses(Protocol):
    """Absolute byte addresses of the lab's own registers; :class:`jupyter_fpga.gateware.manifest.Control` has them."""

    @property
    def scratch(self) -> int: ...
    @property
    def bus_errors(self) -> int: ...
    @property
    def overflow(self) -> int: ...
    @property
    def identifier(self) -> int: ...
    @property
    def identifier_words(self) -> int: ...


class OutOfStep(Exception):
    """What came from the board can't be the answer to what was sent. ``args[0]`` is the reason, a sentence."""


def nonces(random: Random) -> Iterator[int]:
    """Words of four different bytes, none of them 0x00 or 0xff."""
    while True:
        yield int.from_bytes(bytes(random.sample(range(1, 255), 4)), "big")


def _request(chunk: Chunk) -> bytes:
    """The command as bytes."""
    if chunk.words is None:
        return uartbone.encode_read(chunk.address, chunk.count, fixed=chunk.fixed)
    return uartbone.encode_write(chunk.address, chunk.words, fixed=chunk.fixed)


def _answer_bytes(entry: "Chunk | _Check") -> int:
    if isinstance(entry, Chunk):
        return uartbone.WORD_BYTES * entry.count if entry.words is None else 0
    return entry.answer_bytes


class _Check:
    """A check that is on the wire, and what it speaks about. A seal has the batch that it ends."""

    __slots__ = ("answer_bytes", "batch", "nonce", "segment", "with_overflow")

    def __init__(self, nonce: int, segment: list[Chunk], batch: list[Chunk] | None, with_overflow: bool) -> None:
        self.nonce = nonce
        self.segment = segment
        self.batch = batch
        self.with_overflow = with_overflow
        self.answer_bytes = uartbone.WORD_BYTES * (1 + (batch is not None) + with_overflow)


class Pipeline:
    """The state of one link that is in step. Does no input or output itself.

    Parameters
    ----------
    fifo_depth
        Bytes of the board's receive FIFO.
    control
        Where scratch, bus-error count and overflow flag are.
    nonce
        Source of nonces.
    """

    def __init__(self, *, fifo_depth: int, control: ControlAddresses, nonce: Iterator[int]) -> None:
        self._depth = fifo_depth
        self._scratch = control.scratch
        self._nonces = nonce
        self._batch_bytes = fifo_depth // 2
        self._check_command = uartbone.encode_read(control.bus_errors, 1)
        self._overflow_command = uartbone.encode_read(control.overflow, 1)
        self._scratch_command = uartbone.encode_read(control.scratch, 1)
        #: Room for what may go with a command: a check before it, one behind it, and a seal with everything; nonces put
        #: back, and the user's value into scratch.
        put = uartbone.HEADER_BYTES + uartbone.WORD_BYTES
        self._reserve = (
            3 * len(self._check_command) + len(self._overflow_command) + len(self._scratch_command) + 4 * put
        )
        #: The scratch register belongs to the link, but whoever writes it reads back what they wrote.
        self._scratch_user = _SCRATCH_RESET
        self._buffer = bytearray()
        self.reset(nonce=0, bus_errors=0)

    def reset(self, *, nonce: int, bus_errors: int) -> None:
        """Start anew, with nothing in flight: the board is in step, holds ``nonce``, and counts ``bus_errors``."""
        self._expected: deque[Chunk | _Check] = deque()
        self._marks: deque[int] = deque()
        self._sent = 0
        self._confirmed = 0
        self._answers_due = 0
        self._segment: list[Chunk] = []
        self._check_due = False
        self._batch: list[Chunk] = []
        self._batch_start = 0
        self._overflow_seen = 0
        self._nonce = nonce
        self._scratch_now = nonce
        self._bus_errors = bus_errors
        self._buffer.clear()

    # ---- what is going on

    @property
    def waiting(self) -> bool:
        """Whether answers are due."""
        return bool(self._expected)

    @property
    def bytes_due(self) -> tuple[int, int]:
        """Bytes on their way to the board (as far as is known) and back."""
        return self._sent - self._confirmed, self._answers_due

    @property
    def words_due(self) -> int:
        """Words that the bus may still have to move: an upper bound."""
        return (self._sent - self._confirmed + self._answers_due) // uartbone.WORD_BYTES

    def unsettled(self) -> list[Run]:
        """Runs with commands that were sent and not settled, each once."""
        runs: dict[int, Run] = {}
        for batch in (*(e.batch for e in self._expected if isinstance(e, _Check) and e.batch), self._batch):
            for chunk in batch:
                runs[id(chunk.run)] = chunk.run
        return list(runs.values())

    # ---- out

    def fill(self, schedule: Schedule) -> bytes:
        """Take from ``schedule`` what may be sent now, as bytes."""
        out = bytearray()
        while (chunk := schedule.current()) is not None and self._has_room(chunk):
            if self._segment and self._ends_segment(chunk):
                self._check(out)
            self._send(out, chunk)
            schedule.taken()
            if self._sent - self._batch_start >= self._batch_bytes:
                self._seal(out)
        if self._batch and self._seal_is_due(chunk is not None, len(out)):
            self._seal(out)
        elif self._check_due:
            # The bridge forgets a command that pauses for 100 ms. What a fault has put out of step must not get into
            # step again by that, unseen: so before any pause there is something that has to be answered.
            self._check(out)
        return bytes(out)

    def _seal_is_due(self, blocked: bool, just_sent: int) -> bool:
        if not self._expected:
            # Nothing is due that could bring credit back, or another turn.
            return True
        # On a wire that is busy anyway, more may join this batch before its seal could go out.
        return not blocked and self._sent - self._confirmed - just_sent < _BUSY_BYTES

    def _has_room(self, chunk: Chunk) -> bool:
        size = uartbone.HEADER_BYTES + (uartbone.WORD_BYTES * chunk.count if chunk.words is not None else 0)
        if self._sent - self._confirmed + size + self._reserve > self._depth:
            return False
        return not self._answers_due or self._answers_due + _answer_bytes(chunk) <= _ANSWER_WINDOW

    def _ends_segment(self, chunk: Chunk) -> bool:
        """Whether bus errors so far must be told from those of ``chunk``."""
        before = self._segment[-1]
        return (
            self._check_due or before.run.user is not chunk.run.user or (before.words is None) != (chunk.words is None)
        )

    def _send(self, out: bytearray, chunk: Chunk) -> None:
        if chunk.touches(self._scratch):
            self._lend_scratch(out, chunk)
        self._emit(out, _request(chunk))
        if chunk.words is None:
            self._expect(chunk)
        self._segment.append(chunk)
        self._batch.append(chunk)
        self._check_due = chunk.words is not None

    def _lend_scratch(self, out: bytearray, chunk: Chunk) -> None:
        if chunk.words is None:
            self._put_scratch(out, self._scratch_user)
        else:
            at = len(chunk.words) - 1 if chunk.fixed else (self._scratch - chunk.address) // uartbone.WORD_BYTES
            self._scratch_now = self._scratch_user = chunk.words[at]

    def _put_scratch(self, out: bytearray, value: int) -> None:
        if self._scratch_now != value:
            self._scratch_now = value
            self._emit(out, uartbone.encode_write(self._scratch, (value,)))

    def _check(self, out: bytearray) -> None:
        check = _Check(0, self._segment, None, False)
        self._segment = []
        self._check_due = False
        self._emit(out, self._check_command)
        self._expect(check)

    def _seal(self, out: bytearray) -> None:
        with_overflow = self._sent - self._overflow_seen >= self._batch_bytes
        seal = _Check(self._nonce, self._segment, self._batch, with_overflow)
        self._segment = []
        self._check_due = False
        self._batch = []
        self._put_scratch(out, self._nonce)
        self._emit(out, self._check_command)
        if with_overflow:
            self._emit(out, self._overflow_command)
            self._overflow_seen = self._sent
        # The nonce comes last, so that it vouches for the rest as well.
        self._emit(out, self._scratch_command)
        self._expect(seal)
        # Now rather than with the next seal, since it passes the answers on their way.
        self._nonce = next(self._nonces)
        self._put_scratch(out, self._nonce)
        self._batch_start = self._sent

    def _emit(self, out: bytearray, command: bytes) -> None:
        out += command
        self._sent += len(command)

    def _expect(self, entry: Chunk | _Check) -> None:
        self._expected.append(entry)
        self._marks.append(self._sent)
        self._answers_due += _answer_bytes(entry)

    # ---- in

    def receive(self, data: bytes) -> None:
        """Take bytes that came from the board, and settle the commands of batches that they seal.

        Raises
        ------
        OutOfStep
            These bytes can't be the answer to what was sent. Nothing that is unsettled may be believed.
        """
        buffer = self._buffer
        buffer += data
        position = 0
        expected = self._expected
        while expected and len(buffer) - position >= (size := _answer_bytes(expected[0])):
            entry = expected.popleft()
            words = uartbone.decode_words(buffer, position, size // uartbone.WORD_BYTES)
            position += size
            self._answers_due -= size
            self._confirmed = self._marks.popleft()
            if isinstance(entry, Chunk):
                entry.values = words
                continue
            try:
                self._judge(entry, words)
            except OutOfStep:
                # Its operations are in doubt, and must still be found.
                expected.appendleft(entry)
                raise
            for chunk in entry.batch or ():
                chunk.run.settle(chunk)
        del buffer[:position]
        if buffer and not expected:
            raise OutOfStep(f"{len(buffer)} bytes came from the board that nobody had asked for.")

    def _judge(self, check: _Check, words: tuple[int, ...]) -> None:
        if check.batch is not None and words[-1] != check.nonce:
            raise OutOfStep(
                f"The board's answers are out of step: {check.nonce:#010x} was expected and {words[-1]:#010x} came."
            )
        if check.with_overflow and words[1]:
            raise OutOfStep("The board's receive FIFO overflowed, so bytes of what was sent are lost.")
        errors = words[0] - self._bus_errors
        if errors < 0:
            raise OutOfStep(
                f"The board's count of bus errors fell from {self._bus_errors} to {words[0]}: it was reset meanwhile."
            )
        if errors:
            # Without a nonce in it, this is to be believed only with the seal; until then, its runs send nothing more.
            self._bus_errors = words[0]
            _blame(check.segment, errors)


def _blame(segment: list[Chunk], errors: int) -> None:
    """Find whose the bus errors are: of the reads of 0xffffffff, or of the write that ends the segment."""
    suspects = [(chunk, _suspect_words(chunk)) for chunk in segment]
    suspects = [(chunk, words) for chunk, words in suspects if words]
    certain = (
        len({(id(chunk.run), chunk.index) for chunk, _ in suspects}) == 1
        or sum(len(words) for _, words in suspects) == errors
    )
    blamed: set[int] = set()
    for chunk, words in suspects:
        run = chunk.run
        if id(run) in blamed:
            continue
        blamed.add(id(run))
        run.blame(chunk, words[0], certain)


def _suspect_words(chunk: Chunk) -> list[int]:
    """Byte addresses of the words of ``chunk`` that may have failed."""
    if chunk.words is None:
        at = [position for position, value in enumerate(chunk.values) if value == _BUS_ERROR_WORD]
    else:
        at = list(range(chunk.count))
    step = 0 if chunk.fixed else uartbone.WORD_BYTES
    return [chunk.address + step * position for position in at]
