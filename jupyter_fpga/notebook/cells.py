"""A cell's text as the file that is submitted, and places in that file as lines of the cell.

The magic's own line becomes an empty one (or imports what ``--lib`` cells define), so that line numbers are those that
the notebook shows beside the cell.
"""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from jupyter_fpga.client import bundle

__all__ = ("Library", "Place", "Source", "as_library", "as_source", "locate", "replace_library")

_PRELUDE = (
    "from amaranth import *; import amaranth; from amaranth.lib import data, enum, memory, stream, wiring; "
    "from amaranth.lib.wiring import In, Out"
)
_MODULE = "cell_lib_{}"
_VERILOG = re.compile(r"^\s*(?:\(\*.*\*\)\s*)?(?:module|`timescale|`default_nettype|`define|`include)\b")


@dataclass(frozen=True)
class Source:
    """What is submitted: a file name and bytes."""

    filename: str
    content: bytes


@dataclass(frozen=True)
class Library:
    """A ``--lib`` cell.

    Parameters
    ----------
    text
        The cell without the magic's line.
    names
        What it defines: a cell that is run again replaces itself.
    """

    text: str
    names: frozenset[str]

    @property
    def is_verilog(self) -> bool:
        return is_verilog(self.text)


@dataclass(frozen=True)
class Place:
    """A line of a cell.

    Parameters
    ----------
    number
        As shown beside the cell, whose first line is the magic's.
    text
        The line.
    cell
        Which cell it is in, when it isn't the one that was run.
    """

    number: int
    text: str
    cell: str | None = None


def is_verilog(text: str) -> bool:
    """Whether a cell is Verilog: its first line that isn't a comment begins as no Python does."""
    plain = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)
    return bool(_VERILOG.match(plain)) and "endmodule" in plain


def as_library(text: str) -> Library:
    """A ``--lib`` cell.

    Raises
    ------
    SyntaxError
        It isn't Python; ``lineno`` counts from the magic's line.
    """
    if is_verilog(text):
        return Library(text, frozenset(re.findall(r"^\s*module\s+(\w+)", text, re.MULTILINE)))
    tree = ast.parse("\n" + text)
    names: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, ast.ClassDef | ast.FunctionDef):
            names.add(statement.name)
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names |= {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
    return Library(text, frozenset(names))


def replace_library(libraries: Sequence[Library], new: Library) -> list[Library]:
    """The libraries with ``new`` at the end, without those that define nothing that ``new`` doesn't."""
    return [library for library in libraries if not library.names <= new.names] + [new]


def as_source(text: str, libraries: Sequence[Library] = ()) -> Source:
    """The file to submit for a cell: one file, or a bundle when there are ``--lib`` cells."""
    verilog = is_verilog(text)
    python = [library.text for library in libraries if not library.is_verilog and not verilog]
    modules = [library.text for library in libraries if library.is_verilog]
    entry = "design.v" if verilog else "design.py"
    content = "\n" + text
    if not python and not modules:
        return Source(entry, content.encode())
    files = {f"cell_lib_{number}.v": ("\n" + lib).encode() for number, lib in enumerate(modules, 1)}
    for number, lib in enumerate(python, 1):
        first = "" if re.search(r"^\s*(?:import|from)\s+(?:litex|migen)\b", lib, re.MULTILINE) else _PRELUDE
        files[_MODULE.format(number) + ".py"] = _with_import(first, lib, number - 1).encode()
    files[entry] = (_with_import("", text, len(python)) if python else content).encode()
    return Source("design.zip", bundle(files, entry))


def _with_import(first: str, text: str, number: int) -> str:
    """``text`` below the line ``first``, with an import of library ``number`` that moves no line."""
    statement = f"from {_MODULE.format(number)} import *" if number else ""
    future = _end_of_future_imports(text) if statement or first else None
    if future is None:
        return "; ".join(part for part in (first, statement) if part) + "\n" + text
    line, column = future
    lines = text.split("\n")
    put = "".join(f"; {part}" for part in (first, statement) if part)
    raw = lines[line - 1].encode()
    lines[line - 1] = (raw[:column] + put.encode() + raw[column:]).decode()
    return "\n" + "\n".join(lines)


def _end_of_future_imports(text: str) -> tuple[int, int] | None:
    """Where the last ``from __future__`` ends, which nothing else may come before."""
    try:
        body = ast.parse(text).body
    except SyntaxError:
        return None
    ends = [
        (statement.end_lineno, statement.end_col_offset)
        for statement in body
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
    ]
    return ends[-1] if ends else None  # type: ignore[return-value]  # ast.parse gives both


def locate(file: str | None, line: int | None, text: str, libraries: Sequence[Library] = ()) -> Place | None:
    """The line of a cell that an error of the build names; ``None`` when it names none."""
    if line is None or file is None:
        return None
    match = re.fullmatch(r"cell_lib_(\d+)\.(py|v)", file)
    cell = None
    if match:
        chosen = [library for library in libraries if library.is_verilog == (match[2] == "v")]
        library = chosen[int(match[1]) - 1]
        text, cell = library.text, f"the --lib cell of {', '.join(sorted(library.names))}"
    lines = ["", *text.split("\n")]
    if not 1 < line <= len(lines):
        return None
    return Place(line, lines[line - 1], cell)
