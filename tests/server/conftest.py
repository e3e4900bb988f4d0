"""A door with a floor behind it that only writes down what it is asked: what the doors do by themselves shows here.

Everything about boards is tested on the real floor, in test_lab.py and in tests/fpga.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import GaugeMetricFamily, Metric
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.websocket import WebSocketClientConnection, websocket_connect

from jupyter_fpga.errors import Invalid, LabError, NotFound
from jupyter_fpga.fpga.bench import Watch
from jupyter_fpga.people import ROLES, Person
from jupyter_fpga.server.auth import KeyFile, TokenAuthenticator
from jupyter_fpga.server.door import Activity, Here, There
from jupyter_fpga.server.queue_tokens import QueueTokens
from jupyter_fpga.server.standalone import listen, make_application

TOKEN = "owner-token-0123456789"
ADA_KEY = "ada-key-0123456789abc"
JOB = "0b9d9a4e-6f0e-4c8b-9d5c-2d0e7f1c8a11"
ACCEPTED = {"job_id": JOB, "fpga_id": None, "status": "queued"}


class RecordingStream:
    """A stream whose answers a test gives when it likes."""

    def __init__(self) -> None:
        self.requests: asyncio.Queue[tuple[Any, asyncio.Future[Any]]] = asyncio.Queue()
        self.closed: str | None = None
        self.ended = asyncio.Event()
        self.given_back = asyncio.Event()
        self.room = asyncio.Semaphore(1_000_000)

    async def submit(self, request: Any) -> "asyncio.Future[Any]":
        await self.room.acquire()
        answer = asyncio.get_running_loop().create_future()
        self.requests.put_nowait((request, answer))
        return answer

    def end(self, reason: str) -> None:
        self.closed = reason
        self.ended.set()

    async def wait_closed(self) -> str:
        await self.ended.wait()
        assert self.closed is not None
        return self.closed

    async def close(self) -> None:
        self.given_back.set()


class RecordingPath(RecordingStream):
    """The same for packets."""

    error: LabError | None = None

    def fail(self, error: LabError) -> None:
        self.error = error
        self.end("failed")


class RecordingWatch(Watch):
    """A bench that shows what the test puts there, and writes down what is done to it."""

    def __init__(self) -> None:
        self.seen: asyncio.Queue[dict[str, Any] | Exception | None] = asyncio.Queue()
        self.done: list[dict[str, Any]] = []
        self.over = asyncio.Event()

    async def states(self) -> AsyncIterator[dict[str, Any]]:
        try:
            while (state := await self.seen.get()) is not None:
                if isinstance(state, Exception):
                    raise state
                yield state
        finally:
            self.over.set()

    async def act(self, action: Mapping[str, Any]) -> None:
        if "refuse" in action:
            raise Invalid("Not that.", code="bench_rejected")
        self.done.append(dict(action))


class RecordingFpga:
    """Writes down each call; answers with ``answers[name]``, and raises what is an exception there."""

    def __init__(self, folder: Path) -> None:
        self.calls: list[tuple[str, Person, tuple[Any, ...], dict[str, Any]]] = []
        artifact = folder / "artifact"
        artifact.write_bytes(b"\x00\xffbits" * 100_000)
        self.answers: dict[str, Any] = {
            **dict.fromkeys(("submit", "build", "run", "reset", "release", "kick", "clear"), ACCEPTED),
            **{name: [] for name in ("boards", "jobs")},
            **{name: {} for name in ("board", "job", "session", "renew", "manifest", "quarantine")},
            **{name: {} for name in ("arm_capture", "captured")},
            **{name: {} for name in ("bench", "bench_action", "allow_observers", "board_health", "examine")},
            "etherbone_port": {"host": "127.0.0.1", "port": 1234},
            "result": {"ok": True, "data": [1, 2]},
            "logs": [(1, "one\n"), (2, "two")],
            "artifact": artifact,
            "cancel": None,
            "stop_capture": None,
        }
        self.log: asyncio.Queue[tuple[int, str] | None] = asyncio.Queue()
        self.log_closed = asyncio.Event()
        self.frames: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.events_closed = asyncio.Event()
        self.stream = RecordingStream()
        self.path = RecordingPath()
        self.watch = RecordingWatch()
        self.well = True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self.answers:
            raise AttributeError(name)

        async def call(person: Person, *args: Any, **kwargs: Any) -> Any:
            self.calls.append((name, person, args, kwargs))
            answer = self.answers[name]
            if isinstance(answer, BaseException):
                raise answer
            return answer

        return call

    async def follow_logs(
        self, person: Person, job_id: str, after: int = 0, fpga_id: int | None = None
    ) -> AsyncIterator[tuple[int, str]]:
        self.calls.append(("follow_logs", person, (job_id,), {"after": after, "fpga_id": fpga_id}))
        try:
            while (entry := await self.log.get()) is not None:
                yield entry
        finally:
            self.log_closed.set()

    async def open_stream(self, person: Person, fpga_id: int, *, observe: bool, design: str | None) -> RecordingStream:
        self.calls.append(("open_stream", person, (fpga_id,), {"observe": observe, "design": design}))
        refusal = self.answers.get("open_stream")
        if refusal is not None:
            raise refusal
        return self.stream

    def watch_bench(self, person: Person, fpga_id: int, interval: float, console: int | None) -> Watch:
        self.calls.append(("watch_bench", person, (fpga_id, interval, console), {}))
        return self.watch

    async def etherbone(self, person: Person, fpga_id: int, *, design: str | None) -> RecordingPath:
        self.calls.append(("etherbone", person, (fpga_id,), {"design": design}))
        refusal = self.answers.get("etherbone")
        if refusal is not None:
            raise refusal
        return self.path

    async def events(self, person: Person, since: int | None) -> AsyncIterator[dict[str, Any]]:
        self.calls.append(("events", person, (since,), {}))
        if since == 999:
            raise NotFound("The log hasn't got that far.", code="lsn_in_future")
        try:
            while (frame := await self.frames.get()) is not None:
                yield frame
        finally:
            self.events_closed.set()

    def health(self) -> dict[str, Any]:
        return {"ok": self.well, "reason": None if self.well else "It isn't well.", "version": "1"}

    def version(self) -> dict[str, Any]:
        return {"name": "jupyter_fpga", "version": "1"}

    def metrics(self) -> CollectorRegistry:
        registry = CollectorRegistry()
        Gauge("jupyter_fpga_answer", "What it is", registry=registry).set(42)
        return registry


class CountingCompute:
    """A compute floor that counts, and nothing else."""

    def metrics(self) -> list[Metric]:
        return [GaugeMetricFamily("jupyter_fpga_question", "What it is", value=43)]


class RecordingLab:
    """Floors that a test looks into."""

    def __init__(self, fpga: Any, compute: Any = None) -> None:
        self.fpga = fpga
        self.compute = compute or CountingCompute()

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""


class OpenDoor:
    """A door to a given lab; a test may put a refusal in its place."""

    def __init__(self, fpga: Any, uploads: Path) -> None:
        self.activity = Activity()
        self.here = Here(RecordingLab(fpga), uploads, QueueTokens(b"secret"))
        self.refusal: LabError | None = None

    async def reach(self) -> Here:
        if self.refusal is not None:
            raise self.refusal
        return self.here

    def lost(self, there: There) -> None:
        raise AssertionError("nothing is elsewhere")


class Socket:
    """A WebSocket whose end can be awaited, however often it was read."""

    def __init__(self) -> None:
        self.connection: WebSocketClientConnection
        self.over = asyncio.Event()
        self._messages: asyncio.Queue[str | bytes | None] = asyncio.Queue()

    def take(self, message: str | bytes | None) -> None:
        if message is None:
            self.over.set()
        self._messages.put_nowait(message)

    async def read_message(self) -> Any:
        return await self._messages.get()

    async def write_message(self, message: str | bytes, binary: bool = False) -> None:
        await self.connection.write_message(message, binary=binary)

    def close(self) -> None:
        self.connection.close()

    @property
    def close_code(self) -> int | None:
        return self.connection.close_code

    @property
    def close_reason(self) -> str | None:
        return self.connection.close_reason


class Client:
    """Plain HTTP and WebSocket requests to a base URL."""

    def __init__(self, url: str, token: str | None = TOKEN) -> None:
        self.url = url
        self.token = token
        self._http = AsyncHTTPClient(force_instance=True, max_clients=200)
        self._sockets: list[Socket] = []

    def headers(self, token: str | None, more: dict[str, str] | None = None) -> dict[str, str]:
        chosen = self.token if token is None else token
        return ({"X-API-Key": chosen} if chosen else {}) | (more or {})

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> HTTPResponse:
        if isinstance(body, dict | list):
            body = json.dumps(body)
            headers = {"Content-Type": "application/json"} | (headers or {})
        return await self._http.fetch(
            HTTPRequest(
                self.url + path,
                method,
                headers=self.headers(token, headers),
                body=body if body is not None or method not in ("POST", "PUT") else b"",
                allow_nonstandard_methods=True,
                request_timeout=60,
                follow_redirects=False,
            ),
            raise_error=False,
        )

    async def get(self, path: str, **kwargs: Any) -> Any:
        response = await self.ask("GET", path, **kwargs)
        assert response.code == 200, (response.code, response.body)
        return json.loads(response.body)

    async def refusal(self, method: str, path: str, body: Any = None, **kwargs: Any) -> tuple[int, str, str]:
        """Status, machine code and message of an answer that must be an envelope."""
        response = await self.ask(method, path, body, **kwargs)
        envelope = json.loads(response.body)
        assert set(envelope) == {"error", "message", "detail"}, envelope
        assert response.headers["Content-Type"] == "application/json"
        return response.code, envelope["error"], envelope["message"]

    async def socket(self, path: str, token: str | None = None) -> Socket:
        request = HTTPRequest("ws" + self.url.removeprefix("http") + path, headers=self.headers(token))
        socket = Socket()
        socket.connection = await websocket_connect(request, on_message_callback=socket.take)
        self._sockets.append(socket)
        return socket

    async def close(self) -> None:
        self._http.close()
        for socket in self._sockets:
            socket.close()
            await socket.over.wait()


class Wire:
    """A connection on which a test writes what it likes."""

    def __init__(self, client: Client) -> None:
        self.client = client
        host, _, self.path = client.url.removeprefix("http://").partition("/")
        self.name, _, port = host.partition(":")
        self.port = int(port)

    async def __aenter__(self) -> "Wire":
        self.reader, self.writer = await asyncio.open_connection(self.name, self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        await self.writer.wait_closed()

    def head(self, method: str, path: str, *headers: str) -> None:
        lines = (f"{method} /{self.path}{path} HTTP/1.1", f"Host: {self.name}", f"X-API-Key: {self.client.token}")
        self.writer.write("\r\n".join((*lines, *headers, "", "")).encode())

    async def answer(self) -> tuple[int, dict[str, Any]]:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        return int(head.split()[1]), json.loads(await self.reader.readexactly(int(length.split()[1])))


@pytest.fixture
def wire() -> type[Wire]:
    return Wire


@pytest.fixture
def owner() -> Person:
    return Person("me", frozenset(ROLES))


@pytest.fixture
def fpga(tmp_path: Path) -> RecordingFpga:
    return RecordingFpga(tmp_path)


@pytest.fixture
def door(fpga: RecordingFpga, tmp_path: Path) -> OpenDoor:
    return OpenDoor(fpga, tmp_path)


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    path = tmp_path / "keys.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps({"keys": [{"name": "ada", "key": ADA_KEY}]}))
    return KeyFile(path)


@pytest.fixture
async def client(door: OpenDoor, owner: Person, keys: KeyFile) -> AsyncIterator[Client]:
    """A client of the stand-alone host, below a base path as behind a proxy."""
    application = make_application(door, TokenAuthenticator(owner, TOKEN, keys), base="/base")
    server, port = listen(application, 0)
    client = Client(f"http://127.0.0.1:{port}/base")
    yield client
    await client.close()
    server.stop()
    await door.activity.end_sockets()
    await server.close_all_connections()


@pytest.fixture
def ada_key() -> str:
    return ADA_KEY


@pytest.fixture
def new_client() -> type[Client]:
    return Client
