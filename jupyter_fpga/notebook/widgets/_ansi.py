"""Colours of a tool's output as static HTML: ECMA-48's “select graphic rendition”, ``ESC [ … m``."""

import html
import re
from collections.abc import Iterator

__all__ = ("as_html", "as_text")

_ESCAPE = re.compile(r"\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
#: The eight colours, dark enough on white and light enough on black.
_COLOURS = ("#767676", "#d9534f", "#3c9a3c", "#b08000", "#3f7fd6", "#a95fc4", "#1f9a9a", "#8a8a8a")
_STYLES = {1: ("font-weight", "bold"), 3: ("font-style", "italic"), 4: ("text-decoration", "underline")}
_ENDS = {22: "font-weight", 23: "font-style", 24: "text-decoration", 39: "color", 49: "background"}


def as_text(text: str) -> str:
    """``text`` without what makes it look."""
    return _ESCAPE.sub("", text)


def as_html(text: str) -> str:
    """``text`` with its looks as inline styles, everything else escaped."""
    pieces: list[str] = []
    style: dict[str, str] = {}
    at = 0
    for found in _ESCAPE.finditer(text):
        pieces.append(_span(text[at : found.start()], style))
        at = found.end()
        if found[2] == "m":
            _change(style, [int(code or 0) for code in re.split("[;:]", found[1])])
    pieces.append(_span(text[at:], style))
    return "".join(pieces)


def _span(text: str, style: dict[str, str]) -> str:
    shown = html.escape(text)
    if not style or not text:
        return shown
    return f'<span style="{";".join(f"{name}:{value}" for name, value in style.items())}">{shown}</span>'


def _change(style: dict[str, str], codes: list[int]) -> None:
    rest = iter(codes)
    for code in rest:
        if code == 0:
            style.clear()
        elif code in _STYLES:
            name, value = _STYLES[code]
            style[name] = value
        elif code in _ENDS:
            style.pop(_ENDS[code], None)
        elif code in (38, 48):
            style["color" if code == 38 else "background"] = _extended(rest)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style["color"] = _COLOURS[code % 10]
        elif 40 <= code <= 47 or 100 <= code <= 107:
            style["background"] = _COLOURS[code % 10]


def _extended(rest: Iterator[int]) -> str:
    """The colour behind 38 or 48: ``5;n`` of xterm's 256, or ``2;r;g;b``."""
    if next(rest, 0) == 2:
        red, green, blue = (next(rest, 0) for _ in range(3))
        return f"rgb({red},{green},{blue})"
    index = next(rest, 0)
    if index < 16:
        return _COLOURS[index % 8]
    if index >= 232:
        return f"rgb({8 + 10 * (index - 232)},{8 + 10 * (index - 232)},{8 + 10 * (index - 232)})"
    levels = ((index - 16) // place % 6 for place in (36, 6, 1))
    return "rgb({},{},{})".format(*(55 + 40 * level if level else 0 for level in levels))
