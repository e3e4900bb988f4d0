"""Who is next, without boards or builds."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from jupyter_fpga.errors import Unavailable
from jupyter_fpga.fpga.alarms import Alarms
from jupyter_fpga.fpga.scheduler import BoardQueue, BuildGate, Ticket, in_order


def tickets(text: str) -> list[Ticket]:
    """``"a0 b0 a1"``: an owner and a priority each, oldest first; each job is named by its place."""
    return [Ticket(str(n), word[0], int(word[1:]), n) for n, word in enumerate(text.split())]


@pytest.mark.parametrize(
    ("waiting", "taken", "order"),
    [
        ("a0 b0 c0", {}, "0 1 2"),
        # Priority first, then the owners in turn, then the oldest.
        ("a0 b0 c1", {}, "2 0 1"),
        ("a0 a0 a0 b0 c0", {}, "0 3 4 1 2"),
        ("a0 a0 b0", {"a": 1}, "2 0 1"),
        ("a0 b0 b0", {"a": 1, "b": 1}, "0 1 2"),
        ("a0 a1 b0 b-1", {}, "1 0 2 3"),
    ],
)
def test_order(waiting: str, taken: dict[str, int], order: str) -> None:
    assert " ".join(ticket.job_id for ticket in in_order(tickets(waiting), taken)) == order


async def test_the_gate_gives_back_what_a_cancelled_waiter_got() -> None:
    gate = BuildGate(1)
    first, second, third = tickets("a0 a0 a0")
    release = asyncio.Event()

    async def hold(ticket: Ticket) -> None:
        async with gate.slot(ticket):
            await release.wait()

    tasks = [asyncio.create_task(hold(ticket)) for ticket in (first, second, third)]
    await asyncio.sleep(0)
    assert [gate.position(ticket.job_id) for ticket in (first, second, third)] == [None, 1, 2]
    # Cancelled in the very moment in which its turn comes, and while it waits.
    tasks[0].cancel()
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.wait(tasks[:2])
    assert (gate.position("2"), len(gate)) == (None, 0)
    release.set()
    await tasks[2]
    async with gate.slot(first):
        assert len(gate) == 0


class Boards:
    """Free boards and who claims them."""

    def __init__(self, free: int, limit: int | None = None) -> None:
        self.free = set(range(free))
        self.owners: dict[int, str] = {}
        self.faster: set[int] = set()
        self.queue: BoardQueue[int] = BoardQueue(
            free=lambda: [(n, "t", frozenset()) for n in sorted(self.free)],
            held=lambda: Counter(self.owners.values()),
            claim=self.claim,
            limit=limit,
        )
        self.jobs: dict[str, str] = {}

    async def claim(self, job_id: str, fpga_id: int) -> int | None:
        await asyncio.sleep(0)
        if job_id == "broken":
            raise Unavailable("That job is gone.")
        self.free.discard(fpga_id)
        if fpga_id in self.faster:
            return None
        assert fpga_id not in self.owners
        self.owners[fpga_id] = self.jobs[job_id]
        return fpga_id

    def wait(self, job_id: str, owner: str, order: int, target: str = "t") -> "asyncio.Task[int]":
        self.jobs[job_id] = owner
        return asyncio.create_task(self.queue.board(Ticket(job_id, owner, 0, order), target, frozenset()))


async def test_boards_go_to_those_who_wait_in_turn() -> None:
    boards = Boards(0)
    waiting = [boards.wait("0", "a", 0), boards.wait("1", "a", 1), boards.wait("2", "b", 2)]
    await asyncio.sleep(0)
    assert [boards.queue.position(job_id) for job_id in "012"] == [1, 3, 2]
    boards.free = {0, 1}
    boards.queue.wake()
    assert await waiting[0] == 0
    assert await waiting[2] == 1
    assert boards.queue.waiting() == [("1", "t", frozenset())]
    waiting[1].cancel()
    await asyncio.wait({waiting[1]})
    assert len(boards.queue) == 0


async def test_a_faster_claim_leaves_the_waiter_in_its_place() -> None:
    boards = Boards(2)
    boards.faster = {0}
    assert await boards.wait("0", "a", 0) == 1


async def test_a_claim_that_fails_concerns_its_job_alone() -> None:
    boards = Boards(1)
    broken, other = boards.wait("broken", "a", 0), boards.wait("1", "b", 1)
    with pytest.raises(Unavailable):
        await broken
    assert await other == 0


async def test_a_waiter_that_is_cancelled_takes_no_others_board_with_it() -> None:
    boards = Boards(1)
    first, second = boards.wait("0", "a", 0), boards.wait("1", "b", 1, target="other")
    await asyncio.sleep(0)
    second.cancel()
    assert await first == 0


async def test_who_has_enough_is_passed_over() -> None:
    boards = Boards(1, limit=1)
    boards.owners = {7: "a"}
    first, second = boards.wait("0", "a", 0), boards.wait("1", "b", 1)
    assert await second == 0
    assert not first.done()
    first.cancel()


async def test_those_who_wait_in_vain_are_told() -> None:
    boards = Boards(0)
    waiting = boards.wait("0", "a", 0)
    await asyncio.sleep(0)
    boards.queue.refuse("0", Unavailable("None works."))
    with pytest.raises(Unavailable, match="None works"):
        await waiting


async def test_alarms_ring_in_order_and_only_when_due(make_lab: Any) -> None:
    clock = make_lab().clock
    alarms = Alarms(clock, horizon=300.0)
    rung: list[str] = []
    heard = asyncio.Event()

    def ring(name: str) -> Any:
        async def action() -> None:
            rung.append(name)
            heard.set()

        return action

    task = asyncio.create_task(alarms.run())
    alarms.set("b", clock.time() + 20, ring("b"))
    alarms.set("a", clock.time() + 10, ring("a"))
    alarms.set("never", clock.time() + 15, ring("never"))
    alarms.clear("never")
    alarms.clear("unknown")
    await asyncio.sleep(0)
    assert (alarms.due("a"), alarms.due("never")) == (clock.time() + 10, None)
    clock.advance(20)
    await heard.wait()
    await asyncio.sleep(0)
    assert rung == ["a", "b"]
    # An alarm that is set anew counts from then on.
    alarms.set("c", clock.time() + 10, ring("too early"))
    alarms.set("c", clock.time() + 1000, ring("c"))
    heard.clear()
    for _ in range(4):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        clock.advance(250)
    await heard.wait()
    assert rung == ["a", "b", "c"]
    task.cancel()
    await asyncio.wait({task})
