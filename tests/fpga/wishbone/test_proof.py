"""What a proof says of a board whose bits don't all move."""

import pytest

from jupyter_fpga.fpga.wishbone import Operation, ProofFailed
from jupyter_fpga.fpga.wishbone.proof import prove

from .uartbone import CONTROL, IDENTIFIER, Bus


class Direct:
    """The board's bus without any wire."""

    def __init__(self) -> None:
        self.bus = Bus()

    async def read(self, address: int, count: int = 1) -> list[int]:
        return [self.bus.access(address + 4 * n, None) for n in range(count)]

    async def run(self, operations: list[Operation]) -> list[list[int]]:
        results = []
        for operation in operations:
            if operation.words is None:
                results.append(await self.read(operation.address))
            else:
                self.bus.access(operation.address, operation.words[0])
                results.append([])
        return results


async def test_a_board_that_works_is_left_as_after_reset():
    direct = Direct()
    await prove(direct, CONTROL, IDENTIFIER)
    assert direct.bus.scratch == 0x1234_5678


@pytest.mark.parametrize(
    ("low", "high", "written", "read"),
    [
        (0xFFFF_FFFE, 0, 0x5555_5555, 0x5555_5554),
        (0x7FFF_FFFF, 0, 0xAAAA_AAAA, 0x2AAA_AAAA),
        (0xFFFF_FFFF, 0x0000_0100, 0xAAAA_AAAA, 0xAAAA_ABAA),
    ],
)
async def test_a_bit_that_does_not_move_is_found(low: int, high: int, written: int, read: int):
    direct = Direct()
    direct.bus.scratch_and, direct.bus.scratch_or = low, high
    with pytest.raises(ProofFailed) as failed:
        await prove(direct, CONTROL, IDENTIFIER)
    assert failed.value.as_dict() == {
        "error": "scratch_mismatch",
        "message": f"The board's scratch register read {read:#010x} after {written:#010x} was written: its bus or its "
        "serial line is faulty. Take the board out of use if this comes again.",
        "detail": {"written": written, "read": read},
    }


class Joined(Direct):
    """Two bits of the bus touch: the stronger of a one and a zero wins on both."""

    def __init__(self, one: int, other: int, *, ones_win: bool) -> None:
        super().__init__()
        self._mask = 1 << one | 1 << other
        self._ones_win = ones_win

    async def run(self, operations: list[Operation]) -> list[list[int]]:
        spoilt = []
        for operation in operations:
            if operation.words is not None:
                (word,) = operation.words
                if word & self._mask not in (0, self._mask):
                    word = word | self._mask if self._ones_win else word & ~self._mask
                operation = Operation.write(operation.address, (word,))
            spoilt.append(operation)
        return await super().run(spoilt)


@pytest.mark.parametrize("ones_win", [True, False])
async def test_any_two_bits_that_touch_are_found(ones_win: bool):
    for one in range(32):
        for other in range(one):
            with pytest.raises(ProofFailed):
                await prove(Joined(one, other, ones_win=ones_win), CONTROL, IDENTIFIER)
