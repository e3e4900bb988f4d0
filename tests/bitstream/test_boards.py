"""A board that runs a bitstream is a board like any other."""

import json
import random
from collections.abc import AsyncIterator

import pytest

from jupyter_fpga.compute import BuildOptions, BuildResult, Builds, Source
from jupyter_fpga.fpga.drivers import Record, SimulatedDriver
from jupyter_fpga.fpga.wishbone import LinkTiming, WishboneLink

DESIGN = """
from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

class Top(wiring.Component):
    duty: In(8, init=0x5A)
    leds: Out(8)
    buttons: In(4)
    bus: In(wiring.Signature({"adr": Out(9), "dat_w": Out(32), "dat_r": In(32), "sel": Out(4), "cyc": Out(1),
                              "stb": Out(1), "we": Out(1), "ack": In(1)}))

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.leds.eq(self.duty ^ self.buttons)
        m.submodules.words = words = memory.Memory(shape=32, depth=512, init=[0xCAFE0000 + i for i in range(512)])
        read, write = words.read_port(), words.write_port(granularity=8)
        bus = self.bus
        m.d.sync += bus.ack.eq(bus.cyc & bus.stb & ~bus.ack)
        m.d.comb += [
            read.addr.eq(bus.adr), write.addr.eq(bus.adr), write.data.eq(bus.dat_w), bus.dat_r.eq(read.data),
            write.en.eq(Mux(bus.cyc & bus.stb & bus.we & ~bus.ack, bus.sel, 0)),
        ]
        return m
"""

#: A machine with other things to do may be slow, and still be right.
PATIENT = LinkTiming(margin=30)


@pytest.fixture
async def built(builds: Builds) -> BuildResult:
    return await builds.build(Source({"design.py": DESIGN.encode()}, "design.py"), BuildOptions("simulated_ice40"))


async def link_to(driver: SimulatedDriver, record: Record, result: BuildResult) -> WishboneLink:
    manifest = result.manifest
    return WishboneLink(
        await driver.open(record),
        baud=manifest.baud,
        fifo_depth=manifest.fifo_depth,
        clock_hz=manifest.clock_hz,
        control=manifest.control,
        timing=PATIENT,
        fresh=True,
    )


@pytest.fixture
async def board(driver: SimulatedDriver, built: BuildResult) -> AsyncIterator[Record]:
    record = await driver.program(built.image, built.manifest)
    yield record
    await driver.shutdown(record)


async def test_the_stages_of_a_build(builds: Builds, built: BuildResult):
    again = await builds.build(Source({"design.py": DESIGN.encode()}, "design.py"), BuildOptions("simulated_ice40"))
    assert [(stage.name, stage.cached) for stage in again.stages] == [
        (name, True) for name in ("elaborate", "synthesize", "place", "pack", "unpack", "compile")
    ]
    assert sorted(built.artifacts) == ["bitstream", "csr.csv", "csr.json", "report", "simulator", "top.v"]
    assert built.artifacts["bitstream"].read_bytes()[:100].find(b"\x7e\xaa\x99\x7e") >= 0
    report = json.loads(built.artifacts["report"].read_bytes())
    # Four are the design's 512 words; the bridge has others.
    assert report["utilization"]["block RAMs"]["available"] == 32
    assert report["utilization"]["block RAMs"]["used"] >= 4


async def test_it_is_proven_and_its_registers_and_memories_are_there(
    driver: SimulatedDriver, board: Record, built: BuildResult
):
    link = await link_to(driver, board, built)
    await link.prove(built.manifest.identifier)
    base = built.manifest.window.base
    (duty,) = (register for register in built.manifest.registers if register.name == "duty")
    assert await link.read(base + duty.offset) == [0x5A]
    (memory,) = built.manifest.memories
    where = base + memory.offset
    assert await link.read(where, 512) == [0xCAFE0000 + index for index in range(512)]
    words = random.Random(1).choices(range(1 << 32), k=512)
    await link.write(where, words)
    assert await link.read(where, 512) == words
    link.close()


async def test_its_bench(driver: SimulatedDriver, board: Record, built: BuildResult):
    bench = driver.bench(board)
    state = await bench.state()
    assert (state["leds"], state["pmod"], state["pmod_oe"]) == (0x5A, 0, 0)
    await bench.set(buttons=0xF)
    await bench.run(1)
    assert (await bench.state())["leds"] == 0x55


async def test_power_off_and_on_is_configuration(driver: SimulatedDriver, board: Record, built: BuildResult):
    link = await link_to(driver, board, built)
    (memory,) = built.manifest.memories
    where = built.manifest.window.base + memory.offset
    await link.write(where + 4, [7])
    assert await link.read(where + 4) == [7]
    link.close()
    bench = driver.bench(board)
    await bench.power(False)
    await bench.power(True)
    link = await link_to(driver, board, built)
    assert await link.read(where, 2) == [0xCAFE0000, 0xCAFE0001]
    link.close()
