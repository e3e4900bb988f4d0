"""Frames on the wire: the lab's own command set, as bytes.

It shares the serial line with UARTBone (:mod:`.uartbone`), whose commands 1 to 4 stay as they are. Numbers are big
endian, a CRC is least significant byte first, a word is 32 bits, and addresses count words.

**A session.** The host opens one with a SYNC. Until it is closed, UARTBone is shut off, so that no part of a broken
frame can be taken for one of its commands::

    SYNC      host → board   5a 5a 5a … a5  session(4) tag(1) position(2) 80  crc(4)
    FRAME     host → board   80|sequence  length(1)  body(2·length)  crc(4)
    ANSWER    board → host   sequence(1)  word(4) …  outcome(1)  crc(4)
    STATUS    board → host   80|flags  tag(1)  next(1)  outcome(1)  position(2)  crc(4)

**Checks.** The CRC is CRC-32 (IEEE 802.3, as :func:`zlib.crc32` without its final inversion). It covers everything
before it, from the first byte on; of a SYNC, what follows ``a5``. It starts from the session's number, in a SYNC from
all ones. So nothing of another session is ever taken for something of this one: frames that differ in nothing but the
number they start from differ in their CRC. Within a frame it finds every change of up to four neighbouring bytes, and
every three changed bits anywhere (it has distance 4 at these lengths), and whatever else happens (a byte lost, or
doubled, which moves all that follow) but for one case in 2³²; 16 bits would miss one in 65,536, and that is a few a day
on a bad cable.

**In order, once, whole.** The board keeps a body in memory, and executes it when the CRC is right and the sequence
number (7 bits) is the next one. Everything else — a byte that begins no frame, a wrong CRC or number, a pause of 3 ms
in the middle of a frame — is refused: the board says so with one STATUS that has the flag *refused*, and *halts*: it
takes no notice of anything but a SYNC. A bus error halts it as well, after the answer that tells of it; so nothing
behind an access that failed is executed before the host knows.

**SYNC** opens a session when the number is new: the next sequence number is 0 then, and the board's position too. With
the number of the session that is open it asks for the truth: the STATUS has the flag *known*, the number of the frame
that would be the next (all before it have been executed, once, and nothing else has), and the outcome of the last one;
the tag is that of the SYNC. Answers are kept in a ring of ``answer_depth`` bytes: with the SYNC the board goes back to
``position`` and sends everything from there again, the STATUS last, whose own position is in it (before these bytes
come others that were under way). So an answer that the wire has spoiled can be had again, and nothing is ever executed
twice. A reset makes the board forget the session, and still shut UARTBone off. The numbers of a SYNC are chosen so that
none of its bytes is one of UARTBone's commands.

A number whose top bit is 0 closes the session, which is not answered. Silence of 0.09 s while the board halts gives the
line back to UARTBone too, so that LiteX's tools find it after a lab that died; so does exactly one read command of
UARTBone's and then 3 ms of silence, which is answered. The session is known all the same if its host comes back.

**A body** is commands, each ``operation(1) count(1)`` and then:

====================  =========  ===============================================================================
command               operation  what follows
====================  =========  ===============================================================================
read                  0 or 2     offset(2): ``count`` words from one address (0), or from it on (2)
write                 1 or 3     offset(2) word(4) …: ``count`` words to one address (1), or from it on (3)
read scattered        4          offset(2) …, ``count`` of them
write scattered       5          offset(2) word(4), ``count`` times
page                  8          page(2): upper 14 bits of the addresses of what follows, until another page comes
====================  =========  ===============================================================================

An address is ``page << 16 | offset``; a count is 1 to 255, and so is the number of words of all commands in a frame,
whose order is that of their execution. The answer has the words that were read, in order. The outcome is 0, or the
number of the word, counted from 1 over reads and writes alike, which nobody on the bus acknowledged; nothing after it
was executed, and in the place of words read from it on there are ones.

A scattered read costs 2 bytes on the way there and 4 back (UARTBone's: 6 and 4), a scattered write 6 (10); around a
frame come 6 and 6.
"""

import struct
import zlib
from collections.abc import Iterator
from random import Random

