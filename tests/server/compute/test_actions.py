"""Actions over HTTP: taking, looking, ending them, and whose they are."""

import asyncio
import json

import pytest

from jupyter_fpga.server.compute.models import ActionAccepted, ActionRecord

from .conftest import NOOP, VERSION, call, hashing, noop, sha256


def not_found(lsn) -> tuple[int, str, str]:
    message = f"There is no action {lsn} of yours. Ask for the list of jobs; finished ones are kept for a day."
    return 404, "job_not_found", message


async def test_an_action_from_its_post_to_its_end(people):
    accepted = await people.post("ada", "/compute/jobs", noop())
    ActionAccepted.model_validate(accepted, strict=True)
    record = await people.end("ada", accepted["lsn"])
    ActionRecord.model_validate(record)
    assert (record["state"], record["result"]["ok"], record["action"]) == ("completed", True, accepted["action"])
    below_its_worker = f"/compute/jobs/{record['worker']}/{accepted['action']}"
    assert await people["ada"].get(below_its_worker) == record


async def test_202_until_it_has_ended(people, worker):
    lsn = (await people.post("ada", "/compute/jobs", call("sleep", constants={"a": 1})))["lsn"]
    for path in (f"/compute/jobs/{lsn}", f"/compute/jobs/{lsn}?wait=0.01"):
        response = await people["ada"].ask("GET", path)
        record = json.loads(response.body)
        assert (response.code, record["finished"], record["result"]) == (202, False, None)
    response = await people["ada"].ask("GET", f"/compute/jobs/{worker}/{record['action']}")
    assert response.code == 202
    cancelled = await people.post("ada", f"/compute/jobs/{lsn}/cancel", status=200)
    assert (cancelled["state"], cancelled["finished"]) == ("cancelled", True)
    assert (await people["ada"].get(f"/compute/jobs/{lsn}"))["state"] == "cancelled"


async def test_who_waits_hears_of_the_end(people, worker):
    lsn = (await people.post("ada", "/compute/jobs", call("sleep", constants={"a": 2})))["lsn"]
    waiting = asyncio.ensure_future(people["ada"].ask("GET", f"/compute/jobs/{lsn}?wait=60"))
    await people.at_work("ada", lsn)
    await people.post("ada", f"/compute/jobs/{lsn}/cancel", status=200)
    response = await waiting
    assert (response.code, json.loads(response.body)["state"]) == (200, "cancelled")


async def test_a_program_of_a_worker(people, worker):
    await people.put("ada", b"payload")
    action = call("copy", {"data": b"payload"})
    lsn = (await people.post("ada", f"/compute/jobs/{worker}", action))["lsn"]
    record = await people.end("ada", lsn)
    assert record["result"]["outputs"] == {"data": {"hash": sha256(b"payload"), "size": 7}}
    assert (record["worker"], record["result"]["log"]) == (worker, ["copied"])


async def test_the_needs_dance(people):
    contents = (b"dance one", b"dance two")
    inputs = {str(at): {"hash": sha256(c), "size": len(c)} for at, c in enumerate(contents)}
    action = {**hashing(b""), "inputs": inputs}
    before = (await people.post("ada", "/compute/jobs", noop()))["lsn"]
    assert await people.post("ada", "/compute/jobs", action, 200) == {"needs": sorted(map(sha256, contents))}
    await people.put("ada", contents[0])
    assert await people.post("ada", "/compute/jobs", action, 200) == {"needs": [sha256(contents[1])]}
    assert await people["ada"].get(f"/compute/jobs?after={before}") == []
    # That somebody else has sent one isn't told.
    await people.put("grace", contents[1])
    assert await people.post("ada", "/compute/jobs", action, 200) == {"needs": [sha256(contents[1])]}
    await people.put("ada", contents[1])
    lsn = (await people.post("ada", "/compute/jobs", action))["lsn"]
    assert (await people.end("ada", lsn))["result"]["value"] == {str(at): sha256(c) for at, c in enumerate(contents)}


