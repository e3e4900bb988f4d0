"""``kill -9`` at any moment: whatever was acknowledged is there, and the log has no gap."""

import asyncio
import random
import signal
import subprocess
import sys

import pytest

from jupyter_fpga.store import Store

VICTIM = """
import asyncio, sys
from sqlalchemy import insert
from jupyter_fpga.store import Store
from jupyter_fpga.store.tables import counters

async def main(url, life):
    store = await Store.open(url)

    async def write(writer):
        number = 0
        while True:
            name = f"{life}-{writer}-{number}"

            def work(tx):
                lsn = tx.event("one", name=name)
                tx.execute(insert(counters), {"name": name, "value": lsn})
                tx.event("two", name=name)
                if number % 5 == 4:
                    raise ZeroDivisionError
                return lsn

            try:
                lsn = await store.write(work)
            except ZeroDivisionError:
                pass
            else:
                print(lsn, name, flush=True)  # acknowledged
            number += 1

    await asyncio.gather(*(write(writer) for writer in range(6)))

asyncio.run(main(sys.argv[1], sys.argv[2]))
"""

SUICIDE = (
    """
import os, signal, sys
from sqlalchemy import Engine, event

left = int(sys.argv[2])

def count(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(Engine, "before_cursor_execute", count)
event.listen(Engine, "commit", count)
sys.argv[2] = f"moment{left}"
"""
    + VICTIM
)


async def live_and_die(url: str, life: int, acknowledgements: int) -> dict[int, str]:
    """Run a writing lab until it has acknowledged so many works, kill it, and return everything that it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", VICTIM, url, str(life), stdout=subprocess.PIPE, limit=1 << 20
    )
    assert process.stdout is not None
    lines = [await process.stdout.readline() for _ in range(acknowledgements)]
    process.kill()
    # What was still in the pipe was acknowledged too.
    lines += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    # The last line may be half of one: then nobody was told.
    whole = [line.decode().split() for line in lines if line.endswith(b"\n")]
    return {int(lsn): name for lsn, name in whole}


async def check(url: str, acknowledged: dict[int, str]) -> None:
    """Open what is left: both events and the row of each acknowledged work, nothing halved, no gap."""
    store = await Store.open(url)
    events = await store.events.since(0, limit=1_000_000)
    assert [event.lsn for event in events] == list(range(1, store.events.latest + 1))
    ones = {event.lsn: event.data["name"] for event in events if event.kind == "one"}
    twos = {event.lsn - 1: event.data["name"] for event in events if event.kind == "two"}
    rows = await store.read(
        lambda connection: connection.exec_driver_sql(
            "SELECT value, name FROM counters WHERE name NOT IN ('lsn', 'queue')"
        ).all()
    )
    assert ones == twos == dict(rows)
    assert acknowledged.items() <= ones.items()
    await store.close()


@pytest.mark.parametrize("lives", [4, pytest.param(200, marks=pytest.mark.soak)])
async def test_what_was_acknowledged_survives_a_kill(url: str, lives: int) -> None:
    chance = random.Random(lives)
    acknowledged: dict[int, str] = {}
    for life in range(lives):
        said = await live_and_die(url, life, chance.randint(1, 120))
        assert not said.keys() & acknowledged.keys()
        acknowledged |= said
        await check(url, acknowledged)


@pytest.mark.parametrize(
    "moments", [(2, 9, 15, 26, 33), pytest.param(tuple(range(1, 60)), marks=pytest.mark.soak)], ids=["some", "all"]
)
async def test_a_kill_at_each_statement_of_the_first_start(url: str, moments: tuple[int, ...]) -> None:
    """Making the tables and the first writes: whatever the moment, the next start goes on from there."""
    acknowledged: dict[int, str] = {}
    for moment in moments:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SUICIDE, url, str(moment), stdout=subprocess.PIPE
        )
        said, _ = await process.communicate()
        acknowledged |= {int(lsn): name for lsn, name in (line.split() for line in said.decode().splitlines())}
        await check(url, acknowledged)
        assert process.returncode == -signal.SIGKILL
