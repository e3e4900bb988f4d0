"""Types into a terminal that it was given: ``terminal.py DESCRIPTOR``."""

import errno
import fcntl
import sys
import termios

terminal = int(sys.argv[1])
TIOCLINUX = 0x541C
for name, request, argument in (
    ("TIOCSCTTY", termios.TIOCSCTTY, 0),
    ("TIOCSTI", termios.TIOCSTI, b"x"),
    ("TIOCLINUX", TIOCLINUX, b"\x02"),
    ("TIOCGWINSZ", termios.TIOCGWINSZ, bytes(8)),
):
    try:
        fcntl.ioctl(terminal, request, argument)
    except OSError as error:
        print(name, errno.errorcode[error.errno])
    else:
        print(name, "done")
