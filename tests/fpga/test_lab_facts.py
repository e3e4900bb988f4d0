"""Health, version, metrics; and that a lab at rest is at rest."""

import asyncio
from typing import Any

from prometheus_client import generate_latest

from jupyter_fpga import __version__


async def test_health(make_lab: Any, people: Any) -> None:
    _, _, operator = people
    lab = await make_lab().start()
    await lab.all_idle()
    assert lab.fpga.health() == {
        "ok": True,
        "reason": None,
        "boards": {"total": 2, "quarantined": 0, "unplugged": 0, "idle": 2},
        "version": __version__,
    }
    assert lab.fpga.version() == {"name": "jupyter_fpga", "version": __version__}
    await lab.fpga.quarantine(operator, 0)
    assert lab.fpga.health()["ok"]
    await lab.fpga.quarantine(operator, 1)
    health = lab.fpga.health()
    assert (health["ok"], health["reason"]) == (
        False,
        "Every board is quarantined; an operator has to clear one.",
    )
    await lab.stop()
    health = lab.fpga.health()
    assert (health["ok"], health["reason"]) == (
        False,
        "The lab is shutting down and takes nothing new. Try again when it runs again.",
    )


async def test_metrics(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    stream = await lab.fpga.open_stream(ann, 0)
    text = generate_latest(lab.fpga.metrics()).decode()
    for line in (
        'jupyter_fpga_boards{state="idle",target="simulated"} 1.0',
        'jupyter_fpga_boards{state="reserved",target="simulated"} 1.0',
        'jupyter_fpga_boards_quarantined{target="simulated"} 0.0',
        "jupyter_fpga_builds_waiting 0.0",
        "jupyter_fpga_board_waiting 0.0",
        "jupyter_fpga_streams 1.0",
        'jupyter_fpga_jobs_total{status="complete",type="build_and_program"} 1.0',
        'jupyter_fpga_jobs_total{status="complete",type="reset"} 2.0',
        "jupyter_fpga_stream_frames_total 0.0",
    ):
        assert line in text.splitlines()
    assert "ann" not in text
    await stream.close()


async def test_nothing_wakes_an_idle_lab(lab: Any) -> None:
    await lab.fpga.settled()
    floor = lab.fpga._floor
    assert (floor.alarms._entries, floor._tasks) == ({}, {})
    assert [future for _, future in lab.clock._sleepers if not future.done()] == []
    names = {task.get_name() for task in asyncio.all_tasks()} - {asyncio.current_task().get_name()}  # type: ignore[union-attr]
    assert {name for name in names if name.startswith("jupyter_fpga")} == {"jupyter_fpga alarms"}


async def test_a_lease_is_renewed_while_its_worker_is_at_it(lab: Any, people: Any) -> None:
    async def lease_until(job_id: str) -> float:
        return await lab.store.read(
            lambda connection: connection.exec_driver_sql(
                f"SELECT lease_until FROM jobs WHERE job_id = '{job_id}'"
            ).scalar_one()
        )

    lab.builds.hold = asyncio.Event()
    job = await lab.submit(fpga_id=0)
    await lab.stage(job["job_id"], "building:")
    first = await lease_until(job["job_id"])
    assert first == lab.clock.now + 120
    renewed = asyncio.Event()
    write = lab.store.write

    async def watched(work: Any) -> Any:
        result = await write(work)
        renewed.set()
        return result

    lab.store.write = watched
    lab.clock.advance(60)
    await renewed.wait()
    assert await lease_until(job["job_id"]) == first + 60
    lab.builds.hold.set()
    await lab.ended(job["job_id"])
    await lab.fpga.settled()
    assert await lease_until(job["job_id"]) is None
    assert lab.fpga._floor.alarms.due(("lease", job["job_id"])) is None
