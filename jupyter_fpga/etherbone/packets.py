"""Etherbone packets, as LiteX's ``litex_server`` takes them over TCP: bytes in, plain data out, and back.

A packet is a header of 8 bytes (``4e 6f``, version and flags, address and port width, four unused), and one record:
``flags(1) byte enables(1) writes(1) reads(1)``, then for writes the address of the first and their words, then for
reads the address that the answer shall carry and the address of each word. All is big endian, all words and addresses
have 32 bits, and the addresses are bytes. Reads are answered by one packet that writes their words back; writes are not
answered. A probe is the header alone; what it is answered with, and what LiteX's tools pad it to, has an empty record
behind it. The server begins each connection with a line of text, which some clients wait for.

Sources: LiteX 2024.12, ``litex/tools/remote/etherbone.py``, ``litex/tools/litex_server.py`` and
``litex/tools/remote/comm_udp.py``; the format is that of OHWR's Etherbone 1.0.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from jupyter_fpga.errors import Invalid

__all__ = (
    "MAX_PACKET_BYTES",
    "MAX_WORDS",
    "PROBE_ANSWER",
    "Packet",
    "Splitter",
    "decode",
    "encode_answer",
    "expects_answer",
    "greeting",
)

#: A record counts its words in one byte.
MAX_WORDS = 255

_MAGIC = b"\x4e\x6f"
_VERSION = 1
_PROBE, _PROBE_REPLY = 0x01, 0x02
#: Addresses and data of 32 bits: 4 bytes each.
_WIDTHS = 0x44
_ALL_BYTES = 0x0F

_HEADER_BYTES = 8
_HEAD_BYTES = 12
_WORD_BYTES = 4
_PADDING = bytes(_HEAD_BYTES - _HEADER_BYTES)

MAX_PACKET_BYTES = _HEAD_BYTES + 2 * _WORD_BYTES * (1 + MAX_WORDS)

PROBE_ANSWER = _MAGIC + bytes((_VERSION << 4 | _PROBE_REPLY, _WIDTHS)) + bytes(8)


@dataclass(frozen=True, slots=True)
class Packet:
    """What a packet asks for: the writes first, then the reads.

    Parameters
    ----------
    address
        Byte address of the first word to write.
    words
        What to write, one address after the other; empty without writes.
    reads
        Byte addresses to read.
    return_address
        What the answer is to carry as its address.
    probe
        It only asks whether somebody speaks Etherbone here.
    """

    address: int = 0
    words: tuple[int, ...] = ()
    reads: tuple[int, ...] = ()
    return_address: int = 0
    probe: bool = False


class Splitter:
    """Finds the packets in a stream of bytes."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._after_probe = False

    @property
    def empty(self) -> bool:
        """Whether nothing of an unfinished packet has come."""
        return not self._rest

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that ``data`` completes.

        Raises
        ------
        Invalid
            ``packet_invalid``: it isn't Etherbone. Nothing that follows can be found in the stream any more.
        """
        rest = self._rest
        rest += data
        packets = []
        while (size := self._next_size()) is not None:
            packets.append(bytes(rest[:size]))
            del rest[:size]
        return packets

    def _next_size(self) -> int | None:
        """Bytes of the packet that begins here, once it is whole."""
        rest = self._rest
        if self._after_probe and rest:
            if len(rest) < len(_PADDING) and not any(rest):
                return None
            self._after_probe = False
            # No packet begins so.
            if rest.startswith(_PADDING):
                del rest[: len(_PADDING)]
        if len(rest) < _HEADER_BYTES:
            # Who speaks something else may wait for an answer with fewer bytes than these.
            if rest and not (_MAGIC.startswith(rest) or rest.startswith(_MAGIC)):
                _check_header(bytes(rest).ljust(_HEADER_BYTES, b"\0"))
            return None
        if _check_header(rest) & _PROBE:
            self._after_probe = True
            return _HEADER_BYTES
        if len(rest) < _HEAD_BYTES:
            return None
        size = _size(rest[10], rest[11])
        return size if len(rest) >= size else None


def expects_answer(packet: bytes) -> bool:
    """Whether whoever sent this packet waits for an answer."""
    return len(packet) == _HEADER_BYTES or packet[11] > 0


def decode(packet: bytes) -> Packet:
    """What ``packet``, which must be exactly one, asks for.

    Raises
    ------
    Invalid
        ``packet_invalid``: it isn't Etherbone, or asks for what the lab's bus doesn't have. The sentence says what.
    """
    if len(packet) < _HEADER_BYTES:
        raise _invalid(f"it has {len(packet)} bytes, and its header alone takes {_HEADER_BYTES}.")
    flags = _check_header(packet)
    if flags & _PROBE_REPLY:
        raise _invalid("it is the answer to a probe, and nobody asked.")
    if flags & _PROBE:
        if packet[_HEADER_BYTES:] not in (b"", _PADDING):
            raise _invalid("it is a probe with a record; send the record in a packet of its own.")
        return Packet(probe=True)
    if len(packet) < _HEAD_BYTES:
        raise _invalid(f"it has {len(packet)} bytes, and its header and a record's take {_HEAD_BYTES}.")
    access, enables, writes, reads = packet[_HEADER_BYTES:_HEAD_BYTES]
    size = _size(writes, reads)
    if len(packet) != size:
        raise _invalid(
            f"its record has {writes} writes and {reads} reads, which makes {size} bytes; it has {len(packet)}."
        )
    if access:
        raise _invalid(f"its record has the flags {access:#04x} (configuration space, FIFOs), and only 0 can be done.")
    if enables != _ALL_BYTES and (writes or reads):
        raise _invalid(f"its byte enables are {enables:#04x}, and the lab's bus moves whole words (0x0f).")
    words = struct.unpack_from(f">{(size - _HEAD_BYTES) // _WORD_BYTES}I", packet, _HEAD_BYTES)
    address, written, rest = (words[0], words[1 : 1 + writes], words[1 + writes :]) if writes else (0, (), words)
    return Packet(address, written, rest[1:], rest[0] if reads else 0)


def encode_answer(words: Sequence[int], return_address: int = 0) -> bytes:
    """The packet that brings the words that were read (1 … 255 of them)."""
    head = _MAGIC + bytes((_VERSION << 4, _WIDTHS, 0, 0, 0, 0, 0, _ALL_BYTES, len(words), 0))
    return head + struct.pack(f">{1 + len(words)}I", return_address, *words)


def greeting(host: str, port: int) -> bytes:
    """What a connection begins with: in ``litex_server``'s form, the kind of link and where the server listens."""
    return f"jupyter_fpga:{host}:{port}".encode()


def _size(writes: int, reads: int) -> int:
    return _HEAD_BYTES + sum(_WORD_BYTES * (1 + count) for count in (writes, reads) if count)


def _check_header(packet: bytes | bytearray) -> int:
    """The flags of a header that is one."""
    if packet[:2] != _MAGIC:
        raise _invalid(f"it begins with {packet[:2].hex(' ')}, and Etherbone begins with {_MAGIC.hex(' ')}.")
    if packet[2] >> 4 != _VERSION:
        raise _invalid(f"it is of version {packet[2] >> 4}, and only {_VERSION} is known here.")
    if packet[3] != _WIDTHS:
        raise _invalid(f"its widths are {packet[3]:#04x}, and the lab's bus has 32-bit addresses and words (0x44).")
    return packet[2] & 0x0F


def _invalid(why: str) -> Invalid:
    return Invalid(f"The Etherbone packet can't be understood: {why}", code="packet_invalid")
