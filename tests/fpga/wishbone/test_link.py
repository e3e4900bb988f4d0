"""The link against a byte-accurate board on a real pseudo-terminal."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from uartbone import CONTROL, COUNTER, IDENTIFIER, WINDOW_BASE, PtyBoard

from jupyter_fpga.fpga.wishbone import (
    LinkLost,
    LinkTiming,
    Operation,
    WishboneLink,
)

#: Faults are found soon, and the watchdog's 100 ms of the board (which runs in real time here) have passed.
QUICK = LinkTiming(margin=0.3, slowdown=2, silence=0.12, attempts=3, reply=0.3)


def link_to(board: PtyBoard, **options) -> WishboneLink:
    options = {"timing": QUICK, "fresh": True, "fifo_depth": board.bridge.depth} | options
    return WishboneLink(board.wire(), baud=1_000_000, clock_hz=12_000_000, control=CONTROL, **options)


@pytest.fixture
async def board() -> AsyncIterator[PtyBoard]:
    with PtyBoard() as board:
        yield board


@pytest.fixture
async def link(board: PtyBoard) -> AsyncIterator[WishboneLink]:
    link = link_to(board)
    yield link
    link.close()


async def test_reads_back_what_was_written(link: WishboneLink):
    await link.write(WINDOW_BASE + 8, [1, 2, 0xFFFF_FFFF])
    assert await link.read(WINDOW_BASE + 4, 4) == [0, 1, 2, 0xFFFF_FFFF]


async def test_a_fixed_address_stays(link: WishboneLink):
    await link.write(WINDOW_BASE, [7, 8, 9], fixed=True)
    assert await link.read(WINDOW_BASE, 2) == [9, 0]
    assert await link.read(COUNTER, 5, fixed=True) == [1, 2, 3, 4, 5]


async def test_more_words_than_one_command_takes(board: PtyBoard, link: WishboneLink):
    words = [7 * n for n in range(1024)]
    await link.write(WINDOW_BASE, words)
    assert await link.read(WINDOW_BASE, 1024) == words
    assert board.bus.memory == words


async def test_a_run_gives_its_results_in_order_and_as_they_are_known(link: WishboneLink):
    known = []
    results = await link.run(
        [Operation.read(COUNTER), Operation.write(WINDOW_BASE, [5]), Operation.read(WINDOW_BASE)] * 100,
        on_done=lambda index, words: known.append((index, words)),
    )
    assert results == [words for n in range(1, 101) for words in ([n], [], [5])]
    assert known == list(enumerate(results))


async def test_an_empty_run_is_done(link: WishboneLink):
    assert await link.run([]) == []


async def test_proves_the_design(link: WishboneLink):
    assert await link.identify() == IDENTIFIER
    await link.prove(IDENTIFIER)
    assert await link.read(CONTROL.scratch) == [0x1234_5678]


async def test_hang_up_ends_all_who_wait(board: PtyBoard, link: WishboneLink):
    board.faults.dead = True
    waiting = [asyncio.create_task(link.read(COUNTER)) for _ in range(3)]
    await asyncio.sleep(0)
    board.cut()
    for task in waiting:
        with pytest.raises(LinkLost):
            await task
