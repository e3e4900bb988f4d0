"""What a cell's text defines, for completion: read, never run, and as far as it can be read while it is written."""

import ast
import re
from dataclasses import dataclass

from .cells import is_verilog

__all__ = ("Contents", "contents_of")

#: What declares signals of a component, and what makes them.
_PORTS, _MAKERS = {"In", "Out"}, {"Signal"}
_MODULE = re.compile(r"^\s*module\s+(\w+)", re.MULTILINE)
_DECLARED = re.compile(
    r"\b(?:input|output|inout|wire|reg|logic)\b(?:\s+(?:wire|reg|logic|signed)\b)*\s*(?:\[[^\]]*\]\s*)?([A-Za-z_]\w*)"
)
_PARAMETER = re.compile(r"\bparameter\s+(?:\w+\s+)?(?:\[[^\]]*\]\s*)?([A-Za-z_]\w*)\s*=")


@dataclass(frozen=True)
class Contents:
    """Names in a cell, each in the order of the text.

    Parameters
    ----------
    tops
        What ``--top`` may name: classes and module-level objects, or modules.
    signals
        What ``--probe`` may name: ports and signals.
    params
        What ``--param`` may give: module-level constants and arguments of constructors.
    """

    tops: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    params: tuple[str, ...] = ()


def contents_of(text: str) -> Contents:
    """The names in a cell's text, which is Python or Verilog."""
    if is_verilog(text):
        return Contents(*(tuple(dict.fromkeys(found.findall(text))) for found in (_MODULE, _DECLARED, _PARAMETER)))
    tree = _readable(text)
    return Contents(_tops(tree), _signals(tree), _params(tree))


def _readable(text: str) -> ast.Module:
    """The text up to the first line that Python can't read."""
    lines = text.split("\n")
    while lines:
        try:
            return ast.parse("\n".join(lines))
        except SyntaxError as error:
            lines = lines[: min(len(lines) - 1, (error.lineno or 1) - 1)]
        except ValueError:
            break  # a NUL
    return ast.parse("")


def _tops(tree: ast.Module) -> tuple[str, ...]:
    classes = [statement.name for statement in tree.body if isinstance(statement, ast.ClassDef)]
    objects = [
        name
        for statement in tree.body
        if isinstance(statement, ast.Assign) and _called(statement.value) in classes
        for name in _names(statement.targets)
    ]
    return (*classes, *objects)


def _signals(tree: ast.Module) -> tuple[str, ...]:
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and _called(node.annotation) in _PORTS:
            found += _names([node.target])
        elif isinstance(node, ast.Assign) and _called(node.value) in _MAKERS:
            found += _names(node.targets)
    return tuple(dict.fromkeys(found))


def _params(tree: ast.Module) -> tuple[str, ...]:
    found: list[str] = []
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            found += _names(statement.targets)
        elif isinstance(statement, ast.ClassDef):
            for function in statement.body:
                if isinstance(function, ast.FunctionDef) and function.name == "__init__":
                    arguments = [*function.args.posonlyargs, *function.args.args][1:] + function.args.kwonlyargs
                    found += [argument.arg for argument in arguments]
    return tuple(dict.fromkeys(found))


def _called(value: ast.expr) -> str:
    """``Signal`` of ``Signal(8)``, and of ``Signal.like(other)`` and ``amaranth.Signal(8)``."""
    while isinstance(value, ast.Call):
        value = value.func
    names: list[str] = []
    while isinstance(value, ast.Attribute):
        names.append(value.attr)
        value = value.value
    if isinstance(value, ast.Name):
        names.append(value.id)
    return next((name for name in names if name in _MAKERS), names[0] if names else "")


def _names(targets: list[ast.expr]) -> list[str]:
    """``count`` of ``count`` and of ``self.count``."""
    found = []
    for target in targets:
        if isinstance(target, ast.Name):
            found.append(target.id)
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
            found.append(target.attr)
    return found
