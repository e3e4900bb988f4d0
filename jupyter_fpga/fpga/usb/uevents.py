"""News of devices from the kernel, without udev: the netlink family NETLINK_KOBJECT_UEVENT (lib/kobject_uevent.c)."""

import asyncio
import socket
from collections.abc import Callable

__all__ = ("Uevents", "properties", "uevent_socket")

_NETLINK_KOBJECT_UEVENT = 15
_FROM_KERNEL, _FROM_UDEV = 1, 2
_SUBSYSTEMS = frozenset(("usb", "tty", "usb-serial"))
_LONGEST = 1 << 16  # bytes; the kernel's own limit for one message is 2 KiB, udev's is longer


def uevent_socket() -> socket.socket:
    """A socket that hears the kernel, and udev where it runs: its rules give rights only after the kernel's news.

    Raises
    ------
    OSError
        This machine or container doesn't let one listen.
    """
    kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    listening = socket.socket(socket.AF_NETLINK, kind, _NETLINK_KOBJECT_UEVENT)
    try:
        listening.bind((0, _FROM_KERNEL | _FROM_UDEV))
    except BaseException:
        listening.close()
        raise
    return listening


def properties(message: bytes) -> dict[str, str]:
    """What a message says: ``ACTION``, ``DEVPATH``, ``SUBSYSTEM`` …; udev's own header is skipped over."""
    words = message.split(b"\0")
    pairs = (word.partition(b"=") for word in words)
    return {name.decode("ascii", "replace"): value.decode("utf-8", "replace") for name, is_, value in pairs if is_}


class Uevents:
    """Calls back when a USB device or a serial port has come, gone or changed. Made inside a running loop.

    Parameters
    ----------
    listening
        See :func:`uevent_socket`; closed by :meth:`close`.
    on_change
        Called with the properties of each; nothing in them has to be believed, since it only means to look again.
    """

    def __init__(self, listening: socket.socket, on_change: Callable[[dict[str, str]], None]) -> None:
        self._socket = listening
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(listening, self._readable)

    def _readable(self) -> None:
        try:
            found = properties(self._socket.recv(_LONGEST))
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            # The socket's buffer ran over: some news is lost, so that everything has to be looked at.
            found = {"SUBSYSTEM": "usb", "ACTION": "change"}
        if found.get("SUBSYSTEM") in _SUBSYSTEMS:
            self._on_change(found)

    def close(self) -> None:
        """Hear nothing more."""
        self._loop.remove_reader(self._socket)
        self._socket.close()
