import asyncio
import os
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from jupyter_fpga.compute.builds.slots import Slots
from jupyter_fpga.compute.builds.warmup import Chore, ToolMissing, do_chores, run_tool

MAKING = "Making the first, the second and the third ready for this machine (once, a minute or two)."


class Kitchen:
    """Chores whose ends the test decides."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.running = self.most = 0
        self._changed = asyncio.Event()

    def chore(
        self, what: str, seconds: float = 1, *, after: Awaitable[object] | None = None, fails: Exception | None = None
    ) -> Chore:
        async def do() -> None:
            self.begun.append(what)
            self._changed.set()
            self.running += 1
            self.most = max(self.most, self.running)
            try:
                if after is not None:
                    await after
                if fails is not None:
                    raise fails
            finally:
                self.running -= 1
                self.ended.append(what)
                self._changed.set()

        return Chore(what, seconds, do)

    async def until(self, what: Callable[[], bool]) -> None:
        while not what():
            self._changed.clear()
            await self._changed.wait()

    def do(self, *chores: Chore, turns: int = 9) -> "asyncio.Task[None]":
        return asyncio.ensure_future(do_chores(chores, self.said.append, Slots(turns)))


async def test_nothing_to_do_is_not_told() -> None:
    kitchen = Kitchen()
    await kitchen.do()
    assert kitchen.said == []


async def test_chores_go_on_together_and_each_sentence_says_all_that_is_missing() -> None:
    kitchen = Kitchen()
    first, third = asyncio.Event(), asyncio.Event()
    going = kitchen.do(
        kitchen.chore("the first", 30, after=first.wait()),
        kitchen.chore("the second", 1),
        # It comes to its end only because the first, which doesn't, isn't waited for.
        kitchen.chore("the third", 5, after=third.wait()),
    )
    third.set()
    await kitchen.until(lambda: len(kitchen.ended) == 2)
    first.set()
    await going
    assert kitchen.said == [
        MAKING,
        "The second: ready. Still to come: the first and the third.",
        "The third: ready. Still to come: the first.",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"), [(19, "some seconds"), (20, "a minute or two"), (90, "some minutes"), (900, "some minutes")]
)
async def test_the_longest_says_how_long(seconds: float, words: str) -> None:
    kitchen = Kitchen()
    await kitchen.do(kitchen.chore("the tool", seconds))
    assert kitchen.said == [f"Making the tool ready for this machine (once, {words})."]


async def test_no_more_at_once_than_there_are_turns() -> None:
    kitchen = Kitchen()
    await kitchen.do(*(kitchen.chore(what, after=asyncio.sleep(0)) for what in "abcde"), turns=2)
    assert kitchen.most == 2
    assert kitchen.ended == list("abcde")


async def test_one_that_fails_stops_no_other() -> None:
    kitchen = Kitchen()
    go_on = asyncio.Event()
    going = kitchen.do(
        kitchen.chore("the first", fails=ToolMissing("The first doesn't run here.")),
        kitchen.chore("the second", after=go_on.wait()),
    )
    await kitchen.until(lambda: kitchen.ended == ["the first"])
    go_on.set()
    with pytest.raises(ToolMissing) as caught:
        await going
    assert caught.value.message == "The first doesn't run here."
    assert kitchen.ended == ["the first", "the second"]
    assert kitchen.said[1:] == ["The first doesn't run here. Still to come: the second."]


async def test_all_that_failed_is_told() -> None:
    kitchen = Kitchen()
    failing = [
        kitchen.chore("the first", fails=ToolMissing("The first doesn't run here.")),
        kitchen.chore("the second", fails=ToolMissing("The second isn't here.")),
    ]
    with pytest.raises(ToolMissing) as caught:
        await kitchen.do(*failing)
    assert (caught.value.code, caught.value.message) == (
        "tool_missing",
        "The first doesn't run here. The second isn't here.",
    )
    unexpected = OSError("The disk is full.")
    with pytest.raises(ExceptionGroup) as group:
        await kitchen.do(*failing, kitchen.chore("the third", fails=unexpected))
    assert group.value.message == "Several tools could not be made ready."
    assert unexpected in group.value.exceptions
    assert len(group.value.exceptions) == 3


async def test_cancelled_chores_have_ended() -> None:
    kitchen = Kitchen()
    never = asyncio.Event()
    going = kitchen.do(*(kitchen.chore(what, after=never.wait()) for what in "ab"), turns=2)
    await kitchen.until(lambda: len(kitchen.begun) == 2)
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    assert kitchen.ended == ["a", "b"]


Run = Callable[..., Awaitable[None]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(script: str, seconds: float = 120) -> Awaitable[None]:
        return run_tool(["/bin/sh", "-c", script], folder=tmp_path, environment=os.environ, seconds=seconds)

    return run


async def test_a_tool_runs_where_it_is_told_to(run: Run, tmp_path: Path) -> None:
    await run("touch here")
    assert (tmp_path / "here").exists()


async def test_a_tool_that_fails_has_said_why(run: Run) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        await run("echo on its output; echo the reason >&2; exit 3")
    assert (caught.value.returncode, caught.value.stderr) == (3, "on its output\nthe reason\n")


async def test_a_tool_that_takes_too_long_is_ended(run: Run) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        await run("sleep 1000", seconds=0)


async def test_a_cancelled_tool_is_gone_with_its_helpers(run: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "alive")
    # Each of them keeps the pipe open as long as it lives.
    task = asyncio.ensure_future(run("exec > alive; sleep 1000 & echo up; wait"))
    with await asyncio.to_thread(open, tmp_path / "alive") as alive:
        assert await asyncio.to_thread(alive.readline) == "up\n"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(alive.read) == ""
