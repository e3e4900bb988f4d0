"""Mistakes in an Amaranth design that Amaranth itself lets pass."""

from collections.abc import Iterator, Sequence
from typing import Any

from amaranth.hdl import ClockSignal, Instance, Value
from amaranth.hdl._ast import SignalSet
from amaranth.hdl._ir import Fragment, IOBufferInstance, build_netlist
from amaranth.hdl._mem import MemoryInstance

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.targets import Target

from ._clocks import derived_clock, no_clock, own_main_domain
from ._ports import Port, WishboneBus
from ._program import Program

__all__ = (
    "check_clocks",
    "check_derived_clocks",
    "check_driven",
    "driven_signals",
    "fragment_of",
    "fragments",
    "instances",
)


def fragments(top: Any) -> Iterator[Any]:
    """The fragment and everything below it."""
    yield top
    for fragment, *_ in top.subfragments:
        yield from fragments(fragment)


def instances(top: Any) -> list[Any]:
    """Instances of modules that are written elsewhere (Yosys' own cells, ``$add`` and the like, left out)."""
    return [f for f in fragments(top) if isinstance(f, Instance) and not f.type.startswith("$")]


def driven_signals(top: Any) -> Any:
    """The set of signals that something in the design assigns to."""
    driven = SignalSet()
    for fragment in fragments(top):
        for statements in getattr(fragment, "statements", {}).values():
            for statement in statements:
                driven.update(statement._lhs_signals())
        for value in _outputs(fragment):
            driven.update(Value.cast(value)._lhs_signals())
    return driven


def _outputs(fragment: Any) -> Iterator[Any]:
    if isinstance(fragment, Instance):
        yield from (value for value, kind in fragment.ports.values() if kind == "o")
    elif isinstance(fragment, MemoryInstance):
        yield from (port._data for port in fragment._read_ports)
    elif isinstance(fragment, IOBufferInstance) and fragment.i is not None:
        yield fragment.i


def check_driven(ports: Sequence[Port], buses: Sequence[WishboneBus], driven: Any, program: Program) -> None:
    """Refuse outputs that nothing drives, unless their initial value says that they are constants.

    Raises
    ------
    DesignError
        ``undriven_output``.
    """
    outputs = [(port.name, value, port.line) for port in ports if port.direction == "o" for value in port.values]
    for bus in buses:
        separator = "_" if bus.name == "wb" else "."
        outputs += [(f"{bus.name}{separator}{name}", bus.signals[name], bus.line) for name in ("dat_r", "ack")]
    for name, value, line in outputs:
        if getattr(value, "init", 1) == 0 and not any(signal in driven for signal in value._lhs_signals()):
            raise DesignError(
                f"Nothing drives the output {name}; assign to it in elaborate, "
                "or give it an init value if it is meant to be a constant.",
                code="undriven_output",
                file=program.source.entry if line else None,
                line=line,
                text=program.source.line_text(program.source.entry, line),
            )


def check_clocks(top: Any, driven: Any, program: Program, target: Target, clock_hz: int) -> None:
    """Refuse clock domains that a design declares and gives no clock, and a second ``sync``.

    Raises
    ------
    DesignError
        ``no_clock`` or ``clock_domain``.
    """
    for fragment in fragments(top):
        for name, domain in getattr(fragment, "domains", {}).items():
            if name == "sync" and not domain.local:
                raise own_main_domain(name, program)
            if domain.clk not in driven and ClockSignal(name) not in driven:
                raise no_clock(name, program, target, clock_hz, "sync")


def check_derived_clocks(prepared: Any, main_clock: Any, program: Program, target: Target) -> None:
    """Refuse registers on a clock that isn't the lab's own, where the target can't follow one.

    Parameters
    ----------
    prepared
        The window's fragment after ``prepare``.

    Raises
    ------
    DesignError
        ``derived_clock``.
    """
    domains = {
        name: domain for part in fragments(prepared.fragment) for name, domain in getattr(part, "domains", {}).items()
    }
    if target.implemented or set(domains) <= {"sync"}:
        return
    netlist = build_netlist(prepared)
    (main,) = netlist.signals[main_clock]
    for name, domain in domains.items():
        if domain.clk in netlist.signals:
            (clock,) = netlist.signals[domain.clk]
            if clock != main and any(getattr(cell, "clk", None) == clock for cell in netlist.cells):
                raise derived_clock(name, program, target, "sync")


def fragment_of(window: Any) -> Any:
    """The elaborated fragment. Amaranth designs in the lab have no platform."""
    return Fragment.get(window, None)
