"""Workers, and the floor as a whole, over HTTP."""

import json
from pathlib import Path

import pytest

from jupyter_fpga.compute.actions.descriptors import read_worker
from jupyter_fpga.server.compute.models import SysInfo, WorkerRecord

from .conftest import SCRIPT, VERSION, noop, sha256


def descriptor(**more):
    functions = [{"name": "named", "version": VERSION}]
    return {"name": "named", "functions": functions, "executables": {"run": sha256(SCRIPT + b"# named")}, **more}


async def test_a_worker_at_its_own_address(people):
    told = descriptor()
    worker = read_worker(told).id
    path = f"/compute/workers/{worker}"
    hash = sha256(SCRIPT + b"# named")
    assert await people.post("olga", path, told, 200) == {"needs": [hash]}
    assert (await people["ada"].refusal("GET", path)) == (
        404,
        "worker_not_found",
        f"There is no worker {worker}. Ask for the list and take one that is there.",
    )
    await people.put("olga", SCRIPT + b"# named")
    for _ in range(2):
        assert await people.post("olga", path, told, 201) == {"worker": worker}
    shown = await people["ada"].get(path)
    WorkerRecord.model_validate(shown)
    assert (shown["worker"], shown["name"], shown["cores"]) == (worker, "named", 1)
    assert shown in await people["ada"].get("/compute/workers")


async def test_the_address_of_a_worker_is_its_digest(people):
    digest = read_worker(descriptor(cores=2)).id
    response = await people["olga"].ask("POST", f"/compute/workers/{'0' * 64}", descriptor(cores=2))
    envelope = json.loads(response.body)
    assert (response.code, envelope["error"], envelope["detail"]) == (422, "worker_mismatch", {"worker": digest})
    assert envelope["message"] == (
        f"The descriptor's digest is {digest}, and it was sent for {'0' * 64}. Send it to its own address, "
        "or to …/compute/workers."
    )


async def test_workers_are_for_operators(people):
    refusal = (403, "operator_only", "Only an operator may register a worker. Ask one of this lab's operators.")
    told = descriptor()
    for path in ("/compute/workers", f"/compute/workers/{read_worker(told).id}"):
        assert await people["ada"].refusal("POST", path, told) == refusal


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ([], "it must be a JSON object; got a list."),
        (descriptor(functions=[]), "“functions” must be a list of objects with “name” and “version”."),
        (descriptor(executables={}), "“executables” must name at least one: the program that is started."),
        (
            descriptor(executables={"../x": "0" * 64}),
            '"../x" is no path; use letters, digits, “_”, “-”, “.” and “/”, and no “..”.',
        ),
        (descriptor(cores=0), "“cores” must be a number from 1 to 1024; got 0."),
    ],
)
async def test_a_worker_that_can_not_be(people, told, message):
    for path in ("/compute/workers", f"/compute/workers/{'0' * 64}"):
        refusal = await people["olga"].refusal("POST", path, told)
        assert refusal == (422, "worker_rejected", f"The worker's descriptor can't be taken: {message}")


@pytest.mark.parametrize("text", ["x", "A" * 64, "0" * 65])
async def test_what_names_no_worker(people, text):
    for method, body in (("GET", None), ("POST", descriptor())):
        assert await people["olga"].refusal(method, f"/compute/workers/{text}", body) == (
            404,
            "worker_not_found",
            f"There is no worker {text!r}. Ask for the list and take one that is there.",
        )


async def test_ready_is_for_everybody(people):
    assert await people["ada"].get("/compute/ready", token="") == {"ok": True, "reason": None}


async def test_sysinfo(people):
    info = await people["ada"].get("/compute/sysinfo")
    SysInfo.model_validate(info)
    assert info["sandbox"]["tier"] in ("full", "landlock")
    assert {"noop", "hash"} <= {function["name"] for function in info["functions"]}
    assert (await people["ada"].refusal("GET", "/compute/sysinfo", token=""))[:2] == (401, "not_signed_in")


async def test_a_recording(people):
    forbidden = (403, "operator_only", "Only an operator may record actions. Ask one of this lab's operators.")
    for verb in ("start", "stop"):
        assert await people["ada"].refusal("POST", f"/compute/record/{verb}") == forbidden
    assert await people["olga"].refusal("POST", "/compute/record/stop") == (
        409,
        "not_recording",
        "Nothing is being recorded. Start a recording first.",
    )
    begun = await people.post("olga", "/compute/record/start", status=200)
    assert await people["olga"].refusal("POST", "/compute/record/start") == (
        409,
        "recording_already",
        f"A recording is under way already, into {begun['folder']}. Stop it first.",
    )
    action = noop()
    await people.post("ada", "/compute/jobs", action)
    ended = await people.post("olga", "/compute/record/stop", status=200)
    assert ended == {"folder": begun["folder"], "actions": 1}
    (line,) = (Path(ended["folder"]) / "actions.jsonl").read_text().splitlines()
    assert json.loads(line)["constants"] == action["constants"]
