"""Runs under way: one for all equal actions, and what is heard of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from jupyter_fpga.compute.actions.ready import Entry

__all__ = ("Flight",)


@dataclass(eq=False)
class Flight:
    """One run, and the actions that it computes.

    Parameters
    ----------
    first
        The action that it was begun for.
    token
        Name of the claim: the LSN and the fence token of that action.
    """

    first: Entry
    token: str
    entries: dict[int, Entry] = field(default_factory=dict)
    task: "asyncio.Task[None] | None" = None
    lines: list[str] = field(default_factory=list)
    listeners: list[Callable[[str], None]] = field(default_factory=list)
    started: float | None = None
    """Unix seconds, once the program runs."""

    def join(self, entry: Entry, fence: int) -> None:
        """Compute ``entry``, too."""
        entry.fence, entry.flight, entry.waiting = fence, self, False
        self.entries[entry.lsn] = entry
        if entry.listener is not None:
            self.listen(entry.listener)

    def leave(self, entry: Entry) -> bool:
        """Don't compute ``entry`` any more; whether nobody is left."""
        self.entries.pop(entry.lsn, None)
        entry.flight = None
        return not self.entries

    def say(self, line: str) -> None:
        """A line of output."""
        self.lines.append(line)
        for listener in tuple(self.listeners):
            listener(line)

    def listen(self, listener: Callable[[str], None]) -> None:
        """Hear every line, those included that were said before."""
        for line in self.lines:
            listener(line)
        self.listeners.append(listener)

    @property
    def fences(self) -> dict[int, int | None]:
        """The tokens of its claims."""
        return {lsn: entry.fence for lsn, entry in self.entries.items()}
