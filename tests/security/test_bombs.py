"""Who takes more than there is for one is ended, told which bound it was, and takes nothing from others."""

import asyncio
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_fpga.compute.sandbox import MIB

from .conftest import LIMITS, Prey

BOMBS = {
    "fork": "processes",
    "threads": "processes",
    "runaways": "processes",
    "memory": "memory",
    "shared-memory": "memory",
    "scattered-memory": "memory",
    "sockets": "memory",
    "page-tables": "memory",
    "disk": "disk",
    "nameless": "disk",
    "nameless-mapped": "disk",
    "files": "files",
    "closed": "disk",
    "flood": "output",
}


@pytest.mark.parametrize("bomb", BOMBS)
async def test_a_bomb_hits_its_own_bound(prey: Prey, bomb: str) -> None:
    finished = await prey.attack(bomb)
    assert (finished.bound, finished.returncode) == (BOMBS[bomb], 128 + 9)
    assert finished.seconds < LIMITS.wall_seconds


async def test_folders_deeper_than_a_path(prey: Prey) -> None:
    """Where they are in memory, it is the disk that fills; on the machine's disk nobody goes so deep."""
    finished = await prey.attack("deep")
    assert finished.bound == ("disk" if prey.sandbox.tier == "full" else "files")


async def test_a_shaft_is_filled_in(prey: Prey, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Thousands of folders in one another, made in a moment: they count, are not followed, and are removed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    finished = await prey.attack("shaft", limits=replace(LIMITS, files=10_000))
    assert (finished.returncode, finished.bound) in ((0, "files"), (137, "files"), (0, None))
    assert finished.bound == "files" or prey.sandbox.tier == "full"
    await prey.attack("closed")
    assert os.listdir(tmp_path) == []


async def test_memory_in_files_of_memory(prey: Prey) -> None:
    """Nowhere but in its work folder, and that is bounded: no /tmp, no /dev/shm, no memfd, no SysV segment."""
    lines: list[str] = []
    finished = await prey.attack("tmpfs.py", on_output=lines.append)
    assert finished.bound == "disk"
    assert lines == ["memfd_create ENOSYS", "shmget ENOSYS", "writable: work folder"]


async def test_one_bomb_starves_nobody(prey: Prey) -> None:
    """Two at once: while one bombs, the other starts program after program."""
    bombing = asyncio.create_task(prey.attack("fork"))
    assert await prey.lines("starter.py") == ["started 40"]
    assert (await bombing).bound == "processes"


async def test_two_bombs_and_a_third(prey: Prey) -> None:
    forks, memory, lines = await asyncio.gather(
        prey.attack("runaways"), prey.attack("memory"), prey.lines("starter.py")
    )
    assert (forks.bound, memory.bound, lines) == ("processes", "memory", ["started 40"])


async def test_a_flood_without_a_newline_is_cut(prey: Prey) -> None:
    lines: list[str] = []
    finished = await prey.attack("flood", on_output=lines.append)
    assert finished.bound == "output"
    assert sum(map(len, lines)) == LIMITS.output_bytes
    assert max(map(len, lines)) == 4096


async def test_signals_that_are_ignored(prey: Prey) -> None:
    finished = await prey.attack("stubborn", limits=replace(LIMITS, wall_seconds=0.3))
    assert (finished.bound, finished.output_tail) == ("time", "up")


async def test_limits_are_not_raised_again(prey: Prey) -> None:
    assert await prey.lines("raise_limits.py") == [
        "RLIMIT_CORE ValueError",
        "RLIMIT_CPU ValueError",
        "RLIMIT_DATA ValueError",
        "RLIMIT_FSIZE ValueError",
        "RLIMIT_NOFILE ValueError",
    ]


async def test_a_sparse_file_takes_no_room_and_is_not_taken_along(prey: Prey) -> None:
    finished = await prey.attack("sparse.py", limits=replace(LIMITS, disk_bytes=64 * MIB))
    assert (finished.returncode, finished.bound, finished.output_tail) == (0, None, "67108864 File too large")
