"""A lab where each may have little: sessions that end, quotas, and what is refused because of them."""

import json
from typing import Any

from .conftest import GOOD, Lab

READ = {"op": "read", "address": 0}
ASLEEP = "import time\ntime.sleep(1000)\n"


async def until_idle(fpga_id: int, socket: Any) -> None:
    """Until the events say that a board is free."""
    while True:
        event = json.loads(await socket.read_message())
        if event.get("fpga_id") == fpga_id and event.get("state") == "idle":
            return


async def test_a_session_that_has_ended(tight: Lab) -> None:
    ada = tight.people["ada"]
    async with ada.socket("/events") as events:
        job = ada.done(ada.accepted("/submit", {"source": GOOD}))
        assert job["status"] == "complete", job["error"]
        board = job["fpga_id"]
        await until_idle(board, events)
    assert ada.refusal("POST", f"/fpga/{board}/run", READ) == (
        409,
        "fpga_not_reserved",
        f"Board {board} can't be read or written now: it is free, with no design of yours on it (state 'idle'). Its "
        "registers answer once a design of yours is programmed (state 'reserved').",
    )
    ended = (
        404,
        "no_active_session",
        f"Nobody holds board {board}: it has no active session. Submit a design to start one.",
    )
    assert ada.refusal("GET", f"/fpga/{board}/session") == ended
    assert ada.refusal("POST", f"/fpga/{board}/session/renew") == ended
    assert ada.refusal("POST", f"/fpga/{board}/session/release") == ended
    assert tight.people["olga"].get(f"/fpga/{board}")["session"] is None


def test_more_jobs_than_one_may_queue(tight: Lab) -> None:
    ada, grace = tight.people["ada"], tight.people["grace"]
    jobs: list[str] = []
    refusal = None
    while refusal is None:
        status, content, _ = ada.ask("POST", "/build", {"source": f"{ASLEEP}# {len(jobs)}"})
        answer = json.loads(content)
        if status == 202:
            jobs.append(answer["job_id"])
        else:
            refusal = (status, answer["error"], answer["message"])
    assert refusal == (
        429,
        "quota_exceeded",
        "You have 2 jobs waiting, and the lab lets one person queue 2. Wait until some are done, or cancel some.",
    )
    assert 2 <= len(jobs) <= 4
    # Somebody else's jobs are another matter.
    theirs = grace.accepted("/build", {"source": "raise ValueError('as ever')"})
    for job_id in jobs:
        assert ada.ask("DELETE", f"/jobs/{job_id}")[0] == 204
        assert ada.get(f"/jobs/{job_id}")["status"] == "cancelled"
    assert grace.done(theirs)["error"]["reason"] == "ValueError: as ever."
    for job_id in jobs:
        assert ada.refusal("DELETE", f"/jobs/{job_id}") == (
            409,
            "job_not_cancellable",
            f"Job {job_id} can't be cancelled: it was cancelled already. Jobs that wait, and builds that run, can be.",
        )


def test_more_boards_than_one_may_hold(tight: Lab) -> None:
    ada = tight.people["ada"]
    job_id = ada.accepted("/fpga/0/submit", {"source": ASLEEP})
    for path in ("/submit", "/fpga/1/submit"):
        assert ada.refusal("POST", path, {"source": GOOD}) == (
            429,
            "quota_exceeded",
            "You hold 1 boards, and the lab lets one person hold 1. Release one, or submit to the board you hold.",
        )
    assert tight.people["grace"].refusal("POST", "/fpga/0/submit", {"source": GOOD})[:2] == (409, "fpga_not_idle")
    assert ada.ask("DELETE", f"/jobs/{job_id}")[0] == 204
    assert ada.get("/fpga/0")["state"] == "idle"


def test_a_lab_that_was_told_of_much_is_at_rest(tight: Lab) -> None:
    tight.settle()
    olga = tight.people["olga"]
    assert {board["state"] for board in olga.get("/fpga")} == {"idle"}
    assert olga.get("/jobs?status=running") == olga.get("/jobs?status=queued") == []
    # Two boards, and the runner, which runs nothing.
    assert len(tight.children()) == 3
    info = olga.get("/compute/sysinfo")
    assert (info["queue_depths"]["unfinished"], [at["running"] for at in info["runner"]["processes"]]) == (0, [[]])
    status, content, _ = tight.people["nobody"].ask("GET", "/health")
    assert (status, json.loads(content)["ok"]) == (200, True)
