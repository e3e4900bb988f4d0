"""Two Jupyter servers of one person, as processes: one lab, and a take-over when its server is killed."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from jupyter_fpga.compute.actions.builtin import builtin_version
from jupyter_fpga.server.runtime import RuntimeFile

TOKEN = "token-of-both-servers"
NOOP = {"function": "noop", "function_version": builtin_version("noop", 1)}
# The server's other extensions only take time to load.
EXTENSIONS = {"jupyter_fpga": True, "jupyterlab": False, "jupyter_lsp": False, "jupyter_server_terminals": False}


class Server:
    """A Jupyter server in a process of its own, with the lab's extension and no boards."""

    def __init__(self, process: asyncio.subprocess.Process, client) -> None:
        self.process = process
        self.client = client

    async def end(self, number: signal.Signals) -> int:
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await self.process.wait()


@pytest.fixture
async def start(tmp_path: Path, new_client, unused_tcp_port_factory):
    @asynccontextmanager
    async def start() -> AsyncIterator[Server]:
        port = unused_tcp_port_factory()
        command = [
            *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ServerApp.port_retries=0"),
            f"--ServerApp.port={port}",
            f"--IdentityProvider.token={TOKEN}",
            f"--ServerApp.root_dir={tmp_path}",
            f"--ServerApp.jpserver_extensions={EXTENSIONS}",
            "--ServerApp.allow_unauthenticated_access=False",
            "--JupyterFpga.boards=0",
        ]
        folders = {name: str(tmp_path / name.lower()) for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR")}
        folders["JUPYTER_CONFIG_DIR"] = str(tmp_path / "config")
        process = await asyncio.create_subprocess_exec(
            *command, env={**os.environ, **folders}, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
        )
        assert process.stderr is not None
        lines = []
        while b"your FPGA lab" not in (line := await process.stderr.readline()):
            assert line, b"".join(lines).decode()
            lines.append(line)
        reading = asyncio.ensure_future(process.stderr.read())  # so that it never waits for a reader
        server = Server(process, new_client(f"http://127.0.0.1:{port}/jupyter-fpga", TOKEN))
        try:
            yield server
        finally:
            await server.client.close()
            await server.end(signal.SIGKILL)
            print((await reading).decode())  # shown when the test fails

    return start


async def last_frame(socket) -> dict | None:
    """What was read last before the socket closed."""
    last = None
    while (message := await socket.read_message()) is not None:
        last = json.loads(message)
    return last


async def test_the_second_forwards_to_the_first_and_takes_over_when_it_is_killed(start, tmp_path):
    runtime = RuntimeFile(tmp_path / "jupyter_runtime_dir")
    async with AsyncExitStack() as stack:
        first: Server = await stack.enter_async_context(start())
        assert await first.client.get("/fpga") == []
        second: Server = await stack.enter_async_context(start())
        assert await second.client.get("/fpga") == []
        assert runtime.read().pid == first.process.pid

        events = await second.client.socket("/events?since=0")
        watermark = json.loads(await events.read_message())
        assert (await second.client.refusal("POST", "/fpga/0/reset"))[:2] == (404, "fpga_not_found")

        # The floor of actions moves along, with the names of its queues; both servers are one machine.
        queue = json.loads((await second.client.ask("POST", "/compute/queues/remote", {})).body)
        local = json.loads((await second.client.ask("POST", "/compute/queues", {})).body)["queue_id"]
        accepted = await second.client.ask("POST", f"/compute/queues/{local}/jobs", NOOP)
        assert accepted.code == 202, accepted.body

        await first.end(signal.SIGKILL)
        watermark = await last_frame(events) or watermark
        assert events.close_code == 1012
        assert (await second.client.get("/health", token=""))["boards"]["total"] == 0
        assert runtime.read().pid == second.process.pid
        assert (await second.client.get(f"/compute/queues/{queue['queue_token']}"))["queue_id"] == queue["queue_id"]
        record = await second.client.get(f"/compute/queues/{local}/jobs/{json.loads(accepted.body)['lsn']}?wait=30")
        assert record["state"] == "completed"
        again = await second.client.socket(f"/events?since={watermark['lsn']}")
        assert json.loads(await again.read_message())["prev"] == watermark["lsn"]

        # One that comes back finds the lab where it is now; and hosts it when that server stops in order.
        third: Server = await stack.enter_async_context(start())
        assert await third.client.get("/fpga") == []
        assert runtime.read().pid == second.process.pid
        assert await second.end(signal.SIGTERM) == 0
        assert await third.client.get("/fpga") == []
        assert runtime.read().pid == third.process.pid

        assert await third.end(signal.SIGTERM) == 0
        assert runtime.read() is None
