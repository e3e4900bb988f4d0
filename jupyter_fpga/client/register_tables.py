"""Registers as a table, with the values that they have now."""

from collections.abc import Sequence

from jupyter_fpga.gateware import manifest as layout
from jupyter_fpga.gateware.manifest import from_words

from . import ports
from .errors import LabError
from .loop import loop
from .ports import Port
from .tables import html_table, text_table
from .values import decode, field_value, show

__all__ = ("COLUMNS", "elements", "register_rows", "registers_table")

COLUMNS = ("register", "offset", "bits", "access", "value", "description")


def elements(info: layout.Register) -> list[layout.Register]:
    """The elements of an array as registers of their own; a register that isn't one alone."""
    if info.array is None:
        return [info]
    data = {**info.to_json(), "array": None}
    return [
        layout.Register.from_json(
            {**data, "name": f"{info.name}[{index}]", "offset": info.offset + index * info.array.stride}
        )
        for index in range(info.array.length)
    ]


def register_rows(info: layout.Register, bits: int | None) -> list[list[str]]:
    """The row of a register that reads ``bits`` (``None``: not read), and one for each field."""
    value = "–" if bits is None else show(info, decode(info, bits))
    rows = [[info.name, f"{info.offset:#x}", str(info.width), info.access, value, info.doc]]
    for part in info.fields:
        value = "–" if bits is None else show(part, field_value(part, bits))
        place = str(part.lsb) if part.width == 1 else f"{part.lsb + part.width - 1}…{part.lsb}"
        access = part.access if info.access == "rw" else info.access
        rows.append([f"  .{part.name}", "", place, access, value, part.doc])
    return rows


def registers_table(infos: Sequence[layout.Register], port: Port, *, html: bool = False) -> str:
    """All registers with the values that may be read; with the reason instead, when the board can't be asked."""
    every = [element for info in infos for element in elements(info)]
    safe = [info for info in every if info.access != "wo" and not info.side_effects]
    note = ""
    values: dict[str, int] = {}
    try:
        reads = [ports.read(info.offset, info.words) for info in safe]
        answers = loop.call(port.run, reads) if safe else []
        values = {info.name: from_words(words) for info, words in zip(safe, answers, strict=True)}
    except LabError as error:
        note = f"Values not read: {error}"
    rows = [row for info in every for row in register_rows(info, values.get(info.name))]
    if html:
        return html_table(COLUMNS, rows, note)
    return text_table(COLUMNS, rows) + (f"\n{note}" if note else "")
