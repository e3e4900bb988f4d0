import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_fpga.compute.cache.results import Action, ActionCache, Made, action_key


@pytest.fixture
def cache(tmp_path: Path) -> ActionCache:
    return ActionCache(tmp_path / "cache")


class Work:
    """A piece of work that counts how often it is done, and can be held up."""

    def __init__(self, name: str = "work", size: int = 10) -> None:
        self.done = 0
        self.cancelled = 0
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()
        self.size = size
        self.name = name
        self.fail: Exception | None = None
        self.action = Action(action_key(name, "1", {}, {}), self.make)

    async def make(self, folder: Path, say: Callable[[str], None]) -> Made:
        self.begun.set()
        say("beginning")
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.fail:
            raise self.fail
        self.done += 1
        say("done")
        (folder / "data").write_bytes((self.name[:1] * self.size).encode())
        (folder / "tool").write_text("#!/bin/sh")
        (folder / "tool").chmod(0o755)
        return Made({"data": folder / "data", "tool": folder / "tool"}, ["beginning", "done"])


def test_keys_are_of_what_goes_in() -> None:
    key = action_key("f", "1", {"a": "x"}, {"b": 1})
    assert key == action_key("f", "1", {"a": "x"}, {"b": 1})
    others = [
        action_key("g", "1", {"a": "x"}, {"b": 1}),
        action_key("f", "2", {"a": "x"}, {"b": 1}),
        action_key("f", "1", {"a": "y"}, {"b": 1}),
        action_key("f", "1", {"a": "x"}, {"b": 2}),
    ]
    assert len({key, *others}) == 5


async def test_work_is_done_once_and_survives_a_restart(cache: ActionCache, tmp_path: Path) -> None:
    work = Work()
    lines: list[str] = []
    begun: list[bool] = []
    entry, cached = await cache.run(work.action, on_log=lines.append, on_begin=lambda: begun.append(True))
    assert not cached
    assert lines == ["beginning", "done"]
    assert begun == [True]
    assert cache.path(entry, "data").read_bytes() == b"w" * 10
    assert os.access(cache.path(entry, "tool"), os.X_OK)
    assert cache.path(entry, "tool").stat().st_mode & 0o222 == 0
    again = ActionCache(tmp_path / "cache")
    entry, cached = await again.run(work.action, on_log=lines.append, on_begin=lambda: begun.append(True))
    assert cached
    assert work.done == 1
    assert lines == ["beginning", "done"] * 2
    assert begun == [True]
    assert os.access(again.path(entry, "tool"), os.X_OK)


async def test_asked_to_do_it_again(cache: ActionCache) -> None:
    work = Work()
    await cache.run(work.action)
    _, cached = await cache.run(work.action, use_cache=False)
    assert not cached
    assert work.done == 2


async def test_a_spoilt_file_is_noticed_and_made_again(cache: ActionCache) -> None:
    work = Work()
    entry, _ = await cache.run(work.action)
    spoilt = cache.path(entry, "data")
    spoilt.chmod(0o644)
    spoilt.write_bytes(b"x" * 10)
    # Of the same size, and not needed: nobody looks.
    assert (await cache.run(work.action, need=["tool"]))[1]
    entry, cached = await cache.run(work.action)
    assert not cached
    assert cache.path(entry, "data").read_bytes() == b"w" * 10
    assert work.done == 2


@pytest.mark.parametrize("how", ["gone", "cut", "no json", "another form", "another action"])
async def test_a_spoilt_record_or_a_lost_file_is_noticed(cache: ActionCache, tmp_path: Path, how: str) -> None:
    work = Work()
    entry, _ = await cache.run(work.action)
    (record,) = (tmp_path / "cache/actions").glob("*/*.json")
    told = json.loads(record.read_text())
    match how:
        case "gone":
            cache.path(entry, "data").unlink()
        case "cut":
            record.write_text(record.read_text()[:40])
        case "no json":
            record.write_bytes(b"\xff")
        case "another form":
            record.write_text(json.dumps(told | {"version": 99}))
        case "another action":
            record.write_text(json.dumps(told | {"key": "0" * 64}))
    entry, cached = await cache.run(work.action)
    assert not cached
    assert work.done == 2
    assert (await cache.run(work.action))[1]


