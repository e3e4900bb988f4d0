"""The pool in memory: one :class:`Unit` per board, with its lock, its link and the streams that use it.

Nothing here is the truth: a unit's ``row`` follows the store after each commit, and everything else is rebuilt when the
lab starts.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from sqlalchemy import RowMapping

from jupyter_fpga.fpga import refusals
from jupyter_fpga.fpga.brightness import Brightness
from jupyter_fpga.fpga.config import BoardConfig, FpgaConfig
from jupyter_fpga.fpga.drivers import Driver, Record
from jupyter_fpga.fpga.registers import RegisterMap
from jupyter_fpga.fpga.wishbone import LinkLost, Operation, WishboneLink
from jupyter_fpga.gateware.manifest import Manifest
from jupyter_fpga.waveform import Waveform

__all__ = ("Link", "LinkFactory", "LivePath", "Operations", "Pool", "Unit", "open_link")


class Operations(Protocol):
    """One user's way onto a link: what is asked for is done in order, and users take turns."""

    async def run(
        self, operations: Sequence[Operation], *, on_done: Callable[[int, list[int]], None] | None = None
    ) -> list[list[int]]:
        """Carry out operations in order; raises ``LinkError`` with what is known to be done."""
        ...


class Link(Protocol):
    """What this floor uses of a board's link; :class:`~jupyter_fpga.fpga.wishbone.WishboneLink` is the real one."""

    def session(self, name: str) -> Operations:
        """A way onto the link for one user."""
        ...

    def exclusive(self, name: str) -> AbstractAsyncContextManager[Operations]:
        """Hold the link alone."""
        ...

    async def prove(self, identifier: str) -> None:
        """Check that the board answers with ``identifier`` and that its scratch register holds what is written."""
        ...

    def close(self) -> None:
        """Give the wire back; whatever is on it fails, and nobody is told that the board is lost."""
        ...


class LinkFactory(Protocol):
    """Opens the link of a board."""

    async def __call__(
        self,
        driver: Driver,
        record: Record,
        manifest: Manifest,
        *,
        fresh: bool,
        on_lost: Callable[[LinkLost], None],
    ) -> Link:
        """The link to the board of ``record``, which runs what ``manifest`` describes.

        Parameters
        ----------
        fresh
            The board was powered up just now, and nobody has talked to it yet.
        on_lost
            Called once when the board can't be reached any more.
        """
        ...


async def open_link(
    driver: Driver, record: Record, manifest: Manifest, *, fresh: bool, on_lost: Callable[[LinkLost], None]
) -> Link:
    """The Wishbone link over the driver's wire; see :class:`LinkFactory`."""
    wire = await driver.open(record)
    return WishboneLink(
        wire,
        baud=manifest.baud,
        fifo_depth=manifest.fifo_depth,
        answer_depth=manifest.answer_depth,
        clock_hz=manifest.clock_hz,
        control=manifest.control,
        fresh=fresh,
        on_lost=on_lost,
    )


class LivePath(Protocol):
    """What a board knows of a stream that is open on it: that it can be ended."""

    observes: bool
    """Whether it may only read."""

    design: str | None
    """Digest of the only design that it is for, or ``None`` for any."""

    def end(self, reason: str) -> None:
        """End it for ``reason``, and take it out of the board's :attr:`Unit.streams`."""
        ...


class Capture(LivePath, Protocol):
    """What a board knows of its capture; :class:`~jupyter_fpga.fpga.captures.service.Capture` is the real one."""

    @property
    def capture_id(self) -> str:
        """Its name."""
        ...

    @property
    def over(self) -> bool:
        """Whether it has come to its end."""
        ...

    async def waveform(self, seconds: float) -> Waveform | None:
        """The waveform, or None if it isn't there after ``seconds``."""
        ...

    async def stop(self) -> None:
        """End it with what there is."""
        ...


