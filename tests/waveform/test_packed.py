"""The packets that the viewer in the browser unpacks; its own test has the same bytes."""

from fractions import Fraction
from pathlib import Path

from jupyter_fpga.waveform import Wave, Waveform
from jupyter_fpga.waveform.wave import Part

SAMPLE = Path(__file__).parent / "samples" / "packed.hex"


def test_a_packet_byte_by_byte() -> None:
    waveform = Waveform(
        [
            Wave("led", 1, [0, 5, 9], [0, 1, 0], 70_000),
            Wave("a.b", 12, [0, 300, 65_000], [None, 0xABC, None], 70_000),
            Wave("wide", 40, [2, 69_999], [0x12_3456_789A, 1], 70_000),
            Wave("state", 3, [0], [5], 70_000, {"NEGATIVE": -3, "SAME": 5}, (Part("µ", 1, 2, {"X": 2}),)),
            Wave("none", 1, [], [], 70_000),
        ],
        end=70_000,
        tick=Fraction(1, 4),
        trigger=5,
    )
    assert waveform.packed() == bytes.fromhex(SAMPLE.read_text())


def test_a_million_changes_are_two_megabytes() -> None:
    count = 1_000_000
    values = [(time * 7919) & 0xFF for time in range(count)]
    waveform = Waveform([Wave("bus", 8, range(count), values, count)], end=count, tick=Fraction(1, 10**9))
    assert len(waveform.packed()) < 2 * count + 300


def test_steps_beyond_four_billion_ticks() -> None:
    waveform = Waveform([Wave("slow", 1, [0, 1 << 40], [0, 1], 1 << 41)], end=1 << 41, tick=Fraction(1, 10**15))
    # Floating point has each of them exactly.
    assert waveform.packed().endswith(bytes(8) + bytes.fromhex("0000000000007042") + bytes([0, 1]))