__all__ = (
    "ANSWER_BYTES",
    "FRAME_BYTES",
    "MAX_BODY",
    "MAX_WORDS",
    "SEQUENCES",
    "STATUS_BYTES",
    "WORD_BYTES",
    "Status",
    "answer_words",
    "decode_status",
    "encode_close",
    "encode_frame",
    "encode_sync",
    "sessions",
)

WORD_BYTES = 4

#: Bytes of a frame or an answer around its body or words.
FRAME_BYTES = 6
ANSWER_BYTES = 6
STATUS_BYTES = 10

#: Bytes of a body, and words that it may read and write, at most.
MAX_BODY = 510
MAX_WORDS = 255

#: Sequence numbers go from 0 to one less than this.
SEQUENCES = 128

_FIRST = 0x80
_REFUSED, _KNOWN = 1, 2

#: Six marks, so that three are left after a fault among them; and one more byte in front, for the same reason.
_PREAMBLE = bytes([0x5A] * 6 + [0xA5])

#: UARTBone's commands, and what its command decoder might make of them.
_FOREIGN = frozenset(range(8))

_ALL_ONES = 0xFFFF_FFFF


class Status:
    """What the board says of itself.

    Parameters
    ----------
    refused
        It says so on its own account: it refused something, and halts. Else it answers a SYNC.
    known
        The session of the last SYNC was open already.
    tag
        Of the last SYNC.
    following
        Sequence number of the frame that it would execute next.
    outcome
        Of the last frame that it executed.
    position
        Of this status among all that it has sent in this session, modulo the size of its ring.
    """

    __slots__ = ("following", "known", "outcome", "position", "refused", "tag")

    def __init__(self, refused: bool, known: bool, tag: int, following: int, outcome: int, position: int) -> None:
        self.refused, self.known, self.tag = refused, known, tag
        self.following, self.outcome, self.position = following, outcome, position


def _crc(data: bytes | bytearray | memoryview, start: int) -> int:
    return zlib.crc32(data, start ^ _ALL_ONES) ^ _ALL_ONES


def sessions(random: Random) -> Iterator[int]:
    """Numbers for sessions: words whose top bit is 1, and of which no byte is one of UARTBone's commands."""
    while True:
        yield int.from_bytes(bytes([random.randrange(0x80, 0x100), *random.choices(range(8, 0x100), k=3)]), "big")


def encode_frame(session: int, sequence: int, body: bytes | bytearray) -> bytes:
    """The frame that has the board execute ``body``."""
    frame = bytes((_FIRST | sequence, len(body) // 2)) + body
    return frame + _crc(frame, session).to_bytes(4, "little")


def encode_sync(session: int, tags: Iterator[int], position: int) -> tuple[int, bytes]:
    """A SYNC, and the tag that its status will have: the first of ``tags`` with which no byte is a command."""
    for tag in tags:
        fields = struct.pack(">IBBBB", session, tag, 0x80 | position >> 7, 0x80 | position & 0x7F, 0x80)
        sync = fields + _crc(fields, _ALL_ONES).to_bytes(4, "little")
        if _FOREIGN.isdisjoint(sync):
            return tag, _PREAMBLE + sync
    raise ValueError("The tags came to an end.")


def encode_close() -> bytes:
    """The SYNC that closes the session."""
    return encode_sync(0x7F7F_7F7F, iter(range(8, 0x100)), 0)[1]


def answer_words(session: int, sequence: int, data: bytes | bytearray, at: int, count: int) -> tuple[int, ...] | None:
    """The ``count`` words and the outcome of the answer that begins at ``at``, or ``None`` if it isn't that."""
    end = at + ANSWER_BYTES + WORD_BYTES * count - 4
    if data[at] != sequence or data[end : end + 4] != _crc(data[at:end], session).to_bytes(4, "little"):
        return None
    return struct.unpack_from(f">{count}IB", data, at + 1)


def decode_status(session: int, data: bytes | bytearray, at: int) -> Status | None:
    """The status that begins at ``at``, or ``None`` if there is none."""
    if len(data) < at + STATUS_BYTES or not data[at] & _FIRST:
        return None
    flags, tag, following, outcome, position = struct.unpack_from(">BBBBH", data, at)
    (crc,) = struct.unpack_from("<I", data, at + 6)
    if crc != _crc(bytes(data[at : at + 6]), session):
        return None
    return Status(bool(flags & _REFUSED), bool(flags & _KNOWN), tag, following, outcome, position)
