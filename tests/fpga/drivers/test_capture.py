"""Captures of a simulated board: any signal, around a trigger, exactly as the trace of the same time has it."""

import asyncio
import itertools
from pathlib import Path

import pytest

from jupyter_fpga.fpga.drivers import Bench, Captured, CapturePlan, DriverError, Record, SimulatedDriver, Term
from jupyter_fpga.gateware.targets import SIMULATED

from .test_bench import LEDS, put
from .test_wire import OnWire


@pytest.fixture
def bench(driver: SimulatedDriver, board: Record) -> Bench:
    return driver.bench(board)


async def numbers(bench: Bench, *paths: str) -> tuple[int, ...]:
    known = [signal.path for signal in await bench.signals()]
    return tuple(known.index(path) for path in paths)


async def capturing(bench: Bench, plan: CapturePlan) -> asyncio.Task[Captured]:
    """A capture that has begun."""
    begun = asyncio.Event()
    task = asyncio.ensure_future(bench.capture(plan, on_begun=begun.set))
    await begun.wait()
    return task


def never(counter: int) -> Term:
    """What the counter has only after six minutes."""
    return Term(counter, "value", 0xFFFF_FFFF, 0xFFFF_FFF0)


def values(captured: Captured, index: int = 0) -> list[int]:
    """The signal's value at every sample."""
    changes = dict(captured.changes[index])
    found: list[int] = []
    for number in range(captured.samples):
        found.append(changes[number] if number in changes else found[-1])
    return found


async def test_all_signals_are_listed(bench: Bench) -> None:
    signals = {signal.path: signal.width for signal in await bench.signals()}
    assert signals["counter"] == 32
    assert signals["soc.ctrl_scratch_storage"] == 32


async def test_at_once(bench: Bench) -> None:
    captured = await bench.capture(CapturePlan(await numbers(bench, "counter"), (), 100))
    assert (captured.samples, captured.trigger, captured.ended) == (100, 0, "complete")
    counts = values(captured)
    assert counts == list(range(counts[0], counts[0] + 100))


async def test_around_a_value(bench: Bench) -> None:
    (counter,) = await numbers(bench, "counter")
    plan = CapturePlan((counter,), ((Term(counter, "value", 0xFFF, 0x123),),), 64, pre=16)
    captured = await bench.capture(plan)
    counts = values(captured)
    assert (captured.samples, captured.trigger) == (64, 16)
    assert counts[16] & 0xFFF == 0x123
    assert counts == list(range(counts[0], counts[0] + 64))


async def test_a_sequence(bench: Bench) -> None:
    (counter,) = await numbers(bench, "counter")
    steps = ((Term(counter, "rise", 0x100),), (Term(counter, "fall", 0x80),), (Term(counter, "change", 0x10),))
    captured = await bench.capture(CapturePlan((counter,), steps, 32, pre=8))
    counts = values(captured)
    # Bit 8 rises at …100, bit 7 falls next at …200, bit 4 changes next at …210.
    assert counts[8] & 0x1FF == 0x010
    assert counts[7] & 0x1FF == 0x00F


async def test_terms_of_a_step_are_met_in_one_cycle(bench: Bench) -> None:
    (counter,) = await numbers(bench, "counter")
    step = (Term(counter, "rise", 0x10), Term(counter, "value", 0x3C0, 0x140))
    captured = await bench.capture(CapturePlan((counter,), (step,), 32, pre=4))
    counts = values(captured)
    assert [count & 0x3FF for count in counts[3:5]] == [0x14F, 0x150]


async def test_every_so_many_cycles(bench: Bench) -> None:
    (counter,) = await numbers(bench, "counter")
    plan = CapturePlan((counter,), ((Term(counter, "value", 0xFF, 0x55),),), 32, pre=8, every=7)
    captured = await bench.capture(plan)
    counts = values(captured)
    assert [b - a for a, b in itertools.pairwise(counts)] == [7] * 31
    # The first sample at or after the trigger.
    assert captured.trigger == 8
    assert 0 <= (counts[8] - 0x55) % 256 < 7


