"""Actions from the request to the result: needs, sharing, the cache, privacy, and what is refused."""

import asyncio
from typing import Any

import pytest

from jupyter_fpga.errors import Forbidden, Invalid, LabError, NotFound

from .conftest import ANN, BEN, HASH, NOOP, OLGA, VERSION, Room, call, noop, sha256


async def refused(kind: type[LabError], code: str, message: str, work: Any) -> None:
    with pytest.raises(kind) as caught:
        await work
    assert (caught.value.code, caught.value.message) == (code, message)


async def test_a_noop(room: Room) -> None:
    answer = await room.compute.submit(ANN, noop(1))
    job = await room.compute.job(ANN, answer["lsn"], wait=10)
    assert (job["state"], job["finished"], job["action"]) == ("completed", True, answer["action"])
    assert job["result"]["ok"] is True
    assert await room.kinds(answer["lsn"]) == ["action_accepted", "action_begun", "action_completed"]
    assert job["done_lsn"] > answer["lsn"]


async def test_hash_tells_the_hashes_of_its_inputs(room: Room) -> None:
    await room.put(ANN, b"some bytes")
    inputs = {"a": {"hash": sha256(b"some bytes"), "size": 10}}
    job = await room.end(ANN, {"function": "hash", "function_version": HASH, "inputs": inputs})
    assert job["result"]["value"] == {"a": sha256(b"some bytes")}


async def test_a_program_gets_its_inputs_and_leaves_outputs(room: Room) -> None:
    await room.put(ANN, b"payload")
    answer = await room.compute.submit(ANN, call("copy", {"data.bin": b"payload"}))
    job = await room.compute.job(ANN, answer["lsn"], wait=30)
    assert (job["state"], job["result"]["ok"]) == ("completed", True), job
    assert job["result"]["outputs"] == {"data.bin": {"hash": sha256(b"payload"), "size": 7}}
    assert job["result"]["log"] == ["copied"]
    assert job["cached"] is False
    assert await room.kinds(answer["lsn"]) == [
        "action_accepted",
        "action_submitted",
        "action_started",
        "action_completed",
    ]
    path, size = await room.compute.chunk(ANN, sha256(b"payload"))
    assert (path.read_bytes(), size) == (b"payload", 7)


async def test_the_same_again_comes_from_the_cache(room: Room) -> None:
    first = await room.end(ANN, call("count", constants={"n": 1}))
    second = await room.end(BEN, call("count", constants={"n": 1}))
    assert (first["cached"], second["cached"]) == (False, True)
    assert second["result"]["outputs"] == first["result"]["outputs"]
    hash = second["result"]["outputs"]["request.json"]["hash"]
    assert (await room.compute.chunk(BEN, hash))[0].exists()
    third = await room.end(ANN, call("count", constants={"n": 1}, cache="skip"))
    assert third["cached"] is False


async def test_a_spoilt_result_is_computed_again(room: Room) -> None:
    first = await room.end(ANN, call("count", constants={"n": 2}))
    path, _ = await room.compute.chunk(ANN, first["result"]["outputs"]["request.json"]["hash"])
    path.chmod(0o644)
    path.write_bytes(b"spoilt")
    again = await room.end(ANN, call("count", constants={"n": 2}))
    assert (again["cached"], again["result"]["outputs"]) == (False, first["result"]["outputs"])


async def test_what_a_function_fails_with_is_a_result_and_no_failure(room: Room) -> None:
    job = await room.end(ANN, call("fail"))
    assert (job["state"], job["retry_count"]) == ("completed", 0)
    assert (job["result"]["ok"], job["result"]["exit_code"], job["result"]["log"]) == (False, 3, ["no good"])
    again = await room.end(ANN, call("fail"))
    assert again["cached"] is False


async def test_a_bound_is_named(room: Room) -> None:
    job = await room.end(ANN, call("full"))
    assert (job["state"], job["result"]["bound"]) == ("completed", "disk")
    assert job["result"]["error"] == {
        "error": "disk_limit",
        "message": "The program wrote more than its limit of 256 MiB of files.",
    }


