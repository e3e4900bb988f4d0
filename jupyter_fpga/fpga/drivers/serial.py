"""Boards on a desk: programmed by openFPGALoader, talked to by the UART of their USB chip."""

import asyncio
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import serial as pyserial

from jupyter_fpga.compute.builds.catalog import Programmer, TargetInfo
from jupyter_fpga.errors import LabError
from jupyter_fpga.fpga.config import BoardConfig, Hardware
from jupyter_fpga.fpga.openfpgaloader import Tool, Walls, call, explain, find_tools
from jupyter_fpga.fpga.usb import SerialPort, UsbBus, UsbDevice
from jupyter_fpga.fpga.wishbone import LinkLost
from jupyter_fpga.gateware.manifest import Manifest

from ._uart import hasten, open_uart
from ._which import called, find_device, fitting, upper_first
from .base import Bench, Check, DriverError, NoBench, Record, Unplugged, unheard

__all__ = ("SerialBoard", "SerialDriver")

log = logging.getLogger(__name__)

_FTDI = "0403"

_SUFFIXES = {"ice40": ".bin", "ecp5": ".bit", "gowin": ".fs"}
"""By toolchain, how a bitstream's name ends: by that openFPGALoader tells formats apart."""

_POWER_SECONDS = 30.0
"""The longest that a power-cycle command may take; uhubctl waits 2 s between off and on."""

_NETWORKED = frozenset(("xvc-client", "remote-bitbang"))
"""Cables of openFPGALoader that are elsewhere."""


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
        self.work_dir = work_dir.absolute()
        self.find_tools = tools
        self.walls = walls or Walls()
        self.sram_seconds = sram_seconds
        self.flash_seconds = flash_seconds
        self.return_seconds = return_seconds

    def of(self, board: BoardConfig) -> "SerialBoard":
        """The driver of ``board``.

        Raises
        ------
        DriverError
            ``target_unknown``: there is no such target, or nothing programs it.
        """
        target = self._target(board.target, f"Board {board.fpga_id} is configured as")
        assert target.programmer is not None
        return SerialBoard(self, board, target, target.programmer)

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


