"""A static picture of signals over time, small enough to be kept in a notebook."""

from collections.abc import Iterator, Sequence
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

_STYLE = "font:11px monospace"


def time_text(seconds: float) -> str:
    """``83.3 ns``."""
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"), (1e-12, "ps")):
        if seconds >= factor:
            return f"{seconds / factor:.4g} {unit}"
    return f"{seconds / 1e-15:.4g} fs"


def draw(waves: Sequence[Wave], *, end: int, tick: float, trigger: int | None, title: str) -> str:
    """An SVG element: names on the left, levels and hexadecimal buses, and the time below."""
    shown = waves[:MOST_ROWS]
    left = min(260.0, 12 + CHARACTER * max((len(wave.name) for wave in shown), default=0))
    height = ROW * (len(shown) + 1) + 16
    scale = (WIDTH - left - 10) / max(end, 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'style="{_STYLE};max-width:100%" fill="none" stroke="currentColor" role="img">',
        f"<title>{escape(title)}</title>",
        *_axis(end, tick, left, scale, ROW * len(shown) + 6),
    ]
    for number, wave in enumerate(shown):
        top = ROW * number + 6
        parts.append(_text(left - 6, top + HIGH - 2, _short(wave.name, left), "end"))
        lane = _levels if wave.width == 1 and wave.enum is None else _boxes
        parts += lane(wave, left, scale, top)
    if trigger is not None:
        x = left + trigger * scale
        parts.append(f'<path d="M{x:.1f} 2V{ROW * len(shown) + 6}" stroke="#d33" stroke-dasharray="4 3"/>')
    parts.append("</svg>")
    more = f"; {len(waves) - MOST_ROWS} more signals aren't drawn" if len(waves) > MOST_ROWS else ""
    return "".join(parts) + f'<div style="{_STYLE}">{escape(title)}{more}</div>'


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="currentColor" stroke="none">{escape(text)}</text>'


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


def _spans(wave: Wave, left: float, scale: float) -> Iterator[tuple[float, float, int | None, bool]]:
    """From, to, value, and whether it stands for many values that are too short to be seen."""
    ends = [*wave.times[1:], wave.end]
    busy_from: float | None = None
    for time, end, value in zip(wave.times, ends, wave.values, strict=True):
        start, stop = left + time * scale, left + end * scale
        if stop - start < 2:
            busy_from = start if busy_from is None else busy_from
            if stop - busy_from < 4 and end != wave.end:
                continue
            yield busy_from, stop, value, True
            busy_from = None
            continue
        if busy_from is not None:
            yield busy_from, start, None, True
            busy_from = None
        yield start, stop, value, False


def _levels(wave: Wave, left: float, scale: float, top: float) -> Iterator[str]:
    path, unknown = "", ""
    for start, stop, value, busy in _spans(wave, left, scale):
        if busy or value is None:
            unknown += f"M{start:.1f} {top}H{stop:.1f}v{HIGH}H{start:.1f}z"
            path += f"M{stop:.1f} {top + HIGH}"
            continue
        y = top if value else top + HIGH
        path += f"{'L' if path else 'M'}{start:.1f} {y}H{stop:.1f}"
    if unknown:
        yield f'<path d="{unknown}" fill="currentColor" fill-opacity="0.3" stroke="none"/>'
    yield f'<path d="{path}" stroke="#2a7"/>'


def _boxes(wave: Wave, left: float, scale: float, top: float) -> Iterator[str]:
    path, filled, texts = "", "", []
    middle = top + HIGH / 2
    for start, stop, value, busy in _spans(wave, left, scale):
        slant = min(3.0, (stop - start) / 2)
        box = (
            f"M{start:.1f} {middle}l{slant:.1f} {-HIGH / 2}H{stop - slant:.1f}l{slant:.1f} {HIGH / 2}"
            f"l{-slant:.1f} {HIGH / 2}H{start + slant:.1f}z"
        )
        if busy or value is None:
            filled += box
            continue
        path += box
        text = wave.text(value)
        room = int((stop - start - 2 * slant) / CHARACTER)
        if room >= min(len(text), 2):
            text = text if len(text) <= room else text[: room - 1] + "…"
            texts.append(_text((start + stop) / 2, top + HIGH - 3, text, "middle"))
    if filled:
        yield f'<path d="{filled}" fill="currentColor" fill-opacity="0.3" stroke="none"/>'
    yield f'<path d="{path}" stroke="#27c"/>'
    yield from texts