async def test_equal_actions_share_one_run(room: Room) -> None:
    lsns = [(await room.compute.submit(person, call("sleep")))["lsn"] for person in (ANN, BEN, ANN)]
    await asyncio.gather(*(room.in_state(OLGA, lsn, "running") for lsn in lsns))
    info = await room.compute.sysinfo(OLGA)
    assert [(run["function"], run["actions"]) for run in info["queue_depths"]["runs"]] == [("sleep", 3)]
    # One who leaves doesn't hurt the others; with the last one the run ends.
    for lsn in lsns[:2]:
        assert (await room.compute.cancel(OLGA, lsn))["state"] == "cancelled"
    assert (await room.compute.job(OLGA, lsns[2]))["state"] == "running"
    await room.compute.cancel(OLGA, lsns[2])
    info = await room.compute.sysinfo(OLGA)
    assert (info["queue_depths"]["running"], info["runner"]["processes"][0]["running"]) == (0, [])


async def test_nothing_is_removed_while_something_runs(room: Room) -> None:
    room.cache._max_bytes = 0
    done = await room.end(ANN, call("count"))
    lsn = (await room.compute.submit(ANN, call("sleep")))["lsn"]
    await room.in_state(ANN, lsn, "running")
    assert await room.compute.trim([]) == 0
    await room.compute.cancel(ANN, lsn)
    # What an action has that nobody retired stays as a content, though not as a result for the next who asks.
    assert await room.compute.trim([]) == 0
    hash = done["result"]["outputs"]["request.json"]["hash"]
    assert (await room.compute.chunk(ANN, hash))[0].exists()
    assert (await room.end(ANN, call("count")))["cached"] is False


async def test_chunks_are_asked_for_first(room: Room) -> None:
    action = call("copy", {"a": b"one", "b": b"two"})
    hashes = sorted([sha256(b"one"), sha256(b"two")])
    assert await room.compute.submit(ANN, action) == {"needs": hashes}
    await room.put(ANN, b"one")
    assert await room.compute.submit(ANN, action) == {"needs": [sha256(b"two")]}
    await room.put(ANN, b"two")
    # That somebody else has sent them is nobody's business.
    assert await room.compute.submit(BEN, action) == {"needs": hashes}
    with pytest.raises(NotFound):
        await room.compute.chunk(BEN, hashes[0])
    assert "lsn" in await room.compute.submit(ANN, action)


async def test_a_chunk_that_is_not_what_its_name_says(room: Room) -> None:
    wrong = sha256(b"other")
    await refused(
        Invalid,
        "chunk_mismatch",
        f"The chunk isn't what its name says: its SHA-256 is {sha256(b'this')}, expected was {wrong}. Send it again.",
        room.put(ANN, b"this", wrong),
    )
    await refused(
        NotFound,
        "chunk_not_found",
        f"There is no chunk {wrong} of yours. Send it with PUT first.",
        room.compute.chunk(ANN, wrong),
    )


async def test_many_at_once_each_with_its_own_answer(room: Room) -> None:
    answers = await room.compute.submit_many(
        ANN, [noop(1), {**noop(2), "priority": 5}, noop(3), {"function": "nothing", "function_version": NOOP}]
    )
    assert [sorted(answer) for answer in answers] == [
        ["action", "lsn"],
        ["detail", "error", "message"],
        ["action", "lsn"],
        ["detail", "error", "message"],
    ]
    for answer in (answers[0], answers[2]):
        assert (await room.compute.job(ANN, answer["lsn"], wait=10))["state"] == "completed"


async def test_whose_action_it_is(room: Room) -> None:
    mine = await room.end(ANN, noop(7))
    await refused(
        NotFound,
        "job_not_found",
        f"There is no action {mine['lsn']} of yours. Ask for the list of jobs; finished ones are kept for a day.",
        room.compute.job(BEN, mine["lsn"]),
    )
    assert (await room.compute.job(OLGA, mine["lsn"]))["owner"] == "ann"
    assert [job["lsn"] for job in await room.compute.jobs(BEN)] == []
    assert mine["lsn"] in [job["lsn"] for job in await room.compute.jobs(ANN)]
    found = await room.compute.job_of(ANN, mine["worker"], mine["action"])
    assert found["lsn"] == mine["lsn"]
    with pytest.raises(NotFound):
        await room.compute.job_of(BEN, mine["worker"], mine["action"])
    await room.compute.retire(ANN, mine["lsn"])
    with pytest.raises(NotFound):
        await room.compute.job(ANN, mine["lsn"])


