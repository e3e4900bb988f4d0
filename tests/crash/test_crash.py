"""``kill -9`` of the lab at each step of each job: nothing is lost, nothing is done twice, nothing is stuck."""

import itertools
import json
import os
import signal
from pathlib import Path
from typing import Any, ClassVar

import pytest

SERIALS = itertools.count(1)
"""Numbers that tell scenarios apart."""


class Scenario:
    """Something that people do, or that happens to a lab, and what must be true after it was killed on the way."""

    options: ClassVar[tuple[str, ...]] = ("--boards=2",)
    lose: ClassVar[tuple[str, ...]] = ()
    """Checkpoints at which the board that was programmed last dies."""
    since = ""
    """The first checkpoint that counts."""
    once: ClassVar[tuple[str, ...]] = ("run progress",)
    """Steps whose number isn't always the same: the first counts."""

    def __init__(self, serial: int) -> None:
        self.serial = serial
        self.taken: list[str] = []
        """Jobs that the lab has acknowledged."""

    async def prepare(self, room: Any) -> None:
        """Bring about what the scenario begins with."""
        await room.release_all()

    async def act(self, room: Any) -> None:
        """Do it, to its end."""
        raise NotImplementedError

    async def restarted(self, room: Any) -> None:
        """What the person does when the lab is there again."""

    async def check(self, room: Any) -> None:
        """What is true once everything has come to rest."""
        raise NotImplementedError


class Submitted(Scenario):
    """Designs that are submitted with an idempotency key: whoever got no answer asks again, and gets one job."""

    path: ClassVar[str]

    async def submit(self, room: Any) -> None:
        body = {"source": room.ledger_text, "idempotency_key": f"{self.path} {self.serial}", **self.fields()}
        job_id = (await room.call("POST", self.path, body))["job_id"]
        if job_id not in self.taken:
            self.taken.append(job_id)

    def fields(self) -> dict[str, Any]:
        return {}

    async def act(self, room: Any) -> None:
        await self.submit(room)
        await room.done(self.taken[0])

    async def restarted(self, room: Any) -> None:
        await self.submit(room)

    async def check(self, room: Any) -> None:
        (job_id,) = self.taken
        job = await room.done(job_id)
        key = f"{self.path} {self.serial}"
        ((response,),) = room.stored("SELECT response FROM idempotency WHERE key = ?", key)
        assert json.loads(response)["job_id"] == job_id
        if job["type"] == "build_and_program":
            board = await room.board(job["fpga_id"])
            assert board["state"] == "reserved"
            assert await room.serial(job["fpga_id"]) == self.fields().get("params", {}).get("SERIAL", 0)
            assert await room.ledger(job["fpga_id"]) == (0, 0)
            assert sum(b["state"] == "reserved" for b in await room.settled()) == 1


class Build(Submitted):
    """A build without a board; each has to be done."""

    path = "/build"

    def fields(self) -> dict[str, Any]:
        return {"params": {"SERIAL": 1000 + self.serial}}


class Submit(Submitted):
    path = "/fpga/0/submit"


class SubmitAny(Submitted):
    path = "/submit"


class Resubmit(Submitted):
    """The holder's next design."""

    path = "/fpga/0/submit"

    def fields(self) -> dict[str, Any]:
        return {"params": {"SERIAL": 1}}

    async def prepare(self, room: Any) -> None:
        await room.release_all()
        await room.done(await room.submit(0))
        self.session = (await room.board())["session"]["session_id"]

    async def check(self, room: Any) -> None:
        await super().check(room)
        assert (await room.board())["session"]["session_id"] == self.session


class Held(Scenario):
    """Scenarios of somebody who holds board 0 and has written to it."""

    async def prepare(self, room: Any) -> None:
        if (await room.settled())[0]["state"] != "reserved":
            await room.release_all()
            await room.done(await room.submit(0))
        await room.done(await room.write([self.serial]))
        self.before = await room.ledger()
        self.session = (await room.board())["session"]["session_id"]
        self.process = room.processes_of_boards()[0]
        ((self.lsn,),) = room.stored("SELECT max(lsn) FROM events")

    async def untouched(self, room: Any, ledger: tuple[int, int] | None = None) -> None:
        """The session is the same, on the same board, whose ledger is what it was."""
        board = await room.board()
        assert (board["state"], board["session"] and board["session"]["session_id"]) == ("reserved", self.session)
        assert room.processes_of_boards()[0] == self.process
        assert await room.ledger() == (ledger or self.before)


