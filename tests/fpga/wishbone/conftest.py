"""A link to a byte-accurate board on a real pseudo-terminal."""

from collections.abc import AsyncIterator

import pytest

from jupyter_fpga.fpga.wishbone import (
    LinkTiming,
    WishboneLink,
)

from .uartbone import CONTROL, Bridge, FramedBridge, PtyBoard

#: Faults are found soon. The board runs in real time, so that its watchdog's 100 ms pass in the first silence.
QUICK = LinkTiming(margin=0.3, slowdown=2, silence=0.12, attempts=3, reply=0.3)


def link_to(board: PtyBoard, **options) -> WishboneLink:
    options = {"timing": QUICK, "fresh": True, "fifo_depth": board.bridge.depth} | options
    options.setdefault("answer_depth", getattr(board.bridge, "answer_depth", 0))
    return WishboneLink(board.wire(), baud=1_000_000, clock_hz=12_000_000, control=CONTROL, **options)


@pytest.fixture(params=[Bridge, FramedBridge], ids=["uartbone", "frames"])
async def board(request: pytest.FixtureRequest) -> AsyncIterator[PtyBoard]:
    """A board that speaks UARTBone, and one that speaks frames."""
    with PtyBoard(request.param()) as board:
        yield board


@pytest.fixture
async def link(board: PtyBoard) -> AsyncIterator[WishboneLink]:
    link = link_to(board)
    yield link
    link.close()
