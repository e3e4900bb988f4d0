"""Following the event log: no gap, no double, wherever one comes in."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from jupyter_fpga.store import Event, LsnInFuture, Store, Transaction
from jupyter_fpga.store.events import REMEMBERED


def burst(number: int, kind: str = "burst") -> object:
    """A work that appends that many events."""

    def work(tx: Transaction) -> int:
        return [tx.event(kind, number=i) for i in range(number)][-1]

    return work


async def take(events: AsyncIterator[Event], number: int) -> list[int]:
    """The LSNs of the next events."""
    return [(await anext(events)).lsn for _ in range(number)]


async def test_a_follower_wakes_after_each_commit(store: Store) -> None:
    follower = store.events.subscribe()
    for lsn in range(1, 4):
        next_event = asyncio.ensure_future(anext(follower))
        await asyncio.sleep(0)  # it waits
        assert not next_event.done()
        await store.write(burst(1))
        assert (await next_event).lsn == lsn


async def test_now_is_when_subscribe_is_called(store: Store) -> None:
    await store.write(burst(2))
    follower = store.events.subscribe()
    await store.write(burst(2))
    assert await take(follower, 2) == [3, 4]


async def test_old_events_come_from_the_database_new_ones_from_memory(url: str) -> None:
    store = await Store.open(url)
    number = REMEMBERED + 500
    assert await store.write(burst(number)) == number
    # The first five hundred are forgotten by memory; this reader starts there and ends in it.
    assert await take(store.events.subscribe(0), number) == list(range(1, number + 1))
    assert [event.lsn for event in await store.events.since(490, limit=20)] == list(range(491, 511))
    assert [event.lsn for event in await store.events.since(number - 3)] == [number - 2, number - 1, number]
    in_memory = await store.events.since(number - 5)
    await store.close()
    store = await Store.open(url)
    assert store.events.latest == number
    assert await store.events.since(number - 5) == in_memory
    follower = store.events.subscribe(number - 1)
    await store.write(burst(1))
    assert await take(follower, 2) == [number, number + 1]
    await store.close()


async def test_a_reader_that_reconnects_misses_nothing_and_sees_nothing_twice(store: Store) -> None:
    """Readers who come and go at random, while writers write and some of them fail."""
    chance = random.Random(20)
    total = 0

    def fails(tx: Transaction) -> None:
        tx.event("lost")
        raise ZeroDivisionError

    async def write(sizes: list[int]) -> None:
        nonlocal total
        for size in sizes:
            if size == 0:
                with pytest.raises(ZeroDivisionError):
                    await store.write(fails)
            else:
                await store.write(burst(size, "kept"))
                total += size

    async def read(stops: random.Random) -> list[Event]:
        seen: list[Event] = []
        while True:
            for_now = stops.randint(1, 60)
            async for event in store.events.subscribe(seen[-1].lsn if seen else 0):
                if event.kind == "end":
                    return seen
                seen.append(event)
                if (for_now := for_now - 1) == 0:
                    break

    readers = [asyncio.create_task(read(random.Random(seed))) for seed in range(5)]
    await asyncio.gather(*(write([chance.randint(0, 5) for _ in range(30)]) for _ in range(10)))
    await store.write(burst(1, "end"))
    for seen in await asyncio.gather(*readers):
        assert [event.lsn for event in seen] == list(range(1, total + 1))
        assert {event.kind for event in seen} == {"kept"}


async def test_closing_ends_the_subscriptions(url: str) -> None:
    store = await Store.open(url)
    await store.write(burst(2))

    async def follow() -> list[int]:
        return [event.lsn async for event in store.events.subscribe(0)]

    waiting = asyncio.create_task(follow())
    reached = asyncio.create_task(take(store.events.subscribe(), 1))
    await store.write(burst(1))
    await reached
    await store.close()
    assert await waiting == [1, 2, 3]


async def test_an_lsn_of_another_log_is_refused(store: Store) -> None:
    await store.write(burst(2))
    sentence = (
        "The event log ends at LSN 2, and events after 40 were asked for: that number is from another log. "
        "Read the state anew and follow the log from its end."
    )
    with pytest.raises(LsnInFuture) as caught:
        store.events.subscribe(40)
    assert (caught.value.message, caught.value.code) == (sentence, "lsn_in_future")
    with pytest.raises(LsnInFuture) as caught:
        await store.events.since(40)
    assert caught.value.message == sentence


@pytest.mark.parametrize("data", [{"x": object()}, {"x": float("nan")}])
async def test_what_is_no_json_is_refused_and_takes_no_lsn(store: Store, data: dict[str, object]) -> None:
    with pytest.raises((TypeError, ValueError)):
        await store.write(lambda tx: tx.event("bad", **data))
    assert await store.write(burst(1)) == 1
