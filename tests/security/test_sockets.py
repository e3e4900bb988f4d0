"""Nothing that listens on this machine, or beside it, can be reached."""

import asyncio
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from jupyter_fpga.compute.sandbox import Detached, Mount, Sandbox
from jupyter_fpga.compute.sandbox.detached import kill_detached, spawn_detached
from jupyter_fpga.compute.sandbox.mounts import python_mounts
from jupyter_fpga.compute.sandbox.process import wait_readable

from .conftest import RESOURCES, Prey


class Listeners:
    """What there is to be reached: TCP, UDP, a path and an abstract name."""

    def __init__(self, path: Path) -> None:
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.path = socket.socket(socket.AF_UNIX)
        self.path.bind(str(path))
        path.chmod(0o777)
        self.name = f"jupyter-fpga-{os.getpid()}"
        self.abstract = socket.socket(socket.AF_UNIX)
        self.abstract.bind("\0" + self.name)
        self.all = (self.tcp, self.udp, self.path, self.abstract)
        for listener in (self.path, self.abstract):
            listener.listen()

    def heard_nothing(self) -> bool:
        """Nobody waits at any of them."""
        for listener in self.all:
            listener.setblocking(False)
            with pytest.raises(BlockingIOError):
                listener.recv(16) if listener is self.udp else listener.accept()
        return True


@pytest.fixture
def listeners(tmp_path: Path) -> Iterator[Listeners]:
    # An address is short.
    link = Path("/tmp", f"jupyter-fpga-test-{os.getpid()}")
    link.symlink_to(tmp_path)
    with ExitStack() as stack:
        stack.callback(link.unlink)
        listeners = Listeners(link / "socket")
        for listener in listeners.all:
            stack.enter_context(listener)
        yield listeners


REFUSED = [
    "loopback EACCES",
    "loopback 6 EACCES",
    "datagram EACCES",
    "link-local EACCES",
    "path EACCES",
    "abstract EACCES",
    "vsock EACCES",
    "netlink EACCES",
    "packet EACCES",
    "pair of datagrams EACCES",
    "pair, connected again EPERM",
    "pair, sent elsewhere EISCONN",
    "pairs work",
]


async def test_nobody_is_reached(prey: Prey, listeners: Listeners, tmp_path: Path) -> None:
    # Even where the socket's own file is shown.
    mounts = [Mount(tmp_path, "/listening", writable=True)]
    words = (str(listeners.port), "/listening/socket", listeners.name)
    assert await prey.lines("connect.py", *words, mounts=mounts) == REFUSED
    assert listeners.heard_nothing()


async def test_a_board_listens_and_reaches_nobody(walls: Sandbox, listeners: Listeners, tmp_path: Path) -> None:
    """A simulated board may have a stream socket of the UNIX family: it answers there, and calls nobody."""
    folder = tmp_path / "run"
    folder.mkdir()
    board = await spawn_detached(
        walls,
        [sys.executable, "/attack.py", str(listeners.port), "/listening/socket", listeners.name],
        folder=folder,
        mounts=[
            Mount(RESOURCES / "connect.py", "/attack.py"),
            Mount(tmp_path, "/listening", writable=True),
            *python_mounts(),
        ],
    )
    await _ended(board)
    told = (folder / "output.log").read_text().splitlines()
    allowed = {"path EACCES": "path EPERM", "abstract EACCES": "abstract EPERM"}
    assert told == [allowed.get(line, line) for line in REFUSED]
    assert listeners.heard_nothing()


async def _ended(board: Detached) -> None:
    try:
        descriptor = os.pidfd_open(board.pid)
    except ProcessLookupError:
        return
    try:
        await asyncio.wait_for(wait_readable(descriptor), 20)
    finally:
        os.close(descriptor)
        await kill_detached(board)
