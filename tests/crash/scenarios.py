"""What people do with a lab that is killed on the way, and what must be true after it."""

import itertools
import json
from typing import Any, ClassVar


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
