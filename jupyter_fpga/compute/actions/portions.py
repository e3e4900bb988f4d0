"""Long lists of values, cut for statements."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

__all__ = ("portions",)

ItemT = TypeVar("ItemT")

_AT_ONCE = 500
"""Parameters in one IN (…): SQLite takes 32,766, PostgreSQL too, but long statements are parsed anew each time."""


def portions(items: Sequence[ItemT]) -> Iterator[Sequence[ItemT]]:
    """Pieces of a list that are short enough for an IN (…)."""
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
