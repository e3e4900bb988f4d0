"""Designs of the usual kinds, for all boards: what is made of them does what they say.

An iCE40's bitstream itself is simulated beside the design, an ECP5's or Gowin's netlist in the device's cells. Whatever
the family, the bitstream has the board's pins.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.compute import BuildOptions, Builds
from jupyter_fpga.gateware.targets import TARGETS

from ..designs.sources import DESIGNS, source_of  # noqa: TID252 - the tests are no package
from ..gateware.targets._unpack import expected_of_bitstream, unpacked  # noqa: TID252
from ._mapped import compare_mapped

#: Target and design of every run: each design and each family once. All of them are in the long one.
OFTEN = (
    ("simulated_ice40", "riscv"),
    ("icesugar", "mac"),
    ("ulx3s_25f", "pwm"),
    ("colorlight_i5", "fir"),
    ("tang_nano_9k", "memory"),
)
#: What is around the design is verified with it for one target of each family, and for all in the long run. It is
#: the same file for every design.
WHOLE = "pwm"

FAMILIES = {name: target.device.family for name, target in TARGETS.items() if target.device is not None}


def matrix(*families: str) -> list[Any]:
    return [
        pytest.param(target, design, marks=() if (target, design) in OFTEN else pytest.mark.soak)
        for target, family in FAMILIES.items()
        if family in families
        for design in DESIGNS
    ]


def check_pins(target: str, bitstream: Path, folder: Path) -> None:
    """The bitstream has the board's pins where the design uses them, and no others."""
    about = TARGETS[target]
    assert about.serial is not None
    shutil.copyfile(bitstream, folder / "bitstream")
    pins = unpacked(about, folder / "bitstream")
    expected = expected_of_bitstream(about)
    assert pins[about.serial.tx] == "o"
    # A free pin that the design doesn't use looks like an output that is never driven.
    assert {pin: kind for pin, kind in pins.items() if kind and expected.get(pin) not in (kind, "io")} == {}


@pytest.mark.parametrize(("target", "design"), matrix("ice40"))
async def test_ice40(builds: Builds, tmp_path: Path, target: str, design: str):
    result = await builds.build(source_of(design), BuildOptions(target, verify=True))
    assert "verify" in [stage.name for stage in result.stages]
    # What can be read back has none, where the device would.
    blocks = json.loads(result.artifacts["report"].read_bytes())["utilization"].get("DSP blocks", {"used": 0})
    assert blocks["used"] == 0
    # The board that is a process is reached by its pins, and its bitstream by the same pins.
    if not TARGETS[target].simulated:
        check_pins(target, result.artifacts["bitstream"], tmp_path)


@pytest.mark.parametrize(("target", "design"), matrix("ecp5", "gowin"))
async def test_ecp5_and_gowin(builds: Builds, folder: Path, tmp_path: Path, target: str, design: str):
    result = await builds.build(source_of(design), BuildOptions(target))
    report = json.loads(result.artifacts["report"].read_bytes())
    assert all(clock["met"] for clock in report["clocks"].values())
    for name in ("verify", "pins"):
        (tmp_path / name).mkdir()
    check_pins(target, result.artifacts["bitstream"], tmp_path / "pins")
    assert compare_mapped(builds, folder, result, target, tmp_path / "verify", whole=design == WHOLE) is None


async def test_one_inverted_look_up_table_is_noticed(builds: Builds, folder: Path, tmp_path: Path):
    result = await builds.build(source_of("pwm"), BuildOptions("ulx3s_25f"))

    def invert(modules: dict[str, Any]) -> None:
        cells = modules["lab_user"]["cells"]
        # A bit of the comparison that the LED shows.
        name = next(name for name, cell in sorted(cells.items()) if cell["type"] == "LUT4" and "led" in name)
        table = cells[name]["parameters"]
        table["INIT"] = table["INIT"].translate(str.maketrans("01", "10"))

    difference = compare_mapped(builds, folder, result, "ulx3s_25f", tmp_path, whole=False, change=invert)
    assert difference is not None
    assert "in the netlist and" in difference.how
