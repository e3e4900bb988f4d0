"""A board's life as a process: it starts, outlives its lab, is found again, and leaves nothing behind."""

import asyncio
import contextlib
import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import termios
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_fpga.compute.sandbox.walls import Sandbox
from jupyter_fpga.fpga.drivers import DriverError, Record, SimulatedDriver

from .conftest import IDENTIFIER, MANIFEST, all_ended, ended, processes
from .test_wire import CONTROL, exchange, read_frame, write_frame

GONE = "The simulated board is gone: its process has ended. Reset the board."


async def read_scratch(driver: SimulatedDriver, record: Record) -> int:
    line = await driver.open(record)
    try:
        return int.from_bytes(await asyncio.to_thread(exchange, line, read_frame(CONTROL.scratch), 4), "big")
    finally:
        line.close()


async def test_shutdown_leaves_nothing(driver: SimulatedDriver, image: Path, tmp_path: Path) -> None:
    record = await driver.program(image, MANIFEST)
    folder = Path(record["run_dir"])
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    assert record["pid"] in processes(str(folder))
    await driver.shutdown(record)
    await all_ended(str(folder))
    assert folder.name not in os.listdir(folder.parent)
    # And again: nothing happens.
    await driver.shutdown(record)


async def test_a_board_in_a_folder_deeper_than_a_socket_address(sandbox: Sandbox, image: Path, tmp_path: Path) -> None:
    driver = SimulatedDriver(sandbox, tmp_path / ("deep" * 30), linger=60)
    record = await driver.program(image, MANIFEST)
    assert (await driver.bench(record).state())["powered"]
    await driver.shutdown(record)


async def test_a_board_without_walls(image: Path, tmp_path: Path) -> None:
    driver = SimulatedDriver(Sandbox.without("A test asked for none."), tmp_path / "run", linger=60)
    record = await driver.program(image, MANIFEST)
    assert await read_scratch(driver, record) == 0x12345678
    await driver.shutdown(record)
    await all_ended(str(tmp_path))


async def test_power_cycle(driver: SimulatedDriver, board: Record, image: Path) -> None:
    line = await driver.open(board)
    frames = write_frame(CONTROL.scratch, [5]) + read_frame(CONTROL.scratch)
    assert await asyncio.to_thread(exchange, line, frames, 4) == b"\0\0\0\5"
    line.close()
    again = await driver.power_cycle(board, image, MANIFEST)
    assert again["pid"] != board["pid"]
    assert not await driver.find(board)
    assert await read_scratch(driver, again) == 0x12345678
    await driver.shutdown(again)


