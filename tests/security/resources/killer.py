"""Ends whom it can reach: ``killer.py LAB VICTIM``."""

import errno
import os
import signal
import sys

for name, pid in (("lab", int(sys.argv[1])), ("victim", int(sys.argv[2])), ("first", 1), ("all", -1)):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError as error:
        print(name, errno.errorcode[error.errno], flush=True)
