"""Queues, priorities, fair share, retries: the lives of actions and of the groups that they belong to."""

import asyncio
from typing import Any

import pytest

from jupyter_fpga.clock import SystemClock
from jupyter_fpga.compute.actions import ComputeConfig
from jupyter_fpga.compute.sandbox import SandboxError
from jupyter_fpga.errors import Conflict, Invalid, LabError, NotFound, QuotaExceeded
from jupyter_fpga.store import StoreFailed

from .conftest import ANN, BEN, OLGA, Room, call, noop, sha256


async def refused(kind: type[LabError], code: str, message: str, work: Any) -> None:
    with pytest.raises(kind) as caught:
        await work
    assert (caught.value.code, caught.value.message) == (code, message)


async def busy(room: Room, count: int = 2) -> list[int]:
    """Occupy every place of the runner."""
    lsns = [(await room.compute.submit(OLGA, call("sleep", constants={"n": n})))["lsn"] for n in range(count)]
    for lsn in lsns:
        await room.in_state(OLGA, lsn, "running")
    return lsns


async def order_of(room: Room, lsns: list[int]) -> list[int]:
    """LSNs in the order in which they were given to the runner."""
    news = await room.store.events.since(0, 100_000)
    order = [event.data["action_lsn"] for event in news if event.kind == "action_submitted"]
    return [lsn for lsn in order if lsn in lsns]


async def test_the_life_of_a_queue(room: Room) -> None:
    queue = await room.compute.create_queue(ANN, {}, remote=False)
    for number in range(3):
        await room.end(ANN, noop(number), queue=queue)
    shown = await room.compute.queue(ANN, queue)
    counts = {name: shown[name] for name in ("state", "active", "completed", "failed", "cancelled", "is_complete")}
    assert counts == {
        "state": "active", "active": 0, "completed": 3, "failed": 0, "cancelled": 0, "is_complete": False
    }  # fmt: skip
    done = await room.compute.completed(ANN, queue=queue)
    assert [job["result"]["ok"] for job in done] == [True] * 3
    later = await room.compute.completed(ANN, queue=queue, after=done[1]["done_lsn"])
    assert [job["lsn"] for job in later] == [done[2]["lsn"]]
    assert (await room.compute.drain_queue(ANN, queue))["state"] == "complete"
    await refused(
        Conflict,
        "queue_not_active",
        f"Queue {queue} can't do that: it is complete. Make a new queue.",
        room.compute.submit(ANN, noop(9), queue=queue),
    )


async def test_draining_finishes_what_is_there(room: Room) -> None:
    queue = await room.compute.create_queue(ANN, {}, remote=False)
    lsn = (await room.compute.submit(ANN, call("sleep"), queue=queue))["lsn"]
    await room.in_state(ANN, lsn, "running")
    assert (await room.compute.drain_queue(ANN, queue))["state"] == "draining"
    await refused(
        Conflict,
        "queue_not_active",
        f"Queue {queue} can't do that: it is being drained and takes no new work. Make a new queue.",
        room.compute.submit(ANN, noop(1), queue=queue),
    )
    await room.compute.cancel(ANN, lsn, queue)
    assert (await room.compute.queue(ANN, queue))["state"] == "complete"


async def test_a_cancelled_queue_takes_its_work_with_it(room: Room) -> None:
    queue = await room.compute.create_queue(ANN, {"max_active": 1}, remote=False)
    lsns = [(await room.compute.submit(ANN, call("sleep", constants={"n": n}), queue=queue))["lsn"] for n in range(3)]
    await room.in_state(ANN, lsns[0], "running")
    shown = await room.compute.delete_queue(ANN, queue)
    assert (shown["state"], shown["active"], shown["cancelled"]) == ("cancelled", 0, 3)
    assert (await room.compute.sysinfo(OLGA))["runner"]["processes"][0]["running"] == []
    # Once more changes nothing.
    assert (await room.compute.delete_queue(ANN, queue))["state"] == "cancelled"
    await refused(
        Conflict,
        "queue_not_active",
        f"Queue {queue} can't do that: it was cancelled. Make a new queue.",
        room.compute.drain_queue(ANN, queue),
    )


