"""Having openFPGALoader do something to one board."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_fpga.compute.builds.catalog import Programmer, TargetInfo
from jupyter_fpga.fpga.config import BoardConfig
from jupyter_fpga.fpga.openfpgaloader import Tool, Walls, call, explain
from jupyter_fpga.fpga.usb import UsbBus, UsbDevice

from ._which import called, find_device, upper_first
from .base import DriverError, Unplugged, unheard

__all__ = ("Shared", "Writer")

_FTDI = "0403"

_NETWORKED = frozenset(("xvc-client", "remote-bitbang"))
"""Cables of openFPGALoader that are elsewhere."""

_SUFFIXES = {"ice40": ".bin", "ecp5": ".bit", "gowin": ".fs"}
"""By toolchain, how a bitstream's name ends: by that openFPGALoader tells formats apart."""


@dataclass(frozen=True)
class Shared:
    """What the boards of a desk share; see :class:`~jupyter_fpga.fpga.drivers.serial.SerialDriver`."""

    bus: UsbBus
    work_dir: Path
    find_tools: Callable[[], Awaitable[Sequence[Tool]]]
    walls: Walls
    sram_seconds: float
    flash_seconds: float
    return_seconds: float


class Writer:
    """The programmer, for one board.

    Parameters
    ----------
    shared
        What it is called with.
    board, target, programmer
        Which board, of which kind, and how that is programmed.
    """

    def __init__(self, shared: Shared, board: BoardConfig, target: TargetInfo, programmer: Programmer) -> None:
        self._shared = shared
        self._config = board
        self._target = target
        self._programmer = programmer
        self._name = called(board)

    async def call(
        self,
        device: UsbDevice,
        what: tuple[str, ...],
        *,
        seconds: float,
        image: Path | None = None,
        log: Callable[[str], None] = unheard,
        to_be: str = "programmed",
    ) -> str:
        """Call the programmer for this board; what it printed. Raises what its failure means."""
        *tools, last = await self._shared.find_tools()
        for tool in tools:
            try:
                return await self._call_one(tool, device, what, image, seconds, log, to_be)
            except DriverError as error:
                if error.code != "programmer_unfit":
                    raise
                log(f"{error.message} Trying the next.")
        return await self._call_one(last, device, what, image, seconds, log, to_be)

    async def _call_one(
        self,
        tool: Tool,
        device: UsbDevice,
        what: tuple[str, ...],
        image: Path | None,
        seconds: float,
        log: Callable[[str], None],
        to_be: str,
    ) -> str:
        log(f"With {tool}:")
        shared = self._shared
        shared.work_dir.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=shared.work_dir))
        try:
            argv = [tool.path, *self._names(), *self._select(device), *self._programmer.arguments, *what]
            if image is not None:
                # Its format is told by its name, and the cache's names mean nothing.
                copy = work / f"design{_SUFFIXES.get(self._target.toolchain, '.bit')}"
                await asyncio.to_thread(shutil.copyfile, image, copy)
                argv.append(str(copy))
            try:
                outcome = await call(
                    argv,
                    work=work,
                    seconds=seconds,
                    log=log,
                    walls=shared.walls,
                    see=tool.see,
                    network=self._programmer.cable in _NETWORKED,
                )
            except OSError as error:
                raise DriverError(
                    f"{tool} can't be started ({error.strerror}). Install openFPGALoader again.",
                    code="programmer_missing",
                ) from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
        failure = explain(outcome, tool=tool, board=self._name, what=to_be)
        if failure is None:
            return outcome.text
        code, sentence = failure
        if self._is_gone():
            raise Unplugged(
                f"{upper_first(self._name)} was unplugged while it was being {to_be}. Plug it in again; the lab resets "
                "it by itself then.",
                detail={"output": outcome.text[-2000:]},
            )
        raise DriverError(sentence, code=code, detail={"output": outcome.text[-2000:]})

    def _names(self) -> tuple[str, ...]:
        programmer = self._programmer
        board = ("-b", programmer.board) if programmer.board else ()
        return (*board, "-c", programmer.cable) if programmer.cable else board

    def _select(self, device: UsbDevice) -> tuple[str, ...]:
        """Arguments that pick this device among equal ones.

        Raises
        ------
        DriverError
            ``board_not_selectable``: openFPGALoader takes whichever it finds first.
        """
        if device.ids.startswith(_FTDI):
            # Not by serial number: cheap boards have none, or all the same.
            return ("--busdev-num", f"{device.bus}:{device.number}")
        others = [each for each in self._shared.bus.devices() if each.ids == device.ids and each.port != device.port]
        if others and self._programmer.cable not in _NETWORKED:
            raise DriverError(
                f"openFPGALoader can't choose between {self._name}, at port {device.port}, and another {device.ids} at "
                f"port {others[0].port}. Unplug one of them, or use boards with an FTDI chip.",
                code="board_not_selectable",
            )
        return ()

    def _is_gone(self) -> bool:
        try:
            find_device(self._config, self._programmer, self._shared.bus.devices())
        except Unplugged:
            return True
        except DriverError:
            return False
        return False

    def check_rights(self, device: UsbDevice) -> None:
        if os.access(device.node, os.R_OK | os.W_OK, effective_ids=True):
            return
        if not device.node.exists():
            raise DriverError(
                f"{upper_first(self._name)} is there, but its file {device.node} isn't: the lab runs in a container "
                "that wasn't given /dev/bus/usb. Give it that folder, and start the lab again.",
                code="usb_not_given",
            )
        raise DriverError(
            f"The lab's user may not use {device.node}, the USB chip of {self._name}. Install the udev rules that "
            "`jupyter fpga doctor --udev-rules` prints, and plug the board in again.",
            code="permission_denied",
        )
