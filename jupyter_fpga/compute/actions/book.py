"""Unfinished actions in memory: who waits, who is at work, and who wants to hear of an end."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from jupyter_fpga.compute.actions.ready import Entry, Ready

__all__ = ("Book",)

_NO_CAP = 1 << 30

KeyT = TypeVar("KeyT", str, int)


class Book:
    """Keeps entries and counts; the rows of the store are the truth, and whoever moves them tells it here.

    Parameters
    ----------
    is_builtin
        Whether a worker's functions run inside the lab.
    """

    def __init__(self, is_builtin: Callable[[str], bool]) -> None:
        self._is_builtin = is_builtin
        self.entries: dict[int, Entry] = {}
        """By LSN, those included that wait to be tried again."""
        self.unfinished: Counter[str] = Counter()
        """Entries by owner."""
        self.wake = asyncio.Event()
        """Set whenever something may have become possible."""
        self._running: Counter[str] = Counter()
        self._in_queue: Counter[int] = Counter()
        self._caps: dict[int, int] = {}
        self._held: dict[int, list[Entry]] = {}
        self._ready = Ready(self._running)
        self._quick = Ready(self._running)
        self._twins: dict[tuple[str, str], dict[int, Entry]] = {}
        self._ends: dict[int, asyncio.Event] = {}

    # --- Coming and going -----------------------------------------------------------------------------------------

    def count(self, entry: Entry) -> None:
        """Keep an entry that isn't to be taken yet."""
        if entry.lsn not in self.entries:
            self.entries[entry.lsn] = entry
            self.unfinished[entry.owner] += 1

    def wait(self, entry: Entry) -> None:
        """An entry may be taken."""
        self.count(entry)
        entry.waiting = True
        self._twins.setdefault(entry.key, {})[entry.lsn] = entry
        self.wake.set()

    def push(self, entry: Entry) -> None:
        """Put a waiting entry in line, once more when its priority has changed."""
        (self._quick if self._is_builtin(entry.worker) else self._ready).push(entry)
        self.wake.set()

    def forget(self, entry: Entry) -> None:
        """An action has ended."""
        if self.entries.pop(entry.lsn, None) is None:
            return
        _subtract(self.unfinished, entry.owner)
        entry.waiting = False
        self.no_twin(entry)
        if (end := self._ends.pop(entry.lsn, None)) is not None:
            end.set()

    async def ended(self, lsn: int) -> None:
        """Wait until an action has ended."""
        if lsn in self.entries:
            await self._ends.setdefault(lsn, asyncio.Event()).wait()

    # --- Taking ---------------------------------------------------------------------------------------------------

    def next_quick(self) -> Entry | None:
        """Take the next one that needs no runner."""
        return self._quick.pop()

    def next(self) -> Entry | None:
        """Take the next one for a runner; those whose queue has enough at work are passed over."""
        return self._ready.pop(self._fits)

    def twins(self, entry: Entry) -> list[Entry]:
        """The entry, and those equal to it that wait as well and may be taken along."""
        twins = list(self._twins.get(entry.key, {}).values())
        return [entry, *(twin for twin in twins if twin is not entry and self._fits(twin))]

    def no_twin(self, entry: Entry) -> None:
        """An entry doesn't wait any more."""
        twins = self._twins.get(entry.key, {})
        twins.pop(entry.lsn, None)
        if not twins:
            self._twins.pop(entry.key, None)

    def _fits(self, entry: Entry) -> bool:
        queue_id = entry.queue_id
        if queue_id is None or self._in_queue[queue_id] < self._caps.get(queue_id, _NO_CAP):
            return True
        self._held.setdefault(queue_id, []).append(entry)
        return False

    # --- At work --------------------------------------------------------------------------------------------------

    def cap(self, queue_id: int, most: int | None) -> None:
        """How many actions of a queue may be at work at once."""
        if most is not None:
            self._caps[queue_id] = most

    def occupy(self, entry: Entry) -> None:
        """An entry is at work."""
        self.no_twin(entry)
        self._running[entry.owner] += 1
        if entry.queue_id is not None:
            self._in_queue[entry.queue_id] += 1

    def release(self, entry: Entry) -> None:
        """An entry is at work no more."""
        _subtract(self._running, entry.owner)
        if entry.queue_id is not None:
            _subtract(self._in_queue, entry.queue_id)
            for held in self._held.pop(entry.queue_id, ()):
                self.push(held)
        self.wake.set()


def _subtract(counter: "Counter[KeyT]", key: KeyT) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
