"""VCD files (IEEE 1364-2005, section 18), by pyvcd."""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .wave import Wave

__all__ = ("Timing", "read", "write")

_PICOSECONDS = 10**12

#: Begins the comment in which our own files say what VCD has no word for.
_OURS = "jupyter_fpga"

_SCOPE = "design"
"""Where signals are whose name has no level above it."""

_DOLLAR = re.compile(r"(\$var\s+\S+\s+\d+\s+\S+\s+)(\$(?!end\b))")

_TIMESCALE = re.compile(r"(\$timescale\s+)(\d+)(?=\s*[munpf]?s\s)")

_UNTYPED = re.compile(r"(\$scope)\s+(\S+\s+\$end)")

_UNITS = {"s": 0, "ms": 3, "us": 6, "ns": 9, "ps": 12, "fs": 15}


@dataclass(frozen=True)
class Timing:
    """What a waveform has besides its signals: see :class:`.waveform.Waveform`."""

    end: int
    tick: Fraction
    unit: str
    trigger: int | None = None
    first: int | None = None
    every: int = 1


def write(waves: Sequence[Wave], timing: Timing) -> str:
    """The text of a VCD file, times in picoseconds. Without a date: the same waveform always gives the same text."""
    from vcd import VCDWriter

    scale = timing.tick * _PICOSECONDS

    def when(time: int) -> int:
        return round(time * scale)

    text = io.StringIO()
    with VCDWriter(text, timescale="1 ps", date="", comment=_comment(timing), version="") as writer:
        variables = []
        for wave in waves:
            scope, _, name = wave.name.rpartition(".")
            plain = "".join(character if "!" <= character <= "~" else "_" for character in name)
            value = _written(wave.values[0]) if wave.values else "x"
            variables.append(writer.register_var(scope or _SCOPE, plain, "wire", wave.width, value))
        changes = [
            (time, number, _written(value)) for number, wave in enumerate(waves) for time, value in wave.changes[1:]
        ]
        for time, number, value in sorted(changes, key=lambda change: change[:2]):
            writer.change(variables[number], when(time), value)
        writer.close(when(timing.end))
    return text.getvalue()


def _written(value: int | None) -> Any:
    return "x" if value is None else value


def _comment(timing: Timing) -> str:
    facts = {name: getattr(timing, name) for name in ("tick", "unit", "end", "trigger", "first", "every")}
    return " ".join([_OURS, *(f"{name}={value}" for name, value in facts.items() if value is not None)])


def read(text: str) -> tuple[list[Wave], Timing]:
    """The signals in the text of a VCD file, and their time.

    Raises
    ------
    ValueError
        It isn't one.
    """
    from vcd.common import VarType
    from vcd.reader import TokenKind, VCDParseError, tokenize

    reader = _Reader()
    text, reader.magnitude = _by_the_standard(text)
    try:
        for token in tokenize(io.BytesIO(text.encode("ascii", errors="replace"))):
            match token.kind:
                case TokenKind.TIMESCALE:
                    reader.timescale(token.timescale.magnitude.value, token.timescale.unit.value)
                case TokenKind.COMMENT:
                    reader.comment(token.comment)
                case TokenKind.SCOPE:
                    reader.scopes.append(token.scope.ident)
                case TokenKind.UPSCOPE:
                    reader.scopes.pop()
                case TokenKind.VAR if token.var.type_ not in (VarType.real, VarType.realtime, VarType.string):
                    reader.variable(token.var.id_code, token.var.ref_str, token.var.size)
                case TokenKind.CHANGE_TIME:
                    reader.now = token.time_change
                case TokenKind.CHANGE_SCALAR:
                    reader.change(token.scalar_change.id_code, token.scalar_change.value)
                case TokenKind.CHANGE_VECTOR:
                    reader.change(token.vector_change.id_code, token.vector_change.value)
    except (VCDParseError, IndexError) as error:
        raise ValueError(f"This is not a VCD file: {error}.") from error
    return reader.found()


def _by_the_standard(text: str) -> tuple[str, int]:
    """The file as pyvcd reads it, and what its time unit is to be multiplied by."""
    # Amaranth has names such as $signal, which are taken for keywords unless they are escaped.
    text = _DOLLAR.sub(r"\1\\\2", text)
    # LiteScope writes a scope without a type, misspells its end, and has time units such as 41666 ps.
    text = _UNTYPED.sub(r"\1 module \2", text).replace("$unscope", "$upscope")
    unit = _TIMESCALE.search(text)
    if unit is None:
        return text, 1
    return f"{text[: unit.start()]}{unit[1]}1{text[unit.end() :]}", int(unit[2])


class _Reader:
    """Collects what the tokens of a file say."""

    def __init__(self) -> None:
        self.scopes: list[str] = []
        self.now = 0
        self.magnitude = 1
        """What the time unit is to be multiplied by."""
        self._file_tick = Fraction(1, 10**9)
        self._file_unit = "ns"
        self._ours: dict[str, str] = {}
        self._names: list[tuple[str, str, int]] = []
        self._changes: dict[str, list[tuple[int, int | None]]] = {}

    def timescale(self, magnitude: int, unit: str) -> None:
        magnitude *= self.magnitude
        self._file_tick = magnitude * Fraction(1, 10 ** _UNITS[unit])
        self._file_unit = unit if magnitude == 1 else f"{magnitude} {unit}"

    def comment(self, text: str) -> None:
        first, *words = text.split()
        if first == _OURS:
            self._ours = dict(word.split("=", 1) for word in words if "=" in word)

    def variable(self, code: str, name: str, size: int) -> None:
        # A range behind the name that says no more than the width is no part of it.
        plain = name.removesuffix(f"[{size - 1}:0]").strip().removeprefix("\\")
        self._names.append((code, ".".join([*self.scopes, plain]), size))
        self._changes.setdefault(code, [])

    def change(self, code: str, value: Any) -> None:
        if code in self._changes:
            known = isinstance(value, int) or value in ("0", "1")
            self._changes[code].append((self.now, int(value) if known else None))

    def found(self) -> tuple[list[Wave], Timing]:
        timing = self._timing()
        scale = self._file_tick / timing.tick
        lone = f"{_SCOPE}." if self._ours else ""
        waves = []
        for code, path, size in self._names:
            times, values = _plain(self._changes[code], scale, timing.end)
            waves.append(Wave(path.removeprefix(lone), size, times, values, timing.end))
        return waves, timing

    def _timing(self) -> Timing:
        ours = self._ours
        if "tick" not in ours:
            return Timing(self.now + 1, self._file_tick, self._file_unit)
        return Timing(
            end=int(ours["end"]),
            tick=Fraction(ours["tick"]),
            unit=ours["unit"],
            trigger=int(ours["trigger"]) if "trigger" in ours else None,
            first=int(ours["first"]) if "first" in ours else None,
            every=int(ours.get("every", 1)),
        )


def _plain(changes: Sequence[tuple[int, int | None]], scale: Fraction, end: int) -> tuple[list[int], list[int | None]]:
    """Times and values from time 0 on, each a change; the last of several at one time counts."""
    latest: dict[int, int | None] = {0: None}
    for time, value in changes:
        latest[round(time * scale)] = value
    times, values = [], []
    for time, value in _changed(latest, end):
        times.append(time)
        values.append(value)
    return times, values


def _changed(latest: dict[int, int | None], end: int) -> Iterator[tuple[int, int | None]]:
    before: tuple[int | None] | None = None
    for time, value in latest.items():
        if time < end and before != (value,):
            yield time, value
            before = (value,)
