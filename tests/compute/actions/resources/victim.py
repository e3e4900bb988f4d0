"""A compute floor that is killed: takes actions and says so, one line each, once they are acknowledged.

Arguments: the folder, the seed, and ``work`` or ``finish``. ``finish`` takes nothing new and ends when all is done.
"""

import asyncio
import random
import sys
import time
from pathlib import Path

from jupyter_fpga.compute.actions import Compute
from jupyter_fpga.compute.actions.builtin import builtin_version
from jupyter_fpga.compute.cache import ActionCache
from jupyter_fpga.compute.runners.local import LocalRunner
from jupyter_fpga.compute.sandbox import Sandbox
from jupyter_fpga.people import Person
from jupyter_fpga.store import Store

VERSION = "00000000-0000-4000-8000-000000000001"
PEOPLE = [Person("ann"), Person("ben")]


def one(choose: random.Random) -> dict[str, object]:
    number = choose.randrange(1 << 40)
    if choose.random() < 0.5:
        return {"function": "noop", "function_version": builtin_version("noop", 1), "constants": {"n": number}}
    # Some are equal to others, and computed together with them.
    constants = {"n": number if choose.random() < 0.7 else number % 3}
    function = choose.choice(("count", "nap"))
    return {"function": function, "function_version": VERSION, "constants": constants, "cache": "skip"}


async def submit(compute: Compute, choose: random.Random, queues: dict[str, int]) -> None:
    while True:
        person = choose.choice(PEOPLE)
        answers = await compute.submit_many(
            person, [one(choose) for _ in range(choose.choice((1, 1, 20)))], queue=queues[person.name]
        )
        print("\n".join(f"taken {answer['lsn']}" for answer in answers), flush=True)
        # No more than what can be done in the end.
        await compute.job(person, answers[0]["lsn"], wait=choose.choice((0.0, 0.3)))


async def main(folder: Path, seed: int, what: str) -> None:
    began = time.perf_counter()
    store = await Store.open(f"sqlite:///{folder / 'lab.sqlite'}")
    sandbox = Sandbox.probe()
    runner = LocalRunner(sandbox, capacity=2)
    compute = Compute(
        store=store,
        folder=folder / "compute",
        cache=ActionCache(folder / "cache"),
        runner=runner,
        sandbox=sandbox,
    )
    opened = time.perf_counter()
    await compute.start()
    started = time.perf_counter()
    print(f"ready {started - began:.3f} {started - opened:.3f}", flush=True)
    if what == "work":
        choose = random.Random(seed)
        queues = {}
        for person in PEOPLE:
            # Those of an earlier life are as good: whatever happens, no action may run out of tries.
            known = await compute.queues(person)
            config = {"max_retries": 100, "ttl_seconds": 86400}
            queues[person.name] = (
                known[0]["queue_id"] if known else await compute.create_queue(person, config, remote=False)
            )
        await asyncio.gather(*(submit(compute, random.Random(choose.random()), queues) for _ in range(3)))
    while compute._dispatcher.book.entries:
        await compute._dispatcher.book.ended(min(compute._dispatcher.book.entries))
    await compute.stop()
    await store.close()


asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
