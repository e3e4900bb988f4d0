"""A lab as a process that can be killed at any step, and what must hold when the next one has taken over."""

import asyncio
import json
import os
import select
import shutil
import signal
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.iostream import StreamClosedError
from tornado.websocket import websocket_connect

from .nursery import PATIENCE, RESOURCES, Nursery

LEDGER = (RESOURCES / "ledger.py").read_text()


FINISHED = ("complete", "failed", "cancelled")


class Died(Exception):
    """The lab is gone."""


class Refused(Exception):
    """The lab said no."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.code = body.get("error")


class Room:
    """A lab's folder, and the lab that runs in it.

    Parameters
    ----------
    folder
        Of its data, its runtime file, and what is noted about it.
    cache
        Folder of builds that all rooms share.
    options
        Options of ``jupyter fpga serve``.
    """

    Died, Refused = Died, Refused
    ledger_text = LEDGER

    def __init__(self, folder: Path, cache: Path, options: Sequence[str] = ()) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "log"
        self._plan = folder / "plan.json"
        self._passed = folder / "passed"
        self._plans = 0
        self._options = options
        self._cache = cache
        self._make()
        self._nursery = Nursery(folder / "runtime")
        self._url = ""
        self._token = ""
        self.pid = 0
        """Of the lab that runs; 0: none does."""

    # The lab's process

    async def start(self) -> None:
        """Start a lab; returns when it is ready. Raises :class:`Died` when it has killed itself before."""
        plan, log = str(self._plan), str(self.log)
        self._nursery.command(argv=[f"--data-dir={self.data}", *self._options], plan=plan, log=log)
        answer = await self._nursery.answer()
        if "ended" in answer:
            assert answer["ended"] == -signal.SIGKILL, self.log.read_text()
            self.pid = 0
            raise Died
        self._url, self._token, self.pid = answer["url"], answer["token"], answer["pid"]

    async def ended(self) -> None:
        """Wait until the lab, which must have killed itself, is gone."""
        answer = await self._nursery.answer()
        assert answer == {"ended": -signal.SIGKILL}, f"{answer}\n{self.log.read_text()}"
        self.pid = 0

    async def kill(self) -> None:
        """Kill the lab."""
        os.kill(self.pid, signal.SIGKILL)
        await self.ended()

    async def stop(self) -> None:
        """Stop the lab in order; nothing that it started may be left."""
        os.kill(self.pid, signal.SIGTERM)
        answer = await self._nursery.answer()
        self.pid = 0
        assert answer == {"ended": 0}, f"{answer}\n{self.log.read_text()}"
        assert self._nursery.descendants() == {}

    def wipe(self) -> None:
        """Forget everything, as if no lab had ever been here; none runs."""
        shutil.rmtree(self.data)
        self._make()

    def _make(self) -> None:
        self.data.mkdir(parents=True)
        (self.data / "cache").symlink_to(self._cache)
        (self.data / "builds").symlink_to(self._cache / "records")

    def close(self) -> None:
        """Leave nothing of it."""
        self._nursery.close()
        shutil.rmtree(self.folder)

    def plan(self, *, kill: str = "", lose: Sequence[str] = ()) -> None:
        """Let something happen at the lab's checkpoints from now on; see ``resources/nursery.py``."""
        self._passed.unlink(missing_ok=True)
        self._plans += 1
        plan = {"number": self._plans, "passed": str(self._passed), "kill": kill, "lose": list(lose)}
        fresh = self._plan.with_suffix(".new")
        fresh.write_text(json.dumps(plan))
        fresh.rename(self._plan)

    def passed(self) -> list[str]:
        """The checkpoints that were passed since :meth:`plan`."""
        return self._passed.read_text().split("\n")[:-1] if self._passed.exists() else []

    def calm(self) -> None:
        """Let nothing happen at checkpoints."""
        self._plan.unlink(missing_ok=True)

    # What is there, as the machine and the database see it

    def stored(self, query: str, *parameters: Any) -> list[Any]:
        """Ask the lab's database."""
        connection = sqlite3.connect(f"file:{self.data / 'lab.sqlite'}?mode=ro", uri=True)
        try:
            return connection.execute(query, parameters).fetchall()
        finally:
            connection.close()

    def processes_of_boards(self) -> dict[int, int | None]:
        """``fpga_id`` → process of the board, as the database has it."""
        rows = self.stored("SELECT fpga_id, process FROM boards")
        return {fpga_id: (json.loads(process) or {}).get("pid") for fpga_id, process in rows if process}

    async def check_processes(self) -> None:
        """Every process that a lab has started is the lab or its runner, or belongs to a board that is known."""
        running = self._nursery.descendants()
        boards = [pid for pid in self.processes_of_boards().values() if pid in running]
        # Besides each simulator there is the bubblewrap that started it.
        expected = {self.pid, *boards, *map(_parent, boards)}
        runners = {pid for pid, line in running.items() if "compute.runners" in line and _parent(pid) == self.pid}
        # The living lab's runner, with the sandboxes that it keeps ready.
        expected |= {pid for pid in running if runners & {pid, *_ancestors(pid)}}
        for pid in running.keys() - expected:
            # A build of the lab that died: killed, but a process isn't gone at once.
            assert await _ends(pid), running[pid]
        folders = {path.name for path in (self.data / "boards").iterdir()}
        assert len(folders) == len(boards), folders

    def check_log(self) -> None:
        """No lab met an error that it doesn't know."""
        log = self.log.read_text()
        assert "Traceback" not in log, log

    # What a person does

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask the lab. Raises :class:`Died` when it doesn't answer, :class:`Refused` when it says no."""
        client = AsyncHTTPClient(force_instance=True)
        request = HTTPRequest(
            self._url + path,
            method,
            {"Authorization": f"token {self._token}", "Content-Type": "application/json"},
            None if method in ("GET", "DELETE") else json.dumps(body or {}),
            request_timeout=PATIENCE,
        )
        try:
            response = await client.fetch(request, raise_error=False)
        except (OSError, StreamClosedError, HTTPClientError) as error:
            # Answers of every status are returned: this one didn't come.
            raise Died from error
        finally:
            client.close()
        answer = json.loads(response.body) if response.body else None
        if response.code >= 400:
            raise Refused(response.code, answer)
        return answer

    async def until(self, look: Callable[[], Awaitable[Any]]) -> Any:
        """Look again after each event until ``look`` finds something, and return that."""
        request = HTTPRequest(
            self._url.replace("http", "ws", 1) + "/events", headers={"Authorization": f"token {self._token}"}
        )
        try:
            events = await websocket_connect(request)
        except (OSError, StreamClosedError, HTTPClientError) as error:
            raise Died from error
        alive = True
        try:
            async with asyncio.timeout(PATIENCE):
                while not (found := await look()):
                    alive = await events.read_message() is not None
                    if not alive:
                        raise Died
                return found
        except TimeoutError:
            boards, jobs = await self.call("GET", "/fpga"), await self.call("GET", "/jobs?limit=5")
            raise AssertionError(f"not within {PATIENCE} s: {boards}\n{jobs}\n{self.log.read_text()}") from None
        finally:
            events.close()
            # Its end is the end of the connection.
            while alive:
                alive = await events.read_message() is not None

    async def submit(self, fpga_id: int | None = None, **fields: Any) -> str:
        """Submit a ledger; returns the job's id."""
        path = "/submit" if fpga_id is None else f"/fpga/{fpga_id}/submit"
        return str((await self.call("POST", path, {"source": LEDGER, **fields}))["job_id"])

    async def final(self, job_id: str) -> dict[str, Any]:
        """Wait until a job has ended; returns its record."""

        async def look() -> dict[str, Any] | None:
            job: dict[str, Any] = await self.call("GET", f"/jobs/{job_id}")
            return job if job["status"] in FINISHED else None

        return dict(await self.until(look))

    async def done(self, job_id: str) -> dict[str, Any]:
        """Wait until a job is complete."""
        job = await self.final(job_id)
        assert job["status"] == "complete", job
        return job

    async def board(self, fpga_id: int = 0) -> dict[str, Any]:
        """A board's record."""
        return dict(await self.call("GET", f"/fpga/{fpga_id}"))

    async def settled(self) -> list[dict[str, Any]]:
        """Wait until every job has ended and every board is free, or held, or quarantined; returns the boards."""

        async def look() -> list[dict[str, Any]] | None:
            boards = await self.call("GET", "/fpga")
            for status in ("queued", "running"):
                if await self.call("GET", f"/jobs?status={status}&limit=1"):
                    return None
            return boards if all(map(_at_rest, boards)) else None

        return list(await self.until(look))

    async def release_all(self) -> None:
        """Have every board free."""
        for board in await self.settled():
            if board["state"] == "reserved":
                await self.call("POST", f"/fpga/{board['fpga_id']}/session/release")
            elif board["health"] == "quarantined":
                await self.call("POST", f"/fpga/{board['fpga_id']}/clear")
        boards = await self.settled()
        assert [board["state"] for board in boards] == ["idle"] * len(boards), boards

    async def idle(self, fpga_id: int = 0) -> None:
        """Wait until a board is free."""

        async def look() -> bool:
            return bool((await self.board(fpga_id))["state"] == "idle")

        await self.until(look)

    async def stage(self, job_id: str, stage: str, build_stage: str) -> None:
        """Wait until a job is at a stage."""

        async def look() -> bool:
            job = await self.call("GET", f"/jobs/{job_id}")
            return (job["stage"], job["build_stage"]) == (stage, build_stage)

        await self.until(look)

    async def write(self, values: Sequence[int], fpga_id: int = 0) -> str:
        """Write to the ledger in one job, each value in a transaction of its own; returns the job's id."""
        transactions = [{"op": "write", "address": 0, "data": [value]} for value in values]
        body = transactions[0] if len(values) == 1 else {"transactions": transactions}
        return str((await self.call("POST", f"/fpga/{fpga_id}/run", body))["job_id"])

    async def read(self, fpga_id: int) -> list[int]:
        """The ledger's three words."""
        job = await self.call("POST", f"/fpga/{fpga_id}/run", {"op": "read", "address": 0, "count": 3})
        await self.done(job["job_id"])
        return list((await self.call("GET", f"/jobs/{job['job_id']}/result"))["data"])

    async def ledger(self, fpga_id: int = 0) -> tuple[int, int]:
        """Number and digest of the entries of a board's ledger."""
        entries, digest, _ = await self.read(fpga_id)
        return entries, digest

    async def serial(self, fpga_id: int = 0) -> int:
        """The number of a board's design."""
        return (await self.read(fpga_id))[2]

    @staticmethod
    def after(ledger: tuple[int, int], values: Sequence[int]) -> tuple[int, int]:
        """What a ledger is after more entries."""
        entries, digest = ledger
        for value in values:
            digest = (digest * 31 + value) % (1 << 32)
        return entries + len(values), digest


def _ancestors(pid: int) -> list[int]:
    """Its parent, and so on, as long as they are there."""
    found: list[int] = []
    while pid > 1:
        try:
            pid = _parent(pid)
        except (FileNotFoundError, ProcessLookupError):
            break
        found.append(pid)
    return found


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[1])


async def _ends(pid: int) -> bool:
    """Wait until a process ends; whether it does."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        ended, _, _ = await asyncio.to_thread(select.select, [descriptor], [], [], PATIENCE)
        return bool(ended)
    finally:
        os.close(descriptor)


def _at_rest(board: dict[str, Any]) -> bool:
    if board["current_job_id"] is not None:
        return False
    if board["state"] == "reserved":
        return board["session"] is not None
    return board["state"] == "idle" or board["health"] == "quarantined"
