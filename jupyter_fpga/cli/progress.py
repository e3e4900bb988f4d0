"""Waiting for an action in a terminal: its states with times, and how many wait before it."""

import asyncio
import time
from collections.abc import Callable
from typing import TextIO

from jupyter_fpga.client import Action
from jupyter_fpga.client.compute.lab import ComputeClient
from jupyter_fpga.client.errors import LabError, TimedOut
from jupyter_fpga.client.loop import loop

__all__ = ("show_action",)

#: Seconds of waiting after which the place in the queue is told.
PATIENCE = 0.5
#: Waiting actions that are counted.
_MOST = 1000
_WORDS = {"pending": "waiting", "submitting": "starting", "failed": "failed, waiting", "abandoned": "lost, waiting"}


def show_action(
    compute: ComputeClient,
    action: Action,
    out: TextIO,
    *,
    timeout: float | None = None,
    quiet: bool = False,
    cancel: bool = True,
    clock: Callable[[], float] = time.monotonic,
    patience: float = PATIENCE,
) -> None:
    """Wait until the action is completed, with a line for each state that it leaves.

    Parameters
    ----------
    timeout
        Seconds after which to give up.
    quiet
        Write nothing.
    cancel
        Whether the action is cancelled when the time runs out, and at an interrupt.
    patience
        Seconds of waiting after which it is told how many of one's own actions wait before it.

    Raises
    ------
    JobFailed, JobCancelled
        It has ended without a result.
    TimedOut, KeyboardInterrupt
        Nobody waits any more.
    """
    begun, word = clock(), ""

    def tell(state: str) -> None:
        nonlocal begun, word
        now = clock()
        if word and state != word and not quiet:
            out.write(f"  {word:<20}{now - begun:7.2f} s\n")
            out.flush()
        if state != word:
            begun, word = now, state

    async def tell_place() -> None:
        await asyncio.sleep(patience)
        before = len(await compute.ajobs(state="pending", before=action.lsn, limit=_MOST))
        if before:
            count = f"{before} or more" if before == _MOST else str(before)
            out.write(f"  {count} {'action waits' if before == 1 else 'actions wait'} before it\n")
            out.flush()

    async def follow() -> None:
        place: asyncio.Task[None] | None = None
        try:
            async for record in action._changes():
                if place is not None:
                    place.cancel()
                    place = None
                if record["finished"]:
                    break
                tell(_WORDS.get(record["state"], record["state"]))
                if record["state"] == "pending" and not quiet:
                    place = asyncio.ensure_future(tell_place())
        finally:
            if place is not None:
                place.cancel()

    async def wait() -> None:
        async with asyncio.timeout(timeout):
            await follow()

    try:
        loop.call(wait)
    except KeyboardInterrupt:
        if cancel:
            _cancel(action)
        raise
    except TimeoutError:
        if cancel:
            _cancel(action)
        end = "was cancelled" if cancel else "goes on"
        raise TimedOut(f"Action {action.lsn} took longer than --timeout {timeout:g} s and {end}.") from None
    tell("end")
    action.result()


def _cancel(action: Action) -> None:
    try:
        action.cancel()
    except LabError as error:
        # It has ended by itself.
        if error.code != "job_not_cancellable":
            raise
