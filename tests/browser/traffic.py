"""What widgets and their kernels say to each other, as the page's WebSockets carry it."""

import json
from datetime import datetime

from playwright.sync_api import Page, WebSocket

#: Kinds of messages that a widget costs: others come with each cell that is run.
KINDS = ("comm_open", "comm_msg", "comm_close")


class Traffic:
    """Messages of widgets between a page and its kernels, in the order in which they passed."""

    def __init__(self, page: Page) -> None:
        #: Of each message, its kind and when whoever sent it did, seconds since 1970.
        self.messages: list[tuple[str, float]] = []
        page.on("websocket", self._watch)

    def _watch(self, socket: WebSocket) -> None:
        if "/channels" in socket.url:
            socket.on("framesent", self._take)
            socket.on("framereceived", self._take)

    def _take(self, frame: bytes | str) -> None:
        if isinstance(frame, bytes):
            header = _header(frame)
            if header["msg_type"] in KINDS:
                self.messages.append((header["msg_type"], datetime.fromisoformat(header["date"]).timestamp()))


def most_in_a_second(times: list[float]) -> int:
    """How many of these times are in the second that has most of them."""
    times = sorted(times)
    return max((sum(start <= time < start + 1 for time in times) for start in times), default=0)


def _header(frame: bytes) -> dict[str, str]:
    """A message's header: jupyter_server's “v1.kernel.websocket” begins with where its parts begin, 8 bytes each."""
    count = int.from_bytes(frame[:8], "little")
    places = [int.from_bytes(frame[8 * at : 8 * at + 8], "little") for at in range(1, count + 1)]
    header: dict[str, str] = json.loads(frame[places[1] : places[2]])
    return header
