"""The compute floor through the client, against a lab that runs: contents, actions, queues, workers, recordings."""

import asyncio
import hashlib
import json

import pytest

from jupyter_fpga.client import (
    Call,
    Conflict,
    Invalid,
    JobCancelled,
    LabClient,
    NotFound,
    QuotaExceeded,
    TimedOut,
    Unavailable,
)

SCRIPT = b"""#!/bin/sh
set -e
case "$1" in
  copy) for name in inputs/*; do cp "$name" "outputs/$(basename "$name")"; done; echo "copied" ;;
  fail) echo "no good"; echo "half" > outputs/half.txt; exit 3 ;;
  endless) sleep 600 ;;
  tree) mkdir -p outputs/a/b; cat request.json > outputs/a/b/request.json ;;
esac
"""
FUNCTIONS = ["copy", "fail", "endless", "tree"]


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(scope="module")
def worker(served_lab):
    """The id of a worker that a shell script is."""
    with LabClient(served_lab.url, served_lab.token) as client:
        return client.compute.register(
            {"name": "script", "functions": FUNCTIONS, "executables": {"bin/script": SCRIPT}, "timeout_seconds": 120}
        )


@pytest.fixture
def compute(lab, worker):
    yield lab.compute
    for record in lab.compute.jobs(state="unfinished", limit=1000):
        if record["function"] in ("endless", "copy"):
            lab.compute.job(record["lsn"]).cancel()


# --- Actions ---


def test_a_function_of_the_lab_itself(compute):
    action = compute.submit("hash", {"data": b"hello"}).wait(60)
    assert (action.state, action.ok, action.exit_code, action.log) == ("completed", True, 0, "")
    assert action.value == {"data": sha256(b"hello")}
    assert repr(action) == "<Action hash: completed>"


def test_a_file_is_sent_once_and_comes_back(compute, tmp_path, monkeypatch):
    source = tmp_path / "big.bin"
    source.write_bytes(b"0123456789abcdef" * 100_000)
    sent = []
    send = compute.door.send

    async def counting(path, size, produce):
        sent.append((path, size))
        await send(path, size, produce)

    monkeypatch.setattr(compute.door, "send", counting)
    first = compute.submit("copy", {"big": source, "same": str(source), "small": b"little"}).wait(60)
    assert sorted(sent) == sorted(
        [(f"compute/chunks/{sha256(source.read_bytes())}", 1_600_000), (f"compute/chunks/{sha256(b'little')}", 6)]
    )
    again = compute.submit("copy", {"big": source, "same": str(source), "small": b"little"}).wait(60)
    assert (again.id, again.cached, len(sent)) == (first.id, True, 2)
    assert again.lsn > first.lsn
    assert first.log == "copied\n"
    assert dict(first.outputs["big"]) == {"hash": sha256(source.read_bytes()), "size": 1_600_000}
    assert first.outputs.read("small") == b"little"
    files = first.outputs.download(tmp_path / "out" / "deep")
    assert sorted(files) == ["big", "same", "small"]
    assert files["big"] == tmp_path / "out" / "deep" / "big"
    assert files["big"].read_bytes() == source.read_bytes()
    assert sorted(path.name for path in files["big"].parent.iterdir()) == ["big", "same", "small"]
    plain = tmp_path / "plain"
    plain.touch()
    assert files["big"].stat().st_mode == plain.stat().st_mode
    assert first.outputs.download(tmp_path / "one", ["small"]) == {"small": tmp_path / "one" / "small"}
    assert repr(first.outputs) == "<Outputs: big (1,600,000 B), same (1,600,000 B), small (6 B)>"


def test_an_output_is_the_input_of_the_next(compute):
    first = compute.submit("copy", {"x": b"handed on"}).wait(60)
    second = compute.submit("hash", {"x": first.outputs["x"], "y": b"beside"}).wait(60)
    assert second.value == {"x": sha256(b"handed on"), "y": sha256(b"beside")}


def test_constants_and_folders_of_outputs(compute, tmp_path):
    action = compute.submit("tree", constants={"depth": [1, None, "ü"]}).wait(60)
    path = action.outputs.download(tmp_path)["a/b/request.json"]
    assert json.loads(path.read_text())["constants"] == {"depth": [1, None, "ü"]}


