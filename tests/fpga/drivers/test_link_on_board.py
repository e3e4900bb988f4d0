"""The lab's Wishbone link on a simulated board: the same SoC as on hardware, at pin level."""

import asyncio
import os
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest

from jupyter_fpga.fpga.drivers import Record, SimulatedDriver
from jupyter_fpga.fpga.wishbone import (
    BusError,
    LinkLost,
    LinkTiming,
    Operation,
    OutcomeUnknown,
    ProofFailed,
    Wire,
    WishboneLink,
)
from jupyter_fpga.gateware.targets import SIMULATED

from ..wishbone.faults import Line  # noqa: TID252 - the tests are no package
from .conftest import IDENTIFIER, MANIFEST

CONTROL = SIMULATED.control
BASE = SIMULATED.window.base
#: What tests/resources/window.v has where.
MEMORY, ADDRESS, COUNTER, SLOW, NOTHING = (BASE + 4 * n for n in (0x0, 0x100, 0x105, 0x107, 0x200))

#: A board on a machine with other things to do may be slow, and still be right.
PATIENT = LinkTiming(margin=30)
#: Soon tired of waiting, for boards that don't answer.
QUICK = LinkTiming(margin=0.5, slowdown=2, attempts=3, reply=0.5)


def link_to(wire: Wire, **options) -> WishboneLink:
    options = {"timing": PATIENT, "fresh": True} | options
    return WishboneLink(
        wire,
        baud=MANIFEST.baud,
        fifo_depth=MANIFEST.fifo_depth,
        answer_depth=MANIFEST.answer_depth,
        clock_hz=MANIFEST.clock_hz,
        control=MANIFEST.control,
        **options,
    )


@pytest.fixture
async def link(driver: SimulatedDriver, board: Record) -> AsyncIterator[WishboneLink]:
    link = link_to(await driver.open(board))
    yield link
    link.close()


async def test_a_fresh_board_is_proven(link: WishboneLink):
    await link.prove(IDENTIFIER)
    assert await link.identify() == IDENTIFIER
    assert await link.read(CONTROL.scratch) == [0x1234_5678]
    with pytest.raises(ProofFailed, match="it runs another design"):
        await link.prove("jupyter_fpga simulated fedcba9876543210")


async def test_words_of_all_kinds(link: WishboneLink):
    words = [0, 1, 0xFFFF_FFFF, 0x8000_0000, *range(100, 112)]
    await link.write(MEMORY, words)
    assert await link.read(MEMORY, 16) == words
    await link.run([Operation.modify(MEMORY, [0xAAAA_AAAA], [0x0000_FF00])])
    assert await link.read(MEMORY) == [0x0000_AA00]
    await link.write(MEMORY + 4, [5, 6, 7], fixed=True)
    assert await link.read(MEMORY + 4, 2) == [7, 0xFFFF_FFFF]
    assert await link.read(SLOW, 300, fixed=True) == [0xCAFE_0107] * 300


async def test_thousands_in_flight_and_the_fifo_does_not_overflow(link: WishboneLink):
    operations = []
    expected = []
    for n in range(1000):
        operations += [Operation.write(MEMORY + 4 * (n % 16), [n]), Operation.read(MEMORY + 4 * (n % 16))]
        expected += [[], [n]]
        if n % 50 == 0:
            operations += [Operation.read(SLOW, 200, fixed=True), Operation.write(SLOW, [0] * 200, fixed=True)]
            expected += [[0xCAFE_0107] * 200, []]
    assert await link.run(operations) == expected
    assert await link.read(CONTROL.overflow) == [0]


async def test_users_share_the_board(link: WishboneLink):
    async def user(number: int) -> None:
        session = link.session(f"user {number}")
        for n in range(50):
            await session.write(MEMORY + 4 * number, [1000 * number + n])
            assert await session.read(MEMORY + 4 * number) == [1000 * number + n]

    await asyncio.gather(link.session("run").run([Operation.read(COUNTER)] * 3000), *(user(n) for n in range(8)))


async def test_where_nobody_answers(link: WishboneLink):
    with pytest.raises(BusError) as error:
        await link.run([Operation.write(MEMORY, [1]), Operation.read(NOTHING + 4), Operation.read(MEMORY)])
    assert (error.value.index, error.value.address, error.value.completed) == (1, NOTHING + 4, [[]])
    with pytest.raises(BusError) as error:
        await link.write(NOTHING, [1] * 500)
    assert error.value.certain
    with pytest.raises(BusError):
        await link.read(0x1000_0000, 500)
    assert await link.read(MEMORY) == [1]
    assert await link.read(CONTROL.overflow) == [0]


