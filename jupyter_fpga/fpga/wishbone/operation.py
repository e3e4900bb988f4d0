"""One thing to do on the bus."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from jupyter_fpga.errors import Invalid

__all__ = ("WORD_LIMIT", "Operation")

#: Values of a 32-bit bus are below this.
WORD_LIMIT = 1 << 32

#: Byte addresses of a bus with 32-bit word addresses, as far as 32-bit software can name them.
_ADDRESS_LIMIT = 1 << 32


@dataclass(frozen=True, slots=True)
class Operation:
    """A read of ``count`` words, or a write of ``words``, at an absolute byte address. Made by :meth:`read`,
    :meth:`write` and :meth:`modify`, which check it.

    Parameters
    ----------
    address
        Absolute byte address of the first word, a multiple of 4.
    count
        How many words, at least 1; more than one command's worth is split by the link.
    words
        What a write writes; ``None`` for a read.
    fixed
        All words go to, or come from, the one address (a FIFO's data register).
    mask
        Of a write: the bits that are written, for each word. The others keep what is read from them just before.
    """

    address: int
    count: int
    words: tuple[int, ...] | None = None
    fixed: bool = False
    mask: tuple[int, ...] | None = None

    @classmethod
    def read(cls, address: int, count: int = 1, *, fixed: bool = False) -> Self:
        """A read of ``count`` words from ``address``.

        Raises
        ------
        Invalid
            The address is misaligned or not on the bus, or the count is below 1.
        """
        _check(address, count, fixed)
        return cls(address, count, None, fixed)

    @classmethod
    def write(cls, address: int, words: Sequence[int], *, fixed: bool = False) -> Self:
        """A write of ``words`` to ``address``.

        Raises
        ------
        Invalid
            As :meth:`read`; or a word is not an unsigned 32-bit number.
        """
        _check(address, len(words), fixed)
        for word in words:
            if not 0 <= word < WORD_LIMIT:
                raise Invalid(f"The word {word} doesn't fit the bus; it takes 0 to 0xffffffff.", code="word_too_wide")
        return cls(address, len(words), tuple(words), fixed)

    @classmethod
    def modify(cls, address: int, words: Sequence[int], mask: Sequence[int]) -> Self:
        """A write of those bits of ``words`` that ``mask`` has set; the link reads the others and writes them back.

        Other users of the link may come between the read and the write.

        Raises
        ------
        Invalid
            As :meth:`write`, of ``words`` or ``mask``; or there isn't one mask for each word.
        """
        if len(mask) != len(words):
            raise Invalid(f"There are {len(words)} words and {len(mask)} masks; give one mask for each word.")
        cls.write(address, mask)
        return replace(cls.write(address, words), mask=tuple(mask))

    @property
    def is_write(self) -> bool:
        return self.words is not None

    def __str__(self) -> str:
        what = "write" if self.is_write else "read"
        return f"{what} of {self.count} word{'' if self.count == 1 else 's'} at {self.address:#010x}"


def _check(address: int, count: int, fixed: bool) -> None:
    if address % 4:
        raise Invalid(
            f"The address {address:#x} is misaligned; the bus is addressed by words of 4 bytes, "
            f"and the word that holds it is at {address & ~3:#x}.",
            code="misaligned",
        )
    if count < 1:
        raise Invalid(f"An operation of {count} words does nothing; give at least one word.", code="count_out_of_range")
    last = address if fixed else address + 4 * (count - 1)
    if not 0 <= address <= last < _ADDRESS_LIMIT:
        raise Invalid(
            f"The address {last if address >= 0 else address:#x} is not on the bus; it has 0x0 to 0xfffffffc.",
            code="out_of_range",
        )
