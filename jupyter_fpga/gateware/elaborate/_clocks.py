"""Mistakes with clock domains, said the same way for Amaranth and LiteX."""

import ast

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.targets import Target

from ._program import Program

__all__ = ("derived_clock", "no_clock", "own_main_domain", "undeclared_domain")


def undeclared_domain(name: str, program: Program, target: Target, main: str) -> DesignError:
    """The error for a domain that is used and declared nowhere: it would silently become a port.

    Parameters
    ----------
    main
        Name of the domain that the lab gives.
    """
    return _at(
        f"The clock domain {name} is used but declared nowhere; use {main}, the one that the target {target.name} has.",
        "undeclared_domain",
        name,
        program,
    )


def no_clock(name: str, program: Program, target: Target, clock_hz: int, main: str) -> DesignError:
    """The error for a domain that is declared, but whose clock nothing drives."""
    return _at(
        f"The clock domain {name} has no clock: nothing drives it, and the target {target.name} makes one clock only, "
        f"{main} at {clock_hz / 1e6:g} MHz; use {main} with an enable.",
        "no_clock",
        name,
        program,
    )


def derived_clock(name: str, program: Program, target: Target, main: str) -> DesignError:
    """The error for a domain whose clock the design makes itself, on a target that can't follow such a clock.

    A simulated board is compiled by CXXRTL, which never sees the edges of a clock that isn't an input of the netlist
    (https://github.com/YosysHQ/yosys/issues/3549): such a domain would silently stand still.
    """
    return _at(
        f"The clock domain {name} is clocked by a signal that the design makes itself, and the target {target.name} "
        f"knows one clock only; use {main} with an enable.",
        "derived_clock",
        name,
        program,
    )


def own_main_domain(name: str, program: Program) -> DesignError:
    """The error for a design that declares the very domain that it gets from the lab."""
    return _at(
        f"The design declares the clock domain {name} itself, and the lab already drives that one; "
        "leave the declaration out, or give the domain another name.",
        "clock_domain",
        name,
        program,
    )


def _at(message: str, code: str, name: str, program: Program) -> DesignError:
    line = _domain_line(program.tree, name)
    file = program.source.entry
    return DesignError(
        message,
        code=code,
        file=file if line else None,
        line=line,
        text=program.source.line_text(file, line),
    )


def _domain_line(tree: ast.Module, name: str) -> int | None:
    """The first line that mentions a domain: ``m.d.name``, ``self.sync.name``, ``cd_name``, or its name as a string."""
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else ""
            if (node.attr == name and owner in ("d", "domains", "sync")) or node.attr == f"cd_{name}":
                lines.append(node.end_lineno or node.lineno)
        elif isinstance(node, ast.Constant) and node.value == name:
            lines.append(node.lineno)
    return min(lines, default=None)
