"""Which device on the bus is which board of the pool."""

from collections.abc import Sequence

from jupyter_fpga.compute.builds.catalog import Programmer
from jupyter_fpga.fpga.config import BoardConfig
from jupyter_fpga.fpga.usb import UsbDevice

from .base import DriverError, Unplugged

__all__ = ("called", "find_device", "fitting", "upper_first")


def called(board: BoardConfig) -> str:
    """How a sentence calls a board."""
    hardware = board.hardware
    which = f", serial {hardware.serial}" if hardware.serial else ""
    which += f", port {hardware.port}" if hardware.port else ""
    return f"board {board.fpga_id} ({board.target}{which})"


def upper_first(name: str) -> str:
    """``name`` at the beginning of a sentence; a serial number in it keeps its letters."""
    return name[:1].upper() + name[1:]


def fitting(board: BoardConfig, programmer: Programmer, devices: Sequence[UsbDevice]) -> list[UsbDevice]:
    """Every device that could be the board, by what its configuration says."""
    hardware = board.hardware
    return [
        device
        for device in devices
        if device.ids in programmer.usb
        and hardware.serial in (None, device.serial)
        and hardware.port in (None, device.port)
    ]


def find_device(board: BoardConfig, programmer: Programmer, devices: Sequence[UsbDevice]) -> UsbDevice:
    """The one device that is the board.

    Raises
    ------
    Unplugged
        It isn't there.
    DriverError
        ``board_ambiguous``: several could be it.
    """
    found = fitting(board, programmer, devices)
    if len(found) == 1:
        return found[0]
    name = called(board)
    if found:
        raise DriverError(
            f"{upper_first(name)} could be any of {len(found)} that are plugged in: "
            f"{'; '.join(map(str, found))}. Say which in the lab's configuration: by serial=… if that tells them "
            "apart, else by port=…",
            code="board_ambiguous",
        )
    kin = [device for device in devices if device.ids in programmer.usb]
    others = f" There is {'; '.join(map(str, kin))}, which is another." if kin else ""
    raise Unplugged(
        f"{upper_first(name)} is not plugged in: no USB device {' or '.join(programmer.usb)} is it.{others} Plug it "
        "in; the lab resets it by itself then."
    )
