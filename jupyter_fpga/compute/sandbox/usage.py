"""What a sandboxed program and everything it started use right now, read from ``/proc``."""

import os
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

__all__ = ("NamespaceTree", "SessionTree", "Tree", "Usage", "WardenTree")

_TICKS = os.sysconf("SC_CLK_TCK")
_FEW_DESCRIPTORS = 32
_BUFFER_BYTES = {"socket": 212_992, "pipe": 65_536}
"""What one of them holds, unless told otherwise: ``net.core.wmem_default`` (also the most that a program may ask for)
and pipe(7)'s 16 pages."""


@dataclass(frozen=True)
class Usage:
    """Sums over a tree of processes.

    Parameters
    ----------
    memory_bytes
        Private memory, memory shared with others of the tree (each mapping counted where it is), tables of pages, and
        what many sockets and pipes can hold.
    tasks
        Processes and threads.
    cpu_seconds
        Of those that live and of those that they have waited for.
    """

    memory_bytes: int = 0
    tasks: int = 0
    cpu_seconds: float = 0.0


class Tree(Protocol):
    """The processes of one sandboxed program."""

    def usage(self) -> Usage:
        """What they use now."""
        ...

    def kill(self) -> bool:
        """Send SIGKILL to all of them; whether any was still there."""
        ...

    def close(self) -> None:
        """Let go of descriptors."""
        ...


def _read(name: str, folder: int) -> bytes | None:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    try:
        return os.read(descriptor, 8192)
    except ProcessLookupError:
        return None
    finally:
        os.close(descriptor)


def _stat(pid: str, folder: int) -> list[bytes] | None:
    """Fields of ``/proc/pid/stat`` from the third on (proc(5) counts from one): state, parent, group, session …"""
    text = _read(f"{pid}/stat", folder)
    # The second, the name in brackets, may hold anything, brackets and spaces included.
    return text.rpartition(b")")[2].split() if text else None


