"""Several signals over the same time."""

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from jupyter_fpga.signals import SignalUnknown, find, split_bits

from . import vcd
from .packed import pack
from .svg import MOST_ROWS, draw, time_text
from .wave import Part, Wave
from .wavejson import wavejson

__all__ = ("Waveform",)


class Waveform:
    """Signals over time. Shown as a picture in a notebook.

    Parameters
    ----------
    waves
        The signals.
    end
        The tick after the last one; ticks are counted from 0.
    tick
        Seconds of a tick, exactly.
    unit
        What a tick is called: ``cycle`` in a capture, ``ps`` … in a VCD file.
    trigger
        The tick of the trigger, or of the first sample after it; None: there was none.
    first
        The board's clock cycle at tick 0, where that is known.
    ended
        Why there are no more ticks: ``complete``, or what cut it short (``timeout``, ``stopped``, ``limit``, ``failed``
        …).
    every
        Ticks from sample to sample; what is between two samples wasn't looked at.
    """

    def __init__(
        self,
        waves: Iterable[Wave],
        *,
        end: int,
        tick: Fraction,
        unit: str = "cycle",
        trigger: int | None = None,
        first: int | None = None,
        ended: str = "complete",
        every: int = 1,
    ) -> None:
        self._waves = {wave.name: wave for wave in waves}
        self.end = end
        self.tick = tick
        self.unit = unit
        self.trigger = trigger
        self.first = first
        self.ended = ended
        self.every = every

    # --- What is in it

    @property
    def names(self) -> list[str]:
        """The signals' names, in their order."""
        return list(self._waves)

    @property
    def waves(self) -> list[Wave]:
        """The signals, in their order."""
        return list(self._waves.values())

    def __getitem__(self, name: str) -> Wave:
        """A signal by its name or the end of it; ``name.field``, ``name[3]`` and ``name[7:4]`` are parts of one.

        Raises
        ------
        KeyError
            There is none, or several; the message says which there are.
        """
        whole, bits = split_bits(name)
        try:
            wave = self._waves[find(whole, self._waves)]
        except SignalUnknown as error:
            above, _, field = whole.rpartition(".")
            try:
                wave = self._waves[find(above, self._waves)].part(field)
            except (SignalUnknown, KeyError):
                raise KeyError(str(error).replace("the design", "the waveform", 1)) from None
        return wave if bits is None else wave.bits(*bits)

    def at(self, time: int) -> dict[str, int | None]:
        """The value of every signal at a tick."""
        return {name: wave.at(time) for name, wave in self._waves.items()}

    def seconds(self, time: int) -> float:
        """A tick in seconds since the first."""
        return float(time * self.tick)

    def _ipython_key_completions_(self) -> list[str]:
        return self.names

    def __contains__(self, name: object) -> bool:
        return name in self._waves

    def __iter__(self) -> Iterator[Wave]:
        return iter(self._waves.values())

    def __len__(self) -> int:
        """Ticks."""
        return self.end

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Waveform) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]

    # --- Other forms

    def to_vcd(self, path: str | Path | None = None) -> str:
        """The text of a VCD file (IEEE 1364-2005, section 18), times in picoseconds; written to ``path`` if given."""
        timing = vcd.Timing(self.end, self.tick, self.unit, self.trigger, self.first, self.every)
        text = vcd.write(self.waves, timing)
        if path is not None:
            Path(path).write_text(text, "ascii")
        return text

    @classmethod
    def from_vcd(cls, source: str | Path) -> "Waveform":
        """The waveform in a VCD file, or in its text.

        Raises
        ------
        ValueError
            It isn't one.
        """
        if isinstance(source, Path) or "\n" not in source:
            source = Path(source).read_text("ascii", errors="replace")
        waves, timing = vcd.read(source)
        return cls(
            waves,
            end=timing.end,
            tick=timing.tick,
            unit=timing.unit,
            trigger=timing.trigger,
            first=timing.first,
            every=timing.every,
        )

    def to_wavejson(self) -> dict[str, Any]:
        """What WaveDrom draws: a lane for each signal, a brick for each sample."""
        return wavejson(self.waves, self.end, self.every)

    def to_json(self) -> dict[str, Any]:
        """As plain data; :meth:`from_json` is the inverse. Values are hexadecimal texts, null where nobody knows."""
        return {
            "tick_seconds": [self.tick.numerator, self.tick.denominator],
            "unit": self.unit,
            "end": self.end,
            "every": self.every,
            "trigger": self.trigger,
            "first": self.first,
            "ended": self.ended,
            "signals": [_wave_json(wave) for wave in self],
        }

    def packed(self) -> bytes:
        """As :mod:`.packed` describes it: what the viewer in the browser reads."""
        seconds = float(self.tick)
        return pack(self.waves, end=self.end, seconds=seconds, unit=self.unit, trigger=self.trigger)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Waveform":
        """The waveform that :meth:`to_json` wrote."""
        return cls(
            [_wave(signal, data["end"]) for signal in data["signals"]],
            end=data["end"],
            tick=Fraction(*data["tick_seconds"]),
            unit=data["unit"],
            trigger=data["trigger"],
            first=data["first"],
            ended=data["ended"],
            every=data["every"],
        )

    # --- How it looks

    @property
    def title(self) -> str:
        """What it is, in a line."""
        count = len(self._waves)
        ticks = f"{self.end:,} {self.unit}" + ("s" if self.unit == "cycle" and self.end != 1 else "")
        title = f"{count} signal{'' if count == 1 else 's'}, {ticks}"
        if self.unit == "cycle":
            title += f" of {time_text(float(self.tick))}"
        if self.every > 1:
            title += f", a sample every {self.every}"
        if self.trigger is not None:
            title += f", trigger at {self.trigger}"
        return title if self.ended == "complete" else f"{title}, {self.ended}"

    def __repr__(self) -> str:
        lines = [f"Waveform: {self.title}", *(f"  {wave!r}" for wave in self.waves[:MOST_ROWS])]
        if len(self._waves) > MOST_ROWS:
            lines.append(f"  … {len(self._waves)} in all")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return draw(self.waves, end=self.end, tick=float(self.tick), trigger=self.trigger, title=self.title)


def _wave_json(wave: Wave) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": wave.name,
        "width": wave.width,
        "times": list(wave.times),
        "values": [None if value is None else f"{value:x}" for value in wave.values],
    }
    if wave.enum is not None:
        data["enum"] = dict(wave.enum)
    if wave.parts:
        data["fields"] = [
            {"name": part.name, "lsb": part.lsb, "width": part.width, "enum": part.enum and dict(part.enum)}
            for part in wave.parts
        ]
    return data


def _wave(data: Mapping[str, Any], end: int) -> Wave:
    return Wave(
        data["name"],
        data["width"],
        list(data["times"]),
        [None if value is None else int(value, 16) for value in data["values"]],
        end,
        data.get("enum"),
        tuple(Part(**part) for part in data.get("fields", ())),
    )
