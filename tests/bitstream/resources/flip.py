"""The stages of a build, but the packer leaves a bitstream in which one bit of a look-up table is another.

It is the bit for "all inputs low" of the table behind the first LED.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from jupyter_fpga.gateware.__main__ import main

#: Where icestorm's text has the bits of a logic cell: the cell's two lines of its tile, from this column on. The
#: table's bit for "all inputs low" is the fifth of the first line (icestorm, documentation of the logic tile).
FIRST_COLUMN = 36
LOW_COLUMN = FIRST_COLUMN + 4


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def flip(tiles: list[str], x: int, y: int, cell: int) -> None:
    line = tiles.index(f".logic_tile {x} {y}") + 1 + 2 * cell
    bits = list(tiles[line])
    bits[LOW_COLUMN] = "10"[int(bits[LOW_COLUMN])]
    tiles[line] = "".join(bits)


status = main(sys.argv[1:])
if sys.argv[1:] == ["pack"]:
    pcf = "set_io pad_led B5\n"
    Path("flip.pcf").write_text(pcf)
    run(os.environ["ICEUNPACK"], "bitstream", "flip.asc")
    verilog = run(os.environ["ICEBOX_VLOG"], "-s", "-p", "flip.pcf", "-d", "ct256", "flip.asc")
    output = re.search(r"^/\* FF .*assign pad_led = (n\d+);$", verilog, re.M)
    place = re.search(rf"^assign {output[1]}\s+= /\* LUT\s+(\d+)\s+(\d+)\s+(\d+) \*/", verilog, re.M)
    tiles = Path("flip.asc").read_text().splitlines()
    flip(tiles, *map(int, place.groups()))
    Path("flip.asc").write_text("\n".join(tiles) + "\n")
    run("icepack", "flip.asc", "bitstream")
sys.exit(status)