async def test_many_in_one_request(people):
    actions = [noop(), hashing(b"nobody has sent this"), {"function": "noop"}, noop(priority=3), noop()]
    answers = await people.post("ada", "/compute/jobs", {"actions": actions})
    assert [sorted(answer) for answer in answers] == [
        ["action", "lsn"],
        ["needs"],
        ["detail", "error", "message"],
        ["detail", "error", "message"],
        ["action", "lsn"],
    ]
    assert answers[2]["message"] == ("The action can't be taken: the version of a function must be a UUID; got null.")
    assert answers[3]["error"] == "priority_not_allowed"
    assert answers[4]["lsn"] == answers[0]["lsn"] + 1
    assert (await people.post("ada", "/compute/jobs", {"actions": [{}]}, 200))[0]["error"] == "action_rejected"


@pytest.mark.parametrize(
    "body",
    [
        {"actions": []},
        {"actions": [{}] * 1001},
        {"actions": [1]},
        {"actions": {}},
        {"actions": [{}], "priority": 1},
    ],
)
async def test_a_batch_that_can_not_be(people, body):
    assert await people["ada"].refusal("POST", "/compute/jobs", body) == (
        422,
        "batch_rejected",
        "`actions` must be a list of 1 to 1000 actions, each a JSON object, and the only field; split larger ones.",
    )


async def test_lists_and_their_pages(people):
    answers = await people.post("grace", "/compute/jobs", {"actions": [noop() for _ in range(7)]})
    mine = [answer["lsn"] for answer in answers]
    for lsn in mine:
        await people.end("grace", lsn)
    found, path = [], f"/compute/jobs?limit=3&after={mine[0] - 1}&state=completed"
    while path:
        response = await people["grace"].ask("GET", path)
        found += [job["lsn"] for job in json.loads(response.body)]
        link = response.headers.get("Link", "")
        path = "/compute/jobs" + link[1 : link.index(">")] if link else ""
    assert found == sorted(mine, reverse=True)
    ended, path = [], "/compute/jobs/completed?limit=2"
    while path:
        response = await people["grace"].ask("GET", path)
        ended += [(job["done_lsn"], job["lsn"]) for job in json.loads(response.body)]
        link = response.headers.get("Link", "")
        path = "/compute/jobs/completed" + link[1 : link.index(">")] if link else ""
    assert ended == sorted(ended)
    assert set(mine) <= {lsn for _, lsn in ended}
    newest = await people["olga"].get(f"/compute/jobs?owner=grace&before={mine[1]}&limit=1")
    assert [job["lsn"] for job in newest] == [mine[0]]
    assert await people["ada"].get("/compute/jobs?owner=grace") == []
    assert await people["grace"].get("/compute/jobs?priority=7") == []
    assert await people["grace"].get("/compute/jobs/completed?priority=7") == []


async def test_what_a_worker_has_to_do(people, worker):
    lsn = (await people.post("ada", f"/compute/jobs/{worker}", call("sleep", constants={"a": 3})))["lsn"]
    assert [job["lsn"] for job in await people["ada"].get(f"/compute/jobs/{worker}")] == [lsn]
    assert await people["grace"].get(f"/compute/jobs/{worker}") == []
    await people.post("ada", f"/compute/jobs/{lsn}/cancel", status=200)
    assert await people["ada"].get(f"/compute/jobs/{worker}") == []
    # 64 decimal digits are a worker, too.
    assert await people["ada"].refusal("GET", f"/compute/jobs/{'1' * 64}") == (
        404,
        "worker_not_found",
        f"There is no worker {'1' * 64}. Ask for the list and take one that is there.",
    )


async def test_retract_and_priority(people, worker):
    lsn = (await people.post("ada", "/compute/jobs", call("sleep", constants={"a": 4})))["lsn"]
    await people.at_work("ada", lsn)
    for _ in range(2):
        assert (await people.post("ada", f"/compute/jobs/{lsn}/retract", status=200))["retry_count"] == 0
    await people.post("ada", f"/compute/jobs/{lsn}/cancel", status=200)
    assert await people["olga"].refusal("POST", f"/compute/jobs/{lsn}/priority", {"priority": 5}) == (
        409,
        "priority_fixed",
        f"The priority of action {lsn} can't be changed any more: it is cancelled. Only an action that waits has one.",
    )
    assert await people["ada"].refusal("POST", f"/compute/jobs/{lsn}/priority", {"priority": 5}) == (
        403,
        "priority_not_allowed",
        "Priority 5 is for operators; everybody else's actions have 0. Leave the priority out.",
    )
    assert await people["olga"].refusal("POST", f"/compute/jobs/{lsn}/priority", {"priority": "5"}) == (
        422,
        "invalid_request",
        '`priority` must be an integer; got "5".',
    )
    assert await people["ada"].refusal("POST", f"/compute/jobs/{lsn}/retract") == (
        409,
        "job_not_retractable",
        f"Action {lsn} can't be retracted: it is cancelled. Only one that a runner has can be taken off it.",
    )


