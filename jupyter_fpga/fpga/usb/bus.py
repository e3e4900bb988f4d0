"""The USB bus of this machine: what is on it, and a way to wait until that changes."""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from .devices import UsbDevice, scan
from .uevents import Uevents, uevent_socket

__all__ = ("UsbBus",)

log = logging.getLogger(__name__)

T = TypeVar("T")


class UsbBus:
    """What is plugged in.

    Parameters
    ----------
    sysfs, dev
        Where the kernel shows devices, and their files.
    listen
        Opens the socket on which news of devices comes.
    """

    def __init__(
        self,
        *,
        sysfs: Path = Path("/sys"),
        dev: Path = Path("/dev"),
        listen: Callable[[], socket.socket] = uevent_socket,
    ) -> None:
        self.sysfs = sysfs
        self.dev = dev
        self.deaf: str | None = None
        """Why nothing is heard of devices that come and go, if that is so."""
        self._listen = listen
        self._uevents: Uevents | None = None
        self._waiting: set[asyncio.Event] = set()

    def start(self) -> None:
        """Begin to listen. Where that isn't allowed, boards are found when they are needed, and said so."""
        try:
            self._uevents = Uevents(self._listen(), lambda _: self._changed())
        except OSError as error:
            self.deaf = f"the kernel's news of devices can't be listened to here ({error.strerror})"
            log.warning("Boards that are plugged in or out are noticed only when they are used: %s.", self.deaf)

    def stop(self) -> None:
        """Stop listening."""
        if self._uevents is not None:
            self._uevents.close()
            self._uevents = None

    def devices(self) -> list[UsbDevice]:
        """What is plugged in now."""
        return scan(self.sysfs, self.dev)

    @contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """An event that is set each time that something may have changed."""
        changed = asyncio.Event()
        self._waiting.add(changed)
        try:
            yield changed
        finally:
            self._waiting.discard(changed)

    async def until(self, find: Callable[[], T | None], seconds: float) -> T | None:
        """What ``find`` finds, now or after a change within ``seconds``; ``None`` when it doesn't come."""
        with self.listening() as changed:
            try:
                async with asyncio.timeout(seconds):
                    while (found := find()) is None:
                        await changed.wait()
                        changed.clear()
                    return found
            except TimeoutError:
                return find()

    def _changed(self) -> None:
        for event in self._waiting:
            event.set()
