"""Starting a lab as a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_core.paths import jupyter_runtime_dir

from .errors import Unavailable

__all__ = ("IDLE_EXIT", "StartedLab", "start_lab")

#: Seconds without a request, a job and a held board after which a lab that a kernel started ends itself.
IDLE_EXIT = 600
#: In Jupyter's runtime folder.
LOG = "fpga-lab.log"


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


def start_lab(
    arguments: Sequence[str] = (f"--idle-exit={IDLE_EXIT}",), *, environment: Mapping[str, str] | None = None
) -> StartedLab:
    """Start ``jupyter fpga serve`` in a session of its own and wait until it is ready.

    It outlives this process, since a board that somebody holds must. What it says goes to ``fpga-lab.log`` in Jupyter's
    runtime folder.

    Parameters
    ----------
    arguments
        More arguments of ``serve``.
    environment
        Its environment variables; this process's own when not given.

    Raises
    ------
    Unavailable
        ``lab_not_started``: it ended before it was ready; the message has its last words.
    """
    output = Path((environment or os.environ).get("JUPYTER_RUNTIME_DIR") or jupyter_runtime_dir()) / LOG
    output.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    reading, writing = os.pipe()
    try:
        # Appended to: the lab that another process has just started may be writing, too.
        with open(output, "ab") as log:
            begun = log.tell()
            process = subprocess.Popen(
                [sys.executable, "-m", "jupyter_fpga.cli", "serve", f"--ready-fd={writing}", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[writing],
                start_new_session=True,
                env=None if environment is None else dict(environment),
            )
    finally:
        os.close(writing)
    with os.fdopen(reading, "rb") as ready:
        try:
            line = ready.readline()
        except BaseException:
            # Interrupted while it started: nobody would know of it.
            process.terminate()
            process.wait()
            raise
    if not line:
        process.wait()
        words = " ".join(output.read_bytes()[begun:].decode(errors="replace").split())[-500:]
        raise Unavailable(
            f"The lab ended before it was ready (status {process.returncode}): {words or 'it said nothing.'} "
            "`jupyter fpga doctor` tells what is missing.",
            code="lab_not_started",
        )
    told = json.loads(line)
    return StartedLab(told["url"], told["token"], told["pid"], process)
