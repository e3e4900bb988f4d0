"""Watching: what each person sees, and the proof that nothing is missing."""

from typing import Any

import pytest

from jupyter_fpga.store import LsnInFuture


async def take(frames: Any) -> list[dict[str, Any]]:
    """Frames up to the first watermark."""
    taken = []
    async for frame in frames:
        taken.append(frame)
        if frame["kind"] == "watermark":
            await frames.aclose()
            return taken
    raise AssertionError("the log ended")


async def test_each_person_sees_their_own_and_the_public_state_of_boards(lab: Any, people: Any) -> None:
    ann, ben, operator = people
    await lab.reserved()
    await lab.fpga.run(ann, 0, [{"op": 2, "address": 0, "count": 1}])
    await lab.fpga.settled()
    kinds = {
        person.name: {frame["kind"] for frame in await take(lab.fpga.events(person, 0))}
        for person in (ann, ben, operator)
    }
    assert kinds["ben"] == {"board_state", "board_health", "watermark"}
    assert kinds["ann"] == {"board_state", "board_health", "job_status", "session_started", "watermark"}
    assert [frame["lsn"] for frame in (await take(lab.fpga.events(operator, 0)))[:-1]] == list(
        range(1, lab.store.events.latest + 1)
    )


async def test_every_frame_names_the_one_before_it(lab: Any, people: Any) -> None:
    ann, ben, _ = people
    await lab.reserved()
    await lab.released()
    for person in (ann, ben):
        frames = await take(lab.fpga.events(person, 0))
        assert [frame["prev"] for frame in frames] == [0, *(frame["lsn"] for frame in frames[:-1])]
        assert frames[-1]["lsn"] == lab.store.events.latest
        # Whoever comes back at any point gets exactly the rest.
        for n, frame in enumerate(frames[:-1]):
            assert await take(lab.fpga.events(person, frame["lsn"])) == frames[n + 1 :]


async def test_a_reader_without_a_start_begins_now_with_a_watermark(lab: Any, people: Any) -> None:
    _, ben, _ = people
    latest = lab.store.events.latest
    frames = lab.fpga.events(ben)
    assert await anext(frames) == {"lsn": latest, "kind": "watermark", "prev": latest}
    job = await lab.reserved()
    first = await anext(frames)
    assert (first["kind"], first["state"], first["prev"], first["fpga_id"]) == ("board_state", "queued", latest, 0)
    await frames.aclose()
    assert job["status"] == "complete"


async def test_watermarks_tell_of_what_one_may_not_see(lab: Any, people: Any) -> None:
    ann, ben, _ = people
    await lab.reserved()
    frames = lab.fpga.events(ben)
    start = (await anext(frames))["lsn"]
    await lab.fpga.run(ann, 0, [{"op": 2, "address": 0, "count": 1}])
    await lab.fpga.settled()
    prev = start
    while prev < lab.store.events.latest:
        frame = await anext(frames)
        assert (frame["kind"], frame["prev"]) == ("watermark", prev)
        prev = frame["lsn"]
    await frames.aclose()


async def test_a_number_of_another_log_is_refused(lab: Any, people: Any) -> None:
    with pytest.raises(LsnInFuture):
        await anext(lab.fpga.events(people[0], 10_000))


async def test_the_frames_end_with_the_lab(make_lab: Any, people: Any) -> None:
    lab = await make_lab().start()
    await lab.all_idle()
    frames = lab.fpga.events(people[0])
    assert (await anext(frames))["kind"] == "watermark"
    await lab.stop()
    assert [frame async for frame in frames] == []
