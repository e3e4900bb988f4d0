"""How runs end: results, failures and retries, stored many at a time."""

import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from jupyter_fpga.clock import Clock
from jupyter_fpga.compute.actions import moves
from jupyter_fpga.compute.actions.batches import Batches
from jupyter_fpga.compute.actions.book import Book
from jupyter_fpga.compute.actions.chunks import grant
from jupyter_fpga.compute.actions.config import ComputeConfig
from jupyter_fpga.compute.actions.flights import Flight
from jupyter_fpga.compute.actions.metrics import Counts
from jupyter_fpga.compute.actions.ready import Entry
from jupyter_fpga.compute.actions.states import Cause
from jupyter_fpga.store import StoreFailed, Transaction

__all__ = ("End", "Ends")

log = logging.getLogger(__name__)

_AGAIN = {"retry_at": None, "error": None, "done_lsn": None, "finished_at": None}
"""Columns of an action that is tried again."""

STORE_RETRY = 1.0
"""Seconds until a change is tried again that the database failed under: a full disk may get room."""


@dataclass(eq=False)
class End:
    """How a run ended, for the store."""

    flight: Flight
    cause: Cause
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    entries: dict[int, Entry] = field(default_factory=dict)
    waits: dict[int, float | None] = field(default_factory=dict)


class Ends:
    """Stores how runs end, and tries again what failed or was abandoned.

    Parameters
    ----------
    write
        Makes a transaction, given its name and its work.
    book, clock, config, counts
        The dispatcher's parts.
    add
        Lets an action wait for its turn.
    put_back
        Does so with one that was claimed for a run which ended without it.
    spawn
        Runs a task that is ended with the dispatcher.
    """

    def __init__(
        self,
        write: Callable[[str, Callable[[Transaction], Any]], Awaitable[Any]],
        book: Book,
        clock: Clock,
        config: ComputeConfig,
        counts: Counts,
        *,
        add: Callable[[Entry], None],
        put_back: Callable[[Entry], Coroutine[Any, Any, None]],
        spawn: Callable[[Coroutine[Any, Any, Any]], None],
    ) -> None:
        self._write = write
        self._book = book
        self._clock = clock
        self._config = config
        self._counts = counts
        self._add = add
        self._put_back = put_back
        self._spawn = spawn
        self._batches: Batches[End, None] = Batches(self._store)

    async def store(self, end: End) -> None:
        """Store an end, as soon as the database takes it."""
        while True:
            try:
                await self._batches.add(end)
            except StoreFailed:
                log.exception("the end of %s could not be stored; it is tried again", end.flight.token)
                await self._clock.sleep(STORE_RETRY)
            else:
                return

    async def settled(self) -> None:
        """Wait until nothing is being stored."""
        await self._batches.settled()

    async def _store(self, ends: Sequence[End]) -> list[Exception | None]:
        now = self._clock.time()
        for end in ends:
            # As they are now: the store's thread must not see somebody leave.
            end.entries = dict(end.flight.entries)
        in_queues = {e.queue_id for end in ends for e in end.entries.values() if e.queue_id is not None}

        def work(tx: Transaction) -> list[dict[int, int]]:
            moved = [self._store_end(tx, end, now) for end in ends]
            moves.end_queue_if_empty(tx, in_queues)
            return moved

        moved = await self._write("actions end", work)
        for end, lsns in zip(ends, moved, strict=True):
            for entry in list(end.flight.entries.values()):
                end.flight.leave(entry)
                self._book.release(entry)
                if entry.lsn in lsns:
                    self._after(entry, end)
                elif not entry.waiting:
                    # It joined while the end was being stored.
                    self._spawn(self._put_back(entry))
        return [None] * len(ends)

    def _store_end(self, tx: Transaction, end: End, now: float) -> dict[int, int]:
        entries = end.entries
        fences: dict[int, int | None] = {lsn: entry.fence for lsn, entry in entries.items()}
        if end.cause == "completed":
            each: dict[int, dict[str, Any]] = {lsn: {"result": end.result} for lsn in entries}
            moved = moves.move(tx, "completed", fences, each=each)
            hashes = {blob["hash"] for blob in (end.result or {}).get("outputs", {}).values()}
            owners = {entries[lsn].owner for lsn in moved if not entries[lsn].is_labs_own}
            grant(tx, {(hash, owner) for owner in owners for hash in hashes})
            return moved
        waits = {lsn: self._wait(entry, end.cause) for lsn, entry in entries.items()}
        each = {lsn: {"error": end.error, "retry_at": None if w is None else now + w} for lsn, w in waits.items()}
        moved = moves.move(tx, end.cause, fences, each=each)
        self._retry(tx, {lsn: entries[lsn].retries for lsn in moved if waits[lsn] == 0})
        end.waits = waits
        return moved

    def _retry(self, tx: Transaction, retries: dict[int, int]) -> None:
        if retries:
            each = {lsn: {**_AGAIN, "retries": count + 1} for lsn, count in retries.items()}
            moves.move(tx, "retried", dict.fromkeys(retries), each=each)

    def _wait(self, entry: Entry, cause: Cause) -> float | None:
        """Seconds until a failed or abandoned action is tried again; ``None``: never."""
        if entry.retries >= entry.max_retries:
            return None
        if cause == "abandoned":
            return 0.0
        waits = self._config.retry_seconds
        return waits[min(entry.retries, len(waits) - 1)]

    def _after(self, entry: Entry, end: End) -> None:
        wait = end.waits.get(entry.lsn) if end.cause != "completed" else None
        if wait is None:
            self._counts.ended[end.cause] += 1
            self._book.forget(entry)
        elif wait == 0:
            entry.retries += 1
            self._add(entry)
        else:
            self.try_later(entry, wait)

    def try_later(self, entry: Entry, seconds: float) -> None:
        """Try an action again, unless somebody does before."""

        async def later() -> None:
            await self._clock.sleep(seconds)
            if entry.lsn in self._book.entries and not entry.waiting:
                await self.retry(entry)

        self._spawn(later())

    async def retry(self, entry: Entry) -> bool:
        """Try a failed or abandoned action again now; whether it was one still."""
        count = entry.retries + 1
        each = {entry.lsn: {**_AGAIN, "retries": count}}
        moved = await self._write("action retried", lambda tx: moves.move(tx, "retried", {entry.lsn: None}, each=each))
        if moved:
            entry.retries = count
            self._add(entry)
        return bool(moved)
