"""Messages between the lab and a runner process: JSON over a connected socket, each with its length in front."""

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from typing import Any

from jupyter_fpga.errors import TooLarge

__all__ = ("MOST_BYTES", "Wire")

MOST_BYTES = 64 << 20
"""Of one message. The largest honest ones are tasks with files in them, a third larger than the files."""

_LENGTH = struct.Struct(">I")
_CHUNK = 256 * 1024


class Wire:
    """One end of the connection. Nothing here waits: what can't be sent yet is kept, and sent when there is room.

    Parameters
    ----------
    end
        A connected stream socket; the wire closes it.
    on_message
        Gets each message.
    on_closed
        Called once, when the other end is closed or says what is no message; not when :meth:`close` is called here.
    """

    def __init__(
        self, end: socket.socket, on_message: Callable[[dict[str, Any]], None], on_closed: Callable[[], None]
    ) -> None:
        self._end = end
        self._on_message = on_message
        self._on_closed = on_closed
        self._incoming = bytearray()
        self._outgoing = bytearray()
        self._loop = asyncio.get_running_loop()
        self._closed = False
        end.setblocking(False)
        self._loop.add_reader(end, self._read)

    def send(self, message: dict[str, Any]) -> None:
        """Send a message; nothing happens when the connection is closed, which the other callback tells.

        Raises
        ------
        TooLarge
            ``task_too_large``
        """
        text = json.dumps(message).encode()
        if len(text) > MOST_BYTES:
            raise TooLarge(
                f"The task takes {len(text) >> 20} MiB with the files that it was handed as bytes; a runner takes "
                f"{MOST_BYTES >> 20} MiB. Hand large files over by their paths.",
                code="task_too_large",
            )
        if not self._closed:
            self._outgoing += _LENGTH.pack(len(text)) + text
            self._write()

    def drain(self) -> None:
        """Take everything that the other end has sent until now, without waiting for more."""
        while self._read():
            pass

    def close(self) -> None:
        """Close this end; what wasn't sent is lost."""
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._end)
            self._loop.remove_writer(self._end)
            self._end.close()

    def _write(self) -> None:
        try:
            sent = self._end.send(self._outgoing)
        except BlockingIOError:
            sent = 0
        except (BrokenPipeError, ConnectionResetError):
            # The reading side will see the end, after what was said before it.
            sent = len(self._outgoing)
        del self._outgoing[:sent]
        if self._outgoing:
            self._loop.add_writer(self._end, self._write)
        else:
            self._loop.remove_writer(self._end)

    def _read(self) -> bool:
        """Take a piece; whether there may be more."""
        if self._closed:
            return False
        try:
            piece = self._end.recv(_CHUNK)
        except BlockingIOError:
            return False
        except ConnectionResetError:
            piece = b""
        self._incoming += piece
        if not piece or not self._take():
            self.close()
            self._on_closed()
            return False
        return True

    def _take(self) -> bool:
        """Hand over the messages that are complete; whether what came makes sense."""
        while not self._closed and len(self._incoming) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._incoming)
            if length > MOST_BYTES:
                return False
            end = _LENGTH.size + length
            if len(self._incoming) < end:
                break
            text = bytes(self._incoming[_LENGTH.size : end])
            del self._incoming[:end]
            try:
                message = json.loads(text)
            except ValueError:
                return False
            self._on_message(message)
        return True
