"""Submitting: to a board, to the board one holds, to any; and everything that is refused."""

import asyncio
from typing import Any

import pytest

from jupyter_fpga.compute.design import Source
from jupyter_fpga.errors import Conflict, Forbidden, Invalid, LabError, NotFound, QuotaExceeded, TooLarge, Unavailable
from jupyter_fpga.fpga.config import BoardConfig, Quotas, SubmitOptions
from jupyter_fpga.fpga.wishbone import LinkLost


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


async def refused(kind: type[LabError], code: str, message: str, work: Any) -> None:
    with pytest.raises(kind) as caught:
        await work
    assert (caught.value.code, caught.value.message) == (code, message)


async def test_refusals_by_the_boards_state(lab: Any, people: Any) -> None:
    _, ben, _ = people
    lab.builds.hold = asyncio.Event()
    lab.driver.hold = asyncio.Event()
    job = await lab.submit(fpga_id=0)
    await lab.stage(job["job_id"], "building:")
    next_one = "Submit without a board number to get the next one that is free."
    await refused(
        Conflict,
        "fpga_not_idle",
        f"Board 0 can't take a design now: it waits for a build that runs (state 'building'). {next_one}",
        lab.submit(ben, fpga_id=0),
    )
    lab.builds.hold.set()
    await lab.driver.holding.wait()
    await refused(
        Conflict,
        "fpga_not_idle",
        f"Board 0 can't take a design now: it is being programmed (state 'programming'). {next_one}",
        lab.submit(ben, fpga_id=0),
    )
    lab.driver.hold.set()
    await lab.ended(job["job_id"])
    await refused(
        Conflict,
        "fpga_not_idle",
        f"Board 0 can't take a design now: it is held by a board session (state 'reserved'). {next_one}",
        lab.submit(ben, fpga_id=0),
    )
    lab.driver.hold = asyncio.Event()
    await lab.fpga.release(people[0], 0)
    await refused(
        Conflict,
        "fpga_not_idle",
        "Board 0 can't take a design now: it is being reset (state 'reserved', without a session). " + next_one,
        lab.submit(fpga_id=0),
    )
    lab.driver.hold.set()
    await lab.fpga.settled()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("design.py", b"", "The design was not taken: 'design.py' is empty. Put a design into it."),
        ("design.py", b" \n\t\n", "The design was not taken: 'design.py' is empty. Put a design into it."),
        (
            "design.py",
            b"x = 1\ny = '\xff'\n",
            "The design was not taken: 'design.py' is not UTF-8 text (byte 11, in line 2). Save it as UTF-8.",
        ),
        (
            "design.py",
            b"x = 1\n\x00",
            "The design was not taken: 'design.py' is not text: byte 6, in line 2, is a NUL. Save it as UTF-8 text.",
        ),
        (
            "design.vhd",
            b"entity",
            "The design was not taken: 'design.vhd' is neither a Python nor a Verilog file. "
            "Give it a name that ends with .py or .v.",
        ),
    ],
)
async def test_what_can_be_rejected_without_building(
    lab: Any, people: Any, name: str, content: bytes, message: str
) -> None:
    source = Source({name: content}, name)
    for fpga_id in (None, 0):
        await refused(Invalid, "design_rejected", message, lab.fpga.submit(people[0], source, SubmitOptions(), fpga_id))
    await refused(Invalid, "design_rejected", message, lab.fpga.build(people[0], source, SubmitOptions()))
    assert await lab.fpga.jobs(people[0]) == []


async def test_too_large(lab: Any, people: Any) -> None:
    await refused(
        TooLarge,
        "design_too_large",
        "The file 'd.py' has more than 1,048,576 bytes, which is what the lab takes. "
        "Leave out what the design doesn't need.",
        lab.fpga.build(people[0], Source({"d.py": b"#" * 1_048_577}, "d.py"), SubmitOptions()),
    )
    files = {f"{n}.py": b"#" * 1_048_576 for n in range(17)}
    await refused(
        TooLarge,
        "design_too_large",
        "The bundle has more than 16,777,216 bytes, which is what the lab takes. "
        "Leave out what the design doesn't need.",
        lab.fpga.build(people[0], Source(files, "0.py"), SubmitOptions()),
    )
    await refused(
        Invalid,
        "design_rejected",
        "The design was not taken: it has 130 files, and a bundle may have 129. "
        "Leave out what the design doesn't need.",
        lab.fpga.build(people[0], Source({f"{n}.py": b"#" for n in range(130)}, "0.py"), SubmitOptions()),
    )


async def test_unknown_boards_targets_and_priorities(lab: Any, people: Any) -> None:
    await refused(NotFound, "fpga_not_found", "There is no board 7; this lab has boards 0, 1.", lab.submit(fpga_id=7))
    await refused(
        Invalid,
        "target_unknown",
        "No board of this lab has target 'ecp5'. Its boards are of target 'simulated'.",
        lab.submit(target="ecp5"),
    )
    await refused(
        Invalid,
        "target_unknown",
        "No board of this lab has target 'simulated' and tag 'fast'. Its boards are of target 'simulated'.",
        lab.submit(tags=("fast",)),
    )
    await refused(
        Invalid,
        "target_mismatch",
        "Board 0 is of target 'simulated', and the design was submitted for 'ecp5'. "
        "Leave the target out, or submit without a board number.",
        lab.submit(fpga_id=0, target="ecp5"),
    )
    await refused(
        Forbidden,
        "priority_not_allowed",
        "Priority 1 is for operators; everybody else has 0 or less. Leave the priority out.",
        lab.submit(priority=1),
    )


