"""The background loop under interrupts."""

import asyncio
import signal

import pytest

from jupyter_fpga.client.loop import Following, loop


async def forever(ended: list[str]):
    try:
        yield 1
        await asyncio.Event().wait()
    finally:
        ended.append("ended")


def test_an_interrupt_before_there_is_anything_to_cancel(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes while a step is being handed to the loop: the step runs, and nobody has its future."""
    ended: list[str] = []
    items = iter(Following(forever(ended)))
    assert next(items) == 1
    running = loop.get()
    hand = running.call_soon_threadsafe

    def interrupted(*what):
        monkeypatch.undo()
        hand(*what)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(running, "call_soon_threadsafe", interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(items)
    assert ended == ["ended"]


def test_an_interrupt_before_the_loop_has_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is made that nobody would ever await."""
    made = []

    async def make() -> None:
        made.append(True)

    def interrupted(*what):
        monkeypatch.undo()
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(loop.get(), "call_soon_threadsafe", interrupted)
    with pytest.raises(KeyboardInterrupt):
        loop.call(make)
    loop.call(asyncio.sleep, 0)
    assert made == []


def test_a_call_that_is_wrong_is_refused_where_it_is_made() -> None:
    async def wait(seconds: float) -> None: ...

    with pytest.raises(TypeError, match="missing 1 required positional argument: 'seconds'"):
        loop.call(wait)  # type: ignore[call-arg]