async def test_a_board_that_ends_while_its_line_is_opened(
    driver: SimulatedDriver, board: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush = termios.tcflush

    def end_and_flush(line: int, queue: int) -> None:
        os.kill(board["pid"], signal.SIGKILL)
        while not select.select([line], [], [], 10)[0]:
            pass
        flush(line, queue)

    monkeypatch.setattr(termios, "tcflush", end_and_flush)
    with pytest.raises(DriverError) as caught:
        await driver.open(board)
    assert (str(caught.value), caught.value.code) == (GONE, "board_gone")
    assert isinstance(caught.value.__cause__, termios.error)


LAB_THAT_DIES = """
import asyncio, json, os, sys
from pathlib import Path
from jupyter_fpga.compute.sandbox.walls import Sandbox
from jupyter_fpga.fpga.drivers import SimulatedDriver
from jupyter_fpga.gateware.manifest import Manifest

async def main():
    driver = SimulatedDriver(Sandbox.probe(), Path(sys.argv[1]), linger=float(sys.argv[4]))
    record = await driver.program(Path(sys.argv[2]), Manifest.loads(sys.argv[3]))
    print(json.dumps(record), flush=True)
    os.kill(os.getpid(), 9)

asyncio.run(main())
"""


def program_and_die(run_dir: Path, image: Path, linger: float) -> Record:
    """A lab that programs a board and is killed; the record that it left."""
    import json

    lab = subprocess.run(
        [sys.executable, "-c", LAB_THAT_DIES, str(run_dir), str(image), MANIFEST.dumps(), str(linger)],
        stdout=subprocess.PIPE,
        check=False,
    )
    assert lab.returncode == -signal.SIGKILL
    record: Record = json.loads(lab.stdout)
    return record


async def test_a_board_survives_its_lab_and_is_found(driver: SimulatedDriver, image: Path, tmp_path: Path) -> None:
    record = await asyncio.to_thread(program_and_die, tmp_path / "run", image, 60)
    assert await driver.find(record)
    assert await read_scratch(driver, record) == 0x12345678
    assert (await driver.bench(record).state())["powered"]
    await driver.shutdown(record)
    assert not await driver.find(record)


async def test_a_board_whose_lab_stays_away_ends_itself(driver: SimulatedDriver, image: Path, tmp_path: Path) -> None:
    record = await asyncio.to_thread(program_and_die, tmp_path / "run", image, 0.2)
    await ended(record["pid"])
    assert not await driver.find(record)
    await driver.shutdown(record)


async def test_a_lab_that_comes_back_in_time_keeps_its_board(sandbox: Sandbox, image: Path, tmp_path: Path) -> None:
    first = SimulatedDriver(sandbox, tmp_path / "run", linger=0.3)
    record = await first.program(image, MANIFEST)
    second = SimulatedDriver(sandbox, tmp_path / "run", linger=0.3)
    assert await second.find(record)
    await first.disconnect()
    # Longer than the board lingers: its own clock says so.
    await second.bench(record).run(MANIFEST.clock_hz // 2)
    assert await second.find(record)
    await second.disconnect()
    await ended(record["pid"])
    await second.shutdown(record)


async def test_another_process_with_the_same_number_is_not_the_board(driver: SimulatedDriver, board: Record) -> None:
    for changed in ({"start_time": board["start_time"] - 1}, {"boot_id": "another"}, {"pid": os.getpid()}):
        other = {**board, **changed}
        assert not await driver.find(other)
        with pytest.raises(DriverError) as gone:
            await driver.open(other)
        assert gone.value.message == GONE
        assert gone.value.code == "board_gone"
    assert await driver.find(board)


async def test_a_board_that_dies_says_so(driver: SimulatedDriver, board: Record) -> None:
    bench = driver.bench(board)
    states = bench.watch(0.01)
    await anext(states)
    asked = asyncio.ensure_future(bench.run(1 << 39))
    await anext(states)
    os.kill(board["pid"], signal.SIGKILL)
    with pytest.raises(DriverError) as gone:
        await asked
    assert gone.value.message == GONE
    # The watch ends.
    async for _ in states:
        pass
    await ended(board["pid"])
    with pytest.raises(DriverError) as gone:
        await bench.state()
    assert gone.value.message == GONE
    assert not await driver.find(board)


async def test_what_is_not_a_simulator_does_not_start(driver: SimulatedDriver, tmp_path: Path) -> None:
    script = tmp_path / "simulator"
    script.write_text("#!/bin/sh\necho no board here\nexit 1\n")
    script.chmod(0o755)
    with pytest.raises(DriverError) as failed:
        await driver.program(script, MANIFEST)
    assert failed.value.message == (
        "The simulated board did not start; the last it said was: no board here. Build the design again, and see the "
        "lab's log if it goes on."
    )
    assert list((tmp_path / "run").iterdir()) == []


async def test_a_simulator_that_never_answers_is_ended(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = SimulatedDriver(sandbox, tmp_path / "run", start_seconds=0.2)
    shutil.copy(shutil.which("sleep") or "/bin/sleep", tmp_path / "sleep")
    script = tmp_path / "simulator"
    script.write_text("#!/bin/sh\nexec sleep 1000\n")
    script.chmod(0o755)
    with pytest.raises(DriverError) as failed:
        await driver.program(script, MANIFEST)
    assert failed.value.message == (
        "The simulated board did not start; it ended without a word. Build the design again, and see the lab's log if "
        "it goes on."
    )
    await all_ended(str(tmp_path))


async def test_a_board_that_talks_nonsense(driver: SimulatedDriver, tmp_path: Path) -> None:
    """The simulator is made from a stranger's design: its bench may say anything."""
    simulator = tmp_path / "simulator"
    simulator.write_text(
        "#!/bin/sh\n"
        'while [ $# -gt 0 ]; do [ "$1" = --control ] && control=$2; shift; done\n'
        "exec /usr/bin/perl -e '\n"
        'open(my $listening, "+<&=", shift); accept(my $lab, $listening); select((select($lab), $| = 1)[0]);\n'
        'print $lab "* hello clock=\\xff\\n* state x\\n1 ok cycles=-1 running=0\\n7 ok\\n\\n1 error \\n";\n'
        'while (<$lab>) { my ($n) = split; print $lab "$n ok cycles=99999999999999999999999 running=y lit=a,b\\n" }\n'
        "' $control\n"
    )
    simulator.chmod(0o755)
    record = await driver.program(simulator, replace(MANIFEST, identifier=IDENTIFIER))
    try:
        for action in (
            driver.bench(record).state,
            lambda: driver.bench(record).run(5),
            driver.bench(record).console_read,
        ):
            with pytest.raises(DriverError) as nonsense:
                await action()
            assert nonsense.value.message == (
                "The simulated board answered its bench with something that isn't an answer. Reset the board."
            )
    finally:
        await driver.shutdown(record)


async def test_many_boards_at_once(driver: SimulatedDriver, image: Path) -> None:
    records = await asyncio.gather(*(driver.program(image, MANIFEST) for _ in range(10)))
    try:
        assert len({record["tty"] for record in records}) == 10
        assert await asyncio.gather(*(read_scratch(driver, record) for record in records)) == [0x12345678] * 10
    finally:
        await asyncio.gather(*(driver.shutdown(record) for record in records))


async def test_cancelling_a_program_leaves_nothing(driver: SimulatedDriver, image: Path, tmp_path: Path) -> None:
    for yields in range(12):
        task = asyncio.ensure_future(driver.program(image, MANIFEST))
        for _ in range(yields):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await driver.shutdown(await task)
    await all_ended(str(tmp_path / "run"))
    assert not (tmp_path / "run").exists() or list((tmp_path / "run").iterdir()) == []
