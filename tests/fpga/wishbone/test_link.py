"""The link against a byte-accurate board on a real pseudo-terminal."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from jupyter_fpga.fpga.wishbone import (
    BusError,
    LinkBusy,
    LinkLost,
    LinkTimeout,
    LinkTiming,
    Operation,
    OutcomeUnknown,
    ProofFailed,
    WishboneLink,
)

from .uartbone import CONTROL, COUNTER, IDENTIFIER, UNMAPPED, WINDOW_BASE, Bridge, Bus, PtyBoard

#: Faults are found soon. The board runs in real time, so that its watchdog's 100 ms pass in the first silence.
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


# ---- what works


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
    # What was in flight, and a turn or two.
    assert len(progress) < 1000
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


async def test_a_bus_error_names_its_operation_and_what_is_done(link: WishboneLink):
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
        "design didn't acknowledge it in time. Operations 0 to 1 are done. Operation 3 is done as well, being on the "
        "wire already."
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


# ---- trouble on the wire


async def test_a_board_that_says_nothing_times_out_and_is_lost(board: PtyBoard, link: WishboneLink):
    assert await link.run([Operation.read(COUNTER)] * 3) == [[1], [2], [3]]
    board.faults.dead = True
    with pytest.raises(LinkTimeout) as timeout:
        await link.run([Operation.read(COUNTER)] * 3)
    assert timeout.value.message == (
        "The board didn't answer in time. No operation is known to be done; operations 0 to 2 were on the wire and may "
        "or may not have been carried out. Read back what matters before you go on."
    )
    assert (timeout.value.completed, timeout.value.in_doubt) == ([], range(3))
    for _ in range(2):
        with pytest.raises(LinkLost) as lost:
            await link.read(COUNTER)
        assert lost.value.reason == ("it didn't answer 3 attempts to find it, with silences of 0.12 to 0.48 s.")
    assert link.lost is not None


async def test_a_board_that_says_something_else_is_lost(board: PtyBoard):
    """The scratch register has a bit that doesn't move: the board answers, and never what was asked for."""
    board.bus.scratch_and = 0xFFFF_FEFE
    board.bus.scratch_or = 0x0101_0000
    link = link_to(board, random=random.Random(3))
    with pytest.raises(LinkLost) as lost:
        await link.prove(IDENTIFIER)
    assert lost.value.reason == (
        "none of 3 attempts to find it was answered rightly: a195119c was expected, and the last bytes that came are "
        "a195109c."
    )


async def test_what_is_known_before_a_time_out_is_told(board: PtyBoard, link: WishboneLink):
    def die(index: int, words: list[int]) -> None:
        board.faults.dead = True

    with pytest.raises(LinkTimeout) as timeout:
        await link.run([Operation.read(COUNTER)] * 3000, on_done=die)
    done = len(timeout.value.completed)
    assert 0 < done < 3000
    assert timeout.value.completed == [[n] for n in range(1, done + 1)]
    assert timeout.value.in_doubt.start == done
    # What was not sent, the board hasn't done.
    assert board.bus.counter <= timeout.value.in_doubt.stop < 3000


async def test_who_has_not_been_sent_is_done_after_resynchronisation(board: PtyBoard, link: WishboneLink):
    await link.read(COUNTER)
    lost = 0

    def drop_one(data: bytes) -> bytes:
        nonlocal lost
        if lost or len(data) < 100:
            return data
        lost = 1
        return data[:50] + data[51:]

    board.faults.to_host = drop_one
    long = asyncio.create_task(link.session("a").run([Operation.read(WINDOW_BASE)] * 2000))
    with pytest.raises(OutcomeUnknown):
        await long
    assert lost
    assert await link.session("b").read(WINDOW_BASE) == [0]


async def test_garbage_while_nothing_is_asked_for(board: PtyBoard, link: WishboneLink):
    (count,) = await link.read(COUNTER)
    board.say(b"\xde\xad\xbe\xef" * 10)
    # It may come before or after the next request; either way no wrong word is taken for an answer.
    for _ in range(5):
        try:
            words = await link.read(WINDOW_BASE)
        except OutcomeUnknown:
            continue
        assert words == [0]
    assert await link.read(COUNTER) == [count + 1]


async def test_a_late_answer_is_not_taken_for_a_later_one(board: PtyBoard, link: WishboneLink):
    held = []

    def hold(data: bytes) -> bytes:
        held.append(data)
        return b""

    await link.read(COUNTER)
    board.faults.to_host = hold
    with pytest.raises(LinkTimeout):
        await link.read(COUNTER)
    board.faults.to_host = None
    board.say(b"".join(held))
    assert await link.read(WINDOW_BASE) == [0]
    assert await link.read(COUNTER) == [3]


async def test_a_board_that_goes_silent_while_it_is_looked_for(board: PtyBoard):
    """It answers the first nonce of each look, and not the second."""
    board.faults.to_host = lambda data: data if len(data) == 4 else b""
    link = link_to(board)
    with pytest.raises(LinkLost) as lost:
        await link.read(COUNTER)
    assert lost.value.reason == "it didn't answer 3 attempts to find it, with silences of 0.12 to 0.48 s."


