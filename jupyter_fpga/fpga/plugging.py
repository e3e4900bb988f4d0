"""Boards that come and go: what is plugged in, compared with what the lab thinks, whenever the kernel has news."""

import asyncio
import dataclasses
import logging
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Connection, RowMapping, select

from jupyter_fpga.fpga.config import BoardConfig, Hardware
from jupyter_fpga.fpga.drivers import Pluggable, Unplugged
from jupyter_fpga.fpga.floor import STORE_RETRY_SECONDS, Floor
from jupyter_fpga.fpga.moves import Move
from jupyter_fpga.fpga.pool import Unit
from jupyter_fpga.store import StoreFailed
from jupyter_fpga.store.tables import boards

__all__ = ("Desk", "Plugging")

log = logging.getLogger(__name__)


class Desk(Protocol):
    """Where boards are plugged in; the serial driver is one."""

    def listening(self) -> AbstractContextManager[asyncio.Event]:
        """An event that is set whenever something may have been plugged in or out."""
        ...

    def unclaimed(self, known: Iterable[BoardConfig], wanted: Iterable[str]) -> list[tuple[str, Hardware]]:
        """Boards of the targets in ``wanted`` that are plugged in and are none of ``known``: target, and which."""
        ...


class Plugging:
    """Keeps the pool in step with a desk.

    Parameters
    ----------
    floor
        Whose boards.
    desk
        Where they are plugged in.
    """

    def __init__(self, floor: Floor, desk: Desk) -> None:
        self._floor = floor
        self._desk = desk
        self._at_work: set[asyncio.Task[None]] = set()

    async def enroll(self) -> None:
        """Before the lab looks at its boards: those that it once found by itself, and those that are new."""
        floor = self._floor
        for row in await floor.read(_found):
            if row["target"] in floor.config.discover and floor.config.board(row["fpga_id"]) is None:
                self._add(row["fpga_id"], row["target"], Hardware(**row["found"]))
        await self._discover()

    async def run(self) -> None:
        """Look again after each news, for ever."""
        with self._desk.listening() as changed:
            while True:
                changed.clear()
                try:
                    await self._compare()
                except StoreFailed as failure:
                    # What couldn't be written is seen again.
                    log.error("The lab can't note which boards are plugged in: %s", failure.message)
                    await self._floor.clock.sleep(STORE_RETRY_SECONDS)
                    continue
                await changed.wait()

    async def _compare(self) -> None:
        await self._discover()
        for unit in self._floor.pool:
            if unit.row is None:
                await self._floor.write("board found", _enter, unit.config)
            else:
                await self._look(unit, unit.row)

    async def stop(self) -> None:
        """Leave what is at work."""
        for task in self._at_work:
            task.cancel()
        if self._at_work:
            await asyncio.wait(self._at_work)

    async def _discover(self) -> None:
        floor = self._floor
        found = self._desk.unclaimed(floor.config.boards, floor.config.discover) if floor.config.discover else []
        if not found:
            return
        known = await floor.read(lambda connection: set(connection.execute(select(boards.c.fpga_id)).scalars()))
        number = max({-1, *known, *(board.fpga_id for board in floor.config.boards)}) + 1
        for index, (target, hardware) in enumerate(found):
            self._add(number + index, target, hardware)

    def _add(self, fpga_id: int, target: str, hardware: Hardware) -> None:
        board = BoardConfig(fpga_id, target, "serial", hardware=hardware, found=True)
        floor = self._floor
        floor.config = dataclasses.replace(floor.config, boards=(*floor.config.boards, board))
        floor.pool.add(board)
        log.info("Board %s is a %s that was found on USB: %s.", fpga_id, target, hardware)

    async def _look(self, unit: Unit, row: RowMapping) -> None:
        if not isinstance(unit.driver, Pluggable):
            return
        trouble = unit.driver.trouble(row["process"])
        if row["health"] == "unplugged" and not isinstance(trouble, Unplugged):
            await self._floor.write("plugged in", _plugged_in, unit.fpga_id)
        elif row["health"] == "ok" and trouble is not None:
            task = asyncio.create_task(self._lost(unit), name=f"jupyter_fpga unplugged {unit.fpga_id}")
            self._at_work.add(task)
            task.add_done_callback(self._at_work.discard)

    async def _lost(self, unit: Unit) -> None:
        """A board went, or came back empty: whoever is at work on it finds out by himself, and has the first word."""
        async with unit.operation:
            row = unit.row
            assert row is not None
            assert isinstance(unit.driver, Pluggable)
            trouble = unit.driver.trouble(row["process"])
            if trouble is None:
                return
            unplugged = isinstance(trouble, Unplugged)
            reason = trouble.message
            if await self._floor.insist("unplugged", lambda move: _lost(move, unit.fpga_id, reason, unplugged)):
                unit.detach()


def _found(connection: Connection) -> list[RowMapping]:
    statement = select(boards).where(boards.c.found.is_not(None)).order_by(boards.c.fpga_id)
    return list(connection.execute(statement).mappings())


def _enter(move: Move, board: BoardConfig) -> None:
    move.enter_board(board, None)


def _plugged_in(move: Move, fpga_id: int) -> None:
    if move.board(fpga_id)["health"] == "unplugged":
        move.plug_in(fpga_id)


def _lost(move: Move, fpga_id: int, reason: str, unplugged: bool) -> bool:
    board = move.board(fpga_id)
    if board["health"] != "ok":
        return False
    held = board["state"] == "reserved" and board["session_id"] is not None
    if board["state"] == "idle" or held:
        move.lose_board(fpga_id, "lost", reason, unplugged=unplugged)
        return True
    if unplugged and board["state"] == "error" and board["current_job_id"] is None:
        move.unplug(fpga_id, reason)
        return True
    # A job is at it.
    return False
