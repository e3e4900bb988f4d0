"""Testbenches in Amaranth's simulator: what is recorded, how it ends, and what is said when it can't be."""

import json
import os
import subprocess
import sys

import pytest

from .conftest import write_request

COUNTER = """
class Top(wiring.Component):
    enable: In(1)
    count: Out(8)

    def elaborate(self, platform):
        m = Module()
        with m.If(self.enable):
            m.d.sync += self.count.eq(self.count + 1)
        return m
"""
COUNT = """
async def testbench(ctx):
    ctx.set(dut.enable, 1)
    await ctx.tick().repeat(3)
"""


def samples(wave):
    return {one.name: one.samples() for one in wave}


# --- What is recorded


def test_ticks_are_clock_cycles(simulate):
    wave = simulate(COUNTER + COUNT).waveform
    assert samples(wave) == {"top.enable": [1, 1, 1, 1], "top.count": [0, 1, 2, 3]}
    assert (wave.unit, 1 / wave.tick, len(wave)) == ("cycle", 12_000_000, 4)


@pytest.mark.parametrize("hertz", [1, 7, 32768, 12_000_000, 48_000_000, 99_999_999, 1_000_000_000])
def test_cycles_are_counted_at_any_frequency(simulate, hertz):
    found = simulate(COUNTER + COUNT.replace("3", "500"), sys_clk_freq=hertz).found
    assert (found["cycles"], found["waveform"]["unit"]) == (500, "cycle")
    assert found["waveform"]["tick_seconds"] == [1, hertz]


def test_a_clock_that_can_not_be(simulate):
    assert simulate(COUNTER, sys_clk_freq=2 * 10**11).error["message"] == (
        "A clock of 200000000000 Hz can't be simulated; one between 1 Hz and 100 GHz can."
    )


def test_what_happens_between_clock_edges_is_shown_in_picoseconds(simulate):
    bench = (
        "\nasync def testbench(ctx):\n    await ctx.delay(10e-9)\n    ctx.set(dut.enable, 1)\n    await ctx.tick()\n"
    )
    wave = simulate(COUNTER + bench).waveform
    assert wave.unit == "ps"
    assert wave["enable"].changes == [(0, 0), (10_000, 1)]
    assert wave["count"].changes == [(0, 0), (41_666, 1)]


def test_a_design_without_registers_may_be_timed_either_way(simulate):
    design = "class Top(wiring.Component):\n    x: In(8)\n    y: Out(8)\n    def elaborate(self, platform):\n"
    design += "        m = Module()\n        m.d.comb += self.y.eq(~self.x)\n        return m\n"
    ticking = "async def testbench(ctx):\n    ctx.set(dut.x, 1)\n    await ctx.tick()\n    ctx.set(dut.x, 2)\n"
    assert samples(simulate(design + ticking).waveform) == {"top.x": [1, 2], "top.y": [0xFE, 0xFD]}
    waiting = ticking.replace("ctx.tick()", "ctx.delay(1e-9)")
    assert simulate(design + waiting).waveform["y"].changes == [(0, 0xFE), (1000, 0xFD)]


def test_names_of_values_and_fields_come_from_the_shapes(simulate):
    design = """
class Mode(enum.Enum, shape=2):
    OFF = 0
    SLOW = 1
    FAST = 3

class Setting(data.Struct):
    mode: Mode
    level: signed(5)
    pair: data.ArrayLayout(2, 2)
    inner: data.StructLayout({"a": 1, "mode": Mode})

class Top(wiring.Component):
    mode: In(Mode)
    setting: In(Setting)
    out: Out(1)

    def elaborate(self, platform):
        m = Module()
        with m.FSM():
            with m.State("WAIT"):
                with m.If(self.mode == Mode.FAST):
                    m.next = "GO"
            with m.State("GO"):
                m.d.comb += self.out.eq(1)
        return m

async def testbench(ctx):
    ctx.set(dut.mode, Mode.FAST)
    ctx.set(dut.setting, {"mode": Mode.SLOW, "level": -3, "pair": [1, 2], "inner": {"a": 1, "mode": Mode.FAST}})
    await ctx.tick()
"""
    wave = simulate(design).waveform
    assert wave["mode"].label(0) == "FAST"
    assert [wave["fsm_state"].label(time) for time in (0, 1)] == ["WAIT", "GO"]
    setting = wave["setting"]
    parts = {part.name: setting.part(part.name) for part in setting.parts}
    assert {name: part.at(0) for name, part in parts.items()} == {
        "mode": 1,
        "level": 0b11101,
        "pair[0]": 1,
        "pair[1]": 2,
        "inner.a": 1,
        "inner.mode": 3,
    }
    assert (parts["mode"].label(0), parts["inner.mode"].label(0)) == ("SLOW", "FAST")


