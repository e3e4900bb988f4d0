"""What is where in a design's window: words by offset, and registers, elements, fields and memories by name."""

import bisect
import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_fpga.fpga.shapes import Refused, decode, hexadecimal, plural, shown
from jupyter_fpga.gateware.manifest import WORD_BITS, Access, Field, Manifest, Memory, Register, Shape, from_words

__all__ = ("MAX_NAME_CHARACTERS", "Part", "Places")

#: Longer than any name that a design can have, short enough to look for.
MAX_NAME_CHARACTERS = 500

_WORD_MAX = (1 << WORD_BITS) - 1

_INDEXED = re.compile(r"(.+)\[(\d{1,9})\]", re.DOTALL)

#: Names that an error lists when none is similar.
_LISTED = 8


@dataclass(frozen=True, slots=True)
class _Word:
    """The shape of one word of a memory."""

    width: int
    signed: bool = False
    enum: dict[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Something with a name: a register, elements of an array from one on, a field, or words of a memory.

    Parameters
    ----------
    offset
        Bytes from the start of the window to the first word.
    words
        Words of one element.
    elements
        Elements from here on, the rest of an array or memory included.
    whole
        The name means all of them, not the first.
    contiguous
        Each element begins where the one before ends.
    """

    name: str
    owner: Register | Memory
    field: Field | None
    offset: int
    words: int
    elements: int
    whole: bool
    contiguous: bool

    @property
    def shape(self) -> Shape:
        """Width, sign and enum of one value."""
        if self.field is not None:
            return self.field
        return self.owner if isinstance(self.owner, Register) else _Word(self.owner.width)

    @property
    def access(self) -> Access:
        """What the bus may do with it."""
        if self.field is not None and self.owner.access == "rw":
            return self.field.access
        return self.owner.access

    @property
    def partial(self) -> bool:
        """It is a field, and the register has other bits."""
        return self.field is not None and self.field.width != self.owner.width

    def values(self, words: Sequence[int]) -> list[int]:
        """The values in the words that were read from it."""
        shift = 0 if self.field is None else self.field.lsb
        step = self.words
        return [decode(self.shape, from_words(words[at : at + step]) >> shift) for at in range(0, len(words), step)]


class _Span:
    """Words that follow each other and belong to one register, or to one memory."""

    __slots__ = ("end", "first_element", "owner", "start")

    def __init__(self, owner: Register | Memory, start: int, size: int, first_element: int = 0) -> None:
        self.owner = owner
        self.start = start
        self.end = start + size
        self.first_element = first_element

    @property
    def element_bytes(self) -> int:
        return 4 * self.owner.words if isinstance(self.owner, Register) else 4

    def name_at(self, offset: int) -> str:
        """The name of what is at ``offset``, with its index in an array or a memory."""
        index = self.first_element + (offset - self.start) // self.element_bytes
        if isinstance(self.owner, Memory) or self.owner.array is not None:
            return f"{self.owner.name}[{index}]"
        return self.owner.name

    def element_near(self, offset: int) -> int:
        """Where the element nearest to ``offset`` begins."""
        begin = offset - (offset - self.start) % self.element_bytes
        return min(max(self.start, begin), self.end - self.element_bytes)

    def distance(self, offset: int) -> int:
        """How many bytes ``offset`` is away from here."""
        return max(self.start - offset, offset - self.end + 1, 0)

    def bits_at(self, offset: int) -> int:
        """How many bits the word at ``offset`` has: the first word of a register has what the others leave."""
        if isinstance(self.owner, Memory):
            return self.owner.width
        first = (offset - self.start) % self.element_bytes == 0
        return self.owner.width - WORD_BITS * (self.owner.words - 1) if first else WORD_BITS

    def signed_at(self, offset: int) -> bool:
        """Whether the word at ``offset`` carries a sign."""
        first = (offset - self.start) % self.element_bytes == 0
        return first and isinstance(self.owner, Register) and self.owner.signed

    @property
    def takes_any_word(self) -> bool:
        """Each word has all 32 bits."""
        return self.owner.width % WORD_BITS == 0


class Places:
    """The words and names of one design."""

    def __init__(self, manifest: Manifest) -> None:
        self._size = manifest.window.size
        owners: list[Register | Memory] = [*manifest.registers, *manifest.memories]
        self._owners = {owner.name: owner for owner in owners}
        self._spans = sorted((s for owner in self._owners.values() for s in _spans(owner)), key=lambda span: span.start)
        self._starts = [span.start for span in self._spans]

    # ---- by offset

    def require(self, offset: int, count: int, *, writes: bool) -> None:
        """Make sure that there is something at each of ``count`` words from ``offset`` on.

        Raises
        ------
        Refused
            There isn't, or it can only be read. The sentence names what is nearest.
        """
        at, end = offset, offset + 4 * count
        while at < end:
            span = self._span(at)
            if span is None:
                raise self._nothing_at(at, offset)
            if writes and span.owner.access == "ro":
                raise self.refused(
                    at, f"the address {at:#x} belongs to '{span.name_at(at)}', which can only be read", writes=True
                )
            at = span.end

    def words(self, offset: int, words: Sequence[Any], *, fixed: bool) -> tuple[int, ...]:
        """What to write to ``offset`` and on, where :meth:`require` found something.

        Raises
        ------
        Refused
            A word doesn't fit what is there.
        """
        taken: list[int] = []
        while len(taken) < len(words):
            at = offset if fixed else offset + 4 * len(taken)
            span = self._span(at)
            assert span is not None
            room = len(words) if fixed else (span.end - at) // 4
            part = words[len(taken) : len(taken) + room]
            if span.takes_any_word and all(type(word) is int and 0 <= word <= _WORD_MAX for word in part):
                taken.extend(part)
            else:
                step = 0 if fixed else 4
                taken.extend(self._word(span, at + step * index, word) for index, word in enumerate(part))
        return tuple(taken)

    def _word(self, span: _Span, offset: int, word: Any) -> int:
        if isinstance(word, bool) or not isinstance(word, int):
            raise Refused(f"the value {shown(word)} is not a whole number; by address, data are unsigned 32-bit words.")
        bits = span.bits_at(offset)
        if 0 <= word < 1 << bits:
            return word
        name = span.name_at(offset)
        if word < 0:
            raise Refused(
                f"the value {shown(word)} is negative; by address, data are unsigned 32-bit words. "
                f"Write signed values by name: '{name}' is at {offset:#x}.",
                nearest=name,
                nearest_offset=offset,
            )
        if span.signed_at(offset) and word >> (bits - 1) == (1 << (WORD_BITS - bits + 1)) - 1:
            # The sign extended to the whole word, as one gets it from a signed value.
            return word & ((1 << bits) - 1)
        raise Refused(
            f"the value {hexadecimal(word)} doesn't fit '{name}', which has {plural(bits, 'bit')} at {offset:#x}.",
            nearest=name,
            nearest_offset=offset,
        )

    def refused(self, offset: int, why: str, *, writes: bool = False) -> Refused:
        """The refusal ``why``, with the nearest register to ``offset`` (that can be written, when ``writes``)."""
        spans = [span for span in self._spans if not (writes and span.owner.access == "ro")]
        which = " that can be written" if writes else ""
        if not spans:
            return Refused(f"{why}. The design has no register{which}.", nearest=None, nearest_offset=None)

        nearest = min(spans, key=lambda span: span.distance(offset))
        at = nearest.element_near(offset)
        name = nearest.name_at(at)
        return Refused(f"{why}. The nearest register{which} is '{name}' at {at:#x}.", nearest=name, nearest_offset=at)

    def _nothing_at(self, at: int, offset: int) -> Refused:
        place = hexadecimal(at)
        reach = f"the access reaches the address {place}, which" if at != offset else f"the address {place}"
        if not 0 <= at < self._size:
            return self.refused(at, f"{reach} is outside the design's window of {self._size:#x} bytes")
        return self.refused(at, f"{reach} has no register")

    def _span(self, offset: int) -> _Span | None:
        index = bisect.bisect_right(self._starts, offset) - 1
        if index < 0:
            return None
        span = self._spans[index]
        return span if offset < span.end else None

    # ---- by name

    def named(self, name: str) -> Part:
        """What ``name`` means.

        Raises
        ------
        Refused
            Nothing. The sentence names the most similar.
        """
        part = self._whole(name)
        if part is not None:
            return part
        left, dot, field_name = name.rpartition(".")
        if dot and (owner := self._whole(left)) is not None and isinstance(owner.owner, Register):
            return self._field(name, owner, field_name)
        raise self._unknown(name)

    def _whole(self, name: str) -> Part | None:
        """A register, an element or a memory."""
        owner = self._owners.get(name)
        if owner is not None:
            return _part(name, owner, 0, whole=True)
        indexed = _INDEXED.fullmatch(name)
        if indexed is None or (owner := self._owners.get(indexed[1])) is None:
            return None
        length = _length(owner)
        if length is None:
            raise Refused(f"'{owner.name}' is one register, not an array; leave the index out.", nearest=owner.name)
        index = int(indexed[2])
        if index >= length:
            last = f"{owner.name}[{length - 1}]"
            raise Refused(
                f"'{owner.name}' has {plural(length, 'element')}, so there is no '{name}'; the last is '{last}'.",
                nearest=last,
            )
        return _part(name, owner, index, whole=False)

    def _field(self, name: str, part: Part, field_name: str) -> Part:
        register = part.owner
        assert isinstance(register, Register)
        for field in register.fields:
            if field.name == field_name:
                break
        else:
            raise self._unknown(name)
        if register.array is not None and part.whole:
            example = f"{register.name}[0].{field_name}"
            raise Refused(f"'{register.name}' is an array; name one element, as in '{example}'.", nearest=example)
        return Part(name, register, field, part.offset, part.words, 1, True, True)

    def _unknown(self, name: str) -> Refused:
        known = list(self._owners)
        for owner in self._owners.values():
            if isinstance(owner, Register):
                index = "" if owner.array is None else "[0]"
                known += [f"{owner.name}{index}.{field.name}" for field in owner.fields]
        near = difflib.get_close_matches(name, known, 1, cutoff=0.5)
        asked = name if len(name) <= 100 else name[:100] + "…"
        if near:
            return Refused(f"the design has no register '{asked}'; the nearest is '{near[0]}'.", nearest=near[0])
        if not known:
            return Refused(f"the design has no register '{asked}', nor any other.", nearest=None)
        more = ", …" if len(self._owners) > _LISTED else ""
        listed = ", ".join(list(self._owners)[:_LISTED])
        return Refused(f"the design has no register '{asked}'; it has {listed}{more}.", nearest=None)


def _length(owner: Register | Memory) -> int | None:
    if isinstance(owner, Memory):
        return owner.words
    return None if owner.array is None else owner.array.length


def _part(name: str, owner: Register | Memory, index: int, *, whole: bool) -> Part:
    length = _length(owner)
    if isinstance(owner, Memory):
        words, stride = 1, 4
    else:
        words = owner.words
        stride = 4 * words if owner.array is None else owner.array.stride
    elements = 1 if length is None else length - index
    return Part(name, owner, None, owner.offset + index * stride, words, elements, whole, stride == 4 * words)


def _spans(owner: Register | Memory) -> list[_Span]:
    if isinstance(owner, Memory):
        return [_Span(owner, owner.offset, 4 * owner.words)]
    size = 4 * owner.words
    if owner.array is None:
        return [_Span(owner, owner.offset, size)]
    length, stride = owner.array.length, owner.array.stride
    if stride == size:
        return [_Span(owner, owner.offset, size * length)]
    return [_Span(owner, owner.offset + index * stride, size, index) for index in range(length)]
