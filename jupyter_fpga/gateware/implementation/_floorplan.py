"""Where on the device the logic is: for each tile how many of its eight look-up tables are used.

It is read from what nextpnr leaves for the packer, which has it without being asked:

- iCE40, icestorm's text (https://clifford.at/icestorm/format, "Logic Tile"): all tiles with all bits; those of look-up
  table *n* and its flip-flop are in rows *2n* and *2n + 1*, columns 36 to 45.
- ECP5, Trellis' text (https://prjtrellis.readthedocs.io, "Textual Configuration Format"): tiles of type ``PLC2``, the
  contents of a table as the word ``SLICEx.Kn.INIT``.
- Gowin: nextpnr's own JSON, in which each cell has its place in ``NEXTPNR_BEL``, as ``X10Y7/LUT3``.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from jupyter_fpga.gateware.targets import Family

__all__ = ("floorplan",)

#: Look-up tables of a tile, in all families.
MOST = 8

Place = tuple[int, int]
"""Column and row of a tile, from the upper left."""


def floorplan(family: Family, placed: str) -> list[str]:
    """A picture in digits: a line for each row of tiles from the top, a digit for each tile of logic that is known to
    be there, how many are used.

    Parameters
    ----------
    placed
        What nextpnr left for the packer.
    """
    if family not in _READERS:
        return []
    used, (width, height) = _READERS[family](placed)
    return [
        "".join(str(min(used[x, y], MOST)) if (x, y) in used else " " for x in range(width)).rstrip()
        for y in range(height)
    ]


def _ice40(placed: str) -> tuple[Mapping[Place, int], Place]:
    used: dict[Place, int] = {}
    places = set()
    for block in placed.split("\n.")[1:]:
        head, *rows = block.split("\n")
        kind, *place = head.split(" ")
        if kind.endswith("_tile"):
            x, y = map(int, place)
            places.add((x, y))
            if kind == "logic_tile":
                used[x, y] = sum("1" in rows[2 * n][36:46] + rows[2 * n + 1][36:46] for n in range(MOST))
    width, height = _size(places)
    # Its rows are counted from below.
    return {(x, height - 1 - y): count for (x, y), count in used.items()}, (width, height)


def _ecp5(placed: str) -> tuple[Mapping[Place, int], Place]:
    used: dict[Place, int] = {}
    places = set()
    for block in placed.split("\n.tile ")[1:]:
        name, _, kind = block.partition("\n")[0].partition(":")
        if found := re.search(r"R(\d+)C(\d+)$", name):
            row, column = map(int, found.groups())
            places.add((column, row))
            if kind == "PLC2":
                used[column, row] = len(re.findall(r"^word: SLICE[A-D]\.K[01]\.INIT ", block, re.MULTILINE))
    return used, _size(places)


def _gowin(placed: str) -> tuple[Mapping[Place, int], Place]:
    used: Counter[Place] = Counter()
    places = set()
    for module in json.loads(placed)["modules"].values():
        for cell in module["cells"].values():
            if found := re.match(r"X(\d+)Y(\d+)/(.*)", cell["attributes"].get("NEXTPNR_BEL", "")):
                place = int(found[1]), int(found[2])
                places.add(place)
                if re.fullmatch(r"(?:LUT|ALU|DFF)\d", found[3]):
                    used[place] += not found[3].startswith("DFF")
    return used, _size(places)


def _size(places: Iterable[Place]) -> Place:
    width, height = (1 + max((place[axis] for place in places), default=-1) for axis in (0, 1))
    return width, height


_READERS: Mapping[Family, Callable[[str], tuple[Mapping[Place, int], Place]]] = {
    "ice40": _ice40,
    "ecp5": _ecp5,
    "gowin": _gowin,
}
"""For each family what gives the tables that are used of each tile of logic, and the size of the device in tiles as far
as it shows."""
