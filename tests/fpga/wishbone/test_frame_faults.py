"""A campaign by frames: every kind of fault, both ways, while several users do all that can be done on the bus.

Nothing is ever in doubt, so the board's own log must be exactly what was asked for: each word that came back is the one
that the board read for it, each write is there, once, and nothing else is.
"""

import asyncio
import random
from collections import Counter

import pytest

from jupyter_fpga.fpga.wishbone import BusError, LinkLost, LinkSession, LinkTiming, Operation

from .conftest import link_to
from .faults import Line
from .uartbone import COUNTER, IDENTIFIER, UNMAPPED, WINDOW_BASE, FramedBridge, PtyBoard

TIMING = LinkTiming(margin=5, slowdown=1, silence=0.05, attempts=8)

USERS = 6

#: Words of memory that each user has for itself.
OWN = 64


class User:
    """Does one thing after the other, on words of its own and on a register with a side effect that all share."""

    def __init__(self, number: int, session: LinkSession, seed: int) -> None:
        self.random = random.Random(seed * 1000 + number)
        self.session = session
        self.base = WINDOW_BASE + 4 * OWN * number
        self.memory = [0] * OWN
        self.counts: list[int] = []
        self.writes: list[tuple[int, int]] = []
        self.ends: Counter[str] = Counter()
        self.longest = 0.0

    async def work(self, operations: int) -> None:
        loop = asyncio.get_running_loop()
        while self.ends.total() < operations:
            todo = [self.operation() for _ in range(self.random.choice([1, 1, 1, 3, 30, 300]))]
            begun = loop.time()
            (end,) = await asyncio.gather(self.session.run(todo), return_exceptions=True)
            self.longest = max(self.longest, loop.time() - begun)
            if isinstance(end, BusError):
                assert (end.index, end.certain) == (len(end.completed), True)
                assert todo[end.index].address in (UNMAPPED, self.base - 4)
                assert not end.ran_on
                self.ends["bus error"] += 1
                end = end.completed
            assert isinstance(end, list), end
            self.ends["result"] += len(end)
            for operation, words in zip(todo, end, strict=False):
                self.check(operation, words)

    def operation(self) -> Operation:
        start = self.random.randrange(OWN)
        count = self.random.randint(1, OWN - start)
        words = [self.random.randrange(1 << 32) for _ in range(count)]
        address = self.base + 4 * start
        return self.random.choices(
            [
                Operation.read(COUNTER, self.random.choice([1, 1, 5]), fixed=True),
                Operation.read(address),
                Operation.read(address, count),
                Operation.write(address, words[:1]),
                Operation.write(address, words),
                Operation.modify(address, words, words[::-1]),
                Operation.read(UNMAPPED),
                Operation.write(UNMAPPED, words),
            ],
            [40, 30, 5, 40, 5, 2, 0.1, 0.1],
        )[0]

    def check(self, operation: Operation, words: list[int]) -> None:
        if operation.address == COUNTER:
            self.counts += words
            return
        start = (operation.address - self.base) // 4
        here = self.memory[start : start + operation.count]
        if operation.words is None:
            assert words == here
            return
        mask = operation.mask or [0xFFFF_FFFF] * operation.count
        new = [old & ~bits | word & bits for old, word, bits in zip(here, operation.words, mask, strict=True)]
        self.memory[start : start + operation.count] = new
        self.writes += [(operation.address + 4 * n, word) for n, word in enumerate(new)]


async def campaign(seed: int, operations: int, every: int) -> tuple[Counter[str], Counter[str], float]:
    with PtyBoard(FramedBridge()) as board:
        line = Line(seed, every, checked=True)
        link = link_to(board, timing=TIMING, random=random.Random(seed))
        await link.prove(IDENTIFIER)
        board.bus.log.clear()
        board.faults.to_board, board.faults.to_host = line.to_board, line.to_host
        users = [User(number, link.session(f"user {number}"), seed) for number in range(USERS)]
        await asyncio.gather(*(user.work(operations // USERS) for user in users))
        board.faults.to_board = board.faults.to_host = None
        log = board.bus.log
        for user in users:
            written = [entry[1:] for entry in log if entry[0] and 0 <= entry[1] - user.base < 4 * OWN]
            assert written == user.writes
            assert user.counts == sorted(user.counts)
        counted = sorted(count for user in users for count in user.counts)
        assert counted == list(range(1, len(counted) + 1))
        assert sum(entry[0] for entry in log) == sum(len(user.writes) for user in users)
        board.cut()
        with pytest.raises(LinkLost):
            await link.run([Operation.read(WINDOW_BASE)] * 1000)
        ends: Counter[str] = Counter()
        for user in users:
            ends += user.ends
        return ends, line.faults, max(user.longest for user in users)


@pytest.mark.parametrize("seed", range(3))
async def test_every_fault_is_made_good(seed: int):
    ends, faults, _ = await campaign(seed, operations=3_000, every=3_000)
    assert ends.total() >= 3_000
    assert ends["bus error"]
    assert faults.total() > 8


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 110))
async def test_every_fault_is_made_good_in_the_long_run(seed: int):
    ends, faults, longest = await campaign(seed, operations=20_000, every=2_000)
    assert ends.total() >= 20_000
    assert len(faults) == 11
    # Nobody has waited longer than until the time-out.
    assert longest < TIMING.margin + 1
