"""One commit for what waits together: what a failure takes with it, and what it leaves alone."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, event, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from jupyter_fpga.store import Store, StoreClosed, StoreFailed, Transaction
from jupyter_fpga.store.tables import boards, counters, events
from jupyter_fpga.store.writer import GROUP


class Gate:
    """A work that holds the writer inside its transaction until it is let go."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._inside = asyncio.Event()
        self._release = threading.Event()

    def __call__(self, tx: Transaction) -> int:
        lsn = tx.event("gate")
        self._loop.call_soon_threadsafe(self._inside.set)
        assert self._release.wait(30)
        return lsn

    async def closed(self, store: Store) -> "asyncio.Task[int]":
        """Start, and wait until the writer is held."""
        task = asyncio.create_task(store.write(self))
        await self._inside.wait()
        return task

    def open(self) -> None:
        self._release.set()


@pytest.fixture
def commits() -> Iterator[list[str]]:
    """Grows by one with each COMMIT of a writer."""
    seen: list[str] = []

    def count(connection: object) -> None:
        if threading.current_thread().name == "jupyter_fpga store writer":
            seen.append("commit")

    event.listen(Engine, "commit", count)
    yield seen
    event.remove(Engine, "commit", count)


async def test_what_waits_is_committed_together_in_bounded_groups(store: Store, commits: list[str]) -> None:
    gate = Gate()
    first = await gate.closed(store)
    commits.clear()
    number = 2 * GROUP + 7
    waiting = [asyncio.create_task(store.write(lambda tx: tx.event("one"))) for _ in range(number)]
    await asyncio.sleep(0)  # each task has put its work into the queue
    gate.open()
    lsns = await asyncio.gather(first, *waiting)
    assert lsns == list(range(1, number + 2))
    # The gate's own, two full groups, and the rest.
    assert len(commits) == 4


async def test_nothing_is_seen_before_the_commit(store: Store) -> None:
    gate = Gate()
    follower = store.events.subscribe()
    first = await gate.closed(store)
    assert store.events.latest == 0
    assert await store.events.since(0) == []
    assert (
        await store.read(lambda connection: connection.execute(select(func.count()).select_from(events)).scalar()) == 0
    )
    gate.open()
    assert (await anext(follower)).kind == "gate"
    assert await first == store.events.latest == 1


async def test_a_failing_work_takes_nobody_with_it(store: Store) -> None:
    gate = Gate()
    first = await gate.closed(store)

    def fails_late(tx: Transaction) -> None:
        tx.event("lost")
        tx.execute(insert(counters), {"name": "lost", "value": 1})
        raise ZeroDivisionError

    def breaks_a_constraint(tx: Transaction) -> None:
        tx.event("lost")
        tx.execute(insert(counters), {"name": "lsn", "value": 1})

    def stops(tx: Transaction) -> None:
        tx.event("lost")
        next(iter(()))

    works = [lambda tx: tx.event("kept"), fails_late, breaks_a_constraint, stops, lambda tx: tx.event("kept")]
    waiting = [asyncio.create_task(store.write(work)) for work in works]
    await asyncio.sleep(0)
    gate.open()
    results = await asyncio.gather(first, *waiting, return_exceptions=True)
    assert [result if isinstance(result, int) else type(result).__name__ for result in results] == [
        1,
        2,
        "ZeroDivisionError",
        "IntegrityError",
        "RuntimeError",
        3,
    ]
    assert [event.kind for event in await store.events.since(0)] == ["gate", "kept", "kept"]
    names = await store.read(lambda connection: connection.execute(select(counters.c.name)).scalars().all())
    assert sorted(names) == ["lsn", "queue"]


def break_the_commit(tx: Transaction) -> None:
    """Succeed, and let the COMMIT fail: a foreign key that is looked at only then."""
    tx.event("lost")
    tx.execute(text("CREATE TABLE parent (id INTEGER PRIMARY KEY)"))
    tx.execute(text("CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)"))
    tx.execute(text("INSERT INTO child (id) VALUES (1)"))


async def test_a_failing_commit_fails_its_whole_group_and_nothing_else(store: Store) -> None:
    await store.write(lambda tx: tx.event("before"))
    follower = store.events.subscribe(0)
    gate = Gate()
    waiting = [await gate.closed(store)]
    for work in (lambda tx: tx.event("lost"), break_the_commit, lambda tx: tx.event("lost")):
        waiting.append(asyncio.create_task(store.write(work)))
    await asyncio.sleep(0)
    gate.open()
    assert await waiting[0] == 2
    for task in waiting[1:]:
        with pytest.raises(StoreFailed) as caught:
            await task
        assert caught.value.code == "store_failed"
        assert isinstance(caught.value.__cause__, IntegrityError)
    assert await store.write(lambda tx: tx.event("after")) == 3
    assert [(await anext(follower)).kind for _ in range(3)] == ["before", "gate", "after"]
    assert await store.read(lambda connection: connection.execute(select(func.max(events.c.lsn))).scalar()) == 3


async def test_the_log_holds_what_was_committed_though_nobody_was_told(store: Store) -> None:
    """The outcome of a commit can be unknown (the answer of a lost server): then the database is asked."""

    def commits_and_fails(tx: Transaction) -> None:
        tx.event("unknown")
        tx.connection.commit()

    follower = store.events.subscribe()
    with pytest.raises(StoreFailed):
        await store.write(commits_and_fails)
    assert await store.write(lambda tx: tx.event("after")) == 2
    assert [(await anext(follower)).kind for _ in range(2)] == ["unknown", "after"]


