"""The lab's end of a simulated board's control socket: numbered requests, and answers that come when they come.

The protocol is told in ``gateware/simulation/harness/control.h``. The board is compiled from a stranger's design, so
nothing that it says is believed further than its form.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from .base import DriverError

__all__ = ("Channel", "connect", "gone")

_LONGEST_LINE = 1 << 18  # bytes; the console's whole memory in hexadecimal is half of that


class Channel:
    """A connection. Made by :func:`connect`."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._loop = asyncio.get_running_loop()
        self._input = bytearray()
        self._next = 0
        self._answers: dict[str, asyncio.Future[dict[str, str]]] = {}
        self._hello: asyncio.Future[dict[str, str]] = self._loop.create_future()
        self._open = True
        self.on_state: Callable[[dict[str, str] | None], None] | None = None
        """Called with each state that the board sends to a watcher, and with None when the connection is gone."""
        self._loop.add_reader(self._socket, self._readable)

    @property
    def open(self) -> bool:
        """Whether the board can still be talked to."""
        return self._open

    async def hello(self) -> dict[str, str]:
        """What the board says of itself when somebody connects."""
        return await asyncio.shield(self._hello)

    async def ask(
        self, verb: str, values: Mapping[str, object] | None = None, *, pass_fd: int | None = None
    ) -> dict[str, str]:
        """Send a request and wait for its answer.

        Parameters
        ----------
        pass_fd
            A descriptor that goes with it.

        Raises
        ------
        DriverError
            The board is gone (``board_gone``), or refuses (``bench_refused``) with its own sentence.
        """
        if not self._open:
            raise gone()
        self._next += 1
        number = str(self._next)
        words = [number, verb, *(f"{name}={value}" for name, value in (values or {}).items())]
        line = (" ".join(words) + "\n").encode("ascii")
        answer: asyncio.Future[dict[str, str]] = self._loop.create_future()
        self._answers[number] = answer
        try:
            if pass_fd is None:
                await self._loop.sock_sendall(self._socket, line)
            else:
                # One system call: the socket's buffer is empty but for earlier lines, which are as short.
                socket.send_fds(self._socket, [line], [pass_fd])
            return await answer
        except OSError as error:
            self._end()
            raise gone() from error
        finally:
            self._answers.pop(number, None)

    def close(self) -> None:
        """Hang up. Can be called again."""
        self._end()

    def _readable(self) -> None:
        try:
            data = self._socket.recv(65536)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._end()
            return
        self._input += data
        *lines, rest = self._input.split(b"\n")
        self._input = rest
        for line in lines:
            self._take(line.decode("ascii", errors="replace"))
        if len(self._input) > _LONGEST_LINE:
            self._end()

    def _take(self, line: str) -> None:
        number, _, rest = line.partition(" ")
        kind, _, text = rest.partition(" ")
        if number == "*":
            if kind == "hello" and not self._hello.done():
                self._hello.set_result(_values(text))
            elif kind == "state" and self.on_state is not None:
                self.on_state(_values(text))
            return
        answer = self._answers.get(number)
        if answer is None or answer.done():
            return
        if kind == "ok":
            answer.set_result(_values(text))
        else:
            answer.set_exception(DriverError(f"The board's bench refused: {text[:200]}", code="bench_refused"))

    def _end(self) -> None:
        if not self._open:
            return
        self._open = False
        self._loop.remove_reader(self._socket)
        self._socket.close()
        for answer in (self._hello, *self._answers.values()):
            if not answer.done():
                answer.set_exception(gone())
        # Nobody may be waiting for the greeting.
        self._hello.exception()
        if self.on_state is not None:
            self.on_state(None)


async def connect(path: Path) -> Channel:
    """Connect to the control socket ``path``.

    Raises
    ------
    DriverError
        Nobody listens there (``board_gone``).
    """
    loop = asyncio.get_running_loop()
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        # A socket's path has at most 107 bytes, and a person's folders may be deeper: name its folder by descriptor.
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            await loop.sock_connect(connection, f"/proc/self/fd/{folder}/{path.name}")
        finally:
            os.close(folder)
    except OSError as error:
        connection.close()
        raise gone() from error
    except BaseException:
        connection.close()
        raise
    return Channel(connection)


def _values(text: str) -> dict[str, str]:
    return {name: value for name, equals, value in (word.partition("=") for word in text.split()) if equals}


def gone() -> DriverError:
    """What is said of a board whose process is no more."""
    return DriverError("The simulated board is gone: its process has ended. Reset the board.", code="board_gone")
