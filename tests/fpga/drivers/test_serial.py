"""Boards on a desk: a real program in the programmer's place, real pseudo-terminals, the real link."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jupyter_fpga.fpga.pool import open_link

from ..desk import Desk, board  # noqa: TID252 - the tests are no package
from .conftest import MANIFEST


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk with one board, on port 1-1."""
    desk = Desk(tmp_path)
    desk.plug("1-1")
    desk.bus.start()
    yield desk
    desk.bus.stop()
    desk.clear()


async def test_a_board_is_programmed_opened_and_proven(desk: Desk, image: Path) -> None:
    driver = desk.driver().of(board())
    lines: list[str] = []
    record = await driver.program(image, MANIFEST, log=lines.append)
    assert record == {
        "port": "1-1",
        "serial": "A1",
        "bus": 1,
        "number": 4,
        "tty": str(desk.tty("1:4")),
        "baud": 1000000,
    }
    link = await open_link(driver, record, MANIFEST, fresh=True, on_lost=lambda error: None)
    await link.prove(MANIFEST.identifier)
    link.close()
    print(lines, desk.calls)
