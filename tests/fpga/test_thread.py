"""The main job, from a submitted design to a free board again."""

from typing import Any


async def test_submit_build_program_run_release(lab: Any, people: Any) -> None:
    ann, _, _ = people
    job = await lab.reserved()
    assert (job["fpga_id"], job["type"], job["status"], job["stage"]) == (0, "build_and_program", "complete", "done")
    board = await lab.fpga.board(ann, 0)
    assert (board["state"], board["owner"], board["current_job_id"]) == ("reserved", "ann", None)
    assert board["session"]["session_id"]

    write = await lab.fpga.run(ann, 0, [{"op": 1, "address": 0, "data": [40], "count": 0, "fixed_address": False}])
    read = await lab.fpga.run(ann, 0, [{"op": 2, "address": 0, "data": [], "count": 1}])
    assert (await lab.ended(write["job_id"]))["status"] == "complete"
    assert (await lab.ended(read["job_id"]))["status"] == "complete"
    assert (await lab.fpga.result(ann, read["job_id"]))["data"] == [40]

    released = await lab.fpga.release(ann, 0)
    assert released["status"] == "queued"
    board = await lab.fpga.board(ann, 0)
    assert (board["state"], board["session"], board["current_job_id"]) == ("reserved", None, released["job_id"])
    assert (await lab.ended(released["job_id"]))["status"] == "complete"
    board = await lab.fpga.board(ann, 0)
    assert (board["state"], board["owner"], board["session"]) == ("idle", None, None)
