"""Any mix of operations, users, FIFO depths and arrivals gives what one operation after the other would give."""

import asyncio
import random
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_fpga.fpga.wishbone import BusError, Operation, OutcomeUnknown
from jupyter_fpga.fpga.wishbone.pipeline import MIN_FIFO_DEPTH, OutOfStep, Pipeline, nonces
from jupyter_fpga.fpga.wishbone.schedule import Run, Schedule, User

from .uartbone import CONTROL, COUNTER, UNMAPPED, WINDOW_BASE, Addresses, Bridge, Bus

WORD = st.integers(0, 0xFFFF_FFFF)
OFFSET = st.integers(0, 31).map(lambda n: WINDOW_BASE + 4 * n)
READS = st.builds(Operation.read, OFFSET, st.integers(1, 200), fixed=st.booleans())
WRITES = st.builds(Operation.write, OFFSET, st.lists(WORD, min_size=1, max_size=150), fixed=st.booleans())
MASKED = st.builds(
    lambda address, pairs: Operation.modify(address, *zip(*pairs, strict=True)),
    OFFSET,
    st.lists(st.tuples(WORD, WORD), min_size=1, max_size=80),
)
SCRATCH = st.one_of(
    st.just(Operation.read(CONTROL.scratch)),
    st.builds(lambda word: Operation.write(CONTROL.scratch, [word]), WORD),
)
COUNT = st.just(Operation.read(COUNTER))
RIGHT = st.one_of(COUNT, READS, WRITES, MASKED, SCRATCH)


class Line:
    """A pipeline, a schedule and a board, without a wire: what is sent arrives, and answers come in pieces."""

    def __init__(
        self, *, depth: int = 1024, baud: int = 1_000_000, seed: int = 0, control: Addresses = CONTROL
    ) -> None:
        self.random = random.Random(seed)
        self.bus = Bus()
        self.bridge = Bridge(self.bus, fifo_depth=depth, baud=baud)
        self.schedule = Schedule(read_words=100, write_words=(depth // 4 - 6) // 4)
        self.pipeline = Pipeline(fifo_depth=depth, control=control, nonce=nonces(self.random))
        self.bus.scratch = 0x0102_0304
        self.pipeline.reset(nonce=0x0102_0304, bus_errors=0)
        self.now = 0.0
        self.back = bytearray()

    def add(self, user: User, operations: list[Operation], on_done=None) -> Run:
        run = Run(user, operations, asyncio.get_running_loop().create_future(), on_done)
        self.schedule.add(run)
        return run

    def step(self) -> bool:
        """Send what may be sent, take some of what came; false when nothing moves any more."""
        out = self.pipeline.fill(self.schedule)
        for at, byte in self.bridge.feed(out, self.now):
            self.back.append(byte)
            self.now = at
        taken = self.random.randint(1, max(1, len(self.back)))
        piece = bytes(self.back[:taken])
        del self.back[:taken]
        self.pipeline.receive(piece)
        return bool(out or piece)

    def finish(self) -> None:
        while self.step():
            pass


def one_by_one(bus: Bus, operations: list[Operation]) -> list[list[int]]:
    """What the operations give when nothing is in flight."""
    results = []
    for operation in operations:
        words = []
        for n in range(operation.count):
            address = operation.address + (0 if operation.fixed else 4 * n)
            if operation.words is None:
                words.append(bus.access(address, None))
                continue
            word = operation.words[n]
            if operation.mask is not None:
                word = bus.access(address, None) & ~operation.mask[n] | word & operation.mask[n]
            bus.access(address, word)
        results.append(words)
    return results


@given(
    operations=st.lists(RIGHT, max_size=30),
    depth=st.sampled_from([MIN_FIFO_DEPTH, 256, 1024, 2048]),
    baud=st.sampled_from([115_200, 1_000_000, 3_000_000]),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=150)
async def test_pipelined_is_as_one_by_one(operations, depth, baud, seed):
    line = Line(depth=depth, baud=baud, seed=seed)
    known = []
    run = line.add(User("a"), operations, lambda index, words: known.append((index, words)))
    if operations:
        line.finish()
        assert run.done.result() == one_by_one(Bus(), operations)
        assert known == list(enumerate(run.results))
    assert not line.bus.overflow
    assert line.bridge.most_in_fifo <= depth
    assert not line.pipeline.waiting


@given(
    batches=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 12)), min_size=1, max_size=20),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=80)
async def test_users_get_their_own_answers(batches, seed):
    line = Line(seed=seed)
    line.bus.memory[:4] = range(100, 104)
    users = [User(name) for name in "abcd"]
    runs = [
        (who, count, line.add(users[who], [Operation.read(WINDOW_BASE + 4 * who), Operation.read(COUNTER)] * count))
        for who, count in batches
    ]
    line.finish()
    seen = []
    for who, count, run in runs:
        results = run.done.result()
        assert [words for (words,) in results[::2]] == [100 + who] * count
        seen += [words for (words,) in results[1::2]]
    assert sorted(seen) == list(range(1, len(seen) + 1))


@given(
    before=st.lists(RIGHT, max_size=12),
    after=st.lists(RIGHT, max_size=12),
    writes=st.booleans(),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=120)
