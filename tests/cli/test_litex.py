"""``jupyter fpga etherbone`` and ``jupyter fpga artifacts``, as processes."""

import json
import signal
import socket
import struct
import subprocess
import sys
from contextlib import contextmanager

import pytest

DESIGN = "class Top(wiring.Component):\n    duty: In(8)\n    def elaborate(self, platform):\n        return Module()\n"
READ = bytes.fromhex("4e6f1044 00000000 000f0001 00000000")


@pytest.fixture
def board(lab):
    return lab.submit(DESIGN).board().ready()


@pytest.fixture
def fpga(served_lab, tmp_path):
    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "jupyter_fpga.cli", *map(str, words)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=served_lab.environment,
            timeout=120,
        )

    return run


@pytest.fixture
def etherbone(served_lab):
    """Start ``jupyter fpga etherbone``."""

    @contextmanager
    def start(*words):
        command = [sys.executable, "-m", "jupyter_fpga.cli", "etherbone", *map(str, words)]
        with subprocess.Popen(
            command, env=served_lab.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            yield process
            process.kill()

    return start


def read_at(connection, address):
    connection.sendall(READ + struct.pack(">I", address))
    return struct.unpack(">I", connection.recv(20)[16:])[0]


def test_many_connections_until_ctrl_c(etherbone, board):
    board.regs.duty = 7
    base = board.manifest.window.base
    with etherbone(board.fpga_id, "--listen=127.0.0.1:0", "--json") as process:
        told = json.loads(process.stdout.readline())
        assert (told["fpga_id"], told["host"]) == (board.fpga_id, "127.0.0.1")
        place = told["host"], told["port"]
        connections = [socket.create_connection(place) for _ in range(8)]
        for connection in connections:
            assert connection.recv(128).startswith(b"jupyter_fpga:127.0.0.1:")
        assert [read_at(connection, base) for connection in connections] == [7] * 8
        # One that goes wrong is told, and the others go on.
        connections[0].sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connections[0].recv(1)
        assert process.stderr.readline() == (
            "A connection was reset: the Etherbone packet can't be understood: it begins with 47 45, and Etherbone "
            "begins with 4e 6f.\n"
        )
        connections[1].sendall(READ + struct.pack(">I", 0x1000_0000))
        with pytest.raises(ConnectionResetError):
            connections[1].recv(1)
        assert process.stderr.readline() == (
            "A connection was reset: nothing was sent to the board: the address 0x10000000 is neither in the design's "
            f"window ({base:#010x} to {base + 3:#010x}) nor among the registers of the SoC (0xf0000000 to 0xf000ffff). "
            "The board's csr.csv lists what there is.\n"
        )
        assert read_at(connections[2], base) == 7
        process.send_signal(signal.SIGINT)
        for connection in connections[2:]:
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
        assert process.communicate(timeout=60)[0] == ""
        assert process.returncode == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(place)
    for connection in connections:
        connection.close()


def test_the_end_of_the_session_is_told(etherbone, board):
    with etherbone("--listen=127.0.0.1:0") as process:
        assert process.stdout.readline().startswith(f"Board {board.fpga_id} answers LiteX's tools at 127.0.0.1:")
        board.release().wait()
        assert process.communicate(timeout=60) == (
            "",
            f"The board session on board {board.fpga_id} has ended, and with it the port for LiteX's tools. Submit the "
            "design again to get a board.\n",
        )
        assert process.returncode == 4


def test_listening_for_everybody_is_told(etherbone, board):
    with etherbone("--listen=0.0.0.0:0", "--json") as process:
        port = json.loads(process.stdout.readline())["port"]
        assert process.stderr.readline() == f"Whoever can reach 0.0.0.0:{port} can use the board from now on.\n"


def test_what_can_not_be(fpga, lab, board):
    def sentence(code, *words):
        done = fpga("etherbone", *words)
        assert (done.returncode, done.stdout) == (code, ""), done
        return done.stderr

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert sentence(2, f"--listen=127.0.0.1:{port}") == (
            f"Nobody can listen on 127.0.0.1:{port} here (Address already in use). Choose another address or port.\n"
        )
    assert sentence(2, "--listen=nowhere.invalid:0").startswith("Nobody can listen on nowhere.invalid:0 here (")
    for given in ("here", "1.2.3.4:99999", "127.0.0.1:"):
        assert sentence(2, f"--listen={given}") == (
            f"--listen takes HOST:PORT, such as 127.0.0.1:1234; got '{given}'.\n"
        )
    assert sentence(2, "one") == "BOARD is a whole number such as 12 or 0x1f; got 'one'.\n"
    other = 3 - board.fpga_id
    assert sentence(5, other) == f"You don't hold board {other}; submit a design to get one.\n"
    board.release().wait()
    assert sentence(5) == "You hold no board; submit a design to get one.\n"


def test_artifacts(fpga, board, tmp_path):
    done = fpga("artifacts", "csr.csv", "csr.json", "--output=made")
    assert (done.returncode, done.stdout, done.stderr) == (0, "made/csr.csv\nmade/csr.json\n", "")
    assert (tmp_path / "made" / "csr.csv").read_bytes() == board.artifact("csr.csv")
    assert "window_duty" in json.loads((tmp_path / "made" / "csr.json").read_text())["csr_registers"]
    told = json.loads(fpga("artifacts", "csr.csv", f"--job={board.job.id}", "--json").stdout)
    assert told == {"job_id": board.job.id, "files": ["csr.csv"]}
    assert (tmp_path / "csr.csv").exists()
    done = fpga("artifacts", "analyser.csv", f"--board={board.fpga_id}")
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith("This build has no artifact 'analyser.csv'; it has ")
    done = fpga("artifacts", "csr.csv", "--output=/proc/1/x")
    assert (done.returncode, done.stderr) == (
        2,
        "“/proc/1/x” can't be written: No such file or directory. Give another folder with --output.\n",
    )
