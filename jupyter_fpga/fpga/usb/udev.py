"""The udev rules that let people at the machine program boards and open their UARTs."""

from collections.abc import Iterable

__all__ = ("RULES_FILE", "udev_rules")

RULES_FILE = "/etc/udev/rules.d/70-jupyter-fpga.rules"
"""Before 73, where systemd's own rules give the devices that are tagged ``uaccess`` to whoever is logged in."""


def udev_rules(ids: Iterable[str]) -> str:
    """The text of a rules file.

    Parameters
    ----------
    ids
        Vendor and product of USB chips, ``0403:6010``.
    """
    lines = [
        f"# Boards of jupyter_fpga. Write this to {RULES_FILE}, then:",
        "#   sudo udevadm control --reload && sudo udevadm trigger",
        "# and plug the boards in again. Whoever is logged in at the machine may use them then, and so may the group",
        "# plugdev: a lab that runs as a service has to be in it (sudo adduser NAME plugdev).",
        'ACTION=="remove", GOTO="jupyter_fpga_end"',
    ]
    rights = 'MODE="0660", GROUP="plugdev", TAG+="uaccess"'
    for vendor, _, product in sorted(each.lower().partition(":") for each in set(ids)):
        lines += [
            f'SUBSYSTEM=="usb", ENV{{DEVTYPE}}=="usb_device", ATTR{{idVendor}}=="{vendor}", '
            f'ATTR{{idProduct}}=="{product}", {rights}',
            f'SUBSYSTEM=="tty|hidraw", ATTRS{{idVendor}}=="{vendor}", ATTRS{{idProduct}}=="{product}", {rights}',
        ]
    lines += [
        "# An FTDI chip waits 16 ms for more bytes before it sends some; 1 ms is the least.",
        'SUBSYSTEM=="usb-serial", DRIVER=="ftdi_sio", ATTR{latency_timer}="1"',
        'LABEL="jupyter_fpga_end"',
    ]
    return "\n".join(lines) + "\n"
