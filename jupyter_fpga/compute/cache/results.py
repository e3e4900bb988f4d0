"""Work that was done once isn't done again: results of pure functions, kept by the digest of what went in."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jupyter_fpga.compute.cache.blobs import Blob, BlobStore, replace_file

__all__ = ("ActionCache", "Entry", "Made", "action_key")

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

    def trim(self, pinned: Collection[str] = (), keep: Collection[str] = ()) -> int:
        """Remove the results that were not used for the longest time until the rest fits ``max_bytes``.

        Nothing may be at work on results meanwhile.

        Parameters
        ----------
        pinned
            Keys that stay whatever their age, because a board needs them.
        keep
            Hashes of contents that stay though no result has them.

        Returns
        -------
        int
            Bytes freed.
        """
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
        return self.blobs.sweep({hash for hash, _ in kept} | set(keep))
