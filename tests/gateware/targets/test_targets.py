"""Every target: what it says of itself, and the bitstreams that are made for it.

A new target is tested by being in TARGETS.
"""

import importlib
import json
import re
from pathlib import Path

import pytest

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.targets import SIMULATED, TARGETS, Target, find_target
from tests.gateware.targets._clocks import impossible
from tests.gateware.targets._steps import Board
from tests.gateware.targets._unpack import expected_of_bitstream, unpacked

REAL = [name for name, target in TARGETS.items() if not target.simulated]

#: One of each family is built in every run; all of them, and at their highest clock too, with the long counts.
OFTEN = ("upduino_v3", "orangecrab_25f", "tang_nano_9k")
BUILDS = [
    pytest.param(name, clock, marks=() if name in OFTEN and clock == "clock_hz" else pytest.mark.soak)
    for name in REAL
    for clock in ("clock_hz", "max_clock_hz")
]

#: What a bitstream of an ECP5 is for, as the device's JTAG port says it (Lattice FPGA-TN-02039, table 33).
IDCODES = {"12k": 0x21111043, "25k": 0x41111043, "45k": 0x41112043, "85k": 0x41113043, "um5g-85k": 0x81113043}


@pytest.fixture(params=list(TARGETS))
def target(request: pytest.FixtureRequest) -> Target:
    return TARGETS[request.param]


@pytest.fixture(params=REAL)
def real(request: pytest.FixtureRequest) -> Target:
    return TARGETS[request.param]


def test_names(target: Target) -> None:
    assert find_target(target.name) is target
    assert re.fullmatch(r"[a-z][a-z0-9_]*", target.name)
    assert re.fullmatch(r"[^.\n]{10,100}\.?|[^\n]{10,100}\)", target.doc)
    assert target.setup == "" or target.setup.endswith(".")


def test_resources(target: Target) -> None:
    assert target.resources.keys() & {"led", "leds", "rgb"}
    for name, resource in target.resources.items():
        assert resource.name == name
        assert resource.doc.endswith(".")
    names = [resource.name for peripheral in target.peripherals for resource in peripheral.resources]
    assert sorted(names) == sorted(target.resources)


def test_pads_are_as_wide_as_ports(real: Target) -> None:
    widths: dict[str, int] = {}
    for resource in real.resources.values():
        for wire in resource.wires:
            widths[wire.port] = max(widths.get(wire.port, 0), wire.lsb + wire.width)
    for pads in real.pads():
        for port in (f"{pads.port}_{wire}" for wire in ("i", "o", "oe")) if pads.direction == "io" else (pads.port,):
            assert widths.pop(port) == len(pads.pins), port
        assert len(pads.io_standard) in (0, len(pads.pins))
    assert widths == {}


def test_pins_are_used_once(real: Target) -> None:
    assert real.oscillator is not None
    assert real.serial is not None
    pins = [real.oscillator.pin, real.serial.rx, real.serial.tx, *real.high]
    pins += [pin for pads in real.pads() for pin in pads.pins]
    assert len(pins) == len(set(pins))


def test_clocks_can_be_made(target: Target) -> None:
    clocks = {target.clock_hz, target.min_clock_hz, target.max_clock_hz}
    assert target.min_clock_hz <= target.clock_hz <= target.max_clock_hz
    assert min(target.baud(clock) for clock in clocks) >= 125_000
    assert impossible(target.name, clocks) == []


def test_programmer(real: Target) -> None:
    programmer, serial = real.programmer, real.serial
    assert programmer is not None
    assert serial is not None
    assert (programmer.board is None) == (programmer.volume is not None)
    assert programmer.usb
    assert all(re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{4}", usb) for usb in programmer.usb)
    # Without a UART of its own, the board says where one must be.
    assert (programmer.uart_interface is not None) == serial.built_in
    assert serial.built_in or real.setup
    json.dumps(real.to_json())


@pytest.mark.parametrize(("name", "clock"), BUILDS)
def test_bitstream(tmp_path: Path, name: str, clock: str) -> None:
    """The base with a design that uses every pin meets its timing, and the bitstream has these pins."""
    target = TARGETS[name]
    assert target.device is not None
    board = Board(tmp_path, target, getattr(target, clock))
    content = board.bitstream()
    clocks = board.report["clocks"]
    assert clocks
    assert {name: found["met"] for name, found in clocks.items()} == dict.fromkeys(clocks, True)
    pll = board.report["utilization"]["PLLs"]["used"]
    assert target.oscillator is not None
    assert pll == (board.clock_hz != target.oscillator.frequency)
    # icebox_vlog can't read the PLL of an UP5K, which no other of its tools needs.
    if not (pll and target.device.part == "up5k"):
        assert unpacked(target, tmp_path / "pack/bitstream") == expected_of_bitstream(target)
    if target.device.family == "ecp5":
        # The command VERIFY_ID, and three bytes of nothing (Lattice FPGA-TN-02039).
        before = content.index(b"\xe2\0\0\0") + 4
        assert int.from_bytes(content[before : before + 4]) == IDCODES[target.device.part]


def test_a_name_that_there_is_not() -> None:
    with pytest.raises(DesignError) as caught:
        find_target("moon")
    assert (caught.value.code, str(caught.value)) == (
        "unknown_target",
        "There is no target 'moon'; `jupyter fpga targets` lists what there is, and litex:NAME is any platform of "
        "LiteX.",
    )


def test_a_clock_outside_the_limits() -> None:
    message = (
        "The target icebreaker runs at 12000000 to 24000000 Hz, not at 48000000 Hz; "
        "choose a sys_clk_freq between these."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        TARGETS["icebreaker"].baud(48_000_000)
    assert SIMULATED.baud(1_000_000) == 125_000


def test_the_example_is_a_real_one() -> None:
    text = (Path(__file__).parents[3] / "CONTRIBUTING.md").read_text()
    example = re.search(r"<!-- example: target -->\s*```python\n(.*?)```", text, re.DOTALL)
    assert example is not None
    module = importlib.import_module("jupyter_fpga.gateware.targets.tang_nano_20k")
    assert module.__file__ is not None
    assert example[1] == Path(module.__file__).read_text()
