"""How long a testbench takes in the lab, beside the same one in a bare script of Amaranth's.

The peer is what the documentation of Amaranth's simulator shows: a script with ``write_vcd``, in a Python of its own.
The lab's time is all of it, from the request to the waveform: HTTP, the sandbox, the simulation, and reading what it
left. By turns, each run anew; the ratios are printed, and nothing is asserted about time.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jupyter_fpga.client import LabClient

pytestmark = pytest.mark.benchmark

ROUNDS = 7

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


async def testbench(ctx):
    ctx.set(dut.duty, 40)
    for _ in range({cycles}):
        await ctx.tick()
"""
SCRIPT = """
from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator
{design}
dut = Top()
simulator = Simulator(dut)
simulator.add_clock(1 / 12e6)
simulator.add_testbench(testbench)
with simulator.write_vcd("bare.vcd"):
    simulator.run()
"""


@pytest.mark.parametrize("cycles", [10, 1_000, 20_000])
def test_a_testbench(lab: LabClient, tmp_path: Path, cycles: int) -> None:
    design = DESIGN.format(cycles=cycles)
    taken: dict[str, list[float]] = {"bare Amaranth": [], "lab, anew": [], "lab, unchanged": []}
    lab.simulate(design).wait()
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", SCRIPT.format(design=design)], cwd=tmp_path, check=True)
        taken["bare Amaranth"].append(time.perf_counter() - begun)
        for name, use_cache in (("lab, anew", False), ("lab, unchanged", True)):
            begun = time.perf_counter()
            assert lab.simulate(design, use_cache=use_cache).wait().cycles == cycles
            taken[name].append(time.perf_counter() - begun)
    peer = statistics.median(taken["bare Amaranth"])
    print(f"\n{cycles:,} clock cycles:")
    for name, seconds in taken.items():
        median = statistics.median(seconds)
        print(f"  {name:<16}{median * 1e3:8.1f} ms  {median / peer:5.2f} times bare Amaranth")
