"""The event log as one person may follow it, with what it takes to prove that nothing is missing or doubled."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from jupyter_fpga.clock import iso
from jupyter_fpga.people import Person
from jupyter_fpga.store import Event, Store

__all__ = ("follow", "may_see")


def may_see(person: Person, event: Event) -> bool:
    """Whether an event is the person's business: public, their own, or they are an operator."""
    return event.public or person.is_operator or event.owner == person.name


async def follow(
    store: Store, person: Person, since: int | None, watermark_seconds: float
) -> AsyncIterator[dict[str, Any]]:
    """Frames for every event after ``since`` (``None``: from now on) that the person may see.

    Every frame carries ``prev``, the LSN of the frame before it for this reader (of ``since`` for the first).
    *Watermark* frames, kind ``"watermark"``, say how far the log is: one at the start, when what was there has been
    given out, and one when events passed that weren't this reader's. A reader that comes back with the LSN of its last
    frame, watermarks included, and finds it as the ``prev`` of its first frame, has missed nothing.

    Raises
    ------
    LsnInFuture
        The log hasn't reached ``since``.
    """
    prev = store.events.latest if since is None else since
    events = store.events.subscribe(prev)
    reached, greeted = prev, False
    upcoming: asyncio.Future[Event] | None = None
    try:
        while True:
            if upcoming is None:
                upcoming = asyncio.ensure_future(anext(events))
            behind = reached < store.events.latest
            if not behind and (reached > prev or not greeted):
                # Nothing more is there. Say how far the log is: at once to begin with, later only if it stays quiet.
                await asyncio.wait({upcoming}, timeout=watermark_seconds if greeted else 0)
                if not upcoming.done():
                    yield {"lsn": reached, "kind": "watermark", "prev": prev}
                    prev, greeted = reached, True
            try:
                event = await upcoming
            except StopAsyncIteration:
                return
            upcoming, reached = None, event.lsn
            if may_see(person, event):
                yield _frame(event, prev)
                prev = event.lsn
    finally:
        if upcoming is not None:
            upcoming.cancel()
            await asyncio.wait({upcoming})


def _frame(event: Event, prev: int) -> dict[str, Any]:
    return {
        **event.data,
        "lsn": event.lsn,
        "prev": prev,
        "time": iso(event.time),
        "kind": event.kind,
        "fpga_id": event.fpga_id,
        "job_id": event.job_id,
        "owner": event.owner,
    }