class Run(Held):
    """Two runs, the second while the first is under way."""

    batches: ClassVar[list[list[int]]] = [[7], [8]]

    async def act(self, room: Any) -> None:
        for batch in self.batches:
            self.taken.append(await room.write(batch))
        for job_id in self.taken:
            await room.done(job_id)

    async def check(self, room: Any) -> None:
        runs = room.stored(
            "SELECT job_id, status, request, error FROM jobs WHERE lsn > ? AND type = 'run' ORDER BY lsn", self.lsn
        )
        assert {job_id for job_id, *_ in runs} >= set(self.taken)
        possible = [list(values) for values in itertools.product(*(_done(*run[1:]) for run in runs))]
        expected = {room.after(self.before, [value for values in runs for value in values]) for runs in possible}
        found = await room.ledger()
        assert found in expected, f"{found}, after {runs}"
        await self.untouched(room, found)


def _done(status: str, request: str, error: str) -> list[list[int]]:
    """What a run may have written."""
    values = [transaction["data"][0] for transaction in json.loads(request)["transactions"]]
    if status == "complete":
        return [values]
    failure = json.loads(error)
    assert (status, failure["code"]) == ("failed", "outcome_unknown")
    done, total = failure["done"], failure["total"]
    assert total == len(values)
    assert failure["reason"] == (
        f"The lab stopped while this ran: {done} of {total} transactions are known to be done, and the others may or "
        "may not have been carried out. Read back what matters before you go on."
    )
    return [values[:count] for count in range(done, total + 1)]


class RunBatch(Run):
    """One run with many transactions."""

    batches: ClassVar[list[list[int]]] = [list(range(1000))]


class Freed(Held):
    """Ways to give a board back."""

    path: ClassVar[str]

    async def act(self, room: Any) -> None:
        self.taken.append((await room.call("POST", self.path))["job_id"])
        await room.done(self.taken[0])

    async def check(self, room: Any) -> None:
        resets = room.stored("SELECT status FROM jobs WHERE lsn > ? AND type = 'reset'", self.lsn)
        if self.taken or resets:
            assert resets == [("complete",)]
            assert (await room.board())["state"] == "idle"
        else:
            await self.untouched(room)


class Release(Freed):
    path = "/fpga/0/session/release"


class Reset(Freed):
    path = "/fpga/0/reset"


class Kick(Freed):
    path = "/fpga/0/session/kick"


class PowerCycle(Freed):
    """A reset whose board dies, and that tries again."""

    path = "/fpga/0/reset"
    lose = ("reset:after driver",)


class ResetFails(Freed):
    """A reset that comes to nothing; the lab tries again by itself."""

    path = "/fpga/0/reset"
    lose = ("reset:after driver", "power cycle:after driver")

    async def act(self, room: Any) -> None:
        self.taken.append((await room.call("POST", self.path))["job_id"])
        await room.final(self.taken[0])
        room.calm()

    async def check(self, room: Any) -> None:
        if self.taken or room.stored("SELECT status FROM jobs WHERE lsn > ? AND type = 'reset'", self.lsn):
            assert (await room.board())["state"] == "idle"
        else:
            await self.untouched(room)


class Expiry(Scenario):
    """A session's time runs out."""

    options = ("--boards=2", "--session-ttl=0.5")
    since = "expire:before commit#1"

    async def act(self, room: Any) -> None:
        self.taken.append(await room.submit(0))
        await room.done(self.taken[0])
        await room.idle()

    async def check(self, room: Any) -> None:
        await room.done(self.taken[0])
        await room.idle()
        assert room.stored("SELECT end_reason FROM board_sessions WHERE job_id = ?", self.taken[0]) == [("expired",)]


class Renew(Held):
    async def act(self, room: Any) -> None:
        self.renewed = None
        self.renewed = (await room.call("POST", "/fpga/0/session/renew"))["expires_at"]

    async def check(self, room: Any) -> None:
        await self.untouched(room)
        if self.renewed:
            assert (await room.board())["session"]["expires_at"] == self.renewed


