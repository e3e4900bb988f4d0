"""Resets in a row, with faults: every board comes back, or waits for an operator with the reason."""

import asyncio
import contextlib
import json
import random
import re
from collections import Counter
from typing import Any

import pytest

from jupyter_fpga.compute import Source
from jupyter_fpga.errors import Conflict
from jupyter_fpga.people import Person

OLGA = Person("olga", frozenset(("student", "operator")))

DESIGN = Source(
    {
        "design.py": b"""
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

class Top(wiring.Component):
    a: In(32)
    b: Out(32)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.b.eq(~self.a)
        return m
"""
    },
    "design.py",
)

READ = {"op": "read", "register": "b"}

FAULTS = ("garbage in", "garbage out", "flipped bits", "cut", "killed")
SLOW = ("mute", "stopped")
"""These cost seconds: the lab waits for an answer before it gives up."""


def a_fault(choose: random.Random) -> str:
    return choose.choice(SLOW) if choose.random() < 0.06 else choose.choice(FAULTS)


async def one_reset(lab: Any, fpga_id: int, choose: random.Random, seen: Counter[str]) -> None:
    """Have a board that runs a design, or is in error, and bring it back, with or without something on the way."""
    driver = lab.drivers[fpga_id]
    if choose.random() < 0.5:
        job = await lab.submit(fpga_id, DESIGN)
        assert job["status"] == "complete", job
        begin = lab.fpga.reset
    else:
        await lab.fpga.quarantine(OLGA, fpga_id)
        begin = lab.fpga.clear
    when = choose.choice(("clean", "before", "during", "twice"))
    runs = []
    if when == "before" and begin == lab.fpga.reset:
        if choose.random() < 0.5:
            runs.append(await lab.fpga.run(OLGA, fpga_id, [READ] * 1000))
        fault = a_fault(choose)
        driver.happen(fault)
        seen[f"before: {fault}"] += 1
    elif when in ("during", "twice"):
        driver.coming = [a_fault(choose) for _ in range(1 + (when == "twice"))]
        seen.update(f"during: {fault}" for fault in driver.coming)
    else:
        seen["clean"] += 1
    # The lab may have noticed by itself, and have the board back already.
    with contextlib.suppress(Conflict):
        await begin(OLGA, fpga_id)
    board = await lab.back(fpga_id)
    assert (board["state"], board["health"], board["session"]) == ("idle", "ok", None), board
    assert len(driver.alive()) == 1
    for run in runs:
        job = await lab.ended(run)
        seen[f"run: {job['status']} {(job['error'] or {}).get('code', '')}"] += 1
    driver.coming = []


@pytest.mark.parametrize(("boards", "resets"), [(2, 40), pytest.param(4, 1000, marks=pytest.mark.soak)])
async def test_every_board_comes_back(make_lab: Any, caplog: Any, boards: int, resets: int) -> None:
    lab = await make_lab(boards, seed=1)
    for fpga_id in lab.boards:
        await lab.back(fpga_id)
    seen: Counter[str] = Counter()

    async def work(fpga_id: int, choose: random.Random) -> None:
        for _ in range(resets // boards):
            await one_reset(lab, fpga_id, choose, seen)

    async with asyncio.TaskGroup() as group:
        for fpga_id in lab.boards:
            group.create_task(work(fpga_id, random.Random(lab.choose.random())))
    jobs = Counter(
        f"{job['status']} {(job['error'] or {}).get('cause', '')}"
        for job in await lab.fpga.jobs(OLGA, type="reset", limit=1000)
    )
    print(json.dumps({"faults": seen, "reset jobs (the last 1,000)": jobs}, indent=2))
    assert not [record for record in caplog.records if record.exc_info or "inside the lab" in record.message]


IN_DOUBT = r"(No operation is|1 of 2 operations are) known to be done; .*"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(
            "spoilt image",
            "The simulated board did not start; it ended without a word. "
            "Build the design again, and see the lab's log if it goes on.",
            id="spoilt image",
        ),
        pytest.param(
            "killed",
            "(The simulated board is gone: its process has ended|The link to the board is lost: .*). Reset .*",
            id="killed",
        ),
        pytest.param("cut", f"The link to the board is lost: its serial line was hung up. {IN_DOUBT}", id="cut"),
        pytest.param("mute", f"The board didn't answer in time. {IN_DOUBT}", id="mute", marks=pytest.mark.soak),
    ],
)
async def test_a_fault_that_stays_ends_in_quarantine(make_lab: Any, fault: str, reason: str) -> None:
    """Three resets come to nothing, each with a power cycle; then an operator mends the board and clears it."""
    lab = await make_lab(1, seed=1)
    await lab.back(0)
    assert (await lab.submit(0, DESIGN))["status"] == "complete"
    driver = lab.drivers[0]
    before = len(driver.records)
    if fault == "spoilt image":
        driver.spoilt_images = 1000
    else:
        driver.coming = [fault] * 1000
    await lab.fpga.reset(OLGA, 0)
    board = await lab.back(0)
    assert (board["state"], board["health"], board["session"]) == ("error", "quarantined", None)
    resets = await lab.fpga.jobs(OLGA, type="reset", status="failed")
    assert len(resets) == 3
    assert board["reason"] == resets[0]["error"]["reason"]
    for job in resets:
        assert re.fullmatch(reason, job["error"]["reason"]), job["error"]["reason"]
    assert len(driver.records) - before == (0 if fault == "spoilt image" else 6)

    driver.spoilt_images, driver.coming = 0, []
    await lab.fpga.clear(OLGA, 0)
    assert ((await lab.back(0))["state"], len(driver.alive())) == ("idle", 1)
