"""What comes over the serial line of a simulated board."""

import asyncio
import os
import select
import time
from collections.abc import Awaitable, Callable
from typing import Any

import serial

from jupyter_fpga.fpga.drivers import Record, SimulatedDriver
from jupyter_fpga.gateware.targets import SIMULATED

from .conftest import IDENTIFIER

CONTROL = SIMULATED.control
BASE = SIMULATED.window.base

OnWire = Callable[[Callable[[Any], Any]], Awaitable[Any]]


def read_frame(address: int, count: int = 1, command: int = 2) -> bytes:
    return bytes([command, count]) + (address // 4).to_bytes(4, "big")


def write_frame(address: int, words: list[int], command: int = 1) -> bytes:
    return (
        bytes([command, len(words)]) + (address // 4).to_bytes(4, "big") + b"".join(w.to_bytes(4, "big") for w in words)
    )


def exchange(line: serial.Serial, data: bytes, count: int) -> bytes:
    """Send ``data`` while reading ``count`` bytes; a board that says less fails the test's time limit."""
    received = b""
    until = time.monotonic() + 20
    while len(received) < count:
        assert time.monotonic() < until, f"{len(received)} of {count} bytes came"
        readable, writable, _ = select.select([line.fd], [line.fd] if data else [], [], 1)
        if writable:
            data = data[os.write(line.fd, data) :]
        if readable:
            received += os.read(line.fd, count - len(received))
    return received


async def test_litex_own_comm_uart(on_wire: OnWire) -> None:
    def use(comm: Any) -> None:
        assert comm.read(CONTROL.scratch) == 0x12345678
        comm.write(CONTROL.scratch, 0xDEADBEEF)
        assert comm.read(CONTROL.scratch) == 0xDEADBEEF
        text = bytes(comm.read(CONTROL.identifier, CONTROL.identifier_words))
        assert text == IDENTIFIER.encode().ljust(CONTROL.identifier_words, b"\0")
        comm.write(BASE, list(range(100, 116)))
        assert comm.read(BASE, 16) == list(range(100, 116))
        comm.write(BASE + 4 * 0x101, 0xA5)
        assert comm.read(BASE + 4 * 0x100) == 0x010000A5
        assert comm.read(BASE + 4 * 0x107) == 0xCAFE0107

    await on_wire(use)


async def test_an_address_where_nobody_answers(on_wire: OnWire) -> None:
    def use(comm: Any) -> None:
        assert comm.read(CONTROL.bus_errors) == 0
        for count, address in enumerate((0x1000_0000, BASE + 4 * 0x200, BASE + SIMULATED.window.size), 1):
            assert comm.read(address) == 0xFFFFFFFF
            assert comm.read(CONTROL.bus_errors) == count
        comm.write(0x1000_0000, 1)
        assert comm.read(CONTROL.bus_errors) == 4
        assert comm.read(CONTROL.overflow) == 0

    await on_wire(use)


async def test_the_cycle_counter_is_of_one_moment(on_wire: OnWire) -> None:
    def use(comm: Any) -> None:
        before = 0
        for _ in range(200):
            high, low = comm.read(CONTROL.cycles, 2)
            assert high == 0
            assert low > before
            before = low

    await on_wire(use)


async def test_a_hundred_reads_in_flight(driver: SimulatedDriver, board: Record) -> None:
    line = await driver.open(board)
    try:
        await asyncio.to_thread(exchange, line, write_frame(BASE, list(range(16))) + read_frame(BASE), 4)
        requests = b"".join(read_frame(BASE + 4 * (i % 16)) for i in range(100))
        answer = await asyncio.to_thread(exchange, line, requests, 400)
        assert [int.from_bytes(answer[4 * i : 4 * i + 4], "big") for i in range(100)] == [i % 16 for i in range(100)]
    finally:
        line.close()


async def test_bursts_of_255_words(driver: SimulatedDriver, board: Record) -> None:
    line = await driver.open(board)
    try:
        # To one address, the last word stays; from one address, the same word comes each time.
        data = write_frame(BASE + 4, list(range(1000, 1255)), command=3) + read_frame(BASE + 4, 255, command=4)
        answer = await asyncio.to_thread(exchange, line, data, 4 * 255)
        assert answer == (1254).to_bytes(4, "big") * 255
    finally:
        line.close()


async def test_half_a_command_is_forgotten(driver: SimulatedDriver, board: Record) -> None:
    line = await driver.open(board)
    bench = driver.bench(board)
    try:
        os.write(line.fd, read_frame(CONTROL.scratch)[:3])
        await bench.run(1)
        # Board time goes on until the bridge's watchdog (0.1 s) has ended it, and not for ever.
        assert await bench.idle() >= 0.1 * SIMULATED.clock_hz
        answer = await asyncio.to_thread(exchange, line, read_frame(CONTROL.scratch), 4)
        assert answer == (0x12345678).to_bytes(4, "big")
    finally:
        line.close()


async def test_more_than_the_fifo_holds_is_lost_and_told(driver: SimulatedDriver, board: Record) -> None:
    line = await driver.open(board)
    try:
        # Reads where nobody answers take 4096 cycles each, the time of 34 bytes; a request has six.
        os.write(line.fd, read_frame(0x1000_0000) * 333)
        await asyncio.to_thread(exchange, line, b"", 4)
        await driver.bench(board).idle()
        line.reset_input_buffer()
        answer = await asyncio.to_thread(exchange, line, read_frame(CONTROL.overflow), 4)
        assert answer == b"\0\0\0\1"
        clear = write_frame(CONTROL.overflow, [0]) + read_frame(CONTROL.overflow)
        assert await asyncio.to_thread(exchange, line, clear, 4) == bytes(4)
    finally:
        line.close()


async def test_the_line_can_be_closed_and_opened_again(driver: SimulatedDriver, board: Record) -> None:
    for value in range(5):
        line = await driver.open(board)
        frames = write_frame(CONTROL.scratch, [value]) + read_frame(CONTROL.scratch)
        assert await asyncio.to_thread(exchange, line, frames, 4) == value.to_bytes(4, "big")
        line.close()
