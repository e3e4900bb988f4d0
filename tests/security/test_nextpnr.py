"""Place and route runs Python where it is told to, and a packer writes as much as it likes: both behind the walls."""

import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from jupyter_fpga.compute import BuildFailed, BuildOptions, Builds, Sandbox, Source
from jupyter_fpga.compute.builds.functions import LIMITS as STAGE_LIMITS
from jupyter_fpga.compute.sandbox import MIB, Runner

from ..workbench import Workbench  # noqa: TID252 - the tests are no package
from .conftest import LIMITS

SECRET = "5ec2e75ec2e7"

HOOK = """
import socket
print("the hook runs")
for path in ({path!r}, "/etc/shadow", "/proc/1/environ"):
    try:
        print(open(path).read())
    except OSError as error:
        print("no:", error.strerror)
try:
    open({path!r}, "w").write("mine")
except OSError as error:
    print("no:", error.strerror)
try:
    socket.create_connection(("127.0.0.1", 22), timeout=1)
    print("connected")
except OSError as error:
    print("no:", error)
"""

EMPTY = (
    '{"creator": "test", "modules": {"top": {"attributes": {"top": "1"}, "ports": {}, "cells": {}, "netnames": {}}}}'
)

HOOKS = ["--run", "--pre-pack", "--pre-place", "--pre-route", "--post-route"]


@pytest.mark.parametrize("hook", HOOKS)
async def test_python_hooks_stay_inside(walls: Sandbox, tmp_path: Path, hook: str) -> None:
    """A native nextpnr with Python in it; the wheels have none, and the lab itself never gives these options."""
    nextpnr = shutil.which("nextpnr-ice40")
    assert nextpnr is not None, "these tests need Debian's nextpnr-ice40"
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    command = [nextpnr, "--up5k", "--json", "design.json", hook, "hook.py"]
    finished = await Runner(walls).run(
        command if hook != "--run" else [nextpnr, "--up5k", "--run", "hook.py"],
        limits=replace(LIMITS, memory_bytes=1024 * MIB),
        inputs={"hook.py": HOOK.format(path=str(secret)).encode(), "design.json": EMPTY.encode()},
    )
    assert finished.bound is None
    assert "the hook runs" in finished.output_tail
    assert finished.output_tail.count("no: ") >= 5
    assert SECRET not in finished.output_tail
    assert "connected" not in finished.output_tail
    assert secret.read_text() == SECRET


PACKER = """
import sys
from jupyter_fpga.gateware.__main__ import main
if sys.argv[1:] == ["pack"]:
    with open("bitstream", "wb") as file:
        while True:
            file.write(bytes(1 << 20))
sys.exit(main(sys.argv[1:]))
"""

PWM = """\
module top(input clk, input [7:0] duty, output led);
  reg [7:0] count;
  always @(posedge clk) count <= count + 1;
  assign led = count < duty;
endmodule
"""


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What comes before the packer is the same behind all walls, and is done once."""
    return tmp_path_factory.mktemp("nextpnr") / "lab"


@pytest_asyncio.fixture
async def builds(walls: Sandbox, lab: Path) -> AsyncIterator[Builds]:
    """A lab whose packer never stops writing."""
    bench = Workbench(lab, walls)
    limits = {**STAGE_LIMITS, "pack": replace(STAGE_LIMITS["pack"], disk_bytes=32 * MIB)}
    builds = await bench.start(command=[sys.executable, "-c", PACKER], limits=limits)
    await builds.offer()
    yield builds
    await bench.stop()


async def test_a_bitstream_without_end(builds: Builds) -> None:
    with pytest.raises(BuildFailed) as caught:
        await builds.build(Source({"design.v": PWM.encode()}, "design.v"), BuildOptions(target="icebreaker"))
    assert (caught.value.stage, caught.value.code) == ("pack", "disk_limit")
    assert caught.value.message == (
        "Packing the bitstream wrote more than its limit of 32 MiB of files; a design needs none of its own."
    )
    # The next one is unharmed.
    result = await builds.build(Source({"design.v": PWM.encode()}, "design.v"), BuildOptions(use_cache=False))
    assert result.artifacts["bitstream"].exists()
