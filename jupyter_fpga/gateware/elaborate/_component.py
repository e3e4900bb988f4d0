"""Form 1: the ports of an Amaranth component, and what their shapes say."""

import enum
from dataclasses import replace
from typing import Any

from amaranth.hdl import Shape, Value
from amaranth.lib import data, stream, wiring

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.manifest import Access, Field
from jupyter_fpga.gateware.targets import Target

from ._docs import Mention
from ._ports import WISHBONE_PORTS, Direction, Port, WishboneBus, check_bus
from ._source import Source

__all__ = ("component_ports", "shape_fields")

_DIRECTION: dict[Any, Direction] = {wiring.In: "i", wiring.Out: "o"}


def component_ports(
    component: Any, target: Target, mentioned: dict[str, Mention], source: Source
) -> tuple[list[Port], list[WishboneBus]]:
    """The ports of a component and its Wishbone slaves, in the order of declaration.

    Raises
    ------
    DesignError
        ``not_supported``: a stream, or a Wishbone initiator. ``bad_wishbone``, ``empty_port``.
    """
    reader = _Reader(target, mentioned, source)
    reader.read(component.signature, component, (), None)
    return reader.ports, reader.buses


class _Reader:
    def __init__(self, target: Target, mentioned: dict[str, Mention], source: Source) -> None:
        self._target = target
        self._mentioned = mentioned
        self._source = source
        self.ports: list[Port] = []
        self.buses: list[WishboneBus] = []

    def read(self, signature: Any, interface: Any, path: tuple[str, ...], above: Mention | None) -> None:
        """Go through the members. Those of an interface already have the direction that the component sees."""
        for name, member in signature.members.items():
            mention = above or self._mentioned.get(name)
            value = getattr(interface, name)
            if member.is_port:
                self._port((*path, name), member, value, mention)
            else:
                for suffix, element in _elements(value, member.dimensions):
                    self._interface((*path, name + suffix), member, element, mention)

    def _interface(self, path: tuple[str, ...], member: Any, value: Any, mention: Mention | None) -> None:
        name = "_".join(path)
        signature = member.signature
        line = mention.line if mention else None
        if isinstance(signature, stream.Signature) or _is_flipped_stream(signature):
            raise self._error(
                f"The port {name} is a stream, which the lab doesn't take yet; "
                "give the design ports for data, valid and ready instead.",
                "not_supported",
                line,
            )
        members = signature.members
        missing = [wire for wire in WISHBONE_PORTS if wire not in members]
        if missing:
            if "cyc" in members and "stb" in members:
                raise self._error(
                    f"The port {name} looks like a Wishbone bus, but has no {', '.join(missing)}; "
                    f"a slave has {', '.join(WISHBONE_PORTS)}.",
                    "bad_wishbone",
                    line,
                )
            self.read(signature, value, path, mention)
            return
        if _DIRECTION[members["adr"].flow] == "o":
            raise self._error(
                f"The port {name} is a Wishbone initiator, and the window has nothing for it to talk to; "
                "declare it In(…) to be a slave.",
                "not_supported",
                line,
            )
        signals = {wire: Value.cast(getattr(value, wire)) for wire in members}
        bus = WishboneBus(name, signals, mention.doc if mention else "", line)
        directions = {wire: _DIRECTION[members[wire].flow] for wire in members}
        check_bus(bus, directions, f"{name}.", self._target, self._source)
        self.buses.append(bus)

    def _port(self, path: tuple[str, ...], member: Any, value: Any, mention: Mention | None) -> None:
        shape = Shape.cast(member.shape)
        fields, names = shape_fields(member.shape)
        direction = _DIRECTION[member.flow]
        access: Access = "rw" if direction == "i" else "ro"
        base = Port(
            name="_".join(path),
            direction=direction,
            width=shape.width,
            values=[],
            signed=shape.signed,
            doc=mention.doc if mention else "",
            line=mention.line if mention else None,
            fields=[_with_access(field, access) for field in fields],
            enum=names,
        )
        if shape.width == 0:
            raise self._error(
                f"The port {base.name} has no bits; give it a width of at least 1.", "empty_port", base.line
            )
        # The last dimension is an array of registers; those above it become part of the name.
        *outer, length = member.dimensions or (None,)
        for suffix, row in _elements(value, outer):
            values = [Value.cast(item) for item in (row if length is not None else [row])]
            if values:
                init = getattr(values[0], "init", 0) & ((1 << shape.width) - 1)
                name = base.name + suffix
                self.ports.append(replace(base, name=name, values=values, init=init, array=length is not None))

    def _error(self, message: str, code: str, line: int | None) -> DesignError:
        return DesignError(
            message,
            code=code,
            file=self._source.entry if line else None,
            line=line,
            text=self._source.line_text(self._source.entry, line),
        )


def _elements(value: Any, dimensions: Any) -> list[tuple[str, Any]]:
    """The elements of a nested list, each with its indices as the end of a name (``_0_1``)."""
    if not dimensions:
        return [("", value)]
    first, *rest = dimensions
    return [
        (f"_{index}{suffix}", element) for index in range(first) for suffix, element in _elements(value[index], rest)
    ]


def _is_flipped_stream(signature: Any) -> bool:
    return isinstance(signature, wiring.FlippedSignature) and isinstance(signature.flip(), stream.Signature)


def _with_access(field: Field, access: Access) -> Field:
    return Field(field.name, field.lsb, field.width, field.doc, field.signed, field.enum, access)


def shape_fields(shape: Any) -> tuple[list[Field], dict[str, int] | None]:
    """Fields and enumeration of a shape: a struct has the first, an enumeration the second, a number neither."""
    names = _enumeration(shape)
    if names is not None:
        return [], names
    layout = _layout(shape)
    return (_layout_fields(layout, "", 0) if layout is not None else []), None


def _enumeration(shape: Any) -> dict[str, int] | None:
    if isinstance(shape, enum.EnumType):
        members: dict[str, Any] = dict(shape.__members__)
        return {name: int(Value.cast(member).value) for name, member in members.items()}
    return None


def _layout(shape: Any) -> Any:
    if isinstance(shape, Shape | int | range) or not hasattr(shape, "as_shape"):
        return None
    try:
        return data.Layout.cast(shape)
    except TypeError:
        return None


def _layout_fields(layout: Any, prefix: str, base: int) -> list[Field]:
    found: list[Field] = []
    for key, part in layout:
        name = f"{prefix}{key}" if isinstance(key, str) else f"{prefix or 'item_'}{key}"
        inner = _layout(part.shape)
        if inner is not None:
            found += _layout_fields(inner, f"{name}_", base + part.offset)
        elif part.width:
            signed = Shape.cast(part.shape).signed
            found.append(Field(name, base + part.offset, part.width, "", signed, _enumeration(part.shape)))
    return found
