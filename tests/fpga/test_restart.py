"""Crashes and ordered stops: what the next lab finds, and what it makes of it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from jupyter_fpga.compute.builds.design import BuildFailed
from jupyter_fpga.fpga.config import simulated_boards


async def started(make_lab: Callable[..., Any], **config: Any) -> Any:
    lab = await make_lab(**config).start()
    await lab.all_idle()
    return lab


async def again(lab: Any) -> None:
    """The lab dies, and another is started over what is left."""
    await lab.crash()
    lab.builds.hold = lab.driver.hold = None
    await lab.start()


async def test_idle_boards_are_found_and_left_alone(make_lab: Any, people: Any) -> None:
    lab = await started(make_lab)
    programmed = list(lab.driver.programmed)
    await again(lab)
    assert [board["state"] for board in await lab.fpga.boards(people[0])] == ["idle", "idle"]
    assert lab.driver.programmed == programmed
    await lab.stop()


async def test_an_idle_board_that_is_gone_or_another_is_reset(make_lab: Any) -> None:
    lab = await started(make_lab)
    gone, other = sorted(lab.driver.running)
    lab.driver.kill(gone)
    lab.driver.running[other]["identifier"] = "something else"
    await again(lab)
    await lab.all_idle()
    for fpga_id in (0, 1):
        assert (await lab.edges(fpga_id))[-3:] == ["idle", "error", "idle"]
    await lab.stop()


async def test_a_session_goes_on_with_its_registers(make_lab: Any, people: Any) -> None:
    ann, _, _ = people
    lab = await started(make_lab)
    await lab.reserved()
    write = await lab.fpga.run(ann, 0, [{"op": "write", "register": "duty", "data": [40]}])
    await lab.ended(write["job_id"])
    before = await lab.fpga.session(ann, 0)
    await again(lab)
    assert await lab.fpga.session(ann, 0) == before
    read = await lab.fpga.run(ann, 0, [{"op": "read", "register": "duty"}])
    await lab.ended(read["job_id"])
    assert (await lab.fpga.result(ann, read["job_id"]))["data"] == [40]
    assert await lab.events("registers_lost") == []
    assert before["registers_lost_at"] is None
    # And it ends when it was to end.
    lab.clock.advance(3600)
    await lab.state(0, "idle")
    await lab.stop()


async def test_a_session_that_ran_out_meanwhile_is_released(make_lab: Any, people: Any) -> None:
    lab = await started(make_lab)
    await lab.reserved()
    await lab.crash()
    lab.clock.advance(3600)
    await lab.start()
    await lab.state(0, "idle")
    assert [f["reason"] for f in await lab.events("session_ended")] == ["expired"]
    await lab.stop()


@pytest.mark.parametrize("how", ["killed", "another", "stopped"])
async def test_a_sessions_board_that_is_lost_is_programmed_again(make_lab: Any, people: Any, how: str) -> None:
    ann, ben, _ = people
    lab = await started(make_lab)
    await lab.reserved()
    before = await lab.fpga.session(ann, 0)
    design = lab.driver.programmed[-1]
    if how == "stopped":
        await lab.stop()
        assert lab.driver.running == {}
    else:
        await lab.crash()
        board = max(lab.driver.running)
        if how == "killed":
            lab.driver.kill(board)
        else:
            lab.driver.running[board]["identifier"] = "something else"
    lab.clock.advance(5)
    await lab.start()
    now = await lab.fpga.session(ann, 0)
    changed = {name for name in before if now[name] != before[name]}
    assert changed == {"remaining_seconds", "registers_lost_at"}
    assert lab.driver.programmed[-1] == design or design in lab.driver.programmed[-3:]
    assert (await lab.fpga.board(ann, 0))["state"] == "reserved"
    (lost,) = await lab.events("registers_lost", person=ann)
    assert (lost["fpga_id"], lost["owner"], lost["time"]) == (0, "ann", now["registers_lost_at"])
    assert await lab.events("registers_lost", person=ben) == []
    # In the list of boards as well, for its owner alone.
    assert (await lab.fpga.board(ann, 0))["session"]["registers_lost_at"] == lost["time"]
    assert (await lab.fpga.board(ben, 0))["session"]["registers_lost_at"] is None
    read = await lab.fpga.run(ann, 0, [{"op": "read", "register": "duty"}])
    assert (await lab.ended(read["job_id"]))["status"] == "complete"
    # Found again as it was left, it is the same loss; a design of the holder's own begins anew anyway.
    await again(lab)
    assert (await lab.fpga.session(ann, 0))["registers_lost_at"] == lost["time"]
    await lab.reserved()
    assert (await lab.fpga.session(ann, 0))["registers_lost_at"] is None
    await lab.state(1, "idle")
    await lab.stop()


async def test_a_session_whose_design_is_lost_ends(make_lab: Any, people: Any) -> None:
    lab = await started(make_lab)
    job = await lab.reserved()
    image = await lab.fpga.artifact(people[0], job["job_id"], "bitstream")
    await lab.stop()
    image.unlink()
    await lab.start()
    await lab.all_idle()
    assert (await lab.events("session_ended"))[-1]["reason"] == "board_failed"
    await lab.stop()


async def test_a_job_that_waited_is_carried_out(make_lab: Any, people: Any) -> None:
    lab = await started(make_lab, builds_in_parallel=1)
    lab.builds.hold = asyncio.Event()
    jobs = [await lab.submit(text=f"class Top: n = {n}", fpga_id=n) for n in range(2)]
    await lab.builds.started.get()
    assert (await lab.fpga.board(people[0], 1))["state"] == "queued"
    await again(lab)
    for job in jobs:
        assert (await lab.ended(job["job_id"]))["status"] == "complete"
    await lab.stop()


@pytest.mark.parametrize("fpga_id", [0, None])
async def test_a_build_that_ran_is_built_again(make_lab: Any, fpga_id: int | None) -> None:
    lab = await started(make_lab)
    lab.builds.hold = asyncio.Event()
    job = await lab.submit(fpga_id=fpga_id)
    await lab.stage(job["job_id"], "building:")
    await again(lab)
    ended = await lab.ended(job["job_id"])
    assert (ended["status"], ended["fpga_id"]) == ("complete", 0)
    await lab.stop()


@pytest.mark.parametrize("fpga_id", [0, None])
async def test_a_programming_that_ran_is_done_again(make_lab: Any, fpga_id: int | None) -> None:
    lab = await started(make_lab)
    lab.driver.hold = asyncio.Event()
    job = await lab.submit(fpga_id=fpga_id)
    await lab.driver.holding.wait()
    await again(lab)
    assert (await lab.ended(job["job_id"]))["status"] == "complete"
    assert (await lab.edges())[-3:] == ["building", "programming", "reserved"]
    await lab.stop()


async def test_a_job_that_waited_for_a_board_waits_again(make_lab: Any, people: Any) -> None:
    _, ben, _ = people
    lab = await started(make_lab, boards=1)
    await lab.reserved()
    job = await lab.submit(ben, "class Bens: ...")
    await lab.stage(job["job_id"], "waiting_for_board")
    await again(lab)
    await lab.released()
    assert (await lab.ended(job["job_id"]))["status"] == "complete"
    assert (await lab.fpga.board(ben, 0))["owner"] == "ben"
    await lab.stop()


@pytest.mark.parametrize("stage", ["building", "programming"])
async def test_the_holders_next_design_goes_on(make_lab: Any, people: Any, stage: str) -> None:
    ann, _, _ = people
    lab = await started(make_lab)
    await lab.reserved()
    before = await lab.fpga.session(ann, 0)
    if stage == "building":
        lab.builds.hold = asyncio.Event()
    else:
        lab.driver.hold = asyncio.Event()
    job = await lab.submit(text="class Next: ...", fpga_id=0)
    await lab.stage(job["job_id"], stage)
    await again(lab)
    assert (await lab.ended(job["job_id"]))["status"] == "complete"
    after = await lab.fpga.session(ann, 0)
    # The same session, and the next design.
    assert after.pop("design") != before.pop("design")
    assert after == before
    await lab.stop()


@pytest.mark.parametrize("holder", [False, True])
async def test_a_programming_that_ran_but_cannot_be_built_again(make_lab: Any, people: Any, holder: bool) -> None:
    lab = await started(make_lab)
    if holder:
        await lab.reserved()
    lab.driver.hold = asyncio.Event()
    job = await lab.submit(text="class Next: ...", fpga_id=0)
    await lab.stage(job["job_id"], "programming")

    async def build(*_: Any, **__: Any) -> None:
        raise BuildFailed("The compiler is gone.", stage="compile", code="tool_missing")

    lab.builds.build = build
    await again(lab)
    ended = await lab.ended(job["job_id"])
    assert (ended["status"], ended["error"]["stage"], ended["error"]["reason"]) == (
        "failed",
        "compile",
        "The compiler is gone.",
    )
    await lab.state(0, "idle")
    assert (await lab.fpga.board(people[0], 0))["session"] is None
    await lab.stop()


async def test_a_reset_that_ran_is_done_again(make_lab: Any, people: Any) -> None:
    ann, _, _ = people
    lab = await started(make_lab)
    await lab.reserved()
    lab.driver.hold = asyncio.Event()
    reset = await lab.fpga.release(ann, 0)
    await lab.driver.holding.wait()
    await again(lab)
    assert (await lab.ended(reset["job_id"]))["status"] == "complete"
    assert (await lab.fpga.board(ann, 0))["state"] == "idle"
    await lab.stop()


async def test_a_run_that_was_on_the_bus_is_of_unknown_outcome(make_lab: Any, people: Any) -> None:
    ann, _, _ = people
    lab = await started(make_lab)
    await lab.reserved()
    link = lab.links[-1]
    halt = asyncio.Event()

    def error(index: int, operation: Any, results: Any) -> None:
        if index == 1:
            link.hold = halt

    link.error = error
    write = {"op": "write", "register": "data", "data": [7]}
    run = await lab.fpga.run(ann, 0, [write] * 3)
    queued = await lab.fpga.run(ann, 0, [{"op": "read", "register": "data"}])
    await lab.reached("run progress:after commit")
    await again(lab)
    job = await lab.ended(run["job_id"])
    assert (job["status"], job["error"]) == (
        "failed",
        {
            "code": "outcome_unknown",
            "stage": "on_bus",
            "reason": "The lab stopped while this ran: 2 of 3 transactions are known to be done, and the others may or "
            "may not have been carried out. Read back what matters before you go on.",
            "done": 2,
            "total": 3,
        },
    )
    # Nothing of it is done twice, the board is its holder's still, and what had not begun is carried out.
    assert (await lab.fpga.board(ann, 0))["state"] == "reserved"
    assert (await lab.ended(queued["job_id"]))["status"] == "complete"
    assert all(operation.words is None for operation in lab.links[-1].log)
    await lab.stop()


async def test_a_board_in_quarantine_stays_there(make_lab: Any, people: Any) -> None:
    ann, _, operator = people
    lab = await started(make_lab)
    await lab.fpga.quarantine(operator, 0, "Its LED is loose.")
    await again(lab)
    lab.clock.advance(3600)
    await lab.fpga.settled()
    board = await lab.fpga.board(ann, 0)
    assert (board["state"], board["health"], board["reason"]) == ("error", "quarantined", "Its LED is loose.")
    await lab.stop()


async def test_a_crash_while_a_session_is_restored(make_lab: Any, people: Any) -> None:
    ann, _, _ = people
    lab = await started(make_lab)
    await lab.reserved()
    before = await lab.fpga.session(ann, 0)
    await lab.crash()
    for pid in list(lab.driver.running):
        lab.driver.kill(pid)
    lab.driver.hold = asyncio.Event()
    starting = asyncio.create_task(lab.start())
    await lab.driver.holding.wait()
    starting.cancel()
    await asyncio.wait({starting})
    await lab.fpga._floor.stop()
    await lab.store.close()
    lab.driver.hold = None
    await lab.start()
    now = await lab.fpga.session(ann, 0)
    assert now["registers_lost_at"] is not None
    assert now == {**before, "registers_lost_at": now["registers_lost_at"]}
    assert (await lab.fpga.board(ann, 0))["state"] == "reserved"
    await lab.stop()


async def test_a_worker_of_a_lab_that_died_is_shut_out(make_lab: Any, people: Any) -> None:
    """Two labs over one store, as when a machine was suspended: only the newer one's writes count."""
    lab = await started(make_lab, boards=1)
    lab.driver.hold = asyncio.Event()
    job = await lab.submit(fpga_id=0)
    await lab.driver.holding.wait()
    old = lab.fpga
    hold, lab.driver.hold = lab.driver.hold, None
    # The lock file would refuse this; here it is as if it had been broken.
    new = lab.fpga = type(old)(
        store=lab.store,
        builds=lab.builds,
        drivers={"simulated": lab.driver},
        config=lab.config,
        data_dir=lab.folder,
        clock=lab.clock,
        open_link=lab._open_link,
    )
    await new.start()
    assert (await lab.ended(job["job_id"]))["status"] == "complete"
    latest = lab.store.events.latest
    log = await new.logs(people[0], job["job_id"])
    hold.set()
    await old.settled()
    assert lab.store.events.latest == latest
    assert await new.logs(people[0], job["job_id"]) == log
    assert (await new.job(people[0], job["job_id"]))["status"] == "complete"
    old._alarms.cancel()
    await asyncio.wait({old._alarms})
    await lab.stop()


async def test_boards_come_and_go_with_the_configuration(make_lab: Any, people: Any) -> None:
    ann, _, operator = people
    lab = await started(make_lab)
    await lab.reserved(fpga_id=1)
    await lab.stop()
    two, lab.config = lab.config, type(lab.config)(boards=simulated_boards(1))
    await lab.start()
    await lab.all_idle()
    assert [board["fpga_id"] for board in await lab.fpga.boards(ann)] == [0]
    assert (await lab.events("session_ended"))[-1]["reason"] == "board_removed"
    await lab.stop()
    lab.config = two
    await lab.start()
    await lab.all_idle()
    assert [board["fpga_id"] for board in await lab.fpga.boards(ann)] == [0, 1]
    assert (await lab.fpga.board(operator, 1))["owner"] is None
    await lab.stop()
