"""Board sessions: time, renewal, release, expiry, kick; and who sees what."""

import asyncio
import json
from typing import Any

import pytest

from jupyter_fpga.errors import Conflict, Forbidden, LabError, NotFound

NOBODY = "Nobody holds board 0: it has no active session. Submit a design to start one."
OTHERS = "Board 0 is held by somebody else. Submit your design to get a board of your own."


async def refused(kind: type[LabError], code: str, message: str, work: Any) -> None:
    with pytest.raises(kind) as caught:
        await work
    assert (caught.value.code, caught.value.message) == (code, message)


async def test_a_session_as_its_owner_and_as_others_see_it(lab: Any, people: Any) -> None:
    ann, ben, operator = people
    await lab.reserved()
    mine = await lab.fpga.session(ann, 0)
    assert mine == {
        "session_id": mine["session_id"],
        "fpga_id": 0,
        "owner": "ann",
        "created_at": "2023-11-14T22:13:20.000+00:00",
        "expires_at": "2023-11-14T23:13:20.000+00:00",
        "remaining_seconds": 3600.0,
        "registers_lost_at": None,
        "design": lab.fpga._floor.pool[0].manifest.digest,
    }
    secret = mine["session_id"]
    assert secret
    for other in (ben, operator):
        assert (await lab.fpga.session(other, 0))["session_id"] is None
        seen = [await lab.fpga.boards(other), await lab.fpga.board(other, 0), await lab.fpga.session(other, 0)]
        seen += [f async for f in _until_watermark(lab.fpga.events(other, 0))]
        seen += await lab.fpga.jobs(other)
        assert secret not in json.dumps(seen)
    # The digest of the design is told where the session is asked for.
    del mine["design"]
    assert (await lab.fpga.board(ann, 0))["session"] == mine


async def _until_watermark(frames: Any) -> Any:
    async for frame in frames:
        if frame["kind"] == "watermark":
            return
        yield frame


async def test_a_renewal_keeps_the_session_and_is_capped(make_lab: Any, people: Any) -> None:
    ann, ben, _ = people
    lab = await make_lab(session_ttl=100.0, max_renew=60.0, max_session=200.0).start()
    await lab.all_idle()
    await lab.reserved()
    first = await lab.fpga.session(ann, 0)
    lab.clock.advance(10)
    assert (await lab.fpga.renew(ann, 0))["remaining_seconds"] == 90.0
    lab.clock.advance(80)
    renewed = await lab.fpga.renew(ann, 0)
    assert (renewed["session_id"], renewed["remaining_seconds"]) == (first["session_id"], 60.0)
    lab.clock.advance(55)
    assert (await lab.fpga.renew(ann, 0))["remaining_seconds"] == 55.0
    await refused(Forbidden, "not_session_holder", OTHERS, lab.fpga.renew(ben, 0))
    await lab.stop()


async def test_a_renewed_session_ends_at_its_new_time(make_lab: Any, people: Any) -> None:
    ann, _, _ = people
    lab = await make_lab(session_ttl=100.0).start()
    await lab.all_idle()
    await lab.reserved()
    lab.clock.advance(90)
    await lab.fpga.renew(ann, 0)
    lab.clock.advance(3590)
    await asyncio.sleep(0)
    assert (await lab.fpga.board(ann, 0))["session"] is not None
    lab.clock.advance(10)
    await lab.state(0, "idle")
    await lab.stop()


