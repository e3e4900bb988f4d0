"""What a program gets in the tier ``landlock``: the machine's own folders, as few as there can be."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from jupyter_fpga.compute.sandbox.landlock import Rule, without
from jupyter_fpga.compute.sandbox.mounts import PACKAGE_FOLDERS, Mount, jupyter_settings, python_path, system_mounts

__all__ = ("landlock_rules", "linked_packages", "unprivileged_user")

_READABLE_DEVICES = ("zero", "full", "random", "urandom")


def unprivileged_user(choose: Callable[[int, int], int]) -> int:
    """A user number that nobody has, so that the kernel counts each sandbox's processes on its own.

    Containers map only some numbers (``/proc/self/uid_map``); the upper half of the largest range is taken, below
    ``nobody`` and below 2³¹.

    Parameters
    ----------
    choose
        ``choose(low, high)`` picks one.
    """
    start, count = 0, 65536
    with open("/proc/self/uid_map") as lines:
        for line in lines:
            inside, _, length = (int(word) for word in line.split())
            if length >= count:
                start, count = inside, length
    last = min(start + count - 3, 2_000_000_000)
    return choose(max(start + count // 2, start + 1) if last < 2_000_000_000 else 1_000_000_000, last)


def landlock_rules(mounts: Sequence[Mount], python: Sequence[Mount], work: Path) -> tuple[Rule, ...]:
    """What it may open: the system, Python, its mounts, its work folder, and devices that hold nothing.

    Nothing of ``/proc``: a rule for ``/proc/self`` would be one for the number of whoever makes it.
    """
    seen = [*system_mounts(), *python]
    hidden = {settings.resolve() for settings in jupyter_settings(seen)}
    rules = [Rule(part, "read") for mount in seen for part in without(mount.source.resolve(), hidden)]
    rules += [Rule(mount.source, "work" if mount.writable else "read") for mount in mounts]
    rules += [Rule(Path("/dev", device), "read") for device in _READABLE_DEVICES]
    return (*rules, Rule(Path("/dev/null"), "device"), Rule(work, "work"))


def linked_packages(mounts: Sequence[Mount], work: Path) -> str:
    """``PYTHONPATH`` where Python may not list the folders that single packages are in: links in the work folder.

    Parameters
    ----------
    mounts
        Where Python and its packages are.
    work
        The work folder; hidden there.
    """
    folders = []
    for mount in mounts:
        if (mount.source / "__init__.py").exists():
            links = work / ".packages"
            links.mkdir(exist_ok=True)
            (links / mount.source.name).symlink_to(mount.source)
            folders.append(links)
    path = python_path(mount for mount in mounts if mount.source.name in PACKAGE_FOLDERS)
    return os.pathsep.join([*map(str, dict.fromkeys(folders)), *([path] if path else [])])
