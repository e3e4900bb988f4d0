"""What the machine has, and what it is doing."""

import os
import platform
import shutil
from collections.abc import Sequence
from typing import Any

from jupyter_fpga.compute.actions.descriptors import HOST
from jupyter_fpga.compute.sandbox import Sandbox

__all__ = ("sysinfo",)


def sysinfo(
    sandbox: Sandbox, runner: dict[str, Any], queue_depths: dict[str, Any], workers: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Facts for people and for health checks; sizes in bytes.

    Parameters
    ----------
    sandbox
        Its tier is shown, and why it is that.
    runner
        What the runner says of itself.
    queue_depths
        Unfinished actions.
    workers
        Whose functions and versions are listed.
    """
    memory = _memory()
    disk = shutil.disk_usage("/")
    return {
        "host": HOST,
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)),
        "load": list(os.getloadavg()),
        "memory": {"total": memory["MemTotal"], "available": memory["MemAvailable"]},
        "disk": {"total": disk.total, "free": disk.free},
        "sandbox": {"tier": sandbox.tier, "reason": sandbox.reason},
        "runner": runner,
        "queue_depths": queue_depths,
        "functions": [
            {"worker": worker["worker"], "worker_name": worker["name"], **function}
            for worker in workers
            for function in worker["functions"]
        ],
    }


def _memory() -> dict[str, int]:
    """``/proc/meminfo`` in bytes; its unit is KiB (proc_meminfo(5))."""
    with open("/proc/meminfo") as lines:
        pairs = (line.split(":", 1) for line in lines)
        return {name: int(value.split()[0]) * 1024 for name, value in pairs}
