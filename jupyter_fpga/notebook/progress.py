"""What a person sees while a design is built, and what stays in the notebook afterwards.

What stays must be the same every time, or a saved notebook could never be compared with a new run of it. So times, the
board's number, queue positions and the log live in one output that is updated in place while the cell runs and ends as
it began, empty; the summary is an output of its own, made of what the design is and nothing else. (nbval compares an
output's first content and knows nothing of updates.)
"""

import html
import re
import sys
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from IPython.display import display

__all__ = ("InPlace", "Progress", "Screen", "TextScreen")

#: Lines of the log that are shown while it grows.
TAIL = 6
#: Seconds in the queue after which a terminal is told of the place in it: a job may be in it for a moment only.
PATIENCE = 0.5
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Screen(Protocol):
    """Where progress is shown."""

    def show(self, progress: "Progress", now: float) -> None:
        """Show the state of things."""
        ...

    def clear(self) -> None:
        """The job has ended."""
        ...


class Progress:
    """What is known about a job: its stages with their times, its place in the queue, the end of its log.

    Parameters
    ----------
    title
        What is built.
    start
        Time of the start on the clock whose times are given to the methods, s.
    """

    def __init__(self, title: str, start: float) -> None:
        self.title = title
        self.start = start
        self.record: dict[str, Any] = {"status": "queued"}
        self._told = start
        self.stages: list[tuple[str, float]] = []
        self.tail: deque[str] = deque(maxlen=TAIL)
        self.note = ""

    def take_record(self, record: dict[str, Any], now: float) -> None:
        """The job has changed."""
        self.record, self._told = record, now
        stage = (record.get("build_stage") or record.get("stage") or "").replace("_", " ")
        if record["status"] == "running" and stage and (not self.stages or self.stages[-1][0] != stage):
            self.stages.append((stage, now))

    def take_log(self, text: str, now: float) -> None:
        """The job's log has grown."""
        self.tail.extend(_ANSI.sub("", line) for line in text.splitlines() if line.strip())

    def done(self) -> list[tuple[str, float]]:
        """The stages that are behind, each with its seconds."""
        return [(name, after - begun) for (name, begun), (_, after) in zip(self.stages, self.stages[1:], strict=False)]

    def doing(self, now: float) -> str:
        """What goes on now, in words."""
        place = self.place(now)
        place = f", {place}" if place else ""
        if self.record["status"] == "queued":
            return f"waiting for a turn{place}"
        if not self.stages:
            return "starting"
        name, begun = self.stages[-1]
        where = "" if self.record.get("fpga_id") is None else f" (board {self.record['fpga_id']})"
        return f"{name} {now - begun:.1f} s{where}{place}"

    def waited(self, now: float) -> float:
        """Seconds since the job last changed."""
        return now - self._told

    def place(self, now: float) -> str:
        """The place in the queue, and how long it takes from now on; empty when there is none."""
        position, eta = self.record.get("position"), self.record.get("eta_seconds")
        if position is None:
            return ""
        place = f"position {position} in the queue"
        if eta is None:
            return place
        # The lab tells it when something changes, and time goes on meanwhile.
        left = eta - (now - self._told)
        if left < 1:
            return f"{place}, any moment now"
        return f"{place}, about {left / 60:.0f} min" if left > 120 else f"{place}, about {left:.0f} s"


class InPlace:
    """A notebook's screen: one output, updated in place, empty in the end."""

    def __init__(self, show: Callable[..., Any] = display) -> None:
        self._handle = show(_bundle("", ""), raw=True, display_id=True)

    def show(self, progress: Progress, now: float) -> None:
        done = [f"{name} {seconds:.1f} s" for name, seconds in progress.done()]
        head = f"{progress.title}: {progress.doing(now)}  [{now - progress.start:.1f} s]"
        plain = "\n".join(
            part for part in (progress.note, " ✓ ".join(["", *done]).strip(), head, *progress.tail) if part
        )
        ticks = "".join(f'<span style="margin-right:1em">✓ {html.escape(stage)}</span>' for stage in done)
        tail = html.escape("\n".join(progress.tail))
        rich = (
            (f"<div>{html.escape(progress.note)}</div>" if progress.note else "")
            + f"<div>{ticks}<b>{html.escape(head)}</b></div>"
            + (f'<pre style="margin:2px 0;opacity:.7;font-size:90%">{tail}</pre>' if tail else "")
        )
        self._handle.update(_bundle(plain, rich), raw=True)

    def clear(self) -> None:
        self._handle.update(_bundle("", ""), raw=True)


class TextScreen:
    """A terminal's screen: one line for each stage that is done, and for each place in the queue."""

    def __init__(self, write: Callable[[str], Any] | None = None) -> None:
        self._write = write or sys.stdout.write
        self._told = 0
        self._last = ""
        self._place = ""

    def show(self, progress: Progress, now: float) -> None:
        if progress.note and self._last != progress.note:
            self._last = progress.note
            self._write(progress.note + "\n")
        for name, seconds in progress.done()[self._told :]:
            self._told += 1
            self._write(f"  {name:<20}{seconds:6.2f} s\n")
        where = progress.place(now).partition(",")[0]
        if where and where != self._place and progress.waited(now) > PATIENCE:
            self._place = where
            self._write(f"  {progress.place(now)}\n")

    def clear(self) -> None:
        """Lines that were written stay."""


def _bundle(plain: str, rich: str) -> dict[str, str]:
    return {"text/plain": plain, "text/html": rich}
