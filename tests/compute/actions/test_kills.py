"""``kill -9`` of lab, runner and sandboxes while actions are at work: nothing lost, nothing done twice."""

import asyncio
import os
import random
import select
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy import select as query

from jupyter_fpga.compute.actions.states import ACTION_EDGES
from jupyter_fpga.store import Event, Store
from jupyter_fpga.store.action_tables import actions

from .conftest import ANN, Room, noop

VICTIM = Path(__file__).with_name("resources") / "victim.py"
SCRIPT = "#!/bin/sh\ncase $1 in nap) sleep 0.05 ;; esac\ncp request.json outputs/request.json\n"


class Life:
    """A process with a compute floor in it."""

    def __init__(self, folder: Path, seed: int, what: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(VICTIM), str(folder), str(seed), what], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.ready = self.process.stdout.readline()
        assert self.ready.startswith("ready"), self.ready

    def others(self) -> list[int]:
        """The processes below it: its runner, and what that runs."""
        children = defaultdict(list)
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                children[int(stat.read_text().rpartition(")")[2].split()[1])].append(int(stat.parent.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
        below, found = [self.process.pid], []
        while below:
            below = [child for parent in below for child in children[parent]]
            found += below
        return found

    def taken(self) -> set[int]:
        """The actions that it has acknowledged, once it is dead."""
        out, _ = self.process.communicate()
        # The last line may be cut.
        lines = out[: out.rfind("\n") + 1].splitlines()
        return {int(line.split()[1]) for line in lines if line.startswith("taken ")}


def wait_some(life: Life, seconds: float) -> None:
    """Let it live for a while, or until it ends."""
    ended = os.pidfd_open(life.process.pid)
    select.select([ended], [], [], seconds)
    os.close(ended)


async def prepare(room: Room) -> None:
    """Make the database that victims open, with their worker."""
    await room.start()
    functions = [{"name": name, "version": "00000000-0000-4000-8000-000000000001"} for name in ("count", "nap")]
    await room.register(SCRIPT, functions=functions)
    await room.stop()


@pytest.fixture
def url(sqlite_url: str) -> str:
    """The file that victims open."""
    return sqlite_url


@pytest.mark.parametrize("kills", [12, pytest.param(500, marks=pytest.mark.soak)])
async def test_nothing_is_lost_and_nothing_done_twice(make_room: "type[Room]", tmp_path: Path, kills: int) -> None:
    await prepare(make_room())
    choose = random.Random(kills)
    taken: set[int] = set()
    killed = Counter[str]()
    while killed.total() < kills:
        life = Life(tmp_path, choose.randrange(1 << 30), "work")
        while True:
            await asyncio.to_thread(wait_some, life, choose.random() * 0.5)
            others = life.others()
            whom = "lab" if choose.random() < 0.4 or not others else "other"
            killed[whom] += 1
            try:
                os.kill(life.process.pid if whom == "lab" else choose.choice(others), signal.SIGKILL)
            except ProcessLookupError:
                killed[whom] -= 1
            if whom == "lab":
                break
        taken |= await asyncio.to_thread(life.taken)
    last = Life(tmp_path, 0, "finish")
    assert await asyncio.to_thread(last.taken) == set()
    assert last.process.returncode == 0
    assert min(killed.values()) > 0
    store = await Store.open(f"sqlite:///{tmp_path / 'lab.sqlite'}")
    rows = await store.read(lambda connection: list(connection.execute(query(actions)).mappings()))
    ended = {row["lsn"]: row["state"] for row in rows}
    assert taken <= set(ended)
    assert {lsn: state for lsn, state in ended.items() if state != "completed"} == {}
    # A program that was killed itself, and not its sandbox, is told as one that killed itself: nobody else can know.
    assert {row["result"]["exit_code"] for row in rows} <= {0, 128 + signal.SIGKILL}
    check_log(await all_events(store))
    await store.close()


async def all_events(store: Store) -> list[Event]:
    events: list[Event] = []
    while news := await store.events.since(len(events), 10_000):
        events += news
    return events


def check_log(events: list[Event]) -> None:
    """The log has no gap, and every action went along edges that there are, to one end."""
    assert [event.lsn for event in events] == list(range(1, len(events) + 1))
    states = {}
    for event in events:
        if event.kind == "action_accepted":
            states[event.lsn] = "pending"
            continue
        cause = event.kind.removeprefix("action_")
        if cause not in ACTION_EDGES:
            continue
        sources, target = ACTION_EDGES[cause]
        lsn = event.data["action_lsn"]
        assert states[lsn] in sources, (event, states[lsn])
        states[lsn] = target
    assert set(states.values()) == {"completed"}


async def test_ten_thousand_that_wait_are_there_again(make_room: "type[Room]", tmp_path: Path) -> None:
    room = make_room()
    await prepare(room)
    store = await Store.open(f"sqlite:///{tmp_path / 'lab.sqlite'}")

    def pending(connection: Connection) -> int:
        return len(connection.execute(query(actions.c.lsn).where(actions.c.state == "pending")).all())

    room.options["checkpoint"] = lambda name: None
    await store.close()
    await room.start()
    # Nothing begins, so that everything waits.
    async with room.compute._dispatcher.quiet():
        actions_ = [
            {"function": "count", "function_version": "00000000-0000-4000-8000-000000000001", "constants": {"n": n}}
            for n in range(10_000)
        ]
        for start in range(0, 10_000, 1000):
            await room.compute.submit_many(ANN, actions_[start : start + 1000])
        assert await room.store.read(pending) == 10_000
    await room.stop()
    life = Life(tmp_path, 0, "finish")
    print(f"\nrestart with 10,000 waiting actions: {life.ready.split()[2]} s")
    life.process.kill()
    assert await asyncio.to_thread(life.taken) == set()
    store = await Store.open(f"sqlite:///{tmp_path / 'lab.sqlite'}")
    assert await store.read(lambda connection: len(connection.execute(query(actions.c.lsn)).all())) == 10_000
    await store.close()


async def test_a_reader_of_events_that_comes_back_sees_no_gap_and_no_double(room: Room) -> None:
    seen: list[int] = []
    at = 0
    for number in range(5):
        await room.compute.submit_many(ANN, [noop(1000 * number + n) for n in range(40)])
        reader = room.store.events.subscribe(at)
        async for event in reader:
            seen.append(event.lsn)
            at = event.lsn
            if len(seen) % 37 == 0:
                break
        await reader.aclose()  # type: ignore[attr-defined]
    assert len(seen) == 5 * 37
    assert seen == list(range(1, len(seen) + 1))
