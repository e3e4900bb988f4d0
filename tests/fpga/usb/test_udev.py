"""The udev rules."""

from jupyter_fpga.fpga.usb.udev import udev_rules


def test_the_rules() -> None:
    assert udev_rules(["0403:6014", "0403:6010", "0403:6010"]) == (
        "# Boards of jupyter_fpga. Write this to /etc/udev/rules.d/70-jupyter-fpga.rules, then:\n"
        "#   sudo udevadm control --reload && sudo udevadm trigger\n"
        "# and plug the boards in again. Whoever is logged in at the machine may use them then, and so may the group\n"
        "# plugdev: a lab that runs as a service has to be in it (sudo adduser NAME plugdev).\n"
        'ACTION=="remove", GOTO="jupyter_fpga_end"\n'
        'SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{idVendor}=="0403", ATTR{idProduct}=="6010", MODE="0660", '
        'GROUP="plugdev", TAG+="uaccess"\n'
        'SUBSYSTEM=="tty|hidraw", ATTRS{idVendor}=="0403", ATTRS{idProduct}=="6010", MODE="0660", GROUP="plugdev", '
        'TAG+="uaccess"\n'
        'SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{idVendor}=="0403", ATTR{idProduct}=="6014", MODE="0660", '
        'GROUP="plugdev", TAG+="uaccess"\n'
        'SUBSYSTEM=="tty|hidraw", ATTRS{idVendor}=="0403", ATTRS{idProduct}=="6014", MODE="0660", GROUP="plugdev", '
        'TAG+="uaccess"\n'
        "# An FTDI chip waits 16 ms for more bytes before it sends some; 1 ms is the least.\n"
        'SUBSYSTEM=="usb-serial", DRIVER=="ftdi_sio", ATTR{latency_timer}="1"\n'
        'LABEL="jupyter_fpga_end"\n'
    )
