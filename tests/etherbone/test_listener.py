"""The port: answers in their order, and every failure a reset."""

import asyncio
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest

from jupyter_fpga.errors import Conflict, LabError
from jupyter_fpga.etherbone import PROBE_ANSWER, Listener, decode, encode_answer
from jupyter_fpga.etherbone.listener import MAX_BACKLOG_BYTES, MAX_CONNECTIONS

HEAD = bytes.fromhex("4e6f1044 00000000 000f")
PROBE = bytes.fromhex("4e6f1144 00000000")


def read(*addresses: int) -> bytes:
    return HEAD + struct.pack(f">BB{1 + len(addresses)}I", 0, len(addresses), 0, *addresses)


def write(address: int, *words: int) -> bytes:
    return HEAD + struct.pack(f">BB{1 + len(words)}I", len(words), 0, address, *words)


class Memory:
    """A path to words that are kept; a test may hold it up, or end it."""

    def __init__(self) -> None:
        self.words: dict[int, int] = {}
        self.go = asyncio.Event()
        self.go.set()
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.closed = asyncio.Event()
        self.failure: LabError | None = None
        self.taken = 0

    async def submit(self, packet: bytes) -> Awaitable[bytes]:
        if self.failure is not None:
            raise self.failure
        self.taken += 1
        return asyncio.ensure_future(self._answer(packet))

    async def _answer(self, packet: bytes) -> bytes:
        await self.go.wait()
        asked = decode(packet)
        if asked.probe:
            return PROBE_ANSWER
        for index, word in enumerate(asked.words):
            self.words[asked.address + 4 * index] = word
        if 0xBAD in asked.reads:
            raise Conflict("Nobody is there.")
        return encode_answer([self.words.get(address, 0) for address in asked.reads]) if asked.reads else b""

    async def wait_over(self) -> str:
        return await asyncio.shield(self.over)

    async def close(self) -> None:
        self.closed.set()


