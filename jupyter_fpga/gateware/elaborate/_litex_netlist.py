"""The netlist of a Migen design, whichever of the two LiteX forms it has."""

from typing import Any

from litex.gen.fhdl import verilog
from migen.fhdl.tools import list_clock_domains

from jupyter_fpga.gateware.targets import Target

from ._blame import person_errors
from ._clocks import undeclared_domain
from ._docs import mentions
from ._link import LineOf, Linked, link
from ._program import Program

__all__ = ("check_domains", "netlist_of")


def check_domains(fragment: Any, program: Program, target: Target) -> None:
    """Refuse clock domains that nobody declares.

    Raises
    ------
    DesignError
        As :func:`._clocks.undeclared_domain` makes it.
    """
    declared = {domain.name for domain in fragment.clock_domains}
    for name in sorted(list_clock_domains(fragment)):
        if name not in declared:
            raise undeclared_domain(name, program, target, "sys")


def netlist_of(
    design: Any,
    fragment: Any,
    ports: set[Any],
    *,
    top: str,
    program: Program,
    target: Target,
    sources: Any,
    platform: Any = None,
) -> Linked:
    """The module ``top`` made of ``fragment``, together with the Verilog that it uses.

    Parameters
    ----------
    design
        The object of the person's class, whose text names the signals.
    ports
        Signals that become the module's ports.
    sources
        Verilog files that the design's platform was given, as LiteX lists them.
    platform
        What the design's specials are told to be made for, if anything.

    Raises
    ------
    DesignError
        Whatever the person's code raises while it is lowered, or :func:`._link.link` has to say.
    """
    from litex.build.sim.common import sim_special_overrides

    with person_errors(program.source):
        output = verilog.convert(
            fragment,
            ios=ports,
            name=top,
            platform=platform,
            # What LiteX's portable primitives become where the target has none of its own.
            special_overrides=dict(sim_special_overrides),
        )
    return link(
        output.main_source,
        program.source,
        target,
        language="verilog",
        lines=_line_of(program, design),
        data_files=dict(output.data_files),
        more_sources=[item[0] for item in sources],
        top=top,
    )


def _line_of(program: Program, design: Any) -> LineOf:
    """Finds names of the design's Verilog in the person's class: the name itself, or what is left of it after a
    submodule's name and ``_``."""
    known = mentions(program.source.text(), program.tree, type(design).__name__)

    def find(name: str) -> int | None:
        while name:
            if name in known:
                return known[name].line
            _, _, name = name.partition("_")
        return None

    return find
