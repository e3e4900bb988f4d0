"""What the tests of the compute floor share."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jupyter_fpga.compute import Builds, Sandbox
from jupyter_fpga.compute.builds.toolchains import Compiler, Toolchains, Yosys

from ..workbench import Workbench  # noqa: TID252 - the tests are no package
from .builds import Make

STAGES = Path(__file__).with_name("resources") / "stages.py"


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    """The best walls of this machine."""
    return Sandbox.probe()


@pytest.fixture(scope="session")
def landlocked() -> Sandbox:
    """The second best."""
    return Sandbox.probe(tiers=("landlock",))


@pytest.fixture
def bare() -> Sandbox:
    """No walls."""
    return Sandbox.without("A test asked for none.")


@pytest.fixture
def tiers(sandbox: Sandbox, landlocked: Sandbox, bare: Sandbox) -> dict[str, Sandbox]:
    """All walls by their names."""
    return {"full": sandbox, "landlock": landlocked, "none": bare}


@pytest.fixture
async def make(sandbox: Sandbox, bare: Sandbox, tmp_path: Path) -> AsyncIterator[Make]:
    """Builds whose stages are a small program of the tests. Made once more, it is a lab that was started anew."""
    benches: list[Workbench] = []

    async def make(*, walls: Sandbox = sandbox, parallel: int | None = None, **more: object) -> Builds:
        while benches:
            await benches.pop().stop()
        tools = Toolchains(Yosys("yosys", "0.70", wheel=False), Compiler("c++", "12"), tmp_path, {"gateware": "1"})
        command = [sys.executable, "-c", STAGES.read_text()]
        bench = Workbench(tmp_path / "lab", walls, parallel)
        benches.append(bench)
        builds = await bench.start(toolchains=tools, command=command, **more)
        await builds.offer()
        return builds

    yield make
    for bench in benches:
        await bench.stop()
