"""Which of the design's objects a cell was made of, and so which lines a critical path goes through.

Cells know the numbers that :func:`~jupyter_fpga.gateware.rtlil.numbered_rtlil` has given to the objects of the netlist,
where Yosys has kept them: registers, memories, adders, DSP blocks. Look-up tables are made anew by ABC, which keeps
nothing; they belong to what they lead to.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_fpga.gateware.rtlil import numbers_in

from ._shell import TOP, USER

__all__ = ("Places",)

#: What nextpnr puts behind the name of a cell when it packs it, once or several times: ``_LC``, ``_DFFLC``, ``_COMB0``,
#: ``$PACKED`` …
_PACKED = re.compile(r"[_$][A-Za-z0-9]+$")
_MOST_PACKED = 3

#: Of a hierarchical design the instance of the person's module, as nextpnr has it in names.
_INSTANCE = "user."


class Places:
    """Numbers of objects, by cell.

    Parameters
    ----------
    design
        The whole SoC in the device's cells, as Yosys writes it for nextpnr.
    """

    def __init__(self, design: Mapping[str, Any]) -> None:
        modules = design["modules"]
        prefix, module = (_INSTANCE, modules[USER]) if USER in modules else ("", modules.get(TOP, {}))
        self._cells: dict[str, Mapping[str, Any]] = {}
        self._numbers: dict[str, list[int]] = {}
        self._read_by: dict[int, list[int]] = {}
        for name, cell in module.get("cells", {}).items():
            self._cells[prefix + name] = cell
            if numbers := numbers_in(cell["attributes"].get("src", "")):
                self._numbers[prefix + name] = numbers
                for bit in _bits(cell, "input"):
                    self._read_by.setdefault(bit, numbers)

    def of_path(self, cells: Sequence[str]) -> list[dict[str, list[int]]]:
        """For each cell of a path its numbers (``places``), or those of the next that has some (``leads_to``); neither
        where it isn't the design's."""
        found: list[dict[str, list[int]]] = []
        following: list[int] = []
        for name in reversed(cells):
            cell = self._cell(name)
            own = self._numbers.get(cell or "", [])
            following = own or (self._leads_to(cell) or following if cell is not None else [])
            if own:
                found.append({"places": own})
            elif following and name.startswith(_INSTANCE):
                found.append({"leads_to": following})
            else:
                found.append({})
        return found[::-1]

    def _leads_to(self, name: str) -> list[int]:
        read_by = (self._read_by[bit] for bit in _bits(self._cells[name], "output") if bit in self._read_by)
        return next(read_by, [])

    def _cell(self, name: str) -> str | None:
        """The cell before it was packed."""
        for _ in range(_MOST_PACKED + 1):
            if name in self._cells:
                return name
            name = _PACKED.sub("", name)
        return None


def _bits(cell: Mapping[str, Any], direction: str) -> list[int]:
    """Nets at a cell's inputs or outputs; constants are none."""
    directions = cell.get("port_directions", {})
    return [
        bit
        for port, bits in cell["connections"].items()
        if directions.get(port) == direction
        for bit in bits
        if isinstance(bit, int)
    ]
