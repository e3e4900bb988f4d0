"""A design's memories and bus regions, word by word."""

from collections.abc import Iterator, Sequence
from typing import Any

from jupyter_fpga.gateware import manifest as layout

from . import ports
from .errors import Invalid
from .loop import blocking, loop, on_the_loop
from .names import Named
from .ports import Port
from .tables import html_table, text_table
from .values import encode

__all__ = ("Memories", "Memory")


class Memory:
    """A region of the window that is addressed by word: ``memory[3]``, ``memory[0:8]``, ``memory[0:2] = [1, 2]``."""

    def __init__(self, port: Port, info: layout.Memory) -> None:
        self._port = port
        self.info = info

    def __len__(self) -> int:
        return self.info.words

    @on_the_loop
    async def aread(self, start: int = 0, count: int | None = None) -> list[int]:
        """Read ``count`` words from word ``start`` on; all of the rest without."""
        count = len(self) - start if count is None else count
        if self.info.access == "wo":
            raise Invalid(f"Memory “{self.info.name}” can only be written.", code="write_only")
        self._check(start, count)
        return (await self._port.run([ports.read(self.info.offset + 4 * start, count)]))[0] if count else []

    @on_the_loop
    async def awrite(self, start: int, words: Sequence[Any]) -> None:
        """Write ``words`` from word ``start`` on."""
        if self.info.access == "ro":
            raise Invalid(f"Memory “{self.info.name}” can only be read.", code="read_only")
        self._check(start, len(words))
        shape = layout.Field(self.info.name, 0, self.info.width)
        data = [encode(shape, word, f"A word of memory “{self.info.name}”") for word in words]
        if data:
            await self._port.run([ports.write(self.info.offset + 4 * start, data)])

    read = blocking(aread)
    write = blocking(awrite)

    def _check(self, start: int, count: int) -> None:
        if start < 0 or count < 0 or start + count > len(self):
            raise Invalid(
                f"Memory “{self.info.name}” has words 0 to {len(self) - 1}; got {count} from {start} on.",
                code="no_such_element",
            )

    def _range(self, index: Any) -> range:
        chosen = range(len(self))[index] if isinstance(index, slice) else None
        if chosen is None or chosen.step != 1:
            raise Invalid(
                f"Memory “{self.info.name}” takes a word's number or a slice of neighbours; got {index!r}.",
                code="no_such_element",
            )
        return chosen

    def __getitem__(self, index: Any) -> Any:
        if hasattr(index, "__index__"):
            return self.read(index + len(self) if index < 0 else index, 1)[0]
        chosen = self._range(index)
        return self.read(chosen.start, len(chosen))

    def __setitem__(self, index: Any, value: Any) -> None:
        if hasattr(index, "__index__"):
            self.write(index + len(self) if index < 0 else index, [value])
            return
        chosen = self._range(index)
        if len(value) != len(chosen):
            raise Invalid(
                f"Memory “{self.info.name}” takes {len(chosen)} values here; got {len(value)}.", code="wrong_length"
            )
        self.write(chosen.start, value)

    def __iter__(self) -> Iterator[int]:
        return iter(self.read())

    def __repr__(self) -> str:
        return text_table(_COLUMNS, [_row(self.info)])

    def _repr_html_(self) -> str:
        return html_table(_COLUMNS, [_row(self.info)])


class Memories(Named[Memory]):
    """All memories of a programmed board, as attributes or by ``memories["name"]``."""

    _kind = "memory"

    def __init__(self, port: Port, memories: Sequence[layout.Memory]) -> None:
        super().__init__({info.name: Memory(port, info) for info in memories})

    def __setattr__(self, name: str, value: Any) -> None:
        loop.call(self[name].awrite, 0, list(value))

    def __repr__(self) -> str:
        return text_table(_COLUMNS, [_row(memory.info) for memory in self])

    def _repr_html_(self) -> str:
        return html_table(_COLUMNS, [_row(memory.info) for memory in self])


_COLUMNS = ("memory", "offset", "words", "bits", "access", "description")


def _row(info: layout.Memory) -> list[str]:
    return [info.name, f"{info.offset:#x}", str(info.words), str(info.width), info.access, info.doc]
