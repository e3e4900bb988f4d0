"""``kill -9`` of the lab at each step of each job: nothing is lost, nothing is done twice, nothing is stuck."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from .mishaps import BoardDies, BuildFails, Cancel, Expiry, FirstStart, ProgramFails, Renew, Restart
from .scenarios import (
    Build,
    Kick,
    PowerCycle,
    Release,
    Reset,
    ResetFails,
    Resubmit,
    Run,
    RunBatch,
    Scenario,
    Submit,
    SubmitAny,
)

SERIALS = itertools.count(1)
"""Numbers that tell scenarios apart."""


SCENARIOS: dict[str, type[Scenario]] = {
    "build": Build,
    "submit": Submit,
    "submit_any": SubmitAny,
    "resubmit": Resubmit,
    "run": Run,
    "run_batch": RunBatch,
    "release": Release,
    "reset": Reset,
    "kick": Kick,
    "power_cycle": PowerCycle,
    "reset_fails": ResetFails,
    "expiry": Expiry,
    "renew": Renew,
    "cancel": Cancel,
    "build_fails": BuildFails,
    "program_fails": ProgramFails,
    "board_dies": BoardDies,
    "restart": Restart,
    "first_start": FirstStart,
}


async def carry_out(room: Any, scenario: Scenario, kill: str) -> list[str]:
    """Let a scenario happen, with the lab killed at one checkpoint if ``kill`` isn't empty."""
    if not room.pid:
        await room.start()
    await scenario.prepare(room)
    room.plan(kill=kill, lose=scenario.lose)
    try:
        await scenario.act(room)
    except room.Died:
        assert kill
    if kill:
        if room.pid:
            await room.ended()
        room.calm()
        await room.start()
        await scenario.restarted(room)
    await room.settled()
    passed: list[str] = room.passed()
    room.calm()
    for job_id in scenario.taken:
        assert (await room.call("GET", f"/jobs/{job_id}"))["job_id"] == job_id
    await scenario.check(room)
    await room.check_processes()
    room.check_log()
    if scenario.since:
        passed = passed[passed.index(scenario.since) :]
    return [step for step in passed if not step.startswith(scenario.once) or step.endswith("#1")]


CHECKPOINTS: dict[str, list[str]] = json.loads((Path(__file__).parent / "resources/checkpoints.json").read_text())
"""The checkpoints that each scenario passes, in order."""

RESET = ("reset claim", "reset base", "reset begin", "reset record", "reset done")
RESET += ("reset:before driver", "reset:after driver", "reset:after proof")
"""Steps of a reset, which are the same for everything that ends with one."""


def cases() -> list[Any]:
    """Each step of each scenario. Those of a reset are tried once in CI, and after every beginning in a soak."""
    found = []
    for name, steps in CHECKPOINTS.items():
        for step in steps:
            again = step.startswith(RESET) and name != "release"
            marks = [pytest.mark.soak] if again else []
            found.append(pytest.param(name, step, id=f"{name}-{step.replace(' ', '_')}", marks=marks))
    return found


async def in_a_room(rooms: Any, name: str, kill: str) -> list[str]:
    """Carry out a scenario; a lab with which something isn't right is not used again."""
    scenario = SCENARIOS[name](next(SERIALS))
    room = await rooms.room(scenario.options)
    try:
        return await carry_out(room, scenario, kill)
    except BaseException:
        print(room.log.read_text())
        rooms.close()
        raise


@pytest.mark.parametrize("name", SCENARIOS)
async def test_every_checkpoint_is_a_case(rooms: Any, name: str) -> None:
    """Whoever adds a checkpoint adds it to ``resources/checkpoints.json``."""
    passed = await in_a_room(rooms, name, "")
    assert sorted(passed) == sorted(CHECKPOINTS[name]), json.dumps({name: passed}, indent=2)


@pytest.mark.parametrize(("name", "step"), cases())
async def test_killed(rooms: Any, name: str, step: str) -> None:
    await in_a_room(rooms, name, step)


async def test_no_process_is_left(rooms: Any) -> None:
    """The labs of the tests above, which died so often, leave nothing when the last one is stopped."""
    await rooms.stop()
