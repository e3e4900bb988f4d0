"""LiteScope's own ``litescope_cli``, unmodified, on the analyzer of a design with probes."""

import os
import subprocess
from pathlib import Path

import pytest

from jupyter_fpga.client import BoardHandle, LabClient
from jupyter_fpga.waveform import Waveform

from .conftest import BIN

DESIGN = """
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
def board(lab: LabClient) -> BoardHandle:
    return lab.submit(DESIGN, probes=["count", "led"]).board().ready()


def test_it_captures_by_the_etherbone_port(board: BoardHandle, tmp_path: Path, address: str, own_localhost) -> None:
    board.regs.duty = 0x40
    for name in ("csr.csv", "analyzer.csv"):
        (tmp_path / name).write_bytes(board.artifact(name))
    # It knows no port but 1234.
    with board.etherbone(1234, address):
        done = subprocess.run(
            [*own_localhost, BIN / "litescope_cli", "-v", "count", "0x55", "--offset", "16", "--length", "200"],
            cwd=tmp_path,
            env=os.environ,
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done
    found = Waveform.from_vcd(tmp_path / "dump.vcd")
    # Its time unit is half a clock cycle.
    counts, leds = found["count"].samples(2), found["led"].samples(2)
    assert len(counts) > 150
    assert counts == [(counts[0] + index) % 256 for index in range(len(counts))]
    assert leds == [int(count < 0x40) for count in counts]
    # Its FIFO stops letting go two samples after the one in which the trigger is met.
    assert counts[16 - 2] == 0x55
    # And the lab's own capture goes on as if nothing had been.
    again = board.capture("count,led", trigger="led falls", depth=64, pre=8, via="analyzer")
    assert again["count"].samples() == [(0x38 + index) % 256 for index in range(64)]
