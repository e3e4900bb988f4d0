"""Words a second over a line that adds 0, 1, 4 and 16 ms, beside LiteX's own tools and beside what the wire takes.

One simulated board, paced to real time, behind a relay in a process of its own that holds back what the board sends (as
an FTDI chip does). Each kind of work is done by the link, by LiteX's ``CommUART``, and by its ``RemoteClient`` through
``litex_server``, one after the other on the same line. How fast board time went meanwhile is shown: below 1 the machine
was too busy for a 12 MHz board, and the wire is that much slower for everybody. Nothing is asserted about time.
"""

# ruff: noqa: F811 - fixtures of the driver's tests are arguments here
import asyncio
import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import serial
from litex.tools.litex_client import RemoteClient
from litex.tools.remote.comm_uart import CommUART

from jupyter_fpga.client import LabClient
from jupyter_fpga.fpga.drivers import Record, SimulatedDriver
from jupyter_fpga.fpga.wishbone import Operation, WishboneLink
from jupyter_fpga.gateware.targets import SIMULATED

from ..fpga.drivers.conftest import (  # noqa: F401, TID252 - a board is made there
    MANIFEST,
    base_folder,
    board,
    driver,
    image,
    sandbox,
)
from ..fpga.wishbone import relay as relay_module  # noqa: TID252

pytestmark = pytest.mark.benchmark

BASE = SIMULATED.window.base
#: In tests/resources/window.v: sixteen words of memory, and a counter.
MEMORY, COUNTER = BASE, BASE + 4 * 0x105

#: Bytes a second, each way.
WIRE = MANIFEST.baud / 10

#: Words of a peer's burst.
BURST = 160

#: Words that a peer moves in a measurement, by milliseconds of delay: a second or so.
PEER_WORDS = {0: 3200, 1: 960, 4: 320, 16: 160}
LINK_WORDS = 60_000


@dataclass(frozen=True)
class Work:
    """One kind of work.

    Parameters
    ----------
    limit
        Words a second that the wire takes of it, with nothing around them, by frames.
    link, peer
        What does so many words of it.
    """

    name: str
    limit: float
    link: Callable[[WishboneLink, int], Awaitable[Any]]
    peer: Callable[[Any, int], Any]


def _place(n: int) -> int:
    return MEMORY + 4 * (7 * n % 16)


