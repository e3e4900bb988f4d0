"""What goes on over each kind of WebSocket once it is open; like a route, each is one call into a floor."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tornado.httputil import HTTPServerRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError

from jupyter_fpga.errors import Conflict, Invalid, LabError
from jupyter_fpga.fpga.bench import Watch
from jupyter_fpga.fpga.frames import (
    Request,
    TextRequest,
    decode_message,
    decode_text,
    encode_answers,
    encode_refusal,
    encode_text_answer,
    encode_text_error,
)

from .door import Door, There

__all__ = ("BenchService", "EtherboneService", "EventsService", "Passage", "Service", "StreamService")

if TYPE_CHECKING:
    from jupyter_fpga.fpga.etherbone import EtherbonePath
    from jupyter_fpga.fpga.stream import Stream

log = logging.getLogger(__name__)

_GOING_AWAY = 1001
_POLICY = 1008
_INTERNAL = 1011
_RESTARTING = 1012
"""Close codes of RFC 6455 and IANA's registry; 4403, 4409 to 4411 and 4422 are the API's own."""
_NORMAL = 1000
_LINK_BUSY = 4409
_SESSION_ENDED = 4410
_DESIGN_REPLACED = 4411
_SHUT_OUT = 4403
_FAILED = 4422

_ENDS = {
    "link_busy": (_LINK_BUSY, "the board's link is held exclusively just now; try again when that is done"),
    "session_ended": (_SESSION_ENDED, "the board session has ended; submit the design again to get a board"),
    "design_replaced": (_DESIGN_REPLACED, "the board runs another design by now; read the manifest of its last job"),
    "observers_shut_out": (_SHUT_OUT, "the holder doesn't let others watch the board any more"),
    "lab_stopping": (_RESTARTING, "the lab stops; connect again when it runs"),
    "closed": (_NORMAL, ""),
}
"""Why a stream is over: close code, and words for whoever reads them."""

_IN_FLIGHT = 1024
"""Messages whose answers are waited for, per socket. A client that is faster than its board is read no further."""
_LAST_WORDS = 5.0
"""Seconds that a client has to read the last answers before the socket is closed."""


class Socket(Protocol):
    """What a service uses of the handler whose WebSocket it serves."""

    request: HTTPServerRequest
    door: Door
    close_code: int | None

    async def tell(self, message: str | bytes) -> bool:
        """Send a frame, no faster than the client reads; whether there is still a client."""
        ...

    def hang_up(self, code: int, reason: str) -> None:
        """Close."""
        ...


class Service:
    """One open socket's work, a task that lives as long as the socket."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self._task = asyncio.ensure_future(self._guarded())

    async def end(self) -> None:
        """The socket is closed, or never opened: stop working and give back what was taken."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self.clean_up()

    async def take(self, message: str | bytes) -> None:
        """A frame from the client; one that nobody expects is a mistake of the client's."""
        self.socket.hang_up(_POLICY, "this socket only sends; open a board's stream to send requests")

    async def run(self) -> None:
        raise NotImplementedError

    async def _guarded(self) -> None:
        try:
            await self.run()
        except LabError as error:
            self.socket.hang_up(_POLICY, error.message)
        except Exception:
            log.exception("a WebSocket of %s", self.socket.request.path)
            self.socket.hang_up(_INTERNAL, "the lab met a fault of its own; its log has the reason")

    async def clean_up(self) -> None:
        """What has to be given back."""


class StreamService(Service):
    """The live path: requests go on as they come, answers go back in the same order."""

    def __init__(self, socket: Socket, stream: "Stream") -> None:
        super().__init__(socket)
        self._stream = stream
        self._answers: asyncio.Queue[_Owed | None] = asyncio.Queue(_IN_FLIGHT)

    async def take(self, message: str | bytes) -> None:
        request: Request | tuple[Request, ...] | TextRequest | None = None
        answer: asyncio.Future[Any] | LabError
        try:
            request = decode_text(message) if isinstance(message, str) else decode_message(message)
            answer = await self._stream.submit(request)
        except LabError as error:
            answer = error
        await self._answers.put(_Owed(isinstance(message, str), request, answer))

    async def run(self) -> None:
        sending = asyncio.ensure_future(self._send())
        ending = asyncio.ensure_future(self._stream.wait_closed())
        try:
            await asyncio.wait({sending, ending}, return_when=asyncio.FIRST_COMPLETED)
            if ending.done():
                # Requests that waited have been refused; their senders hear it before the socket closes.
                last = asyncio.ensure_future(self._answers.put(None))
                await asyncio.wait({sending}, timeout=_LAST_WORDS)
                last.cancel()
                self.socket.hang_up(*_ENDS[ending.result()])
            else:
                sending.result()
        finally:
            sending.cancel()
            ending.cancel()

    async def _send(self) -> None:
        while (owed := await self._answers.get()) is not None:
            message = await owed.message()
            # A busy link is told by the close code alone: nothing of the request has reached the board.
            if self._stream.closed == "link_busy" or not await self.socket.tell(message):
                return

    async def clean_up(self) -> None:
        await self._stream.close()


