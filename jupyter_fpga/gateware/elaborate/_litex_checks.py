"""Mistakes in a Migen design that Migen and LiteX let pass."""

from typing import Any

from litex.soc.interconnect.csr import CSRStatus
from migen.fhdl.structure import Signal
from migen.fhdl.tools import list_special_ios, list_targets

from jupyter_fpga.gateware.errors import DesignError

from ._clocks import no_clock
from ._docs import Mention, mentions
from ._program import Program
from ._request import Request

__all__ = ("check_module",)


def check_module(design: Any, window: Any, fragment: Any, program: Program, request: Request) -> None:
    """Refuse signals with several drivers, outputs and status registers without one, and clocks that nothing drives.

    Raises
    ------
    DesignError
        ``multiple_drivers``, ``undriven_output`` or ``no_clock``.
    """
    known = mentions(program.source.text(), program.tree, type(design).__name__)
    drivers: dict[Any, str] = dict.fromkeys(list_targets(fragment.comb), "comb")
    for domain in sorted(fragment.sync):
        for signal in sorted(list_targets(fragment.sync[domain]), key=lambda signal: signal.duid):
            if signal in drivers:
                name = _name(signal)
                raise _error(
                    f"The signal {name} is driven from {_in(drivers[signal])} and from {_in(domain)}; "
                    "drive it from one of them only.",
                    "multiple_drivers",
                    known.get(name),
                    program,
                )
            drivers[signal] = domain
    driven = set(drivers) | list_special_ios(fragment, ins=False, outs=True, inouts=True)
    _check_outputs(window, driven, known, program)
    for domain in fragment.clock_domains:
        if domain.name != "sys" and domain.clk not in driven:
            raise no_clock(domain.name, program, request.target, request.clock_hz, "sys")


def _check_outputs(window: Any, driven: Any, known: dict[str, Mention], program: Program) -> None:
    for csr in window.csrs:
        if not isinstance(csr, CSRStatus):
            continue
        fields = getattr(getattr(csr, "fields", None), "fields", ())
        parts = [(f"{csr.name}.{field.name}", field) for field in fields] or [(csr.name, csr.status)]
        for name, signal in parts:
            if signal not in driven and signal.reset.value == 0:
                raise _error(
                    f"Nothing drives the status register {name}; assign to it, "
                    "or give it a reset value if it is meant to be a constant.",
                    "undriven_output",
                    known.get(csr.name),
                    program,
                )
    for name, wire, signal in window.platform_wires:
        if wire.direction == "o" and signal not in driven and wire.name in ("", "o", "tx"):
            raise _error(
                f"Nothing drives the pins {name}; assign to them.", "undriven_output", known.get(name), program
            )


def _in(domain: str) -> str:
    return "self.comb" if domain == "comb" else f"self.sync.{domain}"


def _name(signal: Signal) -> str:
    if signal.name_override:
        return str(signal.name_override)
    return str(signal.backtrace[-1][0]) if signal.backtrace else "a signal"


def _error(message: str, code: str, mention: Mention | None, program: Program) -> DesignError:
    file = program.source.entry
    line = mention.line if mention else None
    return DesignError(
        message,
        code=code,
        file=file if line else None,
        line=line,
        text=program.source.line_text(file, line),
    )
