"""What one frame is to do, packed: see :mod:`.codec` for the layouts."""

import struct

from . import codec
from .schedule import Chunk

__all__ = ("Body",)

#: Operations of commands.
_READ, _WRITE, _ADVANCE, _SCATTER, _PAGE = 0, 1, 2, 4, 8

#: Bytes of a page and a head in front of a command's words, at most.
_HEADS = 8

_OFFSET = struct.Struct(">H")
_OFFSET_AND_WORD = struct.Struct(">HI")
_HEAD = struct.Struct(">BBH")


class Body:
    """A frame's body as it grows. Neighbours of a kind go into one command, so that they share its head.

    Parameters
    ----------
    page
        Upper bits of the address of what the board did last, which hold until another page comes; None if unknown.
    room, answer_room
        Bytes that the frame's body and the words of its answer may have.
    """

    __slots__ = (
        "_answer_room",
        "_count_at",
        "_following",
        "_mode",
        "_room",
        "chunks",
        "data",
        "page",
        "reads",
        "words",
    )

    def __init__(self, page: int | None, room: int, answer_room: int) -> None:
        self.page = page
        self._room = room
        self._answer_room = answer_room
        self.data = bytearray()
        self.chunks: list[Chunk] = []
        #: Words that are read or written, and words that are read.
        self.words = 0
        self.reads = 0
        self._mode = self._count_at = self._following = -1

    def fits(self, chunk: Chunk) -> bool:
        """Whether there is room for ``chunk``, however it is packed."""
        count = chunk.count
        if self.words + count > codec.MAX_WORDS:
            return False
        size = len(self.data) + _HEADS
        if chunk.words is None:
            return size <= self._room and codec.WORD_BYTES * (self.reads + count) <= self._answer_room
        return size + codec.WORD_BYTES * count <= self._room

    def add(self, chunk: Chunk) -> None:
        """Pack ``chunk``, which fits."""
        place = chunk.address >> 2
        if place >> 16 != self.page:
            self.page = place >> 16
            self.data += _HEAD.pack(_PAGE, 0, self.page)
            self._mode = -1
        if chunk.count == 1:
            self._scatter(place & 0xFFFF, chunk.words)
        else:
            self._burst(place, chunk)
        self.words += chunk.count
        if chunk.words is None:
            self.reads += chunk.count
        self.chunks.append(chunk)

    def _scatter(self, offset: int, words: tuple[int, ...] | None) -> None:
        data = self.data
        mode = _SCATTER if words is None else _SCATTER | _WRITE
        if self._mode != mode:
            self._mode = mode
            self._count_at = len(data) + 1
            data += bytes((mode, 0))
        data[self._count_at] += 1
        data += _OFFSET.pack(offset) if words is None else _OFFSET_AND_WORD.pack(offset, words[0])

    def _burst(self, place: int, chunk: Chunk) -> None:
        data = self.data
        mode = (_READ if chunk.words is None else _WRITE) | (0 if chunk.fixed else _ADVANCE)
        if self._mode != mode or self._following != place:
            self._mode = mode
            self._count_at = len(data) + 1
            data += _HEAD.pack(mode, 0, place & 0xFFFF)
        data[self._count_at] += chunk.count
        self._following = place if chunk.fixed else place + chunk.count
        if chunk.words is not None:
            data += struct.pack(f">{chunk.count}I", *chunk.words)
