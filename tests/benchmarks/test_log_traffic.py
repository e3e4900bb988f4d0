"""What the log of a build costs on its way from the kernel to the browser: bytes of all messages of its widget.

In a real kernel, with a real lab, counted as they leave the kernel; beside ``Output.append_stdout`` of ipywidgets, line
by line, which sends all that it has with each. Its bytes grow with the square of the lines, so it gets fewer.
"""

from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

pytestmark = pytest.mark.benchmark

LINES = 10_000
PEER_LINES = 1_000
#: What is promised: bytes for each byte of the log.
GOAL = 1.2

#: Lines as a router writes them, some hundred in a second: the messages that this takes have to be paid for as well.
DESIGN = f"""
import time

for number in range({LINES}):
    print(f"Info: \\x1b[32mrouted\\x1b[0m arc {{7 * number}} of net $abc$7321$auto$blifparse.cc:362${{number}}")
    if number % 10 == 0:
        time.sleep(0.02)

class Top(wiring.Component):
    led: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.led.eq(~self.led)
        return m
"""

OURS = f"""
import jupyter_fpga
from IPython.display import display
from jupyter_fpga.notebook.widgets import LogView

job = jupyter_fpga.connect().build({DESIGN!r}, use_cache=False)
display(LogView(job))
job.wait()
print(len(job.logs().encode()))
"""

PEER = f"""
import ipywidgets
from IPython.display import display

output = ipywidgets.Output()
display(output)
size = 0
for number in range({PEER_LINES}):
    line = f"Info: \\x1b[32mrouted\\x1b[0m arc {{7 * number}} of net $abc$7321$auto$blifparse.cc:362${{number}}\\n"
    output.append_stdout(line)
    size += len(line.encode())
print(size)
"""


class Count:
    """What a kernel sends of widgets while it runs a cell, and what the cell prints."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self._client = client
        self.messages = self.bytes = 0
        self.printed = ""
        self.idle = False

    def run(self, code: str, until_ended: bool) -> None:
        running = self._client.execute(code)
        ended = not until_ended
        while not (self.idle and ended):
            parts = self._client.iopub_channel.socket.recv_multipart()
            _, content_parts = self._client.session.feed_identities(parts)
            message = self._client.session.deserialize(content_parts)
            ended |= self._take(message, sum(map(len, parts)), running)

    def _take(self, message: dict[str, Any], size: int, running: str) -> bool:
        kind, content = message["msg_type"], message["content"]
        assert kind != "error", content
        if kind.startswith("comm_"):
            self.messages += 1
            self.bytes += size
            log = content.get("data", {}).get("content", {}).get("log")
            return log is not None and log["ended"] is not None
        if kind == "stream":
            self.printed += content["text"]
        ours = message["parent_header"].get("msg_id") == running
        self.idle |= ours and content.get("execution_state") == "idle"
        return False


def test_a_log_is_sent_once(served_lab, lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in served_lab.environment.items():
        if name.startswith(("JUPYTER", "IPYTHON")):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("JUPYTER_FPGA_URL", served_lab.url)
    monkeypatch.setenv("JUPYTER_FPGA_TOKEN", served_lab.token)
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        counts = {}
        for name, code, until_ended in (("LogView", OURS, True), ("Output.append_stdout", PEER, False)):
            counts[name] = Count(client)
            counts[name].run(code, until_ended)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    print(f"\n{'':22}{'log, kB':>10}{'sent, kB':>12}{'messages':>10}{'sent/log':>10}")
    for name, count in counts.items():
        size = int(count.printed)
        print(f"{name:22}{size / 1e3:10.0f}{count.bytes / 1e3:12.0f}{count.messages:10}{count.bytes / size:10.2f}")
    ours = counts["LogView"]
    assert ours.bytes / int(ours.printed) <= GOAL