async def test_no_more_at_once_than_the_queue_allows(room: Room) -> None:
    queue = await room.compute.create_queue(ANN, {"max_active": 1}, remote=False)
    lsns = [(await room.compute.submit(ANN, call("sleep", constants={"n": n}), queue=queue))["lsn"] for n in range(2)]
    await room.in_state(ANN, lsns[0], "running")
    # There is another place, and nobody else who wants it.
    other = await room.end(ANN, call("count"))
    assert other["state"] == "completed"
    assert (await room.compute.job(ANN, lsns[1]))["state"] == "pending"
    await room.compute.cancel(ANN, lsns[0])
    await room.in_state(ANN, lsns[1], "running")


async def test_anothers_queue_is_no_queue(room: Room) -> None:
    queue = await room.compute.create_queue(ANN, {}, remote=True)
    message = f"There is no queue {queue} of yours. Make one with POST /queues."
    for work in (
        room.compute.submit(BEN, noop(), queue=queue),
        room.compute.queue(BEN, queue),
        room.compute.drain_queue(BEN, queue),
        room.compute.delete_queue(BEN, queue),
        room.compute.jobs(BEN, queue=queue),
        room.compute.completed(BEN, queue=queue),
    ):
        await refused(NotFound, "queue_not_found", message, work)
    assert [shown["queue_id"] for shown in await room.compute.queues(BEN)] == []
    assert [shown["queue_id"] for shown in await room.compute.queues(OLGA)] == [queue]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"max_retries": -1}, "The queue can't be made: “max_retries” must be a whole number from 0 to 100; got -1."),
        ({"max_active": 0}, "The queue can't be made: “max_active” must be a whole number from 1 to 10000; got 0."),
        ({"ttl_seconds": "x"}, 'The queue can\'t be made: “ttl_seconds” must be a number from 1 to 86400; got "x".'),
        (
            {"retries": 1},
            "The queue can't be made: it has no setting “retries”; there are max_retries, max_active, ttl_seconds.",
        ),
        ([], "The queue can't be made: its configuration must be a JSON object; got a list."),
    ],
)
async def test_queues_that_can_not_be(room: Room, config: Any, message: str) -> None:
    await refused(Invalid, "queue_rejected", message, room.compute.create_queue(ANN, config, remote=False))


async def test_higher_priority_runs_sooner_and_owners_share(room: Room) -> None:
    occupied = await busy(room)
    lsns = {}
    for name, person, priority in (
        ("ann1", ANN, 0), ("ann2", ANN, 0), ("ann3", ANN, 0), ("ben1", BEN, 0), ("olga", OLGA, 5)
    ):  # fmt: skip
        action = call("count", constants={"who": name}, priority=priority)
        lsns[name] = (await room.compute.submit(person, action))["lsn"]
    await room.compute.cancel(OLGA, occupied[0])
    for lsn in lsns.values():
        await room.in_state(OLGA, lsn, "completed")
    names = {lsn: name for name, lsn in lsns.items()}
    order = [names[lsn] for lsn in await order_of(room, list(lsns.values()))]
    assert order == ["olga", "ann1", "ben1", "ann2", "ann3"]


async def test_a_priority_can_be_changed_while_it_waits(room: Room) -> None:
    occupied = await busy(room)
    first, second = [(await room.compute.submit(ANN, call("count", constants={"n": n})))["lsn"] for n in range(2)]
    assert (await room.compute.set_priority(OLGA, second, 3))["priority"] == 3
    await room.compute.cancel(OLGA, occupied[0])
    for lsn in (first, second):
        await room.in_state(ANN, lsn, "completed")
    assert await order_of(room, [first, second]) == [second, first]
    await refused(
        Conflict,
        "priority_fixed",
        f"The priority of action {first} can't be changed any more: it is completed. Only an action that waits has "
        "one.",
        room.compute.set_priority(OLGA, first, 1),
    )


async def test_retracting_puts_it_back_without_counting(room: Room) -> None:
    lsn = (await room.compute.submit(ANN, call("sleep")))["lsn"]
    await room.in_state(ANN, lsn, "running")
    occupied = (await room.compute.submit(OLGA, call("sleep", constants={"n": 1})))["lsn"]
    await room.in_state(OLGA, occupied, "running")
    waiting = (await room.compute.submit(BEN, call("sleep", constants={"n": 2})))["lsn"]
    await room.compute.retract(ANN, lsn)
    await room.in_state(BEN, waiting, "running")
    job = await room.compute.job(ANN, lsn)
    assert (job["state"], job["retry_count"]) == ("pending", 0)
    # Once more changes nothing.
    before = room.store.events.latest
    assert (await room.compute.retract(ANN, lsn))["state"] == "pending"
    assert room.store.events.latest == before
    await room.compute.cancel(BEN, waiting)
    await room.in_state(ANN, lsn, "running")
    await room.compute.cancel(ANN, lsn)
    await refused(
        Conflict,
        "job_not_retractable",
        f"Action {lsn} can't be retracted: it is cancelled. Only one that a runner has can be taken off it.",
        room.compute.retract(ANN, lsn),
    )


