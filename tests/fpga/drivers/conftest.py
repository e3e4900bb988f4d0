"""A simulated board with a real design on it, in a real sandbox."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from jupyter_fpga.compute.sandbox.walls import Sandbox
from jupyter_fpga.fpga.drivers import Record, SimulatedDriver
from jupyter_fpga.gateware.manifest import Manifest
from jupyter_fpga.gateware.targets import SIMULATED

WINDOW = Path(__file__).parents[2] / "resources" / "window.v"
IDENTIFIER = "jupyter_fpga simulated 0123456789abcdef"
CLOCK_HZ = SIMULATED.clock_hz

MANIFEST = Manifest(
    target="simulated",
    form="verilog",
    top="lab_window",
    clock_hz=CLOCK_HZ,
    baud=SIMULATED.baud(CLOCK_HZ),
    fifo_depth=SIMULATED.fifo_depth,
    answer_depth=SIMULATED.answer_depth,
    window=SIMULATED.window,
    control=SIMULATED.control,
    identifier=IDENTIFIER,
)


def step(name: str, folder: Path, base: Path | None = None) -> None:
    environment = {**os.environ, **({"LAB_BASE": str(base)} if base else {})}
    subprocess.run(
        [sys.executable, "-m", "jupyter_fpga.gateware", name],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
    )


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    (folder / "request.json").write_text(json.dumps({"target": "simulated", "identifier": "the idle board"}))
    step("base", folder)
    return folder


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory, base_folder: Path) -> Path:
    """The simulator of tests/resources/window.v."""
    folder = tmp_path_factory.mktemp("design")
    shutil.copy(WINDOW, folder)
    netlist = {"language": "verilog", "files": ["window.v"], "top": "lab_window", "whole_soc": False}
    (folder / "netlist.json").write_text(json.dumps(netlist))
    (folder / "request.json").write_text(json.dumps({"identifier": IDENTIFIER}))
    step("synthesize", folder)
    step("compile", folder, base_folder)
    return folder / "simulator"


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    return Sandbox.probe()


def processes(marker: str) -> set[int]:
    """Every process with ``marker`` in its command line or in the name of an open file."""
    found = set()
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path("/proc", number, "cmdline").read_bytes().decode(errors="replace")
            files = [os.readlink(f"/proc/{number}/fd/{name}") for name in os.listdir(f"/proc/{number}/fd")]
        except OSError:
            continue
        if marker in words or any(marker in name for name in files):
            found.add(int(number))
    return found - {os.getpid()}


async def ended(pid: int) -> None:
    """Return when the process has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    over = asyncio.Event()
    asyncio.get_running_loop().add_reader(descriptor, over.set)
    try:
        await over.wait()
    finally:
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)


async def all_ended(marker: str) -> None:
    """See that no process has ``marker`` about it; the kernel may just be taking down what was killed."""
    async with asyncio.timeout(10):
        for pid in processes(marker):
            await ended(pid)
    assert processes(marker) == set()


@pytest.fixture
async def driver(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[SimulatedDriver]:
    """A driver whose boards end with the test."""
    run_dir = tmp_path / "run"
    driver = SimulatedDriver(sandbox, run_dir, linger=60)
    yield driver
    await driver.disconnect()
    await all_ended(str(run_dir))


@pytest.fixture
async def board(driver: SimulatedDriver, image: Path) -> AsyncIterator[Record]:
    """A programmed board."""
    record = await driver.program(image, MANIFEST)
    yield record
    await driver.shutdown(record)


@pytest.fixture
def on_wire(board: Record) -> Callable[[Callable[..., object]], Awaitable[object]]:
    """Runs a function in a thread with LiteX's own CommUART on the board's serial line."""

    async def run(use: Callable[..., object]) -> object:
        return await asyncio.to_thread(_with_comm, board["tty"], board["baud"], use)

    return run


def _with_comm(tty: str, baud: int, use: Callable[..., object]) -> object:
    from litex.tools.remote.comm_uart import CommUART

    comm = CommUART(tty, baud)
    try:
        return use(comm)
    finally:
        comm.close()
