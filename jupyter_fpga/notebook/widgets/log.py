"""The log of a job while it grows."""

import html
from typing import Any

import traitlets

from jupyter_fpga.client import BoardHandle, Job
from jupyter_fpga.notebook.builds import BuildHandle

from ._ansi import as_html, as_text
from ._log_feed import LogFeed
from ._view import STATIC, View

__all__ = ("LogView",)

#: Lines at the log's end that its static form has.
TAIL = 40


class LogView(View):
    """A job's log: coloured, searchable, and followed while it grows.

    A page that reaches the lab itself reads the log there. To others the kernel sends what is new, at most five times a
    second. The static form of a job that has ended is the end of its log; of one that goes on, that it does.

    Parameters
    ----------
    job
        The job, or a handle of a board or a build, whose last job is meant.

    Raises
    ------
    LabError
        Of the request for the job.
    """

    _esm = STATIC / "log.js"

    job_id = traitlets.Unicode().tag(sync=True)
    #: What the job does, in words.
    title = traitlets.Unicode().tag(sync=True)

    def __init__(self, job: Job | BoardHandle | BuildHandle) -> None:
        self._job = job if isinstance(job, Job) else job.job
        if not self._job.done:
            self._job.refresh()
        # As it was when it was shown: a static form that waited for the job would be another each time.
        self._log = self._job.logs() if self._job.done else None
        what = self._job.record["type"].replace("_", " ")
        super().__init__(self._job.lab, job_id=self._job.id, title=what)
        self._feed = LogFeed(self._job, self.send)
        if not self.served:
            self._feed.start()

    def received(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        if "log" in message:
            self._feed.ask(int(message["log"]["from"]))

    def close(self) -> None:
        self._feed.close()
        super().close()

    def _tail(self) -> str | None:
        return None if self._log is None else "\n".join(self._log.splitlines()[-TAIL:])

    def text(self) -> str:
        tail = self._tail()
        return f"The log of a job that goes on: {self.title}." if tail is None else as_text(tail)

    def html(self) -> str:
        tail = self._tail()
        return f"<div>{html.escape(self.text())}</div>" if tail is None else f"<pre>{as_html(tail)}</pre>"
