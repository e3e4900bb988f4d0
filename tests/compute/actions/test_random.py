"""Everything at once: people submit, cancel, retract, reschedule and drain while runs fail and vanish."""

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from jupyter_fpga.compute.actions import ComputeConfig
from jupyter_fpga.compute.actions.states import ACTION_EDGES
from jupyter_fpga.compute.runners import RunnerVanished, Task
from jupyter_fpga.compute.sandbox import BadOutput, Finished, SandboxError
from jupyter_fpga.errors import LabError
from jupyter_fpga.store.action_tables import actions

from .conftest import ANN, BEN, OLGA, Room, call, noop

STEPS = 60
"""What each of the people does."""


class Fickle:
    """Runs nothing; ends as chance has it, after as long as chance has it."""

    name = "fickle"
    capacity = 3

    def __init__(self, choose: random.Random) -> None:
        self._choose = choose
        self.running: Counter[str] = Counter()

    async def start(self, on_late: Any) -> None:
        """Nothing to start."""

    async def run(self, task: Task, into: Path, *, on_start: Any, on_output: Any) -> Finished:
        choose = self._choose
        self.running[task.token] += 1
        # One run for each claim, and never more at once than there is room for.
        assert self.running[task.token] == 1
        assert self.running.total() <= self.capacity
        try:
            await asyncio.sleep(choose.choice((0, 0.001, 0.01)))
            if choose.random() < 0.1:
                raise SandboxError("It could not be started.")
            on_start()
            on_output("begun")
            await asyncio.sleep(choose.choice((0, 0.001, 0.02)))
            match choose.choices(("well", "badly", "vanished", "bad output"), (6, 1, 1, 1))[0]:
                case "vanished":
                    raise RunnerVanished("It is gone.")
                case "bad output":
                    raise BadOutput("The program left a link.")
                case how:
                    (into / "outputs").mkdir()
                    (into / "outputs/data").write_bytes(task.inputs["request.json"])  # type: ignore[arg-type]
                    taken = {"outputs/data": into / "outputs/data"}
                    return Finished(0 if how == "well" else 3, "begun", None, 0.1, 0.1, 1000, taken)
        finally:
            del self.running[task.token]

    def describe(self) -> dict[str, Any]:
        return {"kind": self.name, "capacity": self.capacity, "processes": []}

    async def stop(self) -> None:
        """Nothing to stop."""


async def live(room: Room, person: Any, choose: random.Random, queues: list[int | None], taken: list[int]) -> None:
    compute = room.compute
    for _ in range(STEPS):
        lsn, queue = choose.choice(taken or [1]), choose.choice(queues)
        try:
            match choose.choices(
                ("submit", "many", "cancel", "retract", "reschedule", "priority", "drain", "delete", "queue", "wait"),
                (10, 3, 5, 3, 2, 1, 1, 1, 1, 4),
            )[0]:
                case "submit":
                    action = call("count", constants={"n": choose.randrange(4)}, cache=choose.choice(("use", "skip")))
                    taken.append((await compute.submit(person, action, queue=queue))["lsn"])
                case "many":
                    some = [choose.choice((noop(choose.randrange(9)), call("count"))) for _ in range(5)]
                    taken += [a["lsn"] for a in await compute.submit_many(person, some, queue=queue) if "lsn" in a]
                case "cancel":
                    await compute.cancel(person, lsn)
                case "retract":
                    await compute.retract(person, lsn)
                case "reschedule":
                    await compute.reschedule(person, lsn)
                case "priority":
                    await compute.set_priority(OLGA, lsn, choose.randrange(3))
                case "drain" if queue is not None:
                    await compute.drain_queue(person, queue)
                case "delete" if queue is not None:
                    await compute.delete_queue(person, queue)
                case "queue":
                    config = {"max_retries": choose.choice((0, 1, 5)), "max_active": choose.choice((None, 1))}
                    queues.append(await compute.create_queue(person, config, remote=False))
                case _:
                    await compute.job(person, lsn, wait=0.02)
        except LabError as error:
            # What comes too late is refused, and what doesn't belong here; nothing else may go wrong.
            if not error.code.startswith(("job_", "queue_", "priority_", "retries_")):
                raise


@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(6, 200))])
async def test_whatever_people_do_every_action_ends_along_the_edges(make_room: Any, seed: int) -> None:
    choose = random.Random(seed)
    runner = Fickle(random.Random(choose.random()))
    room: Room = make_room(config=ComputeConfig(retry_seconds=(0.001, 0.01), max_queues=1000))
    await room.start(runner)
    await room.register()
    await asyncio.gather(
        *(live(room, person, random.Random(choose.random()), [None, None], []) for person in (ANN, BEN, OLGA, ANN))
    )
    book = room.compute._dispatcher.book
    async with asyncio.timeout(60):
        while book.entries:
            await book.ended(min(book.entries))
    assert (dict(book.unfinished), dict(book._running), dict(book._in_queue), book._twins) == ({}, {}, {}, {})
    assert (room.compute._dispatcher.flights, runner.running.total()) == ({}, 0)
    rows = await room.store.read(lambda connection: list(connection.execute(select(actions)).mappings()))
    states = {row["lsn"]: row["state"] for row in rows}
    assert {(row["state"], row["retry_at"]) for row in rows} <= {
        ("completed", None), ("cancelled", None), ("failed", None), ("abandoned", None)
    }  # fmt: skip
    assert told(await room.store.events.since(0, 100_000)) == states
    await room.stop()


def told(events: Any) -> dict[int, str]:
    """The state of each action by its events, each of which is an edge from where the one before left it."""
    states: dict[int, str] = {}
    for event in events:
        if event.kind == "action_accepted":
            states[event.lsn] = "pending"
        elif (cause := event.kind.removeprefix("action_")) in ACTION_EDGES:
            sources, target = ACTION_EDGES[cause]  # type: ignore[index]
            lsn = event.data["action_lsn"]
            assert states[lsn] in sources, (event, states[lsn])
            states[lsn] = target
    return states
