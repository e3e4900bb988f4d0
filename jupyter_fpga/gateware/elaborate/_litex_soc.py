"""Form 4: a whole SoC of the person's own, on top of the lab's base."""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from migen import Memory as MigenMemory
from migen import Signal

from jupyter_fpga.gateware.csr import CsrMap, constants
from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.labsoc import check_control
from jupyter_fpga.gateware.manifest import Memory, Pin, Register

from ._blame import person_errors
from ._csrs import CsrMemory, coherent_csrs, csr_memory, csr_registers, words_of_csr
from ._find import Top
from ._litex_netlist import check_domains, netlist_of
from ._netlist import Outcome
from ._params import check_known, constructor_arguments, takes
from ._program import Program
from ._request import Request

__all__ = ("elaborate_soc",)

#: Modules of the CSR bus that are the lab's own, and in the manifest as its ``control``.
_LABS_OWN = ("ctrl", "identifier_mem")


def elaborate_soc(program: Program, top: Top, request: Request) -> Outcome:
    """Build the SoC, with its CSR region as the window: registers are called ``module_register``."""
    target, source = request.target, program.source
    coherent_csrs()
    with person_errors(source), _litex_errors():
        soc = _made(program, top, request)
        soc.finalize()
    _check(soc, program, top, request)
    fragment = soc.get_fragment()
    check_domains(fragment, program, target)
    ports, pins = _ports(soc, fragment, request)
    linked = netlist_of(
        soc,
        fragment,
        ports,
        top="lab_soc",
        program=program,
        target=target,
        sources=soc.platform.sources,
        platform=soc.platform,
    )
    base = soc.mem_map["csr"]
    registers, memories = _csrs(soc, base)
    ends = [register.offset + register.size for register in registers]
    ends += [memory.offset + 4 * memory.words for memory in memories]
    return Outcome(
        netlist=linked.netlist,
        language="rtlil",
        form="litex_soc",
        top=top.name,
        window_size=max(ends, default=0),
        registers=registers,
        memories=memories,
        pins=pins,
        warnings=linked.warnings,
        whole_soc=True,
        window_base=base,
        csr=_csr_map(soc),
    )


def _made(program: Program, top: Top, request: Request) -> Any:
    if not top.is_class:
        check_known(program, request.params, [])
        return top.made
    supply = {"sys_clk_freq": request.clock_hz, "target": request.target.name}
    supply = {name: value for name, value in supply.items() if takes(top.made, name)}
    arguments = constructor_arguments(program, top.made, request.params, ("platform", *supply))
    return top.made(**supply, **arguments)


def _check(soc: Any, program: Program, top: Top, request: Request) -> None:
    """See that the SoC is still one that the lab can talk to.

    Raises
    ------
    DesignError
        ``bad_clock``: it doesn't run at the clock that was asked for. ``bad_soc``: the lab's own registers have moved.
    """
    source = program.source
    problem = None
    if int(soc.sys_clk_freq) != request.clock_hz:
        problem = (
            "bad_clock",
            f"{top.name} runs at {soc.sys_clk_freq / 1e6:g} MHz, and {request.clock_hz / 1e6:g} MHz were asked for; "
            "let its __init__ take sys_clk_freq and hand it on to LabSoC.",
        )
    else:
        try:
            check_control(soc)
        except (AssertionError, KeyError):
            problem = (
                "bad_soc",
                f"{top.name} moves the lab's own registers, by which the lab knows a board; leave csr_map's ctrl and "
                "identifier_mem and mem_map's csr as LabSoC has them.",
            )
    if problem:
        raise DesignError(
            problem[1],
            code=problem[0],
            file=source.entry if top.line else None,
            line=top.line,
            text=source.line_text(source.entry, top.line),
        )


def _ports(soc: Any, fragment: Any, request: Request) -> tuple[set[Any], list[Pin]]:
    """The ports of ``lab_soc``, and which resources they are.

    A resource that is a part of another one (``led`` of ``leds``) becomes that part of the other's port.
    """
    resources = request.target.resources
    ports: set[Any] = set()
    pins: list[Pin] = []
    for (name, *_), requested in soc.platform.constraint_manager.matched:
        ports |= {requested} if isinstance(requested, Signal) else set(requested.flatten())
        if name not in resources:
            continue
        for wire in resources[name].wires:
            signal = getattr(requested, wire.name) if wire.name else requested
            port = f"{name}_{wire.name}" if wire.name else name
            pins.append(Pin(name, port, wire.direction, wire.width))
            whole = resources.get(wire.port)
            if name != wire.port and whole is not None:
                ports.discard(signal)
                ports.add(_part(soc, fragment, whole.wires[0], wire, signal))
    return ports, pins


def _part(soc: Any, fragment: Any, whole: Any, wire: Any, signal: Any) -> Any:
    """The port of the whole resource, with ``signal`` as some bits of it."""
    port = soc.platform.constraint_manager.lookup_request(wire.port, loose=True)
    if port is not None:
        raise DesignError(
            f"The SoC requests both {wire.port} and a part of it; request {wire.port} only.", code="pin_clash"
        )
    port = Signal(whole.width, name_override=wire.port)
    bits = port[wire.lsb : wire.lsb + wire.width]
    fragment.comb += [signal.eq(bits) if wire.direction == "i" else bits.eq(signal)]
    return port


def _csrs(soc: Any, base: int) -> tuple[list[Register], list[Memory]]:
    registers: list[Register] = []
    memories: list[Memory] = []
    for name, region in soc.csr.regions.items():
        if name in _LABS_OWN:
            continue
        if isinstance(region.obj, MigenMemory):
            memories.append(csr_memory(CsrMemory(False, region.obj, region.origin - base), name))
        else:
            registers += csr_registers(region.obj, region.origin - base, f"{name}_")
    return registers, memories


def _csr_map(soc: Any) -> CsrMap:
    """All that LiteX itself would write, constants and memories of the SoC included."""
    found = CsrMap(constants=constants(int(soc.sys_clk_freq)))
    for name, region in soc.csr.regions.items():
        found.bases[name] = region.origin
        address = region.origin
        for csr in [] if isinstance(region.obj, MigenMemory) else region.obj:
            words = words_of_csr(csr)
            found.registers[f"{name}_{csr.name}"] = (address, words, csr_registers([csr], 0)[0].access)
            address += 4 * words
    for name, value in soc.constants.items():
        found.constants[name.lower()] = value.lower() if isinstance(value, str) else value
    for name, region in soc.mem_regions.items():
        found.memories[name.lower()] = (region.origin, region.size, region.type)
    return found


class _Errors(logging.Handler):
    """Keeps what LiteX logs as errors: its exceptions say nothing themselves."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(re.sub(r"\x1b\[[0-9;]*m", "", record.getMessage()))


@contextmanager
def _litex_errors() -> Iterator[None]:
    """Raise LiteX's ``SoCError`` with the message that LiteX only logs, and give the process its ``stderr`` back."""
    errors = _Errors()
    logging.root.addHandler(errors)
    stderr = sys.stderr
    try:
        yield
    except Exception as error:
        if type(error).__name__ == "SoCError" and errors.messages:
            # The first line is the complaint; a description of the whole bus follows.
            message = " ".join(errors.messages[0].split("\n")[0].split()).rstrip(".:")
            raise DesignError(f"LiteX refuses the SoC: {message}.").with_traceback(error.__traceback__) from error
        raise
    finally:
        sys.stderr = stderr
        logging.root.removeHandler(errors)
