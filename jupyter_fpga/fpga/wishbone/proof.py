"""Proving a board: that it answers, that it carries the right design, and that every bit of a word moves both ways."""

from collections.abc import Sequence
from typing import Protocol

from .errors import ProofFailed
from .operation import WORD_LIMIT, Operation
from .pipeline import ControlAddresses

__all__ = ("identify", "prove")

#: What the scratch register holds after reset; it is left so.
_SCRATCH_RESET = 0x1234_5678

_COUNTS = (0xAAAA_AAAA, 0xCCCC_CCCC, 0xF0F0_F0F0, 0xFF00_FF00, 0xFFFF_0000)
#: Each bit writes its own number in binary, then its complement: a bit that is stuck shows in one of the two, and of
#: two bits that are joined one reads wrong, as their numbers differ somewhere (the counting sequence of W. H. Kautz,
#: 1974, in the true and complement form of P. T. Wagner, 1987). Ten words tell what a walking one tells with 32.
_WALK = tuple(pattern for count in _COUNTS for pattern in (count, WORD_LIMIT - 1 - count))


class _Bus(Protocol):
    async def read(self, address: int, count: int = 1) -> list[int]: ...
    async def run(self, operations: Sequence[Operation]) -> list[list[int]]: ...


async def identify(bus: _Bus, control: ControlAddresses) -> str:
    """The text in the identifier memory: one character in the low byte of each word, ended by NUL.

    Raises
    ------
    ProofFailed
        It isn't printable ASCII. Else what ``bus`` raises.
    """
    words = await bus.read(control.identifier, control.identifier_words)
    text = bytes(word & 0xFF for word in words).partition(b"\0")[0]
    if any(word > 0xFF for word in words) or not all(0x20 <= byte < 0x7F for byte in text):
        raise ProofFailed(
            f"The board answers, but has no readable identifier at {control.identifier:#010x}: its first words are "
            f"{', '.join(f'{word:#x}' for word in words[:4])}. It is not programmed with a design of this lab; "
            "program it again.",
            code="identifier_unreadable",
        )
    return text.decode("ascii")


async def prove(bus: _Bus, control: ControlAddresses, identifier: str) -> None:
    """Compare the identifier, then walk words through the scratch register that try every bit and every pair of bits.

    Raises
    ------
    ProofFailed
        The board answered with something else. Else what ``bus`` raises.
    """
    # The whole memory is read only when what matters of it isn't as expected.
    expected = [*identifier.encode("ascii"), 0][: control.identifier_words]
    if (
        await bus.read(control.identifier, len(expected)) != expected
        and (found := await identify(bus, control)) != identifier
    ):
        raise ProofFailed(
            f"The board answered with identifier '{found}', and '{identifier}' was expected: it runs another design. "
            "Program it again.",
            code="identifier_mismatch",
            detail={"found": found, "expected": identifier},
        )
    operations = [
        operation
        for pattern in (*_WALK, _SCRATCH_RESET)
        for operation in (Operation.write(control.scratch, (pattern,)), Operation.read(control.scratch))
    ]
    results = await bus.run(operations)
    for pattern, (value,) in zip((*_WALK, _SCRATCH_RESET), results[1::2], strict=True):
        if value != pattern:
            raise ProofFailed(
                f"The board's scratch register read {value:#010x} after {pattern:#010x} was written: "
                "its bus or its serial line is faulty. Take the board out of use if this comes again.",
                code="scratch_mismatch",
                detail={"written": pattern, "read": value},
            )
