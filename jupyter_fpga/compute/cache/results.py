"""Work that was done once isn't done again: results of pure functions, kept by the digest of what went in."""

import asyncio
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jupyter_fpga.compute.cache.blobs import Blob, BlobStore, replace_file

__all__ = ("Action", "ActionCache", "Entry", "Made", "action_key")

_VERSION = 1
"""Of the records' form. Another number in a record means that it is made again."""


def action_key(function: str, version: str, inputs: Mapping[str, str], constants: Mapping[str, Any]) -> str:
    """Digest that names one piece of work.

    Parameters
    ----------
    function, version
        What is done, and by which state of the tools.
    inputs
        Digests of contents, by name.
    constants
        JSON-able values.
    """
    text = json.dumps([_VERSION, function, version, dict(inputs), dict(constants)], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Made:
    """What doing the work gave.

    Parameters
    ----------
    files
        Files by name; the cache moves them away.
    log
        Lines that the tools said and that are worth saying again.
    """

    files: Mapping[str, Path]
    log: Sequence[str] = ()


@dataclass(frozen=True)
class Entry:
    """The result of an action.

    Parameters
    ----------
    key
        The action's digest.
    blobs
        Its files by name.
    log
        What the tools said.
    seconds
        How long the work took when it was done.
    """

    key: str
    blobs: dict[str, Blob]
    log: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True)
class Action:
    """A piece of work: its key, and how to do it.

    Parameters
    ----------
    key
        See :func:`action_key`.
    make
        Does the work: gets an empty folder and a function that takes each line of output, and returns the result's
        files, which lie in that folder.
    """

    key: str
    make: Callable[[Path, Callable[[str], None]], Awaitable[Made]]


class _Flight:
    """Work under way, and those who wait for it."""

    def __init__(self, task: "asyncio.Task[Entry]") -> None:
        self.task = task
        self.waiters = 0
        self.lines: list[str] = []
        self.listeners: list[Callable[[str], None]] = []


