"""What an operation of the API answers, before a host has put it on the wire."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ("Answer", "Chunks", "Download", "Json", "Nothing", "Text")


@dataclass(frozen=True)
class Answer:
    """Base of all answers.

    Parameters
    ----------
    status
        HTTP status; ``None`` for the route's own.
    headers
        Besides Content-Type.
    """

    status: int | None = field(default=None, kw_only=True)
    headers: Mapping[str, str] = field(default_factory=dict, kw_only=True)


@dataclass(frozen=True)
class Json(Answer):
    """A JSON value."""

    value: Any


@dataclass(frozen=True)
class Text(Answer):
    """A text, whole."""

    text: str
    media_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Chunks(Answer):
    """A text whose end isn't known yet; each piece is sent as it comes."""

    pieces: AsyncIterator[str]
    media_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Download(Answer):
    """A file of the lab's."""

    path: Path
    name: str
    media_type: str = "application/octet-stream"


@dataclass(frozen=True)
class Nothing(Answer):
    """204: done, and nothing to say."""
