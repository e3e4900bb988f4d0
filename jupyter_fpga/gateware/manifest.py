"""The manifest: what a build produced, as plain data.

This is the one module that the floors share with the workshop, so it imports nothing but the standard library. A
manifest travels as ``manifest.json``; :meth:`Manifest.to_json` and :meth:`Manifest.from_json` are exact inverses.
"""

import dataclasses
import json
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self

__all__ = (
    "EDGE_UNITS",
    "MANIFEST_VERSION",
    "TRIGGER_STEPS",
    "WORD_BITS",
    "Access",
    "Analyzer",
    "Array",
    "Control",
    "DesignWarning",
    "Field",
    "Form",
    "Manifest",
    "Memory",
    "Pin",
    "Probe",
    "Register",
    "Shape",
    "Window",
    "from_words",
    "to_words",
)

#: Grows when a reader of an older version could misunderstand what is written.
MANIFEST_VERSION = 1

#: Bits of a word of the bus.
WORD_BITS = 32
_WORD_MASK = (1 << WORD_BITS) - 1

#: What the bus may do with a register. A ``wo`` register answers a read with zero.
Access = Literal["rw", "ro", "wo"]

#: Which form of the design contract the design has; ``base`` is the lab's own SoC with an empty window.
Form = Literal["amaranth_component", "wishbone", "litex_module", "litex_soc", "verilog", "base"]


class _Data:
    """Conversion of a dataclass of plain data from and to what :mod:`json` knows."""

    def to_json(self) -> dict[str, Any]:
        """This record as dicts, lists, strings, numbers and None."""
        return dataclasses.asdict(self)  # type: ignore[call-overload, no-any-return]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The record that :meth:`to_json` wrote.

        Unknown keys are left out, so that an older reader takes a newer manifest of the same version; a key that is
        missing takes its default.

        Raises
        ------
        TypeError
            A value is of another kind, or one without a default is missing.
        """
        hints = typing.get_type_hints(cls)
        names = {f.name for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
        return cls(**{name: _decode(hints[name], value, name) for name, value in data.items() if name in names})


def _decode(hint: Any, value: Any, name: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        hint = next(option for option in arguments if option is not type(None))
        return None if value is None else _decode(hint, value, name)
    if hint is Any:
        return value
    if origin is typing.Literal:
        right = isinstance(value, str) and value in arguments
    elif origin is dict:
        right = isinstance(value, dict)
    elif origin is list:
        right = isinstance(value, list)
    elif issubclass(hint, _Data):
        right = isinstance(value, dict)
    else:
        # A boolean is an int to Python, and not to whoever reads a width.
        right = type(value) is hint
    if not right:
        raise TypeError(f"{name} is of another kind")
    if origin is dict:
        return {key: _decode(arguments[1], element, name) for key, element in value.items()}
    if origin is list:
        return [_decode(arguments[0], element, name) for element in value]
    return hint.from_json(value) if origin is None and issubclass(hint, _Data) else value


@dataclass(frozen=True)
class Window(_Data):
    """Where the design's own part of the bus is.

    Parameters
    ----------
    base
        Absolute byte address of the window's offset 0.
    size
        Bytes of the window that the design uses. An access at or beyond it is a bus error.
    """

    base: int
    size: int


@dataclass(frozen=True)
class Control(_Data):
    """Absolute byte addresses of the lab's own registers, the same in every design of a target.

    Parameters
    ----------
    scratch
        32-bit read-write register that nothing in the SoC looks at.
    bus_errors
        32-bit count of accesses that nobody acknowledged.
    cycles
        Cycle counter, 64 bits: the high word here, the low word 4 bytes on. Reading the high word latches the low.
    overflow
        Sticky flag: not zero when the UART bridge lost a received byte. Writing any value clears it.
    identifier
        First of ``identifier_words`` words, each with one character of the identifier in its low byte; ends with NUL.
    """

    scratch: int
    bus_errors: int
    cycles: int
    overflow: int
    identifier: int
    identifier_words: int


@dataclass(frozen=True)
class Field(_Data):
    """Some bits of a register that have a name of their own.

    Parameters
    ----------
    lsb, width
        Bits ``lsb … lsb + width - 1`` of the register's value, bit 0 being its least significant.
    enum
        Names and values, when the field holds one of a fixed set. Values are unsigned bit patterns unless ``signed``.
    """

    name: str
    lsb: int
    width: int
    doc: str = ""
    signed: bool = False
    enum: dict[str, int] | None = None
    access: Access = "rw"


class Shape(Protocol):
    """What registers, fields and memory words have in common."""

    @property
    def width(self) -> int: ...
    @property
    def signed(self) -> bool: ...
    @property
    def enum(self) -> dict[str, int] | None: ...


@dataclass(frozen=True)
class Array(_Data):
    """``length`` equal registers one after the other, each ``stride`` bytes after the one before."""

    length: int
    stride: int


@dataclass(frozen=True)
class Register(_Data):
    """One named register of the window, or an array of equal ones.

    Parameters
    ----------
    offset
        Bytes from the start of the window to the first word (of element 0).
    width
        Bits of the value.
    words
        32-bit words that the value takes: ``ceil(width / 32)``. The most significant word is at ``offset``, as LiteX
        has it. Reading the word at ``offset`` latches the others, so that words read in ascending order belong to one
        moment; written words are kept back until the last one is written, which sets all bits in one clock cycle.
    reset
        Value after reset, an unsigned bit pattern.
    side_effects
        Reading this register changes something, so nobody may poll it for show.
    enum
        Names and values, when the whole register is one of a fixed set.
    """

    name: str
    offset: int
    width: int
    words: int
    access: Access
    reset: int = 0
    doc: str = ""
    signed: bool = False
    side_effects: bool = False
    fields: list[Field] = field(default_factory=list)
    enum: dict[str, int] | None = None
    array: Array | None = None

    @property
    def size(self) -> int:
        """Bytes that the register, all elements included, takes in the window."""
        return self.array.length * self.array.stride if self.array else 4 * self.words


def to_words(bits: int, words: int) -> list[int]:
    """A register's value as the bus carries it: see ``words`` of :class:`Register`."""
    return [bits >> WORD_BITS * (words - 1 - index) & _WORD_MASK for index in range(words)]


