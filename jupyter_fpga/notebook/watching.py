"""Waiting for a job in the foreground, showing how it goes, and stopping it when the person does."""

import asyncio
import functools
import queue
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Protocol, TypeVar

from jupyter_fpga.client.errors import Conflict, LabError, TimedOut
from jupyter_fpga.client.loop import loop

from .errors import Interrupted
from .progress import Progress, Screen

__all__ = ("submitted", "watch")

#: Seconds between two pictures of what goes on: a running clock looks alive, and any front end keeps up.
PICTURE = 0.2
#: Seconds that an interrupted submission is waited for: the lab takes a design in some milliseconds.
LONGEST = 10.0


EndT = TypeVar("EndT", covariant=True)


class Watched(Protocol[EndT]):
    """What can be waited for: a job, or a simulation."""

    def _changes(self) -> AsyncIterator[dict[str, Any]]: ...

    def _log(self, after: int) -> AsyncIterator[str]: ...

    def wait(self) -> EndT: ...

    def cancel(self) -> None: ...


JobT = TypeVar("JobT", bound=Watched[Any])


def submitted(submitting: Coroutine[Any, Any, JobT]) -> JobT:
    """The job that the lab takes; an interrupt in just that moment waits for it, and cancels it.

    Raises
    ------
    Interrupted
        The person interrupted; the message tells what became of the job.
    """
    future = loop.submit(submitting)
    try:
        return future.result()
    except KeyboardInterrupt:
        try:
            job = future.result(LONGEST)
        except (LabError, TimeoutError):
            raise Interrupted("Interrupted. Nothing was submitted.") from None
        raise Interrupted(f"Interrupted. {_stop(job)}") from None


def watch(
    job: Watched[EndT],
    progress: Progress,
    screen: Screen | None,
    *,
    timeout: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> EndT:
    """Wait until the job has ended, and give what its ``wait`` gives.

    Parameters
    ----------
    screen
        Where to show how it goes; nowhere without.
    timeout
        Seconds after which the job is cancelled.

    Raises
    ------
    JobFailed, JobCancelled
        The job ended otherwise than complete.
    TimedOut
        The time ran out, and the job is cancelled if that was still possible.
    Interrupted
        The person interrupted, and likewise.
    """
    news: queue.SimpleQueue[Callable[[float], None] | None] = queue.SimpleQueue()
    following = loop.submit(_follow(job, progress, news))
    deadline = None if timeout is None else progress.start + timeout
    try:
        _show_until_done(news, progress, screen, clock, deadline)
        following.result()
        return job.wait()
    except KeyboardInterrupt:
        raise Interrupted(f"Interrupted. {_stop(job)}") from None
    except TimeoutError:
        raise TimedOut(f"The cell's --timeout of {timeout:g} s has passed. {_stop(job)}") from None
    finally:
        following.cancel()
        if screen is not None:
            screen.clear()


def _show_until_done(
    news: "queue.SimpleQueue[Callable[[float], None] | None]",
    progress: Progress,
    screen: Screen | None,
    clock: Callable[[], float],
    deadline: float | None,
) -> None:
    while True:
        try:
            item = news.get(timeout=PICTURE)
            while item is not None:
                item(clock())
                item = news.get_nowait()
            if screen is not None:
                screen.show(progress, clock())
            return
        except queue.Empty:
            pass
        now = clock()
        if screen is not None:
            screen.show(progress, now)
        if deadline is not None and now >= deadline:
            raise TimeoutError


async def _follow(
    job: Watched[Any], progress: Progress, news: "queue.SimpleQueue[Callable[[float], None] | None]"
) -> None:
    """Tell the waiting thread what happens; ``None`` when the job has ended."""

    async def records() -> None:
        async for record in job._changes():
            news.put(functools.partial(progress.take_record, record))

    async def log() -> None:
        async for text in job._log(0):
            news.put(functools.partial(progress.take_log, text))

    reading = asyncio.ensure_future(log())
    try:
        await records()
    finally:
        reading.cancel()
        await asyncio.wait([reading])
        news.put(None)


def _stop(job: Watched[Any]) -> str:
    """Cancel, and what became of it, in a sentence."""
    try:
        job.cancel()
    except Conflict:
        return "It was too late to cancel the job, which goes on; `%fpga status` shows how it ended."
    except LabError as error:
        return f"Whether the job was cancelled isn't known: {error}"
    return "The job was cancelled."
