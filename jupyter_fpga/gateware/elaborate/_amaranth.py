"""Forms 1 and 2: designs written in Amaranth."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Elaboratable, Value, ValueCastable

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.manifest import DesignWarning, Pin

from ._blame import person_errors
from ._checks import check_clocks, check_derived_clocks, check_driven, driven_signals, fragment_of, instances
from ._clocks import undeclared_domain
from ._component import component_ports
from ._docs import Mention, mentions
from ._find import WISHBONE_SIGNALS, Top
from ._layout import Layout, lay_out
from ._link import link
from ._netlist import Outcome, own_places
from ._ports import Port, Wired, check_names, flat_wishbone, resource_wires, wire_up
from ._program import Program
from ._request import Request
from ._window import Window, window_rtlil

__all__ = ("Assembled", "assemble", "elaborate_amaranth")


@dataclass
class Assembled:
    """A design with the window around it, not yet checked or written.

    Parameters
    ----------
    fragment
        The design itself.
    driven
        The signals that it assigns to.
    """

    fragment: Any
    window: Window
    layout: Layout
    wired: list[Wired]
    driven: Any


def elaborate_amaranth(program: Program, top: Top, design: Any, request: Request) -> Outcome:
    """Form 1 or 2, for an object of the person's class."""
    return _emit(program, top, request, assemble(program, top, design, request))


def assemble(program: Program, top: Top, design: Any, request: Request) -> Assembled:
    """Elaborate the design and put the window around it."""
    take = _component if top.form == "amaranth_component" else _wishbone
    layout, wired, fragment, driven = take(program, top, design, request)
    return Assembled(fragment, Window(_Elaborated(fragment), layout, wired, request.target), layout, wired, driven)


def _component(program: Program, top: Top, design: Any, request: Request) -> tuple[Layout, list[Wired], Any, Any]:
    """Form 1. A component whose ports are called ``wb_…`` is one of form 2 with registers besides."""
    target, source = request.target, program.source
    mentioned = _mentions(program, design)
    with person_errors(source):
        ports, buses = component_ports(design, target, mentioned, source)
    first, others = flat_wishbone(ports, target, source)
    check_names(others, buses, source)
    wired = wire_up(others, target, source)
    pins = {item.port.name for item in wired}
    layout = lay_out(others, buses, target, pins=pins, first=first)
    return (layout, wired, *_elaborated(program, design))


def _wishbone(program: Program, top: Top, design: Any, request: Request) -> tuple[Layout, list[Wired], Any, Any]:
    """Form 2: an elaboratable with ``wb_*`` signals. Other signals called like resources are wired to pins."""
    target, source = request.target, program.source
    mentioned = _mentions(program, design)
    ports = [
        _attribute_port(name, "o" if direction == "o" else "i", getattr(design, name), mentioned)
        for name, direction in WISHBONE_SIGNALS.items()
        if _is_value(getattr(design, name, None))
    ]
    if not ports:
        raise DesignError(
            f"{top.name} is an Elaboratable without ports; make it a wiring.Component with ports, or give it the "
            f"signals {', '.join(WISHBONE_SIGNALS)}.",
            code="top_unfit",
            file=source.entry if top.line else None,
            line=top.line,
            text=source.line_text(source.entry, top.line),
        )
    bus, _ = flat_wishbone(ports, target, source)
    assert bus is not None
    # Which way a signal on two-way pins goes is told by whether the design drives it.
    fragment, driven = _elaborated(program, design)
    pin_ports = []
    for name, (_, wires) in resource_wires(target).items():
        value = getattr(design, name, None)
        if _is_value(value):
            directions = {wire.direction for wire in wires}
            is_output = any(signal in driven for signal in Value.cast(value)._lhs_signals())
            direction = directions.pop() if len(directions) == 1 else "o" if is_output else "i"
            pin_ports.append(_attribute_port(name, direction, value, mentioned))
    wired = wire_up(pin_ports, target, source)
    return lay_out([], [], target, first=bus), wired, fragment, driven


class _Elaborated(Elaboratable):  # type: ignore[misc]
    """A design that has been elaborated once, so that it isn't asked again."""

    def __init__(self, fragment: Any) -> None:
        self._fragment = fragment

    def elaborate(self, platform: Any) -> Any:
        return self._fragment


def _elaborated(program: Program, design: Any) -> tuple[Any, Any]:
    """The design's own fragment, and the signals that it drives."""
    with person_errors(program.source):
        fragment = fragment_of(design)
        return fragment, driven_signals(fragment)


def _emit(program: Program, top: Top, request: Request, design: Assembled) -> Outcome:
    """Check the design and write it as RTLIL."""
    target, source = request.target, program.source
    window, layout, wired, driven = design.window, design.layout, design.wired, design.driven
    ports = {port.name: port for port in (*(port for port, _ in layout.registers), *(item.port for item in wired))}
    check_clocks(design.fragment, driven, program, target, request.clock_hz)
    check_driven(list(ports.values()), [bus for bus, _ in layout.buses], driven, program)

    def missing_domain(name: str) -> Any:
        raise undeclared_domain(name, program, target, "sync")

    with person_errors(source):
        fragment = fragment_of(window)
        prepared = window.prepared(fragment, missing_domain)
        text = window_rtlil(prepared)
        check_derived_clocks(prepared, window.domain.clk, program, target)
    text = own_places(text, source)
    warnings: list[DesignWarning] = []
    if instances(fragment):
        linked = link(text, source, target)
        text, warnings = linked.netlist, linked.warnings
    return Outcome(
        netlist=text,
        language="rtlil",
        form=top.form,
        top=top.name,
        window_size=layout.size,
        registers=[register for _, register in layout.registers],
        memories=[memory for _, memory in layout.buses],
        pins=[Pin(item.resource.name, item.port.name, item.wire.direction, item.wire.width) for item in wired],
        warnings=warnings,
    )


def _attribute_port(name: str, direction: Any, value: Any, mentioned: dict[str, Mention]) -> Port:
    mention = mentioned.get(name)
    signal = Value.cast(value)
    return Port(
        name,
        direction,
        len(signal),
        [signal],
        doc=mention.doc if mention else "",
        line=mention.line if mention else None,
    )


def _mentions(program: Program, design: Any) -> dict[str, Mention]:
    return mentions(program.source.text(), program.tree, type(design).__name__)


def _is_value(value: Any) -> bool:
    return isinstance(value, Value | ValueCastable)