def from_words(words: Sequence[int]) -> int:
    """The inverse of :func:`to_words`."""
    bits = 0
    for word in words:
        bits = bits << WORD_BITS | word
    return bits


@dataclass(frozen=True)
class Memory(_Data):
    """A part of the window that is addressed by word: a memory, or a Wishbone slave of the design.

    Parameters
    ----------
    offset
        Bytes from the start of the window to word 0.
    words
        32-bit words of the region.
    width
        Bits of each word that are there.
    """

    name: str
    offset: int
    words: int
    width: int
    access: Access
    doc: str = ""


@dataclass(frozen=True)
class Pin(_Data):
    """A port of the design that is wired to a resource of the target.

    Parameters
    ----------
    direction
        ``"i"`` into the design, ``"o"`` out of it.
    """

    resource: str
    port: str
    direction: Literal["i", "o"]
    width: int


#: Steps that an analyzer's trigger has room for, and edges that it can tell apart at a time.
TRIGGER_STEPS, EDGE_UNITS = 16, 2

#: Where an analyzer is on the CSR bus: the page after the lab's own.
_ANALYZER = 0xF000_1000


@dataclass(frozen=True)
class Probe(_Data):
    """A signal that an analyzer watches.

    Parameters
    ----------
    name
        As it was asked for, with dots between the levels of the hierarchy.
    lsb
        Its lowest bit among the probes.
    """

    name: str
    lsb: int
    width: int


