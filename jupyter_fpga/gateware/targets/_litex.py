"""Any board that the package ``litex_boards`` has a platform for, as a target.

What a platform says is what is known: its device, its default clock, ``serial``, and LEDs, buttons and switches under
the names that most platforms use. A LED or button is active low if its name ends in ``_n``. Connectors called PMOD are
free pins. LiteX is imported only when such a target is asked for.
"""

import contextlib
import functools
import importlib
import importlib.util
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jupyter_fpga.gateware.errors import DesignError

from ._litex_device import VENDORS, device_of, has_pll
from ._peripherals import buttons, leds, pmod, switches
from ._target import Oscillator, Peripheral, Pull, Serial, Target

__all__ = ("PREFIX", "Board", "Reference", "litex_target", "read_board")

PREFIX = "litex:"

_KINDS = (
    (leds, re.compile(r"(?:user_|gpio_)?leds?(_n)?")),
    (buttons, re.compile(r"(?:user_|usr_)?(?:btn|button)s?(_n)?")),
    (switches, re.compile(r"(?:user_|gpio_)?(?:sw|switch|switches|dip_btn)(_n)?")),
)
"""What is what, by the name in the platform."""

_COMPASS = re.compile(r"user_btn_?[cnsewudlr]")
"""Five buttons around each other, where ``user_btn_n`` is the northern one."""

#: Hz. The base SoC meets its timing there on every device, with some room for a design.
_MAX_CLOCK = {"ice40": 48_000_000, "ecp5": 80_000_000, "gowin": 54_000_000, "vendor": 100_000_000}
_MAX_CLOCK_UP5K = 24_000_000
_MIN_CLOCK = 8_000_000
#: Hz. The least that the PLL of an iCE40 makes.
_MIN_CLOCK_ICE40 = 16_000_000


#: The lab's own SoC takes about 950 logic cells of an iCE40, 1,200 to 1,900 LUTs of a Gowin device, and one block RAM.
_TOO_SMALL = ("lp384", "GW1N-LV1", "GW1N-UV1")


@dataclass(frozen=True)
class Reference:
    """Where a signal is in a LiteX platform: what to request, and which part and bit of it."""

    name: str
    number: int
    part: str | None = None
    bit: int | None = None


@dataclass(frozen=True)
class Board:
    """A LiteX platform and the target made of it.

    Parameters
    ----------
    references
        For each port of ``lab_top`` without its ``pad_``, where its bits are in the platform.
    """

    platform: Any
    target: Target
    references: dict[str, list[Reference]]


@dataclass(frozen=True)
class _Pin:
    """One pin of a resource of a platform."""

    reference: Reference
    pin: str
    io_standard: str
    pull: Pull
    inverted: bool


@functools.cache
def litex_target(name: str) -> Target:
    """The target for the platform ``name`` of ``litex_boards``.

    Raises
    ------
    DesignError
        ``unknown_target`` or ``unsupported_target``.
    """
    return read_board(name).target


def read_board(name: str) -> Board:
    """A platform of ``litex_boards``, made anew.

    Raises
    ------
    DesignError
        ``unknown_target``: ``litex_boards`` isn't there, or has no such platform; ``unsupported_target``: the platform
        has no clock, no serial line, or something else that the lab needs.
    """
    platform = _platform(name)
    device = device_of(platform)
    if device.family == "vendor" and device.vendor not in VENDORS:
        raise _unsupported(name, f"LiteX builds for it with its {device.vendor}, which the lab doesn't run")
    if device.part.startswith(_TOO_SMALL):
        raise _unsupported(name, f"its device, {platform.device}, is too small for the lab's own SoC")
    pins = _pins(platform)
    clock, frequency = _clock(name, platform, pins)
    serial = pins.get(("serial", 0), {})
    if not {"rx", "tx"} <= serial.keys():
        raise _unsupported(name, "its platform has no serial line (serial with rx and tx), which the lab reaches it by")
    rx, tx = serial["rx"][0], serial["tx"][0]
    references = {"clk": [clock.reference], "serial_rx": [rx.reference], "serial_tx": [tx.reference]}
    peripherals = []
    used = {clock.pin, rx.pin, tx.pin}
    for peripheral, found in [*_simple(pins, used), *_pmods(platform, used)]:
        peripherals.append(peripheral)
        references.update({pads.port: [pin.reference for pin in found] for pads in peripheral.pads if found})
    limit = _MAX_CLOCK_UP5K if device.part == "up5k" else _MAX_CLOCK[device.family]
    least = _MIN_CLOCK_ICE40 if device.family == "ice40" else _MIN_CLOCK
    slower = [frequency >> shift for shift in range(8)]
    clock_hz = next((hz for hz in slower if hz <= limit), 0)
    pll = has_pll(device, frequency)
    if clock_hz < _MIN_CLOCK or (clock_hz != frequency and not pll):
        raise _unsupported(
            name, f"the lab can't make a clock of 8 to {limit / 1e6:g} MHz from its {frequency / 1e6:g} MHz"
        )
    target = Target(
        name=f"{PREFIX}{name}",
        doc=f"LiteX's platform {name} ({platform.device})",
        clock_hz=clock_hz,
        min_clock_hz=min([clock_hz, *(hz for hz in slower if hz >= least)]) if pll else clock_hz,
        max_clock_hz=limit if pll else clock_hz,
        device=device,
        oscillator=Oscillator(
            clock.pin,
            frequency,
            pll_pad=(device.part, device.package, clock.pin) == ("up5k", "sg48", "35"),
            io_standard=clock.io_standard,
        ),
        serial=Serial(rx=rx.pin, tx=tx.pin, io_standard=rx.io_standard),
        peripherals=tuple(peripherals),
    )
    return Board(platform, target, references)


