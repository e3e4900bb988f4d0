"""Changes files that it may not open: ``change.py PATH …``. Prints what each attempt came to."""

import errno
import os
import sys

ATTEMPTS = {
    "chmod": lambda path: os.chmod(path, 0o777),
    "chmod by way of its folder": lambda path: os.chmod(
        os.path.basename(path), 0o777, dir_fd=os.open(os.path.dirname(path), os.O_PATH)
    ),
    "chmod by way of a link": lambda path: (os.symlink(path, "link"), os.chmod("link", 0o777)),
    "chmod by way of above": lambda path: os.chmod(os.path.relpath(path), 0o777),
    "chmod of what is held": lambda path: os.chmod(f"/proc/self/fd/{os.open(path, os.O_PATH)}", 0o777),
    "chown": lambda path: os.chown(path, os.getuid(), os.getgid()),
    "utime": lambda path: os.utime(path, (1, 1)),
    "attributes": lambda path: os.setxattr(path, "user.attack", b"x"),
    "truncate": lambda path: os.truncate(path, 0),
    "unlink": os.unlink,
    "rename": lambda path: os.rename(path, path + ".old"),
    "hard link": lambda path: os.link(path, "hard"),
    "write": lambda path: os.open(path, os.O_WRONLY | os.O_TRUNC),
    "read": lambda path: os.open(path, os.O_RDONLY),
}
for name, attempt in ATTEMPTS.items():
    try:
        attempt(sys.argv[1])
    except OSError as error:
        print(name, errno.errorcode[error.errno])
    else:
        print(name, "DONE")
