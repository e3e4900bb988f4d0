"""Values as people write them, bits as the bus carries them."""

import reprlib
from typing import Any

from jupyter_fpga.gateware.manifest import Shape

__all__ = ("Refused", "decode", "encode", "hexadecimal", "plural", "shown")


class Refused(Exception):
    """A transaction can't be right. The text goes on after "Nothing was sent to the board: "."""

    def __init__(self, why: str, **detail: Any) -> None:
        super().__init__(why)
        self.detail = detail


def _limits(shape: Shape) -> tuple[int, int]:
    if shape.signed:
        return -(1 << (shape.width - 1)), (1 << (shape.width - 1)) - 1
    return 0, (1 << shape.width) - 1


def decode(shape: Shape, bits: int) -> int:
    """The value that ``bits``, of which only the shape's own count, mean."""
    bits &= (1 << shape.width) - 1
    if shape.signed and bits >> (shape.width - 1):
        return bits - (1 << shape.width)
    return bits


def encode(shape: Shape, value: Any, what: str) -> int:
    """The bits of ``value``: a whole number, or a name where the design has an enum.

    Parameters
    ----------
    what
        How a sentence calls the place, such as ``'status.mode'``.

    Raises
    ------
    Refused
        It doesn't fit.
    """
    if isinstance(value, str):
        if shape.enum is None:
            raise Refused(f"the value {shown(value)} is a text, and {what} takes whole numbers.")
        if value not in shape.enum:
            raise Refused(f"{what} has no value called {shown(value)}; it takes {', '.join(shape.enum)}.")
        value = shape.enum[value]
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(f"the value {shown(value)} is not a whole number, which {what} takes.")
    low, high = _limits(shape)
    if not low <= value <= high:
        bits = plural(shape.width, "signed bit" if shape.signed else "bit")
        raise Refused(
            f"the value {_number(value)} doesn't fit {what}, which has {bits} ({_number(low)} to {_number(high)}).",
            low=low,
            high=high,
        )
    return value & ((1 << shape.width) - 1)


def plural(count: int, noun: str) -> str:
    """``1 word``, ``2 words``."""
    return f"1 {noun}" if count == 1 else f"{_number(count)} {noun}s"


def hexadecimal(value: int) -> str:
    """``value`` in hexadecimal, the middle left out of one that nobody can read."""
    text = f"{value:#x}"
    return text if len(text) <= 40 else f"{text[:20]}…{text[-8:]}"


def shown(value: Any) -> str:
    """Whatever somebody sent, short enough for a sentence."""
    return reprlib.repr(value)


def _number(value: int) -> str:
    # A number that nobody can read in decimal is shown in hexadecimal.
    return str(value) if abs(value) < 1 << 32 else hexadecimal(value)
