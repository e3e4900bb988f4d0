"""Starting a lab as a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import Unavailable

__all__ = ("IDLE_EXIT", "StartedLab", "start_lab")

#: Seconds without a request, a job and a held board after which a lab that a kernel started ends itself.
IDLE_EXIT = 600


@dataclass(frozen=True)
class StartedLab:
    """A lab that was started, or found by the one that was to start.

    Parameters
    ----------
    process
        The process; it has ended when another lab was there first.
    """

    url: str
    token: str
    pid: int
    process: "subprocess.Popen[bytes]"


def start_lab(arguments: Sequence[str] = (f"--idle-exit={IDLE_EXIT}",), *, python: str = sys.executable) -> StartedLab:
    """Start ``jupyter fpga serve`` in a session of its own and wait until it is ready.

    It outlives this process, since a board that somebody holds must. Its output goes to a file of its own.

    Parameters
    ----------
    arguments
        More arguments of ``serve``.

    Raises
    ------
    Unavailable
        ``lab_not_started``: it ended before it was ready; the message has its last words.
    """
    reading, writing = os.pipe()
    descriptor, name = tempfile.mkstemp(prefix="jupyter-fpga-lab-", suffix=".log")
    output = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as log:
            process = subprocess.Popen(
                [python, "-m", "jupyter_fpga.cli", "serve", f"--ready-fd={writing}", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[writing],
                start_new_session=True,
            )
    finally:
        os.close(writing)
    try:
        with os.fdopen(reading, "rb") as ready:
            line = ready.readline()
    except BaseException:
        # Interrupted while it started: nobody would know of it.
        process.terminate()
        raise
    if not line:
        process.wait()
        words = " ".join(output.read_text(errors="replace").split())[-500:] or "It said nothing"
        output.unlink()
        raise Unavailable(
            f"The lab ended before it was ready (status {process.returncode}). {words}. "
            "`jupyter fpga doctor` tells what is missing.",
            code="lab_not_started",
        )
    told = json.loads(line)
    return StartedLab(told["url"], told["token"], told["pid"], process)