class Bench:
    """A listener, its paths, and what it told."""

    def __init__(self) -> None:
        self.paths: list[Memory] = []
        self.refusal: LabError | None = None
        self.told: asyncio.Queue[str] = asyncio.Queue()
        self.listener = Listener(self._open, tell=self.told.put_nowait, answer_seconds=0.3)

    async def _open(self) -> Memory:
        if self.refusal is not None:
            raise self.refusal
        self.paths.append(Memory())
        return self.paths[-1]

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(self.listener.host, self.listener.port)
        assert await reader.read(128) == f"jupyter_fpga:127.0.0.1:{self.listener.port}".encode()
        return reader, writer

    async def is_reset(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        """See that a connection is reset, with nothing before that; what was told of it."""
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        writer.close()
        return await self.told.get()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    await bench.listener.start()
    yield bench
    bench.listener.close("the test is over")
    await bench.listener.wait_ended()
    for path in bench.paths:
        assert path.closed.is_set()


async def test_reads_and_writes(bench: Bench):
    reader, writer = await bench.connect()
    writer.write(write(16, 7, 8) + read(20, 16, 0))
    assert await reader.readexactly(28) == encode_answer([8, 7, 0])
    writer.write(PROBE)
    assert await reader.readexactly(12) == PROBE_ANSWER
    writer.close()
    await bench.paths[0].closed.wait()
    assert bench.told.empty()


async def test_what_was_sent_before_the_end_is_carried_out_and_answered(bench: Bench):
    reader, writer = await bench.connect()
    (path,) = bench.paths
    path.go.clear()
    writer.write(write(0, 5) + read(0))
    writer.write_eof()
    path.go.set()
    # A polite end, to whoever has ended politely.
    assert await reader.read() == encode_answer([5])
    writer.close()
    await path.closed.wait()


async def test_a_client_that_writes_and_goes(bench: Bench):
    _, writer = await bench.connect()
    writer.write(b"".join(write(4 * index, index) for index in range(1000)))
    writer.close()
    await bench.paths[0].closed.wait()
    assert bench.paths[0].words == {4 * index: index for index in range(1000)}


async def test_what_is_not_carried_out_is_a_reset(bench: Bench):
    reader, writer = await bench.connect()
    writer.write(read(0xBAD))
    assert await bench.is_reset(reader, writer) == "Nobody is there."
    await bench.paths[0].closed.wait()
    reader, writer = await bench.connect()
    bench.paths[1].failure = Conflict("It is over.")
    writer.write(write(0, 1))
    assert await bench.is_reset(reader, writer) == "It is over."


async def test_garbage_is_a_reset(bench: Bench):
    reader, writer = await bench.connect()
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    assert await bench.is_reset(reader, writer) == (
        "The Etherbone packet can't be understood: it begins with 47 45, and Etherbone begins with 4e 6f."
    )
    assert bench.paths[0].taken == 0
    reader, writer = await bench.connect()
    writer.write(read(0)[:15])
    writer.write_eof()
    assert await bench.is_reset(reader, writer) == "the client ended in the middle of a packet."


async def test_a_late_answer_is_a_reset_and_a_write_is_not_late(bench: Bench):
    reader, writer = await bench.connect()
    (path,) = bench.paths
    path.go.clear()
    writer.write(write(0, 1))
    # Longer than an answer may take, on another connection: nobody waits for a write.
    other = await bench.connect()
    bench.paths[1].go.clear()
    other[1].write(read(0))
    assert await bench.is_reset(*other) == "the board didn't answer within 0.3 s."
    assert bench.told.empty()
    writer.write(read(0))
    assert await bench.is_reset(reader, writer) == "the board didn't answer within 0.3 s."
    path.go.set()


async def test_a_read_that_waits_behind_writes_is_seen(bench: Bench):
    reader, writer = await bench.connect()
    (path,) = bench.paths
    taking = path.submit
    stuck: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def submit(packet: bytes) -> Awaitable[bytes]:
        await stuck
        return await taking(packet)

    path.submit = submit
    writer.write(write(0, 1) * 10_000 + read(0))
    assert await bench.is_reset(reader, writer) == "the board didn't answer within 0.3 s."


async def test_too_much_sent_ahead_is_a_reset(bench: Bench):
    reader, writer = await bench.connect()
    stuck: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def submit(packet: bytes) -> Awaitable[bytes]:
        await stuck
        raise AssertionError

    bench.paths[0].submit = submit
    piece = write(0, *range(255)) * 100
    for _ in range(MAX_BACKLOG_BYTES // len(piece) + 2):
        writer.write(piece)
    assert await bench.is_reset(reader, writer) == (
        "more than 8,388,608 bytes were sent ahead of what the board had done; read something back now and then."
    )


async def test_the_end_of_a_path_resets_its_connection_only(bench: Bench):
    first, second = await bench.connect(), await bench.connect()
    bench.paths[0].over.set_result("The session has ended.")
    assert await bench.is_reset(*first) == "The session has ended."
    second[1].write(read(0))
    assert await second[0].readexactly(20) == encode_answer([0])
    second[1].close()


async def test_who_is_refused_is_reset_instead_of_greeted(bench: Bench):
    bench.refusal = Conflict("The session has ended.")
    reader, writer = await asyncio.open_connection(bench.listener.host, bench.listener.port)
    assert await bench.is_reset(reader, writer) == "The session has ended."


async def test_a_mistake_of_ours_is_a_reset_as_well(bench: Bench):
    reader, writer = await bench.connect()
    loop = asyncio.get_running_loop()
    seen = []
    loop.set_exception_handler(lambda _, context: seen.append(context["exception"]))
    mistake = ZeroDivisionError()

    async def submit(packet: bytes) -> Awaitable[bytes]:
        answer: asyncio.Future[bytes] = loop.create_future()
        answer.set_exception(mistake)
        return answer

    bench.paths[0].submit = submit
    writer.write(read(0))
    assert await bench.is_reset(reader, writer) == "the lab met a fault of its own."
    assert seen == [mistake]


async def test_closing_resets_everybody_and_the_next_is_refused(bench: Bench):
    first, second = await bench.connect(), await bench.connect()
    bench.paths[0].go.clear()
    first[1].write(read(0))
    bench.listener.close("The session has ended.")
    bench.listener.close("again")
    assert await bench.is_reset(*first) == "The session has ended."
    assert await bench.is_reset(*second) == "The session has ended."
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(bench.listener.host, bench.listener.port)


async def test_not_more_connections_than_that(bench: Bench):
    connections = [await bench.connect() for _ in range(MAX_CONNECTIONS)]
    reader, writer = await asyncio.open_connection(bench.listener.host, bench.listener.port)
    assert await bench.is_reset(reader, writer) == "there are 32 connections to this port already; close one."
    connections.pop()[1].close()
    await bench.paths[-1].closed.wait()
    connections.append(await bench.connect())
    for _, writer in connections:
        writer.close()


def listening_on(port: int) -> list[str]:
    """The addresses at which somebody listens on ``port``, as proc(5) has them."""
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()[1:]]
    return [words[1] for words in lines if words[1].endswith(f":{port:04X}") and words[3] == "0A"]


async def test_it_listens_on_the_loopback_interface_only(bench: Bench):
    assert listening_on(bench.listener.port) == [f"0100007F:{bench.listener.port:04X}"]


async def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="Address already in use"):
        Listener(lambda: None, port=taken.getsockname()[1])


SERVER = """
import asyncio, sys
from jupyter_fpga.etherbone import Listener

class Nobody:
    async def submit(self, packet): await asyncio.Future()
    async def wait_over(self): await asyncio.Future()
    async def close(self): pass

async def path(): return Nobody()

async def main():
    listener = Listener(path)
    await listener.start()
    print(listener.port, flush=True)
    await asyncio.Future()

asyncio.run(main())
"""


def test_a_process_that_is_killed_resets_its_connections():
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with socket.create_connection(("127.0.0.1", int(process.stdout.readline()))) as connection:
            assert connection.recv(128)
            process.kill()
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
