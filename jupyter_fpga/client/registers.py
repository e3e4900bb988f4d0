"""A design's registers by name: attributes that read and write the board, complete with Tab, and show as a table."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jupyter_fpga.gateware import manifest as layout
from jupyter_fpga.gateware.manifest import from_words, to_words

from . import ports
from .arithmetic import Arithmetic
from .errors import Invalid, LabError
from .loop import blocking, loop, on_the_loop
from .names import Named
from .ports import Operation, Port
from .register_tables import COLUMNS, elements, register_rows, registers_table
from .tables import html_table, text_table
from .values import decode, encode, encode_fields, field_value, find_field

__all__ = ("Register", "RegisterArray", "Registers", "reading", "writing")


def reading(info: layout.Register, what: str) -> Operation:
    """The operation that reads ``info``, an array's element 0."""
    if info.access == "wo":
        raise Invalid(f"{what} can only be written.", code="write_only")
    return ports.read(info.offset, info.words)


def writing(info: layout.Register, value: Any, what: str, before: int | None = None) -> Operation:
    """The operation that writes ``value``, a number or a dict of fields; ``before`` are the bits it has now."""
    if info.access == "ro":
        raise Invalid(f"{what} can only be read: it is an output of the design.", code="read_only")
    if isinstance(value, Mapping):
        if before is None and {part.name for part in info.fields} > set(value):
            missing = ", ".join(part.name for part in info.fields if part.name not in value)
            raise Invalid(
                f"{what} can't be changed in part here, since that needs a read first; give {missing} as well.",
                code="needs_a_read",
            )
        bits = encode_fields(info, value, before or 0, what)
    else:
        bits = encode(info, value, what)
    return ports.write(info.offset, to_words(bits, info.words))


