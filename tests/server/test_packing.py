"""From a batch of the client's over the live path to the wire's bytes: what is asked for together goes together."""

import asyncio
import dataclasses
import random
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.client.batch import Batch
from jupyter_fpga.client.door import Door
from jupyter_fpga.client.errors import AccessFailed
from jupyter_fpga.client.live import LiveLink
from jupyter_fpga.client.loop import across
from jupyter_fpga.client.ports import read
from jupyter_fpga.fpga.config import FpgaConfig, simulated_boards
from jupyter_fpga.fpga.registers import RegisterMap
from jupyter_fpga.fpga.wishbone import LinkTiming, frames
from jupyter_fpga.gateware.manifest import Memory, Window
from jupyter_fpga.server.auth import TokenAuthenticator
from jupyter_fpga.server.standalone import listen, make_application

from ..fpga.conftest import ANN  # noqa: TID252 - a floor over boards in memory is made there
from ..fpga.conftest import Lab as Floor  # noqa: TID252
from ..fpga.wishbone.conftest import link_to  # noqa: TID252 - and a board to the byte there
from ..fpga.wishbone.uartbone import CONTROL_BASE, UNMAPPED, WINDOW_BASE, Bridge, FramedBridge, PtyBoard  # noqa: TID252
from .conftest import TOKEN, OpenDoor

#: Words of the board's memory.
WORDS = 1024

#: Bytes of UARTBone's command for a read of one word.
UARTBONE_READ = 6


@dataclass
class Bench:
    """A board on a wire whose bytes are counted, and the client's live path to it."""

    board: PtyBoard
    door: Door
    live: LiveLink
    floor: Floor
    to_board: int = 0
    to_host: int = 0
    begun: threading.Event = field(default_factory=threading.Event)

    def batch(self) -> Batch:
        """As a board's handle has it."""
        return Batch(self, [], lambda operation: None)

    async def run(self, operations: Any) -> list[list[int]]:
        return await self.live.run(operations)

    async def beside(self, batch: Batch, address: int) -> int:
        """Run a batch, and read a word over a live path of its own meanwhile."""
        other = await LiveLink.open(self.door, 0)
        running = asyncio.ensure_future(batch.__aexit__(None, None, None))
        await asyncio.to_thread(self.begun.wait)
        ((word,),) = await other.run([read(address)])
        await running
        return word

    def count_to_board(self, data: bytes) -> bytes:
        self.to_board += len(data)
        self.begun.set()
        return data

    def count_to_host(self, data: bytes) -> bytes:
        self.to_host += len(data)
        return data


@pytest.fixture(params=[FramedBridge, Bridge], ids=["frames", "uartbone"])
async def bench(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bench]:
    # On a busy machine the board may be late, and what is sent to ask for it would be counted.
    monkeypatch.setattr(frames, "_PATIENCE", 60.0)
    floor = await Floor(tmp_path, FpgaConfig(boards=simulated_boards(1))).start()
    await floor.all_idle()
    await floor.reserved()
    unit = floor.fpga._floor.pool[0]
    manifest = unit.manifest
    assert manifest is not None
    memory = Memory("all", 0, 0x8_0000, 32, "rw", "")
    unit.manifest = dataclasses.replace(
        manifest, window=Window(WINDOW_BASE, 4 * memory.words), registers=[], memories=[memory]
    )
    unit.registers = RegisterMap(unit.manifest)
    door = OpenDoor(floor.fpga, tmp_path)
    server, port = listen(make_application(door, TokenAuthenticator(ANN, TOKEN)), 0)
    with PtyBoard(request.param()) as board:
        unit.link = link = link_to(board, timing=LinkTiming(margin=60))
        client = Door(f"http://127.0.0.1:{port}", TOKEN)
        live = await across(LiveLink.open(client, 0))
        bench = Bench(board, client, live, floor)
        # The board is found before anything is counted.
        await link.read(WINDOW_BASE)
        board.faults.to_board, board.faults.to_host = bench.count_to_board, bench.count_to_host
        yield bench
        client.close()
        server.stop()
        await door.activity.end_sockets()
        await server.close_all_connections()
        await floor.stop()


