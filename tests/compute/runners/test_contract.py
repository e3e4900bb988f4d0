"""What the compute floor may expect of every runner."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_fpga.compute.runners import RunnerVanished
from jupyter_fpga.compute.sandbox import BadOutput, Mount, SandboxError

from .conftest import SMALL, Bench, Told, children


async def test_inputs_outputs_lines_and_exit_code(bench: Bench) -> None:
    big = bench.folder / "big"
    big.write_bytes(b"b" * 100_000)
    bench_runner = await bench.runner()
    into = bench.into()
    task = bench.task(
        'cat source/text; wc -c < big; wc -c < bytes; echo "$CXX $1" >&2;'
        "mkdir made; echo 1 > made/one; echo 2 > made/two; echo x > tool; chmod +x tool; echo no > unasked; exit 3",
        "argument",
        inputs={"source/text": b"hello\n", "big": big, "bytes": bytes(range(256)) * 4000},
        outputs=("tool", "made/", "missing"),
        environment={"CXX": "c++"},
    )
    told = Told()
    finished = await bench_runner.run(task, into, **told.listeners)
    assert (finished.returncode, finished.bound) == (3, None)
    assert told.lines == ["hello", "100000", "1024000", "c++ argument"]
    assert told.starts == 1
    assert finished.output_tail == "\n".join(told.lines)
    assert {name: path.read_text() for name, path in finished.outputs.items()} == {
        "made/one": "1\n",
        "made/two": "2\n",
        "tool": "x\n",
    }
    assert finished.outputs["made/two"] == into / "made/two"
    assert os.access(finished.outputs["tool"], os.X_OK)
    assert not os.access(finished.outputs["made/one"], os.X_OK)
    assert finished.seconds > 0


async def test_everything_and_mounts(bench: Bench) -> None:
    seen = bench.folder / "seen"
    seen.write_text("seen")
    seen.chmod(0o644)
    finished = await bench.run(
        await bench.runner(), "cp /seen copy; mkdir a; cp /seen a/b", mounts=(Mount(seen, "/seen"),), outputs=("*",)
    )
    assert {name: path.read_text() for name, path in finished.outputs.items()} == {"a/b": "seen", "copy": "seen"}


async def test_names_that_are_no_text(bench: Bench) -> None:
    finished = await bench.run(await bench.runner(), r"""echo 1 > "$(printf 'a\377')" """, outputs=("*",))
    assert list(finished.outputs) == ["a\udcff"]


async def test_lines_come_in_order_and_before_the_end(bench: Bench) -> None:
    told = Told()
    await bench.run(await bench.runner(), "seq 1 5000; printf 'no newline'", told=told)
    assert told.lines == [*map(str, range(1, 5001)), "no newline"]


async def test_lines_come_while_it_runs(bench: Bench) -> None:
    gate = bench.pipe("gate")
    said = asyncio.Event()
    runner = await bench.runner()
    task = bench.task("echo first; read -r _ <> /gate", mounts=(gate.mount,))
    run = asyncio.create_task(runner.run(task, bench.into(), on_start=lambda: None, on_output=lambda line: said.set()))
    await said.wait()
    gate.tell()
    assert (await run).returncode == 0


@pytest.mark.parametrize(
    ("bound", "script", "limits"),
    [
        ("time", "sleep 100", replace(SMALL, wall_seconds=0.2)),
        ("cpu", "while :; do :; done", replace(SMALL, cpu_seconds=0.2)),
        ("memory", "tail /dev/zero", SMALL),
        ("processes", "sleep 100 & sleep 100 & sleep 100 & wait", replace(SMALL, processes=3)),
        ("disk", "cat /dev/zero > zeros", SMALL),
        ("files", "n=0; while :; do n=$((n + 1)); : > $n; done", SMALL),
        ("output", "yes", SMALL),
    ],
)  # fmt: skip
async def test_the_bound_that_was_hit_is_named(bench: Bench, bound: str, script: str, limits: object) -> None:
    runner = await bench.runner()
    finished = await bench.run(runner, script, limits=limits)
    assert finished.bound == bound
    assert (await bench.run(runner, "echo well")).output_tail == "well"


async def test_something_else_than_a_file(bench: Bench) -> None:
    with pytest.raises(BadOutput) as caught:
        await bench.run(await bench.runner(), "ln -s /etc/passwd out", outputs=("out",))
    assert caught.value.code == "bad_output"
    assert caught.value.message == "The program left out as something else than a plain file; it was not read."


async def test_a_sandbox_that_does_not_come_up(bench: Bench) -> None:
    with pytest.raises(SandboxError) as caught:
        await bench.run(await bench.runner(), "true", mounts=(Mount(Path("/nonexistent/tool"), "/tool"),))
    assert caught.value.code == "sandbox_failed"
    assert caught.value.message == (
        "The sandbox could not be started: bwrap: Can't find source path /nonexistent/tool: No such file or directory"
    )


async def test_nowhere_to_put_the_outputs(bench: Bench) -> None:
    into = bench.folder / "file"
    into.touch()
    runner = await bench.runner()
    with pytest.raises(NotADirectoryError):
        await runner.run(bench.task("echo 1 > a/b; mkdir a; echo 1 > a/b", outputs=("a/b",)), into, **Told().listeners)


async def test_a_cancelled_run_is_gone_when_that_returns(bench: Bench) -> None:
    alive = bench.pipe("alive")
    runner = await bench.runner()
    task = bench.task("trap '' TERM; exec 3> /alive; setsid sleep 600 & echo up >&3; sleep 600", mounts=(alive.mount,))
    run = asyncio.create_task(runner.run(task, bench.into(), **Told().listeners))
    assert await alive.word() == "up\n"
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert alive.nobody()
    assert [process["running"] for process in runner.describe()["processes"]] == [[]]
    assert (await bench.run(runner, "echo well")).output_tail == "well"


async def test_a_run_that_is_cancelled_before_it_begins(bench: Bench) -> None:
    runner = await bench.runner()
    await bench.run(runner, "true")
    told = Told()
    run = asyncio.create_task(bench.run(runner, "echo no", told=told))
    asyncio.get_running_loop().call_soon(run.cancel)
    with pytest.raises(asyncio.CancelledError):
        await run
    assert (told.starts, told.lines) == (0, [])
    assert (await bench.run(runner, "echo well")).output_tail == "well"


async def test_as_many_at_once_as_there_is_room_for(bench: Bench) -> None:
    runner = await bench.runner(capacity=3)
    assert runner.capacity == 3
    there, back = bench.pipe("there"), bench.pipe("back")
    # Each ends only if the other two are at work.
    mounts = (there.mount, back.mount)
    waiting = [
        asyncio.create_task(bench.run(runner, "echo up > /there; read -r _ <> /back; echo done", mounts=mounts))
        for _ in range(3)
    ]
    await there.words(3, waiting)
    assert sum(len(process["running"]) for process in runner.describe()["processes"]) == 3
    for _ in range(3):
        back.tell()
    assert [finished.output_tail for finished in await asyncio.gather(*waiting)] == ["done"] * 3


async def test_a_sandbox_that_is_killed_from_outside(bench: Bench) -> None:
    alive = bench.pipe("alive")
    runner = await bench.runner(capacity=2)
    task = bench.task("exec 3> /alive; echo up >&3; sleep 600", mounts=(alive.mount,))
    run = asyncio.create_task(runner.run(task, bench.into(), **Told().listeners))
    assert await alive.word() == "up\n"
    ((bubblewrap),) = [
        child for process in runner.describe()["processes"] for child in children(process["pid"], "bwrap")
    ]
    os.kill(bubblewrap, signal.SIGKILL)
    with pytest.raises(RunnerVanished) as caught:
        await run
    assert caught.value.code == "runner_killed"
    assert caught.value.message == (
        "The program was killed from outside, neither by the lab nor by itself; the machine may be out of memory. It "
        "is tried again."
    )
    await alive.all_gone()


async def test_a_listener_that_fails_ends_the_run(bench: Bench) -> None:
    alive = bench.pipe("alive")

    def fail() -> None:
        raise RuntimeError("no")

    runner = await bench.runner()
    task = bench.task("exec 3> /alive; echo up; sleep 600", mounts=(alive.mount,))
    with pytest.raises(RuntimeError, match="no"):
        await runner.run(task, bench.into(), on_start=fail, on_output=Told().lines.append)
    assert alive.nobody()


async def test_it_says_what_it_is(bench: Bench) -> None:
    runner = await bench.runner(capacity=2)
    await bench.run(runner, "true")
    facts = runner.describe()
    (process,) = facts["processes"]
    assert (facts["kind"], facts["capacity"], process["running"]) == (runner.name, 2, [])
    os.kill(process["pid"], 0)


async def test_python_programs_find_their_packages(bench: Bench) -> None:
    code = "import jupyter_fpga.errors, os; print(os.getcwd())"
    finished = await bench.run(await bench.runner(), 'exec "$@"', sys.executable, "-c", code)
    assert finished.output_tail == "/work"


async def test_a_task_that_would_like_it_warm(bench: Bench) -> None:
    runner = await bench.runner()
    command = (sys.executable, "-P", "-m", "jupyter_fpga.gateware", "no step")
    for _ in range(3):
        finished = await runner.run(
            replace(bench.task(""), command=command, warm="amaranth"), bench.into(), **Told().listeners
        )
        assert finished.returncode == 2
        steps = "targets,base,elaborate,simulate,synthesize,compile,place,pack,unpack,verify"
        assert finished.output_tail == f"usage: python -m jupyter_fpga.gateware {{{steps}}}"
