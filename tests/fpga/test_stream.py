"""The live path: who may, in which order, and how it ends."""

import asyncio
from typing import Any

import pytest

from jupyter_fpga.compute.builds.design import Source
from jupyter_fpga.errors import Conflict, Forbidden, Invalid, LabError
from jupyter_fpga.fpga import live
from jupyter_fpga.fpga.frames import LeftOut, Request, TextRequest
from jupyter_fpga.fpga.rates import RateLimit
from jupyter_fpga.fpga.wishbone import BusError, LinkBusy, LinkLost, Operation, OutcomeUnknown

from .in_memory import WINDOW

READ = Request(0, None, 1)


def write(value: int, address: int = 0) -> Request:
    return Request(address, (value,), 1)


async def refused(kind: type[LabError], code: str, message: str, work: Any) -> None:
    with pytest.raises(kind) as caught:
        await work
    assert (caught.value.code, caught.value.message) == (code, message)


async def test_frames_are_sent_without_waiting_and_answered_in_order(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    stream = await lab.fpga.open_stream(ann, 0)
    answers = []
    for value in range(50):
        answers += [await stream.submit(write(value)), await stream.submit(READ)]
    assert [await answer for answer in answers] == [words for value in range(50) for words in ([], [value])]
    named = await stream.submit(TextRequest({"op": "read", "register": "duty"}, "a"))
    assert await named == {"data": [49], "values": [49]}
    assert lab.fpga._floor.counts.stream_frames["ann"] == 101
    assert await lab.fpga.jobs(ann, type="run") == []
    await stream.close()
    assert (stream.closed, await stream.wait_closed()) == ("closed", "closed")
    assert lab.fpga._floor.pool[0].streams == set()


async def test_a_frame_that_cannot_be_right_is_answered_with_its_error(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    stream = await lab.fpga.open_stream(ann, 0)
    wrong = await stream.submit(Request(2, None, 1))
    right = await stream.submit(READ)
    with pytest.raises(Invalid) as caught:
        await wrong
    assert caught.value.code == "run_rejected"
    assert await right == [0]
    assert len(lab.links[-1].log) == 1
    await stream.close()


async def test_only_the_holder_and_only_reserved(lab: Any, people: Any) -> None:
    ann, ben, _ = people
    with pytest.raises(Conflict) as caught:
        await lab.fpga.open_stream(ann, 0)
    assert caught.value.code == "fpga_not_reserved"
    with pytest.raises(Conflict) as caught:
        await lab.fpga.open_stream(ann, 0, observe=True)
    assert caught.value.code == "fpga_not_reserved"
    await lab.reserved()
    await refused(
        Forbidden,
        "not_session_holder",
        "Board 0 is held by somebody else. Submit your design to get a board of your own.",
        lab.fpga.open_stream(ben, 0),
    )


async def test_observers_read_where_the_holder_allows_it(lab: Any, people: Any) -> None:
    ann, ben, _ = people
    await lab.reserved()
    await refused(
        Forbidden,
        "observers_not_allowed",
        "The holder of board 0 does not let others watch it. Ask them to allow observers.",
        lab.fpga.open_stream(ben, 0, observe=True),
    )
    with pytest.raises(Forbidden):
        await lab.fpga.allow_observers(ben, 0, True)
    assert await lab.fpga.allow_observers(ann, 0, True) == {"fpga_id": 0, "observers_allowed": True}
    watching = await lab.fpga.open_stream(ben, 0, observe=True)
    assert await (await watching.submit(READ)) == [0]
    await refused(
        Forbidden,
        "observers_only_read",
        "You watch board 0, which its holder alone may write. Read, or submit a design of your own.",
        await watching.submit(write(1)),
    )
    own = await lab.fpga.open_stream(ann, 0)
    await lab.fpga.allow_observers(ann, 0, False)
    assert (watching.closed, own.closed) == ("observers_shut_out", None)
    await refused(
        Forbidden,
        "observers_not_allowed",
        "The holder of board 0 doesn't let others watch it any more. Ask its holder.",
        watching.submit(READ),
    )
    await lab.fpga.allow_observers(ann, 0, True)
    await lab.released()
    await lab.reserved()
    # It was for that session.
    with pytest.raises(Forbidden):
        await lab.fpga.open_stream(ben, 0, observe=True)


@pytest.mark.parametrize("how", ["release", "expiry", "kick", "loss"])
async def test_a_stream_ends_with_its_session(lab: Any, people: Any, how: str) -> None:
    ann, _, operator = people
    await lab.reserved()
    streams = [await lab.fpga.open_stream(ann, 0) for _ in range(2)]
    ended = asyncio.gather(*(stream.wait_closed() for stream in streams))
    if how == "release":
        await lab.fpga.release(ann, 0)
    elif how == "expiry":
        lab.clock.advance(3600)
    elif how == "kick":
        await lab.fpga.kick(operator, 0)
    else:
        lab.driver.kill(max(lab.driver.running))
    assert await ended == ["session_ended", "session_ended"]
    await refused(
        Conflict,
        "session_ended",
        "The session on board 0 has ended. Submit your design again to get a board.",
        streams[0].submit(READ),
    )
    await lab.state(0, "idle")


async def test_a_stream_for_one_design_ends_with_it(lab: Any, people: Any) -> None:
    ann, _, _ = people
    job = await lab.reserved()
    design = (await lab.fpga.manifest(ann, job["job_id"]))["digest"]
    replaced = (
        "Board 0 no longer runs the design that was asked for: its holder has programmed another. Nothing was read or "
        "written. Ask for the manifest of the job that programmed it last, or submit your design again."
    )
    one, any_design = await lab.fpga.open_stream(ann, 0, design=design), await lab.fpga.open_stream(ann, 0)
    assert (await lab.fpga.run(ann, 0, [{"op": "read", "address": 0, "count": 1}], design))["status"] == "queued"
    # The same design once more is no other.
    await lab.reserved()
    assert await (await one.submit(READ)) == [0]
    await lab.reserved(source=Source({"next.py": b"class Next: ..."}, "next.py"))
    assert await one.wait_closed() == "design_replaced"
    await refused(Conflict, "design_replaced", replaced, one.submit(READ))
    await refused(Conflict, "design_replaced", replaced, lab.fpga.open_stream(ann, 0, design=design))
    await refused(
        Conflict,
        "design_replaced",
        replaced,
        lab.fpga.run(ann, 0, [{"op": "write", "address": 0, "data": [1]}], design),
    )
    assert (any_design.closed, await (await any_design.submit(READ))) == (None, [0])


async def test_a_stream_outlives_the_holders_next_design(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    stream = await lab.fpga.open_stream(ann, 0)
    await (await stream.submit(write(5)))
    lab.driver.hold = asyncio.Event()
    job = await lab.submit(text="class Next: ...", fpga_id=0)
    await lab.driver.holding.wait()
    await refused(
        Conflict,
        "fpga_not_reserved",
        "Board 0 can't be read or written now: it is being programmed (state 'programming'). "
        "Its registers answer once a design of yours is programmed (state 'reserved').",
        await stream.submit(READ),
    )
    lab.driver.hold.set()
    await lab.ended(job["job_id"])
    assert await (await stream.submit(READ)) == [0]
    await stream.close()


async def test_a_link_that_is_held_exclusively_ends_the_stream(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    stream = await lab.fpga.open_stream(ann, 0)
    lab.links[-1].error = lambda *_: LinkBusy("a capture")
    answer = await stream.submit(READ)
    with pytest.raises(LinkBusy):
        await answer
    assert stream.closed == "link_busy"


async def test_streams_end_with_the_lab(make_lab: Any, people: Any) -> None:
    lab = await make_lab().start()
    await lab.all_idle()
    await lab.reserved()
    stream = await lab.fpga.open_stream(people[0], 0)
    await lab.stop()
    assert stream.closed == "lab_stopping"


async def test_an_owners_streams_share_one_rate(make_lab: Any, people: Any) -> None:
    ann, _, _ = people
    lab = await make_lab(stream_frames_per_second=10.0, stream_burst=4).start()
    await lab.all_idle()
    await lab.reserved()
    streams = [await lab.fpga.open_stream(ann, 0) for _ in range(2)]
    for stream in streams * 2:
        await (await stream.submit(READ))
    fifth = asyncio.create_task(streams[0].submit(READ))
    await asyncio.sleep(0)
    lab.clock.advance(0.05)
    await asyncio.sleep(0)
    assert not fifth.done()
    lab.clock.advance(0.05)
    assert await (await fifth) == [0]
    for stream in streams:
        await stream.close()
    await lab.stop()


async def test_a_burst_comes_back_with_time(lab: Any) -> None:
    limit = RateLimit(lab.clock, 10.0, 3)
    for _ in range(3):
        await limit.take()
    lab.clock.advance(100)
    for _ in range(3):
        await limit.take()
    fourth = asyncio.create_task(limit.take())
    await asyncio.sleep(0)
    assert not fourth.done()
    lab.clock.advance(0.1)
    await fourth


# ---- several in one message


def told(answers: Any) -> list[Any]:
    """The answers of one message, errors as their sentences, marked where another frame is to blame."""
    return [
        ("left out: " if isinstance(answer, LeftOut) else "") + answer.message
        if isinstance(answer, LabError)
        else answer
        for answer in answers
    ]


async def test_the_frames_of_one_message_are_one_run(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    stream = await lab.fpga.open_stream(ann, 0)
    before = await stream.submit(write(7))
    message = await stream.submit((READ, write(8), READ, Request(8, (1, 2), 2, fixed_address=True)))
    named = await stream.submit(TextRequest({"op": "read", "register": "data"}))
    behind = await stream.submit((Request(8, None, 3, fixed_address=True), READ))
    assert await message == ([7], [], [8], [])
    assert await behind == ([2, 2, 2], [8])
    assert (await before, (await named)["data"]) == ([], [2])
    assert [len(run) for run in lab.links[-1].runs] == [1, 4, 1, 2]
    # Each of them counts.
    counts = lab.fpga._floor.counts
    assert (counts.stream_frames["ann"], counts.stream_words["ann"]) == (8, 11)
    await stream.close()


@pytest.mark.parametrize("wrong", [0, 2, 4])
async def test_nothing_is_done_of_a_message_with_a_frame_that_cannot_be_right(
    lab: Any, people: Any, wrong: int
) -> None:
    ann, _, _ = people
    await lab.reserved()
    stream = await lab.fpga.open_stream(ann, 0)
    requests = [write(value) for value in range(5)]
    requests[wrong] = Request(2, None, 1)
    answers = await (await stream.submit(tuple(requests)))
    expected = [f"left out: Nothing of this message was sent to the board, because of its frame {wrong}."] * 5
    expected[wrong] = (
        "Nothing was sent to the board: the address 0x2 is misaligned; it must be a multiple of 4. The nearest "
        "register is 'duty' at 0x0."
    )
    assert told(answers) == expected
    assert answers[wrong].code == "run_rejected"
    assert lab.links[-1].runs == []
    assert lab.fpga._floor.counts.stream_frames["ann"] == 0
    # The next message is another matter.
    assert await (await stream.submit((write(9), READ))) == ([], [9])
    await stream.close()


async def test_an_observers_message_with_a_write_is_not_done(lab: Any, people: Any) -> None:
    ann, ben, _ = people
    await lab.reserved()
    await lab.fpga.allow_observers(ann, 0, True)
    watching = await lab.fpga.open_stream(ben, 0, observe=True)
    nothing = "left out: Nothing of this message was sent to the board, because of its frame 1."
    assert told(await (await watching.submit((READ, write(1), READ)))) == [
        nothing,
        "You watch board 0, which its holder alone may write. Read, or submit a design of your own.",
        nothing,
    ]
    assert lab.links[-1].runs == []
    assert await (await watching.submit((READ, READ))) == ([0], [0])
    await watching.close()


def fails_at(index: int, make: Any) -> Any:
    """A link's fault at one operation of a run."""
    return lambda number, operation, results: make(operation, list(results)) if number == index else None


async def failed(lab: Any, people: Any, make: Any) -> tuple[list[Any], int]:
    """Five writes in one message, of which the link fails in number 2; and how many were counted."""
    ann, _, _ = people
    await lab.reserved()
    stream = await lab.fpga.open_stream(ann, 0)
    lab.links[-1].error = fails_at(2, make)
    answers = told(await (await stream.submit(tuple(write(value) for value in range(5)))))
    await stream.close()
    return answers, lab.fpga._floor.counts.stream_frames["ann"]


def bus_error(operation: Operation, results: list[list[int]], ran_on: range = range(0)) -> BusError:
    return BusError(2, operation, address=WINDOW, certain=True, completed=results, ran_on=ran_on)


NOT_ANSWERED = (
    "The write to address 0x30000000 (operation 0) was not answered on the bus: nothing is mapped there, or the design "
    "didn't acknowledge it in time."
)
NOT_DONE = "left out: This was not carried out, because frame 2 of its message failed."


async def test_what_is_behind_a_bus_error_is_left_out(lab: Any, people: Any) -> None:
    assert await failed(lab, people, bus_error) == ([[], [], NOT_ANSWERED, NOT_DONE, NOT_DONE], 2)


async def test_what_ran_on_behind_a_bus_error_is_told(lab: Any, people: Any) -> None:
    answers, counted = await failed(lab, people, lambda *args: bus_error(*args, ran_on=range(3, 4)))
    ran_on = (
        "left out: This was carried out all the same, being on the wire already when frame 2 of its message failed; "
        "its result is not known."
    )
    assert (answers, counted) == ([[], [], NOT_ANSWERED, ran_on, NOT_DONE], 2)


async def test_an_outcome_that_is_unknown_is_told_of_each_frame(lab: Any, people: Any) -> None:
    answers, counted = await failed(
        lab, people, lambda _, results: OutcomeUnknown("Why.", completed=results, in_doubt=range(2, 4), total=5)
    )
    unknown = (
        "Why. No operation is known to be done; operation 0 was on the wire and may or may not have been carried out. "
        "Read back what matters before you go on."
    )
    assert (answers, counted) == ([[], [], unknown, unknown, NOT_DONE], 2)


async def test_a_board_that_is_lost_is_told_of_each_frame(lab: Any, people: Any) -> None:
    answers, counted = await failed(
        lab, people, lambda _, results: LinkLost("why.", completed=results, in_doubt=range(2, 3), total=5)
    )
    lost, unsent = (
        f"The link to the board is lost: why. No operation is known to be done; operation 0 was {what}. Reset the "
        "board to use it again."
        for what in ("on the wire and may or may not have been carried out", "not sent")
    )
    assert (answers, counted) == ([[], [], lost, unsent, unsent], 2)


async def test_a_message_to_a_link_that_is_held_exclusively_ends_the_stream(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    stream = await lab.fpga.open_stream(ann, 0)
    lab.links[-1].error = lambda *_: LinkBusy("a capture")
    answer = await stream.submit((READ, READ))
    with pytest.raises(LinkBusy):
        await answer
    assert stream.closed == "link_busy"


async def test_each_frame_of_a_message_counts_for_the_rate(make_lab: Any, people: Any) -> None:
    ann, _, _ = people
    lab = await make_lab(stream_frames_per_second=10.0, stream_burst=4).start()
    await lab.all_idle()
    await lab.reserved()
    stream = await lab.fpga.open_stream(ann, 0)
    assert await (await stream.submit((READ, READ, READ))) == ([0], [0], [0])
    second = asyncio.create_task(stream.submit((READ, READ, READ)))
    await asyncio.sleep(0)
    # One is left of the burst, and two more take 0.2 s.
    lab.clock.advance(0.15)
    await asyncio.sleep(0)
    assert not second.done()
    lab.clock.advance(0.05)
    assert await (await second) == ([0], [0], [0])
    await stream.close()
    await lab.stop()


async def test_each_frame_of_a_message_waits_for_its_answer(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    stream = await lab.fpga.open_stream(ann, 0)
    link = lab.links[-1]
    link.hold = asyncio.Event()
    most = live.IN_FLIGHT // 2
    first = [await stream.submit((READ,) * most) for _ in range(2)]
    third = asyncio.create_task(stream.submit(READ))
    await link.holding.wait()
    assert not third.done()
    link.hold.set()
    assert await (await third) == [0]
    assert [await answer for answer in first] == [([0],) * most] * 2
    await stream.close()
