"""Finds the design's top in what the person's module defines."""

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.manifest import Form

from ._program import MODULE, Program

__all__ = ("WISHBONE_SIGNALS", "Top", "definition_line", "find_top")

#: The signals of form 2, and whether the design reads ("i") or drives ("o") each.
WISHBONE_SIGNALS = {
    "wb_cyc": "i",
    "wb_stb": "i",
    "wb_we": "i",
    "wb_adr": "i",
    "wb_dat_w": "i",
    "wb_sel": "i",
    "wb_dat_r": "o",
    "wb_ack": "o",
}

FORMS = "a wiring.Component, an Elaboratable with the wb_* signals, a LiteXModule (or Module with AutoCSR), or a LabSoC"


@dataclass
class Top:
    """The design's top, made or still to be made.

    Parameters
    ----------
    name
        What the person called it.
    made
        The object, or the class that it is made from.
    line
        Line of its definition in the entry file.
    """

    form: Form
    name: str
    made: Any
    line: int | None

    @property
    def is_class(self) -> bool:
        return isinstance(self.made, type)


def find_top(program: Program, top: str | None, make: Callable[[type], Any]) -> Top:
    """The top in the order of the design contract: by ``top``; called ``top`` or ``Top``; the only one that fits.

    Parameters
    ----------
    make
        Makes an object of a class; asked where only an object can tell whether it fits (form 2).

    Raises
    ------
    DesignError
        ``top_not_found``, ``top_unfit``, ``no_top`` or ``several_tops``.
    """
    names = program.module.__dict__
    if top:
        if not program.has(top):
            raise DesignError(
                f"The design has nothing called {top!r} that could be its top; {_offer(program, make)}",
                code="top_not_found",
            )
        return _fit(program, top, make)
    for name in ("top", "Top"):
        if name in names and (isinstance(names[name], type) or _form(names[name]) or _is_hardware(names[name])):
            return _fit(program, name, make)
    found = _candidates(program, make)
    if len(found) == 1:
        return found[0]
    if not found:
        raise DesignError(f"The design has no top; {_offer(program, make)}", code="no_top")
    listed = ", ".join(f"{candidate.name} (line {candidate.line})" for candidate in found)
    raise DesignError(
        f"The design has several possible tops: {listed}; call one of them Top, "
        f"or say which with --top {found[0].name}.",
        code="several_tops",
        file=program.source.entry,
        line=found[-1].line,
        text=program.source.line_text(program.source.entry, found[-1].line),
    )


def _candidates(program: Program, make: Callable[[type], Any]) -> list[Top]:
    """Everything in the entry file that fits a form. An object stands for its class."""
    objects = [top for top in _defined(program) if not top.is_class]
    classes = [top for top in _defined(program) if top.is_class and not any(type(o.made) is top.made for o in objects)]
    unsure = [top for top in classes if top.form == "wishbone"]
    if len(unsure) > 1:
        classes = [top for top in classes if top not in unsure or _has_wishbone(top.made, make)]
    found = objects + classes
    return sorted(found, key=lambda top: top.line or 0)


def _defined(program: Program) -> Iterator[Top]:
    seen: list[Any] = []
    for name, value in program.module.__dict__.items():
        if name.startswith("_") or any(value is other for other in seen):
            continue
        if isinstance(value, type) and value.__module__ != MODULE:
            continue
        form = _form(value)
        if form:
            seen.append(value)
            yield Top(form, name, value, definition_line(program, name))


def _has_wishbone(cls: type, make: Callable[[type], Any]) -> bool:
    try:
        made = make(cls)
    except DesignError:
        return False
    return all(hasattr(made, name) for name in WISHBONE_SIGNALS)


def _fit(program: Program, name: str, make: Callable[[type], Any]) -> Top:
    value = program.module.__dict__[name]
    form = _form(value)
    line = definition_line(program, name)
    if form is None:
        raise DesignError(
            f"{name} is {_description(value)}; a top must be {FORMS}.",
            code="top_unfit",
            file=program.source.entry if line else None,
            line=line,
            text=program.source.line_text(program.source.entry, line),
        )
    return Top(form, name, value, line)


def _form(value: Any) -> Form | None:
    """The form that a class or object has, as far as it can be told without making it."""
    cls = value if isinstance(value, type) else type(value)
    component = _library("amaranth.lib.wiring", "Component")
    elaboratable = _library("amaranth.hdl", "Elaboratable")
    lab_soc = _library("jupyter_fpga.gateware.labsoc", "LabSoC")
    module = _library("migen.fhdl.module", "Module")
    if component and issubclass(cls, component):
        return "amaranth_component" if cls is not component else None
    if elaboratable and issubclass(cls, elaboratable):
        if isinstance(value, type):
            return "wishbone" if cls.__module__ == MODULE or not cls.__module__.startswith("amaranth") else None
        return "wishbone" if any(hasattr(value, name) for name in WISHBONE_SIGNALS) else None
    if lab_soc and issubclass(cls, lab_soc):
        return "litex_soc"
    if module and issubclass(cls, module) and hasattr(cls, "get_csrs") and not cls.__module__.startswith("litex"):
        return "litex_module"
    return None


def _is_hardware(value: Any) -> bool:
    cls = type(value)
    bases = [_library("amaranth.hdl", "Elaboratable"), _library("migen.fhdl.module", "Module")]
    return any(base is not None and issubclass(cls, base) for base in bases)


def _library(module: str, name: str) -> Any:
    """A class of a library, if the person's design has imported that library; nothing is imported here."""
    return getattr(sys.modules.get(module), name, None)


def definition_line(program: Program, name: str) -> int | None:
    """The line of the entry file in which a name is defined at the outermost level."""
    for statement in program.tree.body:
        if isinstance(statement, ast.ClassDef) and statement.name == name:
            return statement.lineno
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                return statement.lineno
    return None


def _offer(program: Program, make: Callable[[type], Any]) -> str:
    found = [f"{top.name} (line {top.line})" for top in _candidates(program, make)]
    if found:
        return f"it has {', '.join(found)}."
    unfit = [
        f"{name} is {_description(value)}"
        for name, value in program.module.__dict__.items()
        if isinstance(value, type) and value.__module__ == MODULE
    ]
    seen = f" ({'; '.join(unfit)})" if unfit else ""
    return f"it defines nothing that fits{seen}. A top must be {FORMS}."


def _description(value: Any) -> str:
    if not isinstance(value, type):
        if _is_hardware(value):
            return f"an object of class {type(value).__name__}, which has neither a signature, CSRs nor wb_* signals"
        return f"an object of type {type(value).__name__}"
    module = _library("migen.fhdl.module", "Module")
    if module and issubclass(value, module):
        return "a Migen Module without CSRs"
    return "a class of another kind"
