"""What a board's bus is to the client: a list of operations goes in, the words that were read come out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ("Operation", "Port", "read", "write")


@dataclass(frozen=True)
class Operation:
    """One read or write in the design's window.

    Parameters
    ----------
    offset
        Bytes from the start of the window, a multiple of 4.
    data
        Words to write; ``None`` for a read.
    count
        Words to read.
    fixed
        Every word at the same address, as a FIFO wants it.
    """

    offset: int
    data: tuple[int, ...] | None = None
    count: int = 0
    fixed: bool = False


def read(offset: int, count: int = 1, *, fixed: bool = False) -> Operation:
    """A read of ``count`` words."""
    return Operation(offset, None, count, fixed)


def write(offset: int, words: Sequence[int], *, fixed: bool = False) -> Operation:
    """A write of ``words``."""
    return Operation(offset, tuple(words), 0, fixed)


class Port(Protocol):
    """A way to the board's bus."""

    async def run(self, operations: Sequence[Operation]) -> list[list[int]]:
        """Do ``operations`` in order; the words of each, none for a write."""
        ...
