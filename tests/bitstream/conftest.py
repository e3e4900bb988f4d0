"""Builds for devices, with the real tools in real sandboxes: the wheels from PyPI alone, and Debian's icebox."""

import asyncio
import dataclasses
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jupyter_fpga.compute import Builds, Sandbox
from jupyter_fpga.compute.builds.toolchains import Toolchains
from jupyter_fpga.fpga.drivers import SimulatedDriver

from ..workbench import Workbench  # noqa: TID252 - the tests are no package


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    return Sandbox.probe()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is built once is there for the next test."""
    return tmp_path_factory.mktemp("bitstream")


@pytest.fixture(scope="session")
def found(tmp_path_factory: pytest.TempPathFactory) -> Toolchains:
    """The tools, looked for once."""

    async def find() -> Toolchains:
        everything = await Toolchains.find()
        environment = {**os.environ, "PATH": str(tmp_path_factory.mktemp("nothing"))}
        compiler = shutil.which("c++")
        if compiler is not None:
            environment["CXX"] = compiler
        wheels = await Toolchains.find(environment=environment)
        assert wheels.yosys.wheel
        assert all(tools.found and not tools.commands for tools in wheels.implementers.values())
        return dataclasses.replace(wheels, icebox=everything.icebox)

    return asyncio.run(find())


@pytest.fixture
def toolchains(found: Toolchains) -> Toolchains:
    """The tools, for the loop of this test."""
    return dataclasses.replace(found, _warming=asyncio.Lock())


@pytest.fixture
async def builds(folder: Path, sandbox: Sandbox, toolchains: Toolchains) -> AsyncIterator[Builds]:
    bench = Workbench(folder, sandbox)
    builds = await bench.start(toolchains=toolchains)
    await builds.offer()
    yield builds
    await bench.stop()


@pytest.fixture
async def driver(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[SimulatedDriver]:
    driver = SimulatedDriver(sandbox, tmp_path / "run", linger=60)
    yield driver
    await driver.sweep([])
    await driver.disconnect()
