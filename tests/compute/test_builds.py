"""Builds from their stages: what is done, what is shared and kept, and what is told."""

import asyncio
import os
import re
from pathlib import Path

import pytest

from jupyter_fpga.compute import BuildOptions, Sandbox

from .builds import Heard, Make, design


@pytest.mark.parametrize("tier", ["full", "none"])
async def test_the_whole_way_and_again(make: Make, sandbox: Sandbox, bare: Sandbox, tier: str) -> None:
    builds = await make(walls=sandbox if tier == "full" else bare)
    heard = Heard()
    result = await builds.build(design("print('hello')"), BuildOptions(), **heard.listeners)
    assert heard.work == [
        ("elaborate", "running", False),
        ("elaborate", "complete", False),
        ("synthesize", "running", False),
        ("synthesize", "complete", False),
        ("compile", "running", False),
        ("base", "running", False),
        ("base", "complete", False),
        ("compile", "complete", False),
    ]
    assert heard.lines == ["hello", "synthesizing"]
    assert result.manifest.digest == result.digest
    assert re.fullmatch("jupyter_fpga simulated [0-9a-f]{16}", result.manifest.identifier)
    assert result.artifacts["bitstream"].read_text() == f"base\nprint('hello')\n{result.manifest.identifier}"
    assert os.access(result.artifacts["bitstream"], os.X_OK)
    assert sorted(result.artifacts) == ["bitstream", "csr.csv", "csr.json", "report"]
    assert [stage.name for stage in result.stages] == ["elaborate", "synthesize", "base", "compile"]
    again = Heard()
    # A lab that was started anew, too.
    same = await (await make()).build(design("print('hello')"), BuildOptions(), **again.listeners)
    assert again.work == [(name, "complete", True) for name in ("elaborate", "synthesize", "compile")]
    assert again.lines == heard.lines
    assert same.digest == result.digest
    assert same.artifacts == result.artifacts


async def test_a_changed_comment_costs_one_elaboration(make: Make) -> None:
    builds = await make()
    first = await builds.build(design("x = 1#one"), BuildOptions())
    heard = Heard()
    second = await builds.build(design("x = 1#two"), BuildOptions(), **heard.listeners)
    assert heard.work == [
        ("elaborate", "running", False),
        ("elaborate", "complete", False),
        ("synthesize", "complete", True),
        ("compile", "complete", True),
    ]
    assert second.digest == first.digest


async def test_options_are_part_of_the_build(make: Make) -> None:
    builds = await make()
    text = design("netlist = repr(sorted(request.items()))")
    options = [
        BuildOptions(),
        BuildOptions(top="a"),
        BuildOptions(params={"WIDTH": 8}),
        BuildOptions(sys_clk_freq=24_000_000),
        BuildOptions(probes=("a.b",)),
    ]
    assert len({(await builds.build(text, option)).digest for option in options}) == 5


async def test_without_the_cache_everything_but_the_base_is_done_again(make: Make) -> None:
    builds = await make()
    await builds.build(design("good = 1"), BuildOptions())
    heard = Heard()
    await builds.build(design("good = 1"), BuildOptions(use_cache=False), **heard.listeners)
    assert [(report.name, report.cached) for report in heard.reports if report.state == "complete"] == [
        ("elaborate", False),
        ("synthesize", False),
        ("compile", False),
    ]


async def test_a_spoilt_result_is_noticed_and_built_again(make: Make) -> None:
    builds = await make()
    result = await builds.build(design("good = 1"), BuildOptions())
    result.artifacts["bitstream"].chmod(0o755)
    result.artifacts["bitstream"].write_text("evil")
    heard = Heard()
    again = await builds.build(design("good = 1"), BuildOptions(), **heard.listeners)
    assert heard.work[-2:] == [("compile", "running", False), ("compile", "complete", False)]
    assert again.artifacts["bitstream"].read_text().startswith("base\ngood = 1\n")


async def test_equal_builds_of_two_people_are_one(make: Make, tmp_path: Path) -> None:
    builds = await make()
    heard = [Heard(), Heard()]
    text = design("import time; print('once'); time.sleep(0.1)")
    first, second = await asyncio.gather(
        *(builds.build(text, BuildOptions(), **listener.listeners) for listener in heard)
    )
    assert first.artifacts == second.artifacts
    assert heard[0].lines == heard[1].lines == ["once", "synthesizing"]


