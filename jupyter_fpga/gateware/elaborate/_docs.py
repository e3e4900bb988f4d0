"""Documentation of ports, taken from where people write it: beside the annotation or assignment, and below it."""

import ast
import io
import tokenize
from dataclasses import dataclass

__all__ = ("Mention", "mentions", "verilog_comment")


@dataclass(frozen=True)
class Mention:
    """Where a name is declared in a class, and what is written about it there."""

    line: int
    doc: str


def mentions(text: str, tree: ast.Module, class_name: str) -> dict[str, Mention]:
    """Declarations of names in the class: annotations, ``self.x = …``, and keys of dicts in its ``__init__``.

    A string below an annotation is its documentation; so are a comment at the end of its lines, and the comments on
    the lines just above it.
    """
    classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    comments = _comments(text)
    found: dict[str, Mention] = {}
    for node in _lineage(classes, class_name):
        for name, statement, below in _declared(node):
            if name not in found:
                doc = below or _beside(comments, statement) or _above(comments, statement)
                found[name] = Mention(statement.lineno, doc)
    return found


def _lineage(classes: dict[str, ast.ClassDef], name: str) -> list[ast.ClassDef]:
    """The class and its bases in the same text, nearest first."""
    found: list[ast.ClassDef] = []
    waiting = [name]
    while waiting:
        node = classes.get(waiting.pop(0))
        if node is not None and node not in found:
            found.append(node)
            waiting += [base.id for base in node.bases if isinstance(base, ast.Name)]
    return found


def _declared(node: ast.ClassDef) -> list[tuple[str, ast.stmt | ast.expr, str]]:
    found: list[tuple[str, ast.stmt | ast.expr, str]] = []
    for index, statement in enumerate(node.body):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            found.append((statement.target.id, statement, _string_below(node.body, index)))
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            found += _declared_in_init(method)
    return found


def _declared_in_init(method: ast.FunctionDef) -> list[tuple[str, ast.stmt | ast.expr, str]]:
    found: list[tuple[str, ast.stmt | ast.expr, str]] = []
    for node in ast.walk(method):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Attribute):
                    found.append((target.attr, node, ""))
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    # The lines of the item, as one place.
                    place = ast.Expr(value, lineno=key.lineno, end_lineno=value.end_lineno, col_offset=0)
                    found.append((key.value, place, ""))
    return found


def _string_below(body: list[ast.stmt], index: int) -> str:
    if index + 1 < len(body):
        below = body[index + 1]
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            return _joined(below.value.value)
    return ""


def _comments(text: str) -> dict[int, tuple[str, bool]]:
    """Comments by line, and whether each has the line to itself."""
    found: dict[int, tuple[str, bool]] = {}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            alone = not token.line[: token.start[1]].strip()
            found[token.start[0]] = (token.string.lstrip("#:! ").strip(), alone)
    return found


def _beside(comments: dict[int, tuple[str, bool]], node: ast.stmt | ast.expr) -> str:
    lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
    return _joined(" ".join(comments[line][0] for line in lines if line in comments))


def _above(comments: dict[int, tuple[str, bool]], node: ast.stmt | ast.expr) -> str:
    line = node.lineno - 1
    found: list[str] = []
    while line in comments and comments[line][1]:
        found.insert(0, comments[line][0])
        line -= 1
    return _joined(" ".join(found))


def verilog_comment(line: str) -> str:
    """The ``// comment`` at the end of a line of Verilog."""
    return _joined(line.partition("//")[2].lstrip("/!<"))


def _joined(text: str) -> str:
    return " ".join(text.split())