class Moody:
    """The room's own runner, which can be told to fail before it begins."""

    name = "moody"

    def __init__(self, runner: Any, failures: list[Exception]) -> None:
        self._runner = runner
        self.failures = failures
        self.capacity = 2

    async def start(self, on_late: Any) -> None:
        await self._runner.start(on_late)

    async def run(self, task: Any, into: Any, **how: Any) -> Any:
        if self.failures:
            raise self.failures.pop(0)
        return await self._runner.run(task, into, **how)

    def describe(self) -> dict[str, Any]:
        return dict(self._runner.describe())

    async def stop(self) -> None:
        await self._runner.stop()


async def moody(make_room: Any, failures: list[Exception], **options: Any) -> Room:
    from jupyter_fpga.compute.runners.direct import DirectRunner
    from jupyter_fpga.compute.sandbox import Runner

    room: Room = make_room(**options)
    await room.start(Moody(DirectRunner(Runner(room.sandbox), capacity=2), failures))
    await room.register()
    return room


async def test_what_could_not_be_run_is_tried_again(make_room: Any) -> None:
    trouble = SandboxError("The sandbox could not be started: no room.")
    room = await moody(make_room, [trouble] * 2, config=ComputeConfig(retry_seconds=(0.01,)))
    job = await room.end(ANN, call("count"))
    assert (job["state"], job["retry_count"], job["error"]) == ("completed", 2, None)
    assert [kind for kind in await room.kinds(job["lsn"]) if kind in ("action_failed", "action_retried")] == [
        "action_failed", "action_retried", "action_failed", "action_retried"
    ]  # fmt: skip
    await room.stop()


async def test_it_fails_for_good_when_its_retries_are_used_up(make_room: Any) -> None:
    trouble = SandboxError("The sandbox could not be started: no room.")
    room = await moody(make_room, [trouble] * 3, config=ComputeConfig(retry_seconds=(0.01,)))
    queue = await room.compute.create_queue(ANN, {"max_retries": 1}, remote=False)
    job = await room.end(ANN, call("count"), queue=queue)
    assert (job["state"], job["retry_count"], job["finished"]) == ("failed", 1, True)
    assert job["error"]["message"] == "The sandbox could not be started: no room."
    await refused(
        Conflict,
        "retries_used_up",
        f"Action {job['lsn']} can't be rescheduled: it was tried again 1 of 1 times already. Post it anew, or "
        "in a queue with more max_retries.",
        room.compute.reschedule(ANN, job["lsn"]),
    )
    assert (await room.compute.queue(ANN, queue))["failed"] == 1
    await room.stop()


async def test_a_failed_action_is_rescheduled_by_hand(make_room: Any) -> None:
    trouble = SandboxError("The sandbox could not be started: no room.")
    room = await moody(make_room, [trouble], config=ComputeConfig(retry_seconds=(3600.0,)))
    lsn = (await room.compute.submit(ANN, call("count")))["lsn"]
    failed = await room.in_state(ANN, lsn, "failed")
    assert failed["finished"] is False
    assert await room.compute.reschedule(ANN, lsn) == {"lsn": lsn, "retry_count": 1}
    assert (await room.compute.job(ANN, lsn, wait=30))["state"] == "completed"
    await refused(
        Conflict,
        "job_not_reschedulable",
        f"Action {lsn} can't be rescheduled: it is completed. Only failed and abandoned actions are tried again.",
        room.compute.reschedule(ANN, lsn),
    )
    await room.stop()


async def test_a_finished_action_is_not_cancelled(room: Room) -> None:
    job = await room.end(ANN, noop())
    await refused(
        Conflict,
        "job_not_cancellable",
        f"Action {job['lsn']} can't be cancelled any more: it is completed. Retire it when you don't need its result.",
        room.compute.cancel(ANN, job["lsn"]),
    )