@pytest.fixture
def places() -> list[int]:
    """A thousand byte offsets, none behind the one before it."""
    chosen = random.Random(5).sample(range(WORDS), 1000)
    return [4 * word for word in chosen]


@pytest.mark.parametrize("bench", [FramedBridge], indirect=True)
async def test_a_batch_of_single_reads_fills_the_wires_frames(bench: Bench, places: list[int]) -> None:
    bench.board.bus.memory[:] = [7 * word + 1 for word in range(WORDS)]
    async with bench.batch() as batch:
        answers = [batch.read(place) for place in places]
    assert [answer.value for answer in answers] == [[7 * (place // 4) + 1] for place in places]
    # Two bytes each, and ten or so around a hundred of them; the words come back with little more around them.
    assert len(places) * 2 < bench.to_board < len(places) * 2.5 < len(places) * UARTBONE_READ
    assert len(places) * 4 < bench.to_host < len(places) * 4.5
    assert bench.floor.fpga._floor.counts.stream_frames[ANN.name] == len(places)


@pytest.mark.parametrize("bench", [FramedBridge], indirect=True)
async def test_a_batch_of_writes_and_reads_fills_them_as_well(bench: Bench, places: list[int]) -> None:
    async with bench.batch() as batch:
        answers = []
        for place in places:
            batch.write(place, place + 1)
            answers.append(batch.read(place))
    assert [answer.value for answer in answers] == [[place + 1] for place in places]
    # Each changes the command, whose head is two bytes: 8 and 4, where UARTBone takes 10 and 6.
    assert bench.to_board < len(places) * 13


async def test_what_is_behind_a_failure_is_not_done_or_told(bench: Bench) -> None:
    """By frames nothing behind a bus error is executed; by UARTBone what was on the wire already is."""
    nowhere = UNMAPPED - WINDOW_BASE
    batch = bench.batch()
    before = batch.read(0)
    batch.write(4, 1)
    batch.read(nowhere)
    for word in range(2, 700):
        batch.write(4 * word, 1)
    with pytest.raises(AccessFailed) as failure:
        await batch.__aexit__(None, None, None)
    assert str(failure.value) == (
        f"The read of address {UNMAPPED:#010x} (operation 0) was not answered on the bus: nothing is mapped there, or "
        "the design didn't acknowledge it in time."
    )
    assert failure.value.detail == {"offset": nowhere}
    assert repr(before) == "<Pending>"
    memory = bench.board.bus.memory
    assert memory[1] == 1
    done = sum(memory[2:700])
    # In their order, as far as they came.
    assert memory[2:700] == [1] * done + [0] * (698 - done)
    assert done == 0 if isinstance(bench.board.bridge, FramedBridge) else done < 698


async def test_nothing_is_done_of_a_message_that_is_refused(bench: Bench) -> None:
    batch = bench.batch()
    batch.write(0, 1)
    batch.read(4 * 0x8_0000)
    batch.write(4, 1)
    with pytest.raises(AccessFailed) as failure:
        await batch.__aexit__(None, None, None)
    assert str(failure.value) == (
        "Nothing was sent to the board: the address 0x200000 is outside the design's window of 0x200000 bytes. The "
        "nearest register is 'all[524287]' at 0x1ffffc."
    )
    assert bench.to_board == 0
    assert bench.board.bus.memory[:2] == [0, 0]


async def test_a_full_message_keeps_nobody_from_the_board(bench: Bench) -> None:
    """Turns on the wire go by bytes, whoever's message they come from."""
    batch = bench.batch()
    for _ in range(1024):
        batch.read(0, 32)
    bench.board.bus.memory[WORDS - 1] = 7
    assert await across(bench.beside(batch, 4 * (WORDS - 1))) == 7
    reads = [address for writes, address, _ in bench.board.bus.log if not writes and address < CONTROL_BASE]
    assert reads.index(WINDOW_BASE + 4 * (WORDS - 1)) < len(reads) / 2
