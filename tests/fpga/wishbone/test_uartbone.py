"""The bytes on the wire, as LiteX's own CommUART sends and takes them."""

import pytest

from jupyter_fpga.fpga.wishbone import uartbone


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (uartbone.encode_read(0x3000_0010, 1), "02 01 0c000004"),
        (uartbone.encode_read(0xF000_0004, 255), "02 ff 3c000001"),
        (uartbone.encode_read(0xFFFF_FFFC, 3, fixed=True), "04 03 3fffffff"),
        (uartbone.encode_write(0x3000_0010, [1, 0xAABBCCDD]), "01 02 0c000004 00000001 aabbccdd"),
        (uartbone.encode_write(0x0, [7], fixed=True), "03 01 00000000 00000007"),
    ],
)
def test_commands(command: bytes, expected: str):
    assert command == bytes.fromhex(expected)


def test_answers_are_words_of_four_bytes_high_byte_first():
    assert uartbone.decode_words(bytes.fromhex("ff 00000001 aabbccdd"), 1, 2) == (1, 0xAABB_CCDD)


@pytest.mark.parametrize(
    ("baud", "clock_hz", "words"),
    [(1_000_000, 12_000_000, 209), (115_200, 12_000_000, 115), (9_600, 12_000_000, 16), (3_000_000, 100_000_000, 255)],
)
def test_bursts_end_before_the_watchdog(baud: int, clock_hz: int, words: int):
    assert uartbone.burst_words(baud=baud, clock_hz=clock_hz, bus_timeout_cycles=4096) == words
    seconds = uartbone.wire_seconds(6 + 4 * words, baud) + words * 4096 / clock_hz
    assert seconds < uartbone.WATCHDOG_SECONDS


def test_a_burst_has_at_least_one_word():
    assert uartbone.burst_words(baud=300, clock_hz=1_000_000, bus_timeout_cycles=10**6) == 1
