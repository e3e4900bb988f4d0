"""Runner processes that die, fall silent, wake up again, can't be started, and that end with their lab."""

import asyncio
import os
import signal
import sys
import time
from dataclasses import replace
from typing import Any

import pytest

from jupyter_fpga.clock import SystemClock
from jupyter_fpga.compute.runners import RunnerVanished
from jupyter_fpga.compute.sandbox import Finished, SandboxError
from jupyter_fpga.compute.sandbox.process import wait_readable
from jupyter_fpga.errors import TooLarge

from .conftest import Bench, Told, anybodys_python, children

# A grandchild in a session of its own holds the pipe, too.
WITNESS = "exec 3> $1; setsid sleep 600 & echo up >&3; sleep 600"


def pid_of(runner: Any) -> int:
    """The number of the only runner process."""
    (process,) = runner.describe()["processes"]
    number: int = process["pid"]
    return number


async def gone(pid: int) -> None:
    """Return when a process has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    await wait_readable(descriptor)
    os.close(descriptor)


async def test_a_killed_runner_is_noticed_and_replaced(tiered: Bench) -> None:
    runner = await tiered.runner(capacity=2)
    alive = tiered.pipe("alive")
    runs = [asyncio.create_task(tiered.run(runner, WITNESS, alive.inside, mounts=(alive.mount,))) for _ in range(2)]
    await alive.words(2, runs)
    pid = pid_of(runner)
    assert [sorted(task) for task in runner.describe()["processes"][0]["running"]] == [
        ["given", "started", "token"]
    ] * 2
    os.kill(pid, signal.SIGKILL)
    for run in runs:
        with pytest.raises(RunnerVanished) as caught:
            await run
        assert caught.value.code == "runner_vanished"
        assert caught.value.message == (
            f"The runner process {pid} was ended by signal 9 (Killed). What it ran is tried again."
        )
    await alive.all_gone()
    assert (await tiered.run(runner, "echo well")).output_tail == "well"
    assert pid_of(runner) != pid


ENDS_AND_DIES = """
import asyncio, os, signal, socket, sys
from jupyter_fpga.compute.runners.messages import finished_to
from jupyter_fpga.compute.runners.wire import Wire
from jupyter_fpga.compute.sandbox import Finished

async def main():
    def hear(message):
        if message["do"] == "begin":
            wire.send({"is": "ready"})
        if message["do"] == "run":
            finished = finished_to(Finished(0, "the last word", None, 0.1, 0.1, 1))
            wire.send({"is": "ended", "number": message["number"], "finished": finished})
            os.kill(os.getpid(), signal.SIGKILL)
    wire = Wire(socket.socket(fileno=int(sys.argv[1])), hear, sys.exit)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_what_was_told_before_the_death_counts(local: Bench) -> None:
    runner = await local.runner(command=(sys.executable, "-c", ENDS_AND_DIES), clock=Waits())
    assert (await local.run(runner, "true")).output_tail == "the last word"


async def test_a_silent_runner_is_given_up_and_killed(local: Bench) -> None:
    runner = await local.runner(silent_seconds=1.0)
    alive = local.pipe("alive")
    run = asyncio.create_task(local.run(runner, WITNESS, alive.inside, mounts=(alive.mount,)))
    assert await alive.word() == "up\n"
    pid = pid_of(runner)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(RunnerVanished) as caught:
        await run
    assert caught.value.message == (
        f"The runner process {pid} hasn't answered for 1 s and was given up. What it ran is tried again."
    )
    await gone(pid)
    await alive.all_gone()
    assert (await local.run(runner, "echo well")).output_tail == "well"


async def test_a_run_can_be_cancelled_while_its_runner_is_silent(local: Bench) -> None:
    runner = await local.runner(silent_seconds=1.0)
    alive = local.pipe("alive")
    run = asyncio.create_task(local.run(runner, WITNESS, alive.inside, mounts=(alive.mount,)))
    assert await alive.word() == "up\n"
    os.kill(pid_of(runner), signal.SIGSTOP)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    await alive.all_gone()


