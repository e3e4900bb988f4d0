"""Actions per second and the time until one is done, beside dask.distributed in the same run.

dask keeps nothing on disk; every action here is durable: accepted, begun and completed are events in committed
transactions. The figures are printed as tables; nothing is asserted about time.
"""

import asyncio
import hashlib
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from jupyter_fpga.client import StartedLab, start_lab
from jupyter_fpga.compute.actions import Compute
from jupyter_fpga.compute.actions.builtin import builtin_version
from jupyter_fpga.compute.cache import ActionCache
from jupyter_fpga.compute.runners.local import LocalRunner
from jupyter_fpga.compute.sandbox import Sandbox
from jupyter_fpga.people import Person
from jupyter_fpga.store import Store

pytestmark = pytest.mark.benchmark

ANN = Person("ann", frozenset(("student", "operator")))
NOOP = builtin_version("noop", 1)
MANY = 5000
FEW = 300
CONNECTIONS = 16
BATCH = 100

SCRIPT = b"#!/bin/sh\n"
VERSION = "00000000-0000-4000-8000-000000000002"

_numbers = iter(range(1 << 40))


def noop() -> dict[str, Any]:
    """An action that is equal to none before it."""
    return {"function": "noop", "function_version": NOOP, "constants": {"n": next(_numbers)}}


def sandboxed() -> dict[str, Any]:
    return {"function": "nothing", "function_version": VERSION, "constants": {"n": next(_numbers)}}


@pytest.fixture
async def compute(tmp_path: Path) -> AsyncIterator[Compute]:
    store = await Store.open(f"sqlite:///{tmp_path / 'lab.sqlite'}")
    sandbox = Sandbox.probe()
    compute = Compute(
        store=store,
        folder=tmp_path / "compute",
        cache=ActionCache(tmp_path / "cache"),
        runner=LocalRunner(sandbox),
        sandbox=sandbox,
    )
    await compute.start()
    program = tmp_path / "program"
    program.write_bytes(SCRIPT)
    hash = hashlib.sha256(SCRIPT).hexdigest()
    await compute.put_chunk(ANN, hash, program)
    functions = [{"name": "nothing", "version": VERSION}]
    await compute.register(ANN, {"name": "nothing", "functions": functions, "executables": {"nothing": hash}})
    yield compute
    await compute.stop()
    await store.close()


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StartedLab]:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    started = start_lab([f"--data-dir={tmp_path / 'data'}", "--boards=0", "--idle-exit=600"])
    yield started
    started.process.terminate()
    started.process.wait()


async def per_second(count: int, work: Callable[[], Awaitable[Any]]) -> float:
    begun = time.perf_counter()
    await work()
    return count / (time.perf_counter() - begun)


async def times(count: int, one: Callable[[], Awaitable[Any]]) -> list[float]:
    """Seconds of each of ``count`` calls, one after the other, sorted."""
    seconds = []
    for _ in range(count):
        begun = time.perf_counter()
        await one()
        seconds.append(time.perf_counter() - begun)
    return sorted(seconds)


def p(percent: int, seconds: list[float]) -> float:
    """A percentile, in milliseconds."""
    return 1e3 * statistics.quantiles(seconds, n=100)[percent - 1]


async def dask() -> tuple[float, list[float]]:
    """dask's tasks per second, and the seconds of single ones; measured in a process of its own."""
    words = [sys.executable, str(Path(__file__).with_name("dask_peer.py")), str(MANY), str(FEW)]
    peer = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    told = json.loads((await peer.communicate())[0].splitlines()[-1])
    return told["rate"], told["times"]


async def done(compute: Compute, lsn: int) -> None:
    job = await compute.job(ANN, lsn, wait=60)
    assert job["result"]["ok"]


