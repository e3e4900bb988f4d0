"""When it will be one's turn: the position in the queue, and a time where there is something to base it on."""

import math
import statistics
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, select

from jupyter_fpga.clock import Clock
from jupyter_fpga.fpga.pool import Pool
from jupyter_fpga.fpga.scheduler import BoardQueue, BuildGate
from jupyter_fpga.store import Store
from jupyter_fpga.store.tables import board_sessions, jobs

__all__ = ("RECENT", "Estimates")

RECENT = 20
"""Builds and sessions that the medians are of."""

_Live = tuple[int, float, float]
"""A session that goes on: its board, its beginning, its end at the latest."""

NOWHERE: Mapping[str, Any] = {"position": None, "eta_seconds": None, "eta_basis": None}


class Estimates:
    """Positions and times of the jobs that wait.

    A time is the median of recent builds and board sessions applied to the queue; without any it is ``None``, as
    nothing honest can be said.

    Parameters
    ----------
    store
        Knows the builds and the board sessions of the past.
    pool
        The boards.
    gate, queue
        Where jobs wait for their build, and for a board.
    clock
        What time it is.
    """

    def __init__(self, store: Store, pool: Pool, gate: BuildGate, queue: BoardQueue[Any], clock: Clock) -> None:
        self._store = store
        self._pool = pool
        self._gate = gate
        self._queue = queue
        self._clock = clock
        self._builds: deque[float] = deque(maxlen=RECENT)

    async def load(self) -> None:
        """Take in what the store knows of recent builds."""

        def query(connection: Connection) -> list[Any]:
            statement = (
                select(jobs.c.result)
                .where(jobs.c.type.in_(("build", "build_and_program")), jobs.c.status == "complete")
                .order_by(jobs.c.lsn.desc())
                .limit(RECENT)
            )
            return list(connection.execute(statement).scalars())

        for result in reversed(await self._store.read(query)):
            if result and "build_seconds" in result:
                self._builds.append(result["build_seconds"])

    def built(self, seconds: float) -> None:
        """A build took ``seconds``."""
        self._builds.append(seconds)

    async def places(self, rows: Iterable[Mapping[Any, Any]]) -> dict[str, Mapping[str, Any]]:
        """``position``, ``eta_seconds`` and ``eta_basis`` of each job; all ``None`` for one that doesn't wait."""
        places: dict[str, Mapping[str, Any]] = {}
        sessions: tuple[list[float], list[_Live]] | None = None
        for row in rows:
            job_id = row["job_id"]
            places[job_id] = NOWHERE
            if row["type"] not in ("build", "build_and_program"):
                continue
            if (position := self._gate.position(job_id)) is not None:
                places[job_id] = self._until_built(position)
            elif (position := self._queue.position(job_id)) is not None:
                if sessions is None:
                    sessions = await self._store.read(_sessions)
                places[job_id] = self._until_board(position, row, *sessions)
        return places

    def _until_built(self, position: int) -> Mapping[str, Any]:
        if not self._builds:
            return {**NOWHERE, "position": position}
        median = statistics.median(self._builds)
        rounds = math.ceil(position / self._gate.slots) + 1
        return {
            "position": position,
            "eta_seconds": round(rounds * median, 1),
            "eta_basis": f"until it is built: median of {len(self._builds)} recent builds, {median:.1f} s",
        }

    def _until_board(
        self, position: int, row: Mapping[Any, Any], ended: list[float], live: list[_Live]
    ) -> Mapping[str, Any]:
        target = (row["request"] or {}).get("target")
        boards = {unit.fpga_id for unit in self._pool if unit.config.target == target and not unit.quarantined}
        if not ended or not boards:
            return {**NOWHERE, "position": position}
        now, median = self._clock.time(), statistics.median(ended)
        # A session ends after the usual time, or when it must; one that is over its time may end any moment.
        ends = sorted(max(now, min(start + median, end)) for fpga_id, start, end in live if fpga_id in boards)
        ends += [now] * (len(boards) - len(ends))
        ends.sort()
        rounds, place = divmod(position - 1, len(ends))
        return {
            "position": position,
            "eta_seconds": round(ends[place] - now + rounds * median, 1),
            "eta_basis": f"until a board is free: median of {len(ended)} recent board sessions, {median:.1f} s",
        }


def _sessions(connection: Connection) -> tuple[list[float], list[_Live]]:
    table = board_sessions.c
    ended = connection.execute(
        select(table.ended_at - table.created_at)
        .where(table.ended_at.is_not(None))
        .order_by(table.ended_at.desc())
        .limit(RECENT)
    )
    live = connection.execute(select(table.fpga_id, table.created_at, table.expires_at).where(table.ended_at.is_(None)))
    return list(ended.scalars()), [(fpga_id, start, end) for fpga_id, start, end in live]
