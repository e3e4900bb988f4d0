"""The composition root: what a lab refuses to be, and how it starts and stops."""

import asyncio
import stat

import pytest

from jupyter_fpga.compute import BuildOptions, Builds, Sandbox, Source
from jupyter_fpga.compute.builds.toolchains import ToolMissing
from jupyter_fpga.errors import Unavailable
from jupyter_fpga.fpga.config import FpgaConfig
from jupyter_fpga.lab import Lab, LabConfig, UnsafeLab

NO_BOARDS = FpgaConfig(boards=())


def no_walls() -> Sandbox:
    return Sandbox.without("There is no bubblewrap on this machine.")


async def test_several_people_need_a_sandbox(tmp_path):
    lab = Lab(LabConfig(tmp_path / "lab", fpga=NO_BOARDS, several_users=True), probe=no_walls)
    with pytest.raises(UnsafeLab) as caught:
        await lab.start()
    assert caught.value.code == "no_sandbox"
    assert caught.value.message == (
        "A lab for several people needs a sandbox around their designs. There is no bubblewrap on this machine. "
        "For a lab of your own, start it without a file of keys."
    )
    await lab.stop()
    assert not (tmp_path / "lab").exists()


async def test_one_person_may_go_without(tmp_path):
    lab = Lab(LabConfig(tmp_path / "lab", fpga=NO_BOARDS), probe=no_walls)
    await lab.start()
    assert lab.fpga.health()["ok"]
    await lab.stop()


async def test_the_data_are_the_owners_alone(tmp_path):
    lab = Lab(LabConfig(tmp_path / "lab", fpga=NO_BOARDS))
    await lab.start()
    assert stat.S_IMODE((tmp_path / "lab").stat().st_mode) == 0o700
    await lab.stop()


async def test_a_lab_that_is_not_running_says_so(tmp_path):
    lab = Lab(LabConfig(tmp_path / "lab", fpga=NO_BOARDS))
    for _ in range(2):
        for part in ("fpga", "compute", "store"):
            with pytest.raises(Unavailable) as caught:
                getattr(lab, part)
            assert caught.value.message == "The lab isn't running here now; try again in a moment."
        await lab.start()
        await lab.stop()


async def test_two_labs_never_share_a_database(tmp_path):
    first, second = (Lab(LabConfig(tmp_path / "lab", fpga=NO_BOARDS)) for _ in range(2))
    await first.start()
    with pytest.raises(Unavailable):
        await second.start()
    await second.stop()
    assert first.fpga.health()["ok"]
    await first.stop()
    await second.start()
    await second.stop()


async def test_who_waits_for_the_tools_reads_so_in_the_log(tmp_path, monkeypatch):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def prepare(self, progress, targets):
        progress("Compiling the first tool.")
        begun.set()
        await go_on.wait()
        progress("Compiling the second tool.")
        raise ToolMissing("The second tool doesn't run here.")

    monkeypatch.setattr(Builds, "prepare", prepare)
    said = []
    lab = Lab(LabConfig(tmp_path / "lab", fpga=NO_BOARDS), progress=said.append)
    await lab.start()
    logs = [], []
    builds = [asyncio.ensure_future(_build(lab, logs[0]))]
    await begun.wait()
    builds.append(asyncio.ensure_future(_build(lab, logs[1])))
    await asyncio.sleep(0)
    go_on.set()
    for build in builds:
        with pytest.raises(ToolMissing):
            await build
    await lab.stop()
    assert logs[0] == logs[1] == said == ["Compiling the first tool.", "Compiling the second tool."]


async def _build(lab, log):
    source = Source({"design.py": b""}, "design.py")
    options = BuildOptions(target="simulated")
    await lab.fpga._floor.builds.build(
        source, options, owner="ada", priority=0, on_stage=lambda _: None, on_log=log.append
    )
