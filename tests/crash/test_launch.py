"""A lab that is killed while it starts a program takes the program with it, at whatever moment."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

LAUNCHES = Path(__file__).parent / "resources" / "launches.py"


@pytest.mark.parametrize("count", [100, pytest.param(3000, marks=pytest.mark.soak)])
async def test_killed_while_a_program_starts(count: int) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, LAUNCHES, str(count), "1", stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    left = [json.loads(line) for line in output.splitlines()]
    assert left == [[]] * count
