"""Bodies that go to the disk while they come, so that their size is no matter of memory."""

import asyncio
import os
import tempfile
from pathlib import Path

from .body import BodyLimit

__all__ = ("Incoming", "Spool", "new_file")

_BLOCK = 256 * 1024
"""Bytes that are gathered before a thread writes them."""


class Incoming:
    """A body that is written while it comes, off the event loop. What isn't taken away is removed at the end.

    Parameters
    ----------
    limit
        How large it may be.
    """

    def __init__(self, limit: BodyLimit) -> None:
        self._limit = limit
        self._waiting = bytearray()

    async def take(self, chunk: bytes) -> None:
        """The next piece has come.

        Raises
        ------
        LabError
            The body is too large, or can't be what it should be.
        """
        self._limit.count(len(chunk))
        self._waiting += chunk
        if len(self._waiting) >= _BLOCK:
            await self._flush()

    async def end(self) -> None:
        """The body is complete."""
        await self._flush()
        await asyncio.to_thread(self.close)

    async def _flush(self) -> None:
        data, self._waiting = bytes(self._waiting), bytearray()
        await asyncio.to_thread(self.write, data)

    def write(self, data: bytes) -> None:
        """Write a piece."""
        raise NotImplementedError

    def close(self) -> None:
        """All has been written."""
        raise NotImplementedError

    def discard(self) -> None:
        """Remove what is left of it."""
        raise NotImplementedError


class Spool(Incoming):
    """A body in one file.

    Parameters
    ----------
    folder
        Where the file is made.
    """

    def __init__(self, limit: BodyLimit, folder: Path) -> None:
        super().__init__(limit)
        self._descriptor, self.path = new_file(folder)

    def write(self, data: bytes) -> None:
        """Write a piece."""
        write_all(self._descriptor, data)

    def close(self) -> None:
        """All has been written."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def discard(self) -> None:
        """Remove the file, unless somebody has moved it."""
        self.close()
        self.path.unlink(missing_ok=True)


def new_file(folder: Path) -> tuple[int, Path]:
    """A new file that only the lab can read: its descriptor, and where it is."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix="upload-")
    return descriptor, Path(name)


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of ``data``: one call of the system may write less."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
