"""A lab whose board runs bitstreams: from a submitted design to a free board again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jupyter_fpga.compute import Source
from jupyter_fpga.fpga.config import BoardConfig, FpgaConfig, SubmitOptions
from jupyter_fpga.people import Person

from ..fpga.test_real_boards import DESIGN, RealLab, done  # noqa: TID252 - the tests are no package

ANN = Person("ann")


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[RealLab]:
    lab = RealLab(tmp_path, 0)
    board = BoardConfig(0, target="simulated_ice40")
    lab.config = FpgaConfig(boards=(board,), default_target="simulated_ice40", reset_backoff=(0.0,))
    await lab.start()
    yield lab
    await lab.stop()


async def test_submit_run_release_reset(lab: RealLab):
    source = Source({"design.py": DESIGN.encode()}, "design.py")
    submitted = await lab.fpga.submit(ANN, source, SubmitOptions(verify=True), None)
    await done(lab, ANN, submitted)
    write = {"op": "write", "register": "step", "data": [3]}
    read = {"op": "read", "register": "count"}
    ran = await lab.fpga.run(ANN, 0, [write, read, read])
    await done(lab, ANN, ran)
    first, second = (await lab.fpga.result(ANN, ran["job_id"]))["data"][-2:]
    assert (second - first) % 3 == 0
    assert second > first
    await done(lab, ANN, await lab.fpga.release(ANN, 0))
    board = await lab.fpga.board(ANN, 0)
    assert (board["state"], board["target"], board["session"]) == ("idle", "simulated_ice40", None)