async def test_the_lab_itself_releases_a_session_that_expires(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    lab.clock.advance(3599)
    assert (await lab.fpga.session(ann, 0))["remaining_seconds"] == 1.0
    lab.clock.advance(1)
    await refused(NotFound, "no_active_session", NOBODY, lab.fpga.session(ann, 0))
    await lab.state(0, "idle")
    (ended,) = await lab.events("session_ended")
    assert (ended["owner"], ended["reason"]) == ("ann", "expired")
    (reset,) = await lab.fpga.jobs(ann, type="reset")
    assert (reset["status"], reset["fpga_id"]) == ("complete", 0)


async def test_an_expired_session_allows_nothing_even_before_the_alarm_is_heard(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    lab.fpga._alarms.cancel()
    await asyncio.wait({lab.fpga._alarms})
    lab.clock.advance(3600)
    over = "The session on board 0 has ended. Submit your design again to get a board."
    await refused(Conflict, "session_ended", over, lab.fpga.run(ann, 0, [{"op": 2, "address": 0, "count": 1}]))
    await refused(Conflict, "session_ended", over, lab.fpga.open_stream(ann, 0))
    await refused(Conflict, "session_ended", over, lab.submit(fpga_id=0))
    for work in (lab.fpga.session(ann, 0), lab.fpga.renew(ann, 0), lab.fpga.release(ann, 0)):
        await refused(NotFound, "no_active_session", NOBODY, work)


async def test_release_frees_the_board_by_a_reset_job(lab: Any, people: Any) -> None:
    ann, ben, _ = people
    await refused(NotFound, "no_active_session", NOBODY, lab.fpga.release(ann, 0))
    await lab.reserved()
    await refused(Forbidden, "not_session_holder", OTHERS, lab.fpga.release(ben, 0))
    answer = await lab.fpga.release(ann, 0)
    assert answer == {"job_id": answer["job_id"], "fpga_id": 0, "status": "queued"}
    await refused(NotFound, "no_active_session", NOBODY, lab.fpga.release(ann, 0))
    assert (await lab.ended(answer["job_id"]))["status"] == "complete"
    await refused(NotFound, "no_active_session", NOBODY, lab.fpga.session(ann, 0))


async def test_a_release_cancels_the_next_design_and_the_runs_that_wait(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    lab.builds.hold = asyncio.Event()
    build = await lab.submit(text="class Next: ...", fpga_id=0)
    await lab.stage(build["job_id"], "building:")
    link = lab.links[-1]
    link.hold = asyncio.Event()
    on_bus = await lab.fpga.run(ann, 0, [{"op": "write", "register": "duty", "data": [1]}])
    waiting = await lab.fpga.run(ann, 0, [{"op": "write", "register": "duty", "data": [2]}])
    await link.holding.wait()
    release = await lab.fpga.release(ann, 0)
    for job in (build, waiting):
        ended = await lab.ended(job["job_id"])
        assert (ended["status"], ended["error"]["code"]) == ("cancelled", "session_ended")
    assert lab.builds.cancelled == ["class Next: ..."]
    # What is on the bus is finished first.
    assert (await lab.fpga.job(ann, on_bus["job_id"]))["status"] == "running"
    link.hold.set()
    assert (await lab.ended(on_bus["job_id"]))["status"] == "complete"
    assert (await lab.ended(release["job_id"]))["status"] == "complete"
    assert [operation.words for operation in link.log] == [(1,)]


async def test_kick_is_for_operators_and_audited(lab: Any, people: Any) -> None:
    ann, ben, operator = people
    await refused(NotFound, "no_active_session", NOBODY, lab.fpga.kick(operator, 0))
    await lab.reserved()
    await refused(
        Forbidden,
        "operator_only",
        "Only an operator may take a board from its holder. Ask one of this lab's operators.",
        lab.fpga.kick(ben, 0),
    )
    answer = await lab.fpga.kick(operator, 0)
    assert (await lab.ended(answer["job_id"]))["owner"] == "olga"
    (kicked,) = await lab.events("session_kicked", person=ann)
    assert (kicked["owner"], kicked["by"], kicked["fpga_id"]) == ("ann", "olga", 0)
    (ended,) = await lab.events("session_ended", person=ann)
    assert (ended["reason"], ended["by"]) == ("kicked", "olga")
    assert await lab.events("session_kicked", "session_ended", person=ben) == []


async def test_a_session_that_expires_while_its_next_design_is_programmed(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    lab.driver.hold = asyncio.Event()
    job = await lab.submit(text="class Next: ...", fpga_id=0)
    await lab.driver.holding.wait()
    busy = (
        "Board 0 can't be reset now: it is being programmed (state 'programming'). "
        "A reset is for boards in state 'reserved' or 'error'; a job that waits or builds can be cancelled instead."
    )
    await refused(Conflict, "fpga_not_resettable", busy, lab.fpga.release(ann, 0))
    lab.clock.advance(3600)
    lab.driver.hold.set()
    assert (await lab.ended(job["job_id"]))["status"] == "complete"
    await lab.state(0, "idle")
    assert (await lab.edges())[-2:] == ["reserved", "idle"]
