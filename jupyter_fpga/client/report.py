"""The build report."""

import json
from typing import Any

from .tables import html_table, text_table

__all__ = ("Report",)


class Report:
    """What the build tells about the design: :attr:`data` as the lab has it; shown, a table.

    The table leaves out times, so that a saved notebook compares equal; :attr:`seconds` has them.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    @classmethod
    def from_bytes(cls, content: bytes) -> "Report":
        """The report in an artifact ``report``."""
        return cls(json.loads(content))

    @property
    def seconds(self) -> dict[str, float]:
        """Time of each stage, s."""
        return {stage["name"]: stage["seconds"] for stage in self.data.get("stages", ())}

    def _rows(self) -> list[list[str]]:
        return list(_flat(self.data))

    def __repr__(self) -> str:
        return text_table(["report", ""], self._rows())

    def _repr_html_(self) -> str:
        return html_table(["report", ""], self._rows())


def _flat(data: Any, path: str = "") -> Any:
    for key, value in data.items():
        name = f"{path}{key}"
        if key in ("stages", "seconds"):
            continue
        if isinstance(value, dict):
            yield from _flat(value, f"{name}.")
        elif isinstance(value, list):
            yield [name, ", ".join(map(str, value)) or "–"]
        else:
            yield [name, "–" if value is None else str(value)]
