"""Values as people write them, bits as the bus carries them."""

import enum
import operator
from collections.abc import Mapping
from typing import Any

from jupyter_fpga.gateware.manifest import WORD_BITS, Field, Register, Shape

from .errors import Invalid

__all__ = ("EnumValue", "decode", "encode", "encode_fields", "field_value", "find_field", "show")


class EnumValue(int):
    """A number that has a name: equal to the number, to the name, and to the design's own enum member."""

    name: str

    def __new__(cls, name: str, value: int) -> "EnumValue":
        self = super().__new__(cls, value)
        self.name = name
        return self

    def __repr__(self) -> str:
        return f"<{self.name}: {int(self)}>"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return self.name == other
        if isinstance(other, enum.Enum):
            return bool(int(self) == other.value)
        return int(self) == other

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(int(self))


def decode(shape: Shape, bits: int) -> int:
    """The value that ``bits`` mean: signed where the shape is, with its name where it has one."""
    value = bits - (1 << shape.width) if shape.signed and bits >> (shape.width - 1) else bits
    for name, known in (shape.enum or {}).items():
        if known == value:
            return EnumValue(name, value)
    return value


def encode(shape: Shape, value: Any, what: str) -> int:
    """The bits of ``value``.

    Parameters
    ----------
    value
        A whole number, a member of an enum, or for a shape with an enum the name of one.
    what
        How a message calls the thing that is written, such as ``Register “duty”``.

    Raises
    ------
    Invalid
        ``no_such_value``, ``not_a_number`` or ``value_too_wide``.
    """
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, str) and shape.enum is not None:
        if value not in shape.enum:
            raise Invalid(
                f"{what} has no value called “{value}”; it takes {', '.join(shape.enum)}.",
                code="no_such_value",
                detail={"values": shape.enum},
            )
        value = shape.enum[value]
    try:
        number = operator.index(value)
    except TypeError:
        names = f", or one of the names {', '.join(shape.enum)}" if shape.enum else ""
        raise Invalid(
            f"{what} takes a whole number{names}; got {value!r} ({type(value).__name__}).", code="not_a_number"
        ) from None
    low, high = (
        (-(1 << (shape.width - 1)), (1 << (shape.width - 1)) - 1) if shape.signed else (0, (1 << shape.width) - 1)
    )
    if not low <= number <= high:
        bits = "1 bit" if shape.width == 1 else f"{shape.width} bits"
        sign = ", signed" if shape.signed else ""
        raise Invalid(
            f"{what} takes {low} to {high} ({bits}{sign}); got {number}.",
            code="value_too_wide",
            detail={"low": low, "high": high, "width": shape.width},
        )
    return number & ((1 << shape.width) - 1)


def encode_fields(register: Register, values: Mapping[str, Any], before: int, what: str) -> int:
    """The bits of ``register`` after the fields in ``values`` are put into the bits ``before``."""
    bits = before
    for name, value in values.items():
        part = find_field(register, name, what)
        mask = ((1 << part.width) - 1) << part.lsb
        bits = bits & ~mask | encode(part, value, f"Field “{name}” of {what[0].lower()}{what[1:]}") << part.lsb
    return bits


def find_field(register: Register, name: str, what: str) -> Field:
    """The field called ``name``."""
    for part in register.fields:
        if part.name == name:
            return part
    known = ", ".join(part.name for part in register.fields)
    raise Invalid(
        f"{what} has no field “{name}”" + (f"; it has {known}." if known else ": it has no fields at all."),
        code="no_such_field",
        detail={"fields": [part.name for part in register.fields]},
    )


def field_value(part: Field, bits: int) -> int:
    """The value of one field of a register that reads ``bits``."""
    return decode(part, bits >> part.lsb & ((1 << part.width) - 1))


def show(shape: Shape, value: int) -> str:
    """A value for a table: its name, or decimal and hexadecimal."""
    if isinstance(value, EnumValue):
        return f"{value.name} ({int(value)})"
    if shape.width > WORD_BITS and not shape.signed:
        return f"{value:#x}"
    if value < 0 or value < 10:
        return str(value)
    return f"{value} ({value:#x})"
