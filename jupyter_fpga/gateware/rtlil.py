"""Makes a stranger's netlist harmless for what comes after it.

``write_cxxrtl`` copies attributes into the C++ that it writes: the text of ``src`` unescaped, newlines included, into
a comment, and that of ``cxxrtl_width`` straight into code. Both can be set in a design's Verilog. So every attribute
is dropped, except those that change what the netlist *means*; and after that no text of the person's is left but names,
which can't hold white space.
"""

import re
from collections.abc import Iterable, Iterator

__all__ = ("KEPT_ATTRIBUTES", "clean_rtlil")

#: Attributes that carry meaning. Their values are numbers, and are only kept as such.
KEPT_ATTRIBUTES = frozenset({"\\init", "\\keep", "\\full_case", "\\parallel_case", "\\top", "\\nosync"})

_ATTRIBUTE = re.compile(r"\s*attribute\s+(\S+)\s+(.*?)\s*$", re.DOTALL)
_NUMBER = re.compile(r"[0-9]+'s?[01xz-]*|-?[0-9]+")


def clean_rtlil(lines: Iterable[str]) -> Iterator[str]:
    """The lines of an RTLIL file without attributes that carry text."""
    for line in lines:
        if line.lstrip().startswith("attribute"):
            match = _ATTRIBUTE.match(line)
            if match is None or match[1] not in KEPT_ATTRIBUTES or not _NUMBER.fullmatch(match[2]):
                continue
        yield line