async def test_a_runner_that_wakes_up_is_late(local: Bench) -> None:
    late: asyncio.Future[tuple[str, Finished, str]] = asyncio.get_running_loop().create_future()

    def on_late(token: str, finished: Finished) -> None:
        late.set_result((token, finished, finished.outputs["made"].read_text()))

    local.on_late = on_late
    runner = await local.runner(silent_seconds=1.0, kill_lost=False)
    alive, gate = local.pipe("alive"), local.pipe("gate")
    task = local.task(
        "exec 3> /alive; echo up >&3; read -r _ <> /gate; echo late > made",
        mounts=(alive.mount, gate.mount),
        outputs=("made",),
    )
    into = local.into()
    run = asyncio.create_task(runner.run(task, into, **Told().listeners))
    assert await alive.word() == "up\n"
    pid = pid_of(runner)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(RunnerVanished):
        await run
    into.rmdir()
    # The others go on elsewhere; the lost one is still there, and so is its program, which comes to its end.
    assert (await local.run(runner, "echo well")).output_tail == "well"
    states = {process["pid"]: process["state"] for process in runner.describe()["processes"]}
    assert len(states) == 2
    assert states[pid] == "lost"
    gate.tell()
    await alive.all_gone()
    assert not late.done()
    os.kill(pid, signal.SIGCONT)
    token, finished, made = await late
    assert (token, finished.returncode, made) == (task.token, 0, "late\n")
    await gone(pid)
    assert not into.exists()


