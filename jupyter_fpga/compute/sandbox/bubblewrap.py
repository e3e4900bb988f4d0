"""What bubblewrap is told."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from jupyter_fpga.compute.sandbox.mounts import WORK, Mount, jupyter_settings, mount_options, system_mounts

__all__ = ("bubblewrap_options",)

_DEVICES = ("null", "zero", "full", "random", "urandom")


def bubblewrap_options(
    *,
    mounts: Sequence[Mount],
    python: Sequence[Mount],
    environment: Mapping[str, str],
    work: Path | None,
    disk_bytes: int,
    user: int,
    root: bool,
    detached: bool,
) -> list[str]:
    """Name spaces, a file system of its own, and nothing of the lab's environment.

    Parameters
    ----------
    mounts
        What the program may see besides the system and Python.
    python
        Where Python is; none for a program that has no use for it.
    environment
        All of its environment.
    work
        A folder of the machine as work folder; if not given, a file system in memory of ``disk_bytes``.
    user
        The program's user number, inside.
    root
        The lab runs as root: no user name space, and the rights that setpriv needs to give away all others.
    detached
        The program outlives the lab.
    """
    options = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    # As process 1 the program takes everything with it when it ends, and bubblewrap collects it.
    options += ["--hostname", "lab", "--new-session", "--clearenv", "--as-pid-1"]
    options += [] if detached else ["--die-with-parent"]
    if root:
        options += ["--cap-drop", "ALL"]
        for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
            options += ["--cap-add", capability]
    else:
        options += ["--unshare-user", "--disable-userns", "--uid", str(user), "--gid", str(user)]
    for name, value in environment.items():
        options += ["--setenv", name, value]
    # bubblewrap's own root is half the memory, and writable: a megabyte holds mount points.
    options += ["--perms", "0755", "--size", str(1 << 20), "--tmpfs", "/", "--proc", "/proc"]
    options += ["--perms", "0755", "--dir", "/dev"]
    for device in _DEVICES:
        options += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    for link, descriptor in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        options += ["--symlink", f"/proc/self/fd{descriptor}", f"/dev/{link}"]
    if work is None:
        options += ["--perms", "1777", "--size", str(disk_bytes), "--tmpfs", WORK]
    else:
        options += ["--perms", "0755", "--dir", WORK, "--bind", str(work), WORK]
    seen = [*system_mounts(), *python]
    options += ["--perms", "0755", "--dir", "/tmp", *mount_options([*seen, *mounts])]
    for settings in jupyter_settings(seen):
        options += ["--perms", "0555", "--size", "4096", "--tmpfs", str(settings)]
    return [*options, "--remount-ro", "/", "--chdir", WORK]
