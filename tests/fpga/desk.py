"""A desk with boards on it: a bus in a folder, news of it by a socket, and a program in the programmer's place."""

import contextlib
import json
import os
import shutil
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from jupyter_fpga.compute.builds.catalog import Programmer, TargetInfo
from jupyter_fpga.fpga.config import BoardConfig, Hardware
from jupyter_fpga.fpga.drivers import SerialDriver
from jupyter_fpga.fpga.openfpgaloader import Tool, find_tools
from jupyter_fpga.fpga.usb import UsbBus

STAND_IN = Path(__file__).parents[1] / "resources" / "programmer" / "openFPGALoader"

FTDI = "0403:6010"

TARGET = TargetInfo(
    name="simulated",
    doc="A board whose chip is a simulator.",
    simulated=False,
    clock_hz=12_000_000,
    min_clock_hz=12_000_000,
    max_clock_hz=12_000_000,
    toolchain="ecp5",
    programmer=Programmer(board="ulx3s", usb=(FTDI,), uart_interface=1, sram=True, flash=True),
)


class Desk:
    """The desk.

    Parameters
    ----------
    folder
        Where everything is.
    clock_hz, baud
        Of what runs on the boards.
    """

    def __init__(self, folder: Path, clock_hz: int = 12_000_000, baud: int = 1_000_000) -> None:
        self.folder = folder
        self.sysfs, self.dev, self.loader = folder / "sys", folder / "dev", folder / "loader"
        self._clock_hz, self._baud = clock_hz, baud
        self._numbers = 3
        self._settings: dict[str, Any] = {"version": "1.1.1", "boards": {}}
        (self.sysfs / "bus" / "usb" / "devices").mkdir(parents=True)
        (self.sysfs / "devices").mkdir()
        self.dev.mkdir()
        self.loader.mkdir()
        program = self.loader / "openFPGALoader"
        text = STAND_IN.read_text("utf-8")
        # The programmer's environment finds no virtual environment.
        program.write_text(f"#!{sys.executable}\n{text.partition(chr(10))[2]}", "utf-8")
        program.chmod(0o755)
        self._write_settings()
        self._news: socket.socket | None = None
        self.listen_again()
        self.bus = UsbBus(sysfs=self.sysfs, dev=self.dev, listen=lambda: self.listening)

    def listen_again(self) -> None:
        """News for a lab that begins."""
        if self._news is not None:
            self._news.close()
            self.listening.close()
        self._news, self.listening = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.listening.setblocking(False)

    # The bus

    def plug(self, port: str, *, serial: str | None = "A1", ids: str = FTDI, quietly: bool = False) -> str:
        """Plug in a board; answers with its address on the bus, ``1:4``."""
        self._numbers += 1
        number, name = self._numbers, f"1:{self._numbers}"
        place = self.sysfs / "devices" / f"{port}.{number}" / port
        vendor, product = ids.split(":")
        facts = {"idVendor": vendor, "idProduct": product, "busnum": "1", "devnum": str(number), "speed": "480"}
        facts |= {"manufacturer": "Maker", "product": "Board"} | ({"serial": serial} if serial else {})
        place.mkdir(parents=True)
        for fact, value in facts.items():
            (place / fact).write_text(value + "\n")
        for interface in (0, 1):
            folder = place / f"{port}:1.{interface}"
            tty = f"ttyUSB{2 * number + interface}"
            (folder / tty / "tty" / tty).mkdir(parents=True)
            (folder / "bInterfaceNumber").write_text(f"{interface:02x}\n")
            (folder / tty / "latency_timer").write_text("16\n")
        node = self.dev / "bus" / "usb" / "001" / f"{number:03}"
        node.parent.mkdir(parents=True, exist_ok=True)
        node.touch()
        where = self.sysfs / "bus" / "usb" / "devices" / port
        where.symlink_to(place)
        self._settings["boards"][name] = {
            "tty": str(self.dev / tty),
            "sysfs": str(where),
            "clock": self._clock_hz,
            "baud": self._baud,
        }
        self._write_settings()
        if not quietly:
            self.tell("add", port)
        return name

    def unplug(self, port: str) -> None:
        """Pull the cable: what ran on the board is gone with its power."""
        where = self.sysfs / "bus" / "usb" / "devices" / port
        number = int((where / "devnum").read_text())
        where.unlink()
        (self.dev / "bus" / "usb" / "001" / f"{number:03}").unlink()
        self.stop(f"1:{number}")
        self.tell("remove", port)

    def tell(self, action: str, port: str) -> None:
        """News of a device, as the kernel words it."""
        place = f"/devices/pci0000:00/usb1/{port}"
        facts = {"ACTION": action, "DEVPATH": place, "SUBSYSTEM": "usb", "DEVTYPE": "usb_device", "SEQNUM": "1"}
        words = [f"{action}@{place}", *(f"{name}={value}" for name, value in facts.items())]
        assert self._news is not None
        # Nobody has to listen.
        with contextlib.suppress(OSError):
            self._news.send("\0".join(words).encode() + b"\0")

    def tty(self, name: str) -> Path:
        """The serial port of a board, by its address."""
        return Path(self._settings["boards"][name]["tty"])

    def latency_timer(self, name: str) -> Path:
        """The latency timer of a board's UART."""
        tty = self.tty(name).name
        (found,) = self.sysfs.glob(f"devices/*/*/*/{tty}/latency_timer")
        return found

    def node(self, name: str) -> Path:
        """The file of a board's USB chip."""
        bus, number = map(int, name.split(":"))
        return self.dev / "bus" / "usb" / f"{bus:03}" / f"{number:03}"

    # The programmer

    def goes_wrong(self, *faults: dict[str, Any]) -> None:
        """What is wrong with the next calls of the programmer; ``{}`` for nothing."""
        with (self.loader / "next").open("a") as file:
            file.writelines(json.dumps(fault) + "\n" for fault in faults)

    @property
    def calls(self) -> list[Any]:
        """What the programmer was called with."""
        path = self.loader / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    async def find_tools(self) -> list[Tool]:
        """The program in openFPGALoader's place."""
        return await find_tools(which=lambda name: str(self.loader / name), wheel=lambda: None)

    @property
    def tool(self) -> str:
        """What a sentence calls it."""
        return f"openFPGALoader 1.1.1 at {self.loader}/openFPGALoader"

    def driver(self, target: TargetInfo = TARGET, **more: Any) -> SerialDriver:
        """A driver for this desk's boards."""
        more.setdefault("tools", self.find_tools)
        return SerialDriver({target.name: target}, self.bus, self.folder / "work", **more)

    def power_command(self, name: str) -> tuple[str, ...]:
        """A command that switches a board off and on."""
        return (str(self.loader / "openFPGALoader"), "power", name)

    def stop(self, name: str) -> None:
        """End what runs on a board."""
        pid = self.loader / f"{name}.pid"
        if pid.exists():
            # It may have ended by itself.
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid.read_text()), signal.SIGKILL)
            pid.unlink()

    def clear(self) -> None:
        """End everything."""
        for pid in self.loader.glob("*.pid"):
            self.stop(pid.stem)
        assert self._news is not None
        self._news.close()
        self.listening.close()
        shutil.rmtree(self.loader)

    def _write_settings(self) -> None:
        (self.loader / "settings.json").write_text(json.dumps(self._settings))


def board(fpga_id: int = 0, **hardware: Any) -> BoardConfig:
    """A board of the pool that is on the desk."""
    return BoardConfig(fpga_id, driver="serial", hardware=Hardware(**hardware))
