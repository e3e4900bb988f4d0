"""The lab's side of one runner process: what it was given, whether it lives, and what it says."""

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from jupyter_fpga.clock import Clock
from jupyter_fpga.compute.runners import messages
from jupyter_fpga.compute.runners.base import Late, RunnerVanished, Task
from jupyter_fpga.compute.runners.wire import Wire
from jupyter_fpga.compute.sandbox import Finished, Sandbox, SandboxError
from jupyter_fpga.compute.sandbox.supervisor import uninterrupted
from jupyter_fpga.compute.sandbox.usage import SessionTree

__all__ = ("Child", "Watch")

_MARK = "JUPYTER_FPGA_RUNNER"
_START_SECONDS = 30.0
"""It takes 0.2 s; on a machine that swaps, more."""
_BEATS = 5
"""Unanswered heartbeats until a runner counts as lost."""
_LEAVE_SECONDS = 5.0
"""What a lost runner that woke up has for telling what ended while it was away."""
_END_SECONDS = 0.4


@dataclass(frozen=True)
class Watch:
    """How a runner process is started and watched.

    Parameters
    ----------
    command
        Starts one; the number of its socket comes last.
    clock
        Measures silence.
    silent_seconds
        It is given up when it answers nothing for so long.
    kill_lost
        Whether it is killed then; otherwise it stands for one on a machine where the lab can kill nobody.
    keep_warm
        How many sandboxes it keeps ready of each kind.
    """

    command: Sequence[str]
    clock: Clock
    silent_seconds: float
    kill_lost: bool
    keep_warm: int


@dataclass(eq=False)
class _Call:
    """A task that the process has."""

    token: str
    into: Path
    on_start: Callable[[], None]
    on_output: Callable[[str], None]
    end: "asyncio.Future[Finished]"
    given: float
    started: float | None = None
    fault: Exception | None = None
    """What a listener raised: the task is ended, and the caller gets this."""


