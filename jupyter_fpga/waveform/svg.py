"""A static picture of signals over time, small enough to be kept in a notebook."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape

from .wave import Wave

__all__ = ("draw", "time_text")

WIDTH = 900
"""Of the picture, pixels."""
ROW, HIGH = 24, 14
"""Of a signal: from row to row, and from low to high, pixels."""
CHARACTER = 6.7
"""Of the font, pixels."""
MOST_ROWS = 60
"""Signals that are drawn; more would be no picture."""
MOST_CHARACTERS = 150_000
"""Of the picture's text; with more, a notebook with some pictures would be slow to open and to compare."""
NARROW = {True: 2.0, False: 4.0}
"""Of a value that is drawn by itself, pixels at least: levels, and boxes, whose ends are slanted."""

_STYLE = "font:11px monospace"

#: As in the viewer (``labextension/src/views/waveform/style.ts``): JupyterLab's, which has others in the dark. The
#: second ones are for pages that have none, and are seen on white and on black.
_BIT = "var(--jp-success-color1,#2a8a4a)"
_BUS = "var(--jp-brand-color1,#2a7fd4)"
_MARK = "var(--jp-error-color1,#d9443f)"


def time_text(seconds: float) -> str:
    """``83.3 ns``."""
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"), (1e-12, "ps")):
        if seconds >= factor:
            return f"{seconds / factor:.4g} {unit}"
    return f"{seconds / 1e-15:.4g} fs"


def draw(waves: Sequence[Wave], *, end: int, tick: float, trigger: int | None, title: str) -> str:
    """An SVG element: names on the left, levels and buses with their fields, and the time below."""
    left = min(
        260.0, 12 + CHARACTER * max((len(row.name) for wave in waves[:MOST_ROWS] for row in _rows(wave)), default=0)
    )
    scale = (WIDTH - left - 10) / max(end, 1)
    lanes, count, shown = _lanes(waves, left, scale)
    height = ROW * (count + 1) + 16
    bottom = ROW * count + 6
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'style="{_STYLE};max-width:100%" fill="none" stroke="currentColor" role="img">',
        f"<title>{escape(title)}</title>",
        *_axis(end, tick, left, scale, bottom),
        *lanes,
    ]
    if trigger is not None:
        x = left + trigger * scale
        parts.append(f'<path d="M{x:.1f} 2V{bottom}" style="stroke:{_MARK}" stroke-dasharray="4 3"/>')
    parts.append("</svg>")
    hidden = len(waves) - shown
    more = f"; {hidden} more signal{' is' if hidden == 1 else 's are'} not drawn" if hidden else ""
    return "".join(parts) + f'<div style="{_STYLE}">{escape(title)}{more}</div>'


def _rows(wave: Wave) -> list[Wave]:
    """A signal, and its fields below it, set in."""
    return [wave, *(replace(wave.part(part.name), name=f"  .{part.name}") for part in wave.parts)]


def _lanes(waves: Sequence[Wave], left: float, scale: float) -> tuple[list[str], int, int]:
    """What is drawn, on how many rows, of how many signals."""
    parts: list[str] = []
    count = size = 0
    for shown, wave in enumerate(waves):
        rows = _rows(wave)
        drawn = [text for number, row in enumerate(rows, count) for text in _lane(row, left, scale, ROW * number + 6)]
        size += sum(map(len, drawn))
        if count and (count + len(rows) > MOST_ROWS or size > MOST_CHARACTERS):
            return parts, count, shown
        parts += drawn
        count += len(rows)
    return parts, count, len(waves)


def _lane(wave: Wave, left: float, scale: float, top: float) -> Iterator[str]:
    # Spaces at a text's beginning would be left out.
    name = wave.name.lstrip()
    yield _text(left - 6, top + HIGH - 2, _short(name, left), "end", faint=name != wave.name)
    yield from (_levels if wave.width == 1 and wave.enum is None else _boxes)(wave, left, scale, top)


def _text(x: float, y: float, text: str, anchor: str = "start", *, faint: bool = False) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    pale = ' fill-opacity="0.7"' if faint else ""
    return f'<text {place} fill="currentColor"{pale} stroke="none">{escape(text)}</text>'


