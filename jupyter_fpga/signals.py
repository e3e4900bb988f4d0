"""Names of signals in a design's hierarchy, as people write them: levels with dots between.

A person's design is an instance inside the lab's own wrapper (``top`` where it is Amaranth, ``design`` where it is
Verilog), which nobody has to write: ``inner.state`` is found at ``top.inner.state``, and so is ``state`` while there is
no other.
"""

import difflib
import re
from collections.abc import Collection, Iterable

__all__ = ("OWN", "Bits", "SignalUnknown", "find", "own", "shown", "split_bits")

#: Instances that are the person's design.
OWN = ("top", "design")

#: Signals that are only the lab's wrapper's.
_WRAPPER = "registers"

_BITS = re.compile(r"(?P<name>.*\S)\[(?P<high>\d+)(?::(?P<low>\d+))?\]\s*")

#: Lowest bit and number of bits of a part of a signal; None for all of it.
Bits = tuple[int, int] | None


class SignalUnknown(LookupError):
    """There is no such signal, or several; the text is a sentence that names what there is instead."""


def shown(path: str) -> str:
    """The name of the signal at ``path`` as its designer knows it."""
    first, _, rest = path.partition(".")
    return rest if first in OWN and rest else path


def own(paths: Iterable[str]) -> list[str]:
    """Those of ``paths`` that are the person's own: below their instance, or all where nothing is."""
    found = list(paths)
    below = [path for path in found if path.partition(".")[0] in OWN and "." in path]
    return below or [path for path in found if path.partition(".")[0] not in (_WRAPPER, "soc")]


def find(name: str, paths: Collection[str]) -> str:
    """The path of the signal that somebody calls ``name``.

    Parameters
    ----------
    name
        Its whole path, or the end of it as far as that is only one signal's: the one with the fewest levels counts.

    Raises
    ------
    SignalUnknown
    """
    for path in (*(f"{instance}.{name}" for instance in OWN), name):
        if path in paths:
            return path
    ends = [path for path in paths if path.endswith(f".{name}")]
    fewest = min((path.count(".") for path in ends), default=0)
    best = [path for path in ends if path.count(".") == fewest]
    if len(best) == 1:
        return best[0]
    if best:
        several = ", ".join(shown(path) for path in sorted(best)[:5])
        raise SignalUnknown(f"several signals are called {name!r}: {several}; write more of the path")
    raise SignalUnknown(f"the design has no signal {name!r}; {_nearest(name, paths)}")


def _nearest(name: str, paths: Collection[str]) -> str:
    named = set(own(paths)) | {path for path in paths if len(paths) < 100}
    names = sorted({shown(path) for path in named})
    if not names:
        return "it has none"
    last = name.rpartition(".")[2]
    near = [other for other in names if other.rpartition(".")[2] == last]
    near = near or difflib.get_close_matches(name, names, 3, 0.7)
    if not near:
        ends = {other.rpartition(".")[2]: other for other in names}
        near = [ends[end] for end in difflib.get_close_matches(last, ends, 3, 0.7)]
    if near:
        return f"the nearest is {near[0]}" if len(near) == 1 else f"the nearest are {', '.join(near[:4])}"
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"it has {', '.join(names[:8])}{more}"


def split_bits(text: str) -> tuple[str, Bits]:
    """``count[7:4]`` → ``count`` and its bits 4 to 7, ``count[3]`` → bit 3, ``count`` → all."""
    match = _BITS.fullmatch(text)
    if match is None:
        return text, None
    high = int(match["high"])
    low = int(match["low"]) if match["low"] is not None else high
    if low > high:
        low, high = high, low
    return match["name"], (low, high - low + 1)