class ActionCache:
    """Results on disk, by key.

    Parameters
    ----------
    folder
        Where everything is kept.
    max_bytes
        Size that :meth:`trim` brings the results down to.
    """

    def __init__(self, folder: Path, *, max_bytes: int = 4 << 30) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._actions = folder / "actions"
        self._scratch = folder / "scratch"
        self._max_bytes = max_bytes
        self.blobs = BlobStore(folder / "blobs")
        self._flights: dict[str, _Flight] = {}
        # What an earlier life of the lab left unfinished.
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir()
        for half_written in self._actions.glob("??/*.new"):
            half_written.unlink()

    def lookup(self, key: str, need: Collection[str] | None = None) -> Entry | None:
        """The kept result of an action, or None.

        Parameters
        ----------
        key
            The action's key.
        need
            Names of the files that will be used; all if not given. Each is checked against its hash: when one is
            missing or spoilt the result counts as not there, and the action can be done again.
        """
        path = self._record(key)
        entry = self._read(path)
        if entry is None:
            return None
        wanted = entry.blobs.values() if need is None else [entry.blobs[name] for name in need if name in entry.blobs]
        if not all(self.blobs.check(blob) for blob in wanted):
            path.unlink(missing_ok=True)
            return None
        os.utime(path)  # its age, for trim()
        return entry

    def knows(self, key: str) -> bool:
        """Whether there is a result of that key, sound or not."""
        return self._record(key).exists()

    def path(self, entry: Entry, name: str) -> Path:
        """Where a file of a result is; its own name is not part of the path."""
        return self.blobs.path(entry.blobs[name])

    async def run(
        self,
        action: Action,
        *,
        need: Collection[str] | None = None,
        use_cache: bool = True,
        on_begin: Callable[[], None] | None = None,
        on_log: Callable[[str], None] | None = None,
    ) -> tuple[Entry, bool]:
        """The result of an action: kept, shared with whoever is waiting for the same one, or made now.

        When a caller is cancelled the others go on; with the last of them the work itself is cancelled, and this
        returns only when it has ended.

        Parameters
        ----------
        need
            See :meth:`lookup`.
        use_cache
            Make it in any case if false (work under way is still shared), and keep the new result.
        on_begin
            Called when the result isn't there and must be waited for.
        on_log
            Gets the lines of output: all of them, however late the caller came.

        Returns
        -------
        tuple
            The result, and whether it was kept.
        """
        while use_cache and action.key not in self._flights:
            kept = await asyncio.to_thread(self.lookup, action.key, need)
            if kept is not None:
                for line in kept.log if on_log else ():
                    on_log(line)  # type: ignore[misc]
                return kept, True
            if not self._record(action.key).exists():  # else somebody finished the same work just now
                break
        if on_begin is not None:
            on_begin()
        flight = self._flights.get(action.key)
        if flight is None:
            flight = _Flight(asyncio.create_task(self._make(action)))
            self._flights[action.key] = flight
        return await self._wait(action.key, flight, on_log), False

    async def _wait(self, key: str, flight: _Flight, on_log: Callable[[str], None] | None) -> Entry:
        if on_log is not None:
            for line in flight.lines:
                on_log(line)
            flight.listeners.append(on_log)
        flight.waiters += 1
        try:
            return await asyncio.shield(flight.task)
        except asyncio.CancelledError:
            if flight.waiters == 1:
                # Nobody may join work that is being cancelled.
                if self._flights.get(key) is flight:
                    del self._flights[key]
                flight.task.cancel()
                await asyncio.wait([flight.task])
                if not flight.task.cancelled():
                    flight.task.exception()  # ended by itself just then; nobody is left to tell
            raise
        finally:
            flight.waiters -= 1
            if on_log is not None:
                flight.listeners.remove(on_log)

    async def _make(self, action: Action) -> Entry:
        me = self._flights[action.key]
        loop = asyncio.get_running_loop()

        def say(line: str) -> None:
            me.lines.append(line)
            for listener in list(me.listeners):
                listener(line)

        folder = self.scratch()
        try:
            started = loop.time()
            made = await action.make(folder, say)
            return await asyncio.to_thread(self.keep, action.key, made, loop.time() - started)
        finally:
            if self._flights.get(action.key) is me:
                del self._flights[action.key]
            shutil.rmtree(folder, ignore_errors=True)

    def scratch(self) -> Path:
        """A new empty folder on the cache's file system, for files that :meth:`keep` will take."""
        return Path(tempfile.mkdtemp(dir=self._scratch))

    def discard(self, folder: Path) -> None:
        """Remove a folder that :meth:`scratch` made, with what is left in it."""
        shutil.rmtree(folder, ignore_errors=True)

    def keep(self, key: str, made: Made, seconds: float) -> Entry:
        """Keep what doing an action's work gave; its files are moved."""
        entry = Entry(key, {name: self.blobs.add(path) for name, path in made.files.items()}, list(made.log), seconds)
        record = {"version": _VERSION, **asdict(entry)}
        # After its files, so that a record never names what isn't there.
        replace_file(self._record(key), json.dumps(record).encode())
        return entry

    def _read(self, path: Path) -> Entry | None:
        """A record, or None; one that can't be read, or of another form, is removed."""
        try:
            record = json.loads(path.read_bytes())
            if record["version"] != _VERSION or record["key"] != path.stem:
                raise ValueError("a record of another form or another action")
            blobs = {name: Blob(**blob) for name, blob in record["blobs"].items()}
            return Entry(path.stem, blobs, record["log"], record["seconds"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            path.unlink(missing_ok=True)
            return None

    def _record(self, key: str) -> Path:
        return self._actions / key[:2] / f"{key}.json"

    def trim(self, pinned: Collection[str] = ()) -> int:
        """Remove the results that were not used for the longest time until the rest fits ``max_bytes``.

        Parameters
        ----------
        pinned
            Keys that stay whatever their age, because a board needs them.

        Returns
        -------
        int
            Bytes freed. Nothing is removed while work is under way.
        """
        if self._flights:
            return 0
        records = sorted(self._actions.glob("??/*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        # The pinned ones count first, then from the youngest on.
        records.sort(key=lambda path: path.stem not in pinned)
        kept: dict[tuple[str, bool], int] = {}
        for path in records:
            entry = self._read(path)
            if entry is None:
                continue
            more = {(blob.hash, blob.executable): blob.size for blob in entry.blobs.values()}
            if path.stem in pinned or sum((kept | more).values()) <= self._max_bytes:
                kept |= more
            else:
                path.unlink()
        return self.blobs.sweep({hash for hash, _ in kept})