async def test_equal_work_in_flight_is_shared(cache: ActionCache) -> None:
    work = Work()
    work.go.clear()
    early: list[str] = []
    late: list[str] = []
    first = asyncio.create_task(cache.run(work.action, on_log=early.append))
    await work.begun.wait()
    second = asyncio.create_task(cache.run(work.action, on_log=late.append))
    await asyncio.sleep(0)
    work.go.set()
    results = await asyncio.gather(first, second)
    assert work.done == 1
    assert [cached for _, cached in results] == [False, False]
    assert results[0][0] == results[1][0]
    assert early == late == ["beginning", "done"]


async def test_cancelling_one_waiter_does_not_hurt_the_other(cache: ActionCache) -> None:
    work = Work()
    work.go.clear()
    first = asyncio.create_task(cache.run(work.action))
    await work.begun.wait()
    second = asyncio.create_task(cache.run(work.action))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    work.go.set()
    await second
    assert (work.done, work.cancelled) == (1, 0)


async def test_the_last_waiter_takes_the_work_along(cache: ActionCache) -> None:
    work = Work()
    work.go.clear()
    waiters = [asyncio.create_task(cache.run(work.action)) for _ in range(3)]
    await work.begun.wait()
    for waiter in waiters:
        waiter.cancel()
    await asyncio.wait(waiters)
    assert all(waiter.cancelled() for waiter in waiters)
    assert (work.done, work.cancelled) == (0, 1)
    work.go.set()
    _, cached = await cache.run(work.action)
    assert not cached


async def test_failures_reach_all_waiters_and_are_not_kept(cache: ActionCache, tmp_path: Path) -> None:
    work = Work()
    work.go.clear()
    work.fail = RuntimeError("no")
    waiters = [asyncio.create_task(cache.run(work.action)) for _ in range(2)]
    await work.begun.wait()
    await asyncio.sleep(0)
    work.go.set()
    results = await asyncio.gather(*waiters, return_exceptions=True)
    assert [str(result) for result in results] == ["no", "no"]
    work.fail = None
    await cache.run(work.action)
    assert work.done == 1
    assert list((tmp_path / "cache/scratch").iterdir()) == []


async def test_what_a_crash_left_is_cleared_away(cache: ActionCache, tmp_path: Path) -> None:
    (tmp_path / "cache/scratch/half").mkdir()
    (tmp_path / "cache/actions/ab").mkdir(parents=True)
    (tmp_path / "cache/actions/ab/ab.json.17.new").write_text("{")
    ActionCache(tmp_path / "cache")
    assert list((tmp_path / "cache/scratch").iterdir()) == []
    assert list((tmp_path / "cache/actions/ab").iterdir()) == []


async def test_trim_removes_the_least_recently_used_and_never_what_is_pinned(tmp_path: Path) -> None:
    cache = ActionCache(tmp_path / "cache", max_bytes=2500)
    works = [Work(name, 1000) for name in ("alpha", "beta", "gamma", "delta")]
    for age, work in enumerate(works):
        await cache.run(work.action)
        (record,) = (tmp_path / "cache/actions").glob(f"*/{work.action.key}.json")
        os.utime(record, (age, age))
    assert cache.trim({works[0].action.key}) == 2000
    kept = [cache.lookup(work.action.key) is not None for work in works]
    # The pinned one, and the youngest that fits beside it.
    assert kept == [True, False, False, True]


async def test_a_hit_counts_as_use(tmp_path: Path) -> None:
    cache = ActionCache(tmp_path / "cache", max_bytes=1500)
    works = [Work(name, 1000) for name in ("alpha", "beta")]
    for age, work in enumerate(works):
        await cache.run(work.action)
        (record,) = (tmp_path / "cache/actions").glob(f"*/{work.action.key}.json")
        os.utime(record, (age, age))
    await cache.run(works[0].action)
    cache.trim()
    assert [cache.lookup(work.action.key) is not None for work in works] == [True, False]


async def test_nothing_is_removed_while_work_is_under_way(tmp_path: Path) -> None:
    cache = ActionCache(tmp_path / "cache", max_bytes=0)
    kept, running = Work("kept"), Work("running")
    await cache.run(kept.action)
    running.go.clear()
    task = asyncio.create_task(cache.run(running.action))
    await running.begun.wait()
    assert cache.trim() == 0
    running.go.set()
    await task
    assert cache.trim() == 10 + 10 + len("#!/bin/sh")
