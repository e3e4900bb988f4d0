"""A bitstream is compared with the design that it was made from."""

import re
import sys
from pathlib import Path

import pytest

from jupyter_fpga.compute import BuildFailed, BuildOptions, Builds, Sandbox, Source
from jupyter_fpga.errors import Invalid
from jupyter_fpga.fpga.drivers import SimulatedDriver

from ..workbench import Workbench  # noqa: TID252 - the tests are no package
from .test_boards import DESIGN, link_to

RESOURCES = Path(__file__).with_name("resources")
FLIP = RESOURCES / "flip.py"
DIVIDED = (RESOURCES / "divided.v").read_bytes()

#: Both LEDs and the button are active low, and it is built without the DSP blocks that it would have.
MULTIPLY = """
from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

class Top(wiring.Component):
    a: In(8)
    b: In(8)
    product: Out(16)
    total: Out(40)
    leds: Out(2)
    button: In(1)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += [self.product.eq(self.a * self.b), self.total.eq(self.total + self.product)]
        m.d.comb += self.leds.eq(self.total[:2] ^ self.button)
        return m
"""


def design(text: str) -> Source:
    return Source({"design.py": text.encode()}, "design.py")


async def test_a_build_is_verified(builds: Builds):
    options = BuildOptions("simulated_ice40", verify=True)
    result = await builds.build(design(DESIGN), options)
    assert [stage.name for stage in result.stages][-4:] == ["pack", "unpack", "verify", "compile"]
    again = await builds.build(design(DESIGN), options)
    assert [(stage.name, stage.cached) for stage in again.stages][-4:] == [
        (name, True) for name in ("pack", "unpack", "verify", "compile")
    ]


@pytest.mark.soak
async def test_a_real_board_s_build_is_verified_and_has_no_dsp_blocks(builds: Builds):
    result = await builds.build(design(MULTIPLY), BuildOptions("icebreaker", verify=True))
    assert [stage.name for stage in result.stages][-3:] == ["pack", "unpack", "verify"]
    assert b'"DSP blocks": {\n      "used": 0' in result.artifacts["report"].read_bytes()


async def test_one_bit_of_a_look_up_table_is_noticed(tmp_path: Path, sandbox: Sandbox):
    bench = Workbench(tmp_path, sandbox)
    builds = await bench.start(command=(sys.executable, "-c", FLIP.read_text()))
    await builds.offer()
    with pytest.raises(BuildFailed) as caught:
        await builds.build(design(DESIGN), BuildOptions("simulated_ice40", verify=True))
    await bench.stop()
    assert (caught.value.stage, caught.value.code) == ("verify", "verification_failed")
    # The first LED is wrong from the beginning, whatever the bench holds then.
    assert re.fullmatch(
        r"The bitstream isn't what the design says: reading the identifier, after power-up \(access 1 of \d+\), leaves "
        r"leds at 0x58 in the netlist and at 0x59 in the bitstream\. Look for what synthesis may read in two ways, "
        r"such as a value that is undefined, or a memory that is read while the same word is written\.",
        caught.value.message,
    )


@pytest.mark.parametrize("target", ["simulated", "ulx3s_25f"])
async def test_only_bitstreams_of_ice40s_can_be_verified(builds: Builds, target: str):
    with pytest.raises(Invalid) as caught:
        await builds.build(design(DESIGN), BuildOptions(target, verify=True))
    assert caught.value.code == "not_verifiable"
    assert caught.value.message == (
        f"A build for the target {target} can't be verified: only bitstreams of iCE40 devices can be simulated. Build "
        "it for another target, or without verify."
    )


async def test_falling_edges_and_resets_at_once(builds: Builds):
    source = Source({"edges.v": (RESOURCES / "edges.v").read_bytes()}, "edges.v")
    await builds.build(source, BuildOptions("simulated_ice40", verify=True))


async def test_a_clock_of_the_design_s_own_can_t_be_verified(builds: Builds):
    source = Source({"divided.v": DIVIDED}, "divided.v")
    with pytest.raises(BuildFailed) as caught:
        await builds.build(source, BuildOptions("simulated_ice40", verify=True))
    assert (caught.value.stage, caught.value.code) == ("verify", "not_verifiable")
    assert caught.value.message == (
        "The build can't be verified: the design makes a clock of its own, whose edges the simulation of a netlist "
        "doesn't see (CXXRTL). Use the lab's clock with an enable, or build it without verify."
    )


async def test_a_clock_of_the_design_s_own_runs_in_the_bitstream(builds: Builds, driver: SimulatedDriver):
    result = await builds.build(Source({"divided.v": DIVIDED}, "divided.v"), BuildOptions("simulated_ice40"))
    record = await driver.program(result.image, result.manifest)
    link = await link_to(driver, record, result)
    offsets = {register.name: result.manifest.window.base + register.offset for register in result.manifest.registers}
    (before,) = await link.read(offsets["slow"])
    await link.write(offsets["step"], [1])
    await link.read(offsets["ticks"])
    await link.write(offsets["step"], [0])
    (after,) = await link.read(offsets["slow"])
    assert before != after
    link.close()
    await driver.shutdown(record)


@pytest.mark.soak
async def test_a_design_with_probes_is_verified_with_its_analyzer(builds: Builds):
    options = BuildOptions("simulated_ice40", verify=True, probes=("ack", "duty"))
    result = await builds.build(design(DESIGN), options)
    assert result.manifest.analyzer is not None
    assert "verify" in [stage.name for stage in result.stages]
