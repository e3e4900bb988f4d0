"""RemoteClient and litex_cli against a board session, by the lab's port and by one's own."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyter_fpga.client.loop import loop


def printed(done: "subprocess.CompletedProcess[str]") -> list[str]:
    """What a tool that went well printed."""
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout.splitlines()


def is_reset(done: "subprocess.CompletedProcess[str]") -> bool:
    """Whether a tool ended with a connection reset, having printed nothing that could be taken for a value."""
    return done.stdout == "" and done.returncode != 0 and "ConnectionResetError" in done.stderr


def test_registers_by_the_names_of_csr_csv(python, board):
    program = """
bus.regs.window_duty.write(40)
print(bus.regs.window_duty.read(), bus.regs.window_inverted.read())
first = bus.regs.window_ticks.read()
print(first < bus.regs.window_ticks.read())
print(hex(bus.regs.ctrl_scratch.read()))
bus.regs.ctrl_scratch.write(0xC0FFEE)
print(hex(bus.regs.ctrl_scratch.read()))
print(bus.mems.window_memory.size, bus.constants.config_clock_frequency)
bus.close()
"""
    assert printed(python(program)) == ["40 215", "True", "0x12345678", "0xc0ffee", "4096 12000000"]
    # What one writes, the other reads.
    assert board.regs.duty.read() == 40


def test_bursts(python):
    """LiteX's client sends at most 255 words at a time, and says so itself."""
    program = """
import random
base = bus.mems.window_memory.base
words = [random.Random(1).getrandbits(32) for _ in range(1024)]
for start in range(0, 1024, 250):
    bus.write(base + 4 * start, words[start:start + 250])
seen = []
for start in range(0, 1024, 250):
    seen += bus.read(base + 4 * start, min(250, 1024 - start))
print(seen == words)
print(bus.read(base + 8, 20, burst="fixed") == [words[2]] * 20)
try:
    bus.read(base, 256)
except ValueError as error:
    print(error)
bus.close()
"""
    assert printed(python(program)) == [
        "True",
        "True",
        "Burst size of 256 exceeds maximum of 255 allowed by Etherbone.",
    ]


def test_a_thousand_words_that_nobody_waits_for(python):
    """Packets that are sent ahead of their answers, as LiteX's own code makes and reads them."""
    program = """
from litex.tools.remote.etherbone import EtherbonePacket, EtherboneReads, EtherboneRecord
base = bus.mems.window_memory.base
for index in range(1000):
    bus.write(base + 4 * index, index * index)
for start in range(0, 1000, 200):
    packet, record = EtherbonePacket(32), EtherboneRecord(4)
    record.reads = EtherboneReads(4, addrs=[base + 4 * (start + index) for index in range(200)])
    packet.records = [record]
    packet.encode()
    bus.send_packet(bus.socket, packet)
seen = []
for _ in range(5):
    packet = EtherbonePacket(32, bus.receive_packet(bus.socket, 4))
    packet.decode()
    seen += packet.records[0].writes.get_datas()
print(seen == [index * index for index in range(1000)])
"""
    assert printed(python(program)) == ["True"]


def test_litex_cli(litex_cli, board, tmp_path):
    lines = printed(litex_cli("--regs"))
    assert [line.split()[3] for line in lines] == [
        *("ctrl_reset", "ctrl_scratch", "ctrl_bus_errors", "ctrl_cycles", "ctrl_overflow"),
        *("window_duty", "window_inverted", "window_ticks"),
    ]
    assert all(re.fullmatch(r"0x[0-9a-f]{8} : 0x[0-9a-f]{8,} \w+", line) for line in lines)
    assert lines[1] == "0xf0000004 : 0x12345678 ctrl_scratch"
    assert printed(litex_cli("--ident")) == [f"{board.manifest.identifier}\0"]
    duty = board.manifest.window.base + board.regs.duty.info.offset
    assert printed(litex_cli("--write", hex(duty), "0x2a")) == []
    assert printed(litex_cli("--read", hex(duty))) == [f"{duty:#010x} : 0x0000002a"]
    assert printed(litex_cli("--read", "window_duty")) == [f"{duty:#010x} : 0x0000002a"]
    assert printed(litex_cli("--regs", "--filter", "inverted")) == [f"{duty + 4:#010x} : 0x000000d5 window_inverted"]


