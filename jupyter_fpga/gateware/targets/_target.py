"""What there is to know about a kind of board, as plain data."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from jupyter_fpga.gateware.manifest import Control, Window

from ._device import Device

__all__ = (
    "CONTROL",
    "WINDOW",
    "Oscillator",
    "Pads",
    "Peripheral",
    "Programmer",
    "Pull",
    "Resource",
    "Serial",
    "Target",
    "Wire",
)

#: What holds a pin while nothing drives it.
Pull = Literal["", "up", "down"]

#: Rates that USB-UART bridges make exactly, fastest first, bits a second.
_BAUD_RATES = (1_000_000, 500_000, 250_000, 125_000)

#: The bridge's receiver needs this many clock cycles in a bit to find the middle of it.
_CYCLES_PER_BIT = 8

#: Where LiteX's CSR bus starts. The pages of 0x800 bytes on it are given out in labsoc.
_CSR = 0xF000_0000

#: Where the lab's own registers are, in every SoC of the lab.
CONTROL = Control(
    scratch=_CSR + 0x04,
    bus_errors=_CSR + 0x08,
    cycles=_CSR + 0x0C,
    overflow=_CSR + 0x14,
    identifier=_CSR + 0x800,
    identifier_words=64,
)

#: The part of the bus that is the design's own, at its largest.
WINDOW = Window(base=0x3000_0000, size=0x10_0000)


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
class Pads:
    """Pins of the package behind a port of ``lab_window``, its lowest bit first.

    Parameters
    ----------
    port
        The port; for pins of both directions the name that its ports ``…_i``, ``…_o`` and ``…_oe`` begin with.
    direction
        ``"i"`` into the device, ``"o"`` out of it, ``"io"`` as the design says.
    active_low
        A 1 in the design is a low level on the pin.
    pull
        The device's own resistor on the pins.
    io_standard
        One for each pin, or none where all have the device's.
    """

    port: str
    pins: tuple[str, ...]
    direction: Literal["i", "o", "io"]
    active_low: bool = False
    pull: Pull = ""
    io_standard: tuple[str, ...] = ()


@dataclass(frozen=True)
class Peripheral:
    """Resources that share pins, and these pins. Made by the functions in :mod:`._peripherals`."""

    resources: tuple[Resource, ...]
    pads: tuple[Pads, ...] = ()


@dataclass(frozen=True)
class Oscillator:
    """The clock that comes into the device.

    Parameters
    ----------
    pin
        Pin of the package.
    frequency
        Hz.
    pll_pad
        Of an iCE40: the pin is the PLL's own, which then can't be used otherwise. Its PLL takes any other clock from
        the fabric.
    io_standard
        Where it isn't the device's.
    """

    pin: str
    frequency: int
    pll_pad: bool = False
    io_standard: str = ""


@dataclass(frozen=True)
class Serial:
    """The UART by which the lab reaches the board, as the device sees it.

    Parameters
    ----------
    rx, tx
        Pins of the package: into the device, and out of it.
    built_in
        It is wired to the board's own USB port. Without one, a USB-UART adapter must be on these pins.
    io_standard
        Where it isn't the device's.
    """

    rx: str
    tx: str
    built_in: bool = True
    io_standard: str = ""


@dataclass(frozen=True)
class Programmer:
    """How openFPGALoader reaches the board, or what reaches it in its place.

    Parameters
    ----------
    board, cable
        Its names for them (``--board``, ``--cable``), as far as it must be told.
    arguments
        More of its arguments.
    volume
        Label of the USB volume that bitstreams are copied to, where the board has no programmer that openFPGALoader
        knows.
    usb
        ``vendor:product`` of what may be plugged in, in hexadecimal.
    uart_interface
        Which interface of that USB device is the UART; None where the board has none of its own.
    sram, flash
        What it can write on a board as it is sold. One without ``sram`` is programmed through its flash.
    to_sram
        What has to be changed on a board as it is sold before the FPGA's own memory can be written, as an order; empty
        where nothing helps, or has to be.
    """

    board: str | None = None
    cable: str | None = None
    arguments: tuple[str, ...] = ()
    volume: str | None = None
    usb: tuple[str, ...] = ()
    uart_interface: int | None = None
    sram: bool = True
    flash: bool = True
    to_sram: str = ""


@dataclass(frozen=True)
class Target:
    """A kind of board. Adding one is one small module with one of these, named in :data:`TARGETS`.

    Parameters
    ----------
    name
        What people write as ``target``.
    doc
        One line: maker, name, device.
    clock_hz
        System clock when a build doesn't ask for another, Hz.
    min_clock_hz, max_clock_hz
        Limits of what a build may ask for, Hz.
    peripherals
        What a design's ports can be wired to.
    device, oscillator, serial, programmer
        The board itself; None for one that is simulated from its design's netlist.
    high
        Pins of the package that must be held high: the select of a flash memory on the UART's pins, another chip's
        reset.
    setup
        What a board as it is sold needs before the lab can use it, in a sentence or two; empty where it needs nothing.
    simulated
        Boards of this kind are processes. With a device they run what place and route has made: a bitstream.
    busy
        Pin of the package that tells the simulation when nobody needs the clock, where boards are processes.
    fifo_depth
        Bytes of the UART bridge's receive FIFO.
    answer_depth
        Bytes of answers that the bridge keeps, a power of two: no more than these are under way.
    bus_timeout
        Clock cycles after which the bus answers in the place of a slave that doesn't: long enough for any register or
        memory, and short enough that what arrives meanwhile fits the FIFO (at 12 MHz and 1 Mbaud 34 bytes).
    window
        The part of the bus that is the design's own, at its largest.
    control
        Addresses of the lab's own registers. ``labsoc`` checks them against the SoC that it builds.
    """

    name: str
    doc: str
    clock_hz: int
    peripherals: tuple[Peripheral, ...]
    min_clock_hz: int = 8_000_000
    max_clock_hz: int = 48_000_000
    device: Device | None = None
    oscillator: Oscillator | None = None
    serial: Serial | None = None
    programmer: Programmer | None = None
    high: tuple[str, ...] = ()
    setup: str = ""
    simulated: bool = False
    busy: str | None = None
    fifo_depth: int = 1024
    answer_depth: int = 2048
    bus_timeout: int = 4096
    window: Window = field(default=WINDOW)
    control: Control = field(default=CONTROL)

    @property
    def resources(self) -> dict[str, Resource]:
        """By name."""
        return {resource.name: resource for peripheral in self.peripherals for resource in peripheral.resources}

    @property
    def implemented(self) -> bool:
        """Designs are placed and routed on a device."""
        return self.device is not None

    def pads(self) -> Iterator[Pads]:
        """Pins of the package for every port of ``lab_window`` that has some."""
        for peripheral in self.peripherals:
            yield from peripheral.pads

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

    def to_json(self) -> dict[str, Any]:
        """What the lab is told of the target; it never imports this package."""
        return {
            "name": self.name,
            "doc": self.doc,
            "setup": self.setup,
            "simulated": self.simulated,
            "implemented": self.implemented,
            "clock_hz": self.clock_hz,
            "min_clock_hz": self.min_clock_hz,
            "max_clock_hz": self.max_clock_hz,
            "toolchain": self.device.toolchain if self.device else "simulated",
            "device": self.device and self.device.to_json(),
            "serial": self.serial is not None and self.serial.built_in,
            "programmer": self.programmer and asdict(self.programmer),
            "resources": {name: resource.doc for name, resource in self.resources.items()},
        }