def test_a_signal_has_one_name_and_that_is_its_owners(simulate):
    design = """
class Half(wiring.Component):
    x: In(8)
    y: Out(8)

    def elaborate(self, platform):
        m = Module()
        kept = Signal(8)
        m.d.sync += kept.eq(self.x >> 1)
        m.d.comb += self.y.eq(kept)
        return m

class Top(wiring.Component):
    x: In(8)
    y: Out(8)

    def elaborate(self, platform):
        m = Module()
        m.submodules.first = first = Half()
        m.submodules.second = second = Half()
        m.d.comb += [first.x.eq(self.x), second.x.eq(first.y), self.y.eq(second.y)]
        return m

async def testbench(ctx):
    ctx.set(dut.x, 40)
    await ctx.tick().repeat(2)
"""
    wave = simulate(design).waveform
    assert samples(wave) == {
        "top.x": [40, 40, 40],
        "top.y": [0, 0, 10],
        "top.first.x": [40, 40, 40],
        "top.first.y": [0, 20, 20],
        "top.second.x": [0, 20, 20],
        "top.second.y": [0, 0, 10],
        "top.first.kept": [0, 20, 20],
        "top.second.kept": [0, 0, 10],
    }


def test_every_clock_domain_that_the_design_does_not_clock_gets_the_clock(simulate):
    design = """
class Top(wiring.Component):
    x: Out(4)
    y: Out(4)
    z: Out(4)

    def elaborate(self, platform):
        m = Module()
        m.domains.half = ClockDomain(local=True)
        slow = Signal()
        m.d.sync += [slow.eq(~slow), self.x.eq(self.x + 1)]
        m.d.comb += ClockSignal("half").eq(slow)
        m.d.half += self.y.eq(self.y + 1)
        m.d.other += self.z.eq(self.z + 1)
        return m
"""
    found = samples(simulate(design, until={"cycles": 4}).waveform)
    assert found["top.x"] == found["top.z"] == [0, 1, 2, 3, 4]
    assert found["top.y"] == [0, 1, 1, 2, 2]


def test_a_reset_is_shown_when_it_is_used(simulate):
    reset = COUNT + "    ctx.set(rst, 1)\n    await ctx.tick()\n"
    design = COUNTER.replace("class Top", "rst = Signal()\nclass Top").replace(
        "        return m",
        "        m.domains.sync = sync = ClockDomain()\n        m.d.comb += sync.rst.eq(rst)\n        return m",
    )
    found = samples(simulate(design + reset).waveform)
    assert found["top.rst"] == [0, 0, 0, 1, 1]
    assert found["top.count"] == [0, 1, 2, 3, 0]


# --- Testbenches


def test_several_testbenches_and_a_process_run_at_the_same_time(simulate):
    bench = """
seen = []

async def write_bench(ctx, design):
    assert design is dut
    ctx.set(design.enable, 1)
    await ctx.tick().repeat(2)
    ctx.set(design.enable, 0)

async def read_bench(ctx):
    await ctx.tick().repeat(4)
    assert ctx.get(dut.count) == 2
    print("seen", seen)

async def process_watch(ctx):
    async for *_, count in ctx.tick().sample(dut.count):
        seen.append(count)

async def helper(ctx, how, many):
    pass
"""
    simulated = simulate(COUNTER + bench)
    assert simulated.found["testbenches"] == ["write_bench", "read_bench"]
    assert simulated.output == "seen [0, 1, 2, 2]\n"
    assert simulated.found["cycles"] == 4


@pytest.mark.parametrize(
    ("ending", "top"),
    [
        ("dut = Top()\n" + COUNT, "Top"),
        ("made = Top()\n" + COUNT.replace("dut", "made"), "made"),
        ("top = Top()\n" + COUNT.replace("dut", "top"), "Top"),
    ],
)
def test_an_object_that_the_testbench_knows_is_what_is_simulated(simulate, ending, top):
    simulated = simulate(COUNTER + ending)
    assert simulated.waveform["count"].samples() == [0, 1, 2, 3]
    assert simulated.found["top"] == top


def test_a_testbench_that_is_stopped_says_nothing(simulate):
    for waiting in ("ctx.tick()", "ctx.tick().repeat(9)", "ctx.delay(1)", "ctx.tick().until(dut.enable)"):
        simulated = simulate(f"{COUNTER}\nasync def testbench(ctx):\n    await {waiting}\n", until={"cycles": 0})
        assert (simulated.output, simulated.found["ended"]) == ("", "limit"), waiting


