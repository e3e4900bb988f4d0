"""What there is to know about a kind of board, as plain data."""

from dataclasses import dataclass
from typing import Literal

from jupyter_fpga.gateware.manifest import Control, Window

__all__ = ("Resource", "Target", "Wire")

#: Rates that USB-UART bridges make exactly, fastest first, bits a second.
_BAUD_RATES = (1_000_000, 500_000, 250_000, 125_000)

#: The bridge's receiver needs this many clock cycles in a bit to find the middle of it.
_CYCLES_PER_BIT = 8


@dataclass(frozen=True)
class Wire:
    """Some bits of a port of the module ``lab_window``, and what a resource calls them.

    Parameters
    ----------
    name
        Name inside the resource (``tx``, ``oe``), or ``""`` where the resource is a single wire or bus.
    port, lsb, width
        Bits ``lsb … lsb + width - 1`` of that port of ``lab_window``.
    direction
        ``"i"`` into the design, ``"o"`` out of it.
    """

    name: str
    port: str
    width: int
    direction: Literal["i", "o"]
    lsb: int = 0


@dataclass(frozen=True)
class Resource:
    """Something on the board that a design's port is wired to by having its name.

    Parameters
    ----------
    wires
        One wire with the name ``""`` for a simple resource. A resource whose wires are ``i``, ``o`` and ``oe`` takes
        the direction of the design's port.
    """

    name: str
    wires: tuple[Wire, ...]
    doc: str


@dataclass(frozen=True)
class Target:
    """A kind of board. Adding one is one small module with one of these, named in :data:`TARGETS`.

    Parameters
    ----------
    name
        What people write as ``target``.
    clock_hz
        System clock when a build doesn't ask for another, Hz.
    min_clock_hz, max_clock_hz
        Limits of what a build may ask for, Hz.
    fifo_depth
        Bytes of the UART bridge's receive FIFO.
    bus_timeout
        Clock cycles after which the bus answers in the place of a slave that doesn't.
    window
        The part of the bus that is the design's own, at its largest.
    control
        Addresses of the lab's own registers. ``labsoc`` checks them against the SoC that it builds.
    resources
        By name.
    simulated
        Boards of this kind are processes.
    """

    name: str
    doc: str
    clock_hz: int
    min_clock_hz: int
    max_clock_hz: int
    fifo_depth: int
    bus_timeout: int
    window: Window
    control: Control
    resources: dict[str, Resource]
    simulated: bool = False

    def baud(self, clock_hz: int) -> int:
        """Bits a second on the bridge's UART at a system clock of ``clock_hz`` (Hz).

        The slowest rate still sends the longest command, 255 words, within the 100 ms after which LiteX's
        ``Stream2Wishbone`` drops it.

        Raises
        ------
        ValueError
            The target can't run at ``clock_hz``.
        """
        if not self.min_clock_hz <= clock_hz <= self.max_clock_hz:
            raise ValueError(
                f"The target {self.name} runs at {self.min_clock_hz} to {self.max_clock_hz} Hz, not at {clock_hz} Hz; "
                "choose a sys_clk_freq between these."
            )
        return next(rate for rate in _BAUD_RATES if rate * _CYCLES_PER_BIT <= clock_hz)
