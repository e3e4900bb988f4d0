"""Queues over HTTP: numbers for this machine, tokens for elsewhere, and what both refuse."""

import json
from urllib.parse import quote

import pytest

from jupyter_fpga.server.compute.models import QueueRecord

from .conftest import KEYS, noop

LOCAL_ONLY = (
    403,
    "queue_local_only",
    "Queues with numbers are for programs on the lab's own machine, asking it directly; make one with "
    "POST …/compute/queues/remote and use its token.",
)


def malformed(text: str) -> tuple[int, str, str]:
    return (
        422,
        "queue_token_malformed",
        f"“{text[:40]}” names no queue: a token has 24 hexadecimal digits, and a local queue is a whole number. "
        "Take the name that the queue was made with.",
    )


def not_found(queue) -> tuple[int, str, str]:
    return 404, "queue_not_found", f"There is no queue {queue} of yours. Make one with POST /queues."


async def local(people, name="ada", **config) -> int:
    answer = await people.post(name, "/compute/queues", config, 201)
    assert list(answer) == ["queue_id"]
    return answer["queue_id"]


async def remote(people, name="ada", **config) -> str:
    answer = await people.post(name, "/compute/queues/remote", config, 201)
    assert sorted(answer) == ["queue_id", "queue_token"]
    return answer["queue_token"]


@pytest.mark.parametrize("make", [local, remote])
async def test_the_life_of_a_queue(people, make):
    queue = await make(people)
    path = f"/compute/queues/{queue}"
    lsns = [(await people.post("ada", f"{path}/jobs", noop()))["lsn"] for _ in range(2)]
    answers = await people.post("ada", f"{path}/jobs", {"actions": [noop(), noop()]})
    lsns += [answer["lsn"] for answer in answers]
    for lsn in lsns:
        record = await people["ada"].get(f"{path}/jobs/{lsn}?wait=60")
        assert (record["state"], record["lsn"]) == ("completed", lsn)
    record = await people["ada"].get(path)
    QueueRecord.model_validate(record)
    assert (record["state"], record["active"], record["completed"], record["is_complete"]) == ("active", 0, 4, False)
    assert [job["lsn"] for job in await people["ada"].get(f"{path}/jobs")] == sorted(lsns, reverse=True)
    ended = await people["ada"].get(f"{path}/completed")
    assert sorted(job["lsn"] for job in ended) == lsns
    assert await people["ada"].get(f"{path}/completed?after={ended[2]['done_lsn']}") == ended[3:]
    assert await people["ada"].get(f"{path}/completed?priority=1") == []
    assert len(await people["ada"].get(f"{path}/completed?priority=0")) == 4
    assert await people["ada"].get(f"{path}/jobs/{ended[0]['worker']}") == []
    posted = await people.post("ada", f"{path}/jobs/{ended[0]['worker']}", noop())
    await people.end("ada", posted["lsn"])
    assert (await people["ada"].ask("DELETE", f"{path}/jobs/{lsns[0]}")).code == 204
    drained = await people.post("ada", f"{path}/drain", status=200)
    assert (drained["state"], drained["is_complete"]) == ("complete", True)
    number = drained["queue_id"]
    complete = (
        409,
        "queue_not_active",
        f"Queue {number} can't do that: it is complete. Make a new queue.",
    )
    assert await people["ada"].refusal("POST", f"{path}/jobs", noop()) == complete
    assert await people["ada"].refusal("POST", f"{path}/drain") == complete


@pytest.mark.parametrize("make", [local, remote])
async def test_a_queue_that_is_deleted_ends_its_actions(people, worker, make):
    queue = await make(people, max_active=1)
    path = f"/compute/queues/{queue}"
    action = {"function": "sleep", "function_version": "00000000-0000-4000-8000-000000000002"}
    lsns = [
        (await people.post("ada", f"{path}/jobs", {**action, "constants": {str(queue): at}}))["lsn"] for at in range(3)
    ]
    assert [job["lsn"] for job in await people["ada"].get(f"{path}/jobs/{worker}")] == sorted(lsns, reverse=True)
    response = await people["ada"].ask("DELETE", path)
    record = json.loads(response.body)
    assert (response.code, record["state"], record["cancelled"], record["active"]) == (200, "cancelled", 3, 0)
    assert {job["state"] for job in await people["ada"].get(f"{path}/jobs")} == {"cancelled"}
    assert await people["ada"].refusal("POST", f"{path}/jobs", noop()) == (
        409,
        "queue_not_active",
        f"Queue {record['queue_id']} can't do that: it was cancelled. Make a new queue.",
    )
    verbs = [("cancel", "job_not_cancellable"), ("reschedule", "job_not_reschedulable")]
    for verb, code in [*verbs, ("retract", "job_not_retractable")]:
        assert (await people["ada"].refusal("POST", f"{path}/jobs/{lsns[0]}/{verb}"))[:2] == (409, code)


