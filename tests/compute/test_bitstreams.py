"""Designs become bitstreams with the real tools, behind walls."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jupyter_fpga.compute import BuildFailed, BuildOptions, Builds, Sandbox, Source
from jupyter_fpga.compute.builds.design import Place
from tests.workbench import Workbench

PWM = """
from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

class Top(wiring.Component):
    duty: In(8)
    led: Out(1)

    def elaborate(self, platform):
        m = Module()
        count = Signal(8)
        m.d.sync += count.eq(count + 1)
        m.d.comb += self.led.eq(count < self.duty)
        return m
"""


def design(text: str = PWM) -> Source:
    """A design of one file."""
    return Source({"design.py": text.encode()}, "design.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is built once is there for the next test."""
    return tmp_path_factory.mktemp("bitstreams")


@pytest.fixture
async def builds(folder: Path, sandbox: Sandbox) -> AsyncIterator[Builds]:
    bench = Workbench(folder, sandbox)
    builds = await bench.start()
    await builds.offer()
    yield builds
    await bench.stop()


#: What each family's bitstream begins with, somewhere in its first bytes.
BEGINNINGS = {"icebreaker": b"\x7e\xaa\x99\x7e", "ulx3s_25f": b"\xff\xff\xbd\xb3", "tang_nano_9k": b"1010010111000011"}


@pytest.mark.parametrize("target", ["icebreaker", "ulx3s_25f", pytest.param("tang_nano_9k", marks=pytest.mark.soak)])
async def test_a_design_becomes_a_bitstream(builds: Builds, target: str) -> None:
    result = await builds.build(design(), BuildOptions(target=target))
    # The base is made beside the elaboration, and may end before it or after it.
    assert sorted(stage.name for stage in result.stages[:2]) == ["base", "elaborate"]
    assert [stage.name for stage in result.stages[2:]] == ["synthesize", "place", "pack"]
    assert BEGINNINGS[target] in result.artifacts["bitstream"].read_bytes()[:1000]
    assert sorted(result.artifacts) == ["bitstream", "csr.csv", "csr.json", "report", "top.v"]
    assert result.manifest.identifier.startswith(f"jupyter_fpga {target} ")
    report = json.loads(result.artifacts["report"].read_bytes())
    assert {"block RAMs", "pins", "PLLs"} <= set(report["utilization"])
    used = report["utilization"]
    tables = (
        used["LUTs"]["used"] + used.get("ALU", {"used": 0})["used"] if "LUTs" in used else used["logic cells"]["used"]
    )
    # A cell of an iCE40 that is nothing but a 0 has no bit set.
    assert tables - 1 <= sum(int(digit) for row in report["floorplan"] for digit in row if digit != " ") <= tables
    (clock,) = report["clocks"].values()
    assert clock["met"]
    assert clock["fmax_mhz"] > clock["constraint_mhz"] == result.manifest.clock_hz / 1e6
    assert clock["critical_path"][0]["kind"] == "clk-to-q"
    again = await builds.build(design(), BuildOptions(target=target))
    assert [(stage.name, stage.cached) for stage in again.stages] == [
        (name, True) for name in ("elaborate", "synthesize", "place", "pack")
    ]
    assert again.digest == result.digest


async def test_the_idle_image_is_a_bitstream_too(builds: Builds) -> None:
    base = await builds.base("icebreaker")
    assert BEGINNINGS["icebreaker"] in base.artifacts["bitstream"].read_bytes()[:100]
    assert base.manifest.window.size == 0
    assert base.manifest.identifier.startswith("jupyter_fpga icebreaker ")


async def test_several_seeds_and_the_fastest_is_kept(builds: Builds) -> None:
    options = BuildOptions(target="icebreaker", seed=2, explore=2)
    result = await builds.build(design(), options)
    assert [stage.name for stage in result.stages] == ["elaborate", "synthesize", "place", "place", "pack"]
    kept = json.loads(result.artifacts["report"].read_bytes())
    assert kept["seed"] in (2, 3)
    each = [await builds.build(design(), BuildOptions(target="icebreaker", seed=seed)) for seed in (2, 3)]
    reports = [json.loads(one.artifacts["report"].read_bytes()) for one in each]
    reached = {report["seed"]: report["clocks"]["sys"]["fmax_mhz"] for report in reports}
    assert reached[kept["seed"]] == max(reached.values())


async def test_a_pll_makes_another_clock(builds: Builds) -> None:
    result = await builds.build(design(), BuildOptions(target="icebreaker", sys_clk_freq=24_000_000))
    assert result.manifest.clock_hz == 24_000_000
    report = json.loads(result.artifacts["report"].read_bytes())
    assert report["utilization"]["PLLs"]["used"] == 1


async def refused(builds: Builds, source: Source, options: BuildOptions) -> BuildFailed:
    """How a build fails."""
    with pytest.raises(BuildFailed) as caught:
        await builds.build(source, options)
    return caught.value


async def test_a_clock_that_no_pll_makes(builds: Builds) -> None:
    failure = await refused(builds, design(), BuildOptions(target="icebreaker", sys_clk_freq=13_000_000))
    assert (failure.stage, failure.code) == ("base", "bad_clock")
    assert failure.message == (
        "The target icebreaker can't make 13000000 Hz from its oscillator of 12000000 Hz; choose another sys_clk_freq."
    )


