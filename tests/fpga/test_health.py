"""The health history of a board, and the doctor."""

import asyncio
from typing import Any

import pytest

from jupyter_fpga.errors import Conflict, Forbidden, LabError, NotFound, Unavailable
from jupyter_fpga.fpga.wishbone import LinkBusy, LinkLost, ProofFailed

PROVEN = "The base SoC was programmed and proven."
BROKEN = "The simulator does not start."


async def refused(kind: type[LabError], code: str, message: str, work: Any) -> None:
    with pytest.raises(kind) as caught:
        await work
    assert (caught.value.code, caught.value.message) == (code, message)


def told(found: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(entry["kind"], entry["reason"]) for entry in found["history"]]


# The history


async def test_a_board_remembers_what_it_has_gone_through(lab: Any, people: Any) -> None:
    ann, _, operator = people
    lab.driver.failures = [Unavailable(BROKEN, code="driver_error")]
    job = await lab.ended((await lab.submit(fpga_id=0))["job_id"])
    await lab.state(0, "idle")
    await lab.fpga.quarantine(operator, 0, "Its LED is loose.")
    await lab.ended((await lab.fpga.clear(operator, 0))["job_id"])
    found = await lab.fpga.board_health(operator, 0)
    assert {name: found[name] for name in ("fpga_id", "state", "health", "reason", "reset_failures")} == {
        "fpga_id": 0,
        "state": "idle",
        "health": "ok",
        "reason": None,
        "reset_failures": 0,
    }
    assert told(found) == [
        ("reset", PROVEN),
        ("cleared", None),
        ("quarantined", "Its LED is loose."),
        ("reset", PROVEN),
        ("failed", BROKEN),
        ("reset", PROVEN),
    ]
    assert [entry["person"] for entry in found["history"]] == [None, "olga", "olga", None, None, None]
    assert found["history"][4]["job_id"] == job["job_id"]
    assert found["history"][0]["time"] == "2023-11-14T22:13:20.000+00:00"
    # Everybody may know how a board is, but not which operator it was.
    assert {entry["person"] for entry in (await lab.fpga.board_health(ann, 0))["history"]} == {None}
    # The other board has a history of its own.
    assert told(await lab.fpga.board_health(ann, 1)) == [("reset", PROVEN)]


async def test_the_history_comes_in_pages_and_outlives_the_lab(lab: Any, people: Any) -> None:
    ann, _, _ = people
    for _ in range(2):
        await lab.reserved()
        await lab.released()
    everything = (await lab.fpga.board_health(ann, 0))["history"]
    assert [entry["kind"] for entry in everything] == ["reset"] * 3
    first = (await lab.fpga.board_health(ann, 0, limit=2))["history"]
    rest = (await lab.fpga.board_health(ann, 0, limit=2, before=first[-1]["lsn"]))["history"]
    assert first + rest == everything
    await lab.crash()
    await lab.start()
    assert (await lab.fpga.board_health(ann, 0))["history"] == everything


async def test_failed_resets_are_in_it_each_with_its_reason(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    lab.driver.broken = True
    lsn = lab.store.events.latest
    await lab.fpga.release(ann, 0)
    for _ in range(3):
        failed = await lab.until(lambda f: f["kind"] == "board_health" and f["what"] == "reset_failed", lsn)
        lsn = failed["lsn"]
        lab.clock.advance(20)
    await lab.until(lambda f: f["kind"] == "board_quarantined")
    assert told(await lab.fpga.board_health(ann, 0))[:4] == [
        ("quarantined", BROKEN),
        ("reset_failed", BROKEN),
        ("reset_failed", BROKEN),
        ("reset_failed", BROKEN),
    ]


async def test_the_health_of_no_board(lab: Any, people: Any) -> None:
    message = "There is no board 7; this lab has boards 0, 1."
    await refused(NotFound, "fpga_not_found", message, lab.fpga.board_health(people[0], 7))


# The doctor


def states(found: dict[str, Any]) -> dict[str, str]:
    return {check["link"]: check["state"] for check in found["checks"]}


def said(found: dict[str, Any], link: str) -> str:
    return next(str(check["found"]) for check in found["checks"] if check["link"] == link)


LINKS = ["power", "programmer", "uart", "identifier", "scratch", "bus_errors"]


async def test_a_board_that_is_well(lab: Any, people: Any) -> None:
    _, _, operator = people
    found = await lab.fpga.examine(operator, 0)
    assert (found["broken"], found["verdict"]) == (None, "Nothing is wrong with board 0.")
    assert states(found) == dict.fromkeys(LINKS, "ok")
    assert said(found, "identifier") == "it runs jupyter_fpga simulated base"
    assert said(found, "bus_errors") == "it counts: 0 before an access to nothing, 1 after it"
    # Its link is closed again, and nothing is in the history.
    assert lab.links[-1].lost is not None
    assert [kind for kind, _ in told(await lab.fpga.board_health(operator, 0))] == ["reset"]


async def test_a_board_with_a_design_is_only_looked_at(lab: Any, people: Any) -> None:
    _, _, operator = people
    await lab.reserved()
    link = lab.links[-1]
    found = await lab.fpga.examine(operator, 0)
    assert found["broken"] is None
    assert said(found, "bus_errors") == "0 since it was programmed; not tried, since a design runs"
    assert link.lost is None
    assert all(operation.words is None for operation in link.log)


@pytest.mark.parametrize("ailing", ["power", "programmer", "uart"])
async def test_what_is_behind_a_broken_link_is_not_looked_at(lab: Any, people: Any, ailing: str) -> None:
    _, _, operator = people
    lab.driver.ailing = ailing
    found = await lab.fpga.examine(operator, 1)
    names = {"power": "Power", "programmer": "The programmer", "uart": "The UART"}
    verdict = f"{names[ailing]} of board 1 is broken: it is not well."
    assert (found["broken"], found["verdict"]) == (ailing, verdict)
    place = LINKS.index(ailing)
    assert list(states(found).values()) == ["ok"] * place + ["broken"] + ["skipped"] * (5 - place)
    name = names[ailing][0].lower() + names[ailing][1:]
    assert said(found, "bus_errors") == f"not looked at, since {name} comes before it"
    history = (await lab.fpga.board_health(operator, 1))["history"]
    assert (history[0]["kind"], history[0]["reason"], history[0]["person"]) == ("examined", verdict, "olga")


class _Refusing:
    """A board's link whose proof ends in an error."""

    def __init__(self, link: Any, error: LabError) -> None:
        self._link = link
        self._error = error

    async def prove(self, identifier: str) -> None:
        raise self._error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._link, name)