def test_any_elaboratable_will_do(simulate):
    design = "class Blink(Elaboratable):\n    def __init__(self, width=2):\n        self.led = Signal(width)\n"
    design += "    def elaborate(self, platform):\n        m = Module()\n        m.d.sync += self.led.eq(~self.led)\n"
    design += "        return m\n"
    assert samples(simulate(design, until={"cycles": 2}, params={"width": 3}).waveform) == {"top.led": [0, 7, 0]}


def test_a_design_of_another_file(simulate):
    files = {
        "design.py": "from lib import *\n" + COUNT,
        "lib.py": "from amaranth import *\nfrom amaranth.lib import wiring\nfrom amaranth.lib.wiring import In, Out\n"
        + COUNTER,
    }
    assert simulate(files).waveform["count"].samples() == [0, 1, 2, 3]


def test_what_top_says_is_simulated(simulate):
    design = COUNTER + COUNTER.replace("class Top", "class Other").replace("In(1)", "In(1, init=1)")
    assert simulate(design, top="Other", until={"cycles": 2}).waveform["count"].samples() == [0, 1, 2]
    assert simulate(design, until={"cycles": 2}).waveform["count"].samples() == [0, 0, 0]


def test_a_sides_of_a_comparison_are_evaluated_once_and_shown(simulate):
    bench = "\ncalls = []\ndef get():\n    calls.append(1)\n    return len(calls)\n"
    bench += "async def testbench(ctx):\n    assert get() == 1\n    assert get() in (1, 3)\n"
    error = simulate(COUNTER + bench).error
    assert error["message"] == "An assertion of testbench fails in cycle 0: 2 in (1, 3)."
    assert (error["line"], error["text"]) == (18, "assert get() in (1, 3)")


# --- How it fails

ENDLESS = "\nasync def testbench(ctx):\n    while True:\n        await ctx.tick()\n"


def failing(body):
    return f"{COUNTER}\nasync def testbench(ctx):\n    await ctx.tick()\n    {body}\n"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("assert ctx.get(dut.count)", "An assertion of testbench fails in cycle 1."),
        ("assert ctx.get(dut.count), 'too low'", "An assertion of testbench fails in cycle 1: too low."),
        ("assert ctx.get(dut.count) > 5", "An assertion of testbench fails in cycle 1: 0 > 5."),
        ("1 / 0", "testbench fails in cycle 1: ZeroDivisionError: division by zero."),
        ("exit(3)", "testbench calls exit(3) in cycle 1; remove that."),
        (
            "assert dut.count == 1",
            "testbench fails in cycle 1: TypeError: Attempted to convert Amaranth value to Python boolean.",
        ),
        ("dut.nothing", "testbench fails in cycle 1: AttributeError: 'Top' object has no attribute 'nothing'."),
        (
            "import requests_",
            "There is no module 'requests_' here; a design may import the Python standard library, "
            "amaranth, migen, litex, numpy and the files of its own bundle.",
        ),
    ],
)
def test_a_testbench_fails_with_its_line(simulate, body, message):
    simulated = simulate(failing(body))
    error = simulated.error
    assert error["message"] == message
    assert (error["line"], error["text"]) == (14, body)
    # What was recorded until then is there.
    assert simulated.found["ended"] == "failed"
    assert simulated.found["waveform"]["end"] == 2


def test_an_assertion_of_the_design_itself(simulate):
    design = COUNTER.replace("        return m", "        m.d.sync += Assert(self.count != 2, 'two')\n        return m")
    simulated = simulate("from amaranth.hdl import Assert\n" + design + COUNT.replace("3", "9"))
    assert simulated.error["message"] == "An assertion of the design fails in cycle 3: two."
    assert simulated.error["text"] == "m.d.sync += Assert(self.count != 2, 'two')"
    assert simulated.error["code"] == "testbench_failed"


TOO_LONG = "look for a loop without an end, or say with --until how much is to be simulated."


def test_a_testbench_without_an_end(simulate):
    simulated = simulate(COUNTER + ENDLESS)
    assert simulated.error["message"] == f"testbench has not ended after 100,000 clock cycles; {TOO_LONG}"
    assert simulated.error["code"] == "simulation_too_long"
    assert simulated.found["cycles"] == 100_000
    # Asked for so much, it may take as long.
    assert simulate(COUNTER + ENDLESS, until={"cycles": 100_010}).found["ended"] == "limit"


