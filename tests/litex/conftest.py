"""LiteX's own tools, unmodified and as processes of their own, beside a board that the test holds."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_fpga.client import BoardHandle, LabClient
from jupyter_fpga.client.loop import loop

RESOURCES = Path(__file__).parent / "resources"
#: The tools are where this environment's programs are.
BIN = Path(sys.executable).parent

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def board(lab: LabClient) -> BoardHandle:
    """A board with resources/memory.py on it."""
    return lab.submit(RESOURCES / "memory.py").board().ready()


@pytest.fixture
def labs_port(board: BoardHandle) -> int:
    """The port that the lab opens on its own machine."""
    answer = loop.call(board.lab.door.post, f"fpga/{board.fpga_id}/session/etherbone")
    assert answer["host"] == "127.0.0.1"
    return int(answer["port"])


@pytest.fixture(params=["the lab's", "one's own"])
def port(request: pytest.FixtureRequest, board: BoardHandle) -> Iterator[int]:
    """A port to the board: on the lab's machine, and through a tunnel to it."""
    if request.param == "the lab's":
        yield request.getfixturevalue("labs_port")
        return
    with board.etherbone() as opened:
        yield opened.port


@pytest.fixture
def csr_csv(board: BoardHandle, tmp_path: Path) -> Path:
    # Where RemoteClient looks, unless it is told.
    return board.csr_csv(tmp_path / "csr.csv")


@pytest.fixture
def python(csr_csv: Path, port: int, tmp_path: Path) -> Run:
    """Run a program with ``bus``, LiteX's RemoteClient to the board."""

    def run(text: str, port: int = port) -> "subprocess.CompletedProcess[str]":
        head = f"from litex import RemoteClient\nbus = RemoteClient(port={port})\nbus.open()\n"
        return subprocess.run(
            [sys.executable, "-c", head + text], cwd=tmp_path, capture_output=True, text=True, timeout=120
        )

    return run


@pytest.fixture
def litex_cli(csr_csv: Path, port: int, tmp_path: Path) -> Run:
    """Run LiteX's ``litex_cli``."""

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [BIN / "litex_cli", f"--csr-csv={csr_csv}", f"--port={port}", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)

    return run


@pytest.fixture
def address() -> str:
    """An address of the loopback interface that no other test run has: port 1234 is free there."""
    pid = os.getpid()
    return f"127.{1 + (pid >> 16) % 254}.{pid >> 8 & 0xFF}.{1 + pid % 254}"


@pytest.fixture
def own_localhost(address: str, tmp_path: Path) -> list[str]:
    """What to put before a command for which ``localhost`` shall be ``address``; nothing else is changed for it."""
    hosts = tmp_path / "hosts"
    hosts.write_text(f"{address} localhost\n")
    return ["bwrap", "--dev-bind", "/", "/", "--ro-bind", str(hosts), "/etc/hosts", "--die-with-parent"]


@pytest.fixture
def environment(served_lab) -> dict[str, str]:
    """Where commands find the served lab, and the shell LiteX's tools."""
    return {**served_lab.environment, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
