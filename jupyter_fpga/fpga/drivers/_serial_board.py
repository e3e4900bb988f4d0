"""One board on a desk: programmed by openFPGALoader, talked to by the UART of its USB chip."""

from collections.abc import AsyncIterator, Callable, Collection
from pathlib import Path

import serial as pyserial

from jupyter_fpga.compute.builds.catalog import Programmer, TargetInfo
from jupyter_fpga.errors import LabError
from jupyter_fpga.fpga.config import BoardConfig
from jupyter_fpga.fpga.openfpgaloader import call
from jupyter_fpga.fpga.usb import SerialPort, UsbDevice
from jupyter_fpga.fpga.wishbone import LinkLost
from jupyter_fpga.gateware.manifest import Manifest

from ._uart import hasten, open_uart
from ._which import called, find_device, upper_first
from ._writer import Shared, Writer
from .base import Bench, Check, DriverError, NoBench, Record, Unplugged, unheard

__all__ = ("SerialBoard",)

_POWER_SECONDS = 30.0
"""The longest that a power-cycle command may take; uhubctl waits 2 s between off and on."""


class SerialBoard:
    """See :class:`~jupyter_fpga.fpga.drivers.base.Driver`. Made by
    :meth:`~jupyter_fpga.fpga.drivers.serial.SerialDriver.of`."""

    def __init__(self, shared: Shared, board: BoardConfig, target: TargetInfo, programmer: Programmer) -> None:
        self._shared = shared
        self._config = board
        self._target = target
        self._programmer = programmer
        self._name = called(board)
        self._writer = Writer(shared, board, target, programmer)

    @property
    def has_flash(self) -> bool:
        return self._programmer.flash

    # Programming

    async def program(
        self, image: Path, manifest: Manifest, *, log: Callable[[str], None] = unheard, flash: bool = False
    ) -> Record:
        flash = flash or self._config.hardware.flash
        if not flash and not (self._programmer.sram or self._config.hardware.sram):
            needs = self._programmer.to_sram
            instead = f" Or {needs[:1].lower()}{needs[1:]}, and add sram=true." if needs else ""
            raise DriverError(
                f"{upper_first(self._name)} can be programmed only by its flash, and the lab was not told that it may. "
                f"Add flash=true to the board in the lab's configuration.{instead}",
                code="flash_not_allowed",
            )
        if flash and not self._programmer.flash:
            raise DriverError(
                f"{upper_first(self._name)} has no flash that the lab can write. Submit without flash.",
                code="flash_not_possible",
            )
        device = self._device()
        self._writer.check_rights(device)
        seconds = self._shared.flash_seconds if flash else self._shared.sram_seconds
        log(f"Writing to the {'flash' if flash else 'FPGA'} of {device}.")
        try:
            await self._writer.call(device, ("-f" if flash else "-m",), image=image, seconds=seconds, log=log)
        except DriverError as error:
            raise (error if flash else self._about_jumpers(error)) from None
        device, uart = await self._returned()
        return {
            "port": device.port,
            "serial": device.serial,
            "bus": device.bus,
            "number": device.number,
            "tty": str(uart),
            "baud": manifest.baud,
        }

    def _about_jumpers(self, error: DriverError) -> DriverError:
        """What went wrong when the FPGA's own memory was written, with what such a board needs for that."""
        needs = self._programmer.to_sram
        if not needs or error.code not in ("configuration_failed", "fpga_silent", "programmer_failed"):
            return error
        return DriverError(
            f"{error.message} As it is sold, its USB chip doesn't reach the FPGA's own memory. {needs}; or, with the "
            "jumpers as they were, have flash=true in place of sram=true in the lab's configuration.",
            code=error.code,
            detail=error.detail,
        )

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
            self._writer.check_rights(device)
            tool = (await self._shared.find_tools())[0]
            if in_use or not self._can_detect:
                why = "a design runs" if in_use else "that would disturb it"
                found = f"{tool} may use {device.node}; the FPGA wasn't asked, since {why}"
                return Check("programmer", "ok", f"{found}{self._way()}")
            said = await self._writer.call(
                device, ("--detect",), seconds=self._shared.sram_seconds, to_be="asked what it is"
            )
        except LabError as error:
            return _broken("programmer", error)
        facts = dict(line.split(None, 1) for line in said.splitlines() if len(line.split(None, 1)) == 2)
        chip = " ".join(facts[name] for name in ("manufacturer", "model", "idcode") if name in facts)
        return Check("programmer", "ok", f"openFPGALoader finds {chip or 'the FPGA'}")

    def _way(self) -> str:
        """Of a board with jumpers for it: what the programmer is to write, which the doctor can't see."""
        hardware, needs = self._config.hardware, self._programmer.to_sram
        if not needs:
            return ""
        if hardware.sram and not hardware.flash:
            return f"; it is to write the FPGA's own memory. If that fails: {needs[:1].lower()}{needs[1:]}"
        return "; it is to write the flash, which is what such a board's jumpers let it reach as it is sold"

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
