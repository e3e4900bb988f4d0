"""Submitting: to a board, to the board one holds, to any."""

import asyncio
from typing import Any

from jupyter_fpga.compute.builds.design import Source
from jupyter_fpga.errors import LabError
from jupyter_fpga.fpga.config import SubmitOptions


async def test_a_direct_submit_takes_the_board_along_its_edges(lab: Any, people: Any) -> None:
    ann, _, _ = people
    lab.builds.hold = asyncio.Event()
    answer = await lab.submit(fpga_id=0)
    assert answer == {"job_id": answer["job_id"], "fpga_id": 0, "status": "queued"}
    await lab.builds.started.get()
    await lab.stage(answer["job_id"], "building:elaborate")
    board = await lab.fpga.board(ann, 0)
    assert (board["state"], board["owner"], board["current_job_id"]) == ("building", "ann", answer["job_id"])
    assert board["current_job_created_at"] is not None
    job = await lab.fpga.job(ann, answer["job_id"])
    assert (job["status"], job["stage"], job["build_stage"]) == ("running", "building", "elaborate")
    lab.builds.hold.set()
    assert (await lab.ended(answer["job_id"]))["status"] == "complete"
    assert (await lab.edges())[-4:] == ["queued", "building", "programming", "reserved"]


async def test_of_a_hundred_simultaneous_submits_to_one_board_one_is_taken(make_lab: Any, people: Any) -> None:
    _, _, operator = people
    lab = await make_lab(boards=1).start()
    await lab.all_idle()
    answers = await asyncio.gather(
        *(lab.submit(text=f"class Top: n = {n}", fpga_id=0) for n in range(100)), return_exceptions=True
    )
    taken = [answer for answer in answers if isinstance(answer, dict)]
    refused = [answer.code for answer in answers if isinstance(answer, LabError)]
    assert (len(taken), refused) == (1, ["fpga_not_idle"] * 99)
    assert (await lab.ended(taken[0]["job_id"]))["status"] == "complete"
    assert len(await lab.fpga.jobs(operator, type="build_and_program")) == 1
    await lab.stop()


async def test_two_hundred_submits_to_any_board_share_ten_and_none_is_held_twice(make_lab: Any, people: Any) -> None:
    ann, ben, _ = people
    lab = await make_lab(boards=10).start()
    await lab.all_idle()
    owners = {"ann": ann, "ben": ben}
    holders: dict[int, str] = {}

    async def use(owner: str, n: int) -> None:
        answer = await lab.submit(owners[owner], text=f"class Top: n = {n % 7}")
        async for _ in lab.fpga.follow_logs(owners[owner], answer["job_id"]):
            pass
        job = await lab.fpga.job(owners[owner], answer["job_id"])
        assert job["status"] == "complete", job
        fpga_id = job["fpga_id"]
        assert fpga_id not in holders
        holders[fpga_id] = job["job_id"]
        run = await lab.fpga.run(owners[owner], fpga_id, [{"op": "write", "register": "duty", "data": [n]}])
        async for _ in lab.fpga.follow_logs(owners[owner], run["job_id"]):
            pass
        assert (await lab.fpga.job(owners[owner], run["job_id"]))["status"] == "complete"
        del holders[fpga_id]
        await lab.fpga.release(owners[owner], fpga_id)

    await asyncio.gather(*(use(("ann", "ben")[n % 2], n) for n in range(200)))
    await lab.fpga.settled()
    assert {board["state"] for board in await lab.fpga.boards(ann)} == {"idle"}
    await lab.stop()


async def test_any_board_is_taken_in_one_move_once_the_build_is_done(make_lab: Any, people: Any) -> None:
    ann, ben, _ = people
    lab = await make_lab(boards=1).start()
    await lab.all_idle()
    await lab.reserved(ann)
    first = await lab.submit(ben, "class Top: first = 1")
    await lab.stage(first["job_id"], "waiting_for_board")
    assert first["fpga_id"] is None
    second = await lab.submit(ben, "class Top: second = 2")
    await lab.stage(second["job_id"], "waiting_for_board")
    waiting = [await lab.fpga.job(ben, job["job_id"]) for job in (first, second)]
    assert [(job["fpga_id"], job["status"], job["position"]) for job in waiting] == [
        (None, "running", 1),
        (None, "running", 2),
    ]
    lsn = lab.store.events.latest
    await lab.released()
    assert (await lab.ended(first["job_id"]))["fpga_id"] == 0
    edges = [f["state"] for f in await lab.events("board_state") if f["lsn"] > lsn and f["job_id"] == first["job_id"]]
    assert edges == ["queued", "building", "programming", "reserved"]
    assert (await lab.fpga.job(ben, second["job_id"]))["position"] == 1
    await lab.stop()


