"""A whole lab with boards on a desk: what is put together, and the real programmer behind its walls."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.compute.builds.catalog import TargetInfo
from jupyter_fpga.fpga.config import FpgaConfig, pool_of
from jupyter_fpga.fpga.drivers import DriverError
from jupyter_fpga.fpga.openfpgaloader import find_tools
from jupyter_fpga.lab import Lab, LabConfig

from .conftest import OPERATOR, PATIENCE
from .desk import TARGET, Desk


async def targets() -> Mapping[str, TargetInfo]:
    return {TARGET.name: TARGET}


async def state(lab: Lab, state: str, health: str) -> dict[str, Any]:
    """Board 0, as soon as it is so."""
    frames = lab.fpga.events(OPERATOR, 0)
    async with asyncio.timeout(PATIENCE):
        async for _ in frames:
            board = await lab.fpga.board(OPERATOR, 0)
            if (board["state"], board["health"]) == (state, health):
                await frames.aclose()
                return board
    raise AssertionError("the log ended")


async def test_a_lab_with_a_board_on_a_desk(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    boards, target = pool_of(0, ["target=simulated,serial=A1,tag=real"])
    config = FpgaConfig(boards=boards, default_target=target, watermark_seconds=0.01, reset_backoff=(0.0,))
    lab = Lab(LabConfig(tmp_path / "data", fpga=config), bus=desk.bus, targets=targets)
    await lab.start()
    board = await state(lab, "error", "unplugged")
    assert board["tags"] == ["real"]
    # There is such a device in sysfs, but not on the real bus, where the real programmer looks for it, three times.
    desk.plug("1-1")
    board = await state(lab, "error", "quarantined")
    tool = (await find_tools())[0]
    assert board["reason"] == (
        f"{tool} doesn't find board 0 (simulated, serial A1), though it is plugged in. Press its reset or boot button "
        "if it needs that to be programmed, or plug it in again, and reset the board."
    )
    await lab.stop()
    desk.clear()


@pytest.mark.parametrize("discover", [False, True])
async def test_a_target_that_is_none(tmp_path: Path, discover: bool) -> None:
    desk = Desk(tmp_path)
    boards, _ = pool_of(0, [] if discover else ["target=icebraker"])
    config = FpgaConfig(boards=boards, discover=("icebraker",) if discover else ())
    lab = Lab(LabConfig(tmp_path / "data", fpga=config), bus=desk.bus, targets=targets)
    with pytest.raises(DriverError) as caught:
        await lab.start()
    whose = "The lab is to discover boards of the target" if discover else "Board 0 is configured as"
    assert caught.value.message == (
        f"{whose} 'icebraker', which is no target with a programmer; there are simulated. Correct it in the lab's "
        "configuration."
    )
    await lab.stop()
    desk.clear()
