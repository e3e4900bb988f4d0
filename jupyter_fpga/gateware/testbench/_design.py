"""Finds what is to be simulated in what the person's module defines."""

from typing import Any

from amaranth.hdl import Elaboratable

from jupyter_fpga.gateware.elaborate._blame import person_errors
from jupyter_fpga.gateware.elaborate._find import definition_line
from jupyter_fpga.gateware.elaborate._params import check_known, constructor_arguments
from jupyter_fpga.gateware.elaborate._program import MODULE, Program
from jupyter_fpga.gateware.elaborate._request import Request
from jupyter_fpga.gateware.errors import DesignError

__all__ = ("DUT", "find_design")

#: What testbenches call the design under test.
DUT = "dut"


def find_design(program: Program, request: Request) -> tuple[str, Any]:
    """The design's name and an object of it: the one called ``--top``, ``dut`` or ``top``, the class ``Top``, or the
    only one that there is.

    An object that the person made stands for its class: testbenches know it.

    Raises
    ------
    DesignError
        ``top_not_found``, ``top_unfit``, ``no_top``, ``several_tops``, or what making it raises.
    """
    name, found = _chosen(program, request.top)
    if not isinstance(found, type):
        check_known(program, request.params, [])
        return name, found
    with person_errors(program.source):
        return name, found(**constructor_arguments(program, found, request.params))


def _chosen(program: Program, top: str | None) -> tuple[str, Any]:
    known = {name: value for name, value in program.module.__dict__.items() if program.has(name)}
    if top is not None:
        return _asked_for(program, known, top)
    fitting = {name: value for name, value in known.items() if _fits(value) and not name.startswith("_")}
    objects = {name: value for name, value in fitting.items() if not isinstance(value, type)}
    for name in (DUT, "top"):
        if name in objects:
            return name, objects[name]
    made = {type(value) for value in objects.values()}
    classes = {name: value for name, value in fitting.items() if isinstance(value, type) and value not in made}
    own = {name: value for name, value in classes.items() if value.__module__ == MODULE}
    for name, value in objects.items():
        if type(value).__name__ == "Top":
            return name, value
    if "Top" in classes:
        return "Top", classes["Top"]
    # What other files of a bundle define counts where the entry defines nothing itself.
    found = list({id(value): (name, value) for name, value in {**objects, **own}.items()}.values())
    found = found or list(classes.items())
    if len(found) == 1:
        return found[0]
    if not found:
        raise _without(program)
    listed = ", ".join(name for name, _ in found)
    raise DesignError(
        f"There are several designs that could be simulated: {listed}; write dut = {found[-1][0]}(), or say which with "
        f"--top {found[-1][0]}.",
        code="several_tops",
        **_at(program, found[-1][0]),
    )


def _asked_for(program: Program, known: dict[str, Any], top: str) -> tuple[str, Any]:
    if top in known and _fits(known[top]):
        return top, known[top]
    there = [name for name, value in known.items() if _fits(value)]
    offer = f"there is {', '.join(there)}" if there else "there is no design at all"
    if top not in known:
        raise DesignError(f"There is nothing called {top!r} that could be simulated; {offer}.", code="top_not_found")
    raise DesignError(
        f"{top} can't be simulated: it is neither a wiring.Component nor another Elaboratable; {offer}.",
        code="top_unfit",
        **_at(program, top),
    )


def _without(program: Program) -> DesignError:
    if not program.injected:
        return DesignError(
            "The simulation is of designs in Amaranth, and this one is written for LiteX; run it on a simulated board "
            "instead.",
            code="not_simulatable",
        )
    return DesignError(
        "There is no design to simulate: define a wiring.Component, such as class Top(wiring.Component), or import one "
        "from a --lib cell.",
        code="no_top",
    )


def _fits(value: Any) -> bool:
    if isinstance(value, type):
        return issubclass(value, Elaboratable) and not value.__module__.startswith("amaranth")
    return isinstance(value, Elaboratable)


def _at(program: Program, name: str) -> dict[str, Any]:
    line = definition_line(program, name)
    file = program.source.entry
    return {"file": file if line else None, "line": line, "text": program.source.line_text(file, line)}
