"""Leaves something else than a file as its output: ``outputs.py KIND``."""

import os
import socket
import sys

KINDS = {
    "symlink": lambda: os.symlink("/etc/hostname", "out"),
    "symlink to itself": lambda: os.symlink("out", "out"),
    "symlink to a device": lambda: os.symlink("/dev/zero", "out"),
    "hard link": lambda: (os.mknod("other"), os.link("other", "out")),
    "fifo": lambda: os.mkfifo("out"),
    "folder": lambda: os.mkdir("out"),
    "linked folder": lambda: os.symlink("/usr", "made"),
    "link in a folder": lambda: (os.mkdir("made"), os.symlink("/etc/hostname", "made/out")),
    "fifo in a folder": lambda: (os.mkdir("made"), os.mkfifo("made/out")),
    "large": lambda: [os.truncate(os.open(name, os.O_CREAT | os.O_WRONLY), 12 << 20) for name in ("out", "made")],
}


def device():
    for kind in (0o020666, 0o060666):
        try:
            os.mknod("out", kind, os.makedev(1, 5))
        except OSError as error:
            print(error.strerror)


def bound():
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("out")


KINDS["device"] = device
KINDS["socket"] = bound
KINDS[sys.argv[1]]()
