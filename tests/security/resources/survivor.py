"""Leaves a child behind that nothing leads to: other session, other parent, no environment, no signal that ends it.

``survivor.py FIFO end|stay``: the child holds the FIFO's writing end, so that who reads it sees when it is gone.
"""

import os
import signal
import sys
import time

alive, then = sys.argv[1:]
ready, told = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in range(1, 65):
            if number not in (signal.SIGKILL, signal.SIGSTOP):
                try:
                    signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError):
                    continue
        script = "import os, time\nos.write(0, b'up')\nos.write(1, b'x')\nos.closerange(1, 100)\ntime.sleep(1000)"
        os.dup2(os.open(alive, os.O_WRONLY), 0)
        os.dup2(told, 1)
        os.close(told)
        os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", script], {})
    os._exit(0)
os.wait()
os.close(told)
os.read(ready, 1)
print("left", flush=True)
if then == "stay":
    time.sleep(1000)
