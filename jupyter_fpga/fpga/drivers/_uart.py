"""The UART of a board: opened for the lab alone, with an FTDI chip told not to dawdle."""

import errno
import fcntl
import os
import termios
from pathlib import Path

import serial

from jupyter_fpga.fpga.usb import SerialPort

from .base import DriverError

__all__ = ("hasten", "open_uart", "users_of")

LATENCY_MS = 1
"""The least that an FTDI chip waits before it sends fewer bytes than fill a USB packet; it begins with 16."""


def hasten(port: SerialPort) -> str:
    """Set the latency timer of an FTDI chip; how it is then, as the end of a sentence."""
    timer = port.latency_timer
    if timer is None:
        return "its chip has no latency timer"
    try:
        if (now := timer.read_text("ascii").strip()) == str(LATENCY_MS):
            return f"latency timer {LATENCY_MS} ms"
        timer.write_text(f"{LATENCY_MS}\n", "ascii")
    except PermissionError:
        return (
            f"its latency timer stays at {now} ms, since the lab's user may not set it: each answer that isn't "
            "pipelined takes so much longer; the udev rules of `jupyter fpga doctor --udev-rules` set it"
        )
    except OSError as error:
        return f"its latency timer can't be set ({error.strerror})"
    return f"latency timer {LATENCY_MS} ms"


def open_uart(path: Path, baud: int, board: str) -> serial.Serial:
    """Open a serial line for the lab alone.

    Raises
    ------
    DriverError
        ``permission_denied``, ``uart_busy``, ``uart_missing``, ``uart_failed``.
    """
    try:
        wire = serial.Serial(str(path), baud, timeout=0, exclusive=True)
    except (serial.SerialException, OSError, termios.error) as error:
        raise _refusal(error, path, board) from error
    try:
        # pyserial's lock is kept by programs that ask for it; the terminal's own keeps out all but root's.
        fcntl.ioctl(wire.fd, termios.TIOCEXCL)
    except OSError:
        wire.close()
        raise
    return wire


def _refusal(error: Exception, path: Path, board: str) -> DriverError:
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, termios.error):
        # Opened, and gone before it was configured; pyserial hands that on as it comes.
        number = errno.ENXIO if error.args[0] == errno.EIO else error.args[0]
    if number is None and isinstance(error.__context__, OSError):
        number = error.__context__.errno
    if number == errno.EACCES or number == errno.EPERM:
        return DriverError(
            f"The lab's user may not open {path}, the UART of {board}. Install the udev rules that "
            "`jupyter fpga doctor --udev-rules` prints, and plug the board in again.",
            code="permission_denied",
        )
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK):
        who = " and ".join(users_of(path)) or "another program"
        return DriverError(
            f"The UART of {board}, {path}, is busy: {who} has it open. End that program, and reset the board.",
            code="uart_busy",
        )
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return DriverError(f"The UART of {board}, {path}, is gone. Plug the board in again.", code="uart_missing")
    return DriverError(
        f"The UART of {board}, {path}, can't be opened: {error}. Plug the board in again, and reset it.",
        code="uart_failed",
    )


def users_of(path: Path) -> list[str]:
    """Other processes that have a terminal open, as ``process 123 (picocom)``, as far as this user may see."""
    wanted = os.path.realpath(path)
    found = []
    for number in sorted(map(int, filter(str.isdigit, os.listdir("/proc")))):
        folder = Path("/proc", str(number))
        if number == os.getpid():
            continue
        try:
            if any(os.readlink(each) == wanted for each in (folder / "fd").iterdir()):
                found.append(f"process {number} ({(folder / 'comm').read_text().strip()})")
        except OSError:
            continue
    return found
