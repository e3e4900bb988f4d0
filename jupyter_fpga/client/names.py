"""What a design has, by the names that it gave: as attributes, in brackets, and completed with Tab."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Generic, Literal, TypeVar

from .errors import Invalid

__all__ = ("Kind", "Named", "no_such_name")

T = TypeVar("T")
Kind = Literal["register", "memory"]


class Named(Generic[T]):
    """Things of one kind by name; a name that isn't a Python identifier is reached as ``things["…"]``.

    Parameters
    ----------
    known
        The things, in the design's order.
    """

    _kind: ClassVar[Kind]
    _known: Mapping[str, T]

    def __init__(self, known: Mapping[str, T]) -> None:
        # As real attributes, so that completion finds them without reading anything from the board.
        vars(self).update(known, _known=known)

    def __getitem__(self, name: str) -> T:
        try:
            return self._known[name]
        except KeyError:
            raise no_such_name(self._kind, name, self._known) from None

    def __getattr__(self, name: str) -> T:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __dir__(self) -> list[str]:
        return [name for name in self._known if name.isidentifier()]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._known)

    def __iter__(self) -> Iterator[T]:
        return iter(self._known.values())

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, name: object) -> bool:
        return name in self._known


class _NoSuchName(Invalid, AttributeError):
    """Also an ``AttributeError``, so that ``hasattr`` and completion work as everywhere."""


_NoSuchName.__name__ = "Invalid"


def no_such_name(kind: Kind, name: str, known: Mapping[str, Any]) -> Invalid:
    """The refusal for a name that the design doesn't have, with the nearest that it has."""
    near = difflib.get_close_matches(name, known, 1)
    if near:
        hint = f"Did you mean “{near[0]}”?"
    elif known:
        hint = f"It has {', '.join(known)}."
    else:
        hint = "It has none; read and write its window by byte offset."
    return _NoSuchName(
        f"The design has no {kind} “{name}”. {hint}",
        code=f"no_such_{kind}",
        detail={"nearest": near[0] if near else None, "known": list(known)},
    )