class Unit:
    """One board in memory.

    Parameters
    ----------
    config
        Its place in the pool.
    driver
        How it is reached.
    """

    def __init__(self, config: BoardConfig, driver: Driver) -> None:
        self.config = config
        self.fpga_id = config.fpga_id
        self.driver = driver
        self.operation = asyncio.Lock()
        """Held by whoever programs, resets or runs a job on the board; jobs wait in the order of their calls."""
        self.resubmits = asyncio.Lock()
        """Held by the holder's next design from its build on, so that designs come in the order they were submitted."""
        self.row: RowMapping | None = None
        self.lsn = 0
        self.link: Link | None = None
        self.manifest: Manifest | None = None
        self.registers: RegisterMap | None = None
        self.streams: set[LivePath] = set()
        self.observers_allowed = False
        self.capture: Capture | None = None
        """The latest capture of this board session, under way or over."""
        self.brightness = Brightness()
        """Of the LEDs since somebody last looked at the bench."""

    @property
    def offered(self) -> bool:
        """Whether the board is free for a design."""
        return self.row is not None and self.row["state"] == "idle" and self.row["health"] == "ok"

    @property
    def quarantined(self) -> bool:
        """Whether the board waits for an operator."""
        return self.row is not None and self.row["health"] == "quarantined"

    @property
    def unplugged(self) -> bool:
        """Whether the board isn't there."""
        return self.row is not None and self.row["health"] == "unplugged"

    def follow(self, lsn: int | None, row: RowMapping) -> None:
        """Take over the board's row as it was after event ``lsn``, or after a change that has none."""
        lsn = self.lsn if lsn is None else lsn
        if lsn < self.lsn:
            return
        ended = self.row is not None and self.row["session_id"] and row["session_id"] != self.row["session_id"]
        self.lsn, self.row = lsn, row
        if ended:
            self.observers_allowed = False
            self.end_streams("session_ended")
            self.capture = None

    def attach(self, link: Link, manifest: Manifest) -> None:
        """The board was proven: its registers may be used through ``link``."""
        self.link, self.manifest, self.registers = link, manifest, RegisterMap(manifest)
        self.brightness = Brightness()
        for stream in tuple(self.streams):
            if stream.design not in (None, manifest.digest):
                stream.end("design_replaced")

    def detach(self) -> None:
        """Close the link, if there is one: the board doesn't run, or soon won't, what it was opened for."""
        link, self.link, self.manifest, self.registers = self.link, None, None, None
        if link is not None:
            link.close()

    def end_streams(self, reason: str, *, observers: bool = False) -> None:
        """Close every stream of the board, or only those of observers."""
        for stream in tuple(self.streams):
            if stream.observes or not observers:
                stream.end(reason)


class Pool:
    """The boards of the lab.

    Parameters
    ----------
    config
        Which boards there are.
    drivers
        Drivers by name; ``KeyError`` if a board's driver isn't among them.
    """

    def __init__(self, config: FpgaConfig, drivers: Callable[[BoardConfig], Driver]) -> None:
        self._drivers = drivers
        self._units = {board.fpga_id: Unit(board, drivers(board)) for board in config.boards}

    def add(self, board: BoardConfig) -> None:
        """A board that was found while the lab runs."""
        self._units[board.fpga_id] = Unit(board, self._drivers(board))

    def __iter__(self) -> Iterator[Unit]:
        return iter(tuple(self._units.values()))

    def __getitem__(self, fpga_id: int) -> Unit:
        unit = self._units.get(fpga_id)
        if unit is None:
            raise refusals.fpga_not_found(fpga_id, self._units)
        return unit

    def free(self) -> list[tuple[int, str, frozenset[str]]]:
        """Boards that look free, as ``(fpga_id, target, tags)``."""
        return [(u.fpga_id, u.config.target, frozenset(u.config.tags)) for u in self if u.offered]

    def held(self) -> Counter[str]:
        """Boards by owner."""
        return Counter(unit.row["owner"] for unit in self if unit.row is not None and unit.row["owner"])

    def suitable(self, target: str, tags: frozenset[str]) -> list[Unit]:
        """Boards of ``target`` that carry all of ``tags``, whatever their state."""
        return [unit for unit in self if unit.config.target == target and tags <= set(unit.config.tags)]
