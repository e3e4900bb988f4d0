"""Designs of the usual kinds: their bitstreams behave as they do, and what they compute is right."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from jupyter_fpga.compute import BuildOptions, BuildResult, Builds
from jupyter_fpga.fpga.drivers import SimulatedDriver
from jupyter_fpga.gateware.manifest import from_words

from ..designs.sources import DESIGNS, source_of  # noqa: TID252 - the tests are no package
from .test_boards import link_to

ORDINARY = ("riscv",)
"""Those of every run; the others are in the long one."""


def each(names: tuple[str, ...]) -> list[Any]:
    return [pytest.param(name, marks=() if name in ORDINARY else pytest.mark.soak) for name in names]


class Board:
    """A board's registers by name."""

    def __init__(self, link: Any, result: BuildResult) -> None:
        self._link = link
        self._base = result.manifest.window.base
        self._registers = {register.name: register for register in result.manifest.registers}

    async def put(self, name: str, value: int) -> None:
        await self._link.write(self._base + self._registers[name].offset, [value])

    async def get(self, name: str) -> int:
        register = self._registers[name]
        return from_words(await self._link.read(self._base + register.offset, register.words))


@pytest.fixture
async def board_of(builds: Builds, driver: SimulatedDriver) -> AsyncIterator[Callable[[str], Awaitable[Board]]]:
    """Builds a design, verified, and puts it on a board."""
    records = []

    async def board_of(name: str) -> Board:
        result = await builds.build(source_of(name), BuildOptions("simulated_ice40", verify=True))
        record = await driver.program(result.image, result.manifest)
        link = await link_to(driver, record, result)
        records.append((record, link))
        await link.prove(result.manifest.identifier)
        return Board(link, result)

    yield board_of
    for record, link in records:
        link.close()
        await driver.shutdown(record)


@pytest.mark.soak
async def test_fir(board_of: Callable[[str], Awaitable[Board]]):
    board = await board_of("fir")
    heard = []
    for sample in (1, 0, 0, 0, 0, 0, 0, 0, 100):
        await board.put("sample", sample)
        await board.put("push", 1)
        heard.append(await board.get("result"))
        await board.put("push", 0)
    assert [value - (1 << 24) * (value >> 23) for value in heard] == [1, -3, 12, 54, 54, 12, -3, 1, 100]


async def test_riscv(board_of: Callable[[str], Awaitable[Board]]):
    board = await board_of("riscv")
    for n, number in ((10, 55), (40, 102_334_155)):
        await board.put("n", n)
        rounds = await board.get("rounds")
        while (await board.get("rounds") - rounds) & 0xFFFF < 2:
            pass
        assert await board.get("result") == number
    assert await board.get("trap") == 0


@pytest.mark.parametrize("name", each(DESIGNS))
@pytest.mark.parametrize("target", ["simulated_ice40", pytest.param("icebreaker", marks=pytest.mark.soak)])
async def test_each_is_verified(builds: Builds, name: str, target: str):
    result = await builds.build(source_of(name), BuildOptions(target, verify=True))
    assert "verify" in [stage.name for stage in result.stages]
