"""Resets: what is retried, when the lab gives up, and what people may ask for."""

import asyncio
import random
from typing import Any

import pytest

from jupyter_fpga.errors import Conflict, Forbidden, LabError, Unavailable


async def refused(kind: type[LabError], code: str, message: str, work: Any) -> None:
    with pytest.raises(kind) as caught:
        await work
    assert (caught.value.code, caught.value.message) == (code, message)


def broken() -> Unavailable:
    return Unavailable("The simulator does not start.", code="driver_error")


async def test_a_new_board_is_reset_before_it_is_offered(lab: Any, people: Any) -> None:
    assert await lab.edges() == ["idle"]
    (job, _) = await lab.fpga.jobs(people[2], type="reset")
    assert (job["owner"], job["status"], job["stage"]) == ("(lab)", "complete", "done")
    assert lab.driver.programmed == ["jupyter_fpga simulated base"] * 2


async def test_a_reset_is_tried_again_with_a_power_cycle(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    lab.driver.failures = [broken()]
    answer = await lab.fpga.reset(ann, 0)
    assert (await lab.ended(answer["job_id"]))["status"] == "complete"
    assert (await lab.fpga.board(ann, 0))["state"] == "idle"
    assert [text for _, text in await lab.fpga.logs(ann, answer["job_id"])] == [
        "The simulator does not start. Trying again with a power cycle.",
        "The base SoC is programmed and proven.",
    ]


async def test_a_board_that_answers_as_another_is_not_idle(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    start = lab.driver._start
    lab.driver._start = lambda identifier: start("something else")
    answer = await lab.fpga.release(ann, 0)
    job = await lab.ended(answer["job_id"])
    assert job["error"] == {
        "code": "reset_failed",
        "stage": "resetting",
        "reason": "The board answers as 'something else', not as 'jupyter_fpga simulated base'.",
        "cause": "proof_failed",
    }
    lab.driver._start = start
    lab.clock.advance(20)
    await lab.state(0, "idle")


async def test_a_failed_programming_is_reset_by_the_lab(lab: Any, people: Any) -> None:
    ann, _, _ = people
    lab.driver.failures = [broken()]
    answer = await lab.submit(fpga_id=0)
    job = await lab.ended(answer["job_id"])
    assert (job["status"], job["error"]) == (
        "failed",
        {"code": "driver_error", "stage": "programming", "reason": "The simulator does not start."},
    )
    await lab.state(0, "idle")
    assert (await lab.edges())[-4:] == ["building", "programming", "error", "idle"]
    assert (await lab.fpga.board(ann, 0))["owner"] is None


async def test_what_is_mended_elsewhere_is_no_reason_for_quarantine(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    missing = "There is no openFPGALoader."
    lab.driver.failures = [Unavailable(missing, code="programmer_missing") for _ in range(4)]
    lsn = lab.store.events.latest
    await lab.fpga.release(ann, 0)
    for _ in range(4):
        failed = await lab.until(lambda f: f.get("type") == "reset" and f["status"] == "failed", lsn)
        lsn = failed["lsn"]
        board = await lab.fpga.board(ann, 0)
        assert (board["state"], board["health"], board["reason"]) == ("error", "ok", missing)
        # Not tried again with a power cycle, nor at once.
        assert [text for _, text in await lab.fpga.logs(people[2], failed["job_id"])] == [missing]
        assert lab.fpga._floor.alarms.due(("reset", 0)) == lab.clock.now + 60
        lab.clock.advance(60)
    await lab.state(0, "idle")


async def test_three_failed_resets_in_a_row_are_a_quarantine(lab: Any, people: Any) -> None:
    ann, _, operator = people
    await lab.reserved()
    lab.driver.broken = True
    lsn = lab.store.events.latest
    await lab.fpga.release(ann, 0)
    for failures in (1, 2, 3):
        failed = await lab.until(lambda f: f.get("type") == "reset" and f["status"] == "failed", lsn)
        lsn = failed["lsn"]
        board = await lab.fpga.board(ann, 0)
        assert (board["state"], board["health"]) == ("error", "quarantined" if failures == 3 else "ok")
        lab.clock.advance(20)
    assert board["reason"] == "The simulator does not start."
    (event,) = await lab.events("board_quarantined", person=ann)
    assert (event["fpga_id"], event["reason"]) == (0, "The simulator does not start.")
    # The lab leaves it alone from now on.
    lab.clock.advance(36_000)
    assert lab.fpga._floor.alarms.due(("reset", 0)) is None
    await refused(
        Conflict,
        "fpga_not_resettable",
        "Board 0 is quarantined: The simulator does not start. An operator has to clear it first.",
        lab.fpga.reset(ann, 0),
    )
    await refused(
        Forbidden,
        "operator_only",
        "Only an operator may clear a board in quarantine. Ask one of this lab's operators.",
        lab.fpga.clear(ann, 0),
    )
    lab.driver.broken = False
    answer = await lab.fpga.clear(operator, 0)
    assert (await lab.ended(answer["job_id"]))["status"] == "complete"
    board = await lab.fpga.board(ann, 0)
    assert (board["state"], board["health"], board["reason"]) == ("idle", "ok", None)


async def test_a_success_in_between_begins_the_count_anew(lab: Any, people: Any) -> None:
    ann, _, _ = people
    for _ in range(2):
        await lab.reserved()
        lab.driver.broken = True
        lsn = lab.store.events.latest
        await lab.fpga.release(ann, 0)
        for failures in (1, 2):
            lsn = (await lab.until(lambda f: f.get("type") == "reset" and f["status"] == "failed", lsn))["lsn"]
            lab.driver.broken = failures < 2
            lab.clock.advance(20)
        await lab.state(0, "idle")
    assert (await lab.fpga.board(ann, 0))["health"] == "ok"


async def test_without_a_base_boards_wait_and_are_not_blamed(make_lab: Any, people: Any) -> None:
    lab = make_lab(boards=1)
    base = lab.builds.base

    async def missing(target: str, sys_clk_freq: int | None = None) -> Any:
        raise Unavailable("There is no C++ compiler.", code="tool_missing")

    lab.builds.base = missing
    await lab.start()
    lsn = 0
    for _ in range(5):
        failed = await lab.until(lambda f: f.get("type") == "reset" and f["status"] == "failed", lsn)
        lsn = failed["lsn"]
        assert failed["reason"] == "There is no C++ compiler."
        lab.clock.advance(60)
    assert (await lab.fpga.board(people[0], 0))["health"] == "ok"
    lab.builds.base = base
    lab.clock.advance(60)
    await lab.state(0, "idle")
    await lab.stop()


async def test_what_can_be_reset_and_by_whom(lab: Any, people: Any) -> None:
    ann, ben, operator = people
    allowed = (
        "A reset is for boards in state 'reserved' or 'error'; a job that waits or builds can be cancelled instead."
    )
    await refused(
        Conflict,
        "fpga_not_resettable",
        f"Board 0 can't be reset now: it is free, with no design of yours on it (state 'idle'). {allowed}",
        lab.fpga.reset(ann, 0),
    )
    lab.builds.hold = asyncio.Event()
    job = await lab.submit(fpga_id=0)
    await lab.stage(job["job_id"], "building:")
    await refused(
        Conflict,
        "fpga_not_resettable",
        f"Board 0 can't be reset now: it waits for a build that runs (state 'building'). {allowed}",
        lab.fpga.reset(operator, 0),
    )
    lab.builds.hold.set()
    await lab.ended(job["job_id"])
    await refused(
        Forbidden,
        "not_session_holder",
        "Board 0 is held by somebody else. Submit your design to get a board of your own.",
        lab.fpga.reset(ben, 0),
    )
    lab.driver.hold = asyncio.Event()
    first = await lab.fpga.reset(operator, 0)
    # It is being reset already: the same job is the answer.
    again = await lab.fpga.reset(operator, 0)
    assert (again["job_id"], again["status"] in ("queued", "running")) == (first["job_id"], True)
    await refused(
        Forbidden,
        "not_session_holder",
        "Board 0 is held by somebody else. Submit your design to get a board of your own.",
        lab.fpga.reset(ben, 0),
    )
    lab.driver.hold.set()
    await lab.ended(first["job_id"])
    (ended,) = await lab.events("session_ended", person=ann)
    assert (ended["reason"], ended["by"]) == ("reset", "olga")


async def test_anybody_may_reset_a_board_in_error_before_the_lab_does(lab: Any, people: Any) -> None:
    ann, ben, _ = people
    await lab.reserved()
    lab.driver.broken = True
    failed = await lab.ended((await lab.fpga.release(ann, 0))["job_id"])
    assert failed["status"] == "failed"
    lab.driver.broken = False
    answer = await lab.fpga.reset(ben, 0)
    assert (await lab.ended(answer["job_id"]))["status"] == "complete"
    assert (await lab.fpga.board(ben, 0))["state"] == "idle"
    assert lab.fpga._floor.alarms.due(("reset", 0)) is None


async def test_an_operators_quarantine(lab: Any, people: Any) -> None:
    ann, _, operator = people
    await refused(
        Forbidden,
        "operator_only",
        "Only an operator may put a board in quarantine. Ask one of this lab's operators.",
        lab.fpga.quarantine(ann, 0),
    )
    await refused(
        Conflict,
        "not_quarantined",
        "Board 0 is not quarantined, so there is nothing to clear.",
        lab.fpga.clear(operator, 0),
    )
    assert await lab.fpga.quarantine(operator, 0, "Its LED is loose.") == {
        "fpga_id": 0,
        "state": "error",
        "health": "quarantined",
        "reason": "Its LED is loose.",
    }
    job = await lab.submit()
    assert (await lab.ended(job["job_id"]))["fpga_id"] == 1
    await refused(
        Conflict,
        "fpga_not_resettable",
        "Board 0 is quarantined: Its LED is loose. An operator has to clear it first.",
        lab.fpga.quarantine(operator, 0),
    )
    with pytest.raises(Conflict) as caught:
        await lab.fpga.quarantine(operator, 1)
    assert caught.value.code == "fpga_not_idle"
    await lab.ended((await lab.fpga.clear(operator, 0))["job_id"])
    assert (await lab.fpga.board(ann, 0))["state"] == "idle"


async def test_a_fault_of_the_labs_own_ends_the_job_and_frees_the_board(lab: Any, people: Any, caplog: Any) -> None:
    ann, _, _ = people
    build = lab.builds.build

    async def fault(*args: Any, **kwargs: Any) -> Any:
        raise ZeroDivisionError("division by zero")

    lab.builds.build = fault
    answer = await lab.submit(fpga_id=0)
    job = await lab.ended(answer["job_id"])
    assert (job["status"], job["error"]) == (
        "failed",
        {
            "code": "internal_error",
            "stage": "building",
            "reason": "The lab failed at this job (ZeroDivisionError). Submit it again; if that fails too, tell an "
            "operator, who finds the reason in the lab's log.",
        },
    )
    assert (await lab.fpga.board(ann, 0))["state"] == "idle"
    lab.builds.build = build
    lab.driver.failures = [ZeroDivisionError("division by zero")]
    answer = await lab.submit(fpga_id=0)
    assert (await lab.ended(answer["job_id"]))["error"]["code"] == "internal_error"
    await lab.state(0, "idle")
    await lab.reserved()
    lab.driver.failures = [ZeroDivisionError("division by zero")]
    answer = await lab.fpga.release(ann, 0)
    assert (await lab.ended(answer["job_id"]))["error"]["code"] == "internal_error"
    lab.clock.advance(20)
    await lab.state(0, "idle")
    assert "failed inside the lab" in caplog.text


@pytest.mark.parametrize("seed", range(3))
async def test_resets_in_a_row_under_faults_end_idle(make_lab: Any, people: Any, seed: int) -> None:
    """Short and seeded; the long count, with real boards, is a soak test."""
    ann, _, _ = people
    dice = random.Random(seed)
    lab = await make_lab(boards=1, resets_before_quarantine=100).start()
    await lab.all_idle()
    for n in range(15):
        await lab.reserved(idempotency_key=f"{n}")
        lab.driver.failures = [broken() for _ in range(dice.randrange(4))]
        if dice.random() < 0.3:
            lsn = lab.store.events.latest
            lab.driver.kill(max(lab.driver.running))
            await lab.until(lambda f: f["kind"] == "session_ended", lsn)
        else:
            await lab.fpga.release(ann, 0)
        while (await lab.fpga.board(ann, 0))["state"] != "idle":
            await lab.fpga.settled()
            lab.clock.advance(20)
            await asyncio.sleep(0)
    assert (await lab.fpga.board(ann, 0))["health"] == "ok"
    await lab.stop()
