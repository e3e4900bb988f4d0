"""The same through the compute floor: an action that attacks is a result with a name, and the next one is unharmed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.compute.actions import ComputeConfig
from jupyter_fpga.compute.runners import RunnerVanished
from jupyter_fpga.compute.runners.direct import DirectRunner
from jupyter_fpga.compute.sandbox import Finished, Runner, Sandbox

from ..compute.actions.conftest import ANN, BEN, Room, call  # noqa: TID252 - the tests are no package
from .conftest import RESOURCES

FUNCTIONS = ("well", "fork", "disk", "flood", "endless", "link", "fifo", "forge")
VERSION = call("well")["function_version"]
WORKER = {
    "functions": [{"name": name, "version": VERSION} for name in FUNCTIONS],
    "timeout_seconds": 2,
    "memory_mb": 256,
}


class Doubtful:
    """A runner that is given up at its first task, and comes back with a result of its own when the second one runs."""

    name = "doubtful"
    capacity = 2

    def __init__(self, runner: DirectRunner, forged: Path) -> None:
        self._runner = runner
        self._forged = forged
        self.tokens: list[str] = []
        self.running, self.go_on = asyncio.Event(), asyncio.Event()

    async def start(self, on_late: Any) -> None:
        self.on_late = on_late
        await self._runner.start(on_late)

    async def run(self, task: Any, into: Path, **how: Any) -> Finished:
        self.tokens.append(task.token)
        if len(self.tokens) == 1:
            raise RunnerVanished("The runner is gone.")
        self.running.set()
        await self.go_on.wait()
        return await self._runner.run(task, into, **how)

    def come_back(self) -> None:
        """The first run's result, after all: another answer than the right one."""
        outputs = {"outputs/answer": self._forged}
        self.on_late(self.tokens[0], Finished(0, "forged", None, 0.1, 0.1, 0, outputs))

    def describe(self) -> dict[str, Any]:
        return self._runner.describe()

    async def stop(self) -> None:
        await self._runner.stop()


@pytest.fixture
async def room(walls: Sandbox, tmp_path: Path) -> AsyncIterator[Room]:
    """A compute floor behind the tier's walls, with a worker of attacks."""
    room = Room(tmp_path, walls, config=ComputeConfig(retry_seconds=(0.01,)))
    await room.start()
    await room.register((RESOURCES / "worker.sh").read_text(), **WORKER)
    yield room
    job = await room.end(BEN, call("well", cache="skip"))
    assert (job["state"], job["result"]["ok"], job["result"]["log"]) == ("completed", True, ["well"])
    await room.stop()


@pytest.mark.parametrize(
    ("attack", "bound"), [("fork", "processes"), ("disk", "disk"), ("flood", "output"), ("endless", "time")]
)
async def test_the_bound_is_the_result(room: Room, attack: str, bound: str) -> None:
    """It is completed, not failed: nobody tries it again."""
    attacks, other = await asyncio.gather(room.end(ANN, call(attack)), room.end(BEN, call("well")))
    assert (attacks["state"], attacks["result"]["ok"], attacks["result"]["bound"]) == ("completed", False, bound)
    assert (attacks["retry_count"], attacks["result"]["outputs"]) == (0, {})
    assert (other["state"], other["result"]["bound"], list(other["result"]["outputs"])) == (
        "completed",
        None,
        ["answer"],
    )


@pytest.mark.parametrize("attack", ["link", "fifo"])
async def test_an_output_that_is_no_file(room: Room, attack: str) -> None:
    job = await room.end(ANN, call(attack))
    assert (job["state"], job["result"]["ok"], job["result"]["outputs"]) == ("completed", False, {})
    assert job["result"]["error"]["error"] == "bad_output"


async def test_who_kills_everything_kills_itself(room: Room) -> None:
    job = await room.end(ANN, call("forge"))
    assert (job["state"], job["result"]["ok"]) == ("completed", False)


async def test_a_stale_fence_token_is_anothers(walls: Sandbox, tmp_path: Path) -> None:
    """The run that was given up comes back while the next one is at it: its result is refused, and is nobody's."""
    forged = tmp_path / "forged"
    forged.write_text("forged")
    room = Room(tmp_path, walls, config=ComputeConfig(retry_seconds=(0.01,)))
    runner = Doubtful(DirectRunner(Runner(walls), capacity=2), forged)
    await room.start(runner)
    await room.register((RESOURCES / "worker.sh").read_text(), **WORKER)
    lsn = (await room.compute.submit(ANN, call("well")))["lsn"]
    await asyncio.wait_for(runner.running.wait(), 20)
    assert runner.tokens[0] != runner.tokens[1]
    runner.come_back()
    events = room.store.events.subscribe(0)
    while (event := await asyncio.wait_for(anext(events), 20)).kind != "action_result_refused":
        pass
    assert (await room.compute.job(ANN, lsn))["state"] == "submitting"
    runner.go_on.set()
    job = await room.compute.job(ANN, lsn, wait=60)
    assert (job["state"], job["result"]["log"], job["retry_count"]) == ("completed", ["well"], 1)
    path, _ = await room.compute.chunk(ANN, job["result"]["outputs"]["answer"]["hash"])
    assert path.read_text() == "42\n"
    assert (event.data["action_lsn"], f"{lsn}:{event.data['fence']}") == (lsn, runner.tokens[0])
    await room.stop()
