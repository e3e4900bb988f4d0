"""UARTBone on the wire: LiteX's serial bridge to the Wishbone bus, as bytes.

A command is ``cmd(1) length(1) address(4) [data 4×length]``, everything big endian, the address in words. A read is
answered with ``4×length`` bytes, a write with nothing; there is neither acknowledge nor checksum. A command that takes
the bridge longer than 100 ms is dropped where it is, and the next byte is taken as the start of a command. (Source:
``Stream2Wishbone`` in LiteX 2024.12, ``litex/soc/cores/uart.py``.)
"""

import struct
from collections.abc import Sequence

__all__ = (
    "HEADER_BYTES",
    "MAX_WORDS",
    "READ",
    "READ_FIXED",
    "WATCHDOG_SECONDS",
    "WORD_BYTES",
    "WRITE",
    "WRITE_FIXED",
    "burst_words",
    "decode_words",
    "encode_read",
    "encode_write",
    "wire_seconds",
)

#: Commands: the address grows by one word with each word of data, or (``…_FIXED``) stays.
WRITE, READ, WRITE_FIXED, READ_FIXED = 1, 2, 3, 4

#: The length is one byte, and a length of 0 would run until the watchdog ends it.
MAX_WORDS = 255

HEADER_BYTES = 6
WORD_BYTES = 4

#: Board time after which the bridge drops a command that isn't finished.
WATCHDOG_SECONDS = 0.1

#: Share of the watchdog's time that a burst may take by calculation; the rest is for gaps between the bytes.
_WATCHDOG_SHARE = 0.8

#: Start bit, eight data bits, stop bit.
_BITS_PER_BYTE = 10

_HEADER = struct.Struct(">BBI")


def encode_read(address: int, count: int, *, fixed: bool = False) -> bytes:
    """The command that reads ``count`` words (1 … 255) from byte address ``address``."""
    return _HEADER.pack(READ_FIXED if fixed else READ, count, address >> 2)


def encode_write(address: int, words: Sequence[int], *, fixed: bool = False) -> bytes:
    """The command that writes ``words`` (1 … 255 of them) to byte address ``address``."""
    count = len(words)
    return struct.pack(f">BBI{count}I", WRITE_FIXED if fixed else WRITE, count, address >> 2, *words)


def decode_words(data: bytes | bytearray | memoryview, offset: int, count: int) -> tuple[int, ...]:
    """The ``count`` words of an answer that starts at ``offset`` in ``data``."""
    return struct.unpack_from(f">{count}I", data, offset)


def wire_seconds(byte_count: int, baud: int) -> float:
    """Time that ``byte_count`` bytes take on a wire of ``baud`` bits a second."""
    return byte_count * _BITS_PER_BYTE / baud


def burst_words(*, baud: int, clock_hz: int, bus_timeout_cycles: int) -> int:
    """The most words that one command may have without meeting the watchdog, even if nobody on the bus answers.

    Each word takes 4 bytes of wire and at worst the bus's whole time-out. At 1 Mbaud, 12 MHz and 4096 cycles: 209.
    """
    per_word = wire_seconds(WORD_BYTES, baud) + bus_timeout_cycles / clock_hz
    room = WATCHDOG_SECONDS * _WATCHDOG_SHARE - wire_seconds(HEADER_BYTES, baud)
    return max(1, min(MAX_WORDS, int(room / per_word)))