async def test_the_holders_next_design_is_built_while_the_old_one_runs(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    before = await lab.fpga.session(ann, 0)
    lab.builds.hold = asyncio.Event()
    job = await lab.submit(text="class Top: new = 1", fpga_id=0)
    await lab.stage(job["job_id"], "building:")
    assert (await lab.fpga.board(ann, 0))["state"] == "reserved"
    run = await lab.fpga.run(ann, 0, [{"op": "write", "register": "duty", "data": [1]}])
    assert (await lab.ended(run["job_id"]))["status"] == "complete"
    lab.builds.hold.set()
    assert (await lab.ended(job["job_id"]))["status"] == "complete"
    assert (await lab.fpga.session(ann, 0))["session_id"] == before["session_id"]
    assert len(set(lab.driver.programmed[-2:])) == 2
    assert (await lab.edges())[-3:] == ["reserved", "programming", "reserved"]


async def test_a_next_design_that_fails_leaves_the_old_one(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    programmed = list(lab.driver.programmed)
    job = await lab.submit(text="FAIL", fpga_id=0)
    assert (await lab.ended(job["job_id"]))["status"] == "failed"
    assert lab.driver.programmed == programmed
    run = await lab.fpga.run(ann, 0, [{"op": "read", "address": 0, "count": 1}])
    assert (await lab.ended(run["job_id"]))["status"] == "complete"


async def test_the_holders_designs_come_in_the_order_of_their_submission(lab: Any) -> None:
    await lab.reserved()
    lab.builds.hold = asyncio.Event()
    jobs = [await lab.submit(text=f"class Top: n = {n}", fpga_id=0) for n in range(3)]
    lab.builds.hold.set()
    ended = [await lab.ended(job["job_id"]) for job in jobs]
    assert [job["status"] for job in ended] == ["complete"] * 3
    order = [f["job_id"] for f in await lab.events("board_state") if f["state"] == "programming"][-3:]
    assert order == [job["job_id"] for job in jobs]


async def test_a_failed_build_frees_the_board_and_says_where(lab: Any, people: Any) -> None:
    ann, _, _ = people
    answer = await lab.submit(text="FAIL", fpga_id=0)
    job = await lab.ended(answer["job_id"])
    assert job["error"] == {
        "code": "no_top",
        "stage": "elaborate",
        "reason": "There is no class 'Top'.",
        "file": "design.py",
        "line": 3,
    }
    board = await lab.fpga.board(ann, 0)
    assert (board["state"], board["owner"], board["current_job_id"]) == ("idle", None, None)


async def test_a_build_needs_no_board(lab: Any, people: Any) -> None:
    ann, _, _ = people
    answer = await lab.fpga.build(ann, Source({"d.v": b"module top; endmodule"}, "d.v"), SubmitOptions())
    assert answer == {"job_id": answer["job_id"], "fpga_id": None, "status": "queued"}
    job = await lab.ended(answer["job_id"])
    assert (job["type"], job["status"], job["fpga_id"]) == ("build", "complete", None)
    assert (await lab.fpga.manifest(ann, answer["job_id"]))["window"] == {"base": 0x3000_0000, "size": 64}
    assert (await lab.fpga.artifact(ann, answer["job_id"], "bitstream")).is_file()
    result = await lab.fpga.result(ann, answer["job_id"])
    assert (result["ok"], result["data"], result["stages"]) == (
        True,
        [],
        [{"name": "elaborate", "seconds": 0.5, "cached": False}],
    )


async def test_builds_in_parallel_are_limited(make_lab: Any, people: Any) -> None:
    ann, _, _ = people
    lab = await make_lab(builds_in_parallel=2).start()
    lab.builds.hold = asyncio.Event()
    jobs = [await lab.fpga.build(ann, Source({"d.py": b"x = %d" % n}, "d.py"), SubmitOptions()) for n in range(5)]
    await lab.builds.started.get()
    await lab.builds.started.get()
    places = [(await lab.fpga.job(ann, job["job_id"]))["position"] for job in jobs]
    assert places == [None, None, 1, 2, 3]
    lab.builds.hold.set()
    for job in jobs:
        assert (await lab.ended(job["job_id"]))["status"] == "complete"
    assert lab.builds.most == 2
    await lab.stop()


async def test_operators_priority_is_sooner(make_lab: Any, people: Any) -> None:
    ann, _, operator = people
    lab = await make_lab(builds_in_parallel=1).start()
    lab.builds.hold = asyncio.Event()
    await lab.fpga.build(ann, Source({"d.py": b"a"}, "d.py"), SubmitOptions())
    await lab.builds.started.get()
    await lab.fpga.build(ann, Source({"d.py": b"b"}, "d.py"), SubmitOptions())
    await lab.fpga.build(operator, Source({"d.py": b"c"}, "d.py"), SubmitOptions(priority=1))
    lab.builds.hold.set()
    assert [await lab.builds.started.get() for _ in range(2)] == ["c", "b"]
    await lab.fpga.settled()
    await lab.stop()


async def test_the_same_key_and_body_get_the_first_answer(lab: Any, people: Any) -> None:
    ann, ben, _ = people
    first = await lab.submit(fpga_id=0, idempotency_key="k")
    await lab.ended(first["job_id"])
    assert await lab.submit(fpga_id=0, idempotency_key="k") == first
    assert await lab.submit(fpga_id=0, idempotency_key="k") == first
    assert len(await lab.fpga.jobs(ann, type="build_and_program")) == 1
    # Another person's key is another key.
    other = await lab.submit(ben, fpga_id=1, idempotency_key="k")
    assert other["job_id"] != first["job_id"]
    await lab.ended(other["job_id"])


async def test_one_of_simultaneous_submits_with_one_key_is_carried_out(lab: Any, people: Any) -> None:
    ann, _, _ = people
    answers = await asyncio.gather(*(lab.submit(idempotency_key="same") for _ in range(20)))
    assert len({answer["job_id"] for answer in answers}) == 1
    await lab.fpga.settled()
    assert len(await lab.fpga.jobs(ann, type="build_and_program")) == 1


async def test_sources_are_on_disk_before_the_job_is_acknowledged(lab: Any) -> None:
    await lab.submit(text="class Top: kept = 1")
    kept = list((lab.folder / "sources").rglob("*.zip"))
    assert len(kept) == 1
    await lab.fpga.settled()