async def test_priority_of_one_that_waits(people, worker):
    config = {"max_active": 1}
    token = (await people.post("ada", "/compute/queues/remote", config, 201))["queue_token"]
    first, second = [
        (await people.post("ada", f"/compute/queues/{token}/jobs", call("sleep", constants={"b": b})))["lsn"]
        for b in range(2)
    ]
    await people.at_work("ada", first)
    changed = await people.post("olga", f"/compute/queues/{token}/jobs/{second}/priority", {"priority": 9}, 200)
    assert (changed["state"], changed["priority"]) == ("pending", 9)
    assert [job["lsn"] for job in await people["ada"].get(f"/compute/queues/{token}/jobs?priority=9")] == [second]
    await people["ada"].ask("DELETE", f"/compute/queues/{token}")


async def test_what_can_not_be_done_to_one_that_has_ended(people):
    lsn = (await people.post("ada", "/compute/jobs", noop()))["lsn"]
    await people.end("ada", lsn)
    assert await people["ada"].refusal("POST", f"/compute/jobs/{lsn}/cancel") == (
        409,
        "job_not_cancellable",
        f"Action {lsn} can't be cancelled any more: it is completed. Retire it when you don't need its result.",
    )
    assert await people["ada"].refusal("POST", f"/compute/jobs/{lsn}/reschedule") == (
        409,
        "job_not_reschedulable",
        f"Action {lsn} can't be rescheduled: it is completed. Only failed and abandoned actions are tried again.",
    )
    response = await people["ada"].ask("DELETE", f"/compute/jobs/{lsn}")
    assert (response.code, response.body) == (204, b"")
    assert await people["ada"].refusal("GET", f"/compute/jobs/{lsn}") == not_found(lsn)
    assert await people["ada"].refusal("DELETE", f"/compute/jobs/{lsn}") == not_found(lsn)


async def test_one_at_work_is_not_retired(people, worker):
    lsn = (await people.post("ada", "/compute/jobs", call("sleep", constants={"a": 5})))["lsn"]
    await people.at_work("ada", lsn)
    assert await people["ada"].refusal("DELETE", f"/compute/jobs/{lsn}") == (
        409,
        "job_not_finished",
        f"Action {lsn} can't be retired yet: it is running. Wait for its end, or cancel it first.",
    )
    await people.post("ada", f"/compute/jobs/{lsn}/cancel", status=200)


async def test_anothers_action_looks_like_none(people):
    accepted = await people.post("ada", "/compute/jobs", noop())
    lsn = accepted["lsn"]
    record = await people.end("ada", lsn)
    requests = [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("POST", "/reschedule"), ("POST", "/retract")]
    for method, verb in requests:
        for number in (lsn, 10**17):
            refusal = await people["grace"].refusal(method, f"/compute/jobs/{number}{verb}")
            assert refusal == not_found(number), (method, verb)
    for number in (lsn, 10**17):
        refusal = await people["grace"].refusal("POST", f"/compute/jobs/{number}/priority", {"priority": 0})
        assert refusal == not_found(number)
    assert await people["grace"].refusal("GET", f"/compute/jobs/{record['worker']}/{record['action']}") == (
        404,
        "job_not_found",
        f"Worker {record['worker'][:12]}… has no action {record['action'][:12]}… of yours. "
        "Post the action to have it computed.",
    )
    assert await people["olga"].get(f"/compute/jobs/{lsn}") == record


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "01", "9" * 19, "A" * 64, "0" * 63, "%00"])
async def test_what_names_neither_an_action_nor_a_worker(people, text):
    shown = "\x00" if text == "%00" else text[:40]
    message = (
        f"There is no action {shown!r}; an action is named by its LSN, a worker by 64 hexadecimal digits, "
        "and GET …/compute/jobs lists yours."
    )
    for method, path in (("GET", ""), ("POST", "/cancel")):
        assert await people["ada"].refusal(method, f"/compute/jobs/{text}{path}") == (404, "job_not_found", message)


