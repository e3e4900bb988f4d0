"""Tables that look the same every time: plain text for terminals and nbval, static HTML for notebooks."""

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ("Column", "Markup", "Table", "html_table", "text_table")

Column = str | Callable[[dict[str, Any]], str]
"""What a column shows of a record: the value with this key, or what the function makes of the record."""


class Markup(str):
    """What is HTML already, of our own making, and stands in a table as it is."""


_CELL = "text-align:left;padding:2px 10px 2px 0;vertical-align:top"


def text_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their content, two spaces between them, a rule below the heads."""
    widths = [max(len(row[index]) for row in (columns, *rows)) for index in range(len(columns))]
    rule = ["─" * width for width in widths]

    def line(cells: Sequence[str]) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()

    return "\n".join(map(line, (columns, rule, *rows)))


def html_table(columns: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> str:
    """The same as static HTML, everything escaped but :class:`Markup`."""

    def line(tag: str, cells: Sequence[str]) -> str:
        shown = (cell if isinstance(cell, Markup) else html.escape(cell) for cell in cells)
        return "<tr>" + "".join(f'<{tag} style="{_CELL}">{cell}</{tag}>' for cell in shown) + "</tr>"

    head = f'<caption style="text-align:left">{html.escape(caption)}</caption>' if caption else ""
    body = "".join(line("td", row) for row in rows)
    return f"<table>{head}<thead>{line('th', columns)}</thead><tbody>{body}</tbody></table>"


class Table(list[dict[str, Any]]):
    """Records of the lab: a list of dicts that shows some of their values as a table.

    Parameters
    ----------
    records
        What the lab answered.
    columns
        Heads of the table, each with what is shown below it.
    """

    def __init__(self, records: Sequence[dict[str, Any]], columns: Mapping[str, Column]) -> None:
        super().__init__(records)
        self._columns = columns

    def _rows(self) -> list[list[str]]:
        return [
            [column(record) if callable(column) else _text(record.get(column)) for column in self._columns.values()]
            for record in self
        ]

    def __repr__(self) -> str:
        return text_table(list(self._columns), self._rows())

    def _repr_html_(self) -> str:
        return html_table(list(self._columns), self._rows())


def _text(value: Any) -> str:
    if value is None or value == []:
        return "–"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
