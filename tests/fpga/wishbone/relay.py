"""A relay between a board's serial line and a pseudo-terminal of its own: it adds delay, and spoils what passes.

``python relay.py TTY SECONDS`` is a relay with a delay, in a process of its own, so that who measures shares no
interpreter with it; it says on standard output which terminal to open, and ends with its standard input.

The delay is added to what comes from the board, as by an FTDI chip, whose latency timer holds back what is read and
nothing else: so it is that of a round trip.
"""

import os
import select
import sys
import threading
import time
import tty
from collections import deque
from collections.abc import Callable

__all__ = ("Relay", "relay")

Spoil = Callable[[bytes], bytes]


def relay(
    board: int, host: int, delay: float, stop: int, *, to_board: Spoil | None = None, to_host: Spoil | None = None
) -> None:
    """Pass bytes between two descriptors until ``stop`` can be read, or a line is hung up."""
    for descriptor in (board, host):
        os.set_blocking(descriptor, False)
    for_board = b""
    #: When, and what.
    late: deque[tuple[float, bytes]] = deque()
    for_host = b""
    while True:
        now = time.monotonic()
        while late and late[0][0] <= now:
            for_host += late.popleft()[1]
        try:
            for_host = for_host[_write(host, for_host) :]
            for_board = for_board[_write(board, for_board) :]
            # Whoever sends more than the board takes has to wait, as on a line with a driver's buffer.
            reading = [stop, board, *([] if for_board else [host])]
            writing = [descriptor for descriptor, left in ((host, for_host), (board, for_board)) if left]
            wait = max(0.0, late[0][0] - time.monotonic()) if late else None
            ready, _, _ = select.select(reading, writing, [], wait)
            if stop in ready:
                return
            if host in ready:
                data = os.read(host, 4096)
                for_board += to_board(data) if to_board else data
            if board in ready:
                data = os.read(board, 4096)
                if not data:
                    return
                late.append((time.monotonic() + delay, to_host(data) if to_host else data))
        except BlockingIOError:
            continue
        except OSError:
            return


def _write(descriptor: int, data: bytes) -> int:
    try:
        return os.write(descriptor, data) if data else 0
    except BlockingIOError:
        return 0


class Relay:
    """A relay in a thread, for tests that spoil what passes. Use as a context manager.

    Parameters
    ----------
    terminal
        Path of the board's serial line.
    """

    def __init__(
        self, terminal: str, *, delay: float = 0.0, to_board: Spoil | None = None, to_host: Spoil | None = None
    ) -> None:
        self._board = os.open(terminal, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._board)
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._stop, self._stopper = os.pipe()
        self._thread = threading.Thread(
            target=relay,
            args=(self._board, self._master, delay, self._stop),
            kwargs={"to_board": to_board, "to_host": to_host},
            daemon=True,
        )
        self._cut = False

    def __enter__(self) -> "Relay":
        self._thread.start()
        return self

    def cut(self) -> None:
        """Pull the plug: the host's end is hung up."""
        if not self._cut:
            self._cut = True
            os.write(self._stopper, b"!")
            self._thread.join()
            for descriptor in (self._master, self._slave, self._board, self._stop, self._stopper):
                os.close(descriptor)

    def __exit__(self, *_: object) -> None:
        self.cut()


def main(terminal: str, delay: float) -> None:
    board = os.open(terminal, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(board)
    master, slave = os.openpty()
    tty.setraw(slave)
    print(os.ttyname(slave), flush=True)
    relay(board, master, delay, sys.stdin.fileno())


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