class Cancel(Scenario):
    """Jobs are cancelled: two that build, and one that waits for them."""

    async def prepare(self, room: Any) -> None:
        await room.release_all()
        endless = "import time\n" + room.ledger_text + "\ntime.sleep(1000 + SERIAL)\n"
        self.cancelled: list[str] = []
        for serial, path in enumerate(("/fpga/0/submit", "/submit", "/build")):
            params = {"SERIAL": 10 * self.serial + serial}
            self.taken.append((await room.call("POST", path, {"source": endless, "params": params}))["job_id"])
        for job_id in self.taken[:2]:
            await room.stage(job_id, "building", "elaborate")

    async def act(self, room: Any) -> None:
        for job_id in reversed(self.taken):
            await room.call("DELETE", f"/jobs/{job_id}")
            self.cancelled.append(job_id)

    async def restarted(self, room: Any) -> None:
        for job_id in self.taken:
            status = (await room.call("GET", f"/jobs/{job_id}"))["status"]
            assert status in (("cancelled",) if job_id in self.cancelled else ("cancelled", "queued", "running"))
            if status != "cancelled":
                await room.call("DELETE", f"/jobs/{job_id}")

    async def check(self, room: Any) -> None:
        for job_id in self.taken:
            assert (await room.final(job_id))["status"] == "cancelled"
        assert [board["state"] for board in await room.settled()] == ["idle", "idle"]


class BuildFails(Scenario):
    """A design with a mistake."""

    async def act(self, room: Any) -> None:
        wrong = {"source": f"{room.ledger_text}\nraise ValueError({self.serial})\n"}
        self.taken.append((await room.call("POST", "/fpga/0/submit", wrong))["job_id"])
        await room.final(self.taken[0])

    async def check(self, room: Any) -> None:
        for job_id in self.taken:
            job = await room.final(job_id)
            assert (job["status"], job["error"]["stage"]) == ("failed", "elaborate")
        assert (await room.board())["state"] == "idle"


class ProgramFails(Scenario):
    """A board that dies while it is programmed."""

    lose = ("program:after driver",)

    async def act(self, room: Any) -> None:
        self.taken.append(await room.submit(0))
        await room.final(self.taken[0])
        await room.idle()

    async def check(self, room: Any) -> None:
        state = (await room.board())["state"]
        for job_id in self.taken:
            job = await room.final(job_id)
            if job["status"] == "complete":
                assert state == "reserved"
            else:
                assert (job["status"], job["error"]["stage"], state) == ("failed", "programming", "idle")


class BoardDies(Held):
    """The board of a session dies."""

    async def act(self, room: Any) -> None:
        os.kill(self.process, signal.SIGKILL)
        await room.idle()

    async def check(self, room: Any) -> None:
        board = await room.board()
        if board["state"] == "reserved":
            # The lab died before it noticed: then the next one programs the same design again.
            assert board["session"]["session_id"] == self.session
            assert await room.ledger() == (0, 0)
        else:
            assert board["state"] == "idle"


class Restart(Held):
    """A lab whose boards died with the one before it."""

    async def act(self, room: Any) -> None:
        await room.kill()
        for process in room.processes_of_boards().values():
            os.kill(process, signal.SIGKILL)
        await room.start()
        await room.settled()

    async def check(self, room: Any) -> None:
        one, other = await room.settled()
        assert (one["state"], one["session"]["session_id"], other["state"]) == ("reserved", self.session, "idle")
        assert await room.ledger() == (0, 0)
        kind = "SELECT count(*) FROM events WHERE kind = 'registers_lost' AND lsn > ?"
        assert room.stored(kind, self.lsn)[0][0] >= 1


class FirstStart(Scenario):
    """A lab that is started for the first time."""

    options = ("--boards=1",)

    async def prepare(self, room: Any) -> None:
        await room.stop()
        room.wipe()

    async def act(self, room: Any) -> None:
        await room.start()
        await room.settled()

    async def check(self, room: Any) -> None:
        assert [board["state"] for board in await room.settled()] == ["idle"]


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
