"""Bytes through a serial line or pseudo-terminal, in an asyncio loop, without ever blocking it."""

import asyncio
import os
import select
from collections.abc import Callable
from typing import Protocol

__all__ = ("Port", "Wire")

_READ_BYTES = 65536


class Wire(Protocol):
    """An open serial line. A :class:`serial.Serial` is one, opened with ``timeout=0``."""

    @property
    def fd(self) -> int | None:
        """Its file descriptor, non-blocking."""
        ...

    def close(self) -> None: ...


class Port:
    """A :class:`Wire` in the running loop.

    Parameters
    ----------
    on_bytes
        Called with what came.
    on_gone
        Called once, with the reason, when the other end hung up or the line broke. Nothing is called after it.
    """

    def __init__(self, wire: Wire, *, on_bytes: Callable[[bytes], None], on_gone: Callable[[str], None]) -> None:
        if wire.fd is None:
            raise ValueError("The wire is closed; open it before a link is made of it.")
        self._wire = wire
        self._fd = wire.fd
        self._on_bytes = on_bytes
        self._on_gone = on_gone
        self._out = bytearray()
        self._open = True
        self._loop = asyncio.get_running_loop()
        os.set_blocking(self._fd, False)
        self._loop.add_reader(self._fd, self._readable)

    def send(self, data: bytes) -> None:
        """Send ``data`` after what was given before; what the line doesn't take now goes out when it does."""
        if not data or not self._open:
            return
        if self._out:
            self._out += data
            return
        taken = self._write(data)
        if self._open and taken < len(data):
            self._out += data[taken:]
            self._loop.add_writer(self._fd, self._writable)

    def discard_output(self) -> None:
        """Forget what the line hasn't taken."""
        if self._out:
            self._out.clear()
            self._loop.remove_writer(self._fd)

    def close(self) -> None:
        """Leave the loop and close the wire. Can be called again."""
        if self._open:
            self._open = False
            self.discard_output()
            self._loop.remove_reader(self._fd)
            self._wire.close()

    def _write(self, data: bytes | bytearray) -> int:
        try:
            return os.write(self._fd, data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            self._gone(f"writing to its serial line failed ({os.strerror(error.errno or 0)}).")
            return 0

    def _writable(self) -> None:
        del self._out[: self._write(self._out)]
        if self._open and not self._out:
            self._loop.remove_writer(self._fd)

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, _READ_BYTES) or self._read_again()
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._gone(f"reading from its serial line failed ({os.strerror(error.errno or 0)}).")
            return
        if data:
            self._on_bytes(data)

    def _read_again(self) -> bytes:
        # A terminal in raw mode as pyserial sets it (VMIN = VTIME = 0) reads as empty when somebody else was faster,
        # and also when it was hung up; only poll() tells the two apart.
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        events = poll.poll(0)
        if not events:
            return b""
        data = b"" if events[0][1] & ~select.POLLIN else os.read(self._fd, _READ_BYTES)
        if not data:
            self._gone("its serial line was hung up.")
        return data

    def _gone(self, reason: str) -> None:
        if self._open:
            self.close()
            # Not from within whoever is sending just now.
            self._loop.call_soon(self._on_gone, reason)