class Child:
    """A runner process of this machine, from its start to its end.

    Parameters
    ----------
    sandbox, capacity
        For the tasks that it runs.
    watch
        How it is watched.
    scratch
        Where it gets a folder of its own for work folders on the disk; None if they are in memory.
    on_lost
        Called when nothing more must be given to it: it is dead, or doesn't answer.
    on_gone
        Called when it is no more.
    on_late
        Told of results of a process that was lost.

    Raises
    ------
    SandboxError
        The machine starts no process.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        capacity: int,
        watch: Watch,
        scratch: Path | None,
        *,
        on_lost: "Callable[[Child], None]",
        on_gone: "Callable[[Child], None]",
        on_late: Late,
    ) -> None:
        self._watch = watch
        self._on_lost = on_lost
        self._on_gone = on_gone
        self._on_late = on_late
        self._numbers = count()
        self._calls: dict[int, _Call] = {}
        self._walls = sandbox.tier != "none"
        self._mark = secrets.token_hex(16)
        self._heard = False
        self._lost = False
        self.useful = False
        """Whether a task has come to its end on it."""
        self._leaving = False
        self._sweeping: asyncio.Task[None] | None = None
        self.ready = asyncio.Event()
        """Set when it can be given tasks, and when that will never be: then it is also lost."""
        self.gone = asyncio.Event()
        """Set when the process is no more, and nothing that it ran."""
        self._scratch = Path(tempfile.mkdtemp(dir=scratch)) if scratch is not None else None
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._popen = subprocess.Popen(
                    [*watch.command, str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env={**os.environ, **({"TMPDIR": str(self._scratch)} if self._scratch else {})},
                    # Ctrl+C in the lab's terminal is the lab's affair.
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                raise SandboxError(
                    f"The lab can't start a runner process: {error.strerror}. The machine may be out of memory or of "
                    "processes; try again when it has less to do.",
                    code="runner_start_failed",
                ) from error
        self._loop = asyncio.get_running_loop()
        self._pidfd = os.pidfd_open(self._popen.pid)
        self._loop.add_reader(self._pidfd, self._died)
        self._wire = Wire(ours, self._hear, self.kill)
        facts = {"sandbox": messages.sandbox_to(sandbox), "capacity": capacity, "keep_warm": watch.keep_warm}
        self._wire.send({"do": "begin", **facts})
        self._beating = asyncio.create_task(self._beat(), name=f"jupyter_fpga runner {self.pid}")

    # --- Its life -----------------------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """Its number on the machine."""
        return self._popen.pid

    @property
    def lost(self) -> bool:
        """Whether it is dead or given up."""
        return self._lost

    def kill(self) -> None:
        """End it at once; what it runs dies with it."""
        if not self.gone.is_set() and self._popen.returncode is None:
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    async def stop(self) -> None:
        """End it and what it runs; return when it is gone."""
        if self._lost:
            self.kill()
        else:
            self._wire.send({"do": "end"})
            try:
                async with asyncio.timeout(_END_SECONDS):
                    await self.gone.wait()
            except TimeoutError:
                self.kill()
        await self.gone.wait()

    def describe(self) -> dict[str, Any]:
        """Facts for people; times are Unix seconds, ``started`` is None while a sandbox comes up."""
        running = [
            {"token": call.token, "given": call.given, "started": call.started}
            for call in self._calls.values()
            if not call.end.done()
        ]
        state = "lost" if self._lost else "ready" if self.ready.is_set() else "starting"
        return {"pid": self.pid, "state": state, "running": running}

    @property
    def ended_with(self) -> str:
        """How the process ended, in words."""
        code = self._popen.returncode
        if code is None:
            return "didn't answer"
        return (
            f"was ended by signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"ended with exit code {code}"
        )

    async def _beat(self) -> None:
        interval = self._watch.silent_seconds / _BEATS
        missed = 0
        # Counted, not measured: when the lab itself was asleep, a clock would say that the runner was.
        while missed < (_BEATS if self.ready.is_set() else max(_BEATS, _START_SECONDS / interval)):
            self._heard = False
            self._wire.send({"do": "ping"})
            await self._watch.clock.sleep(interval)
            self._wire.drain()
            missed = 0 if self._heard else missed + 1
        self._lose(
            f"The runner process {self.pid} hasn't answered for {missed * interval:.3g} s and was given up. What it "
            "ran is tried again."
        )
        if self._watch.kill_lost:
            self.kill()

    def _died(self) -> None:
        """The kernel says that the process is no more."""
        self._loop.remove_reader(self._pidfd)
        self._popen.wait()
        # What it said before.
        self._wire.drain()
        self._wire.close()
        self._beating.cancel()
        os.close(self._pidfd)
        if self._walls:
            self._bury()
        else:
            self._sweeping = asyncio.create_task(self._sweep())

    async def _sweep(self) -> None:
        """Without walls nothing died with it: end what it ran."""
        tree = SessionTree(self.pid, f"{_MARK}={self._mark}")
        try:
            while tree.kill():  # noqa: ASYNC110 (strangers' processes tell nobody that they end)
                await asyncio.sleep(0.01)
        finally:
            tree.close()
            self._bury()

    def _bury(self) -> None:
        self.gone.set()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
        self._lose(f"The runner process {self.pid} {self.ended_with}. What it ran is tried again.")
        self._calls.clear()
        self._on_gone(self)

    def _lose(self, message: str) -> None:
        for call in self._calls.values():
            if not call.end.done():
                call.end.set_exception(RunnerVanished(message))
        if not self._lost:
            self._lost = True
            self.ready.set()
            self._on_lost(self)

    # --- What it runs -------------------------------------------------------------------------------------------

    async def run(
        self, task: Task, into: Path, *, on_start: Callable[[], None], on_output: Callable[[str], None]
    ) -> Finished:
        """Have it run a task: see :class:`~jupyter_fpga.compute.runners.base.ActionRunner`."""
        if self._lost:
            raise RunnerVanished(f"The runner process {self.pid} is gone.")
        number = next(self._numbers)
        data = messages.task_to(task)
        if not self._walls:
            data["environment"] = {**data["environment"], _MARK: self._mark}
        self._wire.send({"do": "run", "number": number, "task": data, "into": str(into)})
        call = _Call(task.token, into, on_start, on_output, self._loop.create_future(), self._watch.clock.time())
        self._calls[number] = call
        try:
            await asyncio.wait({call.end})
        except asyncio.CancelledError:
            self._wire.send({"do": "cancel", "number": number})
            await uninterrupted(_ended(call.end))
            raise
        return call.end.result()

    def _hear(self, message: dict[str, Any]) -> None:
        self._heard = True
        if self._lost and not self._leaving and not self.gone.is_set():
            self._leaving = True
            self._wire.send({"do": "leave", "seconds": _LEAVE_SECONDS})
        what = message["is"]
        if what == "ready":
            self.ready.set()
        call = self._calls.get(message.get("number", -1))
        if call is None:
            return
        if what == "started":
            call.started = self._watch.clock.time()
            self._say(message["number"], call, call.on_start)
        elif what == "lines":
            for line in message["lines"]:
                self._say(message["number"], call, call.on_output, line)
        else:
            del self._calls[message["number"]]
            self._finish(call, message)

    def _say(self, number: int, call: _Call, say: Callable[..., None], *what: str) -> None:
        if call.end.done() or call.fault is not None:
            return
        try:
            say(*what)
        except Exception as error:
            call.fault = error
            self._wire.send({"do": "cancel", "number": number})

    def _finish(self, call: _Call, message: dict[str, Any]) -> None:
        what = message["is"]
        self.useful = self.useful or what != "cancelled"
        finished = messages.finished_from(message["finished"]) if what == "ended" else None
        if call.end.done():
            # Given up long ago. Whoever asked has thrown the folder away: it must not be there again.
            if finished is not None:
                self._on_late(call.token, finished)
            shutil.rmtree(call.into, ignore_errors=True)
        elif call.fault is not None:
            call.end.set_exception(call.fault)
        elif finished is not None:
            call.end.set_result(finished)
        elif what == "refused":
            call.end.set_exception(messages.error_from(message["error"]))
        else:
            # Whoever cancelled it himself doesn't hear this.
            call.end.set_exception(RunnerVanished("The runner was stopped, and what it ran with it."))


async def _ended(future: "asyncio.Future[Finished]") -> None:
    """Return when a future is done, whatever it says."""
    await asyncio.wait({future})
    if not future.cancelled():
        future.exception()