def test_a_kept_result_is_not_taken_when_it_should_not(compute):
    compute.submit("copy", {"x": b"kept?"}).wait(60)
    assert compute.submit("copy", {"x": b"kept?"}).wait(60).cached
    assert not compute.submit("copy", {"x": b"kept?"}, cache=False).wait(60).cached


def test_a_program_that_fails_has_completed(compute):
    action = compute.submit("fail").wait(60)
    assert (action.state, action.ok, action.exit_code, action.log) == ("completed", False, 3, "no good\n")
    assert action.outputs.read("half.txt") == b"half\n"
    assert action.result()["error"] is None


def test_waiting_has_an_end_and_so_has_the_action(compute):
    action = compute.submit("endless", cache=False)
    states = iter(action.changes())
    while next(states)["state"] != "running":
        pass
    states.close()
    with pytest.raises(Invalid) as early:
        _ = action.ok
    assert str(early.value) == f"Action {action.lsn} is running: its result is there after wait()."
    with pytest.raises(TimedOut) as late:
        action.wait(0.01)
    assert str(late.value) == (
        f"Action {action.lsn} is still running after 0.01 s; it goes on: wait for it again, or cancel it."
    )
    action.cancel()
    assert (action.state, action.done) == ("cancelled", True)
    for ask in (action.wait, action.result, lambda: action.outputs):
        with pytest.raises(JobCancelled) as cancelled:
            ask()
        assert str(cancelled.value) == f"Action {action.lsn} was cancelled before it was done."
    with pytest.raises(Conflict) as refusal:
        action.cancel()
    assert refusal.value.code == "job_not_cancellable"


def test_an_action_that_ended_is_found_again_and_forgotten(compute):
    lsn = compute.submit("copy", {"x": b"found"}).wait(60).lsn
    found = compute.job(lsn)
    assert (found.done, found.log) == (True, "copied\n")
    assert compute.jobs(limit=1)[0]["lsn"] == lsn
    found.retire()
    with pytest.raises(NotFound) as gone:
        found.refresh()
    assert str(gone.value) == (
        f"There is no action {lsn} of yours. Ask for the list of jobs; finished ones are kept for a day."
    )


def test_an_action_is_taken_back_and_set_back(compute):
    busy = [compute.submit("endless", constants={"n": n}) for n in range(8)]
    waiting = busy[-1]
    waiting.set_priority(5)
    assert waiting.record["priority"] == 5
    waiting.retract()
    with pytest.raises(Conflict) as refusal:
        waiting.reschedule()
    assert refusal.value.code == "job_not_reschedulable"
    for action in busy:
        action.cancel()


async def test_the_awaitable_twins(compute, tmp_path):
    action = await compute.asubmit("copy", {"x": b"twin"})
    assert (await action).ok
    assert await action.outputs.aread("x") == b"twin"
    assert (await action.outputs.adownload(tmp_path))["x"].read_bytes() == b"twin"
    queue = await compute.acreate_queue()
    mapped = await queue.amap("hash", [{"x": b"1"}, {"x": b"2"}])
    await queue.adrain()
    ended = [one.lsn async for one in queue.acompleted()]
    assert sorted(ended) == sorted(one.lsn for one in mapped)
    async with asyncio.timeout(60):
        assert [one.lsn async for one in compute.aas_completed(mapped)] == ended


# --- Many at once ---


def test_many_in_batches(compute):
    actions = compute.map("hash", [{"n": str(n).encode()} for n in range(1200)])
    assert len({action.lsn for action in actions}) == 1200
    ended = list(compute.as_completed(actions))
    assert sorted(action.lsn for action in ended) == sorted(action.lsn for action in actions)
    assert [action.value["n"] for action in actions] == [sha256(str(n).encode()) for n in range(1200)]
    assert list(compute.as_completed([])) == []


