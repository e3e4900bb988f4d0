"""The live path and the events, against servers that misbehave as a test says."""

import asyncio
import json
import struct

import pytest
from tornado.web import RequestHandler

from jupyter_fpga.client import Conflict, Forbidden, Job, LabClient, Unavailable, events
from jupyter_fpga.client.door import Door
from jupyter_fpga.client.errors import AccessFailed
from jupyter_fpga.client.events import JobWatcher, follow_events
from jupyter_fpga.client.live import LiveLink, Refused, decode_answers, encode_message
from jupyter_fpga.client.loop import Following, loop
from jupyter_fpga.client.ports import read, write


def stream(serve, talking, on_frame, script=lambda handler: None):
    return Door(serve([("/fpga/3/stream", talking(script, on_frame))]))


def ok(*words):
    return struct.pack(f">I{len(words)}I", len(words), *words)


def refusal_of(text, status=1):
    text = text.encode()
    text += b"\0" * (-len(text) % 4)
    return struct.pack(">I", status << 24 | len(text) // 4) + text


def offsets(message):
    """The byte offsets of the frames in a message."""
    found, at = [], 0
    while at < len(message):
        head, offset = struct.unpack_from(">II", message, at)
        found.append(offset)
        at += 8 + 4 * (head & 0xFF_FFFF)
    return found


def test_frames_are_those_of_the_api():
    assert encode_message([write(8, [1, 0xFFFFFFFF])]) == bytes.fromhex("01000002 00000008 00000001 ffffffff")
    assert encode_message([write(8, [1], fixed=True)]) == bytes.fromhex("81000001 00000008 00000001")
    assert encode_message([read(4, 3)]) == bytes.fromhex("02000001 00000004 00000003")
    assert encode_message([read(4, 3), write(8, [1])]) == encode_message([read(4, 3)]) + encode_message([write(8, [1])])
    assert decode_answers(bytes.fromhex("00000002 00000001 00000002")) == [[1, 2]]
    assert decode_answers(bytes.fromhex("00000000")) == [[]]
    assert decode_answers(bytes.fromhex("01000001 41420000")) == [Refused("AB")]
    assert decode_answers(bytes.fromhex("00000001 00000007 02000001 41420000 00000000")) == [
        [7],
        Refused("AB", left_out=True),
        [],
    ]
    for wrong in (b"", bytes.fromhex("00000002 00000001"), bytes.fromhex("00000000 0000")):
        with pytest.raises(ValueError, match=r"an answer of \d bytes"):
            decode_answers(wrong)


def test_many_are_in_flight_and_answers_come_in_order(serve, talking):
    asked = []

    def answer(handler, frame):
        # Nothing is answered before all has been asked: one at a time would wait for ever.
        asked.append(struct.unpack_from(">I", frame, 4)[0])
        if len(asked) == 50:
            for offset in asked:
                handler.write_message(ok(offset), binary=True)

    door = stream(serve, talking, answer)

    async def use():
        link = await LiveLink.open(door, 3)
        answers = await asyncio.gather(*(link.run([read(4 * number)]) for number in range(50)))
        assert answers == [[[4 * number]] for number in range(50)]
        link.close()

    loop.call(use)


def test_a_batch_goes_in_as_few_messages_as_it_fits_into(serve, talking):
    asked = []

    def answer(handler, message):
        # All messages are sent before any is answered.
        asked.append(offsets(message))
        if sum(map(len, asked)) == 2050 + 18:
            for part in asked:
                handler.write_message(b"".join(map(ok, part)), binary=True)

    door = stream(serve, talking, answer)
    # 65,536 words are as many as one message may move; 1,024 frames are as many as it may have.
    large = [write(4 * number, [0] * 4096) for number in range(17)]
    operations = [*(read(4 * number) for number in range(2050)), read(0x8000, 60_000), *large]

    async def use():
        link = await LiveLink.open(door, 3)
        answers = await link.run(operations)
        assert answers == [[operation.offset] for operation in operations]
        assert await link.run([]) == []
        link.close()

    loop.call(use)
    assert [len(part) for part in asked] == [1024, 1024, 4, 16]


def failing(serve, talking, *answers):
    """A stream that answers each message with the next of these."""
    left = list(answers)
    return stream(serve, talking, lambda handler, message: handler.write_message(left.pop(0), binary=True))


BEHIND = refusal_of("This was not carried out, because frame 1 of its message failed.", 2)
NOTHING = refusal_of("Nothing of this message was sent to the board, because of its frame 1.", 2)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (ok(4) + refusal_of("Nothing answers at 0x8.") + BEHIND, "Nothing answers at 0x8."),
        # Nothing was done, and the one to blame isn't the first.
        (NOTHING + refusal_of("Nothing fits 0x8.") + NOTHING, "Nothing fits 0x8."),
        # The lab didn't understand the second frame, and has nothing to say of what is behind it.
        (NOTHING + refusal_of("No."), "No."),
        (ok(4) + refusal_of(""), "Board 3 did not do the read at byte offset 0x8."),
    ],
    ids=["bus error", "refused", "not understood", "without a word"],
)
def test_a_refused_access_has_the_boards_words(serve, talking, answer, message):
    door = failing(serve, talking, answer, ok(16))

    async def use():
        link = await LiveLink.open(door, 3)
        with pytest.raises(AccessFailed) as refusal:
            await link.run([read(4), read(8), read(12)])
        assert str(refusal.value) == message
        assert refusal.value.detail == {"offset": 8}
        assert await link.run([read(16)]) == [[16]]
        link.close()

    loop.call(use)


