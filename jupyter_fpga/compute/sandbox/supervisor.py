"""Watches one sandboxed program (time, processor, memory, processes, disk, words) and ends it when one is too much."""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Literal, TypeVar

from jupyter_fpga.clock import Clock
from jupyter_fpga.compute.sandbox.limits import Limits
from jupyter_fpga.compute.sandbox.process import Launched, wait_readable
from jupyter_fpga.compute.sandbox.usage import Tree, Usage

__all__ = ("Bound", "Supervisor", "uninterrupted")

Bound = Literal["time", "cpu", "memory", "processes", "disk", "files", "output"]
"""Which limit a program ran into."""

_TAIL_LINES = 200
_LINE_BYTES = 4096
"""Longer lines are cut into pieces: a program that prints no newline must not fill the lab's memory."""
_FULL_BYTES = 64 * 1024
"""A work folder with less room than this counts as full: the program's last write didn't fit."""

T = TypeVar("T")


async def uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """Finish ``work`` even when the caller is cancelled meanwhile, then let the cancellation through."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            cancelled = error
        except BaseException:
            break
    if cancelled is not None:
        raise cancelled
    return task.result()


class Supervisor:
    """Accompanies a program from its gate to its end.

    Parameters
    ----------
    launched
        The program at its gate.
    tree
        Its processes.
    disk
        Returns (bytes used, entries, bytes free) of its work folder.
    limits
        What it may use.
    on_output
        Gets every line that it prints, without the newline.
    clock
        Measures its time.
    interval
        Seconds between two looks at what it uses: it may use more for that long, and not longer.
    """

    def __init__(
        self,
        launched: Launched,
        tree: Tree,
        disk: Callable[[], tuple[int, int, int]],
        limits: Limits,
        *,
        clock: Clock,
        on_output: Callable[[str], None] | None = None,
        interval: float = 0.05,
    ) -> None:
        self._launched = launched
        self._tree = tree
        self._disk = disk
        self._limits = limits
        self._on_output = on_output
        self._clock = clock
        self._interval = interval
        self._printed = 0
        self._lines = 0
        self._line = b""
        self._output_open = True
        self.tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self.bound: Bound | None = None
        self.peak = Usage()

    async def run(self) -> int:
        """Open the gate, watch to the end, leave nothing behind.

        Returns
        -------
        int
            Exit code; 128 + number of the signal that ended it. :attr:`bound` says which limit it ran into, if any.
        """
        program = os.pidfd_open(self._launched.popen.pid)
        watch: asyncio.Task[None] | None = None
        loop = asyncio.get_running_loop()
        loop.add_reader(self._launched.output, self._read)
        try:
            self._launched.start()
            watch = asyncio.create_task(self._watch())
            await wait_readable(program)
        finally:
            if watch is not None:
                watch.cancel()
            try:
                await uninterrupted(self._end(program))
            finally:
                if self._output_open:
                    loop.remove_reader(self._launched.output)
                os.close(program)
        return self._exit_code()

    async def _end(self, program: int) -> None:
        """Kill what is left, wait until it is gone, and hear its last words."""
        while self._tree.kill():  # noqa: ASYNC110 (strangers' processes tell nobody that they end)
            # Only without a name space: look again until nobody is found.
            await asyncio.sleep(0.01)
        if not self._launched.has_warden:
            self._launched.popen.kill()
        await wait_readable(program)
        await wait_readable(self._launched.leader_fd)
        self._launched.popen.wait()
        while self._output_open and self._read():
            pass
        if self._line:
            self._say(self._line)
        if self.bound is None:
            _, entries, free = self._disk()
            if free < _FULL_BYTES:
                self.bound = "disk"
            elif entries > self._limits.files:
                self.bound = "files"

    def _exit_code(self) -> int:
        code = self._launched.popen.returncode
        assert code is not None
        return 128 - code if code < 0 else code

    def _hit(self, bound: Bound) -> None:
        if self.bound is None:
            self.bound = bound
        self._tree.kill()

    async def _watch(self) -> None:
        started = self._clock.monotonic()
        while self.bound is None:
            await self._clock.sleep(self._interval)
            usage = self._tree.usage()
            self.peak = Usage(
                max(self.peak.memory_bytes, usage.memory_bytes),
                max(self.peak.tasks, usage.tasks),
                max(self.peak.cpu_seconds, usage.cpu_seconds),
            )
            bound = self._check(usage, self._clock.monotonic() - started)
            if bound is not None:
                self._hit(bound)

    def _check(self, usage: Usage, seconds: float) -> Bound | None:
        limits = self._limits
        used, entries, free = self._disk()
        checks: tuple[tuple[Bound, bool], ...] = (
            # A fork bomb is both; its number is what a person can make sense of.
            ("processes", usage.tasks > limits.processes),
            ("memory", usage.memory_bytes > limits.memory_bytes),
            ("disk", used > limits.disk_bytes or free < _FULL_BYTES),
            ("files", entries > limits.files),
            ("time", seconds > limits.wall_seconds),
            ("cpu", usage.cpu_seconds > limits.cpu_seconds),
        )
        return next((bound for bound, reached in checks if reached), None)

    def _read(self) -> bool:
        """Take what it printed; whether there may be more."""
        try:
            chunk = os.read(self._launched.output, 65536)
        except BlockingIOError:
            return False
        if not chunk:
            asyncio.get_running_loop().remove_reader(self._launched.output)
            self._output_open = False
            return False
        if self.bound == "output":
            return True
        self._printed += len(chunk)
        if self._printed > self._limits.output_bytes:
            chunk = chunk[: self._limits.output_bytes - self._printed]
            self._hit("output")
        *lines, self._line = (self._line + chunk).split(b"\n")
        for line in lines:
            self._say(line)
        if len(self._line) >= _LINE_BYTES:
            self._say(self._line)
            self._line = b""
        return True

    def _say(self, line: bytes) -> None:
        for start in range(0, max(len(line), 1), _LINE_BYTES):
            if self._lines == self._limits.output_lines:
                self._hit("output")
                return
            self._lines += 1
            # Not every database takes a NUL.
            text = line[start : start + _LINE_BYTES].decode(errors="replace").replace("\0", "�").rstrip("\r")
            self.tail.append(text)
            if self._on_output is not None:
                self._on_output(text)
