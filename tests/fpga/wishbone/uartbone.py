"""A board, byte for byte: LiteX's UARTBone behind a receive FIFO, on a real pseudo-terminal, with faults on request.

:class:`Bridge` is the gateware as a pure machine in board time: the serial line's speed, the FIFO and its overflow, the
command machine of ``Stream2Wishbone`` with its watchdog, a bus with a time-out. :class:`PtyBoard` puts it behind a
pseudo-terminal, in a thread of its own, so that the link's own event loop is alone.
"""

import errno
import heapq
import os
import select
import threading
import time
import tty
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import serial

from .reference_decoder import PAUSE, Decoder, Silence

CONTROL_BASE = 0xF000_0000
WINDOW_BASE = 0x3000_0000
WINDOW_WORDS = 1024
#: Reading it gives 1, 2, 3 …: a register with a side effect.
COUNTER = WINDOW_BASE + 4 * WINDOW_WORDS
#: Nobody answers here.
UNMAPPED = WINDOW_BASE + 0x10_0000
IDENTIFIER = "jupyter_fpga simulated 0123456789abcdef"


@dataclass(frozen=True)
class Addresses:
    scratch: int = CONTROL_BASE + 0x04
    bus_errors: int = CONTROL_BASE + 0x08
    cycles: int = CONTROL_BASE + 0x0C
    overflow: int = CONTROL_BASE + 0x14
    identifier: int = CONTROL_BASE + 0x800
    identifier_words: int = 64


CONTROL = Addresses()


