"""What boards have around their device, under the names that designs use everywhere."""

from ._target import Pads, Peripheral, Resource, Wire

__all__ = ("buttons", "console", "leds", "pmod", "rgb_led", "switches")

_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")


def leds(*pins: str, count: int = 0, active_low: bool = False) -> Peripheral:
    """LEDs that a 1 lights: ``leds``, and ``led`` for the first of them.

    Parameters
    ----------
    pins
        Of the package, the first LED's first; none where the board is simulated, with their ``count`` instead.
    active_low
        A low level on the pin lights the LED.
    """
    count = len(pins) or count
    pads = (Pads("leds", pins, "o", active_low),) if pins else ()
    if count == 1:
        only = Resource("led", (Wire("", "leds", 1, "o"),), "The board's LED; a 1 lights it.")
        return Peripheral((only, Resource("leds", only.wires, "The same as led.")), pads)
    return Peripheral(
        (
            Resource("led", (Wire("", "leds", 1, "o"),), f"The first of the {_count(count)} LEDs."),
            Resource("leds", (Wire("", "leds", count, "o"),), f"{_count(count).capitalize()} LEDs; a 1 lights one."),
        ),
        pads,
    )


def rgb_led(red: str, green: str, blue: str, *, active_low: bool = False) -> Peripheral:
    """A coloured LED: ``rgb``, bit 0 red, bit 1 green, bit 2 blue; a 1 lights."""
    wires = (Wire("", "rgb", 3, "o"),)
    doc = "A coloured LED: bit 0 is red, bit 1 green, bit 2 blue; a 1 lights."
    return Peripheral((Resource("rgb", wires, doc),), (Pads("rgb", (red, green, blue), "o", active_low),))


def buttons(*pins: str, count: int = 0, active_low: bool = False, pull_up: bool = False) -> Peripheral:
    """Buttons that are 1 while pressed: ``buttons``, and ``button`` for the first of them."""
    count = len(pins) or count
    pads = (Pads("buttons", pins, "i", active_low, pull_up),) if pins else ()
    if count == 1:
        only = Resource("button", (Wire("", "buttons", 1, "i"),), "The board's button; 1 while pressed.")
        return Peripheral((only, Resource("buttons", only.wires, "The same as button.")), pads)
    return Peripheral(
        (
            Resource("button", (Wire("", "buttons", 1, "i"),), f"The first of the {_count(count)} buttons."),
            Resource(
                "buttons", (Wire("", "buttons", count, "i"),), f"{_count(count).capitalize()} buttons; 1 while pressed."
            ),
        ),
        pads,
    )


def switches(*pins: str, count: int = 0, active_low: bool = False, pull_up: bool = False) -> Peripheral:
    """Switches that are 1 when on: ``switches``."""
    count = len(pins) or count
    doc = f"{_count(count).capitalize()} switches; 1 when on."
    pads = (Pads("switches", pins, "i", active_low, pull_up),) if pins else ()
    return Peripheral((Resource("switches", (Wire("", "switches", count, "i"),), doc),), pads)


def pmod(*pins: str, count: int = 0, name: str = "pmod") -> Peripheral:
    """Free pins, inputs or outputs as the design's port says: ``pmod``, or another name where there are several."""
    count = len(pins) or count
    wires = (
        Wire("i", f"{name}_i", count, "i"),
        Wire("o", f"{name}_o", count, "o"),
        Wire("oe", f"{name}_oe", count, "o"),
    )
    doc = f"{_count(count).capitalize()} free pins; inputs or outputs as the design's port says."
    return Peripheral((Resource(name, wires, doc),), (Pads(name, pins, "io"),) if pins else ())


def console(tx: str = "", rx: str = "") -> Peripheral:
    """A serial line besides the bridge's own: ``uart``. Pins as the device sees them."""
    wires = (Wire("tx", "console_tx", 1, "o"), Wire("rx", "console_rx", 1, "i"))
    resource = Resource("uart", wires, "The console: a serial line besides the bridge's own.")
    pads = (Pads("console_tx", (tx,), "o"), Pads("console_rx", (rx,), "i", pull_up=True)) if tx else ()
    return Peripheral((resource,), pads)


def _count(number: int) -> str:
    return _COUNTS[number] if number < len(_COUNTS) else str(number)
