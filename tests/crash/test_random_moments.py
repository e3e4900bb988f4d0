"""``kill -9`` of the lab at any moment, while three people's worth of work is under way on two boards."""

import asyncio
import contextlib
import itertools
import json
import random
from typing import Any

import pytest

OPTIONS = ("--boards=2",)

LONGEST = 1.5
"""Seconds until the lab is killed, at most: a build from the cache, its programming and some runs take less."""


class Hand:
    """Somebody who does one thing after the other, until the lab dies.

    Parameters
    ----------
    choose
        Chooses what.
    taken
        Where jobs are noted that the lab has acknowledged.
    """

    def __init__(self, room: Any, choose: random.Random, taken: list[str]) -> None:
        self._room = room
        self._choose = choose
        self._taken = taken

    async def work(self) -> None:
        with contextlib.suppress(self._room.Died):
            while True:
                with contextlib.suppress(self._room.Refused):
                    await self._one()

    async def _one(self) -> None:
        room, choose = self._room, self._choose
        fpga_id = choose.randrange(2)
        match choose.choices(("submit", "write", "free", "cancel"), (3, 8, 1, 1))[0]:
            case "submit":
                board = choose.choice((fpga_id, fpga_id, None))
                job_id = await room.submit(board, params=choose.choice(({}, {"SERIAL": 1})))
                self._taken.append(job_id)
                if board is not None:
                    await room.final(job_id)
            case "write":
                values = [choose.randrange(1 << 32) for _ in range(choose.choice((1, 20, 400)))]
                self._taken.append(await room.write(values, fpga_id))
            case "free":
                how = choose.choice(("session/release", "reset", "session/kick"))
                self._taken.append((await room.call("POST", f"/fpga/{fpga_id}/{how}"))["job_id"])
            case "cancel":
                await room.call("DELETE", f"/jobs/{choose.choice(self._taken or [_NO_JOB])}")


_NO_JOB = "00000000-0000-0000-0000-000000000000"


async def cancel_who_waits(room: Any) -> None:
    """Cancel jobs that wait for a board: nobody will free one for them."""
    for status in ("queued", "running"):
        for job in await room.call("GET", f"/jobs?status={status}&type=build_and_program&limit=1000"):
            if job["fpga_id"] is None:
                # It may have got one just now.
                with contextlib.suppress(room.Refused):
                    await room.call("DELETE", f"/jobs/{job['job_id']}")


def possible_ledgers(room: Any, fpga_id: int) -> set[tuple[int, int]]:
    """What a board's ledger may be, by the lab's own records of what was done since it was programmed."""
    ((programmed,),) = room.stored(
        "SELECT max(lsn) FROM events "
        "WHERE fpga_id = ? AND kind = 'board_state' AND json_extract(data, '$.cause') = 'proven'",
        fpga_id,
    )
    runs = room.stored(
        "SELECT status, request, error FROM jobs WHERE fpga_id = ? AND type = 'run' AND job_id IN "
        "(SELECT job_id FROM events WHERE kind = 'job_status' AND lsn > ? AND json_extract(data, '$.status') "
        "IN ('complete', 'failed')) ORDER BY lsn",
        fpga_id,
        programmed,
    )
    ways = itertools.product(*(_written(*run) for run in runs))
    return {room.after((0, 0), [value for values in way for value in values]) for way in ways}


def _written(status: str, request: str, error: str) -> list[list[int]]:
    values = [transaction["data"][0] for transaction in json.loads(request)["transactions"] if transaction["data"]]
    if status == "complete":
        return [values]
    failure = json.loads(error)
    assert failure["code"] == "outcome_unknown", failure
    return [values[:count] for count in range(failure["done"], failure["total"] + 1)]


@pytest.mark.parametrize("kills", [8, pytest.param(150, marks=pytest.mark.soak)])
async def test_killed_at_random_moments(rooms: Any, kills: int) -> None:
    choose = random.Random(2)
    room = await rooms.room(OPTIONS)
    try:
        for _ in range(kills):
            await room.release_all()
            await one_life(room, choose)
    except BaseException:
        print(room.log.read_text())
        rooms.close()
        raise
    query = "SELECT type, status, json_extract(error, '$.code') AS code, count(*) FROM jobs GROUP BY type, status, code"
    print(f"{kills} kills; jobs:", room.stored(query))
    await rooms.stop()


async def one_life(room: Any, choose: random.Random) -> None:
    taken: list[str] = []
    hands = [Hand(room, random.Random(choose.random()), taken).work() for _ in range(3)]
    working = asyncio.gather(*hands)
    await asyncio.sleep(choose.uniform(0.0, LONGEST))
    await room.kill()
    await working
    await room.start()
    await cancel_who_waits(room)
    boards = await room.settled()
    for job_id in taken:
        assert (await room.call("GET", f"/jobs/{job_id}"))["job_id"] == job_id
    for board in boards:
        assert board["state"] in ("idle", "reserved"), board
        if board["state"] == "reserved":
            ledgers = possible_ledgers(room, board["fpga_id"])
            assert await room.ledger(board["fpga_id"]) in ledgers
    await room.check_processes()
    room.check_log()
