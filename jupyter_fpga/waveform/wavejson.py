"""WaveJSON, which WaveDrom draws (https://github.com/wavedrom/schema)."""

from collections.abc import Sequence
from typing import Any

from .wave import Wave

__all__ = ("wavejson",)


def wavejson(waves: Sequence[Wave], end: int, every: int) -> dict[str, Any]:
    """Lanes with a brick for each sample: levels for single bits, boxes with a text for everything else."""
    return {"signal": [_lane(wave, range(0, end, every)) for wave in waves]}


def _lane(wave: Wave, times: range) -> dict[str, Any]:
    bricks, data = "", []
    last: object = _nothing
    for time in times:
        value = wave.at(time)
        if value == last:
            bricks += "."
        elif value is None:
            bricks += "x"
        elif wave.width == 1 and wave.enum is None:
            bricks += str(value)
        else:
            bricks += "="
            data.append(wave.text(value))
        last = value
    return {"name": wave.name, "wave": bricks, **({"data": data} if data else {})}


_nothing = object()
