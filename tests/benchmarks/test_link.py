"""The lab's Wishbone link beside LiteX's own CommUART, on the same simulated board and the same serial line.

Both talk to the board in turns, several rounds each, and the table shows medians and their ratio. CommUART believes
whatever comes and waits for ever; the link proves each batch of answers to be in step, counts bus errors and has
time-outs. Nothing is asserted about time.
"""

# ruff: noqa: F811 - fixtures of the driver's tests are arguments here
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

import pytest
from litex.tools.remote.comm_uart import CommUART

from jupyter_fpga.fpga.drivers import Record, SimulatedDriver
from jupyter_fpga.fpga.wishbone import Operation, WishboneLink
from jupyter_fpga.gateware.targets import SIMULATED

from ..fpga.drivers.conftest import (  # noqa: F401, TID252 - a board is made there
    IDENTIFIER,
    MANIFEST,
    base_folder,
    board,
    driver,
    image,
    sandbox,
)

pytestmark = pytest.mark.benchmark

ROUNDS = 5
BASE = SIMULATED.window.base
#: In tests/resources/window.v: sixteen words of memory, and a counter.
MEMORY, COUNTER = BASE, BASE + 4 * 0x105

#: What is done, how many words it moves, by CommUART, by the link.
Work = tuple[str, int, Callable[[CommUART], None], Callable[[WishboneLink], Awaitable[None]]]


async def _one_by_one(link: WishboneLink) -> None:
    for _ in range(500):
        await link.read(COUNTER)


async def _reads(link: WishboneLink) -> None:
    await link.run([Operation.read(COUNTER)] * 1000)


async def _writes(link: WishboneLink) -> None:
    await link.run([Operation.write(MEMORY + 4 * (n % 16), [n]) for n in range(1000)])


async def _write_and_read(link: WishboneLink) -> None:
    both = [Operation.write(MEMORY, [1]), Operation.read(MEMORY)]
    await link.run(both * 500)


async def _read_burst(link: WishboneLink) -> None:
    await link.read(COUNTER, 5 * 255, fixed=True)


async def _write_burst(link: WishboneLink) -> None:
    await link.write(MEMORY, range(5 * 255), fixed=True)


async def _users(link: WishboneLink) -> None:
    async def user(number: int) -> None:
        session = link.session(f"user {number}")
        for _ in range(50):
            await session.read(COUNTER)

    await asyncio.gather(*(user(number) for number in range(20)))


WORK: list[Work] = [
    ("reads, each awaited", 500, lambda comm: _repeat(500, lambda n: comm.read(COUNTER)), _one_by_one),
    ("reads in one run", 1000, lambda comm: _repeat(1000, lambda n: comm.read(COUNTER)), _reads),
    ("reads of 20 users", 1000, lambda comm: _repeat(1000, lambda n: comm.read(COUNTER)), _users),
    ("writes in one run", 1000, lambda comm: _repeat(1000, lambda n: comm.write(MEMORY + 4 * (n % 16), n)), _writes),
    (
        "writes, each read back",
        1000,
        lambda comm: _repeat(500, lambda n: (comm.write(MEMORY, 1), comm.read(MEMORY))),
        _write_and_read,
    ),
    (
        "words read in bursts",
        1275,
        lambda comm: _repeat(5, lambda n: comm.read(COUNTER, 255, burst="fixed")),
        _read_burst,
    ),
    ("words written in bursts", 1275, lambda comm: comm.write(MEMORY, list(range(1275)), burst="fixed"), _write_burst),
]


def _repeat(times: int, what: Callable[[int], object]) -> None:
    for number in range(times):
        what(number)


def _by_comm(record: Record, use: Callable[[CommUART], None]) -> float:
    comm = CommUART(record["tty"], record["baud"])
    try:
        comm.read(COUNTER)
        begun = time.perf_counter()
        use(comm)
        # Its writes are done when a read behind them is answered.
        comm.read(COUNTER)
        return time.perf_counter() - begun
    finally:
        comm.close()


async def _by_link(driver: SimulatedDriver, record: Record, use: Callable[[WishboneLink], Awaitable[None]]) -> float:
    link = WishboneLink(
        await driver.open(record),
        baud=MANIFEST.baud,
        fifo_depth=MANIFEST.fifo_depth,
        answer_depth=MANIFEST.answer_depth,
        clock_hz=MANIFEST.clock_hz,
        control=MANIFEST.control,
    )
    try:
        await link.read(COUNTER)
        begun = time.perf_counter()
        await use(link)
        return time.perf_counter() - begun
    finally:
        link.close()


async def test_throughput(driver: SimulatedDriver, board: Record, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"{'words a second':28}{'CommUART':>10}{'link':>10}{'ratio':>8}"]
    for name, words, by_comm, by_link in WORK:
        peer, ours = [], []
        for _ in range(ROUNDS):
            peer.append(await asyncio.to_thread(_by_comm, board, by_comm))
            ours.append(await _by_link(driver, board, by_link))
        rates = words / statistics.median(peer), words / statistics.median(ours)
        lines.append(f"{name:28}{rates[0]:10,.0f}{rates[1]:10,.0f}{rates[1] / rates[0]:8.2f}")
    with capsys.disabled():
        print("\n" + "\n".join(lines))
