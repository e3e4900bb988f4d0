"""Runs a person's Python: their text as a module of its own, with the lab's names in it and their values put in."""

import ast
import importlib
import linecache
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from jupyter_fpga.gateware.errors import DesignError

from ._blame import person_errors
from ._source import Source

__all__ = ("MODULE", "Program", "execute")

#: Name of the module that a person's entry file becomes.
MODULE = "design"

#: Libraries whose names a cell would not want mixed with Amaranth's.
_MIGEN = {"litex", "migen"}


@dataclass
class Program:
    """The person's module after it has run.

    Parameters
    ----------
    constants
        Module-level names that are assigned in the text and may be given values (``params``).
    given
        Those that were.
    injected
        What the module had before it ran.
    """

    source: Source
    tree: ast.Module
    module: ModuleType
    constants: list[str] = field(default_factory=list)
    given: set[str] = field(default_factory=set)
    injected: dict[str, Any] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether the person's text has made something called ``name``."""
        names = self.module.__dict__
        return name in names and not (name in self.injected and self.injected[name] is names[name])


def execute(source: Source, params: dict[str, Any], edit: Callable[[ast.Module], None] = lambda tree: None) -> Program:
    """Run the entry file with its folder as the current one and as the first place for imports.

    Parameters
    ----------
    edit
        Changes what is run, after the parameters have been put in.

    Raises
    ------
    DesignError
        ``syntax_error``, ``elaboration_failed`` and the rest of what :func:`._blame.person_errors` tells.
    """
    text = source.text()
    os.chdir(source.directory)
    folders = dict.fromkeys(str(folder.resolve()) for folder in (source.path.parent, source.directory))
    sys.path[:0] = folders
    with person_errors(source):
        tree = ast.parse(text, source.fixed_name)
        constants, given = _set_constants(tree, params)
        edit(tree)
        code = compile(tree, source.fixed_name, "exec")
    # So that tracebacks and `inspect.getsource` find the text under the name that it is compiled with.
    linecache.cache[source.fixed_name] = (len(text), None, text.splitlines(keepends=True), source.fixed_name)
    module = ModuleType(MODULE)
    module.__file__ = str(source.path.resolve())
    injected = _names(tree)
    module.__dict__.update(injected)
    sys.modules[MODULE] = module
    # Other files of the bundle may import the entry, by the name that the person gave it.
    sys.modules.setdefault(source.path.stem, module)
    with person_errors(source):
        exec(code, module.__dict__)
    return Program(source, tree, module, constants, given, injected)


def _set_constants(tree: ast.Module, params: dict[str, Any]) -> tuple[list[str], set[str]]:
    """Replace the values of module-level assignments to names in ``params``."""
    constants: list[str] = []
    given: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            target = statement.target
        else:
            continue
        if not isinstance(target, ast.Name) or target.id.startswith("_"):
            continue
        assert statement.value is not None
        if target.id in params:
            value = _literal(target.id, params[target.id], statement.value)
            statement.value = ast.copy_location(value, statement.value)
            ast.fix_missing_locations(statement)
            given.add(target.id)
        elif not isinstance(statement.value, ast.Constant):
            continue
        if target.id not in constants:
            constants.append(target.id)
    return constants, given


def _literal(name: str, value: Any, instead_of: ast.expr) -> ast.expr:
    default = instead_of.value if isinstance(instead_of, ast.Constant) else None
    return ast.parse(repr(like_default(name, value, default)), mode="eval").body


def like_default(name: str, value: Any, default: Any) -> Any:
    """A value given as text, read as the kind of value that it replaces; any other value as it is.

    Raises
    ------
    DesignError
        ``bad_param``: the text is no such value.
    """
    if not isinstance(value, str) or not isinstance(default, bool | int | float):
        return value
    try:
        if isinstance(default, bool):
            return {"true": True, "1": True, "false": False, "0": False}[value.lower()]
        return int(value, 0) if isinstance(default, int) else float(value)
    except (KeyError, ValueError):
        kind = {bool: "true or false", int: "a whole number", float: "a number"}[type(default)]
        raise DesignError(
            f"The parameter {name} is {kind} in the design (it is {default!r} there), and {value!r} isn't.",
            code="bad_param",
        ) from None


def _names(tree: ast.Module) -> dict[str, Any]:
    """What is there without imports: all of Amaranth, for a text that isn't about Migen."""
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.split(".")[0])
            if node.module.startswith("jupyter_fpga"):
                imported.add("litex")
    if imported & _MIGEN and "amaranth" not in imported:
        return {}
    amaranth = importlib.import_module("amaranth")
    names = {name: getattr(amaranth, name) for name in amaranth.__all__}
    names["amaranth"] = amaranth
    for library in ("data", "enum", "memory", "stream", "wiring"):
        names[library] = importlib.import_module(f"amaranth.lib.{library}")
    names["In"], names["Out"] = names["wiring"].In, names["wiring"].Out
    return names