class Register(Arithmetic):
    """One register of a programmed board.

    ``register.value`` reads and writes it; so do :meth:`read` and :meth:`write`, and their twins :meth:`aread` and
    :meth:`awrite`. Its fields are attributes: ``regs.status.done`` reads one, ``regs.control.enable = 1`` reads the
    register, changes those bits and writes it. In a comparison, a condition or as an index it stands for its value.

    Parameters
    ----------
    port
        The way to the board.
    info
        The register in the manifest; :attr:`info` afterwards.
    label
        How messages call it.
    """

    def __init__(self, port: Port, info: layout.Register, label: str | None = None) -> None:
        vars(self).update(_port=port, info=info, _what=f"Register “{label or info.name}”")

    _port: Port
    info: layout.Register
    _what: str

    @on_the_loop
    async def aread(self) -> int:
        """The value now: a number, signed where the design's is, with its name where it has one."""
        return decode(self.info, await self._bits())

    @on_the_loop
    async def awrite(self, value: Any) -> None:
        """Write a number, a name of the register's enum, or a dict of fields.

        Raises
        ------
        Invalid
            The value doesn't fit; nothing was written.
        """
        before = None
        if isinstance(value, Mapping) and self.info.access == "rw" and {f.name for f in self.info.fields} > set(value):
            before = await self._bits()
        await self._port.run([writing(self.info, value, self._what, before)])

    @on_the_loop
    async def afield(self, name: str) -> int:
        """The value of one field."""
        return field_value(find_field(self.info, name, self._what), await self._bits())

    read = blocking(aread)
    write = blocking(awrite)

    async def _bits(self) -> int:
        (words,) = await self._port.run([reading(self.info, self._what)])
        return from_words(words)

    @property
    def value(self) -> Any:
        """The value now; assigning writes it."""
        return self.read()

    @value.setter
    def value(self, value: Any) -> None:
        self.write(value)

    def __getitem__(self, name: str) -> int:
        return loop.call(self.afield, name)

    def __setitem__(self, name: str, value: Any) -> None:
        find_field(self.info, name, self._what)
        self.write({name: value})

    def __getattr__(self, name: str) -> int:
        if name.startswith("_"):
            raise AttributeError(name)
        return loop.call(self.afield, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "value":
            self.write(value)
        else:
            self[name] = value

    def __dir__(self) -> list[str]:
        return ["aread", "awrite", "info", "read", "value", "write", *(part.name for part in self.info.fields)]

    def __index__(self) -> int:
        return int(self.read())

    __int__ = __index__

    def __bool__(self) -> bool:
        return bool(self.read())

    def __eq__(self, other: object) -> bool:
        return bool(self.read() == _plain(other))

    def __lt__(self, other: Any) -> bool:
        return bool(self.read() < _plain(other))

    def __le__(self, other: Any) -> bool:
        return bool(self.read() <= _plain(other))

    def __gt__(self, other: Any) -> bool:
        return bool(self.read() > _plain(other))

    def __ge__(self, other: Any) -> bool:
        return bool(self.read() >= _plain(other))

    __hash__ = object.__hash__

    def _rows(self, bits: int | None) -> list[list[str]]:
        return register_rows(self.info, bits)

    def _shown(self) -> tuple[list[list[str]], str]:
        if self.info.side_effects or self.info.access == "wo":
            return self._rows(None), ""
        try:
            return self._rows(loop.call(self._bits)), ""
        except LabError as error:
            return self._rows(None), f"Not read: {error}"

    def __repr__(self) -> str:
        rows, note = self._shown()
        return text_table(COLUMNS, rows) + (f"\n{note}" if note else "")

    def _repr_html_(self) -> str:
        rows, note = self._shown()
        return html_table(COLUMNS, rows, note)


def _plain(other: Any) -> Any:
    return other.read() if isinstance(other, Register) else other


class RegisterArray:
    """Equal registers one after the other: ``regs.coef[3]`` is one of them, ``regs.coef.values`` all their values."""

    def __init__(self, port: Port, info: layout.Register) -> None:
        self._port = port
        self.info = info
        self._elements = [Register(port, element, element.name) for element in elements(info)]

    def __len__(self) -> int:
        return len(self._elements)

    def __iter__(self) -> Iterator[Register]:
        return iter(self._elements)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._elements[index]
        try:
            return self._elements[index]
        except IndexError:
            raise Invalid(
                f"Register array “{self.info.name}” has elements 0 to {len(self) - 1}; got {index}.",
                code="no_such_element",
            ) from None

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            loop.call(self._put, self._elements[index], list(value))
        else:
            self[index].write(value)

    async def _put(self, chosen: Sequence[Register], values: Sequence[Any]) -> None:
        if len(values) != len(chosen):
            raise Invalid(
                f"Register array “{self.info.name}” takes {len(chosen)} values here; got {len(values)}.",
                code="wrong_length",
            )
        await self._port.run([writing(r.info, value, r._what) for r, value in zip(chosen, values, strict=True)])

    @on_the_loop
    async def aread(self) -> list[int]:
        """The values of all elements, in one trip."""
        answers = await self._port.run([reading(r.info, r._what) for r in self._elements])
        return [decode(self.info, from_words(words)) for words in answers]

    @on_the_loop
    async def awrite(self, values: Sequence[Any]) -> None:
        """Write all elements, in one trip."""
        await self._put(self._elements, list(values))

    read = blocking(aread)
    write = blocking(awrite)

    @property
    def values(self) -> list[int]:
        """The values of all elements; assigning a list writes them."""
        return self.read()

    @values.setter
    def values(self, values: Sequence[Any]) -> None:
        self.write(values)

    def __dir__(self) -> list[str]:
        return ["aread", "awrite", "info", "read", "values", "write"]

    def __repr__(self) -> str:
        return registers_table([self.info], self._port)

    def _repr_html_(self) -> str:
        return registers_table([self.info], self._port, html=True)


class Registers(Named[Any]):
    """All registers of a programmed board, as attributes.

    ``regs.duty = 40`` writes, ``regs.duty`` is a :class:`Register`, or a :class:`RegisterArray`. A name that isn't a
    Python identifier is reached as ``regs["…"]``. Shown, it is a table with the values that can be read without
    changing anything.
    """

    _kind = "register"

    def __init__(self, port: Port, registers: Sequence[layout.Register]) -> None:
        known = {info.name: RegisterArray(port, info) if info.array else Register(port, info) for info in registers}
        super().__init__(known)
        vars(self).update(_port=port)

    _port: Port

    def __setitem__(self, name: str, value: Any) -> None:
        self[name].write(value)

    def __setattr__(self, name: str, value: Any) -> None:
        self[name].write(value)

    def __repr__(self) -> str:
        return registers_table([entry.info for entry in self], self._port)

    def _repr_html_(self) -> str:
        return registers_table([entry.info for entry in self], self._port, html=True)