def _peer_mixed(comm: Any, words: int) -> None:
    for n in range(words // 2):
        comm.write(_place(n), n)
        comm.read(_place(n + 1))


WORK = [
    Work(
        "burst reads",
        WIRE / 4,
        lambda link, words: link.read(COUNTER, words, fixed=True),
        lambda comm, words: [comm.read(COUNTER, BURST, burst="fixed") for _ in range(words // BURST)],
    ),
    Work(
        "burst writes",
        WIRE / 4,
        lambda link, words: link.write(MEMORY, range(words), fixed=True),
        # The client knows no writes to one address, and there are sixteen words.
        lambda comm, words: [comm.write(MEMORY, list(range(16))) for _ in range(words // 16)],
    ),
    Work(
        "scattered reads",
        WIRE / 4,
        lambda link, words: link.run([Operation.read(_place(n)) for n in range(words)]),
        lambda comm, words: [comm.read(_place(n)) for n in range(words)],
    ),
    Work(
        "scattered writes",
        WIRE / 6,
        lambda link, words: link.run([Operation.write(_place(n), (n,)) for n in range(words)]),
        lambda comm, words: [comm.write(_place(n), n) for n in range(words)],
    ),
    # Each changes the command, which takes 2 bytes of its own: a pair is 12 there and 4 back.
    Work(
        "a write, a read",
        WIRE / 6,
        lambda link, words: link.run(
            [Operation.read(_place(n)) if n % 2 else Operation.write(_place(n), (n,)) for n in range(words)]
        ),
        _peer_mixed,
    ),
]


async def _one_by_one(link: WishboneLink, words: int) -> None:
    for n in range(words):
        await link.read(_place(n))


@contextlib.contextmanager
def relayed(terminal: str, delay: float) -> Iterator[str]:
    """The terminal of a relay."""
    command = [sys.executable, str(Path(relay_module.__file__)), terminal, str(delay)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


@contextlib.asynccontextmanager
async def linked(terminal: str) -> AsyncIterator[WishboneLink]:
    link = WishboneLink(
        serial.Serial(terminal, MANIFEST.baud, timeout=0),
        baud=MANIFEST.baud,
        fifo_depth=MANIFEST.fifo_depth,
        answer_depth=MANIFEST.answer_depth,
        clock_hz=MANIFEST.clock_hz,
        control=MANIFEST.control,
    )
    try:
        await link.read(MEMORY)
        yield link
    finally:
        link.close()


def _timed(peer: Any, work: Work, words: int) -> float:
    begun = time.perf_counter()
    work.peer(peer, words)
    # Writes are done when a read behind them is answered.
    peer.read(MEMORY)
    return words / (time.perf_counter() - begun)


def by_comm(terminal: str, words: int) -> list[float]:
    comm = CommUART(terminal, MANIFEST.baud)
    try:
        return [_timed(comm, work, words) for work in WORK]
    finally:
        comm.close()


def by_client(terminal: str, words: int) -> list[float]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-u", "-m", "litex.tools.litex_server", "--uart", f"--uart-port={terminal}"]
    command += [f"--uart-baudrate={MANIFEST.baud}", f"--bind-port={port}", "--bind-ip=127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            return _by_client(server, RemoteClient("127.0.0.1", port), words)
        finally:
            server.terminate()


def _by_client(server: "subprocess.Popen[str]", client: Any, words: int) -> list[float]:
    assert server.stdout is not None
    while "tcp port" not in (line := server.stdout.readline()):
        assert line, "litex_server ended before it listened"
    # It says so a moment before it does.
    while True:
        try:
            client.open()
            break
        except ConnectionRefusedError:
            assert server.poll() is None
            time.sleep(0.01)
    try:
        return [_timed(client, work, words) for work in WORK]
    finally:
        client.close()


async def by_link(terminal: str) -> list[float]:
    rates = []
    async with linked(terminal) as link:
        for work in WORK:
            begun = time.perf_counter()
            await work.link(link, LINK_WORDS)
            rates.append(LINK_WORDS / (time.perf_counter() - begun))
    return rates


@pytest.mark.parametrize("milliseconds", [0, 1, 4, 16])
async def test_words_a_second(
    driver: SimulatedDriver, board: Record, milliseconds: int, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = driver.bench(board)
    with relayed(board["tty"], milliseconds / 1000) as terminal:
        cycles, begun = (await bench.state())["cycles"], time.perf_counter()
        ours = await by_link(terminal)
        passed = ((await bench.state())["cycles"] - cycles) / MANIFEST.clock_hz
        pace = passed / (time.perf_counter() - begun)
        comm = await asyncio.to_thread(by_comm, terminal, PEER_WORDS[milliseconds])
        client = await asyncio.to_thread(by_client, terminal, PEER_WORDS[milliseconds])
    head = f"{milliseconds} ms, words a second"
    lines = [f"{head:24}{'wire':>8}{'link':>8}{'':>7}{'CommUART':>10}{'ratio':>8}{'RemoteClient':>14}{'ratio':>8}"]
    for work, rate, peer, remote in zip(WORK, ours, comm, client, strict=True):
        lines.append(
            f"{work.name:24}{work.limit:8,.0f}{rate:8,.0f}{rate / work.limit:7.1%}"
            f"{peer:10,.0f}{rate / peer:8.1f}{remote:14,.0f}{rate / remote:8.1f}"
        )
    lines.append(f"board time went at {pace:.2f} of real time")
    with capsys.disabled():
        print("\n" + "\n".join(lines))


async def test_a_single_read(driver: SimulatedDriver, board: Record, capsys: pytest.CaptureFixture[str]) -> None:
    """One at a time, each awaited: nothing waits for company."""
    words = 1000
    lines = [f"{'reads, each awaited, ms':26}{'frames':>10}{'UARTBone':>10}{'CommUART':>10}"]
    for milliseconds in (0, 1, 4):
        with relayed(board["tty"], milliseconds / 1000) as terminal:
            took = []
            for answer_depth in (MANIFEST.answer_depth, 0):
                link = WishboneLink(
                    serial.Serial(terminal, MANIFEST.baud, timeout=0),
                    baud=MANIFEST.baud,
                    fifo_depth=MANIFEST.fifo_depth,
                    answer_depth=answer_depth,
                    clock_hz=MANIFEST.clock_hz,
                    control=MANIFEST.control,
                )
                await link.read(MEMORY)
                begun = time.perf_counter()
                await _one_by_one(link, words)
                took.append(time.perf_counter() - begun)
                link.close()

            def peer(terminal: str = terminal) -> float:
                comm = CommUART(terminal, MANIFEST.baud)
                begun = time.perf_counter()
                for n in range(words):
                    comm.read(_place(n))
                took = time.perf_counter() - begun
                comm.close()
                return took

            took.append(await asyncio.to_thread(peer))
        lines.append(f"{f'{milliseconds} ms added':26}" + "".join(f"{1000 * t / words:10.2f}" for t in took))
    with capsys.disabled():
        print("\n" + "\n".join(lines))


HANDLES_DESIGN = """
class Top(wiring.Component):
    a: In(32)
    b: In(32)
    c: In(32)
    d: In(32)

    def elaborate(self, platform):
        return Module()
"""


async def test_scattered_reads_by_a_handle(
    driver: SimulatedDriver, board: Record, lab: LabClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole way, from a batch over the lab's WebSocket to the wire, beside the link alone on a board of its own.

    In turns, as the machine is never equally busy.
    """
    words, turns = 10_000, 3
    handle = (await asyncio.to_thread(lab.submit, HANDLES_DESIGN)).board()
    handle.read(0)
    rates: list[tuple[float, float]] = []
    for _ in range(turns):
        async with linked(board["tty"]) as link:
            begun = time.perf_counter()
            await link.run([Operation.read(_place(n)) for n in range(words)])
            alone = words / (time.perf_counter() - begun)
        begun = time.perf_counter()
        with handle.batch() as batch:
            for n in range(words):
                batch.read(4 * (3 * n % 4))
        rates.append((alone, words / (time.perf_counter() - begun)))
    lines = [f"{'scattered reads a second':26}{'wire':>10}{'link':>10}{'handle':>10}{'ratio':>8}"]
    for alone, whole in rates:
        lines.append(f"{'':26}{WIRE / 4:10,.0f}{alone:10,.0f}{whole:10,.0f}{whole / alone:8.2f}")
    with capsys.disabled():
        print("\n" + "\n".join(lines))
