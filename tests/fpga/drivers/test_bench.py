"""What stands around a simulated board: LEDs, buttons, power, console, traces, and its sense of time."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.fpga.drivers import DriverError, Record, SimulatedDriver
from jupyter_fpga.gateware.targets import SIMULATED

from .test_wire import BASE, OnWire, exchange, read_frame, write_frame

LEDS, INPUTS = BASE + 4 * 0x101, BASE + 4 * 0x102


async def test_leds_and_inputs(driver: SimulatedDriver, board: Record, on_wire: OnWire) -> None:
    bench = driver.bench(board)
    await on_wire(lambda comm: put(comm, LEDS, 0b1010_0000))
    await bench.run(1000)
    assert (await bench.state())["leds"] == 0b1010_0000
    await bench.set(buttons=0b0110, switches=0x5A, pmod=0xC3)
    await bench.run(1000)
    state = await bench.state()
    assert (state["leds"], state["buttons"], state["switches"], state["pmod_in"]) == (0b1010_0110, 6, 0x5A, 0xC3)
    assert await on_wire(lambda comm: comm.read(INPUTS)) == 0x00C3_5A06
    await on_wire(lambda comm: put(comm, BASE + 4 * 0x103, [0x11, 0x22]))
    await bench.run(1000)
    state = await bench.state()
    assert (state["pmod"], state["pmod_oe"]) == (0x11, 0x22)


async def test_a_lit_led_counts_its_cycles(driver: SimulatedDriver, board: Record, on_wire: OnWire) -> None:
    bench = driver.bench(board)
    await on_wire(lambda comm: put(comm, LEDS, 0b0000_0001))
    await bench.run(1000)
    before = await bench.state()
    await bench.run(120_000)
    after = await bench.state()
    passed = after["cycles"] - before["cycles"]
    assert passed >= 120_000
    assert [b - a for a, b in zip(before["lit"], after["lit"], strict=True)] == [passed, 0, 0, 0, 0, 0, 0, 0]


async def test_a_press_ends_after_its_time(driver: SimulatedDriver, board: Record) -> None:
    bench = driver.bench(board)
    before = await bench.state()
    await bench.press(2, seconds=0.01)
    await bench.run(10)
    after = await bench.state()
    assert after["buttons"] == 0
    assert after["lit"][2] - before["lit"][2] == 120_000


async def test_a_press_is_answered_once_the_design_has_seen_its_end(driver: SimulatedDriver, board: Record) -> None:
    """Who presses again at once would keep the button down otherwise: no time passes on a board that nobody needs."""
    bench = driver.bench(board)
    await bench.idle()
    before = (await bench.state())["cycles"]
    answer = await (await bench._shared()).ask("press", {"buttons": 1, "cycles": 1000})
    assert int(answer["cycles"]) > before + 1000


async def test_power(driver: SimulatedDriver, board: Record, on_wire: OnWire) -> None:
    bench = driver.bench(board)
    await on_wire(lambda comm: put(comm, LEDS, 0xFF))
    await bench.run(1000)
    assert (await bench.state())["leds"] == 0xFF
    await bench.power(False)
    state = await bench.state()
    assert (state["powered"], state["leds"], state["running"]) == (False, 0, False)
    with pytest.raises(DriverError) as refused:
        await bench.run(10)
    assert refused.value.message == "The board's bench refused: The board is off."
    await bench.power(True)
    await on_wire(lambda comm: comm.read(LEDS))
    assert await on_wire(lambda comm: comm.read(SIMULATED.control.scratch)) == 0x12345678
    assert (await bench.state())["leds"] == 0


async def test_the_console_in_both_directions(driver: SimulatedDriver, board: Record) -> None:
    bench = driver.bench(board)
    # The design says what it hears.
    await bench.console_write(b"hello ")
    await bench.console_write("wörld".encode(), baud=57_600)
    await bench.run(12 * 10 * SIMULATED.clock_hz // 57_600)
    position, heard = await bench.console_read()
    assert heard == "hello wörld".encode()
    assert await bench.console_read(position - 5) == (position, b"rld"[-5:] if position < 5 else heard[-5:])


async def test_a_watcher_keeps_board_time_running(driver: SimulatedDriver, board: Record) -> None:
    bench = driver.bench(board)
    await bench.idle()
    seen = []
    async for state in bench.watch(0.01):
        seen.append(state)
        if len(seen) == 20:
            break
    cycles = [state["cycles"] for state in seen]
    assert cycles == sorted(cycles)
    assert cycles[-1] > cycles[0]
    assert seen[-1]["running"]
    # It never runs ahead of real time.
    assert seen[-1]["scale"] <= 1.05


async def test_board_time_stands_still_and_costs_nothing(driver: SimulatedDriver, board: Record) -> None:
    bench = driver.bench(board)
    cycles = await bench.idle()
    before = await asyncio.to_thread(process_asleep, board["pid"])
    # It waits for events without a timer, so it isn't even woken up while somebody else computes for a while.
    await asyncio.to_thread(sum, range(5_000_000))
    assert process(board["pid"]) == before
    assert (await bench.state())["cycles"] == cycles


async def test_a_board_is_small(driver: SimulatedDriver, board: Record) -> None:
    assert await asyncio.to_thread(private_kilobytes, board["pid"]) < 1024


async def test_a_trace_has_every_signal(
    driver: SimulatedDriver, board: Record, on_wire: OnWire, tmp_path: Path
) -> None:
    bench = driver.bench(board)
    await bench.trace_start(tmp_path / "trace.vcd")
    await on_wire(lambda comm: put(comm, LEDS, 0x3C))
    await bench.run(50)
    assert (await bench.state())["trace"]["ended"] is None
    trace = await bench.trace_stop()
    assert trace == {"bytes": (tmp_path / "trace.vcd").stat().st_size, "ended": None}
    signals = read_vcd(tmp_path / "trace.vcd")
    leds = signals["design", "led_register"]
    assert [value for _, value in leds] == [0, 0x3C]
    # Time is board time in picoseconds; the register changed on a rising edge of the clock.
    clock = dict(signals["design", "clk"])
    assert clock[leds[-1][0]] == 1
    assert ("design", "wb_adr") in signals
    assert not any(scope.startswith("soc") for scope, _ in signals)


async def test_a_trace_of_everything(driver: SimulatedDriver, board: Record, on_wire: OnWire, tmp_path: Path) -> None:
    bench = driver.bench(board)
    await bench.trace_start(tmp_path / "trace.vcd", everything=True)
    await on_wire(lambda comm: put(comm, SIMULATED.control.scratch, 0x600D_CAFE))
    await bench.run(500)
    await bench.trace_stop()
    signals = read_vcd(tmp_path / "trace.vcd")
    assert signals["soc", "ctrl_scratch_storage"][-1][1] == 0x600D_CAFE


async def test_a_trace_ends_at_its_limit(driver: SimulatedDriver, board: Record, tmp_path: Path) -> None:
    bench = driver.bench(board)
    await bench.trace_start(tmp_path / "trace.vcd", limit_bytes=100_000)
    await bench.run(100_000)
    state = await bench.state()
    assert state["trace"]["ended"] == "limit"
    assert 90_000 < state["trace"]["bytes"] <= 100_000
    assert (await bench.trace_stop())["ended"] == "limit"
    assert len(read_vcd(tmp_path / "trace.vcd")["design", "counter"]) > 100


async def test_refusals(driver: SimulatedDriver, board: Record, tmp_path: Path) -> None:
    bench = driver.bench(board)
    prefix = "The board's bench refused: "
    cases: list[tuple[Any, str]] = [
        (lambda: bench.press(4), "There is no button 4; the board has buttons 0 to 3."),
        (
            lambda: bench.set(buttons=16),
            prefix + "A level is a decimal number: buttons 0 to 15, switches and pmod 0 to 255.",
        ),
        (lambda: bench.run(0), prefix + "A run takes cycles from 1."),
        (lambda: bench.trace_stop(), prefix + "No trace is being taken."),
        (
            lambda: bench.trace_start(tmp_path / "missing" / "trace.vcd"),
            f"The trace can't be written to {tmp_path}/missing/trace.vcd: No such file or directory.",
        ),
        (
            lambda: bench.console_write(b"x", baud=12_000_000),
            prefix + "The console takes data as hexadecimal bytes, and a baud rate of at most a quarter of the clock.",
        ),
    ]
    for action, message in cases:
        with pytest.raises(DriverError) as refused:
            await action()
        assert refused.value.message == message
        assert refused.value.code in ("bench_refused", "driver_error")
    await bench.trace_start(tmp_path / "one.vcd")
    with pytest.raises(DriverError) as refused:
        await bench.trace_start(tmp_path / "two.vcd")
    assert refused.value.message == prefix + "A trace is being taken already."
    assert not (tmp_path / "two.vcd").exists()


async def test_the_bus_goes_on_while_the_bench_is_busy(driver: SimulatedDriver, board: Record) -> None:
    line = await driver.open(board)
    bench = driver.bench(board)
    try:
        reads = asyncio.gather(*(bench.state() for _ in range(50)), bench.press(0), bench.run(10_000))
        frames = write_frame(BASE, [7]) + read_frame(BASE) * 50
        assert await asyncio.to_thread(exchange, line, frames, 200) == (7).to_bytes(4, "big") * 50
        await reads
    finally:
        line.close()


def put(comm: Any, address: int, values: int | list[int]) -> None:
    """Write, and return once it is done: what comes after it has been answered."""
    comm.write(address, values)
    comm.read(SIMULATED.control.scratch)


def process(pid: int) -> tuple[str, int, int]:
    """State of a process, its processor time in clock ticks, and how often it went to sleep."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    (switches,) = (
        int(line.split()[1])
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("voluntary_ctxt_switches")
    )
    return fields[0], int(fields[11]) + int(fields[12]), switches


def process_asleep(pid: int) -> tuple[str, int, int]:
    """The same, as soon as the process has gone to sleep."""
    while (found := process(pid))[0] != "S":
        os.sched_yield()
    return found


def private_kilobytes(pid: int) -> int:
    """Memory that is a process's own."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty"))


def read_vcd(path: Path) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """Changes (time, value) of each signal, by scope and name."""
    scope: list[str] = []
    names: dict[str, tuple[str, str]] = {}
    changes: dict[tuple[str, str], list[tuple[int, int]]] = {}
    now = -1
    for line in path.read_text("ascii").splitlines():
        words = line.split()
        if words[0] == "$scope":
            scope.append(words[2])
        elif words[0] == "$upscope":
            scope.pop()
        elif words[0] == "$var":
            names[words[3]] = ("/".join(scope), words[4])
            changes[names[words[3]]] = []
        elif line.startswith("#"):
            assert int(line[1:]) > now
            now = int(line[1:])
        elif line.startswith("b"):
            changes[names[words[1]]].append((now, int(words[0][1:], 2)))
        elif line[0] in "01":
            changes[names[line[1:]]].append((now, int(line[0])))
        else:
            assert line.startswith("$"), line
    assert not scope
    return changes
