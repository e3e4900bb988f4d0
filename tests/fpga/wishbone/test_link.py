"""The link against a byte-accurate board on a real pseudo-terminal."""

import asyncio

import pytest

from jupyter_fpga.fpga.wishbone import (
    BusError,
    LinkBusy,
    Operation,
    ProofFailed,
    WishboneLink,
)

from .conftest import link_to
from .uartbone import CONTROL, COUNTER, IDENTIFIER, UNMAPPED, WINDOW_BASE, Bridge, Bus, FramedBridge, PtyBoard


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


async def test_a_masked_write_leaves_the_other_bits(board: PtyBoard, link: WishboneLink):
    board.bus.memory[0] = 0x1234_5678
    await link.run([Operation.modify(WINDOW_BASE, [0xFFFF_FFFF], [0x0000_0F00])])
    assert board.bus.memory[0] == 0x1234_5F78


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


async def test_what_a_listener_raises_ends_its_run_and_nothing_else(link: WishboneLink):
    def on_done(index: int, words: list[int]) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await link.run([Operation.read(COUNTER)] * 3, on_done=on_done)
    assert await link.read(WINDOW_BASE) == [0]


async def test_a_slow_wire_and_a_slow_board():
    """115,200 baud, answers as slow as on the wire, and a board that runs at half the time of the wall."""
    with PtyBoard(Bridge(baud=115_200), speed=0.5, paced=True) as board:
        link = WishboneLink(board.wire(), baud=115_200, fifo_depth=1024, clock_hz=12_000_000, control=CONTROL)
        assert await link.read(COUNTER, 300, fixed=True) == list(range(1, 301))
        link.close()


async def test_the_smallest_fifo_will_do_and_a_smaller_one_is_refused():
    with PtyBoard(Bridge(fifo_depth=128)) as board:
        link = link_to(board)
        assert await link.run([Operation.read(COUNTER)] * 500) == [[n] for n in range(1, 501)]
        assert board.bus.overflow == 0
        link.close()
        with pytest.raises(ValueError, match=r"^The link needs a receive FIFO of at least 128 bytes, not 64\.$"):
            link_to(board, fifo_depth=64)


# ---- several users


async def test_a_single_read_overtakes_a_long_run(board: PtyBoard, link: WishboneLink):
    progress = []
    begun = asyncio.Event()

    def on_done(index: int, words: list[int]) -> None:
        progress.append(index)
        begun.set()

    long = asyncio.create_task(link.session("run").run([Operation.read(COUNTER)] * 5000, on_done=on_done))
    await begun.wait()
    assert await link.session("stream").read(WINDOW_BASE) == [0]
    # What was in flight, and a turn or two: with frames at most what the board keeps of answers.
    assert len(progress) < 1500
    assert await long == [[n] for n in range(1, 5001)]


async def test_many_users_get_their_own_answers(board: PtyBoard, link: WishboneLink):
    board.bus.memory[:50] = range(1000, 1050)

    async def user(number: int) -> None:
        session = link.session(f"user {number}")
        assert session.name == f"user {number}"
        for n in range(20):
            assert await session.read(WINDOW_BASE + 4 * number) == [1000 + number + n * 100]
            await session.write(WINDOW_BASE + 4 * number, [1000 + number + (n + 1) * 100])

    await asyncio.gather(*(user(number) for number in range(50)))


async def test_what_is_cancelled_leaves_the_others_alone(link: WishboneLink):
    progress = asyncio.Event()
    long = asyncio.create_task(
        link.session("a").run([Operation.read(COUNTER)] * 5000, on_done=lambda index, words: progress.set())
    )
    await progress.wait()
    long.cancel()
    with pytest.raises(asyncio.CancelledError):
        await long
    (count,) = await link.session("b").read(COUNTER)
    assert count < 1000
    assert await link.session("b").read(COUNTER) == [count + 1]


