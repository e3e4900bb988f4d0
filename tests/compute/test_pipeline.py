"""The real stages in real sandboxes, from a person's text to a program that is a board."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from jupyter_fpga.compute import BuildFailed, BuildOptions, Builds, Sandbox, Source, StageReport

from ..workbench import Workbench  # noqa: TID252 - the tests are no package

COUNTER = """\
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Counter(wiring.Component):
    step: In(8, init=1)
    count: Out(32)
    leds: Out(8)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.count.eq(self.count + self.step)
        m.d.comb += self.leds.eq(self.count[16:])
        return m
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def builds(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Builds]:
    folder = tmp_path_factory.mktemp("lab")
    bench = Workbench(folder, Sandbox.probe())
    builds = await bench.start()
    await builds.prepare()
    yield builds
    await bench.stop()


pytestmark = pytest.mark.asyncio(loop_scope="module")


def design(text: str) -> Source:
    return Source({"design.py": text.encode()}, "design.py")


def is_program(path: Path) -> bool:
    return path.read_bytes()[:4] == b"\x7fELF" and bool(path.stat().st_mode & 0o100)


async def test_a_counter_becomes_a_program(builds: Builds) -> None:
    reports: list[StageReport] = []
    result = await builds.build(design(COUNTER), BuildOptions(), on_stage=reports.append)
    assert is_program(result.artifacts["bitstream"])
    assert [report.name for report in result.stages] == ["elaborate", "synthesize", "compile"]
    assert [register.name for register in result.manifest.registers] == ["step", "count", "leds"]
    assert re.fullmatch("jupyter_fpga simulated [0-9a-f]{16}", result.manifest.identifier)
    assert result.manifest.identifier.encode() in result.artifacts["bitstream"].read_bytes()
    assert "module lab_window" in result.artifacts["top.v"].read_text()
    assert "window_count" in json.loads(result.artifacts["csr.json"].read_text())["csr_registers"]
    assert "csr_register,window_count," in result.artifacts["csr.csv"].read_text()
    assert json.loads(result.artifacts["report"].read_text())
    again: list[StageReport] = []
    same = await builds.build(design(COUNTER), BuildOptions(), on_stage=again.append)
    assert all(report.cached for report in again)
    assert same.artifacts == result.artifacts


async def test_a_comment_more_is_the_same_board(builds: Builds) -> None:
    first = await builds.build(design(COUNTER), BuildOptions())
    second = await builds.build(design("# Mine.\n" + COUNTER), BuildOptions())
    assert second.digest == first.digest
    assert [report.cached for report in second.stages] == [False, True, True]


async def test_an_idle_board_has_an_image_of_its_own(builds: Builds) -> None:
    base = await builds.base("simulated")
    assert is_program(base.artifacts["bitstream"])
    assert base.manifest.identifier.encode() in base.artifacts["bitstream"].read_bytes()
    assert base.manifest.form == "base"
    assert base.manifest.digest == base.digest


async def test_an_error_points_into_the_text(builds: Builds) -> None:
    with pytest.raises(BuildFailed) as caught:
        await builds.build(design(COUNTER.replace("self.step)", "self.steps)")), BuildOptions())
    error = caught.value
    assert (error.stage, error.code, error.file, error.line) == ("elaborate", "elaboration_failed", "design.py", 12)
    assert error.message == "AttributeError: 'Counter' object has no attribute 'steps'."
    assert error.text == "m.d.sync += self.count.eq(self.count + self.steps)"


async def test_memory_without_end_is_named(builds: Builds) -> None:
    with pytest.raises(BuildFailed) as caught:
        await builds.build(design("table = bytearray(b'x') * 10**11\n" + COUNTER), BuildOptions())
    assert (caught.value.code, caught.value.line) == ("memory_limit", 1)


async def test_a_design_sees_nothing_of_the_machine(builds: Builds) -> None:
    text = "import socket\nsocket.create_connection(('127.0.0.1', 1))\n" + COUNTER
    with pytest.raises(BuildFailed) as caught:
        await builds.build(design(text), BuildOptions())
    assert caught.value.code == "elaboration_failed"
    assert caught.value.line == 2
    assert caught.value.message == "PermissionError: [Errno 13] Permission denied."
    with pytest.raises(BuildFailed) as caught:
        await builds.build(design("open('/etc/shadow').read()\n" + COUNTER), BuildOptions())
    assert caught.value.message == "FileNotFoundError: [Errno 2] No such file or directory: '/etc/shadow'."
