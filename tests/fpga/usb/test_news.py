"""News of devices that come and go: the kernel's own, and what is made of it."""

import asyncio
import errno
import logging
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jupyter_fpga.fpga.usb import UsbBus
from jupyter_fpga.fpga.usb.uevents import Uevents, properties, uevent_socket

#: Seconds after which something that is awaited never comes.
PATIENCE = 30


@pytest.fixture
async def pair() -> AsyncIterator[tuple[socket.socket, socket.socket]]:
    """A socket to tell news by, and the one that hears it."""
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    its.setblocking(False)
    yield mine, its
    mine.close()
    its.close()


def tell_anew(device: str) -> None:
    """Have the kernel tell of a device again, as udevadm trigger does (Documentation/ABI/testing/sysfs-uevent)."""
    Path(device, "uevent").write_text("change")


async def test_the_kernels_own_news() -> None:
    heard: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    listening = uevent_socket()
    loop = asyncio.get_running_loop()
    loop.add_reader(listening, lambda: heard.put_nowait(properties(listening.recv(65536))))
    try:
        tell_anew("/sys/class/mem/null")
        async with asyncio.timeout(PATIENCE):
            while (found := await heard.get()).get("DEVPATH") != "/devices/virtual/mem/null":
                pass
        assert (found["ACTION"], found["SUBSYSTEM"], found["DEVNAME"]) == ("change", "mem", "null")
        # A terminal is of those that boards have; this one is there on every machine.
        bus = UsbBus()
        bus.start()
        with bus.listening() as changed:
            tell_anew("/sys/class/tty/tty")
            async with asyncio.timeout(PATIENCE):
                await changed.wait()
        bus.stop()
    finally:
        loop.remove_reader(listening)
        listening.close()


async def test_only_what_may_be_a_board_counts(pair: tuple[socket.socket, socket.socket]) -> None:
    mine, its = pair
    heard: list[dict[str, str]] = []
    come = asyncio.Event()

    def hear(news: dict[str, str]) -> None:
        heard.append(news)
        come.set()

    uevents = Uevents(its, hear)
    for subsystem in ("net", "block", "usb"):
        mine.send(f"add@/devices/x\0ACTION=add\0SUBSYSTEM={subsystem}\0".encode())
    await come.wait()
    assert [news["SUBSYSTEM"] for news in heard] == ["usb"]
    # udev's own form: a header, then the same words.
    come.clear()
    mine.send(b"libudev\0\xfe\xed\xca\xfe\0\0\0(\0\0\0(ACTION=add\0SUBSYSTEM=tty\0DEVNAME=/dev/ttyUSB1\0")
    await come.wait()
    assert heard[1]["DEVNAME"] == "/dev/ttyUSB1"
    uevents.close()


async def test_waiting_for_something_to_be_plugged_in(pair: tuple[socket.socket, socket.socket]) -> None:
    mine, its = pair
    bus = UsbBus(listen=lambda: its)
    bus.start()
    there: list[str] = []
    waiting = asyncio.create_task(bus.until(lambda: there[0] if there else None, PATIENCE))
    await asyncio.sleep(0)
    there.append("it")
    mine.send(b"add@/x\0ACTION=add\0SUBSYSTEM=usb\0")
    assert await waiting == "it"
    assert await bus.until(lambda: None, 0) is None
    bus.stop()


async def test_a_machine_that_lets_nobody_listen(caplog: pytest.LogCaptureFixture) -> None:
    def refuse() -> socket.socket:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    bus = UsbBus(listen=refuse)
    with caplog.at_level(logging.WARNING):
        bus.start()
    assert bus.deaf == "the kernel's news of devices can't be listened to here (Operation not permitted)"
    assert [record.getMessage() for record in caplog.records] == [
        "Boards that are plugged in or out are noticed only when they are used: the kernel's news of devices can't be "
        "listened to here (Operation not permitted)."
    ]
    bus.stop()