async def test_a_signal_of_the_soc(bench: Bench, on_wire: OnWire) -> None:
    scratch, cycles = await numbers(bench, "soc.ctrl_scratch_storage", "soc.ctrl_cycles")
    plan = CapturePlan((scratch, cycles), ((Term(scratch, "value", 0xFFFF_FFFF, 0x600D_CAFE),),), 16, pre=8)
    task = await capturing(bench, plan)
    await on_wire(lambda comm: put(comm, SIMULATED.control.scratch, 0x600D_CAFE))
    captured = await task
    assert values(captured)[7:9] == [0x1234_5678, 0x600D_CAFE]
    first = values(captured, 1)
    assert first == list(range(first[0], first[0] + 16))


async def test_stopped_while_it_waits(bench: Bench) -> None:
    (counter,) = await numbers(bench, "counter")
    task = await capturing(bench, CapturePlan((counter,), ((never(counter),),), 50, pre=10))
    await bench.run(10_000)
    await bench.capture_stop()
    captured = await task
    # The newest samples, as many as there would have been.
    assert (captured.samples, captured.trigger, captured.ended) == (50, None, "stopped")
    counts = values(captured)
    assert counts == list(range(counts[0], counts[0] + 50))


async def test_without_power(bench: Bench) -> None:
    (counter,) = await numbers(bench, "counter")
    task = await capturing(bench, CapturePlan((counter,), ((never(counter),),), 50))
    await bench.run(1000)
    await bench.power(False)
    assert (await task).ended == "power"
    with pytest.raises(DriverError) as refused:
        await bench.capture(CapturePlan((counter,), (), 50))
    assert refused.value.message == "The board's bench refused: The board is off."


async def test_who_asked_is_gone(bench: Bench) -> None:
    (counter,) = await numbers(bench, "counter")
    plan = CapturePlan((counter,), ((never(counter),),), 50)
    task = await capturing(bench, plan)
    await bench.run(1000)
    task.cancel()
    await asyncio.wait({task})
    # Board time stands still again, and another capture can be taken.
    await bench.idle()
    assert (await bench.capture(CapturePlan((counter,), (), 50))).samples == 50


async def test_bounded(bench: Bench, tmp_path: Path) -> None:
    (counter,) = await numbers(bench, "counter")
    captured = await bench.capture(CapturePlan((counter,), (), 10_000), limit_bytes=4096)
    assert captured.ended == "limit"
    assert 100 < captured.samples < 1000
    for plan, sentence in (
        (CapturePlan((counter,), (), 1 << 24), "So many samples of so many signals don't fit."),
        (
            CapturePlan((counter,), (), 4, pre=4),
            "A capture takes signals, a trigger, depth, pre below depth, every, and limit in bytes.",
        ),
    ):
        with pytest.raises(DriverError) as refused:
            await bench.capture(plan)
        assert refused.value.message == f"The board's bench refused: {sentence}"
    task = await capturing(bench, CapturePlan((counter,), ((never(counter),),), 50))
    await bench.run(1000)
    for ask, sentence in (
        (bench.capture(CapturePlan((counter,), (), 4)), "A capture is being taken already."),
        (bench.trace_start(tmp_path / "trace.vcd"), "A capture is being taken."),
    ):
        with pytest.raises(DriverError) as refused:
            await ask
        assert refused.value.message == f"The board's bench refused: {sentence}"
    await bench.capture_stop()
    await task


async def test_the_console_goes_on(bench: Bench, on_wire: OnWire) -> None:
    """A capture that waits for what the bus does is met by it."""
    (leds,) = await numbers(bench, "led_register")
    task = await capturing(bench, CapturePlan((leds,), ((Term(leds, "rise", 0x80),),), 20, pre=5))
    await on_wire(lambda comm: put(comm, LEDS, 0x80))
    assert values(await task)[4:6] == [0, 0x80]
