"""Runs: what reaches the bus, in which order, and how they end."""

import asyncio
from typing import Any

import pytest

from jupyter_fpga.errors import Conflict, Forbidden, Invalid, LabError, QuotaExceeded
from jupyter_fpga.fpga.config import Quotas
from jupyter_fpga.fpga.wishbone import BusError, LinkTimeout


async def refused(kind: type[LabError], code: str, message: str, work: Any) -> None:
    with pytest.raises(kind) as caught:
        await work
    assert (caught.value.code, caught.value.message) == (code, message)


WRITE = {"op": "write", "register": "duty", "data": [40]}
READ = {"op": 2, "address": 0, "data": [], "count": 1}


async def test_transactions_of_a_job_are_carried_out_in_order(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    run = await lab.fpga.run(
        ann,
        0,
        [
            {"op": 1, "address": 0, "data": [1]},
            {"op": 2, "address": 0, "count": 2},
            {"op": "write", "register": "duty", "data": [7]},
            {"op": "read", "register": "duty"},
        ],
    )
    assert (await lab.ended(run["job_id"]))["type"] == "run"
    assert await lab.fpga.result(ann, run["job_id"]) == {
        "ok": True,
        "data": [1, 0, 7],
        "results": [{"data": []}, {"data": [1, 0]}, {"data": []}, {"data": [7], "values": [7]}],
    }


async def test_runs_wait_for_each_other_in_order(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    link = lab.links[-1]
    link.hold = asyncio.Event()
    jobs = [await lab.fpga.run(ann, 0, [{"op": "write", "register": "data", "data": [n]}]) for n in range(4)]
    await link.holding.wait()
    assert [(await lab.fpga.job(ann, job["job_id"]))["status"] for job in jobs] == [
        "running",
        "queued",
        "queued",
        "queued",
    ]
    assert (await lab.fpga.board(ann, 0))["current_job_id"] == jobs[0]["job_id"]
    link.hold.set()
    for job in jobs:
        assert (await lab.ended(job["job_id"]))["status"] == "complete"
    assert [operation.words for operation in link.log] == [(0,), (1,), (2,), (3,)]
    assert (await lab.fpga.board(ann, 0))["current_job_id"] is None


async def test_a_bus_error_fails_the_job_with_what_is_done(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    lab.links[-1].error = lambda index, operation, results: (
        BusError(1, operation, address=operation.address, certain=True, completed=results, ran_on=range(0))
        if index == 1
        else None
    )
    run = await lab.fpga.run(ann, 0, [WRITE, READ, READ])
    job = await lab.ended(run["job_id"])
    assert job["status"] == "failed"
    assert job["error"] == {
        "code": "bus_error",
        "stage": "on_bus",
        "reason": "The read of address 0x30000000 (operation 1) was not answered on the bus: nothing is mapped there, "
        "or the design didn't acknowledge it in time. Operation 0 is done.",
        "index": 1,
        "address": 0x3000_0000,
        "certain": True,
        "known_done": 1,
        "done": 1,
        "results": [{"data": []}],
    }
    # The board is the holder's still.
    lab.links[-1].error = lambda *_: None
    again = await lab.fpga.run(ann, 0, [READ])
    assert (await lab.ended(again["job_id"]))["status"] == "complete"


async def test_a_time_out_fails_the_job_and_the_board_stays(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    lab.links[-1].error = lambda index, operation, results: LinkTimeout(
        "The board didn't answer in time.", completed=results, in_doubt=range(1), total=1
    )
    run = await lab.fpga.run(ann, 0, [READ])
    job = await lab.ended(run["job_id"])
    assert (job["error"]["code"], job["error"]["done"], job["error"]["in_doubt"]) == ("outcome_unknown", 0, [0, 0])
    assert (await lab.fpga.board(ann, 0))["state"] == "reserved"


async def test_a_lost_board_fails_the_job_goes_to_error_and_is_reset(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    link = lab.links[-1]
    link.hold = asyncio.Event()
    run = await lab.fpga.run(ann, 0, [WRITE, READ])
    waiting = await lab.fpga.run(ann, 0, [READ])
    await link.holding.wait()
    lab.driver.kill(max(lab.driver.running))
    job = await lab.ended(run["job_id"])
    assert (job["status"], job["error"]["code"], job["error"]["done"]) == ("failed", "board_lost", 0)
    assert job["error"]["reason"].startswith("The link to the board is lost: its serial line was hung up.")
    later = await lab.ended(waiting["job_id"])
    assert (later["status"], later["error"]["code"]) == ("cancelled", "session_ended")
    assert later["error"]["reason"] == "The session on board 0 ended before this job ran."
    await lab.state(0, "idle")
    assert (await lab.edges())[-3:] == ["reserved", "error", "idle"]
    ended = await lab.events("session_ended")
    assert [(f["owner"], f["reason"]) for f in ended] == [("ann", "board_failed")]


async def test_a_board_that_is_lost_while_nobody_asks_is_noticed(lab: Any, people: Any) -> None:
    await lab.reserved()
    lsn = lab.store.events.latest
    lab.driver.kill(max(lab.driver.running))
    await lab.until(lambda f: f["kind"] == "board_state" and f["state"] == "error", lsn)
    await lab.state(0, "idle")


async def test_nothing_that_cannot_be_right_reaches_the_bus(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    for transaction in (
        {"op": 2, "address": 2, "count": 1},
        {"op": 2, "address": 0x400, "count": 1},
        {"op": 1, "address": 0, "data": [256]},
        {"op": 1, "register": "dutty", "data": [1]},
        {"op": 1, "register": "count", "data": [1]},
    ):
        with pytest.raises(Invalid) as caught:
            await lab.fpga.run(ann, 0, [WRITE, transaction])
        assert caught.value.code == "run_rejected"
        assert caught.value.message.startswith("Nothing was sent to the board: ")
    assert lab.links[-1].log == []
    assert await lab.fpga.jobs(ann, type="run") == []


async def test_only_the_holder_and_only_reserved(lab: Any, people: Any) -> None:
    ann, ben, operator = people
    need = "Its registers answer once a design of yours is programmed (state 'reserved')."
    await refused(
        Conflict,
        "fpga_not_reserved",
        f"Board 0 can't be read or written now: it is free, with no design of yours on it (state 'idle'). {need}",
        lab.fpga.run(ann, 0, [READ]),
    )
    await lab.reserved()
    for person in (ben, operator):
        await refused(
            Forbidden,
            "not_session_holder",
            "Board 0 is held by somebody else. Submit your design to get a board of your own.",
            lab.fpga.run(person, 0, [{"op": 9}]),
        )
    lab.driver.hold = asyncio.Event()
    await lab.fpga.release(ann, 0)
    await refused(
        Conflict,
        "fpga_not_reserved",
        "Board 0 can't be read or written now: it is being reset (state 'reserved', without a session). " + need,
        lab.fpga.run(ann, 0, [READ]),
    )
    lab.driver.hold.set()
    await lab.fpga.settled()


async def test_the_queue_of_runs_is_limited(make_lab: Any, people: Any) -> None:
    ann, _, _ = people
    lab = await make_lab(quotas=Quotas(max_queued_jobs=1)).start()
    await lab.all_idle()
    await lab.reserved()
    lab.links[-1].hold = asyncio.Event()
    await lab.fpga.run(ann, 0, [READ])
    await lab.links[-1].holding.wait()
    await lab.fpga.run(ann, 0, [READ])
    with pytest.raises(QuotaExceeded):
        await lab.fpga.run(ann, 0, [READ])
    lab.links[-1].hold.set()
    await lab.fpga.settled()
    await lab.stop()


async def test_a_run_that_waited_while_the_design_was_replaced_is_not_carried_out(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    unit = lab.fpga._floor.pool[0]
    await unit.operation.acquire()
    run = await lab.fpga.run(ann, 0, [WRITE])
    await lab.store.write(lambda tx: tx.connection.exec_driver_sql("UPDATE boards SET image_digest = 'other'").rowcount)
    unit.operation.release()
    job = await lab.ended(run["job_id"])
    assert (job["status"], job["error"]["code"]) == ("cancelled", "design_replaced")
    assert job["error"]["reason"] == "Board 0 was programmed with another design before this ran."
    assert lab.links[-1].log == []


async def test_progress_is_stored_while_a_run_goes_on(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    link = lab.links[-1]

    async def known_done() -> int:
        return await lab.store.read(
            lambda connection: connection.exec_driver_sql("SELECT known_done FROM jobs WHERE type = 'run'").scalar_one()
        )

    halt = asyncio.Event()

    def error(index: int, operation: Any, results: Any) -> None:
        if index == 1:
            link.hold = halt

    link.error = error
    await lab.fpga.run(ann, 0, [WRITE] * 4)
    await lab.reached("run progress:after commit")
    assert await known_done() == 2
    halt.set()
    await lab.fpga.settled()
    assert await known_done() == 4
