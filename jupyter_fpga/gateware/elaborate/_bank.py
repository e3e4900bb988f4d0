"""The register bank: the window's Wishbone side for ports that are registers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Elaboratable, Module, Signal

from jupyter_fpga.gateware.manifest import Register

from ._ports import Port

__all__ = ("Bank",)


@dataclass
class _Cell:
    """One register, or one element of an array, as hardware.

    Parameters
    ----------
    word
        Word address of the most significant of its ``words`` words.
    value
        What a read returns.
    stored
        Where a write goes; ``None`` for a register that is only read.
    waiting
        The more significant words of a write, until the last word comes.
    latch
        The less significant words of a read, as they were when the first word was read.
    """

    word: int
    words: int
    value: Any
    stored: Any = None
    waiting: Any = None
    latch: Any = None


class Bank(Elaboratable):  # type: ignore[misc]
    """Registers behind a classic Wishbone bus, each access answered one clock cycle after it begins.

    A write is of a whole word whatever ``sel`` says, as it is to LiteX's CSRs.

    Parameters
    ----------
    registers
        Ports with their places. Those that the person may write are driven from here; the others are read.
    bus
        Signals by name, as the slave sees them: ``adr`` (in words), ``dat_w``, ``cyc``, ``stb``, ``we``.

    Attributes
    ----------
    ack, dat_r
        The answer. Nothing is acknowledged at an address without a register.
    """

    def __init__(self, registers: Sequence[tuple[Port, Register]], bus: dict[str, Any]) -> None:
        self._registers = registers
        self._bus = bus
        self.ack = Signal()
        self.dat_r = Signal(32)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        cells = [cell for port, register in self._registers for cell in self._cells(m, port, register)]
        asked = Signal()
        m.d.comb += asked.eq(self._bus["cyc"] & self._bus["stb"] & ~self.ack)
        m.d.sync += self.ack.eq(0)
        with m.If(asked), m.Switch(self._bus["adr"]):
            for cell in cells:
                for index in range(cell.words):
                    with m.Case(cell.word + index):
                        m.d.sync += [self.ack.eq(1), self.dat_r.eq(self._read(cell, index))]
        # Each register asks for itself: every signal that a Switch drives repeats all of its cases in the netlist.
        for cell in cells:
            for index in range(cell.words):
                if cell.stored is not None or (cell.latch is not None and index == 0):
                    with m.If(asked & (self._bus["adr"] == cell.word + index)):
                        self._touch(m, cell, index)
        return m

    def _cells(self, m: Module, port: Port, register: Register) -> list[_Cell]:
        cells = []
        for index, value in enumerate(port.values):
            name = f"{port.name}_{index}" if port.array else port.name
            cell = _Cell(register.offset // 4 + index * register.words, register.words, value)
            if register.access == "rw":
                cell.value = cell.stored = Signal(port.width, name=name, init=port.init)
                m.d.comb += value.eq(cell.stored)
            if register.words > 1:
                cell.latch = Signal(32 * (register.words - 1), name=f"{name}_latch")
                if cell.stored is not None:
                    cell.waiting = Signal(port.width - 32, name=f"{name}_waiting")
            cells.append(cell)
        return cells

    def _read(self, cell: _Cell, index: int) -> Any:
        low = 32 * (cell.words - 1 - index)
        return cell.value[low:] if index == 0 else cell.latch[low : low + 32]

    def _touch(self, m: Module, cell: _Cell, index: int) -> None:
        """What an access does besides its answer."""
        if cell.latch is not None and index == 0:
            with m.If(~self._bus["we"]):
                m.d.sync += cell.latch.eq(cell.value[: 32 * (cell.words - 1)])
        if cell.stored is not None:
            with m.If(self._bus["we"]):
                self._write(m, cell, index)

    def _write(self, m: Module, cell: _Cell, index: int) -> None:
        data = self._bus["dat_w"]
        low = 32 * (cell.words - 1 - index)
        if cell.words == 1:
            m.d.sync += cell.stored.eq(data)
        elif low == 0:
            m.d.sync += cell.stored.eq(Cat(data, cell.waiting))
        else:
            m.d.sync += cell.waiting[low - 32 : low].eq(data)