async def test_half_a_command_before(driver: SimulatedDriver, board: Record):
    """A lab died in the middle of a burst of writes; the next one waits until the bridge has dropped it."""
    line = await driver.open(board)
    os.write(line.fd, bytes.fromhex("01 ff") + (MEMORY // 4).to_bytes(4, "big") + (77).to_bytes(4, "big"))
    line.close()
    link = link_to(await driver.open(board), fresh=False)
    await link.prove(IDENTIFIER)
    # The word that was whole is written, and nothing of ours.
    assert (await link.read(MEMORY, 2))[0] == 77
    link.close()


async def test_garbage_before(driver: SimulatedDriver, board: Record):
    chance = random.Random(5)
    for _ in range(5):
        line = await driver.open(board)
        os.write(line.fd, chance.randbytes(chance.randint(1, 500)))
        line.close()
        link = link_to(await driver.open(board), fresh=False)
        await link.prove(IDENTIFIER)
        link.close()


async def test_a_soft_reset_in_between_is_noticed(driver: SimulatedDriver, board: Record):
    """Whoever writes ctrl_reset takes the bridge down with everything it has received."""
    link = link_to(await driver.open(board), timing=QUICK)
    await link.read(MEMORY)
    with pytest.raises(OutcomeUnknown):
        await link.run([Operation.write(CONTROL.scratch - 4, [1]), *[Operation.read(MEMORY)] * 100])
    await link.prove(IDENTIFIER)
    link.close()


async def test_a_board_that_dies(driver: SimulatedDriver, board: Record):
    lost = []
    link = link_to(await driver.open(board), on_lost=lost.append)
    long = asyncio.create_task(link.run([Operation.read(COUNTER)] * 10**5))
    await link.session("other").read(MEMORY)
    await driver.shutdown(board)
    with pytest.raises(LinkLost) as error:
        await long
    assert len(error.value.completed) == error.value.in_doubt.start
    with pytest.raises(LinkLost):
        await link.read(MEMORY)
    assert len(lost) == 1


class Spoiled:
    """A wire to a board that a :class:`Line` sits in."""

    def __init__(self, line: Line, wire: Wire) -> None:
        self._near, self._far = socket.socketpair()
        self._wire = wire
        self.line = line
        for end in (self._near, self._far):
            end.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._pass(self._far.fileno(), wire.fd, lambda data: data)
        self._pass(wire.fd, self._far.fileno(), line.to_host)

    @property
    def fd(self) -> int:
        return self._near.fileno()

    def _pass(self, source: int, sink: int, spoil: Callable[[bytes], bytes]) -> None:
        def move() -> None:
            with suppress(BlockingIOError):
                data = spoil(os.read(source, 4096))
                # What is under way always fits: a link has no more than a FIFO's worth on the wire.
                assert os.write(sink, data) == len(data)

        self._loop.add_reader(source, move)

    def close(self) -> None:
        for descriptor in (self._far.fileno(), self._wire.fd):
            self._loop.remove_reader(descriptor)
        self._near.close()
        self._far.close()
        self._wire.close()


async def test_no_wrong_value_is_returned_as_right(driver: SimulatedDriver, board: Record):
    """Faults among the answers only, so that the board's memory is what its users know to have written."""
    line = Line(seed=1, every=10**9)
    # A machine that stands still for a while is no fault of the line's.
    link = link_to(Spoiled(line, await driver.open(board)), timing=LinkTiming(margin=30))
    await link.prove(IDENTIFIER)
    constants = [random.Random(2).getrandbits(32) for _ in range(8)]
    await link.write(MEMORY, constants)
    line.every, line.left = 4_000, 2_000
    ends: Counter[str] = Counter()

    async def user(number: int) -> None:
        chance = random.Random(number)
        session = link.session(f"user {number}")
        own = MEMORY + 4 * (8 + number)
        value: int | None = None
        for _ in range(40):
            todo: list[tuple[Operation, list[int] | None]] = []
            for _ in range(chance.choice([1, 3, 60])):
                if chance.random() < 0.5:
                    start = chance.randrange(8)
                    todo.append((Operation.read(MEMORY + 4 * start, 8 - start), constants[start:]))
                else:
                    word = chance.getrandbits(32)
                    todo += [(Operation.write(own, [word]), []), (Operation.read(own), [word])]
            if value is not None:
                todo.insert(0, (Operation.read(own), [value]))
            (end,) = await asyncio.gather(session.run([operation for operation, _ in todo]), return_exceptions=True)
            unknown = isinstance(end, OutcomeUnknown)
            assert unknown or isinstance(end, list), end
            done = end.completed if unknown else end
            assert done == [expected for _, expected in todo[: len(done)]]
            written = [operation.words[0] for operation, _ in todo if operation.is_write]
            value = None if unknown and written else written[-1] if written else value
            ends["unknown" if unknown else "result"] += 1

    await asyncio.gather(*(user(number) for number in range(4)))
    # What the line has spoiled the board says again.
    assert not ends["unknown"]
    assert ends["result"] > 50
    assert line.faults.total() > 3
    link.close()
