"""Waiting for a job in a terminal, stage by stage with times."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, TextIO

from jupyter_fpga.client import Job
from jupyter_fpga.client.errors import Conflict, TimedOut, job_error
from jupyter_fpga.client.events import FINAL
from jupyter_fpga.client.loop import loop

__all__ = ("show_stages",)

PATIENCE = 0.5


def show_stages(
    job: Job,
    out: TextIO,
    *,
    timeout: float | None = None,
    quiet: bool = False,
    clock: Callable[[], float] = time.monotonic,
    patience: float = PATIENCE,
) -> None:
    """Wait until the job has ended, with a line for each stage that is done.

    Parameters
    ----------
    timeout
        Seconds after which the job is cancelled.
    quiet
        Write nothing.
    patience
        Seconds in the queue after which the place in it is told.

    Raises
    ------
    JobFailed, JobCancelled
        The job ended otherwise than complete.
    TimedOut, KeyboardInterrupt
        The job is cancelled, if that was still possible.
    """
    begun, stage = clock(), "queue"
    place: int | None = None

    def tell(name: str) -> None:
        nonlocal begun, stage
        now = clock()
        if name != stage:
            if not quiet:
                out.write(f"  {stage.replace('_', ' '):<20}{now - begun:7.2f} s\n")
                out.flush()
            begun, stage = now, name

    def tell_place(record: dict[str, Any]) -> None:
        nonlocal place
        if record["position"] != place and not quiet:
            place = record["position"]
            eta = record.get("eta_seconds")
            out.write(f"  no board is free: position {place}{'' if eta is None else f', about {eta:.0f} s'}\n")
            out.flush()

    async def follow() -> None:
        soon: asyncio.TimerHandle | None = None
        async for record in job._changes():
            if soon is not None:
                soon.cancel()
            if record.get("stage") == "waiting_for_board" and record.get("position") is not None:
                # Not at once: with a board free, a job is in the queue for as long as it takes to leave it.
                soon = asyncio.get_running_loop().call_later(patience, tell_place, record)
            if record["status"] not in FINAL:
                tell(record.get("build_stage") or record.get("stage") or "queue")

    async def log() -> None:
        async for text in job._log(0):
            # Before the first step of its own, a build waits for the lab's tools, which may take minutes.
            if stage == "building" and not quiet:
                out.write("".join(f"  {line}\n" for line in text.splitlines()))
                out.flush()

    async def wait() -> None:
        reading = asyncio.ensure_future(log())
        try:
            async with asyncio.timeout(timeout):
                await follow()
        finally:
            reading.cancel()
            await asyncio.wait([reading])

    try:
        loop.call(wait)
    except KeyboardInterrupt:
        _cancel(job)
        raise
    except TimeoutError:
        _cancel(job)
        raise TimedOut(f"The job took longer than --timeout {timeout:g} s and was cancelled.") from None
    tell("end")
    if job.status != "complete":
        raise job_error(job.record)


def _cancel(job: Job) -> None:
    try:
        job.cancel()
    except Conflict:
        # Too late: it is on its way to the board, or has ended by itself.
        return
