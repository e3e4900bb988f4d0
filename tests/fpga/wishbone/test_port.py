"""Bytes through a line that is short of room, hangs up, or is read by somebody else."""

import asyncio
import os
import socket
import struct
import tty

import pytest
import serial

from jupyter_fpga.fpga.wishbone.port import Port


class End:
    """One end of a socket pair as a wire."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    @property
    def fd(self) -> int | None:
        return self._end.fileno() if self._end.fileno() >= 0 else None

    def close(self) -> None:
        self._end.close()


class Ears:
    """What a port says."""

    def __init__(self) -> None:
        self.heard = b""
        self.gone: list[str] = []
        self.moved = asyncio.Event()

    def on_bytes(self, data: bytes) -> None:
        self.heard += data
        self.moved.set()

    def on_gone(self, reason: str) -> None:
        self.gone.append(reason)
        self.moved.set()

    async def wait(self) -> None:
        await self.moved.wait()
        self.moved.clear()


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
def pair():
    near, far = socket.socketpair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    yield near, far
    near.close()
    far.close()


def port_on(near: socket.socket, ears: Ears) -> Port:
    return Port(End(near), on_bytes=ears.on_bytes, on_gone=ears.on_gone)


async def test_what_does_not_fit_goes_out_later_and_in_order(pair, ears: Ears):
    near, far = pair
    port = port_on(near, ears)
    sent = b"".join(n.to_bytes(4, "big") for n in range(100_000))
    for at in range(0, len(sent), 1000):
        port.send(sent[at : at + 1000])
    port.send(b"")
    far.setblocking(False)
    loop = asyncio.get_running_loop()
    came = b""
    while len(came) < len(sent):
        came += await loop.sock_recv(far, 65536)
    assert came == sent
    # The line is free again: what comes now goes at once.
    port.send(b"again")
    assert far.recv(100) == b"again"
    port.close()


async def test_what_has_not_gone_out_can_be_forgotten(pair, ears: Ears):
    near, far = pair
    port = port_on(near, ears)
    port.send(bytes(1_000_000))
    port.discard_output()
    port.discard_output()
    far.setblocking(False)
    came = 0
    while True:
        try:
            came += len(far.recv(65536))
        except BlockingIOError:
            break
    assert 0 < came < 1_000_000
    port.send(b"next")
    assert far.recv(100) == b"next"
    port.close()


async def test_bytes_come_in(pair, ears: Ears):
    near, far = pair
    port = port_on(near, ears)
    far.send(b"hello")
    await ears.wait()
    assert ears.heard == b"hello"
    port.close()
    port.close()
    port.send(b"nobody hears this")
    assert ears.gone == []


async def test_a_peer_that_closes_is_told_once(pair, ears: Ears):
    near, far = pair
    port_on(near, ears)
    far.close()
    await ears.wait()
    assert ears.gone == ["its serial line was hung up."]


async def test_a_write_that_fails_is_told(pair, ears: Ears):
    near, _far = pair
    port = port_on(near, ears)
    near.shutdown(socket.SHUT_WR)
    port.send(b"lost")
    await ears.wait()
    assert ears.gone == ["writing to its serial line failed (Broken pipe)."]
    assert near.fileno() == -1


async def test_a_terminal_that_is_cut_is_told(ears: Ears):
    master, slave = os.openpty()
    tty.setraw(slave)
    wire = serial.Serial(os.ttyname(slave), 1_000_000, timeout=0)
    os.close(slave)
    Port(wire, on_bytes=ears.on_bytes, on_gone=ears.on_gone)
    os.close(master)
    await ears.wait()
    assert ears.gone == ["its serial line was hung up."]


async def test_a_read_that_fails_is_told(ears: Ears):
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    port_on(near, ears)
    # Closed with nothing to linger for, the peer resets the connection.
    far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    far.close()
    await ears.wait()
    assert ears.gone == ["reading from its serial line failed (Connection reset by peer)."]


async def test_somebody_else_reading_the_line_is_no_hang_up(ears: Ears):
    """As pyserial sets a terminal, reading nothing and being hung up look the same."""
    master, slave = os.openpty()
    tty.setraw(slave)
    wire = serial.Serial(os.ttyname(slave), 1_000_000, timeout=0)
    port = Port(wire, on_bytes=ears.on_bytes, on_gone=ears.on_gone)
    port._readable()
    assert (ears.heard, ears.gone) == (b"", [])
    os.write(master, b"still here")
    await ears.wait()
    assert ears.heard == b"still here"
    port.close()
    os.close(master)
    os.close(slave)


async def test_nothing_to_read_after_all(pair, ears: Ears):
    near, _far = pair
    port = port_on(near, ears)
    port._readable()
    assert (ears.heard, ears.gone) == (b"", [])
    port.close()


async def test_a_closed_wire_is_refused(pair, ears: Ears):
    near, _ = pair
    near.close()
    with pytest.raises(ValueError, match=r"^The wire is closed; open it before a link is made of it\.$"):
        port_on(near, ears)
