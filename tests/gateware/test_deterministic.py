"""The same design always gives the same netlist: that is what the build cache lives on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

AMARANTH = """\
from amaranth.lib import enum
from amaranth.lib.memory import Memory

class Mode(enum.Enum, shape=2):
    OFF = 0
    ON = 1

class Top(wiring.Component):
    mode: In(Mode)
    duty: In(40)
    count: Out(40)
    word: Out(8)

    def elaborate(self, platform):
        m = Module()
        m.submodules.ram = ram = Memory(shape=8, depth=16, init=[1, 2, 3])
        read = ram.read_port()
        for name in {"alpha", "beta", "gamma", "delta"}:
            signal = Signal(8, name=name)
            m.d.sync += signal.eq(signal + len(name))
        with m.If(self.mode == Mode.ON):
            m.d.sync += self.count.eq(self.count + self.duty)
        m.d.comb += [read.addr.eq(self.count), self.word.eq(read.data)]
        return m
"""

LITEX = """\
from litex.gen import LiteXModule
from litex.soc.interconnect.csr import CSRStatus, CSRStorage
from migen import *

class Top(LiteXModule):
    def __init__(self, platform):
        self.x = CSRStorage(40)
        self.y = CSRStatus(40)
        self.table = Memory(8, 16, init=[1, 2])
        self.specials += self.table
        for name in {"alpha", "beta", "gamma"}:
            signal = Signal(8, name=name)
            self.sync += signal.eq(signal + len(name))
        self.sync += self.y.status.eq(self.y.status + self.x.storage)
"""

SOC = """\
from jupyter_fpga.gateware import LabSoC
from litex.gen import LiteXModule
from litex.soc.interconnect.csr import CSRStorage

class _Part(LiteXModule):
    def __init__(self):
        self.x = CSRStorage(8)

class Top(LabSoC):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.part = _Part()
        self.comb += self.platform.request("leds").eq(self.part.x.storage)
"""

VERILOG = """\
module top(input clk, input [7:0] a, output reg [7:0] q);
  wire [7:0] next = a + q;
  always @(posedge clk) if (a[0]) q <= next; else q <= q - 1;
endmodule
"""

DESIGNS = {
    "amaranth": ("design.py", AMARANTH, "#"),
    "litex": ("design.py", LITEX, "#"),
    "soc": ("design.py", SOC, "#"),
    "verilog": ("design.v", VERILOG, "//"),
}


@pytest.fixture(params=list(DESIGNS))
def design(request):
    return DESIGNS[request.param]


def outputs(folder: Path) -> dict[str, bytes]:
    names = ("netlist.il", "netlist.json", "manifest.json", "csr.json", "csr.csv")
    return {name: (folder / name).read_bytes() for name in names}


def test_another_process_seed_and_place(elaborate, design, tmp_path):
    """The first is of a process that lives on, the others are what the lab starts, with hash seeds of their own."""
    name, text, _ = design
    expected = outputs(elaborate({name: text}, entry=name).folder)
    for seed in ("random", "7"):
        folder = tmp_path / "elsewhere" / seed
        (folder / "source").mkdir(parents=True)
        (folder / "source" / name).write_text(text)
        (folder / "request.json").write_text(f'{{"entry": "{name}"}}')
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-m", "jupyter_fpga.gateware", "elaborate"]
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
        assert outputs(folder) == expected


def test_the_name_of_the_file_does_not_matter(elaborate, design):
    name, text, _ = design
    other = "blinky" + Path(name).suffix
    assert outputs(elaborate({other: text}, entry=other).folder) == outputs(elaborate({name: text}, entry=name).folder)


def test_a_comment_keeps_the_digest(elaborate, design):
    name, text, comment = design
    before = elaborate({name: text}, entry=name)
    after = elaborate({name: f"{comment} Hello.\n\n{text}{comment} The end.\n"}, entry=name)
    assert after.digest == before.digest


def test_a_change_changes_the_digest(elaborate, design):
    name, text, _ = design
    before = elaborate({name: text}, entry=name)
    changed = (
        text.replace("len(name)", "len(name) + 1").replace("a + q", "a - q").replace("eq(self.part", "eq(~self.part")
    )
    assert changed != text
    assert elaborate({name: changed}, entry=name).digest != before.digest


def test_places_in_the_netlist_are_the_persons_own(elaborate):
    files = {
        "blinky.py": "from part import Part\n\n"
        + AMARANTH.replace("m = Module()", "m = Module(); m.submodules += Part()"),
        "part.py": "from amaranth import *\n\nclass Part(Elaboratable):\n    def elaborate(self, platform):\n"
        "        m = Module()\n        x = Signal()\n        m.d.sync += x.eq(~x)\n        return m\n",
    }
    text = elaborate(files, entry="blinky.py").text
    files_named = {line.split('"')[1].rpartition(":")[0] for line in text.splitlines() if "attribute \\src" in line}
    assert files_named == {"design.py", "part.py"}
    assert 'attribute \\src "part.py:7"' in text
