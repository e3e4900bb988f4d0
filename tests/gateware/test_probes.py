"""Probes: signals inside a design, led out to an analyzer beside it."""

import re

import pytest

from jupyter_fpga.gateware.elaborate._probes import analyzer_for
from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.manifest import Analyzer, Probe
from jupyter_fpga.gateware.targets import find_target

DESIGN = """
class Part(wiring.Component):
    go: In(1)
    state: Out(3)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.state.eq(self.state + self.go)
        return m


class Top(wiring.Component):
    x: In(4)
    total: Out(40)

    def elaborate(self, platform):
        m = Module()
        m.submodules.one, m.submodules.two = one, two = Part(), Part()
        m.submodules.memory = memory = Memory(shape=8, depth=16, init=[])
        port = memory.read_port()
        m.d.comb += [one.go.eq(self.x[0]), two.go.eq(self.x[1]), port.addr.eq(self.x)]
        m.d.sync += self.total.eq(self.total + one.state + two.state + port.data)
        return m
"""
IMPORT = "from amaranth.lib.memory import Memory\n"


def test_what_is_led_out(elaborate):
    result = elaborate(IMPORT + DESIGN, probes=["total", "one.state", "two.state[1]", "x"])
    assert result.manifest.analyzer == Analyzer(
        64,
        512,
        [Probe("total", 0, 40), Probe("one.state", 40, 3), Probe("two.state[1]", 43, 1), Probe("x", 44, 4)],
    )
    netlist = (result.folder / "netlist.il").read_text()
    assert re.search(r"wire width 62 output \d+ \\probes\n", netlist)
    assert (result.folder / "analyzer.csv").read_text() == (
        "config,None,data_width,64\nconfig,None,depth,512\nconfig,None,samplerate,12000000\n"
        "signal,0,edge0,1\nsignal,0,edge1,1\n"
        "signal,0,total,40\nsignal,0,one.state,3\nsignal,0,two.state[1],1\nsignal,0,x,4\n"
    )
    assert "csr_register,analyzer_storage_mem_data," in (result.folder / "csr.csv").read_text()


def test_without_probes_there_is_no_analyzer(elaborate):
    result = elaborate(IMPORT + DESIGN)
    assert result.manifest.analyzer is None
    assert not (result.folder / "analyzer.csv").exists()
    assert "analyzer" not in (result.folder / "csr.csv").read_text()


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        ("totl", "There is no totl to probe: the design has no signal 'totl'; the nearest is total."),
        (
            "three.state",
            "There is no three.state to probe: the design has no signal 'three.state'; the nearest are one.state, "
            "state, two.state.",
        ),
        ("one.state[3]", "There is no one.state[3] to probe: the signal one.state has bits 0 to 2."),
        ("memory", "There is no memory to probe: it is a memory; probe its address and data."),
    ],
)
def test_what_is_not_there(elaborate, probe, message):
    result = elaborate(IMPORT + DESIGN, probes=["total", probe])
    assert (result.error["code"], result.error["message"]) == ("no_such_signal", message)


def test_verilog_and_its_hierarchy(elaborate):
    text = """
module part(input clk, input go, output reg [2:0] state);
  always @(posedge clk) state <= state + go;
endmodule
module top(input clk, input go, output [2:0] state);
  wire [2:0] inner = state ^ 1;
  part first(clk, go, state);
endmodule
"""
    result = elaborate({"design.v": text}, entry="design.v", probes=["first.state", "inner", "top.inner[0]"])
    assert result.error["message"].startswith("There is no top.inner[0] to probe: ")
    result = elaborate({"design.v": text}, entry="design.v", probes=["first.state", "inner"])
    assert [probe.name for probe in result.manifest.analyzer.probes] == ["first.state", "inner"]


def test_a_whole_soc_brings_its_own(elaborate):
    text = "from jupyter_fpga.gateware import LabSoC\nclass Top(LabSoC):\n    pass\n"
    assert elaborate(text, probes=["x"]).error["message"] == (
        "Probes are for designs in the lab's own SoC; a SoC of your own gets an analyzer by `self.analyzer = "
        "LiteScopeAnalyzer(…)` of litescope."
    )


@pytest.mark.parametrize(
    ("target", "bits", "width", "depth"),
    [
        ("simulated", 1, 32, 1024),
        ("simulated", 30, 32, 1024),
        ("simulated", 31, 64, 512),
        ("icebreaker", 30, 32, 512),
        ("ulx3s_25f", 62, 64, 2048),
        ("tang_nano_9k", 200, 224, 256),
    ],
)
def test_how_large_it_is(target, bits, width, depth):
    found = analyzer_for(find_target(target), [Probe("a", 0, bits)])
    assert (found.width, found.depth) == (width, depth)


def test_more_than_there_is_room_for():
    with pytest.raises(DesignError) as refused:
        analyzer_for(find_target("icebreaker"), [Probe("a", 0, 511)])
    assert refused.value.code == "probes_too_wide"
    assert str(refused.value) == (
        "The probes have 511 bits, and an analyzer of the target icebreaker takes 510; probe fewer or narrower signals."
    )
