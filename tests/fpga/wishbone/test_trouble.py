"""The link when its board, or the line to it, fails; and how it ends."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from jupyter_fpga.fpga.wishbone import (
    LinkLost,
    LinkTimeout,
    Operation,
    OutcomeUnknown,
    WishboneLink,
)

from .conftest import QUICK, link_to
from .uartbone import CONTROL, COUNTER, IDENTIFIER, WINDOW_BASE, PtyBoard


@pytest.fixture
async def board() -> AsyncIterator[PtyBoard]:
    """One that speaks UARTBone: nothing that was on the wire can be known afterwards."""
    with PtyBoard() as board:
        yield board


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
