"""The build report."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .report_picture import floorplan_picture, path_picture, speed_picture, use_picture
from .tables import Column, Markup, Table, html_table, text_table

__all__ = ("Report",)


#: Lines that the summary of a path names at most.
_LINES = 4


def _place(step: Mapping[str, Any]) -> str:
    source = step.get("source")
    return f"{source['file']}:{source['line']}" if source else "–"


_PATH_COLUMNS: Mapping[str, Column] = {
    "step": "kind",
    "from": "from",
    "to": "to",
    "delay, ns": lambda step: f"{step['delay_ns']:.2f}",
    "where": _place,
}


@dataclass(frozen=True)
class _Row:
    """A line of the report: what it is about, what it says, and a picture of that (SVG), if there is one."""

    name: str
    text: str
    picture: str = ""


class Report:
    """What the build tells about the design; shown, a table, in a notebook with a bar for each figure.

    The table leaves out how long the stages took and what came from the cache, so that a saved notebook compares equal;
    :attr:`seconds` and :attr:`cached` have that.

    Parameters
    ----------
    data
        What the tools found, as the lab has it.
    stages
        The stages in order, each with ``name``, ``seconds`` and ``cached``.
    """

    def __init__(self, data: dict[str, Any], stages: Sequence[dict[str, Any]] = ()) -> None:
        self.data = data
        self.stages = list(stages)

    @property
    def seconds(self) -> dict[str, float]:
        """Time of each stage, s."""
        return {stage["name"]: stage["seconds"] for stage in self.stages}

    @property
    def cached(self) -> list[str]:
        """Stages whose outcome was there already."""
        return [stage["name"] for stage in self.stages if stage["cached"]]

    def to_json(self) -> dict[str, Any]:
        """All of it: what the tools found, and ``stages``."""
        return {**self.data, "stages": self.stages}

    @property
    def utilization(self) -> dict[str, tuple[int, int]]:
        """Of a real board: what the design and the lab's SoC use of the device, by kind: (used, available)."""
        return {kind: (count["used"], count["available"]) for kind, count in self.data.get("utilization", {}).items()}

    @property
    def fmax(self) -> dict[str, float]:
        """Of a real board: the frequency that each clock reaches, MHz."""
        return {name: clock["fmax_mhz"] for name, clock in self.data.get("clocks", {}).items()}

    @property
    def floorplan(self) -> list[str]:
        """Of a real board: where the logic is, a line for each row of the device's tiles from the top.

        A digit of a line says how many of a tile's eight look-up tables are used; a blank, that there is no tile of
        logic or none that is known. Empty where the tools don't tell.
        """
        return list(self.data.get("floorplan", ()))

    def critical_path(self, clock: str = "sys") -> Table:
        """Of a real board: the slowest way between two registers of a clock, step by step, with delays in ns.

        ``source`` is the file and the line of the design that a step comes from; None where it is the lab's own, or not
        known. Logic that the tools make anew has the line that it is for.

        Raises
        ------
        KeyError
            The design has no such clock.
        """
        return Table(self.data["clocks"][clock]["critical_path"], _PATH_COLUMNS)

    def _rows(self) -> Iterator[_Row]:
        """What is shown, line by line."""
        told = ("utilization", "clocks", "tool_warnings", "seed", "floorplan")
        for kind, (used, most) in self.utilization.items():
            if used:
                yield _Row(kind, f"{used:,} of {most:,}", use_picture(used, most))
        for name, clock in self.data.get("clocks", {}).items():
            reached, wanted = clock["fmax_mhz"], clock["constraint_mhz"]
            short = "" if clock["met"] else ": too slow"
            text = f"reaches {reached:g} MHz of {wanted:g} MHz{short}"
            yield _Row(f"clock {name}", text, speed_picture(reached, wanted, clock["met"]))
            yield from _path_rows(clock["critical_path"])
        for name, text in _flat({name: value for name, value in self.data.items() if name not in told}):
            yield _Row(name, text)

    def __repr__(self) -> str:
        return text_table(["report", ""], [[row.name, row.text] for row in self._rows()])

    def _repr_html_(self) -> str:
        rows = list(self._rows())
        if not any(row.picture for row in rows):
            return html_table(["report", ""], [[row.name, row.text] for row in rows])
        table = html_table(["report", "", ""], [[row.name, Markup(row.picture), row.text] for row in rows])
        return f"<div>{table}{floorplan_picture(self.floorplan) if self.floorplan else ''}</div>"


def _path_rows(path: Sequence[Mapping[str, Any]]) -> Iterator[_Row]:
    if not path:
        return
    total = sum(step["delay_ns"] for step in path)
    yield _Row("  slowest path", f"{path[0]['from']} → {path[-1]['to']}: {total:.1f} ns", path_picture(path))
    if lines := list(dict.fromkeys(_place(step) for step in path if step.get("source"))):
        more = f" and {len(lines) - _LINES} more" if len(lines) > _LINES else ""
        yield _Row("  goes through", ", ".join(lines[:_LINES]) + more)


def _flat(data: Any, path: str = "") -> Any:
    for key, value in data.items():
        name = f"{path}{key}"
        if isinstance(value, dict):
            yield from _flat(value, f"{name}.")
        elif isinstance(value, list):
            yield [name, ", ".join(map(str, value)) or "–"]
        else:
            yield [name, "–" if value is None else str(value)]
