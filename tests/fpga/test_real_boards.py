"""The same floor over real builds, real simulated boards and the real link."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.compute import Sandbox, Source
from jupyter_fpga.fpga.config import FpgaConfig, SubmitOptions, simulated_boards
from jupyter_fpga.fpga.drivers import SimulatedDriver
from jupyter_fpga.fpga.frames import Request
from jupyter_fpga.fpga.service import Fpga
from jupyter_fpga.people import Person
from jupyter_fpga.store import Store

from ..workbench import Workbench  # noqa: TID252 - the tests are no package
from .conftest import crash

DESIGN = """
from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

class Top(wiring.Component):
    step: In(8)
    count: Out(32)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.count.eq(self.count + self.step)
        return m
"""


class RealLab:
    """A lab that can die: its boards, which are processes, go on."""

    def __init__(self, folder: Path, boards: int) -> None:
        self.folder = folder
        self.config = FpgaConfig(boards=simulated_boards(boards), reset_backoff=(0.0,))
        self.sandbox = Sandbox.probe()
        self.store: Store
        self.driver: SimulatedDriver
        self.fpga: Fpga

    async def start(self) -> None:
        self.store = await Store.open(f"sqlite:///{self.folder}/lab.sqlite")
        self.driver = SimulatedDriver(self.sandbox, self.folder / "boards", linger=30.0)
        self.bench = Workbench(self.folder, self.sandbox)
        builds = await self.bench.start(self.store)
        await builds.prepare()
        self.fpga = Fpga(
            store=self.store,
            builds=builds,
            drivers={"simulated": self.driver},
            config=self.config,
            data_dir=self.folder,
        )
        await self.fpga.start()

    async def die(self) -> None:
        await crash(self.fpga)
        await self.driver.disconnect()
        await self.bench.stop()
        await self.store.close()

    async def stop(self) -> None:
        await self.fpga.stop()
        await self.bench.stop()
        await self.store.close()


@pytest.fixture
async def real_lab(tmp_path: Path) -> AsyncIterator[RealLab]:
    lab = RealLab(tmp_path, 2)
    await lab.start()
    yield lab
    await lab.stop()


async def done(lab: RealLab, person: Person, job: dict[str, Any]) -> dict[str, Any]:
    log = [text async for _, text in lab.fpga.follow_logs(person, job["job_id"])]
    record = await lab.fpga.job(person, job["job_id"])
    assert record["status"] == "complete", (record, log)
    return record


async def state(lab: RealLab, person: Person, fpga_id: int, wanted: str) -> None:
    async with asyncio.timeout(60):
        async for _ in lab.fpga.events(person, lab.store.events.latest):
            if (await lab.fpga.board(person, fpga_id))["state"] == wanted:
                return


async def test_the_main_job_a_crash_and_a_board_that_dies(real_lab: RealLab, people: Any) -> None:
    lab, (ann, _, operator) = real_lab, people
    source = Source({"design.py": DESIGN.encode()}, "design.py")
    job = await done(lab, ann, await lab.fpga.submit(ann, source, SubmitOptions()))
    fpga_id = job["fpga_id"]
    transactions = [{"op": "write", "register": "step", "data": [3]}, {"op": "read", "register": "step"}]
    run = await lab.fpga.run(ann, fpga_id, transactions)
    await done(lab, ann, run)
    assert (await lab.fpga.result(ann, run["job_id"]))["data"] == [3]
    offset = next(
        r["offset"] for r in (await lab.fpga.manifest(ann, job["job_id"]))["registers"] if r["name"] == "step"
    )

    stream = await lab.fpga.open_stream(ann, fpga_id)
    answers = [await stream.submit(Request(offset, None, 1)) for _ in range(200)]
    assert [await answer for answer in answers] == [[3]] * 200
    await stream.close()
    seen = await lab.fpga.bench(ann, fpga_id)
    assert seen["powered"]
    assert seen["cycles"] > 0

    # The lab dies; the board goes on, and the next lab finds it with its registers as they were.
    session = await lab.fpga.session(ann, fpga_id)
    await lab.die()
    await lab.start()
    assert (await lab.fpga.session(ann, fpga_id))["session_id"] == session["session_id"]
    run = await lab.fpga.run(ann, fpga_id, [{"op": "read", "register": "step"}])
    await done(lab, ann, run)
    assert (await lab.fpga.result(ann, run["job_id"]))["data"] == [3]

    # The same design again, unchanged: from the cache, in the same session, with fresh registers.
    job = await done(lab, ann, await lab.fpga.submit(ann, source, SubmitOptions(), fpga_id))
    assert all(stage["cached"] for stage in (await lab.fpga.result(ann, job["job_id"]))["stages"])
    run = await lab.fpga.run(ann, fpga_id, [{"op": "read", "register": "step"}])
    await done(lab, ann, run)
    assert (await lab.fpga.result(ann, run["job_id"]))["data"] == [0]

    # The doctor looks at a board in use, and at one that nobody has.
    found = await lab.fpga.examine(operator, fpga_id)
    assert (found["broken"], found["verdict"]) == (None, f"Nothing is wrong with board {fpga_id}.")
    assert [check["state"] for check in found["checks"]] == ["ok"] * 6
    found = await lab.fpga.examine(operator, 1 - fpga_id)
    assert found["checks"][-1]["found"] == "it counts: 0 before an access to nothing, 1 after it"

    # The board's process dies: the session ends, and the lab brings the board back by itself.
    back = asyncio.create_task(state(lab, operator, fpga_id, "idle"))
    await asyncio.sleep(0)
    row = lab.fpga._floor.pool[fpga_id].row
    assert row is not None
    os.kill(row["process"]["pid"], signal.SIGKILL)
    await back
    assert (await lab.fpga.board(ann, fpga_id))["health"] == "ok"
    await lab.fpga.settled()


async def test_what_a_broken_design_says(real_lab: RealLab, people: Any) -> None:
    ann, _, _ = people
    source = Source({"design.py": b"import amaranth\n\nx = 1 / 0\n"}, "design.py")
    job = await real_lab.fpga.build(ann, source, SubmitOptions())
    async for _ in real_lab.fpga.follow_logs(ann, job["job_id"]):
        pass
    record = await real_lab.fpga.job(ann, job["job_id"])
    assert record["status"] == "failed"
    error = record["error"]
    assert (error["stage"], error["file"], error["line"]) == ("elaborate", "design.py", 3)
    assert "ZeroDivisionError" in error["reason"] or "division by zero" in error["reason"]
    await real_lab.fpga.settled()
