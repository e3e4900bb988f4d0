"""Commands that use a board that one holds: ``read``, ``write``, ``run``, ``release``, ``reset``."""

import json
import sys
from pathlib import Path
from typing import Any

from traitlets import Bool

from jupyter_fpga.client import BoardHandle, Register, RegisterArray
from jupyter_fpga.client.arguments import board_number
from jupyter_fpga.client.errors import Invalid
from jupyter_fpga.client.register_tables import elements

from .base import ALIASES, FLAGS, LAB_ALIASES, LabCommand, flag, merged, number
from .settings import Read

__all__ = ("ReadApp", "ReleaseApp", "ResetApp", "RunApp", "WriteApp")


class _Using(LabCommand):
    """What all take."""

    aliases = merged({**ALIASES, **LAB_ALIASES, "board": "_Using.board"})

    board = Read(board_number, help="Which board; not needed while you hold only one.").tag(config=True)

    def handle(self) -> BoardHandle:
        """The board."""
        return self.lab().board(self.board)


class ReadApp(_Using):
    """Read a register by name (a field as NAME.FIELD), or COUNT words at a byte offset; all without either."""

    name = "jupyter-fpga read"
    description = __doc__
    positionals = ("[NAME|OFFSET]", "[COUNT]")

    def run(self, words: list[str]) -> None:
        board = self.handle()
        if not words:
            self.show(_values(board), board.regs)
        elif words[0][0].isdigit():
            count = number(words[1], "COUNT") if len(words) > 1 else 1
            data = board.read(number(words[0], "OFFSET"), count)
            self.show(data, " ".join(f"{word:#010x}" for word in data))
        else:
            name, _, part = words[0].partition(".")
            entry = _entry(board, name)
            value: Any = entry[part] if part else entry.read()
            self.show(value)


class WriteApp(_Using):
    """Write a register by name (NAME VALUE or NAME=VALUE; a field as NAME.FIELD), or words from a byte offset on.

    A value is a number, decimal or with 0x, or the name of one of the register's enum.
    """

    name = "jupyter-fpga write"
    description = __doc__
    positionals = ("NAME|OFFSET[=VALUE]", "[VALUE…]")
    needs = "the name of a register or a byte offset, and a value"

    def run(self, words: list[str]) -> None:
        first, equals, value = words[0].partition("=")
        values = [value, *words[1:]] if equals else words[1:]
        if not values:
            raise self.misused(f"needs a value for “{first}”", f"Write `{self.called} {first}=VALUE`.")
        board = self.handle()
        if first[0].isdigit():
            board.write(number(first, "OFFSET"), [number(text, "A word") for text in values])
            return
        name, _, part = first.partition(".")
        entry = _entry(board, name)
        given = [_value(text) for text in values]
        if isinstance(entry, RegisterArray):
            entry.write(given)
        elif len(given) != 1:
            raise Invalid(f"Register “{name}” takes one value; got {len(given)}.", code="usage")
        elif part:
            entry[part] = given[0]
        else:
            entry.write(given[0])


def _entry(board: BoardHandle, name: str) -> Any:
    """The register, the array, or the element that ``name`` means."""
    array, bracket, rest = name.partition("[")
    entry = board.regs[array]
    if not bracket:
        return entry
    index = number(rest.rstrip("]"), "An index")
    if not isinstance(entry, RegisterArray):
        raise Invalid(f"Register “{array}” is not an array.", code="usage")
    return entry[index]


def _value(text: str) -> Any:
    try:
        return int(text, 0)
    except ValueError:
        return text


def _values(board: BoardHandle) -> dict[str, int]:
    readable = [
        element
        for register in board.manifest.registers
        for element in elements(register)
        if register.access != "wo" and not register.side_effects
    ]
    return {info.name: int(Register(board, info).read()) for info in readable}


class RunApp(_Using):
    """Do the transactions in a JSON file (- for stdin) as one durable job, and print the words read.

    The file has one transaction, a list of them, or {"transactions": […]}: {"op": "write", "register": "duty", "data":
    [40]}, {"op": "read", "address": 0, "count": 4} …
    """

    name = "jupyter-fpga run"
    description = __doc__
    positionals = ("FILE",)
    needs = "FILE, transactions in JSON, or - for stdin"
    instead = "Put all transactions into one file."

    def run(self, words: list[str]) -> None:
        lab = self.lab()
        transactions = _transactions(words[0])
        number_of_board = self.board if self.board is not None else lab.board().fpga_id
        job = lab.run(number_of_board, transactions).wait()
        result = job.result()
        self.show(result, " ".join(f"{word:#010x}" for word in result["data"]))


def _transactions(name: str) -> list[dict[str, Any]]:
    try:
        data = json.loads(sys.stdin.read() if name == "-" else Path(name).read_bytes())
    except OSError as error:
        raise Invalid(f"The file “{name}” can't be read: {error.strerror}.", code="usage") from None
    except ValueError as error:
        raise Invalid(f"The file “{name}” is not JSON: {error}.", code="usage") from None
    if isinstance(data, dict):
        data = data.get("transactions", [data])
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data) or not data:
        raise Invalid(f"The file “{name}” has no transactions; see `jupyter fpga run --help`.", code="usage")
    return data


class ReleaseApp(_Using):
    """Give a board back; it is reset."""

    name = "jupyter-fpga release"
    description = __doc__
    flags = merged({**FLAGS, **flag("wait", "ReleaseApp.wait", "Wait until it is reset.")})

    wait = Bool(False, help="Wait until it is reset.").tag(config=True)

    def run(self, words: list[str]) -> None:
        job = self.handle().release()
        if self.wait:
            job.wait()
        self.show(job.record, f"Board {job.fpga_id} is given back.")


class ResetApp(_Using):
    """Reset a board that you hold, or one in error; waits until it is proven and free."""

    name = "jupyter-fpga reset"
    description = __doc__

    def run(self, words: list[str]) -> None:
        lab = self.lab()
        chosen = self.board if self.board is not None else lab.board().fpga_id
        job = lab.reset(chosen).wait()
        self.show(job.record, f"Board {chosen} is reset and free.")