@pytest.mark.parametrize(
    ("action", "kind", "code", "message"),
    [
        ([], Invalid, "action_rejected", "The action can't be taken: it must be a JSON object; got a list."),
        (
            {**noop(), "input": {}},
            Invalid,
            "action_rejected",
            "The action can't be taken: it has no field “input”; the fields are cache, constants, function, "
            "function_version, inputs, priority.",
        ),
        (
            {"function": "../x", "function_version": NOOP},
            Invalid,
            "action_rejected",
            'The action can\'t be taken: “function” must be the name of a function; got "../x".',
        ),
        (
            {"function": "noop", "function_version": "1"},
            Invalid,
            "action_rejected",
            'The action can\'t be taken: the version of a function must be a UUID; got "1".',
        ),
        (
            {"function": "nop", "function_version": NOOP},
            Invalid,
            "function_unknown",
            "No worker has the function “nop”; there are “copy”, “count”, “fail”, “full”, “hash”, “noop”, “sleep”. "
            "Ask for the workers and take a function and a version of theirs.",
        ),
        (
            {"function": "noop", "function_version": VERSION},
            Invalid,
            "function_unknown",
            f"No worker of this lab has version {VERSION} of the function “noop”; there is “{NOOP}”. "
            "Ask for the workers and take a function and a version of theirs.",
        ),
        (
            {**noop(), "inputs": {"a": {"hash": "xyz", "size": 3}}},
            Invalid,
            "hash_rejected",
            "“xyz” is no SHA-256: give 64 hexadecimal digits in lower case.",
        ),
        (
            {**noop(), "inputs": {"../a": {"hash": "0" * 64, "size": 3}}},
            Invalid,
            "action_rejected",
            'The action can\'t be taken: "../a" is no name for an input; use letters, digits, “_”, “-”, “.” and “/”.',
        ),
        (
            {**noop(), "inputs": {"a": {"hash": "0" * 64, "size": -1}}},
            Invalid,
            "action_rejected",
            "The action can't be taken: the size of input “a” must be a number of bytes; got -1.",
        ),
        (
            {**noop(), "priority": 1.5},
            Invalid,
            "action_rejected",
            "The action can't be taken: “priority” must be a whole number of at most 1,000,000; got 1.5.",
        ),
        (
            {**noop(), "priority": -1},
            Forbidden,
            "priority_not_allowed",
            "Priority -1 is for operators; everybody else's actions have 0. Leave the priority out.",
        ),
        (
            {**noop(), "priority": 1},
            Forbidden,
            "priority_not_allowed",
            "Priority 1 is for operators; everybody else's actions have 0. Leave the priority out.",
        ),
        (
            {**noop(), "cache": "no"},
            Invalid,
            "action_rejected",
            'The action can\'t be taken: “cache” must be “use” or “skip”; got "no".',
        ),
        (
            {**noop(), "constants": {"x": float("nan")}},
            Invalid,
            "action_rejected",
            "The action can't be taken: “constants” must be JSON without NaN and infinities.",
        ),
    ],
)
async def test_actions_that_can_not_be(room: Room, action: Any, kind: type[LabError], code: str, message: str) -> None:
    before = room.store.events.latest
    await refused(kind, code, message, room.compute.submit(ANN, action))
    assert room.store.events.latest == before


async def test_a_size_that_is_not_the_chunks(room: Room) -> None:
    hash = await room.put(ANN, b"four")
    action = {**call("copy"), "inputs": {"a": {"hash": hash, "size": 5}}}
    await refused(
        Invalid,
        "action_rejected",
        f"The action can't be taken: input “a” says 5 bytes, and chunk {hash[:12]}… has 4. Give the size of the chunk.",
        room.compute.submit(ANN, action),
    )


async def test_the_executable_of_the_functions_name_is_started(room: Room) -> None:
    programs = {name: await room.put(OLGA, f"#!/bin/sh\necho {name}".encode()) for name in ("a", "one", "two")}
    descriptor = {
        "name": "several",
        "functions": [{"name": name, "version": VERSION} for name in ("one", "two", "other")],
        "executables": {"bin/one": programs["one"], "bin/two": programs["two"], "a": programs["a"]},
    }
    worker = (await room.compute.register(OLGA, descriptor))["worker"]
    # However the descriptor is written down.
    turned = {**descriptor, "executables": dict(reversed(descriptor["executables"].items()))}  # type: ignore[attr-defined]
    assert await room.compute.register(OLGA, turned) == {"worker": worker}
    for function, said in (("one", "one"), ("two", "two"), ("other", "a")):
        job = await room.end(ANN, call(function), worker=worker)
        assert job["result"]["log"] == [said]