async def test_through_the_python_api(compute: Compute) -> None:
    peer, peer_times = await dask()

    async def singly() -> None:
        answers = await asyncio.gather(*(compute.submit(ANN, noop()) for _ in range(MANY)))
        await compute._dispatcher.book.ended(answers[-1]["lsn"])

    async def together() -> None:
        for _ in range(0, MANY, 1000):
            answers = await compute.submit_many(ANN, [noop() for _ in range(1000)])
        await compute._dispatcher.book.ended(answers[-1]["lsn"])

    async def one(action: Callable[[], dict[str, Any]]) -> None:
        await done(compute, (await compute.submit(ANN, action()))["lsn"])

    dispatches: list[float] = []

    async def dispatched(action: Callable[[], dict[str, Any]]) -> None:
        lsn = (await compute.submit(ANN, action()))["lsn"]
        begun = time.perf_counter()
        await compute._dispatcher.book.ended(lsn)
        dispatches.append(time.perf_counter() - begun)

    async def walls() -> None:
        answers = await compute.submit_many(ANN, [sandboxed() for _ in range(FEW)])
        await asyncio.gather(*(done(compute, answer["lsn"]) for answer in answers))

    await one(sandboxed)
    rows = [("submit", await per_second(MANY, singly)), ("submit_many", await per_second(MANY, together))]
    rows.append(("sandboxed", await per_second(FEW, walls)))
    print(f"\ndask: {peer:.0f}/s")
    for name, rate in rows:
        print(f"{name:12s} {rate:8.0f}/s  {rate / peer:5.2f} × dask")
    print(f"dask, one: p50 {p(50, peer_times):.2f} p95 {p(95, peer_times):.2f} ms")
    for name, action in (("noop", noop), ("sandboxed", sandboxed)):
        dispatches.clear()
        await times(FEW, lambda action=action: dispatched(action))  # type: ignore[misc]
        seconds = await times(FEW, lambda action=action: one(action))  # type: ignore[misc]
        for what, these in (("accepted → done", dispatches), ("submit → result", seconds)):
            ratio = p(95, these) / p(95, peer_times)
            print(f"{name}, {what}: p50 {p(50, these):.2f} p95 {p(95, these):.2f} ms  {ratio:.2f} × dask")


async def test_growth(compute: Compute) -> None:
    """Whether many waiting actions make each one dearer."""
    print()
    first = None
    for count in (10, 100, 1000, 10_000):
        rounds = max(1, 1000 // count)
        begun = time.perf_counter()
        for _ in range(rounds):
            answers = []
            async with compute._dispatcher.quiet():
                for start in range(0, count, 1000):
                    answers += await compute.submit_many(ANN, [noop() for _ in range(min(1000, count - start))])
            await compute._dispatcher.book.ended(answers[-1]["lsn"])
        each = 1e6 * (time.perf_counter() - begun) / (rounds * count)
        first = first or each
        print(f"{count:6d} queued: {each:7.1f} µs each  {each / first:.2f} × the first")


class KeptAlive:
    """One connection to the lab, over which one request follows the other."""

    def __init__(self, lab: StartedLab) -> None:
        self._lab = lab
        self._place = urlsplit(lab.url)

    async def __aenter__(self) -> "KeptAlive":
        self._reader, self._writer = await asyncio.open_connection(self._place.hostname, self._place.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON that a request is answered with."""
        content = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {self._place.path.rstrip('/')}/compute{path} HTTP/1.1\r\nHost: {self._place.netloc}\r\n"
            f"Authorization: token {self._lab.token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        self._writer.write(head.encode() + content)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(answer.partition("content-length: ")[2].partition("\r\n")[0])
        return json.loads(await self._reader.readexactly(length))

    async def finished(self, lsn: int) -> None:
        """Wait until an action is done."""
        while (await self.ask("GET", f"/jobs/{lsn}?wait=60"))["state"] != "completed":
            continue


async def test_over_http(lab: StartedLab) -> None:
    peer, _ = await dask()

    async def one_by_one() -> None:
        async def some() -> None:
            async with KeptAlive(lab) as connection:
                for _ in range(MANY // CONNECTIONS):
                    last = await connection.ask("POST", "/jobs", noop())
                await connection.finished(last["lsn"])

        await asyncio.gather(*(some() for _ in range(CONNECTIONS)))

    async def in_batches() -> None:
        async def some() -> None:
            async with KeptAlive(lab) as connection:
                for _ in range(MANY // BATCH // 4):
                    last = await connection.ask("POST", "/jobs", {"actions": [noop() for _ in range(BATCH)]})
                await connection.finished(last[-1]["lsn"])

        await asyncio.gather(*(some() for _ in range(4)))

    for name, work in (("one by one", one_by_one), ("in batches", in_batches)):
        rate = await per_second(MANY, work)
        print(f"\nHTTP {name}: {rate:.0f}/s  {rate / peer:.2f} × dask ({peer:.0f}/s)", end="")
