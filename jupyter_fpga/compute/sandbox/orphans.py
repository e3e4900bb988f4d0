"""What a lab leaves behind that is killed in the few microseconds in which bubblewrap's child has no bond with anybody.

bubblewrap makes its child, takes care to die with the lab, and then tells the child to go on. Killed in between, it
leaves a child that waits for that word for ever: a small process that holds nothing but memory. No lab can be its own
witness here, so the next one looks.
"""

import os
import signal
from pathlib import Path

from jupyter_fpga.compute.sandbox.walls import GATE

__all__ = ("end_orphans",)


def end_orphans(proc: Path = Path("/proc")) -> int:
    """End the children of bubblewraps that died before their sandboxes stood; returns how many there were.

    Such a child is process 1 of its name space, still runs bubblewrap's own program with a lab's command line, and its
    parent isn't a bubblewrap. While a sandbox comes up the parent is one, and afterwards the program is another: so
    nothing that belongs to a living lab, of whatever person, is ever meant.
    """
    ended = 0
    for folder in proc.glob("[0-9]*"):
        try:
            if not _is_orphan(folder, proc):
                continue
            descriptor = os.pidfd_open(int(folder.name))
            try:
                # Looked at again, now that the number can't be given to another process unnoticed.
                if _is_orphan(folder, proc):
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                    ended += 1
            finally:
                os.close(descriptor)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            # It ended meanwhile, or is another person's.
            continue
    return ended


def _is_orphan(folder: Path, proc: Path) -> bool:
    status = _status(folder)
    if status["Name"] != "bwrap" or status["NSpid"].split()[1:] != ["1"]:
        return False
    if GATE.encode() not in (folder / "cmdline").read_bytes():
        return False
    return _status(proc / status["PPid"])["Name"] != "bwrap"


def _status(folder: Path) -> dict[str, str]:
    lines = (folder / "status").read_text(errors="replace").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
