"""Form 3: a LiteX module, whose CSRs are the window; and the way to form 4, a whole SoC."""

from typing import Any

from litex.gen import LiteXModule
from litex.soc.interconnect import csr_bus, wishbone
from migen import ClockDomain, If, Signal

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.manifest import Pin

from ._blame import person_errors
from ._csrs import CsrMemory, coherent_csrs, csr_memory, csr_registers, words_of_csr
from ._find import Top
from ._interface import address_bits, window_ports
from ._litex_checks import check_module
from ._litex_netlist import check_domains, netlist_of
from ._litex_platform import WindowPlatform
from ._netlist import Outcome
from ._params import check_known, constructor_arguments, takes
from ._program import Program
from ._request import Request

__all__ = ("elaborate_litex",)


def elaborate_litex(program: Program, top: Top, request: Request) -> Outcome:
    """Form 3 or 4."""
    if top.form == "litex_soc":
        from ._litex_soc import elaborate_soc

        return elaborate_soc(program, top, request)
    target = request.target
    coherent_csrs()
    platform = WindowPlatform(target)
    design = _made(program, top, request, platform)
    with person_errors(program.source):
        window = _Window(design, request, platform)
        fragment = window.get_fragment()
    check_domains(fragment, program, target)
    check_module(design, window, fragment, program, request)
    registers, used = csr_registers(window.csrs, 0), window.size
    linked = netlist_of(
        design,
        fragment,
        set(window.ports.values()),
        top="lab_window",
        program=program,
        target=target,
        sources=platform.sources,
    )
    return Outcome(
        netlist=linked.netlist,
        language="rtlil",
        form="litex_module",
        top=top.name,
        window_size=used,
        registers=registers,
        memories=[csr_memory(memory) for memory in window.memories],
        pins=window.pins,
        warnings=linked.warnings,
    )


def _made(program: Program, top: Top, request: Request, platform: Any) -> Any:
    """The object of the person's class. It gets what it asks for by the names that LiteX's own modules use."""
    if not top.is_class:
        check_known(program, request.params, [])
        return top.made
    supply = {"platform": platform, "sys_clk_freq": request.clock_hz}
    supply = {name: value for name, value in supply.items() if takes(top.made, name)}
    with person_errors(program.source):
        arguments = constructor_arguments(program, top.made, request.params, tuple(supply))
        return top.made(**supply, **arguments)


class _Window(LiteXModule):  # type: ignore[misc]
    """``lab_window`` around a LiteX module: its CSRs and memories on a CSR bus behind the window's Wishbone.

    Registers are packed from offset 0 in the order that LiteX gives them. Memories come after them, each at the next
    multiple of one page, which is a power of two that the largest of all fits into.
    """

    def __init__(self, design: Any, request: Request, platform: WindowPlatform) -> None:
        self.csrs = design.get_csrs(sort=True)
        memories = design.get_memories()
        self.ports = {
            name: Signal(width, name_override=name)
            for name, (width, _) in {"clk": (1, "i"), "rst": (1, "i"), **window_ports(request.target)}.items()
        }
        self.cd_sys = ClockDomain("sys")
        self.cd_sys.clk, self.cd_sys.rst = self.ports["clk"], self.ports["rst"]
        self.submodules.top = design
        words = sum(words_of_csr(csr) for csr in self.csrs)
        self.memories = [CsrMemory(*(item if isinstance(item, tuple) else (False, item))) for item in memories]
        # LiteX's banks want to tell at least two words apart.
        page = max([words, *(memory.words for memory in self.memories), 2])
        page = 1 << (page - 1).bit_length()
        for index, memory in enumerate(self.memories):
            memory.offset = 4 * page * (index + 1)
        self.size = self._used(words)
        if self.size > request.target.window.size:
            raise DesignError(
                f"The design's CSRs and memories need {self.size} bytes of the bus, and the window of the target "
                f"{request.target.name} has {request.target.window.size}; make its memories smaller.",
                code="window_full",
            )
        if self.size:
            self._add_bus(words, page, address_bits(request.target))
        self.pins: list[Pin] = []
        self.platform_wires = list(platform.wires())
        for name, wire, signal in self.platform_wires:
            self._connect(wire, signal)
            port = f"{name}_{wire.name}" if wire.name else name
            self.pins.append(Pin(name, port, wire.direction, wire.width))

    def _used(self, words: int) -> int:
        last = self.memories[-1] if self.memories else None
        return last.offset + 4 * last.words if last else 4 * words

    def _add_bus(self, words: int, page: int, bits: int) -> None:
        bus = wishbone.Interface(data_width=32, address_width=32, addressing="word")
        csr = csr_bus.Interface(data_width=32, address_width=bits, alignment=32)
        self.bridge = wishbone.Wishbone2CSR(bus, csr, register=False)
        banks = [csr_bus.CSRBank(self.csrs, 0, self._csr(bits), 4 * page, "big")] if words else []
        banks += [
            csr_bus.SRAM(memory.memory, index + 1, memory.read_only, bus=self._csr(bits), paging=4 * page)
            for index, memory in enumerate(self.memories)
        ]
        self.submodules += banks
        self.submodules += csr_bus.InterconnectShared([csr], [bank.bus for bank in banks])
        address = self.ports["wb_adr"]
        inside = Signal()
        places = [(0, words), *((memory.offset // 4, memory.words) for memory in self.memories)]
        self.comb += [
            *(If((address >= start) & (address < start + count), inside.eq(1)) for start, count in places if count),
            bus.adr.eq(address),
            bus.dat_w.eq(self.ports["wb_dat_w"]),
            bus.sel.eq(self.ports["wb_sel"]),
            bus.cyc.eq(self.ports["wb_cyc"] & inside),
            bus.stb.eq(self.ports["wb_stb"] & inside),
            bus.we.eq(self.ports["wb_we"]),
            self.ports["wb_ack"].eq(bus.ack),
            self.ports["wb_dat_r"].eq(bus.dat_r),
        ]

    def _csr(self, bits: int) -> Any:
        return csr_bus.Interface(data_width=32, address_width=bits, alignment=32)

    def _connect(self, wire: Any, signal: Any) -> None:
        pins = self.ports[wire.port][wire.lsb : wire.lsb + wire.width]
        self.comb += signal.eq(pins) if wire.direction == "i" else pins.eq(signal)
