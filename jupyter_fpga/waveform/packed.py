"""Signals as they travel to a browser: typed arrays one behind the other, as few bytes as their values need.

A packet is the length of its head (4 bytes), the head as JSON, and for each signal of the head: its times as steps
from one change to the next (the first from tick 0), of the size that ``step`` says (8: floating point, for steps beyond
4 G ticks); its values as words of 1, 2 or 4 bytes, or as many words of 4 bytes as its width needs, the least
significant first; and, where ``unknown`` says that there are such, a bit for each value that nobody knows, the lowest
first. Numbers are little-endian throughout. ``labextension/src/views/waveform/decode.ts`` reads it.
"""

import json
import sys
from array import array
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from .wave import Wave

__all__ = ("pack",)

#: Of a step in time: bytes, and the array's type; a larger step is sent as a floating-point number.
_STEPS = ((1, "B"), (2, "H"), (4, "I"))


def pack(waves: Sequence[Wave], *, end: int, seconds: float, unit: str, trigger: int | None) -> bytes:
    """The packet of a waveform; see :class:`.Waveform` for what the parameters are. ``seconds`` is of a tick."""
    signals, arrays = [], []
    for wave in waves:
        head, data = _signal(wave)
        signals.append(head)
        arrays += data
    facts = {"end": end, "seconds": seconds, "unit": unit, "trigger": trigger, "signals": signals}
    text = json.dumps(facts, separators=(",", ":"), ensure_ascii=False).encode()
    return b"".join([len(text).to_bytes(4, "little"), text, *arrays])


def _signal(wave: Wave) -> tuple[dict[str, Any], list[bytes]]:
    steps = [*wave.times[:1], *(later - earlier for earlier, later in pairwise(wave.times))]
    most = max(steps, default=0)
    size, kind = next(((size, kind) for size, kind in _STEPS if most < 1 << 8 * size), (8, "d"))
    unknown = [number for number, value in enumerate(wave.values) if value is None]
    head = {
        "name": wave.name,
        "width": wave.width,
        "count": len(wave.times),
        "step": size,
        "unknown": bool(unknown),
        "names": _names(wave.enum, wave.width),
        "parts": [
            {"name": part.name, "lsb": part.lsb, "width": part.width, "names": _names(part.enum, part.width)}
            for part in wave.parts
        ],
    }
    data = [_little(array(kind, steps)), _words(wave)]
    if unknown:
        bits = bytearray(-(-len(wave.values) // 8))
        for number in unknown:
            bits[number // 8] |= 1 << number % 8
        data.append(bytes(bits))
    return head, data


def _words(wave: Wave) -> bytes:
    values = [0 if value is None else value for value in wave.values]
    for size, kind in _STEPS:
        if wave.width <= 8 * size:
            return _little(array(kind, values))
    size = 4 * -(-wave.width // 32)
    return b"".join(value.to_bytes(size, "little") for value in values)


def _little(numbers: "array[Any]") -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _names(enum: Mapping[str, int] | None, width: int) -> dict[str, str] | None:
    """Names by value in hexadecimal; the first of several names for one value counts, as in :meth:`.Wave.text`."""
    if enum is None:
        return None
    names: dict[str, str] = {}
    for name, value in enum.items():
        names.setdefault(f"{value & ((1 << width) - 1):x}", name)
    return names
