"""Programs that are attacks, behind the walls of each tier that is one."""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.compute.sandbox import MIB, Finished, Limits, Mount, Runner, Sandbox

RESOURCES = Path(__file__).with_name("resources")

LIMITS = Limits(
    wall_seconds=30,
    cpu_seconds=30,
    memory_bytes=256 * MIB,
    processes=20,
    disk_bytes=16 * MIB,
    output_bytes=100_000,
    files=200,
)


class Prey:
    """A runner behind the walls of a tier, and the programs that attack it.

    Parameters
    ----------
    sandbox
        The walls.
    bombs
        The compiled program of ``resources/bombs.c``.
    """

    def __init__(self, sandbox: Sandbox, bombs: Path) -> None:
        self.sandbox = sandbox
        self.runner = Runner(sandbox)
        self._bombs = bombs

    async def attack(self, name: str, *words: str, limits: Limits = LIMITS, **more: Any) -> Finished:
        """Run a program of the resources; ``…py`` by Python, ``…sh`` by the shell, others as a word of ``bombs``."""
        mounts = [*more.pop("mounts", ()), Mount(self._bombs, "/bombs")]
        inputs = dict(more.pop("inputs", {}))
        command: Sequence[str] = ("/bombs", name, *words)
        if name.endswith((".py", ".sh")):
            inputs[name] = RESOURCES / name
            command = (sys.executable if name.endswith(".py") else "/bin/sh", name, *words)
        return await self.runner.run(command, limits=limits, inputs=inputs, mounts=mounts, **more)

    async def lines(self, name: str, *words: str, **more: Any) -> list[str]:
        """What a program prints that comes to a good end."""
        finished = await self.attack(name, *words, **more)
        assert (finished.returncode, finished.bound) == (0, None), finished.output_tail
        return finished.output_tail.splitlines()


@pytest.fixture(scope="session")
def bombs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs that are worse in C."""
    program = tmp_path_factory.mktemp("bombs") / "bombs"
    compiler = [shutil.which("cc")] if shutil.which("cc") else [sys.executable, "-m", "ziglang", "cc"]
    subprocess.run([*map(str, compiler), "-O1", "-pthread", "-o", program, RESOURCES / "bombs.c"], check=True)
    return program


@pytest.fixture(scope="session", params=["full", "landlock"])
def walls(request: pytest.FixtureRequest) -> Sandbox:
    """Each tier that is fit for people who don't trust one another."""
    sandbox = Sandbox.probe(tiers=(request.param,))
    assert (sandbox.tier, sandbox.fit_for_strangers) == (request.param, True), sandbox.reason
    return sandbox


@pytest.fixture
async def prey(walls: Sandbox, bombs: Path) -> AsyncIterator[Prey]:
    """Whom the test attacks; whatever it did, the next program is unharmed, and nothing is left of it."""
    before = set(os.listdir("/proc/self/fd"))
    prey = Prey(walls, bombs)
    yield prey
    assert await prey.lines("well.sh") == ["42", "started", "written"]
    assert set(os.listdir("/proc/self/fd")) <= before