async def test_actions_and_workers_are_told_apart(people, worker):
    for method, path, allowed in (("POST", "1", ["GET", "DELETE"]), ("DELETE", worker, ["GET", "POST"])):
        response = await people["ada"].ask(method, f"/compute/jobs/{path}", noop() if method == "POST" else None)
        envelope = json.loads(response.body)
        what = "an action" if path == "1" else "a worker"
        assert response.code == 405
        assert response.headers["Allow"] == ", ".join(allowed)
        assert envelope["message"] == f"The address of {what} doesn't take {method}; it takes {' and '.join(allowed)}."
    assert await people["ada"].refusal("POST", f"/compute/jobs/{worker}/cancel") == (
        404,
        "job_not_found",
        f"There is no action {worker[:12]}…; that is a worker, and this is done to an action, named by its LSN.",
    )
    assert await people["ada"].refusal("GET", f"/compute/jobs/1/{'0' * 64}") == (
        404,
        "job_not_found",
        "There is nothing below action 1 but what can be done to it: cancel, priority, reschedule, retract. "
        "An action by its digest is below its worker.",
    )


@pytest.mark.parametrize(
    ("body", "status", "code", "message"),
    [
        ([], 422, "action_rejected", "The action can't be taken: it must be a JSON object; got a list."),
        (
            {"function": "noop", "function_version": NOOP, "colour": 1},
            422,
            "action_rejected",
            "The action can't be taken: it has no field “colour”; the fields are cache, constants, function, "
            "function_version, inputs, priority.",
        ),
        (
            {"function": "nothing", "function_version": VERSION},
            422,
            "function_unknown",
            None,
        ),
        (
            {"function": "noop", "function_version": NOOP, "inputs": {"a": {"hash": "A" * 64, "size": 1}}},
            422,
            "hash_rejected",
            f"“{'A' * 64}” is no SHA-256: give 64 hexadecimal digits in lower case.",
        ),
        (
            {"function": "noop", "function_version": NOOP, "priority": -1},
            403,
            "priority_not_allowed",
            "Priority -1 is for operators; everybody else's actions have 0. Leave the priority out.",
        ),
    ],
)
async def test_an_action_that_can_not_be(people, body, status, code, message):
    refusal = await people["ada"].refusal("POST", "/compute/jobs", body)
    assert refusal[:2] == (status, code)
    if message is None:
        assert refusal[2].startswith("No worker has the function “nothing”; there are “")
        assert refusal[2].endswith("”. Ask for the workers and take a function and a version of theirs.")
    else:
        assert refusal[2] == message


async def test_a_size_that_is_not_the_chunks(people):
    hash = await people.put("ada", b"nine bytes")
    action = {**hashing(b""), "inputs": {"a": {"hash": hash, "size": 9}}}
    assert await people["ada"].refusal("POST", "/compute/jobs", action) == (
        422,
        "action_rejected",
        f"The action can't be taken: input “a” says 9 bytes, and chunk {hash[:12]}… has 10. "
        "Give the size of the chunk.",
    )


async def test_a_worker_that_does_not_have_the_function(people, worker):
    action = {"function": "noop", "function_version": NOOP}
    assert await people["ada"].refusal("POST", f"/compute/jobs/{worker}", action) == (
        422,
        "function_unknown",
        f"Worker {worker[:12]}… doesn’t have the function “noop”; there are “copy”, “sleep”. "
        "Ask for the workers and take a function and a version of theirs.",
    )


async def test_filters_that_can_not_be(people):
    assert (await people["ada"].refusal("GET", "/compute/jobs?state=tired")) == (
        422,
        "invalid_request",
        "`state` must be 'pending', 'submitting', 'running', 'completed', 'failed', 'abandoned', 'cancelled' or "
        "'unfinished'; got \"tired\".",
    )
    assert (await people["ada"].refusal("GET", "/compute/jobs/1?wait=-1")) == (
        422,
        "invalid_request",
        '`wait` must be greater than or equal to 0; got "-1".',
    )