@dataclass(frozen=True)
class _Owed:
    """The answer to one message, in the message's own kind."""

    is_text: bool
    request: Request | tuple[Request, ...] | TextRequest | None
    answer: asyncio.Future[Any] | LabError

    async def message(self) -> str | bytes:
        try:
            if isinstance(self.answer, LabError):
                raise self.answer
            # Shielded: what is on the wire is carried out, also when its sender has gone.
            answer = await asyncio.shield(self.answer)
        except LabError as error:
            return self._refusal(error)
        if isinstance(self.request, TextRequest):
            return encode_text_answer(self.request, answer)
        return encode_answers(answer if isinstance(self.request, tuple) else (answer,))

    def _refusal(self, error: LabError) -> str | bytes:
        if isinstance(self.request, TextRequest):
            return encode_text_error(self.request, error)
        return encode_text_error(None, error) if self.is_text else encode_refusal(self.request, error)


class EtherboneService(Service):
    """Packets of one of LiteX's tools; the first that isn't carried out is the end."""

    def __init__(self, socket: Socket, path: "EtherbonePath") -> None:
        super().__init__(socket)
        self._path = path
        self._answers: asyncio.Queue[asyncio.Future[bytes]] = asyncio.Queue(_IN_FLIGHT)

    async def take(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self.socket.hang_up(_POLICY, "this socket takes Etherbone packets, as binary messages")
            return
        try:
            answer = await self._path.submit(message)
        except LabError:
            return  # the path is over, and run() says why
        await self._answers.put(answer)

    async def run(self) -> None:
        sending = asyncio.ensure_future(self._send())
        try:
            reason = await self._path.wait_closed()
        finally:
            sending.cancel()
            await asyncio.wait({sending})
        if self._path.error is None:
            self.socket.hang_up(*_ENDS[reason])
            return
        await self.socket.tell(json.dumps(self._path.error.as_dict()))
        self.socket.hang_up(_FAILED, "a packet was not carried out; the message before this says why")

    async def _send(self) -> None:
        while True:
            answer = await (await self._answers.get())
            if answer:
                await self.socket.tell(answer)

    async def clean_up(self) -> None:
        await self._path.close()


class EventsService(Service):
    def __init__(self, socket: Socket, frames: AsyncIterator[dict[str, Any]], first: dict[str, Any]) -> None:
        super().__init__(socket)
        self._frames = frames
        self._first = first

    @classmethod
    async def begun(cls, socket: Socket, frames: AsyncIterator[dict[str, Any]]) -> "EventsService":
        """With the first frame, which always comes at once: a wrong `since` is refused on the handshake."""
        return cls(socket, frames, await anext(frames))

    async def run(self) -> None:
        if not await self.socket.tell(json.dumps(self._first)):
            return
        async for frame in self._frames:
            if not await self.socket.tell(json.dumps(frame)):
                return
        self.socket.hang_up(_RESTARTING, "the lab stops; connect again with since=LSN")

    async def clean_up(self) -> None:
        aclose = getattr(self._frames, "aclose", None)
        if aclose is not None:
            await aclose()


class BenchService(Service):
    """A bench's states go out as they change; what a hand would do comes in."""

    def __init__(self, socket: Socket, watch: Watch, states: AsyncIterator[dict[str, Any]], first: Any) -> None:
        super().__init__(socket)
        self._watch = watch
        self._states = states
        self._told = first

    @classmethod
    async def begun(cls, socket: Socket, watch: Watch) -> "BenchService":
        """With the first state: who may not watch is refused on the handshake."""
        states = watch.states()
        return cls(socket, watch, states, await anext(states))

    async def take(self, message: str | bytes) -> None:
        try:
            await self._watch.act(_action(message))
        except LabError as error:
            await self.socket.tell(json.dumps(error.as_dict()))

    async def run(self) -> None:
        going = await self.socket.tell(json.dumps(self._told))
        try:
            while going and (state := await anext(self._states, None)) is not None:
                # Cycles pass all the time, which nobody needs to be told twenty times a second.
                if {**state, "cycles": 0} != {**self._told, "cycles": 0}:
                    self._told = state
                    going = await self.socket.tell(json.dumps(state))
        except Conflict:
            self.socket.hang_up(*_ENDS["session_ended"])
            return
        self.socket.hang_up(_RESTARTING, "the board is being programmed; connect again")

    async def clean_up(self) -> None:
        await self._states.aclose()  # type: ignore[attr-defined]  # it is a generator


def _action(message: str | bytes) -> dict[str, Any]:
    try:
        action = json.loads(message)
    except ValueError:
        action = None
    if not isinstance(action, dict):
        raise Invalid(
            'This socket takes actions at the bench as JSON objects, such as {"action": "press", "buttons": 1}.',
            code="bench_rejected",
        )
    return action


class Passage(Service):
    """Both directions of a socket that ends in another process."""

    def __init__(self, socket: Socket, remote: WebSocketClientConnection, place: There) -> None:
        super().__init__(socket)
        self._remote = remote
        self._place = place

    async def take(self, message: str | bytes) -> None:
        try:
            await self._remote.write_message(message, binary=isinstance(message, bytes))
        except WebSocketClosedError:
            return  # run() has seen it too, and says so

    async def run(self) -> None:
        while (message := await self._remote.read_message()) is not None:
            if not await self.socket.tell(message):
                return
        code, reason = self._remote.close_code, self._remote.close_reason or ""
        if code is None:
            self.socket.door.lost(self._place)
            code, reason = _RESTARTING, "the lab's process ended; connect again"
        self.socket.hang_up(code, reason)

    async def clean_up(self) -> None:
        self._remote.close(self.socket.close_code or _GOING_AWAY)
