"""Cuts the one long function that evaluates a large design into pieces, which are compiled side by side.

A compiler's time grows faster than the length of a function, and one function is one processor's work. What was local
to the function becomes members of its struct; what is used near where it is declared stays in one piece.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ("LONG", "Split", "split_eval")

#: Characters of a function from which on cutting pays: a second of compilation.
LONG = 40_000

#: Characters of a piece: with less, loading and storing what used to be local costs more than it saves.
_PIECE = 10_000

_LOCAL = re.compile(r"\tvalue<\d+> (\w+);$")
_EDGE = re.compile(r"\tbool ((?:posedge|negedge)_\w+) = .*;$")
_BLOCK = re.compile(r"\tif \((?:posedge|negedge)_\w+\) \{$")
_TEMPORARY = re.compile(r"^\t+(?:auto |value<\d+> |const value<\d+> &)(\w+) = ", re.MULTILINE)


class _UnknownFormError(Exception):
    """A statement that isn't known to end where it should: the function stays whole."""


@dataclass(frozen=True)
class Split:
    """A function in pieces.

    Parameters
    ----------
    members
        Declarations for the struct.
    whole
        The function that calls the pieces in their order.
    pieces
        Definitions of the pieces, each to be put wherever it is compiled.
    """

    members: str
    whole: str
    pieces: list[str]


def split_eval(function: str, type_name: str, members: set[str]) -> Split | None:
    """Cut ``eval`` into pieces, if it is long and of the form that flat designs have.

    Parameters
    ----------
    function
        Its definition, without comments.
    members
        Names that the struct has already. A wire that a trace asks for is one; it holds the same in both.
    """
    if len(function) < LONG:
        return None
    head, *body, tail, end = function.rstrip("\n").split("\n")
    if body[:1] != ["\tbool converged = true;"] or (tail, end) != ("\treturn converged;", "}"):
        return None
    edges: list[str] = []
    declared: list[str] = []
    rest = []
    for line in body[1:]:
        if edge := _EDGE.match(line):
            edges.append(edge[1])
        elif local := _LOCAL.match(line):
            declared += [] if local[1] in members else [line]
        else:
            rest.append(line)
    parameters = ", ".join(f"bool {edge}" for edge in edges)
    try:
        texts = list(_pieces(_together(list(_statements(rest)))))
    except _UnknownFormError:
        return None
    pieces = [f"void {type_name}::eval_{number}({parameters}) {{\n{text}\n}}\n" for number, text in enumerate(texts)]
    calls = "".join(f"\teval_{number}({', '.join(edges)});\n" for number in range(len(pieces)))
    fetch = "".join(f"\tbool {edge} = this->{edge}();\n" for edge in edges)
    return Split(
        members="\n".join([*declared, *(f"\tvoid eval_{number}({parameters});" for number in range(len(pieces)))]),
        whole=f"{head}\n{fetch}{calls}\treturn true;\n}}\n",
        pieces=pieces,
    )


def _statements(lines: list[str]) -> Iterator[str]:
    """The statements of a body; a long block for a clock edge as several blocks."""
    statement: list[str] = []
    for line in lines:
        statement.append(line)
        opens_only = len(statement) == 1 and line.endswith("{")
        if line == "\t}" or (len(statement) == 1 and not opens_only):
            yield from _blocks(statement)
            statement = []
    if statement:
        raise _UnknownFormError


def _blocks(statement: list[str]) -> Iterator[str]:
    if not _BLOCK.match(statement[0]):
        yield "\n".join(statement)
        return
    inner: list[str] = []
    current: list[str] = []
    for line in statement[1:-1]:
        current.append(line)
        if line == "\t\t}" or (len(current) == 1 and not line.endswith("{")):
            inner.append("\n".join(current))
            current = []
    if current:
        raise _UnknownFormError
    for text in _pieces(_together(inner)):
        yield f"{statement[0]}\n{text}\n\t}}"


def _together(statements: list[str]) -> list[str]:
    """Statements, joined where one declares what later ones use."""
    last_use: dict[str, int] = {}
    for index, statement in enumerate(statements):
        for name in _TEMPORARY.findall(statement):
            last_use.setdefault(name, index)
    if not last_use:
        return statements
    names = re.compile(r"\b(?:" + "|".join(map(re.escape, last_use)) + r")\b")
    for index, statement in enumerate(statements):
        for name in names.findall(statement):
            last_use[name] = index
    joined: list[str] = []
    until = -1
    for index, statement in enumerate(statements):
        if index <= until:
            joined[-1] += "\n" + statement
        else:
            joined.append(statement)
        until = max([until, *(last_use[name] for name in _TEMPORARY.findall(statement))])
    return joined


def _pieces(statements: list[str]) -> Iterator[str]:
    """Statements gathered to texts of about a piece's length."""
    gathered: list[str] = []
    length = 0
    for statement in statements:
        gathered.append(statement)
        length += len(statement)
        if length >= _PIECE:
            yield "\n".join(gathered)
            gathered, length = [], 0
    if gathered:
        yield "\n".join(gathered)
