"""The link by frames, when its board, or the line to it, fails: nothing that was on the wire is in doubt for that."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from jupyter_fpga.fpga.wishbone import (
    BusError,
    LinkLost,
    LinkTimeout,
    LinkTiming,
    Operation,
    OutcomeUnknown,
    WishboneLink,
)
from jupyter_fpga.fpga.wishbone.uartbone import encode_read

from .conftest import link_to
from .reference_decoder import frame, sync
from .uartbone import CONTROL, COUNTER, IDENTIFIER, UNMAPPED, WINDOW_BASE, FramedBridge, PtyBoard

COUNTS = [Operation.read(COUNTER)]


@pytest.fixture
async def board() -> AsyncIterator[PtyBoard]:
    with PtyBoard(FramedBridge()) as board:
        yield board


@pytest.fixture
async def link(board: PtyBoard) -> AsyncIterator[WishboneLink]:
    link = link_to(board, timing=LinkTiming(margin=3))
    yield link
    link.close()


def once(change, least: int = 1):
    """``change`` what passes, the first time that it is so long."""
    done = False

    def spoil(data: bytes) -> bytes:
        nonlocal done
        if done or len(data) < least:
            return data
        done = True
        return change(data)

    return spoil


SPOILT = {
    "lost": lambda data: data[: len(data) // 2] + data[len(data) // 2 + 1 :],
    "doubled": lambda data: data[: len(data) // 2 + 1] + data[len(data) // 2 :],
    "changed": lambda data: data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 0x41]) + data[len(data) // 2 + 1 :],
    "first lost": lambda data: data[1:],
    "first changed": lambda data: b"\x01" + data[1:],
    "last lost": lambda data: data[:-1],
    "all lost": lambda data: b"",
    "all doubled": lambda data: data * 2,
    "garbage before": lambda data: bytes(range(40)) + data,
    "garbage after": lambda data: data + bytes([0x84, 0xFF, 0x00]),
}


@pytest.mark.parametrize("way", ["to_board", "to_host"])
@pytest.mark.parametrize("kind", SPOILT)
@pytest.mark.parametrize("count", [1, 2000])
async def test_a_fault_costs_time_and_nothing_else(
    board: PtyBoard, link: WishboneLink, way: str, kind: str, count: int
):
    """A register with a side effect is read exactly as often as it was asked for, and every value comes back."""
    await link.prove(IDENTIFIER)
    setattr(board.faults, way, once(SPOILT[kind]))
    operations = [*COUNTS, Operation.write(WINDOW_BASE + 4, [7])] * count
    assert await link.run(operations) == [words for n in range(1, count + 1) for words in ([n], [])]
    assert await link.read(COUNTER) == [count + 1]
    assert [entry for entry in board.bus.log if entry[0]] == [(True, WINDOW_BASE + 4, 7)] * count


async def test_nothing_behind_a_bus_error_is_executed(board: PtyBoard, link: WishboneLink):
    others = asyncio.create_task(link.session("other").run(COUNTS * 3000))
    behind = [Operation.write(WINDOW_BASE, [9])] * 3000
    with pytest.raises(BusError) as error:
        await link.run([Operation.read(WINDOW_BASE, 5), Operation.write(UNMAPPED - 4, [1, 2]), *behind])
    assert (error.value.index, error.value.address, error.value.certain) == (1, UNMAPPED - 4, True)
    assert error.value.ran_on == range(2, 2)
    assert await others == [[n] for n in range(1, 3001)]
    assert not [entry for entry in board.bus.log if entry[0]]
    assert board.bus.bus_errors == 1


async def test_a_bus_error_whose_answer_is_lost_is_told_all_the_same(board: PtyBoard, link: WishboneLink):
    await link.read(COUNTER)
    board.faults.to_host = once(lambda data: b"")
    with pytest.raises(BusError) as error:
        await link.run([*COUNTS, Operation.write(UNMAPPED, [1]), *COUNTS])
    assert (error.value.index, error.value.completed) == (1, [[2]])
    assert await link.read(COUNTER) == [3]


async def test_masked_writes_survive_faults(board: PtyBoard, link: WishboneLink):
    chance = random.Random(2)
    board.faults.to_host = lambda data: data if chance.random() < 0.9 else data[1:]
    board.bus.memory[:300] = [0xF0F0_F0F0] * 300
    await link.run([Operation.modify(WINDOW_BASE, [n] * 300, [1 << n] * 300) for n in range(8)])
    board.faults.to_host = None
    # Bit n is that of the number n.
    assert board.bus.memory[:300] == [0xF0F0_F000] * 300


async def test_a_long_way_is_kept_full(board: PtyBoard):
    """More is under way than the receive FIFO holds, and no more than the board keeps of answers."""
    link = link_to(board, timing=LinkTiming(margin=3))
    most = 0
    original = board.bridge.feed

    def feed(data: bytes, now: float):
        nonlocal most
        most = max(most, len(data))
        return original(data, now)

    board.bridge.feed = feed
    assert await link.run(COUNTS * 5000) == [[n] for n in range(1, 5001)]
    assert board.bus.overflow == 0
    assert most <= 1024
    link.close()


# ---- what can't be known


async def test_a_board_that_says_nothing_times_out_and_is_lost(board: PtyBoard):
    link = link_to(board)
    assert await link.run(COUNTS * 3) == [[1], [2], [3]]
    board.faults.dead = True
    with pytest.raises(LinkTimeout) as timeout:
        await link.run(COUNTS * 3)
    assert timeout.value.message == (
        "The board didn't answer in time. No operation is known to be done; operations 0 to 2 were on the wire and may "
        "or may not have been carried out. Read back what matters before you go on."
    )
    with pytest.raises(LinkLost) as lost:
        await link.read(COUNTER)
    assert lost.value.reason == "it didn't answer 3 attempts to find it, with waits of 0.12 to 0.48 s."


async def test_a_board_that_comes_back_after_the_time_out(board: PtyBoard):
    """What nobody waits for any more is not executed later, and the link goes on."""
    link = link_to(board, timing=LinkTiming(margin=0.3, slowdown=2, attempts=9))
    await link.read(COUNTER)
    board.faults.dead = True
    with pytest.raises(LinkTimeout):
        await link.read(COUNTER)
    board.faults.dead = False
    assert await link.read(COUNTER) == [2]
    link.close()


@pytest.mark.parametrize("when", [0, 1])
async def test_a_board_that_loses_its_memory(board: PtyBoard, link: WishboneLink, when: int):
    await link.read(COUNTER)

    def lose(data: bytes) -> bytes:
        board.bridge.power_cycle()
        return data

    board.faults.to_board = once(lose, 20 * when)
    with pytest.raises(OutcomeUnknown) as unknown:
        await link.run(COUNTS * 200)
    assert unknown.value.reason == (
        "The board has forgotten the session: it was reset, or lost its power, with operations under way."
    )
    assert unknown.value.in_doubt.start == 0
    await link.prove(IDENTIFIER)


async def test_a_line_that_spoils_everything_is_lost(board: PtyBoard):
    board.faults.to_host = lambda data: data[:-1]
    # Long enough for a busy machine to let something come.
    link = link_to(board, timing=LinkTiming(attempts=3, silence=0.5))
    with pytest.raises(LinkLost) as lost:
        await link.read(COUNTER)
    assert lost.value.reason == (
        "it didn't answer 3 attempts to find it rightly, with waits of 0.5 to 2 s; something came."
    )


async def test_hang_up_ends_all_who_wait(board: PtyBoard):
    told = []
    link = link_to(board, on_lost=told.append)
    await link.read(COUNTER)
    board.faults.dead = True
    waiting = [asyncio.create_task(link.session(name).run(COUNTS * 300)) for name in "abc"]
    await asyncio.sleep(0)
    board.cut()
    for task in waiting:
        with pytest.raises(LinkLost) as lost:
            await task
        assert lost.value.completed == []
    assert [error.message for error in told] == [link.lost.message]


# ---- who comes next


async def test_the_next_lab_begins_anew_whatever_the_last_one_left(board: PtyBoard):
    """One died in the middle of a frame, and another one in the middle of a write by UARTBone."""
    first = link_to(board)
    await first.write(WINDOW_BASE, [5])
    wire = board.wire()
    wire.write(frame(0x8899_AABB, 1, bytes(200))[:100])
    second = link_to(board, fresh=False)
    await second.prove(IDENTIFIER)
    assert await second.read(WINDOW_BASE) == [5]
    assert board.bus.memory[1:] == [0] * 1023
    second.close()


async def test_half_a_command_before_is_waited_out(board: PtyBoard):
    wire = board.wire()
    wire.write(bytes.fromhex("01 ff 0c000000 00000001"))
    wire.close()
    link = link_to(board, fresh=False)
    await link.prove(IDENTIFIER)
    assert board.bus.memory[1:] == [0] * 1023
    link.close()


async def test_uartbone_is_there_again_when_the_link_is_closed(board: PtyBoard):
    link = link_to(board)
    await link.write(WINDOW_BASE, [0xCAFE_F00D])
    link.close()
    wire = board.wire()
    wire.timeout = 30
    wire.write(encode_read(WINDOW_BASE, 1))
    assert wire.read(4) == bytes.fromhex("cafef00d")


async def test_resynchronising_on_request_loses_nothing(link: WishboneLink):
    begun = asyncio.Event()
    running = asyncio.create_task(link.run(COUNTS * 5000, on_done=lambda index, words: begun.set()))
    await begun.wait()
    await link.resync()
    assert await running == [[n] for n in range(1, 5001)]


async def test_a_mistake_of_the_link_itself_ends_it(board: PtyBoard, monkeypatch: pytest.MonkeyPatch):
    link = link_to(board)
    await link.read(COUNTER)
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context["exception"]))

    def spent(*arguments):
        raise KeyError("spent")

    monkeypatch.setattr(link._transport, "_send", spent)
    with pytest.raises(LinkLost) as lost:
        await link.run(COUNTS * 5)
    assert lost.value.reason == "the lab made a mistake (KeyError('spent'))."
    assert [str(error) for error in told] == ["'spent'"]


async def test_the_session_comes_from_the_source_that_is_given(board: PtyBoard):
    for _ in range(2):
        link = link_to(board, random=random.Random(1))
        await link.read(CONTROL.scratch)
        assert board.bridge.decoder.session == 0xA295_CE17
        link.close()
        board.bridge.power_cycle()


def test_the_reference_says_what_the_description_says():
    assert sync(0x8899_AABB, 9, 300)[:14].hex(" ") == "5a 5a 5a 5a 5a 5a a5 88 99 aa bb 09 82 ac"