async def test_a_lost_runner_ends_what_it_still_runs_when_it_wakes_up(
    local: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_fpga.compute.runners.child._LEAVE_SECONDS", 0.0)
    runner = await local.runner(silent_seconds=1.0, kill_lost=False)
    alive = local.pipe("alive")
    run = asyncio.create_task(local.run(runner, WITNESS, alive.inside, mounts=(alive.mount,)))
    assert await alive.word() == "up\n"
    pid = pid_of(runner)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(RunnerVanished):
        await run
    os.kill(pid, signal.SIGCONT)
    await gone(pid)
    await alive.all_gone()
    assert local.late == []


async def test_a_lab_that_was_asleep_gives_nobody_up(local: Bench) -> None:
    runner = await local.runner(silent_seconds=0.5)
    gate = local.pipe("gate")
    begun = asyncio.Event()
    task = local.task("echo up; read -r _ <> /gate", mounts=(gate.mount,))
    run = asyncio.create_task(runner.run(task, local.into(), on_start=lambda: None, on_output=lambda line: begun.set()))
    await begun.wait()
    pid = pid_of(runner)
    time.sleep(1.0)  # noqa: ASYNC251 (this is the sleep of the lab)
    gate.tell()
    assert (await run).returncode == 0
    assert pid_of(runner) == pid


async def test_a_stop_ends_everything(tiered: Bench) -> None:
    runner = await tiered.runner()
    alive = tiered.pipe("alive")
    run = asyncio.create_task(tiered.run(runner, WITNESS, alive.inside, mounts=(alive.mount,)))
    assert await alive.word() == "up\n"
    pid = pid_of(runner)
    await runner.stop()
    assert alive.nobody()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(RunnerVanished) as caught:
        await run
    assert caught.value.message == "The runner was stopped, and what it ran with it."
    assert runner.describe()["processes"] == []


async def test_a_stop_while_it_starts(local: Bench) -> None:
    runner = await local.runner()
    run = asyncio.create_task(local.run(runner, "echo no"))
    await asyncio.sleep(0)
    await runner.stop()
    with pytest.raises(RunnerVanished):
        await run
    assert runner.describe()["processes"] == []


class Waits(SystemClock):
    """A clock that notes the waits between two starts, and shortens them."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        if seconds == 1.0:  # a heartbeat's
            await super().sleep(seconds)
        else:
            self.waits.append(seconds)


async def test_a_runner_that_never_comes_up(local: Bench) -> None:
    clock = Waits()
    runner = await local.runner(clock=clock, command=("/bin/false",))
    for times in (3, 4):
        with pytest.raises(SandboxError) as caught:
            await local.run(runner, "true")
        assert caught.value.code == "runner_start_failed"
        assert caught.value.message == (
            f"The lab's runner process ended with exit code 1 while it was starting, {times} times in a row, so "
            "nothing can be built or run. The lab's log has what it said; free memory or install jupyter-fpga again, "
            "then try again."
        )
    assert clock.waits == [0.1, 0.2, 0.4]
    assert runner.describe()["processes"] == []


async def test_a_runner_that_comes_up_at_last(local: Bench) -> None:
    count = local.folder / "count"
    script = f'echo >> {count}; [ $(wc -l < {count}) = 3 ] && exec "$@"'
    start = (sys.executable, "-P", "-m", "jupyter_fpga.compute.runners.process")
    runner = await local.runner(clock=Waits(), command=("/bin/sh", "-c", script, "sh", *start))
    assert (await local.run(runner, "echo well")).output_tail == "well"


async def test_a_machine_that_starts_no_process(local: Bench) -> None:
    runner = await local.runner(command=("/nonexistent/python",))
    with pytest.raises(SandboxError) as caught:
        await local.run(runner, "true")
    assert caught.value.code == "runner_start_failed"
    assert caught.value.message == (
        "The lab can't start a runner process: No such file or directory. The machine may be out of memory or of "
        "processes; try again when it has less to do."
    )


async def test_a_task_that_is_too_large(local: Bench) -> None:
    runner = await local.runner()
    with pytest.raises(TooLarge) as caught:
        await local.run(runner, "true", inputs={"big": bytes(50 << 20)})
    assert caught.value.code == "task_too_large"
    assert caught.value.message == (
        "The task takes 66 MiB with the files that it was handed as bytes; a runner takes 64 MiB. Hand large files "
        "over by their paths."
    )
    assert (await local.run(runner, "echo well")).output_tail == "well"


LAB = """
import asyncio, sys
from pathlib import Path
from jupyter_fpga.compute.runners import Task
from jupyter_fpga.compute.runners.local import LocalRunner
from jupyter_fpga.compute.sandbox import Limits, Mount, Sandbox

async def lab(tier, alive, inside, folder, script):
    sandbox = Sandbox.probe(tiers=(tier,))
    assert sandbox.tier == tier, sandbox.reason
    runner = LocalRunner(sandbox)
    await runner.start(print)
    task = Task("1:1", ("/bin/sh", "-c", script, "sh", inside), Limits(), mounts=(Mount(Path(alive), "/alive", True),))
    tell = lambda: print(runner.describe()["processes"][0]["pid"], flush=True)
    await runner.run(task, Path(folder), on_start=tell, on_output=print)

asyncio.run(lab(*sys.argv[1:]))
"""

USERS = ["own", "ordinary"] if os.getuid() == 0 else ["own"]


async def killed_lab(bench: Bench, user: str, *, stopped: bool) -> None:
    """Kill a lab that has a program at work, and wait until everything is gone."""
    alive = bench.pipe("alive")
    environment = {**os.environ, "TMPDIR": str(bench.folder)}
    python, options = anybodys_python(environment) if user == "ordinary" else (sys.executable, {"env": environment})
    arguments = (bench.sandbox.tier, str(alive.path), alive.inside, str(bench.folder), WITNESS)
    lab = await asyncio.create_subprocess_exec(python, "-c", LAB, *arguments, stdout=asyncio.subprocess.PIPE, **options)
    assert lab.stdout is not None
    pid = int(await lab.stdout.readline())
    assert await alive.word() == "up\n"
    assert os.stat(f"/proc/{pid}").st_uid == options.get("user", os.getuid())
    if stopped:
        os.kill(pid, signal.SIGSTOP)
    lab.kill()
    await lab.wait()
    await gone(pid)
    await alive.all_gone()


@pytest.mark.parametrize("user", USERS)
async def test_a_killed_lab_takes_runner_and_programs_along(tiered: Bench, user: str) -> None:
    await killed_lab(tiered, user, stopped=False)


@pytest.mark.parametrize("user", USERS)
async def test_a_killed_lab_takes_a_stopped_runner_along(local: Bench, user: str) -> None:
    # Not without walls: there it has to live to end what it runs.
    await killed_lab(local, user, stopped=True)


async def test_warm_sandboxes_end_with_their_runner(local: Bench) -> None:
    runner = await local.runner()
    command = (sys.executable, "-P", "-m", "jupyter_fpga.gateware")
    task = replace(local.task(""), command=command, warm="amaranth")
    await runner.run(task, local.into(), **Told().listeners)
    pid = pid_of(runner)
    while not (waiting := children(pid, "bwrap")):  # noqa: ASYNC110 (another's children tell nobody that they begin)
        await asyncio.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    await gone(waiting[0])
