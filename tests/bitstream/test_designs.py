"""Designs of the usual kinds on a board: what they compute is right."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from jupyter_fpga.compute import BuildOptions, BuildResult, Builds
from jupyter_fpga.fpga.drivers import SimulatedDriver
from jupyter_fpga.gateware.manifest import from_words

from ..designs.fir import TAPS  # noqa: TID252 - the tests are no package
from ..designs.sources import source_of  # noqa: TID252
from .test_boards import link_to

#: From the netlist in every run; the bitstreams, which are compared with it, in the long one.
pytestmark = pytest.mark.parametrize(
    "target", ["simulated", pytest.param("simulated_ice40", marks=pytest.mark.soak)], scope="function"
)


class Board:
    """A board's registers by name."""

    def __init__(self, link: Any, result: BuildResult, bench: Any) -> None:
        self.link = link
        self.bench = bench
        self.memories = result.manifest.memories
        self.base = result.manifest.window.base
        self._registers = {register.name: register for register in result.manifest.registers}

    async def put(self, name: str, value: int) -> None:
        await self.link.write(self.base + self._registers[name].offset, [value])

    async def get(self, name: str) -> int:
        register = self._registers[name]
        return from_words(await self.link.read(self.base + register.offset, register.words))

    async def strobe(self, name: str) -> None:
        await self.put(name, 1)
        await self.put(name, 0)


@pytest.fixture
async def board_of(
    builds: Builds, driver: SimulatedDriver, target: str
) -> AsyncIterator[Callable[[str], Awaitable[Board]]]:
    """Builds a design and puts it on a board."""
    records = []

    async def board_of(name: str) -> Board:
        result = await builds.build(source_of(name), BuildOptions(target))
        record = await driver.program(result.image, result.manifest)
        link = await link_to(driver, record, result)
        records.append((record, link))
        await link.prove(result.manifest.identifier)
        return Board(link, result, driver.bench(record))

    yield board_of
    for record, link in records:
        link.close()
        await driver.shutdown(record)


async def test_pwm(board_of: Callable[[str], Awaitable[Board]]):
    board = await board_of("pwm")
    await board.put("duty", 200)
    await board.get("duty")
    # By where in the period: time goes on between two looks, as it likes.
    lit: dict[int, int] = {}
    while len(lit) < 256:
        await board.bench.run(1)
        state = await board.bench.state()
        place = state["cycles"] % 256
        assert lit.setdefault(place, state["leds"] & 1) == state["leds"] & 1
    assert sum(lit.values()) == 200


async def test_memory(board_of: Callable[[str], Awaitable[Board]]):
    board = await board_of("memory")
    (memory,) = board.memories
    where = board.base + memory.offset
    assert memory.words == 512
    expected = list(range(512))
    assert await board.link.read(where, 512) == expected
    chance = random.Random(1)
    for _ in range(20):
        start = chance.randrange(512)
        words = chance.choices(range(1 << 32), k=chance.randint(1, 512 - start))
        await board.link.write(where + 4 * start, words)
        expected[start : start + len(words)] = words
    assert await board.link.read(where, 512) == expected


async def test_mac(board_of: Callable[[str], Awaitable[Board]]):
    board = await board_of("mac")
    chance = random.Random(1)
    total = 0
    for _ in range(20):
        a, b = chance.getrandbits(16), chance.getrandbits(16)
        total += a * b
        await board.put("a", a)
        await board.put("b", b)
        await board.strobe("go")
        assert await board.get("total") == total
    assert total > 1 << 32
    await board.strobe("clear")
    assert await board.get("total") == 0


async def test_fir(board_of: Callable[[str], Awaitable[Board]]):
    board = await board_of("fir")
    chance = random.Random(1)
    samples = [1, *[0] * 7, 100, -2048, 2047, *(chance.randrange(-2048, 2048) for _ in range(20))]
    for index, sample in enumerate(samples):
        await board.put("sample", sample & 0xFFF)
        await board.strobe("push")
        past = reversed(samples[max(0, index - len(TAPS) + 1) : index + 1])
        heard = await board.get("result")
        assert heard - (1 << 24) * (heard >> 23) == sum(tap * one for tap, one in zip(TAPS, past, strict=False))


async def test_riscv(board_of: Callable[[str], Awaitable[Board]]):
    board = await board_of("riscv")
    for n, number in ((10, 55), (40, 102_334_155)):
        await board.put("n", n)
        rounds = await board.get("rounds")
        while (await board.get("rounds") - rounds) & 0xFFFF < 2:
            pass
        assert await board.get("result") == number
    assert await board.get("trap") == 0