def test_one_refusal_among_many(compute, worker):
    calls = [Call("copy", {"x": b"good"}), Call("hash", {"no/../good": b""}), Call("copy", {"x": b"good, too"})]
    first, refusal, last = compute.submit_many(calls)
    assert first.wait(60).ok
    assert last.wait(60).ok
    assert isinstance(refusal, Invalid)
    assert refusal.code == "action_rejected"
    with pytest.raises(Invalid) as same:
        compute.map("hash", [{"x": b""}, {"no/../good": b""}])
    assert str(same.value) == str(refusal)
    with pytest.raises(Invalid) as uneven:
        compute.map("hash", [{}], [{}, {}])
    assert str(uneven.value) == "map(…) takes as many inputs as constants; got 1 and 2."


# --- Queues ---


@pytest.mark.parametrize("remote", [True, False])
def test_a_queue_from_its_making_to_its_end(compute, remote):
    queue = compute.create_queue(remote=remote, max_active=1, ttl_seconds=60, max_retries=0)
    assert len(queue.name) == 24 if remote else queue.name.isdigit()
    actions = queue.map("copy", [{"x": str(n).encode()} for n in range(5)])
    compute.submit("hash", {"x": b"elsewhere"}, queue=queue).wait(60)
    queue.submit("fail").wait(60)
    followed = iter(queue.completed())
    first = next(followed)
    queue.drain()
    rest = [*followed]
    assert len(rest) == 6
    assert {action.lsn for action in actions} < {first.lsn, *(action.lsn for action in rest)}
    assert [action.lsn for action in queue.completed(first.record["done_lsn"])] == [action.lsn for action in rest]
    info = compute.queue(queue.name).info()
    assert (info["state"], info["active"], info["completed"], info["is_complete"]) == ("complete", 0, 7, True)
    assert len(queue.jobs(state="completed", limit=3)) == 3
    with pytest.raises(Conflict) as over:
        queue.submit("noop")
    assert over.value.code == "queue_not_active"
    assert (queue.name if remote else info["queue_id"]) in {
        q.get("queue_token", q["queue_id"]) for q in compute.queues()
    }


def test_a_queue_is_cancelled_with_what_it_has(compute):
    queue = compute.create_queue()
    actions = queue.map("endless", constants=[{"n": n} for n in range(4)])
    assert queue.cancel()["state"] == "cancelled"
    assert {action.refresh().state for action in actions} == {"cancelled"}
    assert len(list(queue.completed())) == 4


def test_a_queue_that_is_none(compute):
    with pytest.raises(NotFound) as refusal:
        compute.queue("0" * 24).info()
    assert str(refusal.value) == (
        "There is no such queue of yours; `jupyter fpga queues` lists those that there are, and `jupyter fpga queues "
        "--create` (create_queue() in Python) makes one."
    )


# --- Workers ---


def test_workers_by_name_id_and_beginning(compute, worker):
    for asked in ("script", worker, worker[:12]):
        assert compute.submit("copy", {"x": asked.encode()}, worker=asked).wait(60).record["worker"] == worker
    table = compute.workers()
    assert "copy, endless, fail, tree" in repr(table)
    assert worker[:12] in repr(table)


def test_the_same_worker_is_registered_once_and_another_program_is_another_version(compute, worker, tmp_path):
    (tmp_path / "run.sh").write_bytes(SCRIPT)
    (tmp_path / "worker.json").write_text(
        json.dumps({"name": "script", "functions": FUNCTIONS, "executables": {"bin/script": "run.sh"}})
    )
    other = compute.register(tmp_path / "worker.json")
    assert compute.register({**json.loads((tmp_path / "worker.json").read_text())}, tmp_path) == other
    (tmp_path / "run.sh").write_bytes(SCRIPT.replace(b"copied", b"copied anew"))
    newest = compute.register(tmp_path / "worker.json")
    assert newest != other
    action = compute.submit("copy", {"x": b"version"}).wait(60)
    assert (action.record["worker"], action.log) == (newest, "copied anew\n")
    old = next(one for one in compute.workers() if one["worker"] == other)["functions"][0]["version"]
    assert compute.submit("copy", {"x": b"version"}, version=old).wait(60).log == "copied\n"


# --- The lab ---


def test_what_the_machine_has(compute):
    info = compute.sysinfo()
    assert info["cores"] >= 1
    assert {"hash", "noop"} <= {function["name"] for function in info["functions"]}