async def test_a_line_that_adds_a_byte_to_every_answer_is_not_trusted(board: PtyBoard):
    board.faults.to_host = lambda data: data + b"\x55"
    link = link_to(board, random=random.Random(3))
    with pytest.raises(LinkLost) as lost:
        await link.read(COUNTER)
    assert lost.value.reason.startswith("none of 3 attempts to find it was answered rightly: ")
    assert lost.value.reason.endswith("55.")


async def test_half_a_command_before_is_waited_out(board: PtyBoard):
    """A lab died in the middle of a write burst; the next one doesn't write its own bytes into it."""
    wire = board.wire()
    wire.write(bytes.fromhex("01 ff 0c000000 00000001"))
    wire.flush()
    wire.close()
    link = link_to(board, fresh=False)
    await link.prove(IDENTIFIER)
    assert board.bus.memory[1:] == [0] * 1023
    link.close()


async def test_a_command_that_reads_for_ever_is_waited_out(board: PtyBoard):
    """A length of 0 streams words until the watchdog ends it."""
    wire = board.wire()
    wire.write(bytes.fromhex("04 00 0c000000"))
    wire.flush()
    link = WishboneLink(
        wire, baud=1_000_000, fifo_depth=1024, clock_hz=12_000_000, control=CONTROL, timing=QUICK, fresh=False
    )
    await link.prove(IDENTIFIER)
    link.close()


async def test_resynchronises_on_request(board: PtyBoard, link: WishboneLink):
    (count,) = await link.read(COUNTER)
    await link.resync()
    assert await link.read(COUNTER) == [count + 1]
    begun = asyncio.Event()
    running = asyncio.create_task(link.run([Operation.read(COUNTER)] * 5000, on_done=lambda index, words: begun.set()))
    await begun.wait()
    await link.resync()
    with pytest.raises(OutcomeUnknown) as unknown:
        await running
    assert unknown.value.reason == "The link was resynchronised on request."
    board.faults.dead = True
    with pytest.raises(LinkLost):
        await link.resync()


# ---- the end


async def test_hang_up_ends_all_who_wait(board: PtyBoard):
    told = []
    link = link_to(board, on_lost=told.append)
    await link.read(COUNTER)
    board.faults.dead = True
    waiting = [asyncio.create_task(link.session(name).run([Operation.read(COUNTER)] * 300)) for name in "abc"]
    await asyncio.sleep(0)
    board.cut()
    for task in waiting:
        with pytest.raises(LinkLost) as lost:
            await task
        assert lost.value.completed == []
    assert [error.message for error in told] == [link.lost.message]
    with pytest.raises(LinkLost):
        await link.read(COUNTER)


async def test_hang_up_is_noticed_while_nobody_waits(board: PtyBoard):
    lost = asyncio.Event()
    link = link_to(board, on_lost=lambda error: lost.set())
    await link.read(COUNTER)
    board.cut()
    await lost.wait()
    assert link.lost is not None
    link.close()


async def test_hang_up_during_resynchronisation(board: PtyBoard):
    link = link_to(board, fresh=False)
    waiting = asyncio.create_task(link.read(COUNTER))
    await asyncio.sleep(0)
    board.cut()
    with pytest.raises(LinkLost):
        await waiting


async def test_closing_ends_all_who_wait_and_tells_nobody(board: PtyBoard):
    told = []
    link = link_to(board, on_lost=told.append)
    waiting = asyncio.create_task(link.run([Operation.read(COUNTER)] * 5000))
    await asyncio.sleep(0)
    link.close()
    link.close()
    with pytest.raises(LinkLost) as lost:
        await waiting
    assert lost.value.message == (
        "The link to the board is lost: it was closed by the lab. No operation is known to be done; "
        "operations 0 to 4999 were not sent. Reset the board to use it again."
    )
    assert told == []


async def test_a_mistake_of_the_link_itself_ends_it(board: PtyBoard):
    """Whatever the reason, nobody waits for ever; and the mistake is told where such things are told."""
    told = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: told.append(context["exception"]))

    class Exhausted(random.Random):
        left = 5

        def sample(self, *arguments, **named):
            self.left -= 1
            if self.left == 0:
                raise KeyError("spent")
            return super().sample(*arguments, **named)

    link = link_to(board, random=Exhausted(1))
    with pytest.raises(LinkLost) as lost:
        await link.run([Operation.read(COUNTER)] * 5000)
    assert lost.value.reason == "the lab made a mistake (KeyError('spent'))."
    assert [str(error) for error in told] == ["'spent'"]


async def test_nonces_come_from_the_source_that_is_given(board: PtyBoard):
    link = link_to(board, random=random.Random(1))
    await link.read(COUNTER)
    first = board.bus.scratch
    link.close()
    with PtyBoard() as again:
        link = link_to(again, random=random.Random(1))
        await link.read(COUNTER)
        assert again.bus.scratch == first
        link.close()
