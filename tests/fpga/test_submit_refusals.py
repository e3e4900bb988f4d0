"""Submissions that are refused, passed over, or lost with their board."""

import asyncio
from typing import Any

import pytest

from jupyter_fpga.compute.builds.design import Source
from jupyter_fpga.errors import Conflict, Forbidden, Invalid, LabError, NotFound, QuotaExceeded, TooLarge, Unavailable
from jupyter_fpga.fpga.config import BoardConfig, Quotas, SubmitOptions
from jupyter_fpga.fpga.wishbone import LinkLost


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