def test_the_first_of_several_failures_is_told(serve, talking):
    fine = b"".join([ok(0)] * 1023)
    door = failing(serve, talking, fine + refusal_of("One."), refusal_of("Two.") + BEHIND)

    async def use():
        link = await LiveLink.open(door, 3)
        with pytest.raises(AccessFailed) as refusal:
            await link.run([read(4 * number) for number in range(1026)])
        assert (str(refusal.value), refusal.value.detail) == ("One.", {"offset": 4 * 1023})
        link.close()

    loop.call(use)


def test_answers_to_what_was_not_asked_are_the_end(serve, talking):
    door = failing(serve, talking, ok(4) + ok(8) + ok(12))

    async def use():
        link = await LiveLink.open(door, 3)
        with pytest.raises(Unavailable) as refusal:
            await link.run([read(4), read(8)])
        assert str(refusal.value) == (
            "The connection to board 3 was lost. Whether the last operations reached the board isn't known."
        )
        assert link.closed
        with pytest.raises(ValueError, match="3 answers to a message of 2 requests"):
            link._reader.result()

    loop.call(use)


def test_an_answer_that_nobody_waits_for_any_more_is_not_another_ones(serve, talking):
    waiting = []

    def answer(handler, frame):
        waiting.append(struct.unpack_from(">I", frame, 4)[0])
        if len(waiting) == 2:
            for offset in waiting:
                handler.write_message(ok(offset), binary=True)

    door = stream(serve, talking, answer)

    async def use():
        link = await LiveLink.open(door, 3)
        given_up = asyncio.ensure_future(link.run([read(4)]))
        await asyncio.sleep(0)
        given_up.cancel()
        assert await link.run([read(8)]) == [[8]]
        link.close()

    loop.call(use)


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        (
            4410,
            Conflict,
            "The board session on board 3 has ended; run the design's cell again to get a board.",
        ),
        (
            4409,
            Conflict,
            "Board 3 is in exclusive use just now (a capture, a grader); try again when it is over.",
        ),
        (
            4411,
            Conflict,
            "Board 3 has been programmed with another design since, from another notebook or terminal; nothing was "
            "read or written. Run this design's cell again, or take up the new design with “%fpga attach 3”.",
        ),
        (
            4403,
            Forbidden,
            "The holder of board 3 doesn't let others watch it any more.",
        ),
        (
            1012,
            Unavailable,
            "The connection to board 3 was lost (restarting). "
            "Whether the last operations reached the board isn't known.",
        ),
    ],
)
def test_a_stream_that_ends_says_why(serve, talking, code, kind, message):
    door = stream(serve, talking, lambda handler, frame: handler.close(code, "restarting"))

    async def use():
        link = await LiveLink.open(door, 3)
        with pytest.raises(kind) as refusal:
            await link.run([read(4)])
        assert str(refusal.value) == message
        assert link.closed
        with pytest.raises(kind) as refusal:
            await link.run([read(4)])
        assert str(refusal.value) == message.removesuffix(" Whether the last operations reached the board isn't known.")

    loop.call(use)