async def test_an_exclusive_hold(link: WishboneLink):
    other = link.session("stream")
    before = asyncio.create_task(other.run([Operation.read(COUNTER)] * 500))
    await asyncio.sleep(0)
    async with link.exclusive("a capture") as alone:
        assert before.done()
        assert await alone.read(COUNTER) == [501]
        for refused in (other.read(COUNTER), link.read(COUNTER), link.prove(IDENTIFIER)):
            with pytest.raises(LinkBusy) as busy:
                await refused
            assert busy.value.message == (
                "The board's link is held exclusively for a capture; try again when it is released."
            )
        with pytest.raises(LinkBusy):
            async with link.exclusive("a grader"):
                pass
        assert await alone.read(COUNTER) == [502]
    assert await other.read(COUNTER) == [503]


# ---- bus errors


async def test_a_bus_error_names_its_operation_and_what_is_done(board: PtyBoard, link: WishboneLink):
    framed = isinstance(board.bridge, FramedBridge)
    operations = [
        Operation.write(WINDOW_BASE, [7]),
        Operation.read(WINDOW_BASE),
        Operation.read(UNMAPPED),
        Operation.read(WINDOW_BASE),
    ]
    with pytest.raises(BusError) as error:
        await link.run(operations)
    assert (error.value.index, error.value.address, error.value.completed) == (2, UNMAPPED, [[], [7]])
    assert error.value.message == (
        "The read of address 0x30100000 (operation 2) was not answered on the bus: nothing is mapped there, or the "
        "design didn't acknowledge it in time. Operations 0 to 1 are done."
        # What is behind it in its frame is not executed.
        + ("" if framed else " Operation 3 is done as well, being on the wire already.")
    )
    assert await link.read(WINDOW_BASE) == [7]


async def test_a_burst_of_unmapped_words_does_not_hang(link: WishboneLink):
    with pytest.raises(BusError):
        await link.read(UNMAPPED, 1000)
    with pytest.raises(BusError):
        await link.write(UNMAPPED, [1] * 1000)
    assert await link.read(WINDOW_BASE) == [0]


async def test_0xffffffff_is_a_value(board: PtyBoard, link: WishboneLink):
    board.bus.memory[0] = 0xFFFF_FFFF
    board.bus.bus_errors = 7
    assert await link.read(WINDOW_BASE) == [0xFFFF_FFFF]


# ---- proof


async def test_proves_the_design(link: WishboneLink):
    assert await link.identify() == IDENTIFIER
    await link.prove(IDENTIFIER)
    assert await link.read(CONTROL.scratch) == [0x1234_5678]


async def test_the_scratch_register_is_its_users(link: WishboneLink):
    assert await link.read(CONTROL.scratch) == [0x1234_5678]
    await link.write(CONTROL.scratch, [0xCAFE_F00D])
    await link.run([Operation.read(WINDOW_BASE)] * 300)
    assert await link.read(CONTROL.scratch) == [0xCAFE_F00D]


async def test_another_design_is_found_out(link: WishboneLink):
    with pytest.raises(ProofFailed) as failed:
        await link.prove("jupyter_fpga simulated fedcba9876543210")
    assert failed.value.as_dict() == {
        "error": "identifier_mismatch",
        "message": "The board answered with identifier 'jupyter_fpga simulated 0123456789abcdef', and "
        "'jupyter_fpga simulated fedcba9876543210' was expected: it runs another design. Program it again.",
        "detail": {
            "found": "jupyter_fpga simulated 0123456789abcdef",
            "expected": "jupyter_fpga simulated fedcba9876543210",
        },
    }


async def test_a_board_without_identifier_is_found_out():
    bus = Bus()
    bus.identifier = bytes([0xC3, 0x28, 0x41]).ljust(64, b"\0")
    with PtyBoard(Bridge(bus)) as board:
        link = link_to(board)
        with pytest.raises(ProofFailed) as failed:
            await link.prove(IDENTIFIER)
        assert failed.value.code == "identifier_unreadable"
        assert failed.value.message == (
            "The board answers, but has no readable identifier at 0xf0000800: its first words are 0xc3, 0x28, 0x41, "
            "0x0. It is not programmed with a design of this lab; program it again."
        )
        link.close()
