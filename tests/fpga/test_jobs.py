"""Jobs as their owners see them."""

import asyncio
from functools import partial
from typing import Any

import pytest

from jupyter_fpga.errors import Conflict, Invalid, LabError, NotFound
from jupyter_fpga.store import StoreFailed

READ = {"op": 2, "address": 0, "count": 1}
UNKNOWN = "00000000-0000-0000-0000-000000000000"


async def refused(kind: type[LabError], code: str, message: str, work: Any) -> None:
    with pytest.raises(kind) as caught:
        await work
    assert (caught.value.code, caught.value.message) == (code, message)


async def test_a_record(lab: Any, people: Any) -> None:
    job = await lab.reserved()
    assert job == {
        "job_id": job["job_id"],
        "fpga_id": 0,
        "type": "build_and_program",
        "status": "complete",
        "stage": "done",
        "build_stage": None,
        "owner": "ann",
        "priority": 0,
        "created_at": "2023-11-14T22:13:20.000+00:00",
        "updated_at": "2023-11-14T22:13:20.000+00:00",
        "lsn": job["lsn"],
        "position": None,
        "eta_seconds": None,
        "eta_basis": None,
        "error": None,
    }


async def test_lists_are_ones_own_newest_first_and_paged(lab: Any, people: Any) -> None:
    ann, ben, operator = people
    await lab.reserved()
    runs = []
    for _ in range(4):
        runs.append((await lab.fpga.run(ann, 0, [READ]))["job_id"])
        await lab.ended(runs[-1])
    assert [job["job_id"] for job in await lab.fpga.jobs(ann, type="run")] == runs[::-1]
    first = await lab.fpga.jobs(ann, type="run", limit=3)
    second = await lab.fpga.jobs(ann, type="run", limit=3, before=first[-1]["lsn"])
    assert [job["job_id"] for job in first + second] == runs[::-1]
    newer = await lab.fpga.jobs(ann, type="run", after=first[-1]["lsn"])
    assert [job["job_id"] for job in newer] == runs[:1:-1]
    assert await lab.fpga.jobs(ben) == []
    assert await lab.fpga.jobs(ben, owner="ann") == []
    assert {job["owner"] for job in await lab.fpga.jobs(operator)} == {"ann", "(lab)"}
    assert {job["type"] for job in await lab.fpga.jobs(operator, owner="ann")} == {"run", "build_and_program"}
    assert await lab.fpga.jobs(ann, status="failed") == []
    await refused(
        Invalid,
        "filter_rejected",
        "Jobs can't be listed by status 'done'; it is one of queued, running, complete, failed, cancelled.",
        lab.fpga.jobs(ann, status="done"),
    )
    await refused(
        Invalid,
        "filter_rejected",
        "Jobs can't be listed by type 'bild'; it is one of build_and_program, build, run, reset.",
        lab.fpga.jobs(ann, type="bild"),
    )


async def test_anothers_job_and_another_boards_job_are_not_there(lab: Any, people: Any) -> None:
    ann, ben, operator = people
    job_id = (await lab.reserved())["job_id"]
    assert (await lab.fpga.job(operator, job_id))["job_id"] == job_id
    assert (await lab.fpga.job(ann, job_id, 0))["job_id"] == job_id
    for person, wanted, fpga_id in ((ben, job_id, None), (ann, job_id, 1), (ann, UNKNOWN, None), (ann, "x y\0", None)):
        where = "" if fpga_id is None else f" of board {fpga_id}"
        message = f"There is no job '{wanted}'{where} that you may see. The list of jobs shows yours."
        for work in (
            lab.fpga.job(person, wanted, fpga_id),
            lab.fpga.logs(person, wanted, fpga_id=fpga_id),
            lab.fpga.result(person, wanted, fpga_id),
            lab.fpga.manifest(person, wanted, fpga_id),
            lab.fpga.artifact(person, wanted, "report", fpga_id),
            lab.fpga.cancel(person, wanted, fpga_id),
            anext(lab.fpga.follow_logs(person, wanted, 0, fpga_id)),
        ):
            await refused(NotFound, "job_not_found", message, work)
    await refused(
        NotFound, "fpga_not_found", "There is no board 9; this lab has boards 0, 1.", lab.fpga.job(ann, job_id, 9)
    )