async def test_an_unfinished_action_is_not_retired(room: Room) -> None:
    lsn = (await room.compute.submit(ANN, call("sleep")))["lsn"]
    await room.in_state(ANN, lsn, "running")
    await refused(
        Conflict,
        "job_not_finished",
        f"Action {lsn} can't be retired yet: it is running. Wait for its end, or cancel it first.",
        room.compute.retire(ANN, lsn),
    )
    await room.compute.cancel(ANN, lsn)
    await room.compute.retire(ANN, lsn)


async def test_nobody_has_more_than_the_lab_allows(make_room: Any) -> None:
    room: Room = make_room(config=ComputeConfig(max_unfinished=2, max_queues=1))
    await room.start()
    await room.register()
    for number in range(2):
        await room.compute.submit(ANN, call("sleep", constants={"n": number}))
    await refused(
        QuotaExceeded,
        "quota_exceeded",
        "You have 2 unfinished actions; 2 is the most. Wait until some are done.",
        room.compute.submit(ANN, noop()),
    )
    await room.compute.create_queue(ANN, {}, remote=False)
    await refused(
        QuotaExceeded,
        "quota_exceeded",
        "You have 1 open queues; 1 is the most. Cancel or drain one.",
        room.compute.create_queue(ANN, {}, remote=False),
    )
    await room.stop()


class Later(SystemClock):
    """The machine's time, and what a test adds to it."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


async def test_what_nobody_uses_goes(make_room: Any) -> None:
    clock = Later()
    room: Room = make_room(clock=clock, config=ComputeConfig())
    await room.start()
    await room.register()
    queue = await room.compute.create_queue(ANN, {"ttl_seconds": 60}, remote=False)
    kept = await room.compute.create_queue(ANN, {"ttl_seconds": 60}, remote=False)
    done = await room.end(ANN, noop())
    lsn = (await room.compute.submit(ANN, call("sleep"), queue=kept))["lsn"]
    await room.put(BEN, b"unused")
    clock.ahead = 2 * 24 * 3600
    await room.compute._upkeep.round()
    assert (await room.compute.queue(ANN, queue))["state"] == "complete"
    # It has work.
    assert (await room.compute.queue(ANN, kept))["state"] == "active"
    for work in (room.compute.job(ANN, done["lsn"]), room.compute.chunk(BEN, sha256(b"unused"))):
        with pytest.raises(NotFound):
            await work
    assert (await room.compute.job(ANN, lsn))["finished"] is False
    await room.stop()


async def test_a_stop_loses_nothing(make_room: Any) -> None:
    room: Room = make_room()
    await room.start()
    await room.register()
    running = (await room.compute.submit(ANN, call("sleep")))["lsn"]
    await room.in_state(ANN, running, "running")
    waiting = [(await room.compute.submit(ANN, call("count", constants={"n": n})))["lsn"] for n in range(2)]
    asleep = (await room.compute.submit(ANN, call("sleep", constants={"n": 1})))["lsn"]
    await room.in_state(ANN, asleep, "running")
    await room.stop()
    await room.start()
    await asyncio.gather(*(room.in_state(ANN, lsn, "running") for lsn in (running, asleep)))
    assert "action_recovered" in await room.kinds(running)
    await room.compute.cancel(ANN, running)
    for lsn in waiting:
        assert (await room.compute.job(ANN, lsn, wait=30))["state"] == "completed"
    await room.stop()


@pytest.mark.parametrize("when", ["actions begin", "actions end"])
async def test_a_database_that_fails_for_a_while_loses_nothing(
    make_room: Any, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    monkeypatch.setattr("jupyter_fpga.compute.actions.ends.STORE_RETRY", 0.01)
    monkeypatch.setattr("jupyter_fpga.compute.actions.dispatch.STORE_RETRY", 0.01)
    failures = 2

    def checkpoint(name: str) -> None:
        nonlocal failures
        if name == f"{when}:before commit" and failures:
            failures -= 1
            raise StoreFailed(OSError("no room"))

    room: Room = make_room(checkpoint=checkpoint)
    await room.start()
    await room.register()
    equal = [await room.compute.submit(person, call("count")) for person in (ANN, BEN)]
    others = [await room.compute.submit(ANN, noop(n)) for n in range(3)]
    for answer in (*equal, *others):
        job = await room.compute.job(OLGA, answer["lsn"], wait=30)
        assert (job["state"], job["retry_count"]) == ("completed", 0)
    assert failures == 0
    assert (await room.compute.sysinfo(OLGA))["queue_depths"]["unfinished"] == 0
    await room.stop()