async def test_actions_of_one_queue_are_none_of_anothers(people):
    first, second = await remote(people), await local(people)
    lsn = (await people.post("ada", f"/compute/queues/{first}/jobs", noop()))["lsn"]
    message = f"There is no action {lsn} in queue {second} of yours. "
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/cancel"),
        ("POST", "/retract"),
        ("POST", "/reschedule"),
    ):
        refusal = await people["ada"].refusal(method, f"/compute/queues/{second}/jobs/{lsn}{path}")
        assert refusal == (
            404,
            "job_not_found",
            message + "Ask for the list of jobs; finished ones are kept for a day.",
        )


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-Proto": "https"},
        {"X-Forwarded-Host": "127.0.0.1"},
        {"x-forwarded-context": "/a"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"Host": "hub.example.org"},
        {"Host": "192.0.2.7:8888"},
    ],
    ids=str,
)
async def test_numbers_are_for_this_machine_alone(people, headers):
    queue = await local(people)
    token = await remote(people)
    lsn = (await people.post("ada", f"/compute/queues/{queue}/jobs", noop()))["lsn"]
    path = f"/compute/queues/{queue}"
    requests = [("POST", "/compute/queues"), ("GET", path), ("DELETE", path), ("POST", f"{path}/drain")]
    requests += [("GET", f"{path}/completed"), ("GET", f"{path}/jobs"), ("POST", f"{path}/jobs")]
    requests += [("GET", f"{path}/jobs/{lsn}"), ("DELETE", f"{path}/jobs/{lsn}"), ("POST", f"{path}/jobs/{lsn}/cancel")]
    requests += [("GET", "/compute/queues/123456789"), ("GET", f"/compute/queues/{'9' * 30}")]
    for method, target in requests:
        body = noop() if (method, target) == ("POST", f"{path}/jobs") else None
        assert await people["ada"].refusal(method, target, body, headers=headers) == LOCAL_ONLY, (method, target)
    assert (await people["ada"].ask("GET", f"/compute/queues/{token}", headers=headers)).code == 200
    assert (await people["ada"].get(path))["state"] == "active"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "127.9.9.9", "[::1]:80", "[::ffff:127.0.0.1]"])
async def test_names_of_this_machine(people, host):
    assert (await people["ada"].ask("POST", "/compute/queues", {}, headers={"Host": host})).code == 201


async def test_anothers_queue_looks_like_none(people):
    queue, token = await local(people), await remote(people)
    verbs = [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/drain"),
        ("GET", "/completed"),
        ("GET", "/jobs"),
        ("POST", "/jobs"),
    ]
    unknown = "00000001" + "0" * 16
    for name in (queue, token, 123456789, unknown):
        for method, path in verbs:
            body = noop() if path == "/jobs" and method == "POST" else None
            refusal = await people["grace"].refusal(method, f"/compute/queues/{name}{path}", body)
            assert refusal == not_found(name), (method, path)
    assert await people["grace"].get("/compute/queues") == []
    assert (await people["olga"].get(f"/compute/queues/{token}"))["owner"] == "ada"
    mine = {record["queue_id"]: record for record in await people["ada"].get("/compute/queues")}
    assert "queue_token" not in mine[queue]
    assert mine[int(token[:8], 16)]["queue_token"] == token


@pytest.mark.parametrize("text", ["z" * 24, "0" * 23 + "g", "abc", "-1", "1.5", "0x10", "é" * 24, "a" * 25, " 1"])
async def test_what_names_no_queue(people, text):
    assert await people["ada"].refusal("GET", f"/compute/queues/{quote(text)}") == malformed(text)


async def test_24_digits_are_a_token(people):
    assert await people["ada"].refusal("GET", f"/compute/queues/{'1' * 24}") == not_found("1" * 24)


async def test_the_number_of_a_remote_queue_is_for_this_machine(people):
    token = await remote(people)
    number = int(token[:8], 16)
    assert (await people["ada"].get(f"/compute/queues/{number}"))["queue_token"] == token
    refusal = await people["ada"].refusal("GET", f"/compute/queues/{number}", headers={"Via": "1.1 a"})
    assert refusal == LOCAL_ONLY


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"max_retries": -1},
            "The queue can't be made: “max_retries” must be a whole number from 0 to 100; got -1.",
        ),
        (
            {"colour": 1},
            "The queue can't be made: it has no setting “colour”; there are max_retries, max_active, ttl_seconds.",
        ),
        ([], "The queue can't be made: its configuration must be a JSON object; got a list."),
        (
            {"max_active": 0},
            "The queue can't be made: “max_active” must be a whole number from 1 to 10000; got 0.",
        ),
    ],
)
@pytest.mark.parametrize("path", ["/compute/queues", "/compute/queues/remote"])
async def test_a_queue_that_can_not_be(people, path, config, message):
    assert await people["ada"].refusal("POST", path, config) == (422, "queue_rejected", message)


async def test_tokens_survive_the_lab(start, tmp_path, new_client):
    found = []
    for _ in range(2):
        lab = start(tmp_path)
        client = new_client(lab.url, KEYS["ada"])
        if not found:
            found.append(json.loads((await client.ask("POST", "/compute/queues/remote")).body)["queue_token"])
        record = await client.get(f"/compute/queues/{found[0]}")
        assert (record["queue_id"], record["queue_token"]) == (1, found[0])
        await client.close()
        lab.process.kill()
        lab.process.wait()
    key = tmp_path / "data" / "queue-tokens.key"
    assert (key.stat().st_mode & 0o777, key.stat().st_size) == (0o600, 32)
