"""From numbers of a netlist's objects to lines of the person's text.

Results that are shared name objects by their position in the netlist (:mod:`jupyter_fpga.gateware.rtlil`), as equal
netlists may come from texts with other lines. The netlist of this very build says which lines its own are.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_fpga.compute.builds.design import Place, Source

__all__ = ("NETLIST", "OBJECT", "Places", "Sources", "line_of", "read_places", "sources_of")

NETLIST = "netlist.il"
"""What the stage ``elaborate`` leaves of a design whose places are known."""

Sources = dict[str, list[Place | None]]
"""For each clock, where each step of its critical path comes from."""


#: A line that begins an object with a number: the same as in :mod:`jupyter_fpga.gateware.rtlil`, which gives them.
OBJECT = re.compile(r"\s*(?:wire|memory|cell|process)\s")
_SRC = re.compile(r'\s*attribute\s+\\src\s+"([^"]*)"\s*$')
_PLACE = re.compile(r"([^|:]{1,200}):(\d{1,7})")
_CELL = re.compile(r"\s*cell\s+(\S+)\s+(\S+)\s*$")
_CONNECT = re.compile(r"\s*connect\s+\\(\w+)\s+(.*)$")
_ASSIGN = re.compile(r"\s*assign\s+(\S+)[^{$\\]*(.*)$")
_NAME = re.compile(r"[$\\][^\s]+")
_OUTPUTS = ("Y", "Q", "DATA", "RD_DATA")

#: Lines of a netlist that are looked at: more than any device has room for.
_MOST_LINES = 5_000_000

#: How a register is called in a netlist.
_REGISTERS = ("$dff", "$adff", "$dffe", "$sdff", "$sdffe", "$adffe")


@dataclass
class _Cell:
    number: int
    kind: str
    place: Place | None
    pins: dict[str, str] = field(default_factory=dict)


@dataclass
class _Module:
    """What is read of a module: its cells, and what processes assign."""

    cells: list[_Cell] = field(default_factory=list)
    assigned: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Places:
    """Lines by number.

    Parameters
    ----------
    made_in
        Where an object is made.
    computed_in
        Of a register: where what it takes over is computed, if that is one place.
    """

    made_in: dict[int, Place] = field(default_factory=dict)
    computed_in: dict[int, Place] = field(default_factory=dict)

    def of(self, step: Mapping[str, Any]) -> Place | None:
        """The line of a step of a critical path: of what its cell is, else of what it leads to."""
        for number in step.get("places", ()):
            if place := self.made_in.get(number):
                return place
        for number in step.get("leads_to", ()):
            if place := self.computed_in.get(number) or self.made_in.get(number):
                return place
        return None


def sources_of(report: Mapping[str, Any], netlist: Path | None, source: Source) -> Sources:
    """Where the critical paths of a report are in the person's text.

    Parameters
    ----------
    report
        As the stage ``place`` left it.
    netlist
        The netlist of this design; None where its places aren't known.
    source
        What was submitted.
    """
    paths = {name: clock["critical_path"] for name, clock in report["clocks"].items()}
    steps = [step for path in paths.values() for step in path]
    wanted = {number for step in steps for name in ("places", "leads_to") for number in step.get(name, ())}
    places = Places()
    if netlist is not None and wanted:
        with open(netlist, encoding="utf-8", errors="surrogateescape") as lines:
            places = read_places(lines, wanted, _named(source))
    return {name: [places.of(step) for step in path] for name, path in paths.items()}


def line_of(sources: Sources) -> Place | None:
    """The line that most steps of a critical path come from."""
    counts = Counter(place for path in sources.values() for place in path if place is not None)
    return counts.most_common(1)[0][0] if counts else None


def _named(source: Source) -> dict[str, str]:
    """What the submitted files are called in a netlist → what the person calls them."""
    fixed = "design.py" if source.entry.endswith(".py") else "design.v"
    entry = {} if fixed in source.files else {fixed: source.entry}
    return {name: name for name in source.files} | entry


def read_places(lines: Iterable[str], wanted: Iterable[int], named: Mapping[str, str]) -> Places:
    """Read a netlist for the lines of objects.

    Parameters
    ----------
    lines
        The RTLIL as it was elaborated, by a stranger's program perhaps: nothing in it is believed but names of files
        that are among those submitted.
    wanted
        Their numbers.
    named
        What the submitted files are called in the netlist → what the person calls them.
    """
    places, sought = Places(), set(wanted)
    module = _Module()
    number, src = 0, ""
    for count, line in enumerate(lines):
        if count >= _MOST_LINES:
            break
        word = line.split(None, 1)[0] if not line.isspace() else ""
        if word == "attribute":
            if match := _SRC.match(line):
                src = match[1]
            continue
        if OBJECT.match(line):
            place = _place(src, named)
            if place is not None and number in sought:
                places.made_in[number] = place
            if match := _CELL.match(line):
                module.cells.append(_Cell(number, match[1], place))
            number += 1
        elif word == "module":
            module = _Module()
        elif word == "connect" and module.cells and (match := _CONNECT.match(line)):
            module.cells[-1].pins[match[1]] = match[2]
        elif word == "assign" and (match := _ASSIGN.match(line)):
            module.assigned.setdefault(match[1], []).extend(_NAME.findall(match[2]))
        elif word == "end" and not line[0].isspace():
            places.computed_in |= _computed(module, sought)
        if word:
            src = ""
    return places


def _place(src: str, named: Mapping[str, str]) -> Place | None:
    match = _PLACE.match(src)
    return Place(named[match[1]], int(match[2])) if match and match[1] in named else None


def _computed(module: _Module, sought: set[int]) -> dict[int, Place]:
    """Of a module's registers the one line where their next value is computed."""
    drivers = {
        name: cell.place
        for cell in module.cells
        if cell.kind not in _REGISTERS and cell.place is not None
        for pin in _OUTPUTS
        for name in _NAME.findall(cell.pins.get(pin, ""))
    }
    found = {}
    for cell in module.cells:
        if cell.number in sought and cell.kind in _REGISTERS:
            names = _NAME.findall(cell.pins.get("D", ""))
            nearer = {source for name in names for source in module.assigned.get(name, [name])}
            computed = {drivers[name] for name in nearer if name in drivers}
            if len(computed) == 1:
                found[cell.number] = computed.pop()
    return found
