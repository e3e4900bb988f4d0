"""Recording: what was asked of the floor, with all contents, so that it can be asked again."""

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_fpga.compute.actions import refusals
from jupyter_fpga.compute.actions.descriptors import Action
from jupyter_fpga.compute.cache import Blob, BlobStore

__all__ = ("ACTIONS", "CHUNKS", "Recorder")

ACTIONS = "actions.jsonl"
"""One action in each line, as the API takes it, with its ``worker`` besides."""
CHUNKS = "chunks"
"""Folder of contents by hash."""


class Recorder:
    """Writes accepted actions into a folder.

    Parameters
    ----------
    folder
        Each recording gets a folder of its own in it.
    blobs
        Where contents are.
    """

    def __init__(self, folder: Path, blobs: BlobStore) -> None:
        self._folder = folder
        self._blobs = blobs
        self._into: Path | None = None
        self._count = 0
        self._writing = asyncio.Lock()

    @property
    def active(self) -> bool:
        """Whether a recording is under way."""
        return self._into is not None

    def start(self) -> dict[str, Any]:
        """Begin; ``recording_already``."""
        if self._into is not None:
            raise refusals.recording_already(str(self._into))
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = time.strftime("%Y-%m-%d_%H%M%S", time.gmtime())
        into = self._folder / name
        number = 1
        while into.exists():
            number += 1
            into = self._folder / f"{name}_{number}"
        (into / CHUNKS).mkdir(parents=True)
        (into / ACTIONS).touch()
        self._into, self._count = into, 0
        return {"folder": str(into), "actions": 0}

    async def stop(self) -> dict[str, Any]:
        """End; ``not_recording``."""
        async with self._writing:
            if self._into is None:
                raise refusals.not_recording()
            answer = {"folder": str(self._into), "actions": self._count}
            self._into = None
            return answer

    async def add(self, taken: Sequence[tuple[Action, int, str]]) -> None:
        """Record actions, with their priorities and workers."""
        async with self._writing:
            if self._into is not None:
                await asyncio.to_thread(self._write, self._into, taken)
                self._count += len(taken)

    def _write(self, into: Path, taken: Sequence[tuple[Action, int, str]]) -> None:
        lines = []
        for action, priority, worker in taken:
            for content in action.inputs.values():
                if not (into / CHUNKS / content.hash).exists():
                    self._blobs.copy_out(Blob(content.hash, content.size), into / CHUNKS / content.hash)
            about = {"function": action.function, "function_version": action.version, **action.as_request()}
            lines.append(json.dumps({**about, "priority": priority, "worker": worker}) + "\n")
        with open(into / ACTIONS, "a") as file:
            file.writelines(lines)
