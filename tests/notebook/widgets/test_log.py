"""The log of a job: its static form, and what a kernel sends of it to a browser that can't read it itself."""

import queue
from itertools import pairwise

import pytest
from jupyter_client.manager import start_new_kernel

from jupyter_fpga.client import Job
from jupyter_fpga.notebook.widgets import LogView
from jupyter_fpga.notebook.widgets._ansi import as_html, as_text
from jupyter_fpga.notebook.widgets._log_feed import PAUSE, LogFeed

NOISY = """print("first, in \\x1b[31mred\\x1b[0m & 😀")
for number in range(100):
    print("line", number)

class Top(wiring.Component):
    led: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.led.eq(~self.led)
        return m
"""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain <b> & \x1b]8;;https://example.org\x1b\\link\x1b[2K", "plain &lt;b&gt; &amp; link"),
        ("\x1b[1;31mbad\x1b[22m!\x1b[m ok", '<span style="font-weight:bold;color:#d9534f">bad</span>'
         '<span style="color:#d9534f">!</span> ok'),
        ("\x1b[3;4;92mgood\x1b[23;24;39m", '<span style="font-style:italic;text-decoration:underline;color:#3c9a3c">'
         "good</span>"),
        ("\x1b[44;38;5;196mx\x1b[49;38;2;1;2;3my", '<span style="background:#3f7fd6;color:rgb(255,0,0)">x</span>'
         '<span style="color:rgb(1,2,3)">y</span>'),
        ("\x1b[38;5;9mx\x1b[48;5;255my", '<span style="color:#d9534f">x</span>'
         '<span style="color:#d9534f;background:rgb(238,238,238)">y</span>'),
    ],
)  # fmt: skip
def test_colours_are_inline_styles(text, shown):
    assert as_html(text) == shown
    assert "\x1b" not in as_text(text)


def test_the_static_form_of_a_job_that_has_ended_is_its_end(lab):
    job = lab.build(NOISY, target="simulated").wait()
    view = LogView(job)
    lines = repr(view).splitlines()
    assert len(lines) == 40
    assert lines == job.logs().splitlines()[-40:]
    data, _ = view._repr_mimebundle_()
    assert data["text/plain"] == repr(view)
    assert data["text/html"].startswith("<pre>")
    view.close()


def test_the_static_form_of_a_job_that_goes_on_says_so(lab):
    job = lab.build("import time\ntime.sleep(600)\n", use_cache=False)
    view = LogView(job)
    assert repr(view) == "The log of a job that goes on: build."
    assert view.html() == "<div>The log of a job that goes on: build.</div>"
    job.cancel()
    view.close()


NOBODYS = "00000000-0000-4000-8000-000000000000"


def with_text(content, buffers):
    """What a message says of the log, with its text."""
    return {**content["log"], "text": b"".join(buffers).decode()}


class Page(LogView):
    """A view whose messages come to the test instead of a browser."""

    def __init__(self, job):
        self.messages = queue.SimpleQueue()
        super().__init__(job)

    def send(self, content, buffers=None):
        self.messages.put(with_text(content, buffers))

    def until_end(self):
        """All messages until one says how the job ended."""
        messages = []
        while not messages or messages[-1]["ended"] is None:
            messages.append(self.messages.get(timeout=120))
        return messages


def test_the_kernel_sends_what_is_new_and_later_what_was_missed(lab):
    job = lab.build(NOISY, use_cache=False)
    page = Page(job)
    messages = page.until_end()
    assert messages[0] == {"at": 0, "text": "", "ended": None, "trouble": ""}
    assert messages[-1]["ended"] == "complete"
    text = "".join(message["text"] for message in messages)
    assert text == job.logs()
    assert "first, in \x1b[31mred\x1b[0m & 😀\nline 0\nline 1\n" in text
    # Places are counted as browsers count them: what isn't in Unicode's first 65,536 characters is two.
    start = text.index("line 0")
    page.received({"log": {"from": start + 1}}, [])
    assert page.messages.get(timeout=60) == {
        "at": start + 1, "text": text[start:], "ended": "complete", "trouble": ""
    }  # fmt: skip
    page.close()


def test_a_page_that_reads_the_log_itself_is_sent_nothing_until_it_asks(lab):
    job = lab.build(NOISY).wait()
    lab.served = True
    page = Page(job)
    assert page.messages.empty()
    page.received({"log": {"from": 0}}, [])
    assert "".join(message["text"] for message in page.until_end()) == job.logs()
    page.close()


def test_a_log_that_is_gone_is_told(lab):
    job = lab.build(NOISY).wait()
    messages = queue.SimpleQueue()
    feed = LogFeed(Job(lab, {**job.record, "job_id": NOBODYS}), lambda *message: messages.put(with_text(*message)))
    feed.start()
    assert messages.get(timeout=60)["text"] == ""
    assert messages.get(timeout=60) == {
        "at": 0,
        "text": "",
        "ended": None,
        "trouble": f"There is no job '{NOBODYS}' that you may see. The list of jobs shows yours.",
    }


BUSY = f"""
import jupyter_fpga
from IPython.display import display
from jupyter_fpga.notebook.widgets import LogView

job = jupyter_fpga.connect().build({NOISY!r}, use_cache=False)
display(LogView(job))
job.wait()
"""


def test_a_kernel_that_is_busy_sends_it_all_the_same_and_not_too_often(served_lab, lab, monkeypatch):
    for name, value in served_lab.environment.items():
        if name.startswith(("JUPYTER", "IPYTHON")):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("JUPYTER_FPGA_URL", served_lab.url)
    monkeypatch.setenv("JUPYTER_FPGA_TOKEN", served_lab.token)
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        running = client.execute(BUSY)
        sent, in_cell = [], None
        while not sent or sent[-1][1]["ended"] is None:
            message = client.get_iopub_msg(timeout=300)
            content = message["content"]
            assert message["msg_type"] != "error", content
            if message["msg_type"] == "comm_msg" and content["data"]["method"] == "custom":
                sent.append((message["header"]["date"], with_text(content["data"]["content"], message["buffers"])))
            elif content.get("execution_state") == "idle" and message["parent_header"]["msg_id"] == running:
                in_cell = len(sent)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert "".join(log["text"] for _, log in sent).count("line") == 100
    assert "line 0" in "".join(log["text"] for _, log in sent[:in_cell])
    # From one to the next it waits; the machine may make that longer, never shorter.
    gaps = [(later - earlier).total_seconds() for (earlier, _), (later, _) in pairwise(sent)]
    assert min(gaps) > PAUSE * 0.9