def test_a_recording_is_run_again(compute, lab):
    recording = compute.start_recording()
    with pytest.raises(Conflict) as twice:
        compute.start_recording()
    assert str(twice.value) == (f"A recording is under way already, into {recording['folder']}. Stop it first.")
    compute.submit("copy", {"x": b"recorded"}).wait(60)
    compute.submit("hash", {"x": b"recorded, too"}).wait(60)
    compute.submit("fail").wait(60)
    assert compute.stop_recording() == {"folder": recording["folder"], "actions": 3}
    replay = compute.replay(recording["folder"])
    assert [(one["number"], one["function"], one["ok"], one["why"]) for one in replay] == [
        (1, "copy", True, None),
        (2, "hash", True, None),
        (3, "fail", False, "The program ended with exit code 3."),
    ]
    assert not compute.job(replay[0]["lsn"]).cached
    assert compute.job(compute.replay(recording["folder"], cache=True)[0]["lsn"]).cached
    assert {one["number"] for one in compute.replaying(recording["folder"])} == {1, 2, 3}


def test_a_recording_that_is_none(compute, tmp_path):
    with pytest.raises(Invalid) as none:
        compute.replay(tmp_path)
    assert str(none.value) == (
        f"There is no recording in “{tmp_path}”: actions.jsonl can't be read (No such file or directory). Give the "
        "folder that the lab named when the recording was stopped."
    )
    (tmp_path / "actions.jsonl").write_text('{"function": "noop"}\n')
    with pytest.raises(Invalid) as broken:
        compute.replay(tmp_path)
    assert str(broken.value) == (
        f"Line 1 of “{tmp_path}/actions.jsonl” is no action of a recording; record again, or remove the line."
    )


# --- What can't be ---


def test_what_can_not_be_submitted(compute, worker, tmp_path):
    def refused(*what, **options):
        with pytest.raises((Invalid, NotFound)) as refusal:
            compute.submit(*what, **options)
        return str(refusal.value)

    assert refused("copy", {"x": "missing.bin"}) == (
        "Input “x” can't be read: “missing.bin”: No such file or directory. Give the path of a file, or the content "
        "itself as bytes."
    )
    assert refused("copy", {"x": 5}) == "Input “x” is int; give the path of a file, or bytes."
    assert refused("copi", worker="script") == (
        "Worker “script” has no function “copi”; there are “copy”, “endless”, “fail”, “tree”. `jupyter fpga workers` "
        "lists who has which."
    )
    known = ", ".join(f"“{name}”" for name in sorted({f["name"] for f in compute.sysinfo()["functions"]}))
    assert refused("copi") == (
        f"This lab has no function “copi”; there are {known}. `jupyter fpga workers` lists who has which."
    )
    assert refused("copy", worker="nobody") == (
        "There is no worker “nobody”; there are "
        + ", ".join(f"“{name}”" for name in dict.fromkeys(one["name"] for one in compute.workers()))
        + ". `jupyter fpga workers` lists them with their ids."
    )
    assert refused("copy", {}, {"x": {1, 2}}) == (
        "What an action is told must be values of JSON, and these aren't: Object of type set is not JSON "
        "serializable. Give files and bytes as inputs."
    )


def test_a_worker_that_can_not_be(compute, tmp_path):
    def refused(told):
        with pytest.raises(Invalid) as refusal:
            compute.register(told)
        return str(refusal.value)

    assert refused(tmp_path / "none.json") == (
        f"The worker's descriptor “{tmp_path}/none.json” can't be read: No such file or directory."
    )
    (tmp_path / "list.json").write_text("[]")
    assert refused(tmp_path / "list.json") == f"The worker's descriptor “{tmp_path}/list.json” must be a JSON object."
    (tmp_path / "bad.json").write_text("{")
    assert refused(tmp_path / "bad.json").startswith(f"The worker's descriptor “{tmp_path}/bad.json” is not JSON: ")
    assert refused({"executables": {"run": tmp_path / "none"}}) == (
        f"Program “run” can't be read: “{tmp_path}/none”: No such file or directory. Give the path of a file, or the "
        "content itself as bytes."
    )
    assert refused({"executables": ["run"]}) == (
        "The worker's descriptor can't be taken: “executables” must be an object of paths in the sandbox, each with a "
        "file of this machine."
    )
    unknown = sha256(b"nobody has sent this")
    assert refused({"name": "x", "functions": ["f"], "executables": {"run": unknown}}) == (
        f"The lab doesn't have the content {unknown}, and it was named by its hash alone; give the file."
    )