@pytest.mark.parametrize(
    ("error", "broken", "expected"),
    [
        (
            ProofFailed("The board answered as another.", code="identifier_mismatch"),
            "identifier",
            ["ok", "ok", "ok", "broken", "skipped", "skipped"],
        ),
        (
            ProofFailed("The scratch register read wrong.", code="scratch_mismatch"),
            "scratch",
            ["ok", "ok", "ok", "ok", "broken", "skipped"],
        ),
        (LinkLost("it didn't answer."), "uart", ["ok", "ok", "broken", "skipped", "skipped", "skipped"]),
        (LinkBusy("a capture"), None, ["ok", "ok", "ok", "skipped", "skipped", "skipped"]),
    ],
)
async def test_a_proof_that_fails(
    lab: Any, people: Any, error: LabError, broken: str | None, expected: list[str]
) -> None:
    _, _, operator = people
    await lab.reserved()
    unit = lab.fpga._floor.pool[0]
    unit.link = _Refusing(unit.link, error)
    found = await lab.fpga.examine(operator, 0)
    assert found["broken"] == broken
    assert list(states(found).values()) == expected
    if broken is None:
        assert found["verdict"] == "Nothing is wrong with board 0, as far as could be looked."
        assert said(found, "scratch") == "its link is held exclusively for a capture; ask again when that is done"
    else:
        assert said(found, broken) == error.message.rstrip(".")


async def test_a_counter_that_does_not_count(lab: Any, people: Any) -> None:
    _, _, operator = people
    link = lab.links[-1].__class__
    original = link.__init__

    def stuck(self: Any, *given: Any) -> None:
        original(self, *given)
        self.counts = 0

    link.__init__ = stuck
    try:
        found = await lab.fpga.examine(operator, 0)
    finally:
        link.__init__ = original
    assert found["verdict"] == (
        "The bus-error counter of board 0 is broken: it went from 0 to 0 by one access to nothing; reset the board."
    )


async def test_who_may_ask_and_when(lab: Any, people: Any) -> None:
    ann, _, operator = people
    message = "Only an operator may examine a board. Ask one of this lab's operators."
    await refused(Forbidden, "operator_only", message, lab.fpga.examine(ann, 0))
    lab.builds.hold = asyncio.Event()
    await lab.submit(fpga_id=0)
    await lab.state(0, "building")
    message = (
        "Board 0 can't be examined now: it waits for a build that runs (state 'building'). Ask again when that is done."
    )
    await refused(Conflict, "fpga_not_examinable", message, lab.fpga.examine(operator, 0))
    lab.builds.hold.set()
    await lab.state(0, "reserved")
    await lab.fpga.settled()
    lab.driver.hold = asyncio.Event()
    await lab.fpga.release(ann, 0)
    await lab.driver.holding.wait()
    message = "Board 0 can't be examined now: it is being reset. Ask again when that is done."
    await refused(Conflict, "fpga_not_examinable", message, lab.fpga.examine(operator, 0))
    lab.driver.hold.set()
    await lab.state(0, "idle")


async def test_a_board_that_was_never_programmed(make_lab: Any, people: Any) -> None:
    _, _, operator = people
    lab = make_lab(1)
    lab.driver.broken = True
    await lab.start()
    await lab.fpga.settled()
    await lab.state(0, "error")
    found = await lab.fpga.examine(operator, 0)
    assert said(found, "identifier") == "the lab has programmed nothing onto it yet; reset the board"
    assert found["verdict"] == "Nothing is wrong with board 0, as far as could be looked."
    await lab.stop()


# Flash


async def test_flash_is_for_boards_that_have_one(lab: Any, people: Any) -> None:
    ann, _, operator = people
    message = "Boards of target 'simulated' have no flash that the lab can write. Submit without flash."
    for fpga_id in (0, None):
        await refused(LabError, "flash_not_possible", message, lab.submit(operator, fpga_id=fpga_id, flash=True))
    lab.driver.flashed = []
    # Somebody else's design would start with the next person's board.
    message = (
        "Only an operator may write a board's flash: what is in it stays when the board is given back. Submit without "
        "flash, or ask one of this lab's operators."
    )
    for fpga_id in (0, None):
        await refused(Forbidden, "forbidden", message, lab.submit(ann, fpga_id=fpga_id, flash=True))
    # Nor by submitting again to a board that one holds already.
    await lab.reserved(ann)
    await refused(Forbidden, "forbidden", message, lab.submit(ann, fpga_id=0, flash=True))
    await lab.released()
    assert lab.driver.flashed == []
    await lab.reserved(operator, flash=True)
    assert len(lab.driver.flashed) == 1
    await lab.released(person=operator)
    # A reset puts the lab's own design into the FPGA, not into the flash.
    assert len(lab.driver.flashed) == 1
