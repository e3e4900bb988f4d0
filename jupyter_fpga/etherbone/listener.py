"""A TCP port that LiteX's tools take for a ``litex_server``, with whatever carries out their packets behind it.

LiteX's ``RemoteClient`` waits 2 s for an answer and then goes on with zeros, without a word; it does the same when the
connection is closed politely. Only a reset makes it fail. So whatever goes wrong here ends in a reset, and an answer
that would come too late is such a failure.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from jupyter_fpga.errors import LabError

from .packets import Splitter, expects_answer, greeting

__all__ = ("ANSWER_SECONDS", "MAX_BACKLOG_BYTES", "MAX_CONNECTIONS", "Listener", "Path")

#: A packet that isn't answered by then ends the connection: well before LiteX's client gives up and makes up zeros.
ANSWER_SECONDS = 1.5

#: Bytes of packets that wait for their turn, per connection. They are read as they come, however long that takes to
#: carry out: a read must be seen to be answered in time. At 1 Mbaud this is some 40 s of single writes.
MAX_BACKLOG_BYTES = 8 * 1024 * 1024

#: Connections at once; ``litex_server`` serves four.
MAX_CONNECTIONS = 32

#: Connections that may wait to be accepted.
_BACKLOG = 16


class Path(Protocol):
    """What carries out the packets of one connection, in their order."""

    async def submit(self, packet: bytes) -> Awaitable[bytes]:
        """Take a packet; what is returned is to be awaited for its answer, which is empty for one that has none.

        Raises
        ------
        LabError
            From here, or from the answer: it wasn't carried out, or not as a whole.
        """
        ...

    async def wait_over(self) -> str:
        """Wait until nothing can be carried out any more; returns a sentence that says why."""
        ...

    async def close(self) -> None:
        """Nobody sends packets any more; what was taken is still carried out."""
        ...


class Listener:
    """A port and its connections. Listens from the beginning; :meth:`start` inside a running loop begins to accept.

    Parameters
    ----------
    open_path
        Makes the path of a new connection; a ``LabError`` refuses it.
    host, port
        What to listen on; port 0 for any that is free.
    tell
        Gets a sentence for each connection that didn't end by itself.
    answer_seconds
        See :data:`ANSWER_SECONDS`.

    Raises
    ------
    OSError
        The address can't be listened on.
    """

    def __init__(
        self,
        open_path: Callable[[], Awaitable[Path]],
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        tell: Callable[[str], None] = lambda sentence: None,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        self._server: asyncio.Server | None = None
        self._started = self._closed = False
        self._connections: set[_Connection] = set()
        self.open_path = open_path
        self.tell = tell
        self.answer_seconds = answer_seconds
        self.host: str
        self.port: int
        self.host, self.port = self._socket.getsockname()[:2]

    async def start(self) -> None:
        """Accept connections; those that came since the listener was made are waiting."""
        if self._closed or self._started:
            return
        self._started = True
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(self), sock=self._socket, backlog=_BACKLOG)
        self._server = server
        if self._closed:
            server.close()

    def close(self, reason: str) -> None:
        """Close the port and reset its connections: from here on a connection is refused."""
        if self._closed:
            return
        self._closed = True
        if self._server is not None:
            self._server.close()
        self._socket.close()
        for connection in tuple(self._connections):
            connection.reset(reason)

    async def wait_ended(self) -> None:
        """After :meth:`close`: wait until every connection has given back its path."""
        tasks = {connection.serving for connection in self._connections}
        if tasks:
            await asyncio.wait(tasks)

    def _joined(self, connection: "_Connection") -> bool:
        """Whether a connection may be served."""
        self._connections.add(connection)
        return not self._closed and len(self._connections) <= MAX_CONNECTIONS

    def _left(self, connection: "_Connection") -> None:
        self._connections.discard(connection)


class _Connection(asyncio.Protocol):
    """One client."""

    serving: asyncio.Task[None]

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._splitter = Splitter()
        self._packets: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._came = asyncio.Event()
        self._ended = False
        #: When the answers to packets that have come are due, oldest first.
        self._due: deque[float] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._answers: asyncio.Queue[tuple[bool, Awaitable[bytes]] | LabError | None] = asyncio.Queue()
        self._writable = asyncio.Event()
        self._writable.set()

    # ---- what the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # From the beginning: if this process is killed, its system resets its connections.
        self._linger(on=True)
        welcome = self._listener._joined(self)
        self.serving = self._loop.create_task(self._serve(), name="jupyter_fpga etherbone")
        self.serving.add_done_callback(self._served)
        if not welcome:
            self.reset(f"there are {MAX_CONNECTIONS} connections to this port already; close one.")

    def data_received(self, data: bytes) -> None:
        # LiteX's client leaves Nagle's algorithm on: after a write, which isn't answered, its next packet waits until
        # this one is acknowledged, and a system that expects to answer puts that off for 40 ms. The option holds for
        # what has come so far (tcp(7)).
        self._transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        try:
            packets = self._splitter.feed(data)
        except LabError as error:
            self.reset(error.message)
            return
        now = self._loop.time()
        for packet in packets:
            self._waiting_bytes += len(packet)
            if expects_answer(packet):
                self._due.append(now + self._listener.answer_seconds)
        self._packets += packets
        self._came.set()
        self._watch()
        if self._waiting_bytes > MAX_BACKLOG_BYTES:
            self.reset(
                f"more than {MAX_BACKLOG_BYTES:,} bytes were sent ahead of what the board had done; read something "
                "back now and then."
            )

    def eof_received(self) -> bool:
        """Nothing more comes; what has come is answered first."""
        if not self._splitter.empty:
            self.reset("the client ended in the middle of a packet.")
        self._ended = True
        self._came.set()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        # Also when the client just went away: what it sent before is carried out.
        self._ended = True
        self._came.set()
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # ---- the end

    def reset(self, reason: str) -> None:
        """End the connection so that the client can't take it for an answer."""
        if self._transport.is_closing():
            return
        self._transport.abort()
        if asyncio.current_task() is not self.serving:
            self.serving.cancel()
        self._listener.tell(reason)

    def _linger(self, *, on: bool) -> None:
        """Whether closing sends a reset, by a linger time of 0, or ends the connection politely."""
        setting = struct.pack("ii", on, 0)
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, setting)

    def _served(self, task: asyncio.Task[None]) -> None:
        self._listener._left(self)
        if self._timer is not None:
            self._timer.cancel()
        # Whatever has ended it, nobody answers any more.
        self.reset("the lab met a fault of its own.")
        if not task.cancelled() and (error := task.exception()) is not None:
            self._loop.call_exception_handler({"message": "serving Etherbone", "exception": error, "task": task})

    def _watch(self) -> None:
        """See to it that the oldest answer comes in time."""
        if self._due and self._timer is None:
            self._timer = self._loop.call_at(self._due[0], self._look)

    def _look(self) -> None:
        self._timer = None
        if self._due and self._due[0] <= self._loop.time():
            self.reset(f"the board didn't answer within {self._listener.answer_seconds:g} s.")
        else:
            self._watch()

    # ---- work

    async def _serve(self) -> None:
        try:
            path = await self._listener.open_path()
        except LabError as error:
            self.reset(error.message)
            return
        try:
            self._transport.write(greeting(self._listener.host, self._listener.port))
            await self._work(path)
        finally:
            await path.close()

    async def _work(self, path: Path) -> None:
        feeding = self._loop.create_task(self._feed(path))
        answering = self._loop.create_task(self._answer())
        ending = self._loop.create_task(path.wait_over())
        tasks = (feeding, answering, ending)
        try:
            await asyncio.wait((answering, ending), return_when=asyncio.FIRST_COMPLETED)
            # A failed packet ends its path, and says more than that.
            if not answering.done():
                self.reset(ending.result())
            else:
                answering.result()
                self._goodbye()
        except LabError as error:
            self.reset(error.message)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def _goodbye(self) -> None:
        """The client has said all that it had to say, and everything is answered."""
        if not self._transport.is_closing():
            self._linger(on=False)
            self._transport.close()

    async def _feed(self, path: Path) -> None:
        while True:
            while self._packets:
                packet = self._packets.popleft()
                try:
                    answer = await path.submit(packet)
                except LabError as error:
                    self._answers.put_nowait(error)
                    return
                self._waiting_bytes -= len(packet)
                self._answers.put_nowait((expects_answer(packet), answer))
            if self._ended:
                self._answers.put_nowait(None)
                return
            self._came.clear()
            await self._came.wait()

    async def _answer(self) -> None:
        while (entry := await self._answers.get()) is not None:
            if isinstance(entry, LabError):
                raise entry
            expected, answer = entry
            data = await answer
            if expected:
                await self._writable.wait()
                if not self._transport.is_closing():
                    self._transport.write(data)
                self._due.popleft()
