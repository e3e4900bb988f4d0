"""Who is next: priority first, then what is nearly done, then fair between owners, then the oldest."""

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jupyter_fpga.compute.actions.descriptors import Action

__all__ = ("Entry", "Ready")


@dataclass(eq=False)
class Entry:
    """An unfinished action in memory; its row is the truth.

    Parameters
    ----------
    rank
        Among equal priorities, greater is served first: a build whose first stages are done before another begins.
    """

    lsn: int
    action: Action
    owner: str
    worker: str
    queue_id: int | None
    priority: int
    retries: int
    max_retries: int
    rank: int = 0
    is_labs_own: bool = False
    """Whether a floor above asked for it; nobody gets its contents by their hash."""
    fence: int = 0
    waiting: bool = True
    """Whether it waits to be taken."""
    flight: Any = None
    """The run that computes it."""
    listener: Callable[[str], None] | None = None
    """Who hears what it prints."""

    @property
    def key(self) -> tuple[str, str]:
        """What it shares with those that are computed together with it."""
        return self.worker, self.action.id


@dataclass
class _Level:
    owners: dict[str, list[tuple[int, Entry]]] = field(default_factory=dict)


class Ready:
    """Entries that wait for a runner.

    Parameters
    ----------
    running
        How many actions of each owner are at work; read, never changed.
    """

    def __init__(self, running: Counter[str]) -> None:
        self._running = running
        self._levels: dict[tuple[int, int], _Level] = {}
        self._turns: dict[str, int] = {}
        self._turn = 0
        self._count = 0

    def __len__(self) -> int:
        """Entries pushed and not popped, those included that don't wait any more."""
        return self._count

    def push(self, entry: Entry) -> None:
        """Put an entry in. When it stops to wait before it is popped, it is passed over."""
        level = self._levels.setdefault((entry.priority, entry.rank), _Level())
        heapq.heappush(level.owners.setdefault(entry.owner, []), (entry.lsn, entry))
        self._count += 1

    def pop(self, fits: Callable[[Entry], bool] = lambda entry: True) -> Entry | None:
        """Take the next entry out, or ``None`` when none waits.

        Parameters
        ----------
        fits
            Whether an entry may be taken now. One that may not is dropped: whoever says no pushes it again when it
            may.
        """
        for place in sorted(self._levels, reverse=True):
            level = self._levels[place]
            while level.owners:
                owner = min(level.owners, key=self._share)
                entry = self._oldest(place, owner, fits)
                if entry is not None:
                    self._turn += 1
                    self._turns[owner] = self._turn
                    return entry
            del self._levels[place]
        self._turns.clear()
        return None

    def _share(self, owner: str) -> tuple[int, int]:
        return self._running[owner], self._turns.get(owner, 0)

    def _oldest(self, place: tuple[int, int], owner: str, fits: Callable[[Entry], bool]) -> Entry | None:
        owners = self._levels[place].owners
        heap = owners[owner]
        while heap:
            _, entry = heapq.heappop(heap)
            self._count -= 1
            # One whose priority has changed was pushed once more, elsewhere.
            if entry.waiting and (entry.priority, entry.rank) == place and fits(entry):
                if not heap:
                    del owners[owner]
                return entry
        del owners[owner]
        return None
