"""The base: LabSoC as its target's data says, at any clock that the target allows."""

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from jupyter_fpga.gateware.labsoc import LabSoC, check_control
from jupyter_fpga.gateware.manifest import Manifest
from jupyter_fpga.gateware.simulation import base
from jupyter_fpga.gateware.simulation.compile import HARNESS_OBJECTS, base_objects
from jupyter_fpga.gateware.targets import SIMULATED

from .conftest import WINDOW


def test_what_the_step_leaves(base_folder: Path) -> None:
    described = json.loads((base_folder / "base.json").read_text())
    assert described.pop("compiler") in ("gcc", "clang", "zig")
    assert re.fullmatch("[0-9a-f]{64}", described.pop("digest"))
    assert described == {"target": "simulated", "clock_hz": 12_000_000, "baud": 1_000_000, "fifo_depth": 1024}
    manifest = Manifest.loads((base_folder / "manifest.json").read_text())
    assert manifest.form == "base"
    assert manifest.control == SIMULATED.control
    assert manifest.identifier == "the idle board"
    for name in (*HARNESS_OBJECTS, *base_objects(base_folder), "window.h", "board.h", "logic.h", "simulator"):
        assert (base_folder / name).is_file(), name


def test_the_same_request_gives_the_same_base(
    base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(base_folder / "request.json", tmp_path)
    monkeypatch.setattr(base, "_compile", lambda *_: None)
    base.run(tmp_path)
    for name in ("lab_base.v", "base_soc.h", "base.json"):
        assert (tmp_path / name).read_bytes() == (base_folder / name).read_bytes(), name


@pytest.mark.parametrize(("clock_hz", "baud"), [(1_000_000, 125_000), (7_372_800, 500_000), (100_000_000, 1_000_000)])
def test_another_clock(clock_hz: int, baud: int) -> None:
    soc = LabSoC(sys_clk_freq=clock_hz, window=True)
    soc.finalize()
    check_control(soc)
    assert (soc.sys_clk_freq, soc.lab_baud) == (clock_hz, baud)


def test_a_clock_that_the_target_does_not_make() -> None:
    with pytest.raises(ValueError, match=r"^") as refused:
        SIMULATED.baud(300_000_000)
    assert str(refused.value) == (
        "The target simulated runs at 1000000 to 200000000 Hz, not at 300000000 Hz; choose a sys_clk_freq between "
        "these."
    )


def test_registers_that_moved_are_noticed() -> None:
    soc = LabSoC(window=True)
    soc.finalize()
    soc.lab_target = SimpleNamespace(control=SimpleNamespace(to_json=lambda: {"scratch": 0xF000_0008}))
    with pytest.raises(AssertionError) as moved:
        check_control(soc)
    assert str(moved.value) == "The target says that scratch is at 0xf0000008, and the SoC has it at 0xf0000004."


def test_every_wire_of_a_resource_is_a_port_of_the_window() -> None:
    window = WINDOW.read_text()
    for resource in SIMULATED.resources.values():
        for wire in resource.wires:
            kind = {"i": "input", "o": "output"}[wire.direction]
            declared = re.search(rf"{kind} (?:reg )?(?:\[(\d+):0\] )?{wire.port}\b", window)
            assert declared is not None, wire
            assert wire.lsb + wire.width <= int(declared[1] or 0) + 1, wire