async def test_results_and_artifacts_before_they_are_there(lab: Any, people: Any) -> None:
    ann, _, _ = people
    lab.builds.hold = asyncio.Event()
    job_id = (await lab.submit(fpga_id=0))["job_id"]
    await lab.stage(job_id, "building:")
    await refused(
        Conflict,
        "job_not_complete",
        f"Job {job_id} has no result yet: it is running. Wait until it is complete.",
        lab.fpga.result(ann, job_id),
    )
    no_build = (
        f"Job {job_id} has no build to show: it is running, and its design hasn't been built. "
        "A manifest and artifacts are there once the build is done."
    )
    await refused(Conflict, "job_not_complete", no_build, lab.fpga.manifest(ann, job_id))
    await refused(Conflict, "job_not_complete", no_build, lab.fpga.artifact(ann, job_id, "report"))
    lab.builds.hold.set()
    await lab.ended(job_id)
    assert (await lab.fpga.manifest(ann, job_id))["registers"][0]["name"] == "duty"
    assert (await lab.fpga.artifact(ann, job_id, "csr.json")).is_file()
    await refused(
        NotFound,
        "artifact_not_found",
        "This build has no artifact '../secret'; it has bitstream, csr.json.",
        lab.fpga.artifact(ann, job_id, "../secret"),
    )
    failed = (await lab.submit(text="FAIL"))["job_id"]
    await lab.ended(failed)
    await refused(
        Conflict,
        "job_not_complete",
        f"Job {failed} has no result: it has failed. Its record says why.",
        lab.fpga.result(ann, failed),
    )


async def test_logs_are_followed_to_the_jobs_end(lab: Any, people: Any) -> None:
    ann, _, _ = people
    lab.builds.hold = asyncio.Event()
    job_id = (await lab.submit(fpga_id=0))["job_id"]
    follower = lab.fpga.follow_logs(ann, job_id)
    first = await anext(follower)
    assert first == (1, "Elaborating design.py")
    lab.builds.hold.set()
    rest = [line async for line in follower]
    digest = (await lab.fpga.result(ann, job_id))["digest"]
    assert rest == [
        (2, "elaborate: 0.50 s"),
        (3, "Programming board 0."),
        (4, f"Board 0 runs it: jupyter_fpga simulated {digest}"),
    ]
    assert await lab.fpga.logs(ann, job_id, after=2) == rest[1:]
    # One who comes late gets all of it, and the end.
    assert [line async for line in lab.fpga.follow_logs(ann, job_id)] == [first, *rest]
    assert [line async for line in lab.fpga.follow_logs(ann, job_id, after=3)] == rest[2:]
    assert lab.fpga._floor.logs._followers == {}


async def test_a_queued_job_is_cancelled(make_lab: Any, people: Any) -> None:
    ann, _, _ = people
    lab = await make_lab(builds_in_parallel=1).start()
    await lab.all_idle()
    lab.builds.hold = asyncio.Event()
    first = await lab.submit(fpga_id=0)
    await lab.builds.started.get()
    second = await lab.submit(text="class Second: ...", fpga_id=1)
    assert (await lab.fpga.board(ann, 1))["state"] == "queued"
    await lab.fpga.cancel(ann, second["job_id"])
    job = await lab.fpga.job(ann, second["job_id"])
    assert (job["status"], job["error"]["reason"], job["position"]) == ("cancelled", "Cancelled by ann.", None)
    board = await lab.fpga.board(ann, 1)
    assert (board["state"], board["owner"], board["current_job_id"]) == ("idle", None, None)
    lab.builds.hold.set()
    assert (await lab.ended(first["job_id"]))["status"] == "complete"
    assert lab.builds.started.empty()
    await lab.stop()


async def test_a_running_build_is_stopped_with_its_processes(lab: Any, people: Any) -> None:
    ann, _, _ = people
    lab.builds.hold = asyncio.Event()
    job = await lab.submit(fpga_id=0)
    await lab.stage(job["job_id"], "building:")
    await lab.fpga.cancel(ann, job["job_id"])
    # Whoever ran is gone when the answer is there.
    assert lab.builds.cancelled == ["class Top: ..."]
    assert (await lab.edges())[-2:] == ["building", "idle"]
    assert (await lab.fpga.job(ann, job["job_id"]))["status"] == "cancelled"
    lab.builds.hold = None
    await lab.reserved()


async def test_a_job_that_waits_for_a_board_is_cancelled(make_lab: Any, people: Any) -> None:
    _, ben, _ = people
    lab = await make_lab(boards=1).start()
    await lab.all_idle()
    await lab.reserved()
    job = await lab.submit(ben)
    await lab.stage(job["job_id"], "waiting_for_board")
    await lab.fpga.cancel(ben, job["job_id"])
    await lab.released()
    assert (await lab.fpga.board(ben, 0))["state"] == "idle"
    assert len(lab.fpga._floor.queue) == 0
    await lab.stop()


