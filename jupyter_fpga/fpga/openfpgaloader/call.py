"""Calling the programmer: in its own folder, with an environment of its own, and never for longer than agreed."""

import asyncio
import contextlib
import glob
import os
import resource
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_fpga.compute.sandbox.mounts import system_mounts

__all__ = ("Outcome", "Walls", "call")

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_KEPT = 64 << 10
"""Characters of output that are kept: the end, where the reason is."""

_LOGGED_LINES = 400
_LONGEST_LINE = 200
"""A programming prints some twenty lines of progress; a job's log isn't filled by more."""

_MOST_OUTPUT = 4 << 20
"""Bytes after which a program that only prints is ended."""

_LIMITS = (
    (resource.RLIMIT_CORE, 0),
    # It writes nothing but what it prints.
    (resource.RLIMIT_FSIZE, 1 << 20),
    (resource.RLIMIT_NOFILE, 256),
    (resource.RLIMIT_AS, 2 << 30),
    (resource.RLIMIT_CPU, 600),
)

_DRAIN_SECONDS = 1.0
"""How long the rest of the output is read after the program's end; a child that it left may hold the pipe."""


@dataclass(frozen=True)
class Outcome:
    """How a call ended.

    Parameters
    ----------
    status
        Exit status, negative for a signal; ``None`` when it was ended for its time or its output.
    text
        The end of what it printed, both streams.
    seconds
        The time that it had, when it was ended for that.
    flooded
        It was ended for its output.
    """

    status: int | None
    text: str
    seconds: float | None = None
    flooded: bool = False


@dataclass(frozen=True)
class Walls:
    """What of the machine the programmer sees: it reads a file that a stranger's build has made.

    Behind bubblewrap that is a read-only system, the devices on the USB bus, and its work folder. It keeps the lab's
    user, whose rights to the devices it needs.

    Parameters
    ----------
    bwrap
        Path of bubblewrap; ``None``: there are no walls, only bounds.
    """

    bwrap: str | None = None

    def command(self, argv: Sequence[str], *, see: Sequence[Path], work: Path, network: bool) -> list[str]:
        """The command that runs ``argv`` behind the walls, with ``work`` as its folder."""
        if self.bwrap is None:
            return list(argv)
        options = ["--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try", "--cap-drop", "ALL"]
        options += ["--new-session", "--die-with-parent"]
        options += [] if network else ["--unshare-net"]
        options += ["--proc", "/proc", "--dev", "/dev", "--ro-bind-try", "/sys", "/sys"]
        for mount in system_mounts():
            if mount.source.is_symlink():
                options += ["--symlink", os.readlink(mount.source), mount.target]
            else:
                options += ["--ro-bind", str(mount.source), mount.target]
        for place in see:
            options += ["--ro-bind", str(place), str(place)]
        for device in ("/dev/bus/usb", *glob.glob("/dev/hidraw*")):
            options += ["--dev-bind-try", device, device]
        return [self.bwrap, *options, "--bind", str(work), str(work), "--chdir", str(work), "--", *argv]


async def call(
    argv: Sequence[str],
    *,
    work: Path,
    seconds: float,
    log: Callable[[str], None] = lambda line: None,
    walls: Walls | None = None,
    see: Sequence[Path] = (),
    network: bool = False,
) -> Outcome:
    """Run the programmer to its end. When the caller is cancelled, it and all its children are ended first.

    Parameters
    ----------
    argv
        The program and its arguments.
    work
        An empty folder of its own.
    seconds
        The longest that it may take.
    log
        Gets each line that it prints, as far as a log wants them.
    walls, see, network
        What it may see, besides the system: these folders, and the network (a programmer elsewhere).

    Raises
    ------
    OSError
        The program can't be started at all.
    """
    command = (walls or Walls()).command(argv, see=see, work=work, network=network)
    output = _Output(log)
    reader, writer = os.pipe()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: output, os.fdopen(reader, "rb", 0))
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=writer,
            stderr=writer,
            cwd=work,
            env={"PATH": _PATH, "HOME": str(work), "TMPDIR": str(work), "LANG": "C.UTF-8"},
            start_new_session=True,
        )
    except BaseException:
        transport.close()
        raise
    finally:
        os.close(writer)
    _bound(process.pid)
    ending = asyncio.create_task(process.wait())
    try:
        async with asyncio.timeout(seconds):
            either: set[asyncio.Future[Any]] = {ending, output.over}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if output.flooded:
                return Outcome(None, output.text, flooded=True)
            status = await ending
        # Its end counts; the pipe's may come late, or never while a child holds it.
        await asyncio.wait({output.over}, timeout=_DRAIN_SECONDS)
        return Outcome(status, output.text)
    except TimeoutError:
        return Outcome(None, output.text, seconds=seconds)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        transport.close()
        await asyncio.wait({ending})
        output.end()


def _bound(pid: int) -> None:
    for kind, value in _LIMITS:
        with contextlib.suppress(ProcessLookupError):
            _, most = resource.prlimit(pid, kind)
            value = value if most == resource.RLIM_INFINITY else min(value, most)
            resource.prlimit(pid, kind, (value, value))


class _Output(asyncio.Protocol):
    """What a program prints, line by line; progress that overwrites its line (``\\r``) counts as lines."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self.text = ""
        self.flooded = False
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when there is nothing more to read, or too much of it."""
        self._log = log
        self._rest = ""
        self._bytes = 0
        self._lines = 0

    def data_received(self, data: bytes) -> None:
        self._bytes += len(data)
        if self.flooded:
            return
        text = data.decode("utf-8", errors="replace").replace("\r", "\n")
        self.text = (self.text + text)[-_KEPT:]
        *lines, self._rest = (self._rest + text).split("\n")
        self._rest = self._rest[-_KEPT:]
        for line in lines:
            self._line(line)
        if self._bytes > _MOST_OUTPUT:
            self.flooded = True
            self._is_over()

    def connection_lost(self, error: Exception | None) -> None:
        self._is_over()

    def end(self) -> None:
        self._line(self._rest)
        self._rest = ""

    def _is_over(self) -> None:
        if not self.over.done():
            self.over.set_result(None)

    def _line(self, line: str) -> None:
        line = line.strip()
        if not line:
            return
        self._lines += 1
        if self._lines <= _LOGGED_LINES:
            self._log(line[:_LONGEST_LINE])
        elif self._lines == _LOGGED_LINES + 1:
            self._log("(The programmer prints more, which is left out.)")
