"""A lab as a process of its own: it ends by a signal, or when nobody needs it, and always in order."""

import asyncio
import os
import signal

import pytest

from jupyter_fpga.errors import Conflict
from jupyter_fpga.server.door import Activity
from jupyter_fpga.server.hosting import Hosting, HostingOptions
from jupyter_fpga.server.runtime import RuntimeFile
from jupyter_fpga.server.serving import Ending, serve

HELD = {"session": {"owner": "ada"}}
FREE = {"session": None}


class Actions:
    """A floor of actions in which there is something to do, or not."""

    def __init__(self) -> None:
        self.unfinished: list[dict[str, int]] = []

    async def jobs(self, person, *, state, limit):
        assert (state, limit) == ("unfinished", 1)
        return self.unfinished


class Lab:
    def __init__(self, fpga) -> None:
        self.fpga = fpga
        self.compute = Actions()
        self.running = False
        self.failure: Exception | None = None

    async def start(self) -> None:
        if self.failure is not None:
            raise self.failure
        self.running = True

    async def stop(self) -> None:
        self.running = False


class StepClock:
    """Sleeps only as far as a test lets it, and tells how long it was to sleep."""

    def __init__(self) -> None:
        self.sleeps: asyncio.Queue[float] = asyncio.Queue()
        self.wake = asyncio.Semaphore(0)

    def time(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.sleeps.put_nowait(seconds)
        await self.wake.acquire()


class SetActivity(Activity):
    quiet = 0.0

    def quiet_seconds(self) -> float:
        return self.quiet


@pytest.fixture
def lab(fpga) -> Lab:
    return Lab(fpga)


@pytest.fixture
def hosting(tmp_path, owner, lab) -> Hosting:
    return Hosting(HostingOptions(owner, tmp_path / "runtime", tmp_path / "data"), lambda: lab)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_in_order(hosting, lab, number, tmp_path):
    ready = []

    def on_ready(record) -> None:
        ready.append(record)
        assert lab.running
        assert RuntimeFile(tmp_path / "runtime").read() == record
        os.kill(os.getpid(), number)

    assert await serve(hosting, on_ready=on_ready) is Ending.SIGNAL
    assert len(ready) == 1
    assert not lab.running
    assert RuntimeFile(tmp_path / "runtime").read() is None
    assert hosting.take()  # the right to host is free again


async def test_it_ends_when_nobody_needs_it(hosting, fpga, lab):
    clock, hosting.activity = StepClock(), SetActivity()
    serving = asyncio.ensure_future(serve(hosting, idle_seconds=600, clock=clock))
    assert await clock.sleeps.get() == 600  # somebody has just asked, or has a WebSocket open

    hosting.activity.quiet = 200
    clock.wake.release()
    assert await clock.sleeps.get() == 400

    hosting.activity.quiet = 601
    fpga.answers["boards"] = [FREE, HELD]
    clock.wake.release()
    assert await clock.sleeps.get() == 60

    fpga.answers["boards"], fpga.answers["jobs"] = [FREE, FREE], [{"job_id": "…"}]
    clock.wake.release()
    assert await clock.sleeps.get() == 60

    fpga.answers["jobs"], lab.compute.unfinished = [], [{"lsn": 7}]
    clock.wake.release()
    assert await clock.sleeps.get() == 60

    lab.compute.unfinished = []
    clock.wake.release()
    assert await serving is Ending.IDLE
    assert not lab.running


async def test_a_lab_that_can_not_start_leaves_nothing(hosting, lab, tmp_path):
    lab.failure = Conflict("Another lab uses this database.")
    with pytest.raises(Conflict):
        await serve(hosting)
    assert RuntimeFile(tmp_path / "runtime").read() is None
    assert hosting.take()


async def test_a_port_that_is_taken(tmp_path, owner, lab):
    async with await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0) as other:
        port = other.sockets[0].getsockname()[1]
        hosting = Hosting(HostingOptions(owner, tmp_path / "runtime", tmp_path / "data", port=port), lambda: lab)
        with pytest.raises(OSError, match="Address already in use"):
            await serve(hosting)
    assert not lab.running
    assert hosting.take()


async def test_a_fault_of_the_watching_ends_the_lab(hosting, fpga, lab):
    clock, hosting.activity = StepClock(), SetActivity()
    hosting.activity.quiet = 601
    fpga.answers["boards"] = RuntimeError("broken")
    with pytest.raises(RuntimeError, match="broken"):
        await serve(hosting, idle_seconds=600, clock=clock)
    assert not lab.running


def test_the_token_is_not_in_the_options_text(hosting):
    assert hosting.options.token not in repr(hosting.options)
