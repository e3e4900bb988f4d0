"""Turns on the wire."""

import asyncio

from jupyter_fpga.fpga.wishbone import Operation
from jupyter_fpga.fpga.wishbone.schedule import Chunk, Run, Schedule, User


def add(schedule: Schedule, user: User, operations: list[Operation]) -> Run:
    run = Run(user, operations, asyncio.get_running_loop().create_future())
    schedule.add(run)
    return run


def take(schedule: Schedule) -> Chunk | None:
    chunk = schedule.current()
    if chunk is not None:
        schedule.taken()
    return chunk


def take_all(schedule: Schedule) -> list[Chunk]:
    chunks = []
    while (chunk := take(schedule)) is not None:
        chunks.append(chunk)
    return chunks


async def test_operations_are_cut_into_commands():
    schedule = Schedule(read_words=4, write_words=3)
    user = User("a")
    add(schedule, user, [Operation.read(0, 9), Operation.write(0x100, range(4)), Operation.read(8, 5, fixed=True)])
    assert [(c.index, c.address, c.count, c.words, c.last) for c in take_all(schedule)] == [
        (0, 0, 4, None, False),
        (0, 16, 4, None, False),
        (0, 32, 1, None, True),
        (1, 0x100, 3, (0, 1, 2), False),
        (1, 0x10C, 1, (3,), True),
        (2, 8, 4, None, False),
        (2, 8, 1, None, True),
    ]


async def test_a_single_read_waits_no_longer_than_a_turn():
    schedule = Schedule(read_words=64, write_words=64)
    many = add(schedule, User("a"), [Operation.read(4 * n) for n in range(1000)])
    for _ in range(100):
        take(schedule)
    one = add(schedule, User("b"), [Operation.read(0)])
    before = 0
    while take(schedule).run is not one:
        before += 1
    # 256 bytes of requests and answers, 10 bytes each.
    assert before <= 26
    assert take(schedule).run is many


async def test_users_have_equal_shares_whatever_they_ask_for():
    schedule = Schedule(read_words=64, write_words=64)
    users = [User(name) for name in "abc"]
    add(schedule, users[0], [Operation.read(0) for _ in range(5000)])
    add(schedule, users[1], [Operation.read(0, 5000)])
    for _ in range(5000):
        add(schedule, users[2], [Operation.write(0, [1])])
    used = dict.fromkeys(users, 0)
    for _ in range(1500):
        chunk = take(schedule)
        used[chunk.run.user] += 6 + 4 * chunk.count
    assert min(used.values()) > 0
    assert max(used.values()) - min(used.values()) <= 2 * (256 + 262)


async def test_runs_of_one_user_stay_in_order():
    schedule = Schedule(read_words=64, write_words=64)
    user = User("a")
    runs = [add(schedule, user, [Operation.read(0)] * 3) for _ in range(5)]
    assert [c.run for c in take_all(schedule)] == [run for run in runs for _ in range(3)]


async def test_what_nobody_waits_for_is_not_sent():
    schedule = Schedule(read_words=64, write_words=64)
    user = User("a")
    first, second = (add(schedule, user, [Operation.read(0)] * 3) for _ in range(2))
    assert take(schedule).run is first
    assert schedule.current().run is first
    first.done.cancel()
    assert schedule.current().run is second
    second.done.cancel()
    assert schedule.current() is None


async def test_a_masked_write_is_sent_once_its_other_bits_are_known():
    schedule = Schedule(read_words=64, write_words=64)
    waiting, other = User("a"), User("b")
    run = add(schedule, waiting, [Operation.modify(0, [0x20, 0x3], [0xF0, 0xF]), Operation.read(0)])
    asked = take(schedule)
    assert (asked.words, asked.count, asked.last) == (None, 2, False)
    assert schedule.current() is None
    # Others aren't held up.
    second = add(schedule, other, [Operation.read(4)])
    assert take(schedule).run is second
    assert schedule.current() is None
    asked.values = (0x1111, 0x2222)
    run.settle(asked)
    written = take(schedule)
    assert (written.words, written.last) == ((0x1121, 0x2223), True)
    assert take(schedule).index == 1
    run.settle(written)
    assert run.results == [[]]
