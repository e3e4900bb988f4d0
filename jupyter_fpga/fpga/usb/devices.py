"""USB devices and their serial ports, read from sysfs (Documentation/ABI/stable/sysfs-bus-usb)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ("SerialPort", "UsbDevice", "scan")

_TTY = re.compile(r"tty[A-Z]+\d+")


@dataclass(frozen=True)
class SerialPort:
    """One serial port of a USB device.

    Parameters
    ----------
    name
        The kernel's, ``ttyUSB1``; it changes from one plugging to the next.
    node
        The file to open.
    latency_timer
        Where an FTDI chip's driver keeps the milliseconds that it waits for more bytes; ``None`` for other chips.
    """

    name: str
    node: Path
    latency_timer: Path | None = None


@dataclass(frozen=True)
class UsbDevice:
    """One device on the bus.

    Parameters
    ----------
    port
        Where it is plugged in, ``1-2.3``: bus, then the ports of the hubs. It stays the same for the same socket.
    ids
        Vendor and product, ``0403:6010``.
    serial
        Its serial number; many cheap boards have none.
    bus, number
        Its address until it is unplugged.
    node
        The file through which a programmer reaches it.
    speed
        Mbit/s as the kernel writes it.
    uarts
        Its serial ports, by the number of their USB interface.
    """

    port: str
    ids: str
    serial: str | None
    bus: int
    number: int
    node: Path
    manufacturer: str = ""
    product: str = ""
    speed: str = ""
    uarts: dict[int, SerialPort] = field(default_factory=dict)

    def __str__(self) -> str:
        which = f"serial {self.serial}" if self.serial else "without a serial number"
        return f"{self.ids} {which} at port {self.port}"


def scan(sysfs: Path = Path("/sys"), dev: Path = Path("/dev")) -> list[UsbDevice]:
    """Every USB device, by port. One that is unplugged meanwhile is left out."""
    folder = sysfs / "bus" / "usb" / "devices"
    try:
        # Interfaces have a colon in their name, root hubs begin with "usb".
        places = sorted(place for place in folder.iterdir() if place.name[0].isdigit() and ":" not in place.name)
    except FileNotFoundError:
        return []
    return [device for place in places if (device := _device(place, dev)) is not None]


def _device(place: Path, dev: Path) -> UsbDevice | None:
    try:
        bus, number = int(_text(place / "busnum")), int(_text(place / "devnum"))
        return UsbDevice(
            port=place.name,
            ids=f"{_text(place / 'idVendor')}:{_text(place / 'idProduct')}".lower(),
            serial=_text_or_none(place / "serial"),
            bus=bus,
            number=number,
            node=dev / "bus" / "usb" / f"{bus:03}" / f"{number:03}",
            manufacturer=_text_or_none(place / "manufacturer") or "",
            product=_text_or_none(place / "product") or "",
            speed=_text_or_none(place / "speed") or "",
            uarts=dict(_uarts(place, dev)),
        )
    except (OSError, ValueError):
        return None


def _uarts(place: Path, dev: Path) -> Iterator[tuple[int, SerialPort]]:
    for interface in sorted(place.glob(f"{place.name}:*")):
        number = int(_text(interface / "bInterfaceNumber"), 16)
        for found in sorted(interface.iterdir()):
            # A serial converter is a device of its own (ttyUSB0/), a modem-like one has a class folder (tty/ttyACM0/).
            if _TTY.fullmatch(found.name):
                timer = found / "latency_timer"
                yield number, SerialPort(found.name, dev / found.name, timer if timer.exists() else None)
            elif found.name == "tty":
                for tty in sorted(found.iterdir()):
                    yield number, SerialPort(tty.name, dev / tty.name)


def _text(path: Path) -> str:
    return path.read_text("utf-8", errors="replace").strip()


def _text_or_none(path: Path) -> str | None:
    try:
        return _text(path) or None
    except FileNotFoundError:
        return None
