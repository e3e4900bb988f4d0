import asyncio
import json
import os
import pty
import sys
import tty
from pathlib import Path

import pytest

from jupyter_fpga.compute.sandbox.detached import DETACHED_LIMITS, Detached, kill_detached, spawn_detached, start_time
from jupyter_fpga.compute.sandbox.process import wait_readable
from jupyter_fpga.compute.sandbox.walls import Mount, Sandbox, SandboxError

BOARD = r"""
import os, socket, sys, json
control = socket.socket(socket.AF_UNIX); control.bind(sys.argv[1]); control.listen()
line = int(sys.argv[2])
try:
    child = os.fork()
except BlockingIOError:
    child = None
    os.write(line, b"grandchild none\n")
if child == 0:
    os.setsid()
    if os.fork() == 0:
        os.write(line, b"grandchild %d\n" % os.getpid())
        while True: os.read(line, 1)
    os._exit(0)
try:
    socket.socket(socket.AF_INET)
    network = True
except OSError:
    network = False
def is_open(fd):
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True
client, _ = control.accept()
client.send(json.dumps({"pid": os.getpid(), "fds": [fd for fd in range(256) if is_open(fd)], "network": network,
  "uid": os.getuid(), "listing": os.listdir(".")}).encode())
client.recv(1)
"""


@pytest.fixture(params=["full", "landlock", "none"])
def tier(request: pytest.FixtureRequest, tiers: dict[str, Sandbox]) -> Sandbox:
    assert tiers[request.param].tier == request.param
    return tiers[request.param]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


def python_mounts() -> list[Mount]:
    return [Mount(Path(prefix), prefix) for prefix in {sys.prefix, sys.base_prefix}]


async def start(tier: Sandbox, folder: Path, tmp_path: Path) -> tuple[Detached, int]:
    script = tmp_path / "board.py"
    script.write_text(BOARD)
    master, slave = pty.openpty()
    tty.setraw(slave)
    try:
        board = await spawn_detached(
            tier,
            [sys.executable, "/board.py", "/work/control", str(master)],
            folder=folder,
            mounts=[Mount(script, "/board.py"), *python_mounts()],
            passed=[master],
        )
    finally:
        os.close(master)
    return board, slave


async def test_a_detached_program_has_its_line_its_socket_and_nothing_else(
    tier: Sandbox, folder: Path, tmp_path: Path
) -> None:
    board, slave = await start(tier, folder, tmp_path)
    try:
        await wait_readable(slave)
        # Without a name space nobody could end them all when the lab is away, so there it starts nothing.
        assert (os.read(slave, 100) == b"grandchild none\n") == (tier.tier == "landlock")
        reader, writer = await asyncio.open_unix_connection(folder / "control")
        told = json.loads(await reader.read(4096))
        writer.close()
        await writer.wait_closed()
        assert start_time(board.pid) == board.start_time
        assert told["pid"] == (1 if tier.tier == "full" else board.pid)
        assert told["network"] is (tier.tier == "none")
        assert tier.tier == "none" or told["uid"] != 0
        # Standard streams, the line, the control socket and the client.
        assert len(told["fds"]) == 6
        assert {"control", "output.log"} <= set(told["listing"])
    finally:
        await kill_detached(board)
        os.close(slave)


async def test_killing_a_detached_program_takes_everything_it_started(
    sandbox: Sandbox, folder: Path, tmp_path: Path
) -> None:
    board, slave = await start(sandbox, folder, tmp_path)
    await wait_readable(slave)
    os.read(slave, 100)
    await kill_detached(board)
    assert start_time(board.pid) is None
    # The last holder of the master is gone: the grandchild, in a session of its own, went too.
    await wait_readable(slave)
    assert os.read(slave, 100) == b""
    os.close(slave)
    await kill_detached(board)


async def test_killing_spares_a_stranger_that_got_the_same_number(
    sandbox: Sandbox, folder: Path, tmp_path: Path
) -> None:
    board, slave = await start(sandbox, folder, tmp_path)
    try:
        await kill_detached(Detached(board.pid, board.start_time + 1))
        assert start_time(board.pid) == board.start_time
    finally:
        await kill_detached(board)
        os.close(slave)


async def test_a_sandbox_that_does_not_come_up_says_why(sandbox: Sandbox, folder: Path) -> None:
    with pytest.raises(SandboxError) as caught:
        await spawn_detached(sandbox, ["/x"], folder=folder, mounts=[Mount(Path("/nonexistent/simulator"), "/x")])
    assert caught.value.code == "sandbox_failed"
    assert caught.value.message == (
        "The sandbox could not be started: bwrap: Can't find source path /nonexistent/simulator: "
        "No such file or directory"
    )


def test_limits_of_boards_are_stated() -> None:
    assert DETACHED_LIMITS.processes == 8
    assert DETACHED_LIMITS.memory_bytes == 512 * 1024 * 1024
