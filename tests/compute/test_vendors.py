"""Vendors' toolchains on PATH make bitstreams of LiteX's platforms, behind walls."""

import os
from pathlib import Path

import pytest

from jupyter_fpga.compute import BuildOptions, Sandbox, Source
from jupyter_fpga.compute.builds.toolchains import Toolchains, ToolMissing
from jupyter_fpga.compute.builds.vendors import VENDORS, find_vendors, installation
from jupyter_fpga.gateware.targets._litex_device import VENDORS as WORKSHOPS
from tests.workbench import Workbench

DESIGN = """
class Top(wiring.Component):
    value: In(8)
    doubled: Out(9)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.doubled.eq(self.value << 1)
        return m
"""

#: What LiteX expects of Vivado: a bitstream of the project's name. It takes one beside which it was installed.
VIVADO = """#!/bin/sh
home=$(dirname "$(dirname "$(readlink -f "$0")")")
test "$*" = "-mode batch -source lab.tcl" || exit 1
grep -q "synth_design .*-part xc7a35ticsg324-1L" lab.tcl || exit 1
cat "$home/data/parts/beginning" > lab.bit
if touch "$home/data/changed"; then echo "ERROR: the installation can be changed."; exit 1; fi
exit 0
"""


def install(folder: Path) -> Path:
    """A program in a folder of its own with a data file beside it, and a link to it on PATH; what PATH has to be."""
    home = folder / "opt" / "Vivado" / "2099.1"
    (home / "bin").mkdir(parents=True)
    (home / "data" / "parts").mkdir(parents=True)
    (home / "data" / "parts" / "beginning").write_bytes(b"bits of the installation")
    program = home / "bin" / "vivado"
    program.write_text(VIVADO)
    program.chmod(0o755)
    links = folder / "links"
    links.mkdir()
    (links / "vivado").symlink_to(program)
    return links


async def test_its_installation_is_seen_and_its_output_is_the_bitstream(tmp_path: Path, sandbox: Sandbox) -> None:
    links = install(tmp_path)
    environment = {**os.environ, "PATH": f"{links}:{os.environ['PATH']}"}
    bench = Workbench(tmp_path / "lab", sandbox)
    builds = await bench.start(toolchains=await Toolchains.find(environment=environment))
    await builds.offer()
    result = await builds.build(
        Source({"design.py": DESIGN.encode()}, "design.py"), BuildOptions("litex:digilent_arty")
    )
    await bench.stop()
    assert result.artifacts["bitstream"].read_bytes() == b"bits of the installation"
    assert result.sources == {}
    assert [stage.name for stage in result.stages[2:]] == ["synthesize", "place", "pack"]


async def test_one_that_is_missing_is_told_before_anything_is_built(tmp_path: Path, sandbox: Sandbox) -> None:
    bench = Workbench(tmp_path / "lab", sandbox)
    builds = await bench.start(toolchains=await Toolchains.find())
    with pytest.raises(ToolMissing) as caught:
        await builds.build(Source({"design.py": DESIGN.encode()}, "design.py"), BuildOptions("litex:digilent_arty"))
    await bench.stop()
    assert caught.value.message == (
        "Bitstreams for the target litex:digilent_arty are made by AMD Vivado, which isn't there. Examined: vivado: "
        "not on PATH. Install AMD Vivado, put vivado on PATH, and start the lab again."
    )


def test_what_is_installed_and_what_is_missing(tmp_path: Path) -> None:
    links = install(tmp_path)
    found = find_vendors({"PATH": str(links)})
    home = tmp_path / "opt/Vivado/2099.1"
    assert found["XilinxVivadoToolchain"].to_json() == {
        "found": True,
        "version": f"AMD Vivado in {home}",
        "missing": "",
    }
    assert found["AlteraQuartusToolchain"].to_json() == {
        "found": False,
        "version": "",
        "missing": "quartus_map: not on PATH. Install Intel Quartus, put quartus_map on PATH, and start the lab again",
    }
    before = found["XilinxVivadoToolchain"].version
    (home / "bin/vivado").write_text("#!/bin/sh\n")
    assert find_vendors({"PATH": str(links)})["XilinxVivadoToolchain"].version != before
    assert found["AlteraQuartusToolchain"].mounts() == []


def test_they_are_the_workshops() -> None:
    assert {name: (vendor.title, vendor.program) for name, vendor in WORKSHOPS.items()} == dict(VENDORS)


@pytest.mark.parametrize(
    ("program", "root"),
    [
        ("/opt/Xilinx/Vivado/2023.2/bin/vivado", "/opt/Xilinx/Vivado/2023.2"),
        ("/opt/lscc/radiant/2023.1/bin/lin64/radiantc", "/opt/lscc/radiant/2023.1"),
        ("/opt/tool/gw_sh", "/opt/tool"),
        ("/usr/bin/yosys", "/usr"),
        ("/home/somebody/bin/vivado", "/home/somebody/bin"),
        (f"{Path.home()}/bin/vivado", f"{Path.home()}/bin"),
    ],
)
def test_where_a_program_was_installed(program: str, root: str) -> None:
    """A home is not shown to sandboxes."""
    assert str(installation(Path(program))) == root
