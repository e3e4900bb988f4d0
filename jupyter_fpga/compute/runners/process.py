"""A runner process: ``python -m jupyter_fpga.compute.runners.process SOCKET``. The lab starts it, and talks to it.

It ends with the lab, and what it runs ends with it: behind walls the kernel kills one after the other, even if they are
stopped; without walls it sees the other end of its socket close, and takes down what it runs.

What it is told: ``begin`` (the walls, how much at once, and how much to keep warm), ``run`` and ``cancel`` (with a
number), ``ping``, ``leave`` (end when all is done, or after some seconds) and ``end`` (now). What it tells: ``ready``,
``pong``, and of each run ``started``, ``lines``, and last ``ended``, ``refused`` or ``cancelled``.
"""

import asyncio
import ctypes
import os
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

from jupyter_fpga.compute.runners.direct import DirectRunner
from jupyter_fpga.compute.runners.messages import error_to, finished_to, sandbox_from, task_from
from jupyter_fpga.compute.runners.wire import Wire
from jupyter_fpga.compute.sandbox import Runner, SandboxError
from jupyter_fpga.errors import LabError

__all__ = ("Served", "die_with_parent", "main")

_PR_SET_PDEATHSIG = 1  # prctl(2)


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends; also while it is stopped."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Served:
    """What a runner process does with the messages that it gets.

    Parameters
    ----------
    end
        Its end of the connection.
    """

    def __init__(self, end: socket.socket) -> None:
        self._runs: dict[int, asyncio.Task[dict[str, Any]]] = {}
        self._runner: DirectRunner | None = None
        self._leaving: asyncio.Event = asyncio.Event()
        self._grace = 0.0
        self._empty = asyncio.Event()
        self._empty.set()
        self._wire = Wire(end, self._hear, self._leaving.set)

    async def until_told(self) -> None:
        """Work until the lab says that it is enough, or is gone."""
        await self._leaving.wait()
        try:
            async with asyncio.timeout(self._grace):
                await self._empty.wait()
        except TimeoutError:
            for run in self._runs.values():
                run.cancel()
            await self._empty.wait()
        if self._runner is not None:
            await self._runner.stop()
        self._wire.close()

    def _hear(self, message: dict[str, Any]) -> None:
        what = message["do"]
        if what == "begin":
            sandbox = sandbox_from(message["sandbox"])
            if sandbox.tier != "none":
                # Without walls nothing dies with this process: then it has to live long enough to see to that.
                die_with_parent()
            self._runner = DirectRunner(Runner(sandbox, keep_warm=message["keep_warm"]), message["capacity"])
            self._wire.send({"is": "ready"})
        elif what == "run":
            number = message["number"]
            self._empty.clear()
            begun = self._runs[number] = asyncio.create_task(self._run(number, message))
            begun.add_done_callback(lambda run: self._tell(number, run))
        elif what == "cancel":
            if (run := self._runs.get(message["number"])) is not None:
                run.cancel()
        elif what == "ping":
            self._wire.send({"is": "pong"})
        else:
            self._grace = message.get("seconds", 0.0)
            self._leaving.set()

    def _tell(self, number: int, run: "asyncio.Task[dict[str, Any]]") -> None:
        """The end of a run; one that is cancelled before its first step ends here, too."""
        del self._runs[number]
        if not self._runs:
            self._empty.set()
        self._wire.send({"is": "cancelled", "number": number} if run.cancelled() else run.result())

    async def _run(self, number: int, message: dict[str, Any]) -> dict[str, Any]:
        assert self._runner is not None
        said = _Said(self._wire, number)
        try:
            finished = await self._runner.run(
                task_from(message["task"]),
                Path(message["into"]),
                on_start=lambda: self._wire.send({"is": "started", "number": number}),
                on_output=said.say,
            )
        except (LabError, OSError) as error:
            return {"is": "refused", "number": number, "error": error_to(error)}
        except Exception as error:
            # One task must not take down the others; the lab's log gets what is needed to mend it.
            traceback.print_exc()
            fault = SandboxError(
                f"The runner met a fault of its own ({type(error).__name__}); the lab's log has the reason.",
                code="runner_fault",
            )
            return {"is": "refused", "number": number, "error": error_to(fault)}
        finally:
            said.flush()
        return {"is": "ended", "number": number, "finished": finished_to(finished)}


class _Said:
    """Lines of one program, sent together when they come together."""

    def __init__(self, wire: Wire, number: int) -> None:
        self._wire = wire
        self._number = number
        self._lines: list[str] = []

    def say(self, line: str) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_soon(self.flush)
        self._lines.append(line)

    def flush(self) -> None:
        if self._lines:
            self._wire.send({"is": "lines", "number": self._number, "lines": self._lines})
            self._lines = []


async def _serve(end: socket.socket) -> None:
    await Served(end).until_told()


def main(descriptor: int) -> None:
    """Serve the lab at the other end of a socket, to the end."""
    os.set_inheritable(descriptor, False)
    asyncio.run(_serve(socket.socket(fileno=descriptor)))


if __name__ == "__main__":
    main(int(sys.argv[1]))
