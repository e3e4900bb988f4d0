"""What boards have around their device, under the names that designs use everywhere.

Everywhere, ``pins`` are those of the package, the lowest bit's first; none where the board is simulated, with their
``count`` instead. ``active_low`` says that the pin is low where the design has a 1. ``io_standard`` is one for each
pin, or none where all have the device's.
"""

from typing import Literal

from ._target import Pads, Peripheral, Pull, Resource, Wire

__all__ = ("buttons", "console", "leds", "pmod", "rgb_led", "switches")

_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")


def leds(*pins: str, count: int = 0, active_low: bool = False, io_standard: tuple[str, ...] = ()) -> Peripheral:
    """LEDs that a 1 lights: ``leds``, and ``led`` for the first of them."""
    count = len(pins) or count
    wires = (Wire("", "leds", count, "o"),)
    if count == 1:
        resources = _only("led", "leds", wires, "The board's LED; a 1 lights it.")
    else:
        many = _count(count)
        resources = (
            Resource("led", (Wire("", "leds", 1, "o"),), f"The first of the {many} LEDs."),
            Resource("leds", wires, f"{many.capitalize()} LEDs; a 1 lights one."),
        )
    return Peripheral(resources, _pads("leds", pins, "o", active_low, "", io_standard))


def rgb_led(
    red: str,
    green: str,
    blue: str,
    *,
    active_low: bool = False,
    only: bool = False,
    io_standard: tuple[str, ...] = (),
) -> Peripheral:
    """A coloured LED: ``rgb``, bit 0 red, bit 1 green, bit 2 blue; a 1 lights.

    Parameters
    ----------
    only
        The board has no other LEDs, so that it is ``leds`` as well, and its red one is ``led``.
    """
    wires = (Wire("", "rgb", 3, "o"),)
    resources: tuple[Resource, ...] = (
        Resource("rgb", wires, "A coloured LED: bit 0 is red, bit 1 green, bit 2 blue; a 1 lights."),
    )
    if only:
        resources = (
            Resource("led", (Wire("", "rgb", 1, "o"),), "The red one of the coloured LED; a 1 lights it."),
            Resource("leds", wires, "The same as rgb."),
            *resources,
        )
    return Peripheral(resources, _pads("rgb", (red, green, blue), "o", active_low, "", io_standard))


def buttons(
    *pins: str, count: int = 0, active_low: bool = False, pull: Pull = "", io_standard: tuple[str, ...] = ()
) -> Peripheral:
    """Buttons that are 1 while pressed: ``buttons``, and ``button`` for the first of them."""
    count = len(pins) or count
    wires = (Wire("", "buttons", count, "i"),)
    if count == 1:
        resources = _only("button", "buttons", wires, "The board's button; 1 while pressed.")
    else:
        many = _count(count)
        resources = (
            Resource("button", (Wire("", "buttons", 1, "i"),), f"The first of the {many} buttons."),
            Resource("buttons", wires, f"{many.capitalize()} buttons; 1 while pressed."),
        )
    return Peripheral(resources, _pads("buttons", pins, "i", active_low, pull, io_standard))


def switches(
    *pins: str, count: int = 0, active_low: bool = False, pull: Pull = "", io_standard: tuple[str, ...] = ()
) -> Peripheral:
    """Switches that are 1 when on: ``switches``."""
    count = len(pins) or count
    doc = "The board's switch; 1 when on." if count == 1 else f"{_count(count).capitalize()} switches; 1 when on."
    resource = Resource("switches", (Wire("", "switches", count, "i"),), doc)
    return Peripheral((resource,), _pads("switches", pins, "i", active_low, pull, io_standard))


def pmod(*pins: str, count: int = 0, name: str = "pmod") -> Peripheral:
    """Free pins, inputs or outputs as the design's port says: ``pmod``, or another name where there are several."""
    count = len(pins) or count
    wires = (
        Wire("i", f"{name}_i", count, "i"),
        Wire("o", f"{name}_o", count, "o"),
        Wire("oe", f"{name}_oe", count, "o"),
    )
    doc = f"{_count(count).capitalize()} free pins; inputs or outputs as the design's port says."
    return Peripheral((Resource(name, wires, doc),), _pads(name, pins, "io", False, "", ()))


def console(tx: str = "", rx: str = "") -> Peripheral:
    """A serial line besides the bridge's own: ``uart``. Pins as the device sees them."""
    wires = (Wire("tx", "console_tx", 1, "o"), Wire("rx", "console_rx", 1, "i"))
    resource = Resource("uart", wires, "The console: a serial line besides the bridge's own.")
    pads = (Pads("console_tx", (tx,), "o"), Pads("console_rx", (rx,), "i", pull="up")) if tx else ()
    return Peripheral((resource,), pads)


def _only(name: str, plural: str, wires: tuple[Wire, ...], doc: str) -> tuple[Resource, ...]:
    return Resource(name, wires, doc), Resource(plural, wires, f"The same as {name}.")


def _pads(
    port: str,
    pins: tuple[str, ...],
    direction: Literal["i", "o", "io"],
    active_low: bool,
    pull: Pull,
    io_standard: tuple[str, ...],
) -> tuple[Pads, ...]:
    return (Pads(port, pins, direction, active_low, pull, io_standard),) if pins else ()


def _count(number: int) -> str:
    return _COUNTS[number] if number < len(_COUNTS) else str(number)