class Bus:
    """A window of plain memory, a counter, the lab's own registers, and nothing else."""

    def __init__(self, identifier: str = IDENTIFIER) -> None:
        self.memory = [0] * WINDOW_WORDS
        self.counter = 0
        self.scratch = 0x1234_5678
        #: Bits of the scratch register that don't move.
        self.scratch_and = 0xFFFF_FFFF
        self.scratch_or = 0
        self.bus_errors = 0
        self.overflow = 0
        self.identifier = identifier.encode().ljust(64, b"\0")
        #: Every access that was answered, as (is_write, byte address, value).
        self.log: list[tuple[bool, int, int]] = []

    def access(self, address: int, value: int | None) -> int | None:
        """One access; ``None`` when nobody answers."""
        result = self._access(address, value)
        if result is None:
            self.bus_errors += 1
        elif WINDOW_BASE <= address < CONTROL_BASE:
            self.log.append((value is not None, address, result))
        return result

    def _access(self, address: int, value: int | None) -> int | None:
        if WINDOW_BASE <= address < WINDOW_BASE + 4 * WINDOW_WORDS:
            index = (address - WINDOW_BASE) // 4
            if value is not None:
                self.memory[index] = value
            return self.memory[index]
        if address == COUNTER:
            self.counter = self.counter + 1 if value is None else value
            return self.counter
        if address == CONTROL.scratch:
            if value is not None:
                self.scratch = value & self.scratch_and | self.scratch_or
            return self.scratch
        if address == CONTROL.bus_errors:
            return self.bus_errors
        if address == CONTROL.overflow:
            if value is not None:
                self.overflow = 0
            return self.overflow
        if CONTROL.identifier <= address < CONTROL.identifier + 4 * 64:
            return self.identifier[(address - CONTROL.identifier) // 4]
        if CONTROL_BASE <= address < CONTROL_BASE + 0x1000:
            return 0
        return None


class Bridge:
    """The bridge in board time (seconds since power-up). Bytes are fed with the time at which they came."""

    def __init__(
        self, bus: Bus | None = None, *, baud: int = 1_000_000, clock_hz: int = 12_000_000, fifo_depth: int = 1024
    ) -> None:
        self.bus = bus or Bus()
        self.depth = fifo_depth
        self.byte_seconds = 10 / baud
        self.cycle = 1 / clock_hz
        self.bus_timeout = 4096 / clock_hz
        self.fifo: deque[tuple[float, int]] = deque()
        self.most_in_fifo = 0
        self._arrived = 0.0
        self._free = 0.0
        self._machine = self._commands()
        self._started: float | None = None
        next(self._machine)
        self._answers: list[tuple[float, int]] = []

    def feed(self, data: bytes, now: float) -> list[tuple[float, int]]:
        """Bytes from the host at board time ``now``; answers as (board time, byte)."""
        for byte in data:
            self._arrived = max(now, self._arrived) + self.byte_seconds
            self._run_until(self._arrived)
            if len(self.fifo) >= self.depth:
                self.bus.overflow = 1
                continue
            self.fifo.append((self._arrived, byte))
            self.most_in_fifo = max(self.most_in_fifo, len(self.fifo))
        # What is in the FIFO will be worked off; nothing that comes later can change what it says.
        self._run_until(float("inf"))
        answers, self._answers = self._answers, []
        return answers

    def _run_until(self, now: float) -> None:
        while self.fifo and max(self.fifo[0][0], self._free) <= now:
            arrived, byte = self.fifo.popleft()
            at = max(arrived, self._free)
            if self._started is not None and at - self._started > 0.1:
                self._restart()
            self._free = at + self.cycle
            self._machine.send(byte)

    def _restart(self) -> None:
        self._machine = self._commands()
        self._started = None
        next(self._machine)

    def _timed_out(self) -> bool:
        assert self._started is not None
        if self._free - self._started <= 0.1:
            return False
        self._free = self._started + 0.1
        return True

    def _commands(self):
        while True:
            command = yield
            self._started = self._free
            length = yield
            address = 0
            for _ in range(4):
                address = address << 8 | (yield)
            step = 1 if command in (1, 2) else 0
            # A length of 0 is 256 words that never end: words_count has 8 bits and never equals -1.
            count = 0
            while command in (1, 2, 3, 4):
                if command in (1, 3):
                    value = 0
                    for _ in range(4):
                        value = value << 8 | (yield)
                    self._access(address, value)
                    if self._timed_out():
                        break
                else:
                    value = self._access(address, None)
                    if self._timed_out():
                        break
                    for shift in (24, 16, 8, 0):
                        self._free += self.byte_seconds
                        self._answers.append((self._free, value >> shift & 0xFF))
                    if self._timed_out():
                        break
                address = (address + step) & 0xFFFF_FFFF
                count += 1
                if count == length:
                    break
            self._started = None

    def _access(self, address: int, value: int | None) -> int:
        result = self.bus.access(4 * (address & 0x3FFF_FFFF), value)
        self._free += self.cycle if result is not None else self.bus_timeout
        return 0xFFFF_FFFF if result is None else result


class FramedBridge(Bridge):
    """A :class:`Bridge` that speaks frames as well: the reference decoder, in board time."""

    def __init__(self, bus: Bus | None = None, *, answer_depth: int = 4096, **options) -> None:
        super().__init__(bus, **options)
        self.answer_depth = answer_depth
        self.decoder = self._powered_up()
        self._heard = 0.0
        self._sends = 0.0

    def _powered_up(self) -> Decoder:
        return Decoder(self._framed, self._command, self._command_waits, depth=self.answer_depth)

    def power_cycle(self) -> None:
        """All that it knows is lost."""
        self.decoder = self._powered_up()

    def _run_until(self, now: float) -> None:
        while self.fifo and max(self.fifo[0][0], self._free) <= now:
            arrived, byte = self.fifo.popleft()
            at = max(arrived, self._free)
            silence, self._heard = arrived - self._heard, arrived
            if silence >= PAUSE:
                self.decoder.take(Silence(silence))
            self._free = at + self.cycle
            self.decoder.take(byte)
            for said in self.decoder.output():
                self._sends = max(self._sends, self._free) + self.byte_seconds
                self._answers.append((self._sends, said))

    def _command_waits(self) -> bool:
        return self._started is None or self._free - self._started > 0.1

    def _command(self, byte: int) -> None:
        """A byte for UARTBone."""
        if self._started is not None and self._free - self._started > 0.1:
            self._restart()
        self._machine.send(byte)

    def _framed(self, address: int, value: int | None) -> int | None:
        result = self.bus.access(address, value)
        self._free += self.cycle if result is not None else self.bus_timeout
        return result


@dataclass
class Faults:
    """What goes wrong on the line. Functions get the bytes and give what is to be passed on instead."""

    to_board: Callable[[bytes], bytes] | None = None
    to_host: Callable[[bytes], bytes] | None = None
    #: The board takes what comes and does nothing.
    dead: bool = False
    #: Garbage to send to the host once, whatever is going on.
    say: bytes = field(default=b"")


class PtyBoard:
    """A :class:`Bridge` on a pseudo-terminal, in a thread. Use as a context manager.

    Parameters
    ----------
    speed
        Board seconds to a wall-clock second.
    paced
        Answers come when the board has sent them, not at once.
    """

    def __init__(self, bridge: Bridge | None = None, *, speed: float = 1.0, paced: bool = False) -> None:
        self.bridge = bridge or Bridge()
        self.bus = self.bridge.bus
        self.speed = speed
        self.paced = paced
        self.faults = Faults()
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        # Held open, so that closing the host's end doesn't hang up the board's.
        self._slave = slave
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._stop = False
        self._cut = False
        self._outbox: list[tuple[float, int, bytes]] = []
        self._order = 0
        self._begin = time.monotonic()

    def __enter__(self) -> "PtyBoard":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop = True
        self._wake()
        self._thread.join()
        for descriptor in (self._slave, self._wake_read, self._wake_write):
            os.close(descriptor)
        if not self._cut:
            os.close(self.master)

    def wire(self) -> serial.Serial:
        """The host's end, opened as the lab opens it."""
        return serial.Serial(self.path, 1_000_000, timeout=0)

    def say(self, garbage: bytes) -> None:
        """Send ``garbage`` to the host now."""
        self.faults.say += garbage
        self._wake()

    def cut(self) -> None:
        """Pull the plug: the host's end is hung up."""
        self._cut = True
        self._wake()

    def _wake(self) -> None:
        os.write(self._wake_write, b"!")

    def _now(self) -> float:
        return (time.monotonic() - self._begin) * self.speed

    def _serve(self) -> None:
        while not self._stop:
            wait = None
            if self._outbox:
                wait = max(0.0, (self._outbox[0][0] - self._now()) / self.speed)
            readable, _, _ = select.select([self.master, self._wake_read], [], [], wait)
            if self._wake_read in readable:
                os.read(self._wake_read, 64)
            if self._cut:
                os.close(self.master)
                return
            if self.faults.say:
                garbage, self.faults.say = self.faults.say, b""
                self._post(self._now(), garbage)
            if self.master in readable:
                self._take()
            self._deliver()

    def _take(self) -> None:
        try:
            data = os.read(self.master, 4096)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return
        if self.faults.dead:
            return
        if self.faults.to_board:
            data = self.faults.to_board(data)
        answers = self.bridge.feed(data, self._now())
        if not answers:
            return
        if self.paced:
            for at, byte in answers:
                self._post(at, bytes([byte]))
        else:
            self._post(self._now(), bytes(byte for _, byte in answers))

    def _post(self, at: float, data: bytes) -> None:
        self._order += 1
        heapq.heappush(self._outbox, (at, self._order, data))

    def _deliver(self) -> None:
        now = self._now()
        data = b""
        while self._outbox and self._outbox[0][0] <= now:
            data += heapq.heappop(self._outbox)[2]
        if data and self.faults.to_host:
            data = self.faults.to_host(data)
        while data:
            data = data[os.write(self.master, data) :]