async def test_a_design_that_is_too_large(builds: Builds) -> None:
    large = PWM.replace(
        "return m", "m.d.sync += Signal(6000, name='wide').eq(Cat(count, self.duty) * 77)\n        return m"
    )
    large = (
        large.replace("self.led.eq(count < self.duty)", "self.led.eq(wide.xor())")
        .replace("count = Signal(8)", "count = Signal(8)\n        wide = Signal(6000)")
        .replace("Signal(6000, name='wide')", "wide")
        .replace("Cat(count, self.duty) * 77", "Cat(wide[1:], wide[0] ^ self.duty[0])")
    )
    failure = await refused(builds, design(large), BuildOptions(target="icebreaker"))
    assert (failure.stage, failure.code) == ("place", "does_not_fit")
    head, _, tail = failure.message.partition("it needs ")
    assert head == "The design doesn't fit the icebreaker: "
    assert tail.endswith(" of 5,280 ICESTORM_LC. Make it smaller, or choose a larger target.")


async def test_a_design_with_more_flip_flops_than_a_gowin_device(builds: Builds) -> None:
    # nextpnr would look for places for ever: what it needs is said before.
    large = PWM.replace("count = Signal(8)", "count, wide = Signal(8), Signal(6200)").replace(
        "self.led.eq(count < self.duty)", "self.led.eq(wide[-1])"
    )
    large = large.replace("return m", "m.d.sync += wide.eq(Cat(self.duty[0], wide) ^ (wide >> 7))\n        return m")
    failure = await refused(builds, design(large), BuildOptions(target="tang_nano_9k"))
    assert (failure.stage, failure.code) == ("place", "does_not_fit")
    assert re.fullmatch(
        r"The design doesn't fit the tang_nano_9k: it needs 7,\d\d\d of 6,480 DFF\. Make it smaller, or choose a "
        r"larger target\.",
        failure.message,
    )


async def test_timing_that_is_not_met(builds: Builds) -> None:
    failure = await refused(builds, design(), BuildOptions(target="icebreaker", timing_target_mhz=200.0))
    assert (failure.stage, failure.code) == ("place", "timing_not_met")
    assert failure.message.startswith("The clock sys reaches ")
    assert (
        "MHz, and timing_target_mhz asks for 200; put registers into its longest path, which goes " in failure.message
    )


PRODUCT = """\
class Top(wiring.Component):
    a: In(12)
    b: In(12)
    product: Out(12)

    def elaborate(self, platform):
        m = Module()
        x, y = Signal(12), Signal(12)
        m.d.sync += [x.eq(self.a), y.eq(self.b)]
        m.d.sync += self.product.eq((x * y)[:12] * x * y)
        return m
"""


async def test_the_critical_path_is_in_the_lines_of_ones_own_text(builds: Builds) -> None:
    options = BuildOptions(target="ice40_hx8k_b_evn")
    first = await builds.build(design(PRODUCT), options)
    (path,) = first.sources.values()
    # From the register that takes over an input (declared in line 8), through multiplications (line 10).
    assert path[0] == Place("design.py", 8)
    assert set(path[2:]) == {Place("design.py", 10)}
    # The same design with other lines is not built again, and has its own lines all the same.
    moved = Source({"product.py": f"# One line\n\n{PRODUCT}".encode()}, "product.py")
    second = await builds.build(moved, options)
    assert [stage.name for stage in second.stages if not stage.cached] == ["elaborate"]
    assert second.digest == first.digest
    (path,) = second.sources.values()
    assert (path[0], set(path[2:])) == (Place("product.py", 10), {Place("product.py", 12)})
    # Whoever wants it faster is told the line.
    with pytest.raises(BuildFailed) as caught:
        await builds.build(moved, BuildOptions(target="ice40_hx8k_b_evn", timing_target_mhz=200))
    error = caught.value
    assert (error.code, error.file, error.line) == ("timing_not_met", "product.py", 12)


@pytest.mark.parametrize(
    "target", ["icebreaker", *(pytest.param(name, marks=pytest.mark.soak) for name in ("ulx3s_25f", "tang_nano_9k"))]
)
async def test_a_design_with_probes(builds: Builds, target: str) -> None:
    probed = await builds.build(design(), BuildOptions(target=target, probes=("count", "led")))
    assert probed.manifest.analyzer is not None
    assert [(probe.name, probe.lsb, probe.width) for probe in probed.manifest.analyzer.probes] == [
        ("count", 0, 8),
        ("led", 8, 1),
    ]
    assert BEGINNINGS[target] in probed.artifacts["bitstream"].read_bytes()[:1000]
    assert "signal,0,count,8" in probed.artifacts["analyzer.csv"].read_text()
    report = json.loads(probed.artifacts["report"].read_text())
    plain = await builds.build(design(), BuildOptions(target=target))
    used = json.loads(plain.artifacts["report"].read_text())["utilization"]
    assert report["utilization"]["block RAMs"]["used"] > used["block RAMs"]["used"]
    # Other probes of the same width take the same base.
    again = await builds.build(design(), BuildOptions(target=target, probes=("led", "duty")))
    assert [stage.name for stage in again.stages] == ["elaborate", "synthesize", "place", "pack"]
