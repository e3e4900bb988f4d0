"""A campaign: thousands of operations by several users on a line that loses, doubles, invents and delays bytes.

Every operation ends as its result, a bus error, an unknown outcome or a lost link; no wrong value is returned as right.

What is right is what the board's own log says. (Memory itself is no witness: UARTBone has no checksum, so a command
that a fault has garbled may write anywhere, and the outcome of what was on the wire then is unknown for that reason.)
"""

import asyncio
import random
from collections import Counter

import pytest

from jupyter_fpga.fpga.wishbone import BusError, LinkLost, LinkTiming, Operation, OutcomeUnknown, WishboneLink

from .faults import Line
from .uartbone import CONTROL, COUNTER, IDENTIFIER, UNMAPPED, WINDOW_BASE, Bridge, PtyBoard

#: Board seconds to a wall-clock second: the watchdog's 100 ms pass in 10.
SPEED = 10
TIMING = LinkTiming(margin=0.15, slowdown=1, silence=0.02, attempts=6, reply=0.2)

USERS = 6


class User:
    """Does one thing after the other, and compares whatever is said to be done with what the board has done."""

    def __init__(self, number: int, link: WishboneLink, board: PtyBoard, seed: int) -> None:
        self.random = random.Random(seed * 1000 + number)
        self.session = link.session(f"user {number}")
        self.log = board.bus.log
        self.ends: Counter[str] = Counter()

    async def work(self, operations: int) -> None:
        while self.ends.total() < operations:
            todo = [self.operation() for _ in range(self.random.choice([1, 1, 1, 3, 30, 100]))]
            begin = len(self.log)
            (end,) = await asyncio.gather(self.session.run(todo), return_exceptions=True)
            if isinstance(end, BusError):
                assert todo[end.index].address == UNMAPPED or not end.certain
                done = end.completed
                self.ends["bus error"] += 1
            elif isinstance(end, OutcomeUnknown):
                done = end.completed
                assert end.in_doubt.start == len(done)
                self.ends["unknown"] += len(end.in_doubt)
            else:
                assert isinstance(end, list), end
                assert len(end) == len(todo)
                done = end
            self.ends["result"] += len(done)
            self.compare(begin, todo, done)

    def operation(self) -> Operation:
        address = WINDOW_BASE + 4 * self.random.randrange(256)
        return self.random.choices(
            [
                Operation.read(COUNTER),
                Operation.read(address, self.random.randint(1, 50)),
                Operation.write(address, [self.random.randrange(1 << 32) for _ in range(self.random.randint(1, 20))]),
                Operation.write(address, [self.random.randrange(1 << 32)]),
                Operation.read(UNMAPPED),
            ],
            [40, 10, 10, 40, 0.5],
        )[0]

    def compare(self, at: int, todo: list[Operation], done: list[list[int]]) -> None:
        """What is said to be done is in the board's log, since the run began and in its order."""
        for operation, words in zip(todo, done, strict=False):
            assert operation.address != UNMAPPED
            assert operation.is_write == (words == [])
            for n, word in enumerate(operation.words or words):
                entry = (operation.is_write, operation.address + 4 * n, word)
                at = self.log.index(entry, at) + 1


async def campaign(seed: int, operations: int, every: int) -> tuple[Counter[str], Counter[str]]:
    with PtyBoard(Bridge(), speed=SPEED) as board:
        line = Line(seed, every)
        link = WishboneLink(
            board.wire(), baud=1_000_000, fifo_depth=1024, clock_hz=12_000_000, control=CONTROL, timing=TIMING,
            random=random.Random(seed),
        )  # fmt: skip
        await link.prove(IDENTIFIER)
        board.faults.to_board, board.faults.to_host = line.to_board, line.to_host
        users = [User(number, link, board, seed) for number in range(USERS)]
        await asyncio.gather(*(user.work(operations // USERS) for user in users))
        board.faults.to_board = board.faults.to_host = None
        board.cut()
        with pytest.raises((LinkLost, OutcomeUnknown)):
            await link.run([Operation.read(WINDOW_BASE)] * 1000)
        with pytest.raises(LinkLost):
            await link.read(WINDOW_BASE)
        ends: Counter[str] = Counter()
        for user in users:
            ends += user.ends
        return ends, line.faults


@pytest.mark.parametrize("seed", range(3))
async def test_no_wrong_value_is_returned_as_right(seed: int):
    ends, faults = await campaign(seed, operations=2_500, every=6_000)
    assert ends.total() >= 2_500
    assert ends["result"] > ends["unknown"]
    assert ends["bus error"]
    assert faults.total() > 5


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 120))
async def test_no_wrong_value_is_returned_as_right_in_the_long_run(seed: int):
    ends, faults = await campaign(seed, operations=20_000, every=4_000)
    assert ends["result"] > ends["unknown"]
    assert len(faults) == 9