class SerialBoard:
    """See :class:`~jupyter_fpga.fpga.drivers.base.Driver`. Made by :meth:`SerialDriver.of`."""

    def __init__(self, shared: SerialDriver, board: BoardConfig, target: TargetInfo, programmer: Programmer) -> None:
        self._shared = shared
        self._config = board
        self._target = target
        self._programmer = programmer
        self._name = called(board)

    @property
    def has_flash(self) -> bool:
        return self._programmer.flash

    # Programming

    async def program(
        self, image: Path, manifest: Manifest, *, log: Callable[[str], None] = unheard, flash: bool = False
    ) -> Record:
        flash = flash or self._config.hardware.flash
        if not flash and not self._programmer.sram:
            raise DriverError(
                f"{upper_first(self._name)} can be programmed only by its flash, and the lab was not told that it may. "
                "Add flash=true to the board in the lab's configuration.",
                code="flash_not_allowed",
            )
        if flash and not self._programmer.flash:
            raise DriverError(
                f"{upper_first(self._name)} has no flash that the lab can write. Submit without flash.",
                code="flash_not_possible",
            )
        device = self._device()
        self._check_rights(device)
        seconds = self._shared.flash_seconds if flash else self._shared.sram_seconds
        log(f"Writing to the {'flash' if flash else 'FPGA'} of {device}.")
        await self._call(device, ("-f" if flash else "-m",), image=image, seconds=seconds, log=log)
        device, uart = await self._returned()
        return {
            "port": device.port,
            "serial": device.serial,
            "bus": device.bus,
            "number": device.number,
            "tty": str(uart),
            "baud": manifest.baud,
        }

    async def _call(
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
        if self._absent() is not None:
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

    async def _returned(self) -> tuple[UsbDevice, Path]:
        """The device and its UART after programming, which may have reset the chip or taken the kernel's driver off."""

        def find() -> tuple[UsbDevice, Path] | None:
            try:
                device = self._device()
                return device, self._uart(device)[0]
            except DriverError:
                return None

        found = await self._shared.bus.until(find, self._shared.return_seconds)
        if found is None:
            device = self._device()
            return device, self._uart(device)[0]
        return found

    async def power_cycle(
        self, record: Record | None, image: Path, manifest: Manifest, *, log: Callable[[str], None] = unheard
    ) -> Record:
        command = self._config.hardware.power_cycle
        if not command:
            log(
                "The lab has no command that switches this board off and on (power_cycle); it is only programmed again."
            )
            return await self.program(image, manifest, log=log)
        log(f"Power cycle: {' '.join(command)}")
        self._shared.work_dir.mkdir(parents=True, exist_ok=True)
        try:
            outcome = await call(command, work=self._shared.work_dir, seconds=_POWER_SECONDS, log=log)
        except OSError as error:
            raise self._no_power_cycle(f"it can't be started ({error.strerror})") from error
        if outcome.status is None:
            raise self._no_power_cycle(f"it wasn't done after {_POWER_SECONDS:g} s")
        if outcome.status:
            last = (outcome.text.strip().splitlines() or ["nothing"])[-1]
            raise self._no_power_cycle(f"it ended with status {outcome.status}, and said last: {last.rstrip('.!')}")
        await self._shared.bus.until(lambda: None if self._absent() else True, self._shared.return_seconds)
        return await self.program(image, manifest, log=log)

    def _no_power_cycle(self, why: str) -> DriverError:
        command = " ".join(self._config.hardware.power_cycle)
        return DriverError(
            f"The command that switches {self._name} off and on, `{command}`, failed: {why}. Correct power_cycle in "
            "the lab's configuration, or take it out.",
            code="power_cycle_failed",
        )

    # The board and its line

    async def open(self, record: Record) -> pyserial.Serial:
        path, port = self._uart(self._device())
        if port is not None:
            hasten(port)
        return open_uart(path, record["baud"], self._name)

    async def find(self, record: Record) -> bool:
        # Whether it still runs what it ran is for its identifier to say.
        return self._absent() is None

    def trouble(self, record: Record | None) -> LabError | None:
        try:
            device = self._device()
        except Unplugged as absent:
            return absent
        except DriverError:
            # Another that is equal has come: which of the two it is will matter when it is used next.
            return None
        if record is None or (record["bus"], record["number"]) == (device.bus, device.number):
            return None
        return DriverError(
            f"{upper_first(self._name)} was unplugged and plugged in again, and what it ran is gone. The lab "
            "resets it.",
            code="board_replugged",
        )

    def explain(self, record: Record, error: LabError) -> LabError:
        if (absent := self._absent()) is not None:
            return absent
        name, tty = upper_first(self._name), record["tty"]
        if error.code in ("identifier_mismatch", "identifier_unreadable"):
            found = error.detail.get("found")
            carries = f"the identifier '{found}'" if found is not None else "no identifier that can be read"
            return DriverError(
                f"{name} was programmed, but what answers on {tty} carries {carries}. Either the programming didn't "
                "take, or that is the UART of another board: check serial, port and tty of the board in the lab's "
                "configuration, and reset it.",
                code="wrong_design",
                detail=error.detail,
            )
        if isinstance(error, LinkLost):
            return DriverError(
                f"{name} was programmed, but its UART {tty} is silent at {record['baud']:,} baud: {error.reason} Check "
                "that the board's jumpers connect the UART and that nothing else drives its pins, and reset it.",
                code="uart_silent",
                detail=error.detail,
            )
        return error

    async def shutdown(self, record: Record) -> None:
        """A board on a desk stays as it is."""

    async def sweep(self, known: Collection[Record]) -> None:
        """Nothing runs that could be left over."""

    def bench(self, record: Record) -> Bench:
        raise NoBench(
            f"{upper_first(self._name)} is real: look at its LEDs and press its buttons by hand. A bench is there for "
            "simulated boards."
        )

    def _device(self) -> UsbDevice:
        return find_device(self._config, self._programmer, self._shared.bus.devices())

    def _absent(self) -> Unplugged | None:
        trouble = self.trouble(None)
        return trouble if isinstance(trouble, Unplugged) else None

    def _check_rights(self, device: UsbDevice) -> None:
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

    def _uart(self, device: UsbDevice) -> tuple[Path, SerialPort | None]:
        """The file of the board's UART, and the port if it is its own chip's."""
        tty, number = self._config.hardware.tty, self._programmer.uart_interface
        if tty is not None:
            path = Path(tty)
            if path.exists():
                return path, None
            raise DriverError(
                f"The UART of {self._name}, {tty}, isn't there. Plug its adapter in, or correct tty in the lab's "
                "configuration.",
                code="uart_missing",
            )
        if number is None:
            raise DriverError(
                f"A {self._config.target} has no UART on its USB: connect an adapter to the pins that the target's "
                f"description names, and add tty=/dev/serial/by-id/… to board {self._config.fpga_id} in the lab's "
                "configuration.",
                code="uart_unknown",
            )
        port = device.uarts.get(number)
        if port is None:
            raise DriverError(
                f"{upper_first(self._name)} has no serial port on interface {number} of its USB chip: the kernel's "
                "driver isn't on it. Load it (modprobe ftdi_sio, or cdc_acm), or plug the board in again.",
                code="uart_missing",
            )
        return port.node, port

    # Looking at it

    async def examine(self, record: Record | None, *, in_use: bool) -> AsyncIterator[Check]:
        try:
            device = self._device()
        except DriverError as error:
            yield _broken("power", error)
            return
        yield Check("power", "ok", f"{device} has power: it is on the bus, at {device.speed or '?'} Mbit/s")
        yield await self._examine_programmer(device, in_use=in_use)
        yield self._examine_uart(device, record, in_use=in_use)

    async def _examine_programmer(self, device: UsbDevice, *, in_use: bool) -> Check:
        try:
            self._check_rights(device)
            tool = (await self._shared.find_tools())[0]
            if in_use or not self._can_detect:
                why = "a design runs" if in_use else "that would disturb it"
                return Check("programmer", "ok", f"{tool} may use {device.node}; the FPGA wasn't asked, since {why}")
            said = await self._call(device, ("--detect",), seconds=self._shared.sram_seconds, to_be="asked what it is")
        except LabError as error:
            return _broken("programmer", error)
        facts = dict(line.split(None, 1) for line in said.splitlines() if len(line.split(None, 1)) == 2)
        chip = " ".join(facts[name] for name in ("manufacturer", "model", "idcode") if name in facts)
        return Check("programmer", "ok", f"openFPGALoader finds {chip or 'the FPGA'}")

    @property
    def _can_detect(self) -> bool:
        """Whether looking at the FPGA leaves alone what runs: by JTAG it does; iCE40 and DFU have no such way."""
        return self._target.toolchain in ("ecp5", "gowin") and self._programmer.uart_interface is not None

    def _examine_uart(self, device: UsbDevice, record: Record | None, *, in_use: bool) -> Check:
        try:
            path, port = self._uart(device)
            note = "it is no part of the board's own chip" if port is None else hasten(port)
            if in_use:
                return Check("uart", "ok", f"{path} is open; {note}")
            open_uart(path, record["baud"] if record else 115_200, self._name).close()
        except DriverError as error:
            return _broken("uart", error)
        return Check("uart", "ok", f"{path} can be opened; {note}")


def _broken(link: str, error: LabError) -> Check:
    return Check(link, "broken", error.message.rstrip("."))
