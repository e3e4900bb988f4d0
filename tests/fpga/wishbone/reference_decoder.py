"""The board's side of the frames, written from their description and from nothing else: what the gateware has to do.

:class:`Decoder` takes bytes and silences, and gives what the board sends. It shares no code with the codec of the link
or with the gateware; its CRC is computed from the polynomial. :func:`frame`, :func:`sync` and :func:`answer` are the
other side's bytes, as independent of the link's.
"""

from collections.abc import Callable, Generator, Iterable

#: Silences, seconds: in the middle of a frame, and of a board that halts.
PAUSE, DESERTION = 3e-3, 0.09

_TABLE = []
for _value in range(256):
    for _ in range(8):
        _value = _value >> 1 ^ (0xEDB88320 if _value & 1 else 0)
    _TABLE.append(_value)


def crc(data: Iterable[int], start: int) -> int:
    """CRC-32 without any inversion."""
    for byte in data:
        start = start >> 8 ^ _TABLE[(start ^ byte) & 0xFF]
    return start


def checked(data: bytes, start: int) -> bytes:
    """``data`` with its CRC."""
    return data + crc(data, start).to_bytes(4, "little")


def frame(session: int, sequence: int, body: bytes) -> bytes:
    return checked(bytes([0x80 + sequence, len(body) // 2]) + body, session)


def sync(session: int, tag: int, position: int, marks: int = 6) -> bytes:
    fields = session.to_bytes(4, "big") + bytes([tag, 0x80 + position // 128, 0x80 + position % 128, 0x80])
    return bytes([0x5A] * marks + [0xA5]) + checked(fields, 0xFFFFFFFF)


def answer(session: int, sequence: int, words: Iterable[int], outcome: int) -> bytes:
    data = b"".join(word.to_bytes(4, "big") for word in words)
    return checked(bytes([sequence]) + data + bytes([outcome]), session)


class Silence:
    """So many seconds in which nothing came."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


Item = int | Silence
Listening = Generator[None, Item, None]


class Decoder:
    """A board that speaks frames.

    Parameters
    ----------
    access
        One access on the bus, by byte address and the word to write, or ``None`` to read; ``None`` when nobody answers.
    other
        Takes a byte that is UARTBone's.
    other_waits
        Whether UARTBone is between two commands.
    """

    def __init__(
        self,
        access: Callable[[int, int | None], int | None],
        other: Callable[[int], None] = lambda byte: None,
        other_waits: Callable[[], bool] = lambda: True,
        *,
        depth: int = 4096,
    ) -> None:
        self.access, self.other, self.other_waits, self.depth = access, other, other_waits, depth
        self.session = 0
        self.locked = False
        self.known = False
        self.tag = 0
        self.next = 0
        self.outcome = 0
        self.page = 0
        #: All that it has said in this session, and how much of that is sent.
        self.said = bytearray()
        self.sent = 0
        self._held: list[Item] = []
        self._listening = self._listen()
        next(self._listening)

    def take(self, item: Item) -> None:
        """A byte, or a silence."""
        self._held.append(item)
        while self._held:
            self._listening.send(self._held.pop(0))

    def output(self) -> bytes:
        """What it sends now."""
        data, self.sent = bytes(self.said[self.sent :]), len(self.said)
        return data

    # ---- states

    def _listen(self) -> Listening:
        while True:
            item = yield
            if isinstance(item, Silence):
                continue
            if item == 0x5A and (self.locked or self.other_waits()):
                yield from self._halted(marks=1)
            elif not self.locked:
                self.other(item)
            elif item >= 0x80:
                yield from self._frame(item)
            elif item < 8:
                yield from self._foreign(item)
            else:
                yield from self._refuse()

    def _refuse(self) -> Listening:
        self._status(refused=True)
        yield from self._halted(marks=0)

    def _halted(self, marks: int) -> Listening:
        """Nothing but a SYNC is heard."""
        while True:
            item = yield
            if isinstance(item, Silence):
                if item.seconds >= (DESERTION if self.locked else PAUSE):
                    self.locked = False
                    return
            elif item == 0x5A:
                marks += 1
            elif item == 0xA5 and marks >= 3:
                marks = 0
                fields: list[int] = []
                while len(fields) < 12:
                    item = yield
                    if isinstance(item, Silence):
                        if item.seconds >= PAUSE:
                            break
                        continue
                    fields.append(item)
                if len(fields) < 12:
                    if not self.locked:
                        return
                    self._status(refused=True)
                    # The silence goes on.
                    self._held.insert(0, item)
                elif crc(fields, 0xFFFFFFFF) == 0:
                    self._sync(fields)
                    return
                elif not self.locked:
                    return
            else:
                marks = 0
                if not self.locked:
                    return

    def _sync(self, fields: list[int]) -> None:
        session = int.from_bytes(fields[:4], "big")
        self.known = session == self.session
        self.session = session
        self.locked = session >= 1 << 31
        if not self.known or not self.locked:
            self.said.clear()
            self.sent = self.next = self.outcome = 0
        self.tag = fields[4]
        if self.locked:
            if self.known:
                back = (len(self.said) - (fields[5] % 128 * 128 + fields[6] % 128)) % self.depth
                self.sent = len(self.said) - back
            self._status(refused=False)

    def _frame(self, first: int) -> Listening:
        data = [first]
        while len(data) < 2 or len(data) < 2 + 2 * data[1] + 4:
            item = yield
            if isinstance(item, Silence):
                if item.seconds >= PAUSE:
                    self._held.insert(0, item)
                    yield from self._refuse()
                    return
                continue
            data.append(item)
        if crc(data, self.session) or first != 0x80 + self.next:
            yield from self._refuse()
            return
        words, self.outcome = self._execute(data[2:-4])
        self.said += answer(self.session, self.next, words, self.outcome)
        self.next = (self.next + 1) % 128
        if self.outcome:
            yield from self._halted(marks=0)

    def _foreign(self, first: int) -> Listening:
        """Perhaps a LiteX tool."""
        bytes_held: list[Item] = [first]
        while len(bytes_held) <= 6:
            item = yield
            if not isinstance(item, Silence):
                bytes_held.append(item)
            elif item.seconds >= PAUSE:
                if len(bytes_held) == 6 and first % 2 == 0:
                    self.locked = False
                    self._held[:0] = bytes_held
                    return
                bytes_held.append(item)
                break
        self._held[:0] = bytes_held
        yield from self._halted(marks=0)

    def _status(self, *, refused: bool) -> None:
        position = len(self.said) % self.depth
        flags = 0x80 + 2 * self.known + refused
        data = bytes([flags, self.tag, self.next, self.outcome]) + position.to_bytes(2, "big")
        self.said += checked(data, self.session)

    # ---- the bus

    def _execute(self, body: list[int]) -> tuple[list[int], int]:
        words: list[int] = []
        number = failed = 0
        at = 0

        def take(count: int) -> int:
            nonlocal at
            at += count
            return int.from_bytes(bytes(body[at - count : at]), "big")

        while at < len(body):
            operation, count = take(1), take(1)
            if operation & 8:
                self.page = take(2) & 0x3FFF
                continue
            scattered, moves, writes = operation & 4, operation & 2, operation & 1
            offset = 0 if scattered else take(2)
            for _ in range(count):
                if scattered:
                    offset = take(2)
                value = take(4) if writes else None
                number += 1
                result = None if failed else self.access(4 * (self.page << 16 | offset), value)
                if result is None and not failed:
                    failed = number
                if not writes:
                    words.append(0xFFFFFFFF if result is None else result)
                if moves:
                    offset = (offset + 1) % 65536
        return words, failed
