"""The packets, beside LiteX's own code for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litex.tools.remote.etherbone import EtherbonePacket, EtherboneReads, EtherboneRecord, EtherboneWrites

from jupyter_fpga.errors import Invalid
from jupyter_fpga.etherbone.packets import (
    MAX_PACKET_BYTES,
    PROBE_ANSWER,
    Packet,
    Splitter,
    decode,
    encode_answer,
    expects_answer,
    greeting,
)

WORD = st.integers(0, 0xFFFF_FFFF)
WORDS = st.lists(WORD, max_size=255)


def theirs(address: int = 0, words: list[int] = (), reads: list[int] = (), return_address: int = 0) -> bytes:
    """A packet as LiteX encodes it."""
    record = EtherboneRecord(4)
    if words:
        record.writes = EtherboneWrites(addr_size=4, base_addr=address, datas=list(words))
    if reads:
        record.reads = EtherboneReads(addr_size=4, base_ret_addr=return_address, addrs=list(reads))
    packet = EtherbonePacket(32)
    packet.records = [record]
    packet.encode()
    return bytes(packet.bytes)


def probe() -> bytes:
    """The header alone."""
    packet = EtherbonePacket(32)
    packet.pf = 1
    packet.encode()
    return bytes(packet.bytes)


def their_reading(data: bytes) -> EtherbonePacket:
    packet = EtherbonePacket(32, data)
    packet.decode()
    return packet


@given(WORD, WORDS, WORDS, WORD)
def test_what_litex_encodes(address, words, reads, return_address):
    data = theirs(address, words, reads, return_address)
    assert len(data) <= MAX_PACKET_BYTES
    assert decode(data) == Packet(
        address if words else 0, tuple(words), tuple(reads), return_address if reads else 0, probe=False
    )
    assert expects_answer(data) == bool(reads)


@given(st.lists(WORD, min_size=1, max_size=255), WORD)
def test_an_answer_is_what_litex_reads(words, return_address):
    (record,) = their_reading(encode_answer(words, return_address)).records
    assert (record.writes.get_datas(), record.writes.base_addr) == (words, return_address)
    assert (record.byte_enable, record.rcount) == (0xF, 0)
    assert encode_answer(words) == theirs(0, words)


def test_a_probe_with_and_without_padding():
    for data in (probe(), probe() + bytes(4)):
        assert decode(data) == Packet(probe=True)
    assert expects_answer(probe())
    answer = their_reading(PROBE_ANSWER)
    assert (answer.magic, answer.version, answer.pr, answer.pf, answer.addr_size, answer.port_size) == (
        0x4E6F,
        1,
        1,
        0,
        4,
        4,
    )
    # The length that LiteX's client reads at least.
    assert len(PROBE_ANSWER) == 12


@given(
    st.lists(
        st.one_of(
            st.builds(theirs, WORD, st.lists(WORD, max_size=9), st.lists(WORD, max_size=9)),
            st.just(probe()),
            st.just(probe() + bytes(4)),
        ),
        max_size=8,
    ),
    st.lists(st.integers(1, 40), min_size=1),
)
def test_packets_are_found_however_they_are_cut(packets, cuts):
    data, splitter, found, at = b"".join(packets), Splitter(), [], 0
    for index in range(len(data)):
        size = cuts[index % len(cuts)]
        found += splitter.feed(data[at : at + size])
        at += size
        if at >= len(data):
            break
    assert found == [packet[:8] if packet.startswith(probe()) else packet for packet in packets]


def test_a_greeting_as_litex_server_has_it():
    assert greeting("127.0.0.1", 1234) == b"jupyter_fpga:127.0.0.1:1234"


BAD = "The Etherbone packet can't be understood: "
READ = theirs(reads=[0])


def changed(at: int, value: int) -> bytes:
    data = bytearray(READ)
    data[at] = value
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it has 0 bytes, and its header alone takes 8."),
        (READ[:7], "it has 7 bytes, and its header alone takes 8."),
        (READ[:10], "it has 10 bytes, and its header and a record's take 12."),
        (READ[:-1], "its record has 0 writes and 1 reads, which makes 20 bytes; it has 19."),
        (READ + b"\0", "its record has 0 writes and 1 reads, which makes 20 bytes; it has 21."),
        (b"GET / HTTP/1.1\r\n", "it begins with 47 45, and Etherbone begins with 4e 6f."),
        (changed(2, 0x20), "it is of version 2, and only 1 is known here."),
        (changed(3, 0x48), "its widths are 0x48, and the lab's bus has 32-bit addresses and words (0x44)."),
        (changed(2, 0x12), "it is the answer to a probe, and nobody asked."),
        (changed(2, 0x11), "it is a probe with a record; send the record in a packet of its own."),
        (changed(8, 0x02), "its record has the flags 0x02 (configuration space, FIFOs), and only 0 can be done."),
        (changed(9, 0x01), "its byte enables are 0x01, and the lab's bus moves whole words (0x0f)."),
    ],
)
def test_what_is_no_packet(data, why):
    with pytest.raises(Invalid) as caught:
        decode(data)
    assert (caught.value.code, caught.value.message) == ("packet_invalid", BAD + why)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"GE", "it begins with 47 45, and Etherbone begins with 4e 6f."),
        (b"\0", "it begins with 00 00, and Etherbone begins with 4e 6f."),
        (READ + b"\xff" * 8, "it begins with ff ff, and Etherbone begins with 4e 6f."),
        (probe() + bytes(3) + b"\1", "it begins with 00 00, and Etherbone begins with 4e 6f."),
        (probe() + bytes(5), "it begins with 00 00, and Etherbone begins with 4e 6f."),
        (changed(2, 0x20), "it is of version 2, and only 1 is known here."),
    ],
)
def test_what_is_no_stream_of_packets(data, why):
    with pytest.raises(Invalid) as caught:
        Splitter().feed(data)
    assert (caught.value.code, caught.value.message) == ("packet_invalid", BAD + why)


def test_an_unfinished_packet_is_waited_for():
    splitter = Splitter()
    assert splitter.feed(READ[:1]) == []
    assert splitter.feed(READ[1:9]) == []
    assert splitter.feed(READ[9:] + READ[:19]) == [READ]
    assert not splitter.empty
    assert splitter.feed(READ[19:]) == [READ]
    assert splitter.empty
