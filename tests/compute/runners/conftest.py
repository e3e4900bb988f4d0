"""Real runners with real programs, and witnesses that tell when those are gone."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.compute.runners import ActionRunner, Task
from jupyter_fpga.compute.runners.direct import DirectRunner
from jupyter_fpga.compute.runners.local import LocalRunner
from jupyter_fpga.compute.sandbox import MIB, Finished, Limits, Mount, Runner, Sandbox
from jupyter_fpga.compute.sandbox.process import wait_readable
from jupyter_fpga.compute.sandbox.walls import TIERS

SMALL = Limits(
    wall_seconds=60,
    cpu_seconds=60,
    memory_bytes=256 * MIB,
    processes=20,
    disk_bytes=16 * MIB,
    output_bytes=100_000,
    files=200,
)

MAKERS: Mapping[str, Callable[..., ActionRunner]] = {
    "direct": lambda sandbox, **options: DirectRunner(Runner(sandbox), **options),
    "local": LocalRunner,
}
"""Every kind of runner, by name: all of them pass the same tests."""


class Pipe:
    """A named pipe that programs get as a mount: a word from them, a word to them, or proof that they are gone."""

    def __init__(self, folder: Path, name: str, sandbox: Sandbox) -> None:
        self.path = folder / name
        os.mkfifo(self.path)
        os.chmod(self.path, 0o666)
        self.mount = Mount(self.path, f"/{name}", writable=True)
        self.inside = str(self.path) if sandbox.bwrap is None else f"/{name}"
        self._reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)

    async def word(self) -> str:
        """What a program says."""
        while True:
            await wait_readable(self._reader)
            # Another program may have opened it since it was seen to be closed.
            with suppress(BlockingIOError):
                return os.read(self._reader, 100).decode()

    async def words(self, number: int, runs: Sequence["asyncio.Task[Any]"]) -> None:
        """Return when as many programs have said a word as there should be; a run that fails says why."""
        heard = 0
        while heard < number:
            for run in runs:
                if run.done():
                    run.result()
            heard += (await self.word()).count("\n")

    def nobody(self) -> bool:
        """Whether no program has it open for writing now."""
        try:
            return os.read(self._reader, 100) == b""
        except BlockingIOError:
            return False

    async def all_gone(self) -> None:
        """Return when no program has it open any more."""
        while await self.word():
            pass

    def tell(self) -> None:
        """Let a program go on that reads from it."""
        writer = os.open(self.path, os.O_WRONLY)
        os.write(writer, b"go\n")
        os.close(writer)

    def close(self) -> None:
        os.close(self._reader)


@dataclass
class Told:
    """What a run tells while it is under way."""

    starts: int = 0
    lines: list[str] = field(default_factory=list)

    def start(self) -> None:
        self.starts += 1

    @property
    def listeners(self) -> dict[str, Any]:
        return {"on_start": self.start, "on_output": self.lines.append}


class Bench:
    """Runners of one kind, and tasks for them."""

    def __init__(self, make: Callable[..., ActionRunner], folder: Path, sandbox: Sandbox) -> None:
        self.make = make
        self.folder = folder
        self.sandbox = sandbox
        self.late: list[tuple[str, Finished]] = []
        self.on_late: Callable[[str, Finished], None] = lambda token, finished: self.late.append((token, finished))
        self._numbers = count(1)
        self.closing = AsyncExitStack()

    async def runner(self, **options: Any) -> Any:
        runner = self.make(self.sandbox, **options)
        await runner.start(lambda token, finished: self.on_late(token, finished))
        self.closing.push_async_callback(runner.stop)
        return runner

    def pipe(self, name: str) -> Pipe:
        pipe = Pipe(self.folder, name, self.sandbox)
        self.closing.callback(pipe.close)
        return pipe

    def task(self, script: str, *arguments: str, limits: Limits = SMALL, **more: Any) -> Task:
        """A shell script as a task."""
        command = ("/bin/sh", "-c", script, "sh", *arguments)
        return Task(token=f"{next(self._numbers)}:1", command=command, limits=limits, **more)

    def into(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.folder))

    async def run(self, runner: Any, script: str, *arguments: str, told: Told | None = None, **more: Any) -> Finished:
        listeners = (told or Told()).listeners
        finished: Finished = await runner.run(self.task(script, *arguments, **more), self.into(), **listeners)
        return finished


def children(pid: int, name: str) -> list[int]:
    """A process's children of some name."""
    numbers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(number) for number in numbers if Path(f"/proc/{number}/comm").read_text() == f"{name}\n"]


def anybodys_python(environment: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """An interpreter for an ordinary user, and how it is started as one: root's own may be where others may not go."""
    candidates = (Path(sys.executable).resolve(), Path("/usr/bin/python3").resolve())
    python = next(path for path in candidates if all(parent.stat().st_mode & 0o001 for parent in (path, *path.parents)))
    import jupyter_fpga

    places = [str(Path(jupyter_fpga.__file__).parents[1]), *(path for path in sys.path if path.endswith("-packages"))]
    environment = {**environment, "PYTHONPATH": os.pathsep.join(places), "HOME": "/"}
    return str(python), {"user": 65534, "group": 65534, "extra_groups": (), "env": environment, "cwd": "/"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that any user may enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="jupyter-fpga-test-") as name:
        os.chmod(name, 0o777)
        yield Path(name)


@pytest.fixture(params=MAKERS)
async def bench(request: pytest.FixtureRequest, folder: Path, sandbox: Sandbox) -> AsyncIterator[Bench]:
    """Each kind of runner, behind walls."""
    bench = Bench(MAKERS[request.param], folder, sandbox)
    async with bench.closing:
        yield bench


@pytest.fixture
async def local(folder: Path, sandbox: Sandbox) -> AsyncIterator[Bench]:
    """Local runners, behind walls."""
    bench = Bench(LocalRunner, folder, sandbox)
    async with bench.closing:
        yield bench


@pytest.fixture(params=TIERS)
async def tiered(request: pytest.FixtureRequest, folder: Path, tiers: Mapping[str, Sandbox]) -> AsyncIterator[Bench]:
    """Local runners, behind walls of each kind, and without."""
    bench = Bench(LocalRunner, folder, tiers[request.param])
    assert bench.sandbox.tier == request.param
    async with bench.closing:
        yield bench
