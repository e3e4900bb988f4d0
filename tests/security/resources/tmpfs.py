"""Looks for memory that is a file, and fills what it finds."""

import ctypes
import errno
import os
import platform
import sys

libc = ctypes.CDLL(None, use_errno=True)
MEMFD, SHMGET = {"x86_64": (319, 29), "aarch64": (279, 194)}[platform.machine()]
for name, call in (("memfd_create", (MEMFD, b"x", 0)), ("shmget", (SHMGET, 0, 1 << 20, 0o1600))):
    if libc.syscall(*call) < 0:
        print(name, errno.errorcode[ctypes.get_errno()])
    else:
        print(name)
for place in ("/tmp", "/dev/shm", "/dev", "/run", "/var/tmp", "/", "/etc", "/usr", sys.prefix, "/proc", "/sys"):
    for kind in ("file", "folder"):
        path = f"{place}/jupyter-fpga-attack"
        try:
            os.mkdir(path) if kind == "folder" else os.mknod(path)
        except OSError:
            continue
        print("writable:", place)
print("writable: work folder", flush=True)
number = 0
while True:
    number += 1
    try:
        with open(f"file{number}", "wb") as file:
            file.write(bytes(1 << 20))
    except OSError:
        continue
