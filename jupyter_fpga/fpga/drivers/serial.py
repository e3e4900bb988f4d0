"""Boards on a desk: which are there, and a driver for each."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from jupyter_fpga.compute.builds.catalog import TargetInfo
from jupyter_fpga.fpga.config import BoardConfig, Hardware
from jupyter_fpga.fpga.openfpgaloader import Tool, Walls, find_tools
from jupyter_fpga.fpga.usb import UsbBus, UsbDevice

from ._serial_board import SerialBoard
from ._which import fitting
from ._writer import Shared
from .base import DriverError

__all__ = ("SerialDriver",)

log = logging.getLogger(__name__)


class SerialDriver:
    """Makes drivers of boards, which share the bus and the programmer.

    Parameters
    ----------
    targets
        The kinds of boards, by name.
    bus
        What is plugged in.
    work_dir
        Where the programmer gets its folders.
    tools
        Finds the programmers, the one to be tried first first; asked before each use, since one may be installed
        meanwhile. One that doesn't know a board leaves it to the next.
    walls
        What the programmer sees of the machine.
    sram_seconds, flash_seconds
        The longest that programming may take. A bitstream of an ECP5-85 takes 2 s into SRAM, 60 s into a slow flash.
    return_seconds
        How long a board may be away after it was programmed or got its power back; it takes 1 or 2 s.
    """

    def __init__(
        self,
        targets: Mapping[str, TargetInfo],
        bus: UsbBus,
        work_dir: Path,
        *,
        tools: Callable[[], Awaitable[Sequence[Tool]]] = find_tools,
        walls: Walls | None = None,
        sram_seconds: float = 60.0,
        flash_seconds: float = 300.0,
        return_seconds: float = 10.0,
    ) -> None:
        self.targets = targets
        self.bus = bus
        self._shared = Shared(
            bus, work_dir.absolute(), tools, walls or Walls(), sram_seconds, flash_seconds, return_seconds
        )

    def of(self, board: BoardConfig) -> SerialBoard:
        """The driver of ``board``.

        Raises
        ------
        DriverError
            ``target_unknown``: there is no such target, or nothing programs it; ``target_not_programmable``:
            openFPGALoader doesn't.
        """
        target = self._target(board.target, f"Board {board.fpga_id} is configured as")
        assert target.programmer is not None
        return SerialBoard(self._shared, board, target, target.programmer)

    def check(self, wanted: Iterable[str]) -> None:
        """Make sure that boards of the targets in ``wanted`` can be found.

        Raises
        ------
        DriverError
            ``target_unknown``, as :meth:`of`.
        """
        for name in wanted:
            self._target(name, "The lab is to discover boards of the target")

    def _target(self, name: str, whose: str) -> TargetInfo:
        target = self.targets.get(name)
        if target is not None and target.programmer is not None:
            if target.programmer.volume is not None:
                raise DriverError(
                    f"{whose} '{name}', which the lab can build for but not program: openFPGALoader doesn't know its "
                    f"programmer, which takes bitstreams as files on its USB volume {target.programmer.volume}. Build "
                    f"with `jupyter fpga build --target {name}`, copy the file bitstream there as design.bin, and take "
                    "the board out of the lab's configuration.",
                    code="target_not_programmable",
                )
            return target
        known = sorted(each.name for each in self.targets.values() if each.programmer is not None)
        raise DriverError(
            f"{whose} '{name}', which is no target with a programmer; there are {', '.join(known) or 'none'}. Correct "
            "it in the lab's configuration.",
            code="target_unknown",
        )

    def listening(self) -> AbstractContextManager[asyncio.Event]:
        """An event that is set whenever something may have been plugged in or out."""
        return self.bus.listening()

    def unclaimed(self, known: Iterable[BoardConfig], wanted: Iterable[str]) -> list[tuple[str, Hardware]]:
        """Boards of the targets in ``wanted`` that are plugged in and are none of ``known``: target, and which."""
        devices = self.bus.devices()
        claimed = {device.port for board in known for device in self._could_be(board, devices)}
        programmers = {name: self.targets[name].programmer for name in wanted}
        found = []
        for device in devices:
            names = [name for name, each in programmers.items() if each is not None and device.ids in each.usb]
            if device.port in claimed or not names:
                continue
            if len(names) > 1:
                log.warning(
                    "%s could be any of %s: say which with --board target=…,port=%s.",
                    device,
                    ", ".join(names),
                    device.port,
                )
                continue
            twins = [each for each in devices if (each.ids, each.serial) == (device.ids, device.serial)]
            by_serial = device.serial is not None and len(twins) == 1
            found.append((names[0], Hardware(serial=device.serial) if by_serial else Hardware(port=device.port)))
        return found

    def _could_be(self, board: BoardConfig, devices: Sequence[UsbDevice]) -> list[UsbDevice]:
        target = self.targets.get(board.target)
        if target is None or target.programmer is None or board.driver != "serial":
            return []
        return fitting(board, target.programmer, devices)
