"""How fast the compute floor reacts: a cancelled tree is gone, a dead runner is noticed, a restart is done.

These have no peer; the figures are seconds on the machine that ran them, and nothing is asserted about them.
"""

import asyncio
import os
import signal
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.compute.runners.local import LocalRunner

from ..compute.actions.conftest import ANN, Room, call, sandbox  # noqa: F401, TID252 - the tests are no package

pytestmark = pytest.mark.benchmark

ROUNDS = 30

TREE = """#!/bin/sh
# A tree of processes that don't want to end.
[ "$1" = sleep ] || exit 0
trap '' TERM
for n in 1 2 3 4; do (trap '' TERM; setsid sleep 7531) & done
echo grown
sleep 7531
"""


@pytest.fixture
async def room(tmp_path: Path, sandbox: Any) -> AsyncIterator[Room]:  # noqa: F811 - the fixture
    room = Room(tmp_path, sandbox)
    await room.start(LocalRunner(sandbox))
    await room.register(TREE)
    yield room
    await room.stop()


def told(name: str, seconds: list[float]) -> None:
    print(
        f"\n{name}: median {statistics.median(seconds):.3f} s, longest of {len(seconds)} {max(seconds):.3f} s", end=""
    )


def sleepers() -> int:
    """Processes of the tree that are there."""
    count = 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            count += path.read_bytes() == b"sleep\x007531\x00"
        except (FileNotFoundError, ProcessLookupError):
            continue
    return count


async def test_cancelling(room: Room) -> None:
    seconds = []
    for number in range(ROUNDS):
        lsn = (await room.compute.submit(ANN, call("sleep", constants={"n": number})))["lsn"]
        await room.in_state(ANN, lsn, "running")
        grown = asyncio.Event()
        room.compute._dispatcher.listen(lsn, lambda line, grown=grown: grown.set())
        await grown.wait()
        begun = time.perf_counter()
        await room.compute.cancel(ANN, lsn)
        seconds.append(time.perf_counter() - begun)
        assert sleepers() == 0
    told("cancel until the whole tree is gone", seconds)


async def test_a_dead_runner(room: Room) -> None:
    seconds = []
    for number in range(ROUNDS):
        # A process that has done nothing useful yet would be started anew only after a while.
        await room.end(ANN, call("count", constants={"n": number}))
        queue = await room.compute.create_queue(ANN, {"max_retries": 0}, remote=False)
        lsn = (await room.compute.submit(ANN, call("sleep", constants={"n": 1000 + number}), queue=queue))["lsn"]
        await room.in_state(ANN, lsn, "running")
        info = await room.compute.sysinfo(ANN)
        (pid,) = [process["pid"] for process in info["runner"]["processes"] if process["running"]]
        begun = time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        assert (await room.compute.job(ANN, lsn, wait=30))["state"] == "abandoned"
        seconds.append(time.perf_counter() - begun)
        await room.compute.delete_queue(ANN, queue)
    told("kill -9 of the runner until its action is stored as abandoned", seconds)