def test_the_time_is_limited_and_what_was_simulated_is_kept(tmp_path):
    write_request(tmp_path, COUNTER + "import time\n" + ENDLESS.replace("await", "time.sleep(0.02)\n        await"), {})
    command = [sys.executable, "-P", "-m", "jupyter_fpga.gateware", "simulate"]
    finished = subprocess.run(command, cwd=tmp_path, env={**os.environ, "LAB_SECONDS": "0.5"}, check=False)
    assert finished.returncode == 3
    found = json.loads((tmp_path / "simulation.json").read_text())
    assert found["cycles"] > 0
    assert json.loads((tmp_path / "error.json").read_text())["message"] == (
        f"testbench has not ended after 0.4 s, in which {found['cycles']:,} clock cycles passed; {TOO_LONG}"
    )


def test_a_waveform_has_a_largest_size(simulate):
    design = COUNTER.replace("Out(8)", "Out(6_400)").replace(
        "        return m",
        "        for number in range(9):\n            wide = Signal(6_400, name=f'wide{number}')\n"
        "            m.d.sync += wide.eq(self.count)\n        return m",
    )
    simulated = simulate(design + ENDLESS.replace("while", "ctx.set(dut.enable, 1)\n    while"))
    assert simulated.error["message"] == (
        "The waveform has more than the 1,000,000 changes (of 64 bits) that are recorded; simulate less with --until, "
        "or a smaller part of the design with --top."
    )
    assert simulated.error["code"] == "simulation_too_large"
    # Ten changes of a hundred words in each cycle; what they were until then is kept.
    assert {signal["values"][-1] for signal in simulated.found["waveform"]["signals"][2:]} == {"3e8"}
    assert simulated.found["waveform"]["signals"][1]["values"][-1] == "3e9"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (
            COUNTER + "\ndef testbench(ctx):\n    pass\n",
            "bad_testbench",
            "testbench is not a coroutine; write async def testbench(ctx), and await in it.",
        ),
        (
            COUNTER + "\nasync def testbench():\n    pass\n",
            "bad_testbench",
            "testbench takes no arguments; a testbench takes ctx, or ctx and the design: "
            "async def testbench(ctx, dut).",
        ),
        (
            COUNTER + "\nasync def testbench(ctx, dut, more):\n    pass\n",
            "bad_testbench",
            "testbench takes 3 arguments; a testbench takes ctx, or ctx and the design: async def testbench(ctx, dut).",
        ),
        (
            COUNTER + "\nasync def main(ctx):\n    pass\n\nasync def other(ctx):\n    pass\n",
            "bad_testbench",
            "None of the cell's coroutines (main, other) has the name of a testbench; write async def testbench(ctx), "
            "or a name that begins with testbench_.",
        ),
        (
            COUNT,
            "no_top",
            "There is no design to simulate: define a wiring.Component, such as class Top(wiring.Component), or import "
            "one from a --lib cell.",
        ),
        (
            COUNTER.replace("Top", "A") + COUNTER.replace("Top", "B"),
            "several_tops",
            "There are several designs that could be simulated: A, B; write dut = B(), or say which with --top B.",
        ),
        (
            "from migen import *\nclass Top(Module):\n    pass\n",
            "not_simulatable",
            "The simulation is of designs in Amaranth, and this one is written for LiteX; run it on a simulated board "
            "instead.",
        ),
        (
            COUNTER.replace(
                "        return m", "        m.submodules += Instance('blob', i_x=self.enable)\n        return m"
            ),
            "not_simulatable",
            "The design has an instance of blob, which isn't written in Amaranth, and Amaranth's simulator runs "
            "nothing else; run it on a simulated board instead.",
        ),
    ],
)
def test_what_can_not_be_simulated(simulate, text, code, message):
    error = simulate(text).error
    assert (error["message"], error["code"]) == (message, code)


def test_what_top_may_be(simulate):
    error = simulate(COUNTER, top="Tap").error
    assert (error["message"], error["code"]) == (
        "There is nothing called 'Tap' that could be simulated; there is Top.",
        "top_not_found",
    )
    error = simulate(COUNTER + "WIDTH = 3\n", top="WIDTH").error
    assert (error["message"], error["code"], error["line"]) == (
        "WIDTH can't be simulated: it is neither a wiring.Component nor another Elaboratable; there is Top.",
        "top_unfit",
        11,
    )


def test_verilog_can_not_be_simulated(simulate):
    error = simulate({"design.v": "module top(input clk);\nendmodule\n"}, entry="design.v").error
    assert (error["message"], error["code"]) == (
        "The simulation is of designs in Amaranth, and this one is Verilog; run it on a simulated board instead.",
        "not_simulatable",
    )
