"""One signal over time."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

__all__ = ("Part", "Wave")


@dataclass(frozen=True)
class Part:
    """Some bits of a signal that have a name of their own: a field of a struct."""

    name: str
    lsb: int
    width: int
    enum: Mapping[str, int] | None = None


@dataclass(frozen=True, repr=False)
class Wave:
    """A signal's value over time: it has ``values[i]`` from ``times[i]`` on, until ``times[i + 1]``.

    Parameters
    ----------
    name
        With dots between the levels of the hierarchy.
    width
        Bits.
    times
        Ticks of the waveform, ascending; the first is its beginning.
    values
        Unsigned bit patterns; None where nobody knows (``x`` or ``z`` in a VCD).
    end
        The tick after the last one.
    enum
        Names of values.
    parts
        Bits that have names of their own.
    """

    name: str
    width: int
    times: Sequence[int]
    values: Sequence[int | None]
    end: int
    enum: Mapping[str, int] | None = None
    parts: tuple[Part, ...] = field(default=())

    def at(self, time: int) -> int | None:
        """The value at a tick.

        Raises
        ------
        IndexError
            The waveform doesn't have that tick.
        """
        if not self.times or not self.times[0] <= time < self.end:
            first = self.times[0] if self.times else self.end
            raise IndexError(f"“{self.name}” is known from tick {first} to {self.end - 1}; asked for was {time}.")
        return self.values[bisect_right(self.times, time) - 1]

    def label(self, time: int) -> str:
        """The value at a tick as text: its name if it has one, else hexadecimal (``x`` where nobody knows)."""
        return self.text(self.at(time))

    def text(self, value: int | None) -> str:
        """A value as :meth:`label` shows it."""
        if value is None:
            return "x"
        for name, number in (self.enum or {}).items():
            if number & ((1 << self.width) - 1) == value:
                return name
        return f"{value:x}"

    @property
    def changes(self) -> list[tuple[int, int | None]]:
        """Tick and value of the beginning and of each change."""
        return list(zip(self.times, self.values, strict=True))

    def samples(self, step: int = 1) -> list[int | None]:
        """The value at every ``step``-th tick, from the first on."""
        return [self.at(time) for time in range(self.times[0], self.end, step)] if self.times else []

    def edges(self, to: int | None = None) -> list[int]:
        """Ticks at which the value changed; with ``to`` only where it became that."""
        return [time for time, value in self.changes[1:] if to is None or value == to]

    def part(self, name: str) -> "Wave":
        """A field of the signal as a signal of its own.

        Raises
        ------
        KeyError
            It has no such field.
        """
        for part in self.parts:
            if part.name == name:
                found = self.bits(part.lsb, part.width)
                return replace(found, name=f"{self.name}.{name}", enum=part.enum)
        raise KeyError(name)

    def bits(self, lsb: int, width: int) -> "Wave":
        """Some bits of the signal as a signal of their own.

        Raises
        ------
        IndexError
            It hasn't so many.
        """
        if not 0 <= lsb <= lsb + width - 1 < self.width or width < 1:
            raise IndexError(f"“{self.name}” has bits 0 to {self.width - 1}; asked for was {lsb + width - 1}.")
        mask = (1 << width) - 1
        times: list[int] = []
        values: list[int | None] = []
        for time, value in self.changes:
            bits = None if value is None else value >> lsb & mask
            if not times or bits != values[-1]:
                times.append(time)
                values.append(bits)
        name = f"{self.name}[{lsb}]" if width == 1 else f"{self.name}[{lsb + width - 1}:{lsb}]"
        return Wave(name, width, times, values, self.end)

    def __iter__(self) -> Iterator[tuple[int, int | None]]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.times)

    def __repr__(self) -> str:
        shown = [f"{time}: {self.text(value)}" for time, value in self.changes[:6]]
        more = f", … {len(self.times)} in all" if len(self.times) > 6 else ""
        return f"{self.name} ({self.width} bit{'' if self.width == 1 else 's'}): {', '.join(shown)}{more}"
