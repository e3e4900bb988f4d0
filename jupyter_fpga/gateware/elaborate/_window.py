"""The module ``lab_window``: a design between the board's bus and the board's pins."""

from collections.abc import Callable, Sequence
from typing import Any

from amaranth.back import rtlil
from amaranth.hdl import ClockDomain, Elaboratable, Module, Signal
from amaranth.hdl._ir import PortDirection

from jupyter_fpga.gateware.manifest import Memory
from jupyter_fpga.gateware.targets import Target

from ._bank import Bank
from ._interface import window_ports
from ._layout import Layout
from ._ports import WISHBONE_PORTS, Wired, WishboneBus

__all__ = ("Window", "window_rtlil")


def window_rtlil(prepared: Any) -> str:
    """The module ``lab_window`` in RTLIL, for what :meth:`Window.prepared` gives."""
    # Amaranth 0.5 can't write the negative values of an enumeration as attributes; their bit patterns it can.
    exact = rtlil.to_binary
    rtlil.to_binary = lambda value, width: exact(value & ((1 << width) - 1), width)
    try:
        text, _ = rtlil.convert_fragment(prepared, name="lab_window")
    finally:
        rtlil.to_binary = exact
    return str(text)


class Window(Elaboratable):  # type: ignore[misc]
    """Wraps a design of form 1, 2 or 5.

    Parameters
    ----------
    design
        The person's elaboratable.
    clock, reset
        Signals for the system clock and reset.

    Attributes
    ----------
    ports
        Every port of the module by name, always the same ones; outputs that the design has nothing for stay 0.
    """

    def __init__(self, design: Any, layout: Layout, wired: Sequence[Wired], target: Target) -> None:
        self._design = design
        self._layout = layout
        self._wired = wired
        self._directions = {name: direction for name, (_, direction) in window_ports(target).items()}
        self.domain = ClockDomain("sync")
        self.domain.clk = Signal(name="clk")
        self.domain.rst = Signal(name="rst")
        self.ports = {name: Signal(width, name=name) for name, (width, _) in window_ports(target).items()}

    def prepared(self, fragment: Any, missing_domain: Callable[[str], Any] | None = None) -> Any:
        """The window's own fragment with all its clock domains and names resolved. Possible once only.

        Parameters
        ----------
        missing_domain
            Called with the name of a domain that nobody declares; raises.
        """
        kinds = {"i": PortDirection.Input, "o": PortDirection.Output}
        ports = {"clk": (self.domain.clk, kinds["i"]), "rst": (self.domain.rst, kinds["i"])}
        ports |= {name: (signal, kinds[self._directions[name]]) for name, signal in self.ports.items()}
        return fragment.prepare(ports, hierarchy=("lab_window",), missing_domain=missing_domain or (lambda name: None))

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.domains += self.domain
        m.submodules.top = self._design
        bank = Bank(self._layout.registers, {name: self.ports[f"wb_{name}"] for name in WISHBONE_PORTS})
        m.submodules.registers = bank
        m.d.comb += [self.ports["wb_ack"].eq(bank.ack), self.ports["wb_dat_r"].eq(bank.dat_r)]
        for bus, memory in self._layout.buses:
            self._connect_bus(m, bus, memory)
        for wired in self._wired:
            self._connect_pins(m, wired)
        return m

    def _connect_bus(self, m: Module, bus: WishboneBus, memory: Memory) -> None:
        low = bus.address_bits
        selected = Signal(name=f"{bus.name}_selected")
        address = self.ports["wb_adr"]
        m.d.comb += selected.eq(address[low:] == memory.offset // 4 >> low)
        for name, (direction, _) in WISHBONE_PORTS.items():
            if direction == "i":
                value = self.ports[f"wb_{name}"][: len(bus.signals[name])]
                m.d.comb += bus.signals[name].eq(value & selected if name in ("cyc", "stb") else value)
        with m.If(selected):
            m.d.comb += [
                self.ports["wb_ack"].eq(bus.signals["ack"]),
                self.ports["wb_dat_r"].eq(bus.signals["dat_r"]),
            ]

    def _connect_pins(self, m: Module, wired: Wired) -> None:
        wire, value = wired.wire, wired.port.values[0]
        pins = self.ports[wire.port][wire.lsb : wire.lsb + wire.width]
        if wire.direction == "i":
            m.d.comb += value.eq(pins)
            return
        m.d.comb += pins.eq(value)
        enable = next((other for other in wired.resource.wires if other.name == "oe"), None)
        if wire.name == "o" and enable is not None and not any(other.wire == enable for other in self._wired):
            # Output pins without an enable of their own are always outputs.
            m.d.comb += self.ports[enable.port][enable.lsb : enable.lsb + enable.width].eq(~0)
