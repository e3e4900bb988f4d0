"""A whole lab as a process, people who ask it for what can't be, and others who want to go on working meanwhile."""

import http.client
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from jupyter_fpga.client import start_lab

ROLES = {"ada": ["student"], "grace": ["student"], "olga": ["operator"]}
STAGE_SECONDS = 8
"""What the lab lets one stage of a build take: an ordinary design's takes one or two."""
SECRET = "the-lab's-own-secret"

GOOD = """\
class Top(wiring.Component):
    duty: In(8)
    led: Out(1)
    twice: Out(16)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [self.led.eq(self.duty[0]), self.twice.eq(self.duty << 1)]
        return m
"""

Refusal = tuple[int, str, str]
"""Status, machine code, message."""


@dataclass
class Person:
    """Somebody with a key (or without, when it is empty)."""

    url: str
    name: str
    key: str

    def ask(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        """One request on a connection of its own; a body that isn't bytes is sent as JSON."""
        split = urlsplit(self.url)
        headers = {**({"X-API-Key": self.key} if self.key else {}), **(headers or {})}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection(str(split.hostname), split.port or 80, timeout=120)
        try:
            # A refusal may come, and the connection be closed, before all of the body is sent.
            with suppress(ConnectionError):
                connection.request(method, split.path + path, body, headers)
            response = connection.getresponse()
            return response.status, response.read(), response.headers
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        status, content, _ = self.ask("GET", path)
        assert status == 200, content
        return json.loads(content)

    def refusal(self, method: str, path: str, body: Any = None, **kwargs: Any) -> Refusal:
        """An answer that must be the envelope."""
        status, content, headers = self.ask(method, path, body, **kwargs)
        envelope = json.loads(content)
        assert set(envelope) == {"error", "message", "detail"}, (status, envelope)
        assert headers["Content-Type"] == "application/json"
        assert status >= 400
        return status, envelope["error"], envelope["message"]

    def accepted(self, path: str, body: Any = None, **kwargs: Any) -> str:
        """The job of a request that must be taken."""
        status, content, _ = self.ask("POST", path, body, **kwargs)
        assert status == 202, content
        return str(json.loads(content)["job_id"])

    def done(self, job_id: str) -> dict[str, Any]:
        """The job at its end: a log that is followed ends with it."""
        assert self.ask("GET", f"/jobs/{job_id}/logs?follow=1")[0] == 200
        job: dict[str, Any] = self.get(f"/jobs/{job_id}")
        assert job["status"] in ("complete", "failed", "cancelled")
        return job

    def build(self, source: str, **fields: Any) -> dict[str, Any]:
        return self.done(self.accepted("/build", {"source": source, **fields}))

    @asynccontextmanager
    async def socket(
        self, path: str, headers: dict[str, str] | None = None
    ) -> AsyncIterator[WebSocketClientConnection]:
        key = {"X-API-Key": self.key} if self.key else {}
        socket = await websocket_connect(
            HTTPRequest("ws" + self.url.removeprefix("http") + path, headers=key | (headers or {}))
        )
        stream = socket.protocol.stream
        try:
            yield socket
        finally:
            socket.close()
            # Not left to the end of the handshake, which nobody waits for here.
            stream.close()


@dataclass
class Lab:
    """A lab that runs."""

    folder: Path
    url: str
    pid: int
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def children(self) -> set[int]:
        """Its processes: one for each board that is on, and the runner of builds."""
        found: set[int] = set()
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with suppress(FileNotFoundError):
                found |= {int(pid) for pid in (task / "children").read_text().split()}
        return found

    def settle(self) -> None:
        """Wait until every board is free: whatever is being done to one is a job, whose log can be followed."""
        olga = self.people["olga"]
        for fpga_id in (board["fpga_id"] for board in olga.get("/fpga")):
            while (board := olga.get(f"/fpga/{fpga_id}"))["state"] != "idle":
                assert board["current_job_id"] is not None or board["state"] == "error", board
                if board["current_job_id"] is not None:
                    olga.done(board["current_job_id"])


@contextmanager
def running(folder: Path, *arguments: str, boards: int = 2) -> Iterator[Lab]:
    keys = {name: f"{name}-0123456789abcdef" for name in ROLES}
    file = folder / "keys.json"
    file.touch(mode=0o600)
    people = [{"name": name, "key": key, "roles": ROLES[name]} for name, key in keys.items()]
    file.write_text(json.dumps({"keys": people}))
    environment = {
        **os.environ,
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "LAB_SECRET": SECRET,
    }
    started = start_lab(
        [f"--data-dir={folder / 'data'}", f"--boards={boards}", f"--keys={file}", *arguments], environment=environment
    )
    try:
        lab = Lab(folder, started.url, started.pid)
        lab.people = {name: Person(started.url, name, key) for name, key in {**keys, "nobody": ""}.items()}
        yield lab
    finally:
        started.process.terminate()
        assert started.process.wait() == 0


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two boards, builds that may not take long, three people."""
    with running(tmp_path_factory.mktemp("lab"), f"--stage-seconds={STAGE_SECONDS}") as lab:
        lab.settle()
        yield lab


@pytest.fixture(scope="session")
def tight(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab where each may have little: sessions of a second, one board, two jobs that wait."""
    folder = tmp_path_factory.mktemp("tight")
    shutil.copytree(lab.data / "cache", folder / "data" / "cache")
    arguments = ("--session-ttl=1", "--ServeApp.max_held_boards=1", "--ServeApp.max_queued_jobs=2")
    with running(folder, *arguments) as lab:
        lab.settle()
        yield lab


@pytest.fixture
def ada(lab: Lab) -> Person:
    return lab.people["ada"]


@pytest.fixture
def grace(lab: Lab) -> Person:
    return lab.people["grace"]


@pytest.fixture
def olga(lab: Lab) -> Person:
    return lab.people["olga"]


@pytest.fixture
def nobody(lab: Lab) -> Person:
    return lab.people["nobody"]


@dataclass
class Held:
    """A board that Ada holds."""

    fpga_id: int
    job_id: str
    session_id: str


@pytest.fixture(scope="session")
def held(lab: Lab) -> Held:
    """Ada's board, with :data:`GOOD` on it. No test takes it from her."""
    ada = lab.people["ada"]
    job = ada.done(ada.accepted("/submit", {"source": GOOD}))
    assert job["status"] == "complete", job
    session = ada.get(f"/fpga/{job['fpga_id']}/session")
    return Held(job["fpga_id"], job["job_id"], session["session_id"])


@pytest.fixture
def unharmed(lab: Lab) -> Iterator[None]:
    """After the test nothing of it is left, and the next person's design is looked at as ever."""
    before = lab.children()
    yield
    job = lab.people["grace"].build("raise ValueError('as ever')", use_cache=False)
    assert (job["status"], job["error"]["reason"]) == ("failed", "ValueError: as ever.")
    assert lab.children() == before
    assert lab.people["olga"].get("/jobs?status=running") == lab.people["olga"].get("/jobs?status=queued") == []


@pytest.fixture
def still_answers(lab: Lab, held: Held) -> Callable[[], None]:
    """Ada's board works, and nothing was written to it."""

    def check() -> None:
        ada = lab.people["ada"]
        job = ada.done(ada.accepted(f"/fpga/{held.fpga_id}/run", {"op": "read", "address": 0, "count": 3}))
        assert ada.get(f"/jobs/{job['job_id']}/result")["data"] == [0, 0, 0]

    return check