async def test_a_bus_error_is_that_of_the_operation_that_made_it(before, after, writes, seed):
    line = Line(seed=seed)
    wrong = Operation.write(UNMAPPED + 8, [1]) if writes else Operation.read(UNMAPPED + 8)
    other = line.add(User("b"), [Operation.read(COUNTER)] * 5)
    run = line.add(User("a"), [*before, wrong, *after])
    line.finish()
    error = run.done.exception()
    assert isinstance(error, BusError)
    # A read of 0xffffffff that is right, before or after, may be the one as well, and then that is said.
    if error.certain:
        assert error.index == len(before)
        assert error.address == UNMAPPED + 8
        assert error.operation == wrong
    else:
        assert error.index <= len(before)
    assert error.ran_on.stop <= len(before) + 1 + len(after)
    assert len(other.done.result()) == 5
    # The ones before it gave what they give without it.
    alone = one_by_one(Bus(), [o for o in before[: error.index] if o.address != COUNTER])
    assert [r for o, r in zip(before, error.completed, strict=False) if o.address != COUNTER] == alone


async def test_bus_errors_of_a_burst_are_found_at_its_word():
    line = Line()
    end = WINDOW_BASE + 4 * 1024
    # COUNTER is mapped at the end of the window, and nothing after it.
    run = line.add(User("a"), [Operation.read(end - 4, 4)])
    line.finish()
    error = run.done.exception()
    assert (error.index, error.address, error.certain) == (0, end + 4, True)
    run = line.add(User("a"), [Operation.write(end - 4, [1, 2, 3, 4]), Operation.read(WINDOW_BASE)])
    line.finish()
    error = run.done.exception()
    assert (error.index, error.operation.address, error.ran_on) == (0, end - 4, range(1, 2))


async def test_what_comes_after_a_bus_error_and_was_not_on_the_wire_is_not_sent():
    line = Line()
    run = line.add(User("a"), [Operation.read(UNMAPPED), *[Operation.read(COUNTER)] * 1000])
    line.finish()
    error = run.done.exception()
    assert error.index == 0
    assert error.ran_on == range(1, line.bus.counter + 1)
    assert line.bus.counter < 200


async def test_a_bus_error_that_nobody_here_made_is_nobodys():
    line = Line()
    line.bus.bus_errors = 3
    run = line.add(User("a"), [Operation.read(COUNTER)])
    line.finish()
    assert run.done.result() == [[1]]
    # And a right 0xffffffff next to it is not taken for it any more.
    line.bus.memory[0] = 0xFFFF_FFFF
    run = line.add(User("a"), [Operation.read(WINDOW_BASE)])
    line.finish()
    assert run.done.result() == [[0xFFFF_FFFF]]


async def test_control_registers_may_be_anywhere():
    control = Addresses(bus_errors=CONTROL.cycles)
    line = Line(control=control)
    run = line.add(User("a"), [Operation.read(COUNTER)] * 300)
    line.finish()
    assert run.done.result() == [[n] for n in range(1, 301)]


@given(
    at=st.floats(0, 1, exclude_max=True),
    what=st.sampled_from(["drop", "double", "insert"]),
    seed=st.integers(0, 2**32),
    operations=st.lists(RIGHT, min_size=1, max_size=40),
)
@settings(max_examples=300)
async def test_a_byte_too_few_or_too_many_is_never_taken_for_right(at, what, seed, operations):
    """One fault among the answers: the run ends right, or with only right results known."""

    line = Line(seed=seed)
    run = line.add(User("a"), operations)
    truth = one_by_one(Bus(), operations)
    whole = sum(4 * len(words) for words in truth) + 8
    where = int(at * whole)
    original = line.pipeline.receive
    seen = 0

    def receive(data: bytes) -> None:
        nonlocal seen
        start, seen = seen, seen + len(data)
        if start <= where < seen:
            cut = where - start
            new = {"drop": b"", "double": data[cut : cut + 1] * 2, "insert": data[cut : cut + 1] + b"\x5a"}[what]
            data = data[:cut] + new + data[cut + 1 :]
        original(data)

    line.pipeline.receive = receive
    found = False
    try:
        line.finish()
    except OutOfStep:
        found = True
        for stuck in line.pipeline.unsettled():
            stuck.fail_unknown(OutcomeUnknown, "Why.")
    if run.done.done():
        error = run.done.exception()
        known = run.done.result() if error is None else error.completed
    else:
        # It waits for a byte that will not come, or goes on where it is when the link is in step again.
        known = run.results
        assert found or line.pipeline.waiting
    assert known == truth[: len(known)]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (
            lambda line: setattr(line.bus, "scratch", 0x0909_0909),
            "The board's answers are out of step: 0x01020304 was expected and 0x09090909 came.",
        ),
        (
            lambda line: line.pipeline.reset(nonce=0x0102_0304, bus_errors=5),
            "The board's count of bus errors fell from 5 to 0: it was reset meanwhile.",
        ),
        (
            lambda line: setattr(line.bus, "overflow", 1),
            "The board's receive FIFO overflowed, so bytes of what was sent are lost.",
        ),
        (lambda line: line.back.extend(b"xy"), "The board's answers are out of step"),
    ],
)
async def test_what_is_not_in_step_is_said(spoil, reason):
    line = Line()
    line.add(User("a"), [Operation.read(COUNTER)] * 200)
    spoil(line)
    with pytest.raises(OutOfStep, match=reason):
        line.finish()


@given(operations=st.lists(RIGHT, min_size=1, max_size=60), seed=st.integers(0, 2**32))
@settings(max_examples=100)
async def test_a_fifo_that_is_smaller_than_it_says_gives_no_wrong_results(operations, seed):
    line = Line(seed=seed)
    line.bridge.depth = 24
    run = line.add(User("a"), operations)
    with suppress(OutOfStep):
        line.finish()
    twin = Bus()
    truth = one_by_one(twin, operations)
    assert run.results == truth[: len(run.results)]
    if len(run.results) == len(truth):
        assert line.bus.memory == twin.memory
