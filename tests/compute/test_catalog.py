"""What the lab knows of the kinds of boards is what the workshop says."""

from jupyter_fpga.compute.builds.catalog import Catalog, Programmer
from jupyter_fpga.gateware.targets import TARGETS


async def test_every_target_is_there() -> None:
    catalog = await Catalog.load()
    assert list(catalog) == list(TARGETS)
    for name, target in TARGETS.items():
        assert catalog[name].clock_hz == target.clock_hz
        assert catalog[name].simulated is target.simulated
        assert list(catalog[name].resources) == list(target.resources)


async def test_a_real_board() -> None:
    board = (await Catalog.load())["icebreaker"]
    assert board.toolchain == "ice40"
    assert board.device is not None
    assert (board.device["part"], board.device["package"]) == ("up5k", "sg48")
    assert isinstance(board.programmer, Programmer)
    assert board.programmer.usb == ("0403:6010",)
    assert board.programmer.uart_interface == 1


async def test_any_platform_of_litex_can_be_asked_for() -> None:
    catalog = await Catalog.load()
    found = await catalog.find("litex:lattice_ice40up5k_evn")
    assert found is not None
    assert (found.toolchain, found.clock_hz) == ("ice40", 12_000_000)
    assert catalog["litex:lattice_ice40up5k_evn"] is found
    assert await catalog.find("litex:moon") is None
    assert await catalog.find("moon") is None