def _short(name: str, left: float) -> str:
    most = int((left - 6) / CHARACTER)
    return name if len(name) <= most else "…" + name[1 - most :]


def _axis(end: int, tick: float, left: float, scale: float, y: float) -> Iterator[str]:
    """Ticks at round numbers, and the time that the last of them is."""
    step = _step(end)
    for time in range(0, end + 1, step):
        x = left + time * scale
        yield f'<path d="M{x:.1f} 2V{y:.1f}" stroke-opacity="0.15"/>'
        yield _text(x, y + 12, str(time), "middle")
    last = end // step * step
    yield _text(WIDTH - 2, y + 26, f"{last} = {time_text(last * tick)}" if last else "", "end")


def _step(end: int) -> int:
    step = 1
    while end / step > 12:
        for factor in (2, 5, 10):
            if end / (step * factor) <= 12:
                return step * factor
        step *= 10
    return step


def _spans(wave: Wave, left: float, scale: float, narrow: float) -> Iterator[tuple[float, float, int | None, bool]]:
    """From, to, value, and whether it stands for many values that are too short to be seen."""
    ends = [*wave.times[1:], wave.end]
    busy_from: float | None = None
    for time, end, value in zip(wave.times, ends, wave.values, strict=True):
        start, stop = left + time * scale, left + end * scale
        if stop - start < narrow:
            busy_from = start if busy_from is None else busy_from
            continue
        if busy_from is not None:
            yield busy_from, start, None, True
            busy_from = None
        yield start, stop, value, False
    if busy_from is not None:
        yield busy_from, left + wave.end * scale, None, True


def _levels(wave: Wave, left: float, scale: float, top: float) -> Iterator[str]:
    path, busy_path, unknown = "", "", ""
    for start, stop, value, busy in _spans(wave, left, scale, NARROW[True]):
        if busy or value is None:
            area = f"M{start:.1f} {top}H{stop:.1f}v{HIGH}H{start:.1f}z"
            busy_path, unknown = (busy_path + area, unknown) if busy else (busy_path, unknown + area)
            path += f"M{stop:.1f} {top + HIGH}"
            continue
        y = top if value else top + HIGH
        path += f"{'L' if path else 'M'}{start:.1f} {y}H{stop:.1f}"
    yield from _areas(busy_path, _BIT, unknown)
    yield f'<path d="{path}" style="stroke:{_BIT}"/>'


def _boxes(wave: Wave, left: float, scale: float, top: float) -> Iterator[str]:
    path, busy_path, unknown, texts = "", "", "", []
    middle = top + HIGH / 2
    for start, stop, value, busy in _spans(wave, left, scale, NARROW[False]):
        slant = min(3.0, (stop - start) / 2)
        box = (
            f"M{start:.1f} {middle}l{slant:.1f} {-HIGH / 2}H{stop - slant:.1f}l{slant:.1f} {HIGH / 2}"
            f"l{-slant:.1f} {HIGH / 2}H{start + slant:.1f}z"
        )
        if busy:
            busy_path += box
            continue
        if value is None:
            unknown += box
            continue
        path += box
        text = wave.text(value)
        room = int((stop - start - 2 * slant) / CHARACTER)
        if room >= min(len(text), 2):
            text = text if len(text) <= room else text[: room - 1] + "…"
            texts.append(_text((start + stop) / 2, top + HIGH - 3, text, "middle"))
    yield from _areas(busy_path, _BUS, unknown)
    yield f'<path d="{path}" style="stroke:{_BUS}"/>'
    yield from texts


def _areas(busy: str, colour: str, unknown: str) -> Iterator[str]:
    """What stands for many values, in its signal's colour; and what nobody knows, in a warning one."""
    if busy:
        yield f'<path d="{busy}" style="fill:{colour}" fill-opacity="0.5" stroke="none"/>'
    if unknown:
        yield f'<path d="{unknown}" style="fill:{_MARK};stroke:{_MARK}" fill-opacity="0.2"/>'
