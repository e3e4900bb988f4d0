"""litex_term on a SoC's crossover UART: it can't be told a port, so the command listens where it looks."""

import os
import pty
import select
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .conftest import BIN, RESOURCES


@contextmanager
def ended(process: "subprocess.Popen[str]") -> "Iterator[subprocess.Popen[str]]":
    with process:
        yield process
        process.kill()


class Terminal:
    """A person at ``litex_term``."""

    def __init__(self, stack: ExitStack, walls: list[str], folder: Path) -> None:
        self._master, slave = pty.openpty()
        stack.callback(os.close, self._master)
        # What is typed is shown by whoever reads it.
        settings = termios.tcgetattr(slave)
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, settings)
        command = [*walls, str(BIN / "litex_term"), "crossover", "--csr-csv=csr.csv"]
        self.process = stack.enter_context(
            ended(subprocess.Popen(command, cwd=folder, stdin=slave, stdout=slave, stderr=slave, text=True))
        )
        os.close(slave)
        self.seen = ""

    def shows(self, text: str) -> None:
        """Wait until it has shown ``text``."""
        while text not in self.seen:
            assert select.select([self._master], [], [], 60)[0], self.seen
            self.seen += os.read(self._master, 4096).decode()

    def types(self, text: str) -> None:
        os.write(self._master, text.encode())


def test_the_console_of_a_soc(lab, environment, address, own_localhost, tmp_path):
    board = lab.submit(RESOURCES / "uart.py").board().ready()
    board.csr_csv(tmp_path / "csr.csv")
    with ExitStack() as stack:
        command = [*own_localhost, sys.executable, "-m", "jupyter_fpga.cli", "etherbone"]
        port = stack.enter_context(ended(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)))
        assert port.stdout.readline() == (
            f"Board {board.fpga_id} answers LiteX's tools at {address}:1234, as in "
            "`litex_cli --csr-csv csr.csv --regs`. Ctrl-C closes the port.\n"
        )
        terminal = Terminal(stack, own_localhost, tmp_path)
        # What the SoC's own end of the UART is told by its CPU, which here is this test.
        for character in "Hello from the board\n":
            board.regs.uart_rxtx = ord(character)
        terminal.shows("Hello from the board")
        terminal.types("yes!")
        answer = ""
        for _ in range(4):
            board.wait_for("uart_rxempty", 0, timeout=60)
            answer += chr(board.regs.uart_rxtx.read())
            board.regs.uart_ev_pending = 2
        assert answer == "yes!"


def test_the_memory_of_a_soc(lab, tmp_path):
    """Regions that csr.csv knows, besides registers."""
    board = lab.submit(RESOURCES / "uart.py").board().ready()
    board.csr_csv(tmp_path / "csr.csv")
    with board.etherbone() as opened:
        program = (
            "from litex import RemoteClient\n"
            f"bus = RemoteClient(port={opened.port})\n"
            "bus.open()\n"
            "bus.write(bus.mems.sram.base, list(range(200)))\n"
            "print(bus.read(bus.mems.sram.base, 200) == list(range(200)))\n"
            # The CPU's bit of ctrl_reset is its owner's.
            "bus.regs.ctrl_reset.write(2)\n"
            "print(bus.regs.ctrl_reset.read())\n"
        )
        done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert (done.stdout, done.stderr) == ("True\n2\n", "")