def _held_in_descriptors(pid: str, folder: int) -> int:
    """Memory of the kernel that a process can fill through its sockets and pipes; nothing for a handful of them."""
    # It may have ended, or a lab in a container may not look.
    with suppress(OSError):
        inside = os.open(f"{pid}/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
        try:
            names = os.listdir(inside)
            if len(names) <= _FEW_DESCRIPTORS:
                return 0
            kinds = [os.readlink(name, dir_fd=inside).partition(":")[0] for name in names]
            return sum(_BUFFER_BYTES.get(kind, 0) for kind in kinds)
        finally:
            os.close(inside)
    return 0


def _sum(pids: Iterator[str], folder: int) -> Usage:
    memory = tasks = ticks = 0
    for pid in pids:
        stat, status = _stat(pid, folder), _read(f"{pid}/status", folder)
        if stat is None or status is None:
            continue
        ticks += sum(int(field) for field in stat[11:15])  # utime, stime and those of children waited for
        tasks += int(stat[17])
        memory += _held_in_descriptors(pid, folder)
        for line in status.splitlines():
            # RssFile is left out: pages of programs and libraries, which cost nothing more when mapped again.
            if line.startswith((b"RssAnon:", b"RssShmem:", b"VmPTE:")):
                memory += int(line.split()[1]) * 1024
    return Usage(memory, tasks, ticks / _TICKS)


class NamespaceTree:
    """All processes of a process name space, through its own ``/proc``.

    Parameters
    ----------
    proc
        Descriptor of the sandbox's ``/proc``; this object closes it.
    kill
        Ends process 1, and with it everything.
    """

    def __init__(self, proc: int, kill: Callable[[], None]) -> None:
        self._proc = proc
        self._kill = kill

    def usage(self) -> Usage:
        try:
            names = os.listdir(self._proc)
        except (FileNotFoundError, ProcessLookupError):
            return Usage()
        return _sum((name for name in names if name.isdigit()), self._proc)

    def kill(self) -> bool:
        # The kernel does the rest before process 1 counts as ended.
        self._kill()
        return False

    def close(self) -> None:
        os.close(self._proc)


class Keeper(Protocol):
    """A warden, as its tree knows it; see :class:`~jupyter_fpga.compute.sandbox.process.Launched`."""

    @property
    def leader(self) -> int: ...

    @property
    def has_ended(self) -> bool: ...

    def kill(self) -> None: ...


class SessionTree:
    """A program without a name space: its session, all descendants, and whoever carries its mark in the environment.

    Parameters
    ----------
    leader
        The program's number; it leads a session.
    mark
        ``NAME=value`` that only this program and its children have in their environment. It finds those that left
        session and parent behind; one that wipes its environment as well escapes, which is why this is no sandbox.
    """

    def __init__(self, leader: int, mark: str) -> None:
        self._leader = str(leader).encode()
        self._mark = mark.encode()
        self._proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._known: dict[str, bytes] = {}

    def _scan(self, *, living: bool = False) -> list[str]:
        """Numbers of the tree's processes.

        Parameters
        ----------
        living
            Those alone that can still be killed, and those too that nothing but their mark gives away.
        """
        stats: dict[str, list[bytes]] = {}
        for name in os.listdir(self._proc):
            if not name.isdigit() or (stat := _stat(name, self._proc)) is None:
                continue
            # What has ended and nobody has waited for counts as a process, for the kernel too.
            if not living or stat[0] not in (b"Z", b"X"):
                stats[name] = stat
        tree = {
            name
            for name, stat in stats.items()
            if self._known.get(name) == stat[19] or self._is_ours(name, stat, living)
        }
        grown = True
        while grown:
            children = {name for name, stat in stats.items() if stat[1].decode() in tree} - tree
            tree |= children
            grown = bool(children)
        self._known = {name: stats[name][19] for name in tree}
        return list(tree)

    def _is_ours(self, name: str, stat: list[bytes], marks: bool) -> bool:
        if self._leader in (name.encode(), stat[3]):
            return True
        return marks and self._mark in (_read(f"{name}/environ", self._proc) or b"").split(b"\0")

    def usage(self) -> Usage:
        return _sum(iter(self._scan()), self._proc)

    def kill(self) -> bool:
        tree = self._scan(living=True)
        for name in tree:
            try:
                os.kill(int(name), signal.SIGKILL)
            except ProcessLookupError:
                continue
        return bool(tree)

    def deleted_bytes(self, device: int) -> int:
        """Size of files that are open or mapped and have no name any more: no look into a folder finds them.

        Parameters
        ----------
        device
            Of the file system that counts.
        """
        sizes: dict[int, int] = {}
        for pid in self._known:
            folder = f"/proc/{pid}/fd"
            # It may have ended, or closed one meanwhile; or a lab in a container may not look.
            with suppress(OSError):
                for number in os.listdir(folder):
                    with suppress(FileNotFoundError):
                        facts = os.stat(f"{folder}/{number}")
                        if stat.S_ISREG(facts.st_mode) and facts.st_nlink == 0 and facts.st_dev == device:
                            sizes[facts.st_ino] = facts.st_blocks * 512
            with suppress(OSError), open(f"/proc/{pid}/maps", "rb") as maps:
                for line in maps:
                    if line.endswith(b" (deleted)\n"):
                        span, _, _, place, inode, *_ = line.split()
                        major, minor = (int(part, 16) for part in place.split(b":"))
                        start, end = (int(part, 16) for part in span.split(b"-"))
                        if os.makedev(major, minor) == device:
                            sizes.setdefault(int(inode), end - start)
        return sum(sizes.values())

    def close(self) -> None:
        os.close(self._proc)


class WardenTree(SessionTree):
    """A program below a warden: whatever it starts stays below, and the warden ends it all.

    Parameters
    ----------
    keeper
        The first of the two processes of the warden. If somebody ended it by force, the second one ends the program;
        what then is still there is looked for as in a :class:`SessionTree`.
    mark
        As there.
    """

    def __init__(self, keeper: Keeper, mark: str) -> None:
        super().__init__(keeper.leader, mark)
        self._keeper = keeper

    def usage(self) -> Usage:
        tree = self._scan()
        wardens = self._wardens(tree)
        below = _sum((pid for pid in tree if pid not in wardens), self._proc)
        # Those that were left by their parents are waited for by the warden; and what it does, it does for them.
        return replace(below, cpu_seconds=below.cpu_seconds + _sum(iter(wardens), self._proc).cpu_seconds)

    def _wardens(self, tree: list[str]) -> list[str]:
        """The program begins with a session of its own, and nobody gets into another's."""
        stats = ((name, _stat(name, self._proc)) for name in tree)
        return [name for name, stat in stats if stat is not None and stat[3] == self._leader]

    def kill(self) -> bool:
        if not self._keeper.has_ended:
            self._keeper.kill()
            return False
        # If one warden is left, it is at it.
        return bool(self._wardens(self._scan(living=True))) or super().kill()
