"""Builds for simulated iCE40s, with the real tools in real sandboxes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jupyter_fpga.compute import Builds, Sandbox
from jupyter_fpga.fpga.drivers import SimulatedDriver

from ..workbench import Workbench  # noqa: TID252 - the tests are no package


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    return Sandbox.probe()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is built once is there for the next test."""
    return tmp_path_factory.mktemp("bitstream")


@pytest.fixture
async def builds(folder: Path, sandbox: Sandbox) -> AsyncIterator[Builds]:
    bench = Workbench(folder, sandbox)
    builds = await bench.start()
    await builds.offer()
    yield builds
    await bench.stop()


@pytest.fixture
async def driver(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[SimulatedDriver]:
    driver = SimulatedDriver(sandbox, tmp_path / "run", linger=60)
    yield driver
    await driver.sweep([])
    await driver.disconnect()