@dataclass(frozen=True)
class Analyzer(_Data):
    """A LiteScope analyzer that was built in beside the design.

    Parameters
    ----------
    width
        Bits of a sample, a multiple of 32: ``EDGE_UNITS`` bits that tell edges, then the probes, then zeros.
    depth
        Samples.
    probes
        What is watched.
    """

    width: int
    depth: int
    probes: list[Probe] = field(default_factory=list)

    @property
    def room(self) -> int:
        """Bits of probes that it has room for."""
        return self.width - EDGE_UNITS

    @property
    def words(self) -> int:
        """32-bit words of a sample."""
        return self.width // WORD_BITS

    def registers(self) -> dict[str, tuple[int, int, Access]]:
        """Absolute byte address, 32-bit words and access of its registers, by LiteScope's names (2024.12)."""
        room = -(-self.room // WORD_BITS)
        sizes: list[tuple[str, int, Access]] = [
            *((f"edge{unit}_{name}", room, "rw") for unit in range(EDGE_UNITS) for name in ("rise", "fall")),
            ("mux_value", 1, "rw"),
            ("trigger_enable", 1, "rw"),
            ("trigger_done", 1, "ro"),
            ("trigger_mem_write", 1, "rw"),
            ("trigger_mem_mask", self.words, "rw"),
            ("trigger_mem_value", self.words, "rw"),
            ("trigger_mem_full", 1, "ro"),
            ("subsampler_value", 1, "rw"),
            ("storage_enable", 1, "rw"),
            ("storage_done", 1, "ro"),
            ("storage_length", 1, "rw"),
            ("storage_offset", 1, "rw"),
            ("storage_mem_level", 1, "ro"),
            ("storage_mem_data", 1, "ro"),
        ]
        found: dict[str, tuple[int, int, Access]] = {}
        address = _ANALYZER
        for name, words, access in sizes:
            found[name] = (address, words, access)
            address += 4 * words
        return found

    def to_csv(self, clock_hz: int) -> str:
        """The text of ``analyzer.csv``, which LiteScope's tools read."""
        lines = [f"config,None,data_width,{self.width}", f"config,None,depth,{self.depth}"]
        lines.append(f"config,None,samplerate,{clock_hz}")
        lines += [f"signal,0,edge{unit},1" for unit in range(EDGE_UNITS)]
        lines += [f"signal,0,{probe.name},{probe.width}" for probe in self.probes]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class DesignWarning(_Data):
    """Something that the person should know about their design, with the place in their own text where it is known."""

    message: str
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True)
class Manifest(_Data):
    """Everything that is known about a build.

    Parameters
    ----------
    digest, identifier
        Empty until the build has put them in. The identifier is what the programmed board answers.
    target
        Name of the kind of board.
    top
        Name of the class, object or module that is the design's top.
    clock_hz
        Frequency of the system clock, Hz.
    baud
        Bits a second on the bridge's UART.
    fifo_depth
        Bytes of the bridge's receive FIFO.
    answer_depth
        Bytes of answers that the bridge keeps for the lab's own frames. 0: it speaks UARTBone only.
    parameters
        The values that the design was given, by name.
    analyzer
        What watches its probes, if it has any.
    """

    target: str
    form: Form
    top: str
    clock_hz: int
    baud: int
    fifo_depth: int
    window: Window
    control: Control
    digest: str = ""
    identifier: str = ""
    registers: list[Register] = field(default_factory=list)
    memories: list[Memory] = field(default_factory=list)
    pins: list[Pin] = field(default_factory=list)
    warnings: list[DesignWarning] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)
    answer_depth: int = 0
    analyzer: Analyzer | None = None
    version: int = MANIFEST_VERSION

    def dumps(self) -> str:
        """The manifest as the text of ``manifest.json``: the same manifest always gives the same bytes."""
        return json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def loads(cls, text: str) -> "Manifest":
        """The manifest in the text of ``manifest.json``.

        Raises
        ------
        ValueError
            The text is not a manifest, or one of a version that this program doesn't know.
        """
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("version") != MANIFEST_VERSION:
            found = data.get("version") if isinstance(data, dict) else None
            raise ValueError(
                f"Expected a manifest of version {MANIFEST_VERSION}, found {found!r}; build the design again."
            )
        return cls.from_json(data)

    def replace(self, **changes: Any) -> "Manifest":
        """A copy with some values changed."""
        return dataclasses.replace(self, **changes)
