"""Makes a stranger's netlist harmless for what comes after it.

``write_cxxrtl`` copies attributes into the C++ that it writes: the text of ``src`` unescaped, newlines included, into
a comment, and that of ``cxxrtl_width`` straight into code. Both can be set in a design's Verilog. So every attribute
is dropped, except those that change what the netlist *means*; and after that no text of the person's is left but names,
which can't hold white space.

Where a cell of a device comes from is wanted all the same, for the critical path. So every object of the netlist gets a
number in place of its ``src``: its position among them, which the netlist's digest fixes. Which line of whose text that
is, is known to whoever has the netlist with its places, and to no result that is shared.
"""

import re
from collections.abc import Iterable, Iterator

__all__ = ("KEPT_ATTRIBUTES", "OBJECT", "clean_rtlil", "numbered_rtlil", "numbers_in")

#: Attributes that carry meaning. Their values are numbers, and are only kept as such.
KEPT_ATTRIBUTES = frozenset({"\\init", "\\keep", "\\full_case", "\\parallel_case", "\\top", "\\nosync"})

_ATTRIBUTE = re.compile(r"\s*attribute\s+(\S+)\s+(.*?)\s*$", re.DOTALL)
_NUMBER = re.compile(r"[0-9]+'s?[01xz-]*|-?[0-9]+")
OBJECT = re.compile(r"\s*(?:wire|memory|cell|process)\s")
"""A line that begins an object with a number."""
_NUMBERED = re.compile(r"(?:^|\|)lab:(\d+)(?=\||$)")


def clean_rtlil(lines: Iterable[str]) -> Iterator[str]:
    """The lines of an RTLIL file without attributes that carry text."""
    for line in lines:
        if line.lstrip().startswith("attribute"):
            match = _ATTRIBUTE.match(line)
            if match is None or match[1] not in KEPT_ATTRIBUTES or not _NUMBER.fullmatch(match[2]):
                continue
        yield line


def numbered_rtlil(lines: Iterable[str]) -> Iterator[str]:
    """What :func:`clean_rtlil` leaves, with the number of each object as its ``src``: ``lab:0``, ``lab:1`` …"""
    number = 0
    for line in clean_rtlil(lines):
        if OBJECT.match(line):
            yield f'attribute \\src "lab:{number}"\n'
            number += 1
        yield line


def numbers_in(src: str) -> list[int]:
    """Numbers of objects in a ``src`` that Yosys has made of several, in its order."""
    return [int(number) for number in _NUMBERED.findall(src)]