def _platform(name: str) -> Any:
    if importlib.util.find_spec("litex_boards") is None:
        raise DesignError(
            f"The target {PREFIX}{name} is a platform of litex-boards, which isn't installed; "
            "pip install 'jupyter-fpga[litex-boards]' brings it.",
            code="unknown_target",
        )
    module = f"litex_boards.platforms.{name}"
    if not re.fullmatch(r"\w+", name) or importlib.util.find_spec(module) is None:
        raise DesignError(
            f"litex-boards has no platform {name!r}; its platforms are the files in litex_boards/platforms.",
            code="unknown_target",
        )
    # Platforms print what they think of the installation, and fail in every way there is.
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return importlib.import_module(module).Platform()
    except AttributeError:
        raise _unsupported(name, "its file has no platform of its own, but extends another one's") from None
    except Exception as error:
        reason = str(error).strip().partition("\n")[0].rstrip(":,. ") or type(error).__name__
        raise _unsupported(name, f"LiteX can't make its platform ({reason})") from None


def _unsupported(name: str, reason: str) -> DesignError:
    return DesignError(f"The lab can't use the target {PREFIX}{name}: {reason}.", code="unsupported_target")


def _pins(platform: Any) -> dict[tuple[str, int], dict[str | None, list[_Pin]]]:
    """Name and number → part (None where it has none) → pins, of everything that the platform has."""
    found = {}
    for name, number, *elements in platform.constraint_manager.available:
        parts = [element for element in elements if hasattr(element, "constraints")]
        common = [element for element in elements if not hasattr(element, "constraints")]
        by_part: dict[str | None, list[_Pin]] = {}
        for part, constraints in [(part.name, [*common, *part.constraints]) for part in parts] or [(None, common)]:
            by_part[part] = list(_pins_of(platform, Reference(name, number, part), constraints))
        found[name, number] = by_part
    return found


def _pins_of(platform: Any, reference: Reference, constraints: list[Any]) -> Iterator[_Pin]:
    identifiers: list[str] = []
    standard, pull, inverted = "", "", False
    for constraint in constraints:
        kind = type(constraint).__name__
        if kind == "Pins":
            with contextlib.suppress(AssertionError, TypeError, ValueError):
                identifiers = platform.constraint_manager.connector_manager.resolve_identifiers(constraint.identifiers)
        elif kind == "IOStandard":
            standard = constraint.name
        elif kind == "Inverted":
            inverted = True
        elif kind == "Misc" and "PULL" in str(constraint.misc):
            pull = "up" if "UP" in str(constraint.misc) else "down" if "DOWN" in str(constraint.misc) else ""
    single = len(identifiers) == 1
    for bit, pin in enumerate(identifiers):
        where = reference if single else Reference(reference.name, reference.number, reference.part, bit)
        yield _Pin(where, pin, standard, pull, inverted)  # type: ignore[arg-type]


def _clock(name: str, platform: Any, pins: dict[tuple[str, int], dict[str | None, list[_Pin]]]) -> tuple[_Pin, int]:
    """The pin of the default clock (of its positive half, where it has two), and Hz."""
    wanted = getattr(platform, "default_clk_name", None)
    parts = next((parts for (found, _), parts in pins.items() if found == wanted), None)
    if wanted is None or parts is None:
        raise _unsupported(name, "its platform says nothing of a clock that is there without a CPU")
    found = parts.get(None) or parts.get("p")
    if not found:
        raise _unsupported(name, f"its clock {wanted} is neither one pin nor a pair")
    return found[0], round(1e9 / platform.default_clk_period)


def _simple(
    pins: dict[tuple[str, int], dict[str | None, list[_Pin]]], used: set[str]
) -> Iterator[tuple[Peripheral, list[_Pin]]]:
    """LEDs, buttons and switches."""
    names = list(dict.fromkeys(name for name, _ in pins))
    compass = [name for name in names if _COMPASS.fullmatch(name)]
    for make, pattern in _KINDS:
        group = next(([name] for name in names if pattern.fullmatch(name)), [])
        around = make is buttons and len(compass) > 1
        group = compass if around else group
        found = [pin for (name, _), parts in pins.items() if name in group for pin in parts.get(None, ())]
        found = [pin for pin in found if pin.pin != "X" and pin.pin not in used]
        if not found:
            continue
        used.update(pin.pin for pin in found)
        low = found[0].inverted or (group[0].endswith("_n") and not around)
        pulls = {pin.pull for pin in found}
        options: dict[str, Any] = {"active_low": low, "io_standard": tuple(pin.io_standard for pin in found)}
        if make is not leds and len(pulls) == 1:
            options["pull"] = pulls.pop()
        yield make(*(pin.pin for pin in found), **options), found


def _pmods(platform: Any, used: set[str]) -> Iterator[tuple[Peripheral, list[_Pin]]]:
    """Connectors with eight free pins."""
    names = iter(("pmod", "pmod_b"))
    for connector, pins in platform.constraint_manager.connector_manager.connector_table.items():
        if "pmod" not in connector.lower() or isinstance(pins, dict):
            continue
        free = [pin for pin in pins if pin and pin != "-" and ":" not in pin]
        if len(set(free)) != 8 or set(free) & used:
            continue
        name = next(names, None)
        if name is None:
            return
        used.update(free)
        yield pmod(*free, name=name), []