def test_a_refused_handshake(serve, answering):
    envelope = {"error": "not_session_holder", "message": "Board 3 is bob's.", "detail": {}}
    door = Door(serve([("/fpga/3/stream", answering(403, envelope))]))
    with pytest.raises(Forbidden) as refusal:
        loop.call(LiveLink.open, door, 3)
    assert str(refusal.value) == "Board 3 is bob's."


class EventLog:
    """Events by LSN, given out as the API does; the connection is cut after each batch."""

    def __init__(self, *batches):
        self.batches = list(batches)
        self.since = []

    async def script(self, handler):
        self.since.append(handler.get_query_argument("since", None))
        for event in self.batches.pop(0):
            await handler.write_message(json.dumps(event))
        handler.close(1012, "restarting")


def test_events_go_on_after_a_lost_connection(serve, talking):
    log = EventLog(
        [{"lsn": 5, "prev": 4, "kind": "a"}, {"lsn": 7, "prev": 5, "kind": "watermark"}],
        [{"lsn": 8, "prev": 7, "kind": "b"}],
    )
    door = Door(serve([("/events", talking(log.script))]))
    seen = []
    for event in Following(follow_events(door, 4)):
        seen.append(event["lsn"])
        if event["lsn"] == 8:
            break
    assert seen == [5, 7, 8]
    assert log.since == ["4", "7"]
    door.close()


def test_events_that_are_missing_are_noticed(serve, talking):
    log = EventLog([{"lsn": 5, "prev": 4, "kind": "a"}, {"lsn": 9, "prev": 8, "kind": "b"}])
    door = Door(serve([("/events", talking(log.script))]))
    with pytest.raises(Unavailable) as refusal:
        list(Following(follow_events(door, 4)))
    assert str(refusal.value) == "Events between 5 and 8 are missing; look at boards and jobs anew."
    door.close()


def test_waiting_for_a_job_asks_only_when_something_has_happened(serve, talking):
    """The record is asked for once, and once more for each event about this job."""
    asked = []
    handlers = []

    class Record(RequestHandler):
        def get(self, job_id):
            asked.append(job_id)
            status = ["queued", "running", "complete"][len(asked) - 1]
            self.write({"job_id": job_id, "status": status, "lsn": len(asked)})

    async def script(handler):
        handlers.append(handler)
        for lsn, job_id in ((2, "j"), (3, "other"), (4, "j")):
            await handler.write_message(json.dumps({"lsn": lsn, "prev": lsn - 1, "kind": "job", "job_id": job_id}))
            if lsn == 2:
                await told.wait()

    async def wait():
        seen = []
        async for record in watcher.changes("j"):
            seen.append(record["status"])
            if record["status"] == "running":
                told.set()
        await watcher.close()
        return seen

    async def make():
        return asyncio.Event()

    told = loop.call(make)
    url = serve([("/jobs/(.*)", Record), ("/events", talking(script))])
    door = Door(url)
    watcher = JobWatcher(door)
    assert loop.call(wait) == ["queued", "running", "complete"]
    assert asked == ["j", "j", "j"]
    assert len(handlers) == 1
    door.close()


class Gone(RequestHandler):
    """A lab that answers once and doesn't come back."""

    asked = 0

    def get(self):
        Gone.asked += 1
        if Gone.asked == 1:
            self.write({"status": "queued", "lsn": 1})
        else:
            self.set_status(503)
            self.write({"error": "gone", "message": "Gone."})


def test_a_lab_that_goes_away_is_told_to_who_waits(serve, answering, monkeypatch):
    monkeypatch.setattr(events, "RETRIES", (0.0, 0.0))
    url = serve([("/jobs/j", Gone), ("/events", answering(503, {"error": "gone", "message": "Gone."}))])
    with LabClient(url) as lab:
        job = Job(lab, {"job_id": "j", "status": "queued"})
        with pytest.raises(Unavailable) as refusal:
            job.wait()
    assert str(refusal.value) == "Gone."
