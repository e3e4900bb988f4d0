"""Writing, reading and the log, in the plain cases."""

import pytest
from sqlalchemy import insert, select

from jupyter_fpga.errors import NotFound
from jupyter_fpga.store import Event, Stale, StaleFence, Store, Transaction
from jupyter_fpga.store.tables import boards, counters, events


def add_board(tx: Transaction, fpga_id: int = 3, state: str = "idle") -> None:
    row = {"fpga_id": fpga_id, "target": "simulated", "tags": [], "driver": "simulated", "state": state}
    tx.execute(insert(boards), {**row, "health": "ok", "updated_at": tx.now})


async def test_a_written_row_is_read_back(store: Store) -> None:
    await store.write(add_board)
    row = await store.read(lambda connection: connection.execute(select(boards)).mappings().one())
    assert (row["fpga_id"], row["tags"], row["process"], row["fence"]) == (3, [], None, 0)


async def test_events_are_numbered_and_read_back(store: Store) -> None:
    def work(tx: Transaction) -> tuple[int, int, float]:
        return tx.event("first", fpga_id=3, public=True, pair=(1, 2)), tx.event("second", owner="ann"), tx.now

    first, second, now = await store.write(work)
    assert (first, second, store.events.latest) == (1, 2, 2)
    expected = [
        Event(1, now, "first", fpga_id=3, public=True, data={"pair": [1, 2]}),
        Event(2, now, "second", owner="ann"),
    ]
    assert await store.events.since(0) == expected
    rows = await store.read(lambda connection: connection.execute(select(events)).mappings().all())
    assert [Event(**row) for row in rows] == expected
    assert await store.events.since(1) == expected[1:]
    assert await store.events.since(0, limit=1) == expected[:1]
    assert await store.events.since(2) == []


async def test_a_failed_work_gives_its_lsns_back(store: Store) -> None:
    def fails(tx: Transaction) -> None:
        tx.event("lost")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.write(fails)
    assert await store.write(lambda tx: tx.event("kept")) == 1
    assert [event.kind for event in await store.events.since(0)] == ["kept"]
    assert (
        await store.read(
            lambda connection: connection.execute(select(counters.c.value).where(counters.c.name == "lsn")).scalar()
        )
        == 1
    )


async def test_a_transition_moves_a_row_once(store: Store) -> None:
    await store.write(add_board)

    def move(tx: Transaction) -> dict[str, object]:
        return dict(tx.transition(boards, {"fpga_id": 3}, from_={"idle"}, to="queued", values={"owner": "ann"}))

    row = await store.write(move)
    assert (row["state"], row["owner"]) == ("queued", "ann")
    with pytest.raises(Stale) as caught:
        await store.write(move)
    assert caught.value.message == (
        "The state of board 3 is 'queued', and this step needs 'idle'. Look at it again before you repeat the request."
    )
    assert caught.value.found == "queued"


async def test_a_missing_row_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound) as caught:
        await store.write(lambda tx: tx.transition(boards, {"fpga_id": 9}, from_={"idle"}, to="queued"))
    assert caught.value.message == "There is no board 9. Ask for the list and take one that is there."


async def test_an_older_fence_is_refused(store: Store) -> None:
    await store.write(add_board)
    first = await store.write(lambda tx: tx.claim(boards, {"fpga_id": 3}, from_={"idle"}, to="programming")["fence"])
    again = await store.write(
        lambda tx: tx.claim(boards, {"fpga_id": 3}, from_={"programming"}, to="programming")["fence"]
    )
    assert (first, again) == (1, 2)
    with pytest.raises(StaleFence) as caught:
        await store.write(
            lambda tx: tx.transition(boards, {"fpga_id": 3}, from_={"programming"}, to="reserved", fence=first)
        )
    assert caught.value.message == (
        "Fence token 1 of board 3 is no longer valid (it is 2 now): somebody else has taken it over. "
        "Drop this piece of work; nothing of it was stored."
    )
