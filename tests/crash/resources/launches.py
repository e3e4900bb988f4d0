"""Launches programs behind the walls and dies at it, again and again: ``python launches.py COUNT SEED``.

Prints what was left of each: a line of JSON, a list of command lines.
"""

import asyncio
import ctypes
import json
import os
import random
import select
import signal
import sys
import time
from pathlib import Path

from jupyter_fpga.compute.sandbox.orphans import end_orphans
from jupyter_fpga.compute.sandbox.process import launch
from jupyter_fpga.compute.sandbox.walls import Plan, Sandbox

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h

SOON = 0.3
"""Seconds in which a program is gone by itself; it takes some milliseconds."""

PATIENCE = 10.0
"""Seconds in which it must be gone when the next lab has looked."""


async def start(plan: Plan) -> None:
    """Be a lab that starts a program, and go on until somebody kills it."""
    launched = await launch(plan)
    launched.start()
    await asyncio.Event().wait()


def children() -> list[int]:
    """Who became this process's child when its parent died."""
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def remains() -> list[str]:
    """What doesn't end by itself; nothing of it is there afterwards."""
    found = []
    deadline = time.monotonic() + PATIENCE
    while pids := children():
        pid = pids[0]
        ended = os.pidfd_open(pid)
        if not select.select([ended], [], [], SOON)[0]:
            # The next lab's first look at the machine.
            end_orphans()
        if not select.select([ended], [], [], max(0.0, deadline - time.monotonic()))[0]:
            found.append(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode())
            os.kill(pid, signal.SIGKILL)
        os.close(ended)
        os.waitpid(pid, 0)
    return found


def main(count: int, seed: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    moments = random.Random(seed)
    sandbox = Sandbox.probe()
    assert sandbox.tier == "full", sandbox.reason
    plan = sandbox.plan(["/bin/sleep", "1000"], disk_bytes=1 << 20)
    for _ in range(count):
        lab = os.fork()
        if lab == 0:
            try:
                asyncio.run(start(plan))
            finally:
                os._exit(1)
        # From before it is started to well after: a sandbox takes 5 ms.
        time.sleep(moments.uniform(0.001, 0.02))
        os.kill(lab, signal.SIGKILL)
        os.waitpid(lab, 0)
        print(json.dumps(remains()), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
