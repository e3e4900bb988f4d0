"""A board of a real lab, and the browser's end of a relay."""

import asyncio
import queue
from typing import Any

import pytest

from jupyter_fpga.client import BoardHandle, LabClient
from jupyter_fpga.client.loop import loop
from jupyter_fpga.notebook.widgets._relay import Relay

DESIGN = """
from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

class Top(wiring.Component):
    duty: In(8)  # how long the LED is on, of 256
    wide: In(40, init=1 << 39)
    led: Out(1)
    uart_tx: Out(1, init=1)

    def elaborate(self, platform):
        m = Module()
        count = Signal(8)
        m.d.sync += count.eq(count + 1)
        m.d.comb += self.led.eq(count < self.duty)
        return m
"""


class Browser:
    """What a view's browser sides get, message by message."""

    def __init__(self, lab: LabClient) -> None:
        self.messages: queue.Queue[tuple[float, dict[str, Any], list[bytes]]] = queue.Queue()
        self.relay = Relay(lab.door, self._take)
        self._left: list[tuple[dict[str, Any], bytes | None]] = []

    def _take(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        self.messages.put((asyncio.get_running_loop().time(), content, buffers))

    def send(self, what: str, number: int, *buffers: bytes, **more: Any) -> None:
        self.relay.take({"relay": what, "id": number, **more}, [memoryview(buffer) for buffer in buffers])  # type: ignore[misc]

    def next(self) -> tuple[dict[str, Any], bytes | None]:
        """The next item of the kernel's news, and its buffer."""
        while not self._left:
            _, content, buffers = self.messages.get(timeout=30)
            self._left = [(item, buffers[item["buffer"]] if "buffer" in item else None) for item in content["relay"]]
        return self._left.pop(0)


@pytest.fixture
def browser(lab: LabClient) -> Any:
    browser = Browser(lab)
    yield browser
    browser.relay.close()
    # What was submitted before is done when this is.
    loop.call(asyncio.sleep, 0)


@pytest.fixture
def board(lab: LabClient) -> BoardHandle:
    board = lab.submit(DESIGN, filename="design.py").board()
    board.name = "pwm"
    return board.ready()
