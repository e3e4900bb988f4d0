"""``jupyter fpga capture`` against a lab that runs."""

import pytest

from jupyter_fpga.waveform import Waveform

from .test_commands import fpga  # noqa: F401 - a fixture

DESIGN = """\
class Top(wiring.Component):
    duty: In(8)
    led: Out(1)
    count: Out(8)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.count.eq(self.count + 1)
        m.d.comb += self.led.eq(self.count < self.duty)
        return m
"""


@pytest.fixture
def board(fpga, lab, tmp_path):  # noqa: F811
    """The command, with a board that it finds."""
    (tmp_path / "design.py").write_text(DESIGN)
    done = fpga("submit", "--wait", "--probe", "count,led", "--probe=duty", "design.py")
    assert done.returncode == 0, done.stderr
    return fpga


def test_into_files(board, tmp_path):
    done = board("capture", "count,led", "--trigger", "count == 0x55", "--depth=64", "--pre=16", "-o", "x.vcd")
    assert done.stdout == "x.vcd: 2 signals, 64 cycles of 83.33 ns, trigger at 16\n", done.stderr


def test_refusals(board, tmp_path):
    done = board("capture", "count", "--trigger=led rises", "--timeout=0.2", "--depth=16", "-o", "late.vcd")
    assert done.returncode == 6
    assert done.stderr == (
        "The trigger was not met within 0.2 s. The exception's `waveform` has the last 16 samples before that.\n"
    )
    # What there was is there all the same.
    assert len(Waveform.from_vcd(tmp_path / "late.vcd")) == 16
    for words, code, sentence in (
        (["-o", "x.txt"], 2, "The file “x.txt” is neither a .vcd nor a .json; give one with --output.\n"),
        (["--via=cable"], 2, "--via takes trace or analyzer; got 'cable'.\n"),
        (["cuont"], 2, "Nothing is captured on board 0: the design has no signal 'cuont'; the nearest is count.\n"),
    ):
        done = board("capture", *words)
        assert (done.returncode, done.stdout) == (code, "")
        assert done.stderr.replace("board 1", "board 0") == sentence