def test_a_file_that_changes_while_it_is_sent(compute, tmp_path, monkeypatch):
    source = tmp_path / "growing"
    for changed in (b"other", b"x"):
        source.write_bytes(b"first")
        post = compute.door.post

        async def changing(path, body=None, *, post=post, changed=changed):
            answer = await post(path, body)
            source.write_bytes(changed)
            return answer

        with monkeypatch.context() as patch:
            patch.setattr(compute.door, "post", changing)
            with pytest.raises(Invalid) as refusal:
                compute.submit("copy", {"x": source})
        assert str(refusal.value) == f"“{source}” was changed while it was sent; send it when it is complete."
        assert refusal.value.code == "input_changed"


def test_outputs_that_can_not_be_had(compute, tmp_path):
    action = compute.submit("fail").wait(60)
    with pytest.raises(Invalid) as none:
        action.outputs.read("whole.txt")
    assert str(none.value) == "The action left no output “whole.txt”; there is “half.txt”."
    (tmp_path / "file").touch()
    with pytest.raises(Invalid) as unwritable:
        action.outputs.download(tmp_path / "file")
    assert str(unwritable.value) == (
        f"“{tmp_path}/file/half.txt” can't be written: File exists. Give another folder, or make room."
    )
    file = dict(action.outputs["half.txt"])
    for name in ("../half.txt", "/half.txt"):
        action.record["result"]["outputs"] = {name: file}
        with pytest.raises(Invalid) as outside:
            action.outputs.download(tmp_path)
        assert str(outside.value) == (
            f"The output “{name}” would be written outside of “{tmp_path}”; read it with outputs.read(…) instead."
        )


def test_an_output_that_arrives_damaged(serve, answering, tmp_path):
    url = serve([(r"/compute/chunks/.*", answering(200, b"halg"))])
    outputs = {"x": {"hash": sha256(b"half"), "size": 4}}
    with LabClient(url) as client:
        action = client.compute._action({"lsn": 1, "action": "a", "finished": True, "result": {"outputs": outputs}})
        for get in (lambda: action.outputs.read("x"), lambda: action.outputs.download(tmp_path)):
            with pytest.raises(Unavailable) as damaged:
                get()
            assert str(damaged.value) == "The output “x” didn't arrive as the action left it; download it again."
    assert list(tmp_path.iterdir()) == []


def test_a_lab_that_keeps_no_contents(serve, answering):
    worker = {"worker": "0" * 64, "name": "w", "functions": [{"name": "f", "version": "v"}]}
    needs = {"needs": [sha256(b"x")]}
    seen = []
    url = serve(
        [
            (r"/compute/workers", answering(200, [worker])),
            (r"/compute/jobs", answering(200, needs)),
            (r"/compute/chunks/.*", type("Put", (answering(200, {}, seen),), {"put": answering(200, {}, seen).answer})),
        ]
    )
    with LabClient(url) as client, pytest.raises(Unavailable) as lost:
        client.compute.submit("f", {"x": b"x"})
    assert str(lost.value) == (
        "The lab asked for the same contents again and again: it keeps none. Its disk may be full."
    )
    assert [request.body for request in seen] == [b"x"] * 3


def test_a_quota_is_told_as_what_it_is(serve, answering):
    refusal = {"error": "quota_exceeded", "message": "You have 9.", "detail": {"limit": 9}}
    worker = {"worker": "0" * 64, "name": "w", "functions": [{"name": "f", "version": "v"}]}
    url = serve([(r"/compute/workers", answering(200, [worker])), (r"/compute/jobs", answering(200, [refusal]))])
    with LabClient(url) as client:
        (answer,) = client.compute.submit_many([Call("f")])
    assert isinstance(answer, QuotaExceeded)
    assert (str(answer), answer.detail) == ("You have 9.", {"limit": 9})
