"""Pictures of a build report: static SVG that is the same each time, readable on light and on dark.

Each says with its ``<title>`` what it shows; the text beside it in the table says the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

__all__ = ("floorplan_picture", "path_picture", "speed_picture", "use_picture")

#: Of a picture, pixels.
WIDTH, HEIGHT = 220, 12

#: Of a tile in a floorplan, pixels; its look-up tables.
TILE, TABLES = 6, 8

#: From this part of a device on a bar warns: place and route gets slow, and then finds no way.
FULL = 0.85

#: Of a kind of which there are no more than these, such as PLLs, all may be used without harm.
FEW = 8

GOOD, BAD, ROUTING = "#2f7fd0", "#d2582a", "#8fb8e0"


def use_picture(used: int, available: int) -> str:
    """A bar: how much of what there is of a kind is used."""
    part = used / available if available else 0.0
    warns = part > 1 or (part >= FULL and available > FEW)
    fill = _box(0, WIDTH * min(part, 1.0), BAD if warns else GOOD)
    return _svg(f"{used:,} of {available:,}", fill + _frame(WIDTH, HEIGHT))


def speed_picture(reached_mhz: float, wanted_mhz: float, met: bool) -> str:
    """A bar as long as the clock is fast, and a mark where it must be."""
    scale = WIDTH / (1.25 * max(reached_mhz, wanted_mhz))
    fill = _box(0, scale * reached_mhz, GOOD if met else BAD)
    mark = f'<path d="M{scale * wanted_mhz:.1f} 0V{HEIGHT}" stroke="currentColor" stroke-width="2"/>'
    return _svg(f"{reached_mhz:g} MHz reached, {wanted_mhz:g} MHz needed", fill + mark)


def path_picture(steps: Sequence[Mapping[str, Any]]) -> str:
    """A path's steps side by side, each as wide as it is slow: logic dark, wires light."""
    total = sum(step["delay_ns"] for step in steps)
    return _svg(_path_title(steps), "".join(_steps(steps, WIDTH / total if total else 0.0)))


def _path_title(steps: Sequence[Mapping[str, Any]]) -> str:
    """``12.9 ns: logic 5.0 ns in 4 steps, wires 7.9 ns``."""
    wires = sum(step["delay_ns"] for step in steps if step["kind"] == "routing")
    logic = [step["delay_ns"] for step in steps if step["kind"] != "routing"]
    count = f"{len(logic)} step{'s' if len(logic) != 1 else ''}"
    return f"{sum(logic) + wires:.1f} ns: logic {sum(logic):.1f} ns in {count}, wires {wires:.1f} ns"


def floorplan_picture(rows: Sequence[str]) -> str:
    """The device from above, a square for each tile of logic: the stronger, the more of its tables are used.

    Parameters
    ----------
    rows
        A line for each row of tiles, a digit for each tile; blank where there is none, or none that is known.
    """
    width, height = TILE * max(map(len, rows), default=0), TILE * len(rows)
    tiles = "".join(
        f'<rect x="{TILE * x}" y="{TILE * y}" width="{TILE - 1}" height="{TILE - 1}" fill="{GOOD}" '
        f'fill-opacity="{int(digit) / TABLES:.3g}"/>'
        for y, row in enumerate(rows)
        for x, digit in enumerate(row)
        if digit.isdigit() and digit != "0"
    )
    used = sum(int(digit) for row in rows for digit in row if digit.isdigit())
    return _svg(f"{used:,} look-up tables, where they are on the device", _frame(width, height) + tiles, width, height)


def _steps(steps: Sequence[Mapping[str, Any]], scale: float) -> Iterator[str]:
    at = 0.0
    for step in steps:
        width = scale * step["delay_ns"]
        colour = ROUTING if step["kind"] == "routing" else GOOD
        # A line's width is left between steps, so that two of a kind are seen as two.
        yield _box(at, max(width - 1, 0.5), colour, f"{step['kind']} {step['delay_ns']:.2f} ns, to {step['to']}")
        at += width


def _box(left: float, width: float, colour: str, title: str = "") -> str:
    said = f"<title>{escape(title)}</title>" if title else ""
    return f'<rect x="{left:.1f}" width="{width:.1f}" height="{HEIGHT}" fill="{colour}">{said}</rect>'


def _frame(width: int, height: int) -> str:
    return (
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" fill="none" stroke="currentColor" '
        'stroke-opacity="0.4"/>'
    )


def _svg(title: str, body: str, width: int = WIDTH, height: int = HEIGHT) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img" '
        f'style="vertical-align:middle"><title>{escape(title)}</title>{body}</svg>'
    )
