"""Contents of actions: what a person gives as an input, hashed once, and sent only when the lab asks for it."""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_fpga.client.door import Door
from jupyter_fpga.client.errors import Invalid, LabError, Unavailable

__all__ = ("Content", "Given", "read_contents", "send_contents")

Given = bytes | Path | str | Mapping[str, Any]
"""What may be given as a content: bytes, the path of a file, or a content that the lab has, by its hash and size: an
output of another action, say."""

_BLOCK = 256 * 1024
#: Contents that are sent at the same time: the lab writes each to a file of its own.
_AT_ONCE = 8


@dataclass(frozen=True)
class Content:
    """A content as actions and workers name it, and where it is.

    Parameters
    ----------
    hash, size
        SHA-256 in hexadecimal, and bytes.
    source
        The bytes, or the file.
    """

    hash: str
    size: int
    source: bytes | Path

    def named(self) -> dict[str, Any]:
        """As an action's input."""
        return {"hash": self.hash, "size": self.size}


async def read_contents(given: Mapping[str, Given], what: str = "Input") -> dict[str, Content]:
    """Hash contents, off the event loop, and a block at a time; those that the lab has already are left out.

    Raises
    ------
    Invalid
        ``input_unreadable``
    """
    return {
        name: await asyncio.to_thread(_read, f"{what} “{name}”", value)
        for name, value in given.items()
        if not isinstance(value, Mapping)
    }


def _read(what: str, given: object) -> Content:
    if isinstance(given, bytes):
        return Content(hashlib.sha256(given).hexdigest(), len(given), given)
    if not isinstance(given, str | os.PathLike):
        raise Invalid(f"{what} is {type(given).__name__}; give the path of a file, or bytes.", code="input_unreadable")
    path = Path(given)
    digest, size = hashlib.sha256(), 0
    try:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise Invalid(
            f"{what} can't be read: “{path}”: {why}. Give the path of a file, or the content itself as bytes.",
            code="input_unreadable",
        ) from None
    return Content(digest.hexdigest(), size, path)


async def send_contents(door: Door, needs: Iterable[str], contents: Mapping[str, Content]) -> None:
    """Send those contents that the lab asked for, some at the same time.

    Parameters
    ----------
    needs
        Hashes.
    contents
        By hash.

    Raises
    ------
    Invalid
        ``input_changed``: a file isn't any more what it was when it was hashed.
    TooLarge
        ``chunk_too_large``
    """
    places = asyncio.Semaphore(_AT_ONCE)

    async def send(content: Content) -> None:
        async with places:
            await _send(door, content)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_outcome(send(contents[hash]))) for hash in dict.fromkeys(needs)]
    for task in tasks:
        if (refusal := task.result()) is not None:
            raise refusal


async def _outcome(sending: Awaitable[None]) -> LabError | None:
    try:
        await sending
    except LabError as error:
        return error
    return None


async def _send(door: Door, content: Content) -> None:
    path = f"compute/chunks/{content.hash}"
    source = content.source
    if isinstance(source, bytes):

        async def produce(write: Callable[[bytes], Awaitable[None]]) -> None:
            await write(source)

        await door.send(path, content.size, produce)
        return
    left = content.size
    changed = Invalid(f"“{source}” was changed while it was sent; send it when it is complete.", code="input_changed")

    async def produce_file(write: Callable[[bytes], Awaitable[None]]) -> None:
        nonlocal left
        with await asyncio.to_thread(open, source, "rb") as file:
            while left and (block := await asyncio.to_thread(file.read, min(left, _BLOCK))):
                await write(block)
                left -= len(block)
        if left:
            raise changed

    try:
        await door.send(path, content.size, produce_file)
    except Unavailable:
        raise
    except LabError as error:
        if left or error.code == "chunk_mismatch":
            raise changed from None
        raise
