"""Transitions, claims, leases and fences."""

import asyncio

import pytest
from sqlalchemy import insert, select

from jupyter_fpga.errors import Conflict, NotFound
from jupyter_fpga.store import Leased, Stale, StaleFence, Store, Transaction
from jupyter_fpga.store.tables import boards, jobs

KEY = {"job_id": "j1"}


class StoppedClock:
    """A clock that a test moves."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def store(url: str, clock: StoppedClock):
    """An open store with a queued job, a board, and a clock that stands still."""
    store = await Store.open(url, clock=clock)

    def rows(tx: Transaction) -> None:
        common = {"target": "simulated", "tags": [], "driver": "simulated", "health": "ok"}
        tx.execute(insert(boards), {"fpga_id": 3, "state": "idle", "updated_at": tx.now, **common})
        job = {"job_id": "j1", "type": "build", "status": "queued", "owner": "ann", "request": {}}
        tx.execute(insert(jobs), {**job, "created_at": tx.now, "updated_at": tx.now, "lsn": tx.event("queued")})

    await store.write(rows)
    yield store
    await store.close()


def claim(**changes: object) -> object:
    """A work that claims the job."""
    arguments = {"from_": {"queued"}, "to": "running", "lease_seconds": 30, **changes}
    return lambda tx: dict(tx.claim(jobs, KEY, **arguments))


async def test_two_hundred_at_once_and_one_wins(store: Store) -> None:
    def take(name: str) -> object:
        def work(tx: Transaction) -> str:
            tx.transition(boards, {"fpga_id": 3}, from_={"idle"}, to="queued", values={"owner": name})
            tx.event("taken", fpga_id=3, owner=name)
            return name

        return work

    names = [f"person{i}" for i in range(200)]
    results = await asyncio.gather(*(store.write(take(name)) for name in names), return_exceptions=True)
    (winner,) = (result for result in results if isinstance(result, str))
    losers = [result for result in results if not isinstance(result, str)]
    assert {type(loser) for loser in losers} == {Stale}
    assert len(losers) == 199
    row = await store.read(lambda connection: connection.execute(select(boards)).mappings().one())
    assert (row["state"], row["owner"]) == ("queued", winner)
    assert [event.owner for event in await store.events.since(1)] == [winner]


async def test_a_transition_touches_the_row_s_time(store: Store, clock: StoppedClock) -> None:
    clock.now = 1234.5
    row = await store.write(lambda tx: tx.transition(boards, {"fpga_id": 3}, from_={"idle"}, to="queued"))
    assert row["updated_at"] == 1234.5
    row = await store.write(
        lambda tx: tx.transition(boards, {"fpga_id": 3}, from_={"queued"}, to="idle", values={"updated_at": 1.5})
    )
    assert row["updated_at"] == 1.5


async def test_a_transition_of_a_named_column(store: Store) -> None:
    row = await store.write(
        lambda tx: tx.transition(boards, {"fpga_id": 3}, column="health", from_={"ok"}, to="quarantined")
    )
    assert (row["state"], row["health"]) == ("idle", "quarantined")
    with pytest.raises(Stale) as caught:
        await store.write(lambda tx: tx.transition(boards, {"fpga_id": 3}, column="health", from_={"ok"}, to="ok"))
    assert caught.value.message == (
        "The health of board 3 is 'quarantined', and this step needs 'ok'. "
        "Look at it again before you repeat the request."
    )


async def test_a_stale_transition_names_what_it_found(store: Store) -> None:
    await store.write(claim())
    with pytest.raises(Stale) as caught:
        await store.write(lambda tx: tx.transition(jobs, KEY, from_={"queued", "building"}, to="cancelled"))
    assert isinstance(caught.value, Conflict)
    assert caught.value.as_dict() == {
        "error": "stale",
        "message": "The status of job j1 is 'running', and this step needs 'building' or 'queued'. "
        "Look at it again before you repeat the request.",
        "detail": {"subject": "job j1", "column": "status", "found": "running", "expected": ["building", "queued"]},
    }


async def test_the_right_fence_in_the_wrong_state_is_stale(store: Store) -> None:
    fence = (await store.write(claim()))["fence"]
    with pytest.raises(Stale) as caught:
        await store.write(lambda tx: tx.transition(jobs, KEY, from_={"queued"}, to="cancelled", fence=fence))
    assert type(caught.value) is Stale


async def test_a_claim_raises_the_fence_and_sets_the_lease(store: Store, clock: StoppedClock) -> None:
    row = await store.write(claim(values={"stage": "elaborate"}))
    assert (row["status"], row["fence"], row["lease_until"], row["stage"]) == ("running", 1, 1030.0, "elaborate")
    with pytest.raises(Stale) as caught:
        await store.write(claim())
    assert caught.value.found == "running"
    clock.now += 5
    row = await store.write(lambda tx: tx.renew(jobs, KEY, fence=1, lease_seconds=30))
    assert (row["lease_until"], row["updated_at"]) == (1035.0, 1000.0)


async def test_a_lease_keeps_others_out_until_it_has_run_out(store: Store, clock: StoppedClock) -> None:
    await store.write(claim())
    again = claim(from_={"queued", "running"})
    clock.now += 17.5
    with pytest.raises(Leased) as caught:
        await store.write(again)
    assert (caught.value.code, caught.value.message) == (
        "leased",
        "Somebody works on job j1, and the lease runs for another 12.5 s. "
        "Wait until that work is done or its lease is over.",
    )
    clock.now += 12.5
    assert (await store.write(again))["fence"] == 2


async def test_a_lease_without_end(store: Store, clock: StoppedClock) -> None:
    await store.write(claim(lease_seconds=None))
    clock.now += 1e9
    with pytest.raises(Leased) as caught:
        await store.write(claim(from_={"running"}))
    assert caught.value.message == (
        "Somebody works on job j1, and the lease has no end. Wait until that work is done or its lease is over."
    )


async def test_a_restarted_lab_takes_over_a_lease_that_runs(store: Store) -> None:
    await store.write(claim())
    assert (await store.write(claim(from_={"running"}, take_over=True)))["fence"] == 2


async def test_a_job_that_is_queued_again_can_be_claimed_at_once(store: Store) -> None:
    fence = (await store.write(claim()))["fence"]
    await store.write(lambda tx: tx.transition(jobs, KEY, from_={"running"}, to="queued", fence=fence))
    assert (await store.write(claim()))["fence"] == 2


async def test_who_slept_through_a_take_over_writes_nothing(store: Store, clock: StoppedClock) -> None:
    old = (await store.write(claim()))["fence"]
    clock.now += 31
    new = (await store.write(claim(from_={"running"})))["fence"]

    def finish(fence: int) -> object:
        return lambda tx: tx.transition(jobs, KEY, from_={"running"}, to="complete", fence=fence)["status"]

    def log(fence: int) -> object:
        def work(tx: Transaction) -> None:
            tx.event("log", job_id="j1")
            tx.fenced(jobs, KEY, fence)

        return work

    sentence = (
        "Fence token 1 of job j1 is no longer valid (it is 2 now): somebody else has taken it over. "
        "Drop this piece of work; nothing of it was stored."
    )
    for work in (finish(old), log(old), lambda tx: tx.renew(jobs, KEY, fence=old, lease_seconds=9)):
        with pytest.raises(StaleFence) as caught:
            await store.write(work)
        assert (caught.value.code, caught.value.message) == ("stale_fence", sentence)
    await store.write(log(new))
    assert await store.write(finish(new)) == "complete"
    assert [event.kind for event in await store.events.since(0)] == ["queued", "log"]


async def test_what_is_not_there_is_not_found(store: Store) -> None:
    nobody = {"job_id": "j9"}
    sentence = "There is no job j9. Ask for the list and take one that is there."
    for work in (
        lambda tx: tx.claim(jobs, nobody, from_={"queued"}, to="running"),
        lambda tx: tx.renew(jobs, nobody, fence=1, lease_seconds=9),
        lambda tx: tx.fenced(jobs, nobody, 1),
        lambda tx: tx.transition(jobs, nobody, from_={"queued"}, to="running", fence=1),
    ):
        with pytest.raises(NotFound) as caught:
            await store.write(work)
        assert caught.value.message == sentence