async def test_the_sentence_of_a_failed_commit(sqlite_url: str) -> None:
    store = await Store.open(sqlite_url)
    with pytest.raises(StoreFailed) as caught:
        await store.write(break_the_commit)
    assert caught.value.message == (
        "The lab's database failed (FOREIGN KEY constraint failed), so this change may not have been stored. "
        "Put that right, look again, and repeat what is missing."
    )
    await store.close()


async def test_a_full_disk(sqlite_url: str) -> None:
    store = await Store.open(sqlite_url)
    pages = await store.write(lambda tx: tx.execute(text("PRAGMA page_count")).scalar())
    await store.write(lambda tx: tx.execute(text(f"PRAGMA max_page_count = {pages}")).scalar())
    with pytest.raises(StoreFailed) as caught:
        await store.write(lambda tx: tx.event("big", text="x" * 1_000_000))
    assert caught.value.message == (
        "The lab's database failed (database or disk is full), so this change may not have been stored. "
        "Put that right, look again, and repeat what is missing."
    )
    # Somebody makes room: the same store goes on, without a gap.
    await store.write(lambda tx: tx.execute(text("PRAGMA max_page_count = 1000000")).scalar())
    assert await store.write(lambda tx: tx.event("big", text="x" * 1_000_000)) == 1
    await store.close()


async def test_a_cancelled_work_that_has_not_begun_is_dropped(store: Store) -> None:
    gate = Gate()
    first = await gate.closed(store)
    dropped = asyncio.create_task(store.write(lambda tx: tx.event("dropped")))
    kept = asyncio.create_task(store.write(lambda tx: tx.event("kept")))
    await asyncio.sleep(0)
    dropped.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dropped
    gate.open()
    assert (await first, await kept) == (1, 2)
    assert [event.kind for event in await store.events.since(0)] == ["gate", "kept"]


async def test_a_cancelled_work_that_has_begun_is_done(store: Store) -> None:
    gate = Gate()
    first = await gate.closed(store)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    gate.open()
    assert await store.write(lambda tx: tx.event("next")) == 2
    assert [event.kind for event in await store.events.since(0)] == ["gate", "next"]


async def test_closing_finishes_what_waits_and_refuses_the_rest(url: str) -> None:
    store = await Store.open(url)
    gate = Gate()
    first = await gate.closed(store)
    waiting = asyncio.create_task(store.write(lambda tx: tx.event("waiting")))
    await asyncio.sleep(0)
    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    sentence = "The lab is shutting down and takes nothing new. Try again when it runs again."
    with pytest.raises(StoreClosed) as caught:
        await store.write(lambda tx: tx.event("late"))
    assert caught.value.message == sentence
    gate.open()
    await closing
    assert (await first, await waiting) == (1, 2)
    with pytest.raises(StoreClosed) as caught:
        await store.read(lambda connection: connection.execute(select(boards)).all())
    assert caught.value.message == sentence
    await store.close()  # twice is no harm
    store = await Store.open(url)
    assert [event.kind for event in await store.events.since(0)] == ["gate", "waiting"]
    await store.close()


async def test_a_transaction_ends_with_its_function(store: Store) -> None:
    kept = await store.write(lambda tx: tx)
    with pytest.raises(RuntimeError, match=r"^A transaction ends with the function that it was given to\.$"):
        kept.event("late")


async def test_rows_are_fetched_inside(store: Store) -> None:
    with pytest.raises(TypeError, match=r"^Rows are fetched inside the work: return "):
        await store.write(lambda tx: tx.execute(select(boards)))
    with pytest.raises(TypeError, match=r"^Rows are fetched inside the query: return "):
        await store.read(lambda connection: connection.execute(select(boards)))


async def test_a_read_is_a_snapshot_and_keeps_nobody_waiting(store: Store) -> None:
    loop, started, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    count = select(func.count()).select_from(events)

    def slow(connection: object) -> tuple[int, int]:
        before = connection.execute(count).scalar()
        loop.call_soon_threadsafe(started.set)
        assert go_on.wait(30)
        return before, connection.execute(count).scalar()

    await store.write(lambda tx: tx.event("one"))
    reading = asyncio.create_task(store.read(slow))
    await started.wait()
    await store.write(lambda tx: tx.event("two"))
    assert await store.read(lambda connection: connection.execute(count).scalar()) == 2
    go_on.set()
    assert await reading == (1, 1)


async def test_a_read_writes_nothing(store: Store) -> None:
    with pytest.raises(Exception, match=r"readonly database|read-only transaction"):
        await store.read(lambda connection: connection.execute(insert(counters), {"name": "x", "value": 1}))
    names = await store.read(lambda connection: connection.execute(select(counters.c.name)).scalars().all())
    assert sorted(names) == ["lsn", "queue"]


async def test_the_sentence_of_a_failed_read(sqlite_url: str) -> None:
    store = await Store.open(sqlite_url)
    with pytest.raises(StoreFailed) as caught:
        await store.read(lambda connection: connection.execute(text("SELECT * FROM nowhere")).all())
    assert caught.value.message == (
        "The lab's database failed (no such table: nowhere), so nothing could be read. "
        "Put that right, and repeat the request."
    )
    await store.close()
