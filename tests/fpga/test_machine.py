"""Boards, jobs and sessions against the table, whatever people and faults do in whatever order."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from jupyter_fpga.errors import LabError, Unavailable
from jupyter_fpga.fpga import states

BOARDS = st.sampled_from([0, 1])
ANY_BOARD = st.sampled_from([None, 0, 1])
PEOPLE = st.sampled_from([0, 1])
RARELY = st.sampled_from([False, False, False, True])
TEXTS = st.sampled_from(["A", "B", "C", "FAIL"])
READ = {"op": 2, "address": 0, "count": 1}

EXPECTED = {
    "fpga_not_idle",
    "fpga_not_reserved",
    "fpga_not_resettable",
    "job_not_cancellable",
    "no_active_session",
    "no_healthy_board",
    "not_quarantined",
    "not_session_holder",
    "session_ended",
}
"""What may be refused in the course of these rules."""


def machine(make_lab: Callable[..., Any], people: Any) -> type[RuleBasedStateMachine]:
    """The machine over labs of the tests' own."""

    class Machine(RuleBasedStateMachine):
        @initialize()
        def start(self) -> None:
            self.runner = asyncio.Runner()
            self.folder = tempfile.TemporaryDirectory()
            self.lab = make_lab(folder=Path(self.folder.name))
            self.accepted: list[str] = []
            self.run(self.lab.start())
            self.run(self.settle())

        def run(self, coroutine: Any) -> Any:
            return self.runner.run(coroutine)

        async def settle(self) -> None:
            """Let every job go on as far as it can: until nothing has happened for some rounds of all threads."""
            store, floor = self.lab.store, self.lab.fpga._floor
            quiet = 0
            while quiet < 3:
                latest = store.events.latest
                await store.write(lambda tx: None)
                await asyncio.to_thread(lambda: None)
                quiet = quiet + 1 if store.events.latest == latest and not floor._writes else 0

        def attempt(self, coroutine: Any, settle: bool = True) -> Any:
            """Carry it out, or be refused for a reason of the table."""
            try:
                answer = self.run(coroutine)
            except LabError as refusal:
                if refusal.code not in EXPECTED:
                    raise
                return None
            if settle:
                self.run(self.settle())
            return answer

        def accept(self, coroutine: Any, settle: bool = True) -> None:
            answer = self.attempt(coroutine, settle)
            if answer is not None:
                self.accepted.append(answer["job_id"])

        # What people do

        def holder(self, fpga_id: int, other: bool) -> Any:
            """Who holds the board, or somebody else."""
            owner = self.run(self.lab.fpga.board(people[2], fpga_id))["owner"]
            return people[(owner == "ben") != other]

        @rule(person=PEOPLE, fpga_id=ANY_BOARD, text=TEXTS)
        def submit(self, person: int, fpga_id: int | None, text: str) -> None:
            self.accept(self.lab.submit(people[person], f"class {text}: ...", fpga_id))

        @rule(fpga_id=BOARDS, text=TEXTS)
        def submit_next(self, fpga_id: int, text: str) -> None:
            self.accept(self.lab.submit(self.holder(fpga_id, False), f"class {text}: ...", fpga_id))

        @rule(fpga_id=BOARDS, count=st.integers(1, 3), other=RARELY)
        def run_jobs(self, fpga_id: int, count: int, other: bool) -> None:
            person = self.holder(fpga_id, other)
            for _ in range(count):
                self.accept(self.lab.fpga.run(person, fpga_id, [READ, READ]), settle=False)

        @rule(fpga_id=BOARDS, other=RARELY)
        def release(self, fpga_id: int, other: bool) -> None:
            self.accept(self.lab.fpga.release(self.holder(fpga_id, other), fpga_id))

        @rule(fpga_id=BOARDS, other=RARELY)
        def reset(self, fpga_id: int, other: bool) -> None:
            self.accept(self.lab.fpga.reset(self.holder(fpga_id, other), fpga_id))

        @rule(fpga_id=BOARDS, other=RARELY)
        def renew(self, fpga_id: int, other: bool) -> None:
            self.attempt(self.lab.fpga.renew(self.holder(fpga_id, other), fpga_id))

        @rule(fpga_id=BOARDS)
        def kick(self, fpga_id: int) -> None:
            self.accept(self.lab.fpga.kick(people[2], fpga_id))

        @rule(fpga_id=BOARDS)
        def quarantine(self, fpga_id: int) -> None:
            self.attempt(self.lab.fpga.quarantine(people[2], fpga_id))

        @rule(fpga_id=BOARDS)
        @precondition(lambda self: any(unit.quarantined for unit in self.lab.fpga._floor.pool))
        def clear(self, fpga_id: int) -> None:
            self.accept(self.lab.fpga.clear(people[2], fpga_id))

        @rule(back=st.integers(1, 4))
        def cancel(self, back: int) -> None:
            if len(self.accepted) >= back:
                self.attempt(self.lab.fpga.cancel(people[2], self.accepted[-back]))

        # What happens to them

        @rule(hold=st.booleans())
        def builds(self, hold: bool) -> None:
            if self.lab.builds.hold is not None:
                self.lab.builds.hold.set()
            self.lab.builds.hold = asyncio.Event() if hold else None
            self.run(self.settle())

        @rule(failures=st.integers(1, 3))
        def faults(self, failures: int) -> None:
            fault = Unavailable("The simulator does not start.", code="driver_error")
            self.lab.driver.failures = [fault] * failures

        @rule(which=st.integers(0, 1))
        def lose(self, which: int) -> None:
            running = sorted(self.lab.driver.running)
            if len(running) > which:
                self.run(self.kill(running[which]))
                self.run(self.settle())

        async def kill(self, pid: int) -> None:
            self.lab.driver.kill(pid)
            await asyncio.sleep(0)

        @rule(seconds=st.sampled_from([1, 20, 3600]))
        def time(self, seconds: int) -> None:
            self.run(self.advance(seconds))

        async def advance(self, seconds: float) -> None:
            self.lab.clock.advance(seconds)
            for _ in range(20):
                await asyncio.sleep(0)
            await self.settle()

        @rule()
        def crash(self) -> None:
            self.run(self.lab.crash())
            self.run(self.lab.start())
            self.run(self.settle())

        @rule()
        def restart(self) -> None:
            self.run(self.lab.stop())
            assert self.lab.driver.running == {}
            self.run(self.lab.start())
            self.run(self.settle())

        # What holds all the time

        @invariant()
        def boards_are_as_they_say(self) -> None:
            for board in self.run(self.lab.fpga.boards(people[2])):
                state, session, job = board["state"], board["session"], board["current_job_id"]
                assert (session is not None) <= (state in ("reserved", "programming"))
                if state == "idle":
                    assert (board["owner"], job, board["reason"], board["health"]) == (None, None, None, "ok")
                elif state == "reserved" and session is None:
                    assert self.run(self.lab.fpga.job(people[2], job))["type"] == "reset"
                elif state == "reserved":
                    assert board["owner"] == session["owner"]
                elif state in ("queued", "building"):
                    assert board["owner"] is not None
                    assert self.run(self.lab.fpga.job(people[2], job))["status"] in ("queued", "running")
                if board["health"] == "quarantined":
                    assert state == "error"

        @invariant()
        def every_edge_is_in_the_table(self) -> None:
            board_edges = {(edge.source, edge.cause, edge.target) for edge in states.BOARD_EDGES}
            job_edges = {(edge.source, edge.target) for edge in states.JOB_EDGES}
            now = {0: "error", 1: "error"}
            statuses: dict[str, str] = {}
            for frame in self.run(self.lab.events("board_state", "job_status")):
                if frame["kind"] == "job_status":
                    before = statuses.get(frame["job_id"])
                    moved = before is not None and before != frame["status"]
                    assert not moved or (before, frame["status"]) in job_edges
                    statuses[frame["job_id"]] = frame["status"]
                elif "cause" in frame:
                    assert (frame["from"], frame["cause"], frame["state"]) in board_edges
                    assert now[frame["fpga_id"]] == frame["from"]
                    now[frame["fpga_id"]] = frame["state"]
                else:
                    assert now[frame["fpga_id"]] == frame["state"]

        def teardown(self) -> None:
            if not hasattr(self, "lab"):
                return
            self.lab.driver.failures = []
            self.builds(False)
            # With time, every accepted job ends, and no board hangs.
            for _ in range(40):
                self.run(self.advance(3600))
                ends = {self.run(self.lab.fpga.job(people[2], job_id))["status"] for job_id in self.accepted}
                boards = self.run(self.lab.fpga.boards(people[2]))
                rest = all(board["state"] == "idle" or board["health"] == "quarantined" for board in boards)
                if ends <= states.FINISHED and rest:
                    break
            self.run(self.lab.stop())
            self.runner.close()
            self.folder.cleanup()
            assert ends <= states.FINISHED
            assert rest

    return Machine


def test_boards_jobs_and_sessions_keep_to_the_table(make_lab: Callable[..., Any], people: Any) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine(make_lab, people),
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