async def test_cancelling_one_of_two_equal_builds_leaves_the_other(make: Make) -> None:
    builds = await make()
    up = asyncio.Event()
    text = design("import time; print('up'); time.sleep(0.2)")
    first = asyncio.create_task(builds.build(text, BuildOptions(), on_log=lambda _: up.set()))
    second = asyncio.create_task(builds.build(text, BuildOptions()))
    await up.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert (await second).digest


async def test_a_cancelled_build_is_gone(make: Make) -> None:
    builds = await make(parallel=1)
    up = asyncio.Event()
    task = asyncio.create_task(
        builds.build(design("print('up')\nwhile True: pass"), BuildOptions(), on_log=lambda _: up.set())
    )
    await up.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # The only slot is free again.
    await builds.build(design("good = 1"), BuildOptions())


async def test_the_base_is_built_once_and_is_an_image(make: Make) -> None:
    builds = await make()
    said: list[str] = []
    await builds.prepare(said.append)
    assert said == [
        "Making the Python packages of designs ready for this machine (once, some seconds).",
        "Building the lab's own SoC (once, some seconds).",
    ]
    base = await builds.base("simulated")
    assert base.stages == []
    assert base.manifest.form == "base"
    assert base.manifest.digest == base.digest
    assert base.manifest.identifier.startswith("jupyter_fpga simulated ")
    assert base.artifacts["bitstream"].read_text() == "base"
    await builds.prepare(said.append)
    assert len(said) == 2
    assert (await builds.base("simulated", 24_000_000)).digest != base.digest


async def test_trim_keeps_what_is_on_a_board(make: Make, tmp_path: Path) -> None:
    pinned: list[str] = []

    async def on_boards() -> list[str]:
        return pinned

    builds = await make(pinned=on_boards)
    builds.cache._max_bytes = 0
    kept = await builds.build(design("kept = 1"), BuildOptions())
    gone = await builds.build(design("gone = 1"), BuildOptions())
    pinned.append(kept.digest)
    assert await builds.trim() > 0
    assert not (tmp_path / "lab" / "builds" / f"{gone.digest}.json").exists()
    assert kept.artifacts["bitstream"].exists()
    assert not gone.artifacts["bitstream"].exists()
    heard = Heard()
    await builds.build(design("kept = 1"), BuildOptions(), **heard.listeners)
    assert all(report.cached for report in heard.reports)


async def test_no_build_begins_while_room_is_made(make: Make) -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    async def on_boards() -> list[str]:
        asked.set()
        await go.wait()
        return []

    builds = await make(pinned=on_boards)
    heard = Heard()
    trimming = asyncio.create_task(builds.trim())
    await asked.wait()
    building = asyncio.create_task(builds.build(design("good = 1"), BuildOptions(), **heard.listeners))
    await asyncio.sleep(0)
    assert heard.reports == []
    go.set()
    await trimming
    assert (await building).artifacts["bitstream"].exists()


async def test_a_build_whose_lab_died_holds_up_nobody(make: Make) -> None:
    """Its job asks again when the lab is back, if anybody still wants it; what it had at work goes on for nobody."""
    builds = await make(parallel=1)
    compute, loop = builds.compute, asyncio.get_running_loop()
    slow = loop.create_task(builds.build(design("import time; time.sleep(600)"), BuildOptions()))
    events = compute._store.events.subscribe(0)
    while (await anext(events)).kind != "action_started":
        continue
    # The lab ends without a word to the store.
    again = await make(parallel=1)
    slow.cancel()
    heard = Heard()
    await again.build(design("good = 1"), BuildOptions(), **heard.listeners)
    assert heard.work[0] == ("elaborate", "running", False)
    assert again.compute._dispatcher.book.entries == {}


async def test_a_build_that_is_cancelled_at_any_moment_leaves_nothing_at_work(make: Make) -> None:
    builds = await make(parallel=1)
    dispatcher = builds.compute._dispatcher
    for turns in range(40):
        task = asyncio.create_task(builds.build(design(f"import time; time.sleep(600)  # {turns}"), BuildOptions()))
        for _ in range(turns):
            # Each turn of the loop is another moment: before it is taken, while it is, when it runs.
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        assert (dispatcher.book.entries, dispatcher.flights) == ({}, {})
