"""Gives every port its place in the window.

The rule: registers are packed from offset 0 in the order of their declaration, each in as many 32-bit words as its
width needs, the most significant word first; the elements of an array follow one another. A Wishbone slave comes after
them, at the next offset that is a multiple of its own size (a power of two). Ports that are called ``wb_…`` themselves
(form 2) are the exception: that slave is at offset 0, and registers, if there are any, come after it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.manifest import Array, Memory, Register
from jupyter_fpga.gateware.targets import Target

from ._ports import Port, WishboneBus

__all__ = ("Layout", "lay_out", "words_of")


@dataclass
class Layout:
    """Ports and slaves with their places, in bytes from the start of the window."""

    registers: list[tuple[Port, Register]]
    buses: list[tuple[WishboneBus, Memory]]
    size: int


def words_of(width: int) -> int:
    """32-bit words that a register of ``width`` bits takes."""
    return (width + 31) // 32


def lay_out(
    ports: Sequence[Port],
    buses: Sequence[WishboneBus],
    target: Target,
    *,
    pins: Collection[str] = (),
    first: WishboneBus | None = None,
) -> Layout:
    """Place registers, then slaves; ``first`` before all of them.

    Parameters
    ----------
    pins
        Names of ports that the board drives or is driven by: their registers can only be read.

    Raises
    ------
    DesignError
        ``window_full``: they don't fit the target's window.
    """
    placed: list[tuple[WishboneBus, Memory]] = []
    offset = 0
    if first is not None:
        placed.append((first, _memory(first, 0)))
        offset = 4 * first.words
    registers: list[tuple[Port, Register]] = []
    for port in ports:
        register = _register(port, offset, port.direction == "i" and port.name not in pins)
        registers.append((port, register))
        offset += register.size
    for bus in buses:
        size = 4 * bus.words
        offset = -(-offset // size) * size
        placed.append((bus, _memory(bus, offset)))
        offset += size
    if offset > target.window.size:
        raise DesignError(
            f"The design's registers and buses need {offset} bytes of the bus, and the window of the target "
            f"{target.name} has {target.window.size}; make its Wishbone addresses or its arrays smaller.",
            code="window_full",
        )
    return Layout(registers, placed, offset)


def _register(port: Port, offset: int, writable: bool) -> Register:
    words = words_of(port.width)
    return Register(
        name=port.name,
        offset=offset,
        width=port.width,
        words=words,
        access="rw" if writable else "ro",
        reset=port.init,
        doc=port.doc,
        signed=port.signed,
        fields=port.fields,
        enum=port.enum,
        array=Array(len(port.values), 4 * words) if port.array else None,
    )


def _memory(bus: WishboneBus, offset: int) -> Memory:
    return Memory(bus.name, offset, bus.words, 32, "rw", bus.doc)
