"""What is plugged in, as sysfs shows it."""

from pathlib import Path

import pytest

from jupyter_fpga.fpga.usb import SerialPort, scan

from ..desk import Desk  # noqa: TID252 - the tests are no package


def test_a_device_with_two_serial_ports(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.plug("1-2.3", serial="FT1", quietly=True)
    (device,) = scan(desk.sysfs, desk.dev)
    assert (device.port, device.ids, device.serial) == ("1-2.3", "0403:6010", "FT1")
    assert (device.bus, device.number, device.node) == (1, 4, desk.dev / "bus/usb/001/004")
    assert (device.manufacturer, device.product, device.speed) == ("Maker", "Board", "480")
    assert {number: (port.name, port.node) for number, port in device.uarts.items()} == {
        0: ("ttyUSB8", desk.dev / "ttyUSB8"),
        1: ("ttyUSB9", desk.dev / "ttyUSB9"),
    }
    assert device.uarts[1].latency_timer is not None
    assert device.uarts[1].latency_timer.read_text() == "16\n"
    assert str(device) == "0403:6010 serial FT1 at port 1-2.3"
    desk.clear()


def test_a_modem_like_port_and_a_device_without_a_serial_number(tmp_path: Path) -> None:
    place = tmp_path / "bus/usb/devices/3-1"
    (place / "3-1:1.2" / "tty" / "ttyACM0").mkdir(parents=True)
    (place / "3-1:1.2" / "bInterfaceNumber").write_text("02\n")
    for name, value in {"idVendor": "0D28", "idProduct": "0204", "busnum": "3", "devnum": "17"}.items():
        (place / name).write_text(value + "\n")
    (device,) = scan(tmp_path, Path("/dev"))
    assert device.ids == "0d28:0204"
    assert device.uarts == {2: SerialPort("ttyACM0", Path("/dev/ttyACM0"))}
    assert str(device) == "0d28:0204 without a serial number at port 3-1"


def test_interfaces_and_root_hubs_are_no_devices_and_half_a_device_is_left_out(tmp_path: Path) -> None:
    for name in ("usb1", "1-0:1.0", "1-1"):
        (tmp_path / "bus/usb/devices" / name).mkdir(parents=True)
    # 1-1 is going just now: its files aren't there any more.
    assert scan(tmp_path, Path("/dev")) == []


@pytest.mark.parametrize("there", [True, False])
def test_a_machine_without_usb(tmp_path: Path, there: bool) -> None:
    if there:
        (tmp_path / "bus/usb/devices").mkdir(parents=True)
    assert scan(tmp_path) == []
