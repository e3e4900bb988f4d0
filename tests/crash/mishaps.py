"""What happens to a lab, or goes wrong, while it is killed on the way, and what must be true after it."""

import os
import signal
from typing import Any

from .scenarios import Held, Scenario


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
