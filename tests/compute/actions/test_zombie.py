"""A runner that was stopped, given up, and wakes up again with a result that nobody waits for any more."""

import asyncio
import os
import signal

import pytest

from jupyter_fpga.compute.actions import ComputeConfig
from jupyter_fpga.compute.runners.local import LocalRunner

from .conftest import ANN, Room, call

SCRIPT = """#!/bin/sh
echo begun
sleep 1
date +%s%N > outputs/when
"""


@pytest.mark.parametrize("seconds", [3, pytest.param(60, marks=pytest.mark.soak)])
async def test_a_zombie_is_refused(make_room: "type[Room]", caplog: pytest.LogCaptureFixture, seconds: float) -> None:
    room = make_room(config=ComputeConfig(retry_seconds=(0.01,)))
    # One that is given up is killed as a rule; here it lives on, as it would behind a network that was cut.
    runner = LocalRunner(room.sandbox, silent_seconds=1.0, kill_lost=False)
    await room.start(runner)
    try:
        await room.register(SCRIPT)
        lsn = (await room.compute.submit(ANN, call("count")))["lsn"]
        await room.in_state(ANN, lsn, "running")
        (first,) = [process["pid"] for process in runner.describe()["processes"] if process["running"]]
        os.kill(first, signal.SIGSTOP)
        record = await room.compute.job(ANN, lsn, wait=60)
        assert (record["state"], record["retry_count"]) == ("completed", 1)
        kinds = await room.kinds(lsn)
        await asyncio.sleep(seconds)
        before = room.store.events.latest
        os.kill(first, signal.SIGCONT)
        async for event in room.store.events.subscribe(before):
            if event.kind == "action_result_refused":
                break
        assert event.data["action_lsn"] == lsn
        assert event.data["fence"] < event.data["found"]
        assert await room.compute.job(ANN, lsn) == record
        assert [kind for kind in await room.kinds(lsn) if kind != event.kind] == kinds
        assert kinds.count("action_completed") == 1
    finally:
        await room.stop()
