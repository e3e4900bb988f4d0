"""What a design shows to the outside, in words that hold for Amaranth and Verilog alike."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.manifest import Field
from jupyter_fpga.gateware.targets import Resource, Target, Wire

from ._source import Source

__all__ = ("WISHBONE_PORTS", "Port", "Wired", "WishboneBus", "flat_wishbone", "resource_wires", "wire_up")

Direction = Literal["i", "o"]

#: A Wishbone slave's signals: direction as the slave sees it, and width where it is fixed.
WISHBONE_PORTS: dict[str, tuple[Direction, int | None]] = {
    "adr": ("i", None),
    "dat_w": ("i", 32),
    "dat_r": ("o", 32),
    "sel": ("i", 4),
    "cyc": ("i", 1),
    "stb": ("i", 1),
    "we": ("i", 1),
    "ack": ("o", 1),
}

_WORDS = {"i": "in", "o": "out"}


@dataclass
class Port:
    """One port of the design, or an array of equal ones.

    Parameters
    ----------
    values
        The Amaranth values to connect to, one for each element.
    array
        The port was declared as an array, if only of one element.
    """

    name: str
    direction: Direction
    width: int
    values: list[Any]
    signed: bool = False
    init: int = 0
    doc: str = ""
    line: int | None = None
    fields: list[Field] = field(default_factory=list)
    enum: dict[str, int] | None = None
    array: bool = False


@dataclass
class WishboneBus:
    """A Wishbone slave of the design.

    Parameters
    ----------
    signals
        Amaranth values by the names in :data:`WISHBONE_PORTS`.
    """

    name: str
    signals: dict[str, Any]
    doc: str = ""
    line: int | None = None

    @property
    def address_bits(self) -> int:
        return len(self.signals["adr"])

    @property
    def words(self) -> int:
        return 1 << self.address_bits


@dataclass
class Wired:
    """A port of the design on pins of the board: ``wire`` says which."""

    port: Port
    resource: Resource
    wire: Wire


def check_bus(bus: WishboneBus, directions: dict[str, Direction], prefix: str, target: Target, source: Source) -> None:
    """Refuse a bus whose signals have another direction or width than a slave of the window has.

    Raises
    ------
    DesignError
        ``bad_wishbone``.
    """
    most = (target.window.size // 4).bit_length() - 1
    for name, (direction, width) in WISHBONE_PORTS.items():
        have, bits = directions[name], len(bus.signals[name])
        if have != direction:
            problem = f"{_WORDS[have]}, and a Wishbone slave has it {_WORDS[direction]}"
        elif width is not None and bits != width:
            problem = f"{bits} bit{'s' * (bits != 1)} wide, and the lab's bus has {width}"
        elif width is None and bits > most:
            problem = f"{bits} bits wide, and the window of the target {target.name} has room for {most} (1 MiB)"
        else:
            continue
        raise _at(f"{prefix}{name} is {problem}.", "bad_wishbone", bus.line, source)


def flat_wishbone(ports: Sequence[Port], target: Target, source: Source) -> tuple[WishboneBus | None, list[Port]]:
    """The bus that ports called ``wb_adr`` … make, and the other ports.

    Raises
    ------
    DesignError
        ``bad_wishbone``: only some of the signals are there, or one doesn't fit.
    """
    flat = {port.name: port for port in ports if port.name.removeprefix("wb_") in WISHBONE_PORTS}
    flat = {name: port for name, port in flat.items() if name.startswith("wb_")}
    if not flat:
        return None, list(ports)
    missing = [f"wb_{name}" for name in WISHBONE_PORTS if f"wb_{name}" not in flat]
    line = next(iter(flat.values())).line
    if missing:
        raise _at(
            f"The design has {', '.join(flat)}, and a Wishbone slave needs {', '.join(missing)} as well.",
            "bad_wishbone",
            line,
            source,
        )
    signals = {name: flat[f"wb_{name}"].values[0] for name in WISHBONE_PORTS}
    directions = {name: flat[f"wb_{name}"].direction for name in WISHBONE_PORTS}
    bus = WishboneBus("wb", signals, flat["wb_adr"].doc, line)
    check_bus(bus, directions, "wb_", target, source)
    return bus, [port for port in ports if port.name not in flat]


def resource_wires(target: Target) -> dict[str, tuple[Resource, tuple[Wire, ...]]]:
    """Every name that a port on pins may have, and the wires it may mean.

    A resource of several wires is also reached wire by wire, as ``uart_tx``; one with ``i`` and ``o`` by its own name
    in either direction.
    """
    names: dict[str, tuple[Resource, tuple[Wire, ...]]] = {}
    for resource in target.resources.values():
        both_ways = tuple(wire for wire in resource.wires if wire.name in ("", "i", "o"))
        if both_ways:
            names[resource.name] = (resource, both_ways)
        for wire in resource.wires:
            if wire.name:
                names[f"{resource.name}_{wire.name}"] = (resource, (wire,))
    return names


def wire_up(ports: Sequence[Port], target: Target, source: Source) -> list[Wired]:
    """The ports that have the name of a resource, with the pins that they get.

    Raises
    ------
    DesignError
        ``resource_mismatch``: another width or direction than the resource has.
        ``pin_clash``: two outputs on one pin.
    """
    names = resource_wires(target)
    wired: list[Wired] = []
    for port in ports:
        if port.name not in names:
            continue
        resource, wires = names[port.name]
        fitting = [wire for wire in wires if (wire.direction, wire.width) == (port.direction, port.width)]
        if not fitting or port.array:
            has = " or ".join(f"{wire.width} bit{'s' * (wire.width != 1)} {_WORDS[wire.direction]}" for wire in wires)
            is_ = f"{port.width} bit{'s' * (port.width != 1)} {_WORDS[port.direction]}"
            is_ = f"an array of {len(port.values)} × {is_}" if port.array else is_
            raise _at(
                f"The port {port.name} is {is_}, and the resource {resource.name} of the target {target.name} is "
                f"{has}; change the port, or give it another name to have a register instead.",
                "resource_mismatch",
                port.line,
                source,
            )
        wired.append(Wired(port, resource, fitting[0]))
    _check_pins(wired, source)
    return wired


def _check_pins(wired: Sequence[Wired], source: Source) -> None:
    for index, one in enumerate(wired):
        for other in wired[:index]:
            a, b = one.wire, other.wire
            overlap = a.lsb < b.lsb + b.width and b.lsb < a.lsb + a.width
            if a.port == b.port and a.direction == "o" and overlap:
                raise _at(
                    f"The ports {other.port.name} and {one.port.name} both drive {a.port}[{max(a.lsb, b.lsb)}]; "
                    "keep one of them.",
                    "pin_clash",
                    one.port.line,
                    source,
                )


def check_names(ports: Sequence[Port], buses: Sequence[WishboneBus], source: Source) -> None:
    """Refuse two ports that would be the same register.

    Raises
    ------
    DesignError
        ``name_clash``.
    """
    seen: set[str] = set()
    for name, line in [*((port.name, port.line) for port in ports), *((bus.name, bus.line) for bus in buses)]:
        if name in seen:
            raise _at(
                f"Two ports of the design are both called {name} outside (an interface's members are joined to "
                "its name by _); rename one of them.",
                "name_clash",
                line,
                source,
            )
        seen.add(name)


def _at(message: str, code: str, line: int | None, source: Source) -> DesignError:
    return DesignError(
        message,
        code=code,
        file=source.entry if line else None,
        line=line,
        text=source.line_text(source.entry, line),
    )