def test_litex_cli_with_files(litex_cli, board, tmp_path):
    memory = board.memories.memory
    base = hex(board.manifest.window.base + memory.info.offset)
    content = bytes(range(256)) * 16
    (tmp_path / "in").write_bytes(content)
    # It sends a thousand words, hangs up and ends: all of them are written.
    assert printed(litex_cli("--write", base, "--file=in", "--length=4096")) == []
    assert printed(litex_cli("--read", base, "--file=out", "--length=4096")) == []
    assert (tmp_path / "out").read_bytes() == content
    assert memory[1] == 0x07060504


def test_several_at_once_and_beside_the_lab(python, board):
    def use(number: int) -> list[str]:
        program = f"""
at = bus.mems.window_memory.base + 4 * {number}
for value in range(200):
    bus.write(at, {number} << 16 | value)
    assert bus.read(at) == {number} << 16 | value
print("done")
"""
        return printed(python(program))

    with ThreadPoolExecutor(5) as pool:
        users = [pool.submit(use, number) for number in range(4)]
        for value in range(200):
            board.regs.duty = value
            assert board.regs.inverted.read() == value ^ 0xFF
        assert [user.result() for user in users] == [["done"]] * 4


@pytest.mark.parametrize(
    "program",
    [
        # In the window, where the design never answers.
        "bus.read(bus.mems.window_silent.base)",
        "bus.read(bus.mems.window_silent.base, 16)",
        "bus.write(bus.mems.window_silent.base, 1); bus.read(bus.mems.window_memory.base)",
        # Where nothing can be.
        "bus.read(0x1000_0000, 200)",
        "bus.read(bus.mems.window_memory.base + 2)",
        # What the lab's own link needs.
        "bus.regs.ctrl_reset.write(1); bus.regs.window_duty.read()",
        "bus.regs.ctrl_overflow.write(0); bus.regs.window_duty.read()",
        # No Etherbone.
        "bus.socket.sendall(b'GET / HTTP/1.1\\r\\n\\r\\n'); bus.socket.recv(1)",
    ],
)
def test_what_can_not_be_done_is_a_reset_and_never_zeros(python, board, program):
    assert is_reset(python(f"{program}\nprint('no reset')"))
    # The next one finds the board as it was.
    board.regs.duty = 77
    assert printed(python("print(bus.regs.window_duty.read())")) == ["77"]


READER = """
print("ready", flush=True)
while True:
    assert bus.regs.window_duty.read() == 9
"""


@pytest.fixture
def reader(csr_csv, port, tmp_path, board):
    """A program that reads without end."""
    board.regs.duty = 9
    head = f"from litex import RemoteClient\nbus = RemoteClient(port={port})\nbus.open()\n"
    process = subprocess.Popen(
        [sys.executable, "-c", head + READER],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()


def test_the_end_of_the_session_is_a_reset_and_the_port_is_gone(reader, board, python):
    board.release().wait()
    assert "ConnectionResetError" in reader.communicate(timeout=60)[1]
    refused = python("print('open')")
    assert refused.stdout == ""
    assert "ConnectionRefusedError" in refused.stderr


def test_a_board_without_power_is_a_reset(reader, board, lab):
    """It just doesn't answer any more: LiteX's client would go on with zeros after 2 s."""
    loop.call(lab.door.post, f"fpga/{board.fpga_id}/bench", {"action": "power", "on": False})
    assert "ConnectionResetError" in reader.communicate(timeout=60)[1]


def test_another_design_is_a_reset(reader, board, lab):
    lab.submit(
        "class Top(wiring.Component):\n    x: In(8)\n    def elaborate(self, p):\n        return Module()\n",
        board=board.fpga_id,
    ).wait()
    assert "ConnectionResetError" in reader.communicate(timeout=60)[1]
