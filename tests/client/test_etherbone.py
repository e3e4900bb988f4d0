"""The port on one's own side, against a lab that answers as a test says and against one that runs."""

import asyncio
import json
import socket
import struct

import pytest

from jupyter_fpga.client.door import Door
from jupyter_fpga.client.errors import Conflict, Invalid
from jupyter_fpga.client.etherbone import EtherbonePort, open_etherbone
from jupyter_fpga.client.loop import loop

DESIGN = "class Top(wiring.Component):\n    duty: In(8)\n    def elaborate(self, platform):\n        return Module()\n"
READ = bytes.fromhex("4e6f1044 00000000 000f0001 00000000 00000010")
WRITE = bytes.fromhex("4e6f1044 00000000 000f0100 00000010 00000007")


class FakeLab:
    """Sockets to the lab, in the order in which they were opened: the first only waits for the session's end."""

    def __init__(self) -> None:
        self.sockets = []
        self.frames = asyncio.Queue()
        self.opened = asyncio.Event()

    def open(self, handler) -> None:
        self.sockets.append(handler)
        self.opened.set()

    def frame(self, handler, frame) -> None:
        self.frames.put_nowait((handler, frame))


@pytest.fixture
def fake(serve, talking):
    async def make() -> FakeLab:
        return FakeLab()

    fake = loop.call(make)
    fake.url = serve([(r"/fpga/3/session/etherbone", talking(fake.open, fake.frame))])
    return fake


@pytest.fixture
def port(fake):
    async def start() -> EtherbonePort:
        return await open_etherbone(Door(fake.url), 3, tell=told.append)

    told: list[str] = []
    opened = loop.call(start)
    opened.told = told
    yield opened
    opened.close()


def connect(port) -> socket.socket:
    connection = socket.create_connection((port.host, port.port))
    assert connection.recv(128) == f"jupyter_fpga:127.0.0.1:{port.port}".encode()
    return connection


def end(handler, code: int, reason: str = "") -> None:
    loop.get().call_soon_threadsafe(handler.close, code, reason)


def test_each_packet_is_a_message(port, fake):
    async def next_frame():
        return await fake.frames.get()

    async def answer(handler, data):
        await handler.write_message(data, binary=True)

    with connect(port) as connection:
        connection.sendall(WRITE + READ[:5])
        connection.sendall(READ[5:])
        (handler, first), (_, second) = loop.call(next_frame), loop.call(next_frame)
        assert (first, second) == (WRITE, READ)
        assert handler is fake.sockets[1]
        loop.call(answer, handler, b"the answer")
        assert connection.recv(100) == b"the answer"


def test_what_the_lab_does_not_carry_out_is_a_reset_with_its_sentence(port, fake):
    async def refuse(handler):
        await handler.write_message(json.dumps({"error": "bus_error", "message": "Nobody answered.", "detail": {}}))
        handler.close(4422, "")

    with connect(port) as connection:
        connection.sendall(READ)
        loop.call(refuse, fake.sockets[1])
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    assert port.told == ["Nobody answered."]
    assert not port.closed


def test_a_lab_that_hangs_up_in_silence_is_a_reset(port, fake):
    async def cut(handler):
        handler.ws_connection.stream.close()

    with connect(port) as connection:
        connection.sendall(READ)
        loop.call(cut, fake.sockets[1])
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    assert port.told == ["The connection to board 3 was lost."]


def test_a_lab_that_says_nothing_is_a_reset(port):
    """Before LiteX's client makes up zeros, after 2 s."""
    with connect(port) as connection:
        connection.settimeout(2)
        connection.sendall(READ)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    assert port.told == ["the board didn't answer within 1.5 s."]


@pytest.mark.parametrize(
    ("code", "kind", "error", "message"),
    [
        (
            4410,
            Conflict,
            "session_ended",
            "The board session on board 3 has ended, and with it the port for LiteX's tools. Submit the design again "
            "to get a board.",
        ),
        (
            4411,
            Conflict,
            "design_replaced",
            "Board 3 has been programmed with another design since, from another notebook or terminal; nothing was "
            "read or written. Run this design's cell again, or take up the new design with “%fpga attach 3”.",
        ),
        (
            4409,
            Conflict,
            "link_busy",
            "Board 3 is in exclusive use just now (a capture, a grader); try again when it is over.",
        ),
        (1012, None, "link_lost", "The connection to board 3 was lost (the lab stops)."),
    ],
)
def test_the_port_ends_with_the_session(port, fake, code, kind, error, message):
    with connect(port) as connection:
        end(fake.sockets[0], code, "the lab stops" if code == 1012 else "")
        why = port.wait_closed()
        assert (why.code, why.message) == (error, message)
        assert kind is None or isinstance(why, kind)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    assert repr(port) == f"<EtherbonePort 127.0.0.1:{port.port}, closed>"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((port.host, port.port))


def test_who_may_not_is_told_when_the_port_is_opened(serve, answering):
    refusal = {"error": "not_session_holder", "message": "Somebody else's.", "detail": {}}
    url = serve([(r"/fpga/3/session/etherbone", answering(403, refusal))])
    with pytest.raises(Exception, match=r"Somebody else's\.") as caught:
        loop.call(open_etherbone, Door(url), 3)
    assert caught.value.code == "not_session_holder"


def test_a_handle_opens_one_and_closes_it_with_the_board(lab, tmp_path):
    board = lab.submit(DESIGN).board()
    board.regs.duty = 9
    opened = board.etherbone()
    assert board.etherbone() is opened
    assert repr(opened) == f"<EtherbonePort 127.0.0.1:{opened.port}>"
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Invalid) as caught:
        board.etherbone(taken.getsockname()[1])
    assert caught.value.code == "cannot_listen"
    # Asked for another, it has closed the first.
    assert opened.closed
    with board.etherbone() as opened, connect(opened) as connection:
        connection.sendall(READ[:-4] + struct.pack(">I", board.manifest.window.base))
        assert connection.recv(20)[16:] == struct.pack(">I", 9)
        assert board.csr_csv(tmp_path / "csr.csv") == tmp_path / "csr.csv"
        assert (tmp_path / "csr.csv").read_bytes() == board.artifact("csr.csv")
    assert opened.closed
    opened = board.etherbone()
    board.release().wait()
    assert opened.closed
    with pytest.raises(Conflict) as refused:
        board.etherbone()
    assert refused.value.code == "fpga_not_reserved"
