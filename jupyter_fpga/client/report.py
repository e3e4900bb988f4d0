"""The build report."""

from collections.abc import Sequence
from typing import Any

from .tables import html_table, text_table

__all__ = ("Report",)


class Report:
    """What the build tells about the design; shown, a table.

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

    def _rows(self) -> list[list[str]]:
        return list(_flat(self.data))

    def __repr__(self) -> str:
        return text_table(["report", ""], self._rows())

    def _repr_html_(self) -> str:
        return html_table(["report", ""], self._rows())


def _flat(data: Any, path: str = "") -> Any:
    for key, value in data.items():
        name = f"{path}{key}"
        if isinstance(value, dict):
            yield from _flat(value, f"{name}.")
        elif isinstance(value, list):
            yield [name, ", ".join(map(str, value)) or "–"]
        else:
            yield [name, "–" if value is None else str(value)]
