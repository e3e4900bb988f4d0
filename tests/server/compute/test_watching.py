"""Events of actions and queues: one's own, without gap or double, however often the reader comes back."""

import itertools
import json

from .conftest import noop


async def follow(client, since, until):
    """Frames from ``since`` on, until that LSN is reached; each connection reads three frames."""
    frames = []
    while not frames or frames[-1]["lsn"] < until:
        socket = await client.socket(f"/events?since={frames[-1]['lsn'] if frames else since}")
        for _ in range(3):
            frames.append(json.loads(await socket.read_message()))
            if frames[-1]["lsn"] >= until:
                break
        socket.close()
    return frames


async def test_ones_own_actions_and_queues_without_gap_or_double(people):
    start = (await people.post("olga", "/compute/jobs", noop()))["lsn"]
    mine = {}
    for name in ("ada", "grace"):
        queue = await people.post(name, "/compute/queues/remote", {}, 201)
        answers = await people.post(name, f"/compute/queues/{queue['queue_token']}/jobs", {"actions": [noop()] * 5})
        lsns = [answer["lsn"] for answer in answers]
        for lsn in lsns:
            await people.end(name, lsn)
        await people["ada" if name == "ada" else "grace"].ask("DELETE", f"/compute/queues/{queue['queue_token']}")
        mine[name] = (queue["queue_id"], lsns)
    last = (await people.post("olga", "/compute/jobs", noop()))["lsn"]
    for name, (queue_id, lsns) in mine.items():
        frames = await follow(people[name], start, last)
        assert frames[0]["prev"] == start
        assert all(after["prev"] == before["lsn"] for before, after in itertools.pairwise(frames))
        events = [frame for frame in frames if frame["kind"] != "watermark"]
        assert len({frame["lsn"] for frame in events}) == len(events)
        assert {frame["owner"] for frame in events} == {name}
        kinds = [(frame["kind"], frame.get("action_lsn", frame["lsn"])) for frame in events]
        expected = [("action_accepted", lsn) for lsn in lsns]
        expected += [(f"action_{kind}", lsn) for kind in ("begun", "completed") for lsn in lsns]
        assert sorted(kind for kind in kinds if kind[0].startswith("action")) == sorted(expected)
        assert [kind for kind, _ in kinds if kind.startswith("queue")] == ["queue_created", "queue_cancelled"]
        assert {frame["queue_id"] for frame in events} == {queue_id}
    everything = await follow(people["olga"], start, last)
    assert {"ada", "grace", "olga"} == {frame["owner"] for frame in everything if frame["kind"] != "watermark"}
