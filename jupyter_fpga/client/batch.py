"""Many operations, one trip to the board."""

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Generic, TypeVar

from jupyter_fpga.gateware import manifest as layout
from jupyter_fpga.gateware.manifest import from_words

from . import ports
from .errors import Invalid
from .loop import loop, on_the_loop
from .names import no_such_name
from .ports import Operation, Port
from .register_tables import elements
from .registers import reading, writing
from .values import decode

__all__ = ("Batch", "Pending")

T = TypeVar("T")


class Pending(Generic[T]):
    """What a read in a batch will give, once the ``with`` block has ended."""

    def __init__(self) -> None:
        self._done = False
        self._value: T | None = None

    @property
    def value(self) -> T:
        """The value that was read.

        Raises
        ------
        Invalid
            The batch hasn't run yet, or failed.
        """
        if not self._done:
            raise Invalid(
                "The batch hasn't run: its values are there after the end of its `with` block.", code="too_early"
            )
        return self._value  # type: ignore[return-value]

    def _settle(self, value: T) -> None:
        self._done, self._value = True, value

    def __repr__(self) -> str:
        return f"<Pending: {self._value!r}>" if self._done else "<Pending>"


class Batch:
    """Collects operations, then does them all in order when its ``with`` block ends; nothing when the block raises.

    ``batch.regs`` writes and reads by name, a read gives a :class:`Pending`. Works with ``async with`` as well.

    Accesses that go together (a thousand, say) follow one another on the bus within about ten clock cycles. When one of
    them can't be done the block raises its error: nothing is done of those that were to go with it when the lab refuses
    it, and nothing of those behind it when the board doesn't answer.
    """

    def __init__(self, port: Port, registers: Sequence[layout.Register], check: Callable[[Operation], None]) -> None:
        self._port = port
        self._check = check
        self._operations: list[Operation] = []
        self._settle: list[Callable[[list[int]], None]] = []
        self.regs = BatchRegisters(self, registers)

    def read(self, address: int, count: int = 1, *, fixed: bool = False) -> Pending[list[int]]:
        """Read ``count`` words from byte offset ``address`` of the window."""
        return self._add(ports.read(address, count, fixed=fixed), lambda words: words)

    def write(self, address: int, words: int | Sequence[int], *, fixed: bool = False) -> None:
        """Write one word or several to byte offset ``address`` of the window."""
        self._add(ports.write(address, [words] if isinstance(words, int) else words, fixed=fixed), lambda _: None)

    def _add(self, operation: Operation, meaning: Callable[[list[int]], T]) -> Pending[T]:
        self._check(operation)
        pending: Pending[T] = Pending()
        self._operations.append(operation)
        self._settle.append(lambda words: pending._settle(meaning(words)))
        return pending

    def __len__(self) -> int:
        return len(self._operations)

    @on_the_loop
    async def _run(self) -> None:
        if self._operations:
            answers = await self._port.run(self._operations)
            for settle, words in zip(self._settle, answers, strict=True):
                settle(words)

    def __enter__(self) -> "Batch":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if kind is None:
            loop.call(self._run)

    async def __aenter__(self) -> "Batch":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        if kind is None:
            await self._run()


class BatchRegisters:
    """The registers by name, in a batch: an assignment is one write, a mention one read."""

    def __init__(self, batch: Batch, registers: Sequence[layout.Register]) -> None:
        vars(self).update(_batch=batch, _known={info.name: info for info in registers})

    _batch: Batch
    _known: dict[str, layout.Register]

    def _find(self, name: str) -> layout.Register:
        if name not in self._known:
            raise no_such_name("register", name, self._known)
        return self._known[name]

    def __getitem__(self, name: str) -> Any:
        info = self._find(name)
        return BatchArray(self._batch, info) if info.array else _read(self._batch, info)

    def __setitem__(self, name: str, value: Any) -> None:
        info = self._find(name)
        if info.array is None:
            _write(self._batch, info, value)
            return
        if isinstance(value, Mapping) or len(value) != info.array.length:
            raise Invalid(f"Register array “{name}” takes {info.array.length} values.", code="wrong_length")
        for element, item in zip(elements(info), value, strict=True):
            _write(self._batch, element, item)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __dir__(self) -> list[str]:
        return [name for name in self._known if name.isidentifier()]


class BatchArray:
    """An array of registers, in a batch."""

    def __init__(self, batch: Batch, info: layout.Register) -> None:
        self._batch = batch
        self._elements = elements(info)

    def __len__(self) -> int:
        return len(self._elements)

    def __getitem__(self, index: int) -> Pending[int]:
        return _read(self._batch, self._elements[index])

    def __setitem__(self, index: int, value: Any) -> None:
        _write(self._batch, self._elements[index], value)


def _read(batch: Batch, info: layout.Register) -> Pending[int]:
    return batch._add(reading(info, f"Register “{info.name}”"), lambda words: decode(info, from_words(words)))


def _write(batch: Batch, info: layout.Register, value: Any) -> None:
    batch._add(writing(info, value, f"Register “{info.name}”"), lambda _: None)