async def test_another_request_under_a_used_key(lab: Any) -> None:
    await lab.submit(idempotency_key="k")
    await refused(
        Conflict,
        "idempotency_conflict",
        "The idempotency key 'k' was used for another request. Use a new key for a new request.",
        lab.submit(text="class Other: ...", idempotency_key="k"),
    )
    await lab.fpga.settled()


async def test_quotas(make_lab: Any, people: Any) -> None:
    ann, ben, _ = people
    lab = await make_lab(quotas=Quotas(max_queued_jobs=2, max_held_boards=1), builds_in_parallel=1).start()
    await lab.all_idle()
    await lab.reserved(ann)
    full = "You hold 1 boards, and the lab lets one person hold 1. Release one, or submit to the board you hold."
    await refused(QuotaExceeded, "quota_exceeded", full, lab.submit(fpga_id=1))
    await refused(QuotaExceeded, "quota_exceeded", full, lab.submit())
    lab.builds.hold = asyncio.Event()
    await lab.submit(ben, "class Top: n = 0")
    # One of them builds, two wait.
    await lab.builds.started.get()
    await lab.submit(ben, "class Top: n = 1")
    await lab.submit(ben, "class Top: n = 2")
    await refused(
        QuotaExceeded,
        "quota_exceeded",
        "You have 2 jobs waiting, and the lab lets one person queue 2. Wait until some are done, or cancel some.",
        lab.submit(ben, "class Top: n = 3"),
    )
    await lab.stop()


async def test_who_holds_enough_boards_is_passed_over(make_lab: Any, people: Any) -> None:
    ann, ben, _ = people
    lab = await make_lab(boards=2, quotas=Quotas(max_held_boards=1)).start()
    await lab.all_idle()
    jobs = [await lab.submit(ann, f"class Top: n = {n}") for n in range(2)]
    await lab.ended(jobs[0]["job_id"])
    await lab.stage(jobs[1]["job_id"], "waiting_for_board")
    bens = await lab.submit(ben)
    assert (await lab.ended(bens["job_id"]))["status"] == "complete"
    assert (await lab.fpga.job(ann, jobs[1]["job_id"]))["status"] == "running"
    await lab.stop()


async def test_no_healthy_board_is_another_answer_than_all_are_busy(make_lab: Any, people: Any) -> None:
    _, ben, operator = people
    lab = await make_lab(boards=2).start()
    await lab.all_idle()
    await lab.reserved(fpga_id=0)
    await lab.reserved(fpga_id=1)
    busy = await lab.submit(ben)
    await lab.stage(busy["job_id"], "waiting_for_board")
    no_board = (
        "No board of target 'simulated' works: all 2 that would do are quarantined. "
        "An operator has to clear one; nothing is wrong with your design."
    )
    lab.driver.broken = True
    for fpga_id in (0, 1):
        lsn = lab.store.events.latest
        await lab.fpga.kick(operator, fpga_id)
        for failures in (1, 2, 3):
            failed = await lab.until(lambda f: f.get("type") == "reset" and f["status"] == "failed", lsn)
            assert failed["fpga_id"] == fpga_id
            lsn = failed["lsn"] + failures // 3
            lab.clock.advance(20)
    job = await lab.ended(busy["job_id"])
    assert (job["status"], job["error"]["code"], job["error"]["reason"]) == ("failed", "no_healthy_board", no_board)
    await refused(Unavailable, "no_healthy_board", no_board, lab.submit(ben))
    await refused(
        Conflict,
        "fpga_not_idle",
        "Board 0 can't take a design now: it is quarantined (state 'error'). "
        "Submit without a board number to get the next one that is free.",
        lab.submit(ben, fpga_id=0),
    )
    await lab.stop()


async def test_a_build_that_ends_when_no_board_works_any_more(make_lab: Any, people: Any) -> None:
    _, _, operator = people
    lab = await make_lab(boards=1).start()
    await lab.all_idle()
    lab.builds.hold = asyncio.Event()
    job = await lab.submit()
    await lab.builds.started.get()
    await lab.fpga.quarantine(operator, 0)
    lab.builds.hold.set()
    ended = await lab.ended(job["job_id"])
    assert (ended["status"], ended["error"]["code"], ended["error"]["stage"]) == (
        "failed",
        "no_healthy_board",
        "waiting_for_board",
    )
    await lab.stop()


async def test_tags_choose_among_boards(make_lab: Any) -> None:
    lab = make_lab()
    lab.config = lab.config.__class__(boards=(BoardConfig(0), BoardConfig(1, tags=("camera", "fast"))))
    await lab.start()
    await lab.all_idle()
    job = await lab.submit(tags=("fast",))
    assert (await lab.ended(job["job_id"]))["fpga_id"] == 1
    await lab.stop()


async def test_a_board_that_is_lost_while_it_is_programmed(lab: Any, people: Any) -> None:
    lab.driver.failures = [LinkLost("its serial line was hung up.")]
    job = await lab.ended((await lab.submit(fpga_id=0))["job_id"])
    assert (job["status"], job["error"]) == (
        "failed",
        {
            "code": "link_lost",
            "stage": "programming",
            "reason": "The link to the board is lost: its serial line was hung up. Reset the board to use it again.",
            "known_done": 0,
        },
    )
    await lab.state(0, "idle")
