"""A design in the precompiled base is, cycle by cycle, what it is when the whole SoC is compiled at once."""

import re
import subprocess
from pathlib import Path

import pytest

from jupyter_fpga.gateware.simulation import _split
from jupyter_fpga.gateware.simulation._compiler import Unit, find_compiler
from jupyter_fpga.gateware.simulation.compile import base_objects

from .conftest import RESOURCES, WINDOW, Build

#: The base, its PHY and a window as one module.
JOINED = (RESOURCES / "joined.v").read_text()


def transcript(folder: Path, base_folder: Path, objects: list[str]) -> list[str]:
    """What the stimulus makes the board in ``folder`` do."""
    compiler = find_compiler()
    source = str(RESOURCES / "transcript.cc")
    compiler.compile([Unit(source, "transcript.o")], include=[str(base_folder)], work=folder)
    parts = [name for name in ("design.o", "more.o", "debug.o") if (folder / name).exists()]
    compiler.link(["transcript.o", *parts, *objects], "transcript", work=folder)
    done = subprocess.run([folder / "transcript"], capture_output=True, check=True, text=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("clocks", "in_pieces"), [("ONE", False), ("ONE", True), ("FALLING", False), ("ODD", False), ("ODD", True)]
)
def test_window_and_whole_soc_are_the_same(
    clocks: str, in_pieces: bool, build: Build, base_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = f"`define {clocks}\n" + WINDOW.read_text()
    if in_pieces:
        monkeypatch.setattr(_split, "LONG", 0)
        monkeypatch.setattr(_split, "_PIECE", 300)
    split = build([("netlist.v", window)])
    assert (split / "more.o").exists() == in_pieces
    monkeypatch.undo()
    soc = "".join((base_folder / f"{name}.v").read_text() for name in ("lab_base", "lab_phy"))
    whole = build([("netlist.v", JOINED), ("base.v", soc), ("window.v", window)], whole_soc=True)
    of_base = [str(base_folder / name) for name in base_objects(base_folder)]
    of_split = transcript(split, base_folder, of_base)
    of_whole = transcript(whole, base_folder, [])
    assert of_split == of_whole
    # The stimulus has done something: bytes came back, and each kind of pin has moved.
    for pin in ("tx", "busy", "console", "leds", "pmod", "oe"):
        assert len({re.search(rf"{pin}=(\w+)", line)[1] for line in of_split}) > 1, pin  # type: ignore[index]
    assert len(of_split) > 4_000
    assert ("previous_clk = nullptr" in (split / "design.cc").read_text()) == (clocks != "ONE")
