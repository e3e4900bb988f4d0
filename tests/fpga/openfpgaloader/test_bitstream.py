"""From a design to a chip, with nothing but the real tools: what is built here is what openFPGALoader writes."""

import dataclasses
from pathlib import Path

from jupyter_fpga.compute import Sandbox
from jupyter_fpga.compute.builds.catalog import Catalog
from jupyter_fpga.fpga.config import BoardConfig, Hardware
from jupyter_fpga.fpga.openfpgaloader import Walls, find_tools
from tests.workbench import Workbench

from ..desk import Desk  # noqa: TID252 - the tests are no package
from .tap import ECP5_25, Cable, Tap


async def test_the_idle_image_of_an_ecp5(tmp_path: Path) -> None:
    sandbox = Sandbox.probe()
    bench = Workbench(tmp_path / "builds", sandbox)
    builds = await bench.start()
    await builds.offer()
    base = await builds.base("ulx3s_25f")
    target = (await Catalog.load())["ulx3s_25f"]
    assert target.programmer is not None
    desk = Desk(tmp_path)
    desk.plug("1-1", ids=target.programmer.usb[0], quietly=True)
    async with Cable(Tap(ECP5_25)) as cable:
        words = ("--ip", "127.0.0.1", "--port", str(cable.port))
        programmer = dataclasses.replace(target.programmer, board=None, cable="xvc-client", arguments=words)
        target = dataclasses.replace(target, programmer=programmer)
        driver = desk.driver(target, tools=find_tools, walls=Walls(sandbox.bwrap))
        lines: list[str] = []
        board = driver.of(BoardConfig(0, target.name, "serial", hardware=Hardware(serial="A1")))
        record = await board.program(base.artifacts["bitstream"], base.manifest, log=lines.append)
    assert record["baud"] == base.manifest.baud
    assert lines[-1] == "Disable configuration: DONE"
    # All of it behind the comments, to the last bit.
    content = base.artifacts["bitstream"].read_bytes()
    assert content.endswith(bytes(cable.tap.written))
    assert len(cable.tap.written) > 100_000
    await bench.stop()
    desk.clear()