async def test_a_run_that_waits_is_cancelled_and_one_that_runs_is_not(lab: Any, people: Any) -> None:
    ann, _, operator = people
    await lab.reserved()
    link = lab.links[-1]
    link.hold = asyncio.Event()
    first, second = [(await lab.fpga.run(ann, 0, [READ]))["job_id"] for _ in range(2)]
    await link.holding.wait()
    await lab.fpga.cancel(operator, second)
    await refused(
        Conflict,
        "job_not_cancellable",
        f"Job {first} can't be cancelled: it is running (stage 'on_bus'). Jobs that wait, and builds that run, can be.",
        lab.fpga.cancel(ann, first),
    )
    link.hold.set()
    assert (await lab.ended(first))["status"] == "complete"
    assert len(link.log) == 1
    await refused(
        Conflict,
        "job_not_cancellable",
        f"Job {first} can't be cancelled: it is complete already. Jobs that wait, and builds that run, can be.",
        lab.fpga.cancel(ann, first),
    )


async def test_what_is_on_its_way_onto_a_board_is_not_cancelled(lab: Any, people: Any) -> None:
    ann, _, _ = people
    lab.driver.hold = asyncio.Event()
    job_id = (await lab.submit(fpga_id=0))["job_id"]
    await lab.driver.holding.wait()
    await refused(
        Conflict,
        "job_not_cancellable",
        f"Job {job_id} can't be cancelled: it is running (stage 'programming'). "
        "Jobs that wait, and builds that run, can be.",
        lab.fpga.cancel(ann, job_id),
    )
    lab.driver.hold.set()
    await lab.ended(job_id)
    lab.driver.hold = asyncio.Event()
    lab.driver.holding.clear()
    reset = (await lab.fpga.release(ann, 0))["job_id"]
    with pytest.raises(Conflict) as caught:
        await lab.fpga.cancel(ann, reset)
    assert caught.value.code == "job_not_cancellable"
    lab.driver.hold.set()
    await lab.ended(reset)


async def test_times_are_told_only_on_a_basis(make_lab: Any, people: Any) -> None:
    ann, ben, _ = people
    lab = await make_lab(boards=1, builds_in_parallel=1).start()
    await lab.all_idle()
    lab.builds.hold = asyncio.Event()
    first = await lab.submit(ann, "class A: ...")
    await lab.builds.started.get()
    waiting = await lab.submit(ben, "class B: ...")
    job = await lab.fpga.job(ben, waiting["job_id"])
    assert (job["position"], job["eta_seconds"], job["eta_basis"]) == (1, None, None)
    lab.clock.advance(4)
    lab.builds.hold.set()
    await lab.ended(first["job_id"])
    await lab.stage(waiting["job_id"], "waiting_for_board")
    # No session has ended yet: nobody knows how long they last here.
    job = await lab.fpga.job(ben, waiting["job_id"])
    assert (job["position"], job["eta_seconds"], job["eta_basis"]) == (1, None, None)
    lab.clock.advance(600)
    await lab.released()
    await lab.ended(waiting["job_id"])
    lab.builds.hold = asyncio.Event()
    third = await lab.submit(ann, "class C: ...")
    await lab.builds.started.get()
    while not lab.builds.started.empty():
        lab.builds.started.get_nowait()
    fourth = await lab.submit(ann, "class D: ...")
    job = await lab.fpga.job(ann, fourth["job_id"])
    assert (job["position"], job["eta_seconds"]) == (1, 4.0)
    assert job["eta_basis"] == "until it is built: median of 2 recent builds, 2.0 s"
    lab.builds.hold.set()
    await lab.stage(third["job_id"], "waiting_for_board")
    await lab.stage(fourth["job_id"], "waiting_for_board")
    lab.clock.advance(100)
    job = await lab.fpga.job(ann, third["job_id"])
    assert (job["position"], job["eta_seconds"]) == (1, 500.0)
    assert job["eta_basis"] == "until a board is free: median of 1 recent board sessions, 600.0 s"
    assert (await lab.fpga.job(ann, fourth["job_id"]))["eta_seconds"] == 1100.0
    await lab.stop()


async def test_lines_wait_while_the_database_fails(lab: Any, people: Any) -> None:
    ann, _, _ = people
    write, failed = lab.store.write, asyncio.Event()

    async def full_once(work: Any) -> Any:
        if isinstance(work, partial) and not failed.is_set():
            failed.set()
            raise StoreFailed("database or disk is full")
        return await write(work)

    lab.store.write = full_once
    lab.builds.hold = asyncio.Event()
    job_id = (await lab.submit(fpga_id=0))["job_id"]
    await failed.wait()
    lab.builds.hold.set()
    assert (await lab.ended(job_id))["status"] == "complete"
    assert [seq for seq, _ in await lab.fpga.logs(ann, job_id)] == [1, 2, 3, 4]
