"""The whole floor over boards on a desk: real builds, a real program in the programmer's place, the real link."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.compute import Sandbox, Source
from jupyter_fpga.errors import Forbidden, LabError
from jupyter_fpga.fpga.config import BoardConfig, FpgaConfig, SubmitOptions
from jupyter_fpga.fpga.service import Fpga
from jupyter_fpga.people import Person
from jupyter_fpga.store import Store

from ..workbench import Workbench  # noqa: TID252 - the tests are no package
from .conftest import ANN, OPERATOR, crash
from .desk import Desk, board
from .test_real_boards import DESIGN

PATIENCE = 10

SOURCE = Source({"design.py": DESIGN.encode()}, "design.py")


class DeskLab:
    """A lab with a desk, which can die while the boards go on."""

    def __init__(self, folder: Path, cache: Path, boards: tuple[BoardConfig, ...], **config: Any) -> None:
        self.folder = folder
        self.cache = cache
        self.config = FpgaConfig(
            boards=boards, reset_backoff=(0.0,), watermark_seconds=0.01, plugged_in_wait=0.0, **config
        )
        self.desk = Desk(folder)
        self.store: Store
        self.fpga: Fpga

    async def start(self) -> None:
        self.store = await Store.open(f"sqlite:///{self.folder}/lab.sqlite")
        self.bench = Workbench(self.cache, Sandbox.probe())
        builds = await self.bench.start()
        await builds.prepare()
        self.desk.listen_again()
        self.desk.bus.start()
        driver = self.desk.driver(return_seconds=1.0)
        self.fpga = Fpga(
            store=self.store,
            builds=builds,
            drivers={"serial": driver},
            desk=driver,
            config=self.config,
            data_dir=self.folder,
        )
        await self.fpga.start()

    async def die(self) -> None:
        assert self.fpga._watch is not None
        self.fpga._watch.cancel()
        await asyncio.wait({self.fpga._watch})
        await crash(self.fpga)
        await self._close()

    async def stop(self) -> None:
        await self.fpga.stop()
        await self._close()
        self.desk.clear()

    async def _close(self) -> None:
        self.desk.bus.stop()
        await self.bench.stop()
        await self.store.close()

    async def until(self, what: Callable[[dict[str, Any]], bool], fpga_id: int = 0) -> dict[str, Any]:
        """Wait until a board is as wanted."""
        frames = self.fpga.events(OPERATOR, 0)
        async with asyncio.timeout(PATIENCE):
            async for _ in frames:
                found = next((b for b in await self.fpga.boards(OPERATOR) if b["fpga_id"] == fpga_id), None)
                if found is not None and what(found):
                    await frames.aclose()
                    return found
        raise AssertionError("the log ended")

    async def state(self, state: str, health: str = "ok", fpga_id: int = 0) -> dict[str, Any]:
        return await self.until(lambda b: (b["state"], b["health"]) == (state, health), fpga_id)

    async def ended(self, job: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """A job's record and log, once it has ended."""
        log = [text async for _, text in self.fpga.follow_logs(OPERATOR, job["job_id"])]
        return await self.fpga.job(OPERATOR, job["job_id"]), log

    async def submit(self, person: Person = ANN, fpga_id: int | None = 0, **options: Any) -> Any:
        return await self.ended(await self.fpga.submit(person, SOURCE, SubmitOptions(**options), fpga_id))

    async def step(self, value: int | None = None) -> list[int]:
        """Write the design's register, if a value is given, and read it."""
        transactions: list[dict[str, Any]] = [{"op": "read", "register": "step"}]
        if value is not None:
            transactions.insert(0, {"op": "write", "register": "step", "data": [value]})
        job = await self.fpga.run(ANN, 0, transactions)
        record, _ = await self.ended(job)
        assert record["status"] == "complete", record
        found: list[int] = (await self.fpga.result(ANN, job["job_id"]))["data"]
        return found

    async def history(self, fpga_id: int = 0) -> list[tuple[str, str | None]]:
        """What a board has gone through, the oldest first."""
        found = await self.fpga.board_health(OPERATOR, fpga_id)
        return [(entry["kind"], entry["reason"]) for entry in reversed(found["history"])]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where builds are kept from one lab to the next."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
async def make_lab(tmp_path: Path, cache: Path) -> AsyncIterator[Callable[..., DeskLab]]:
    """Makes labs, which end with the test."""
    made: list[DeskLab] = []

    def make(*boards: BoardConfig, **config: Any) -> DeskLab:
        lab = DeskLab(tmp_path, cache, boards, **config)
        made.append(lab)
        return lab

    yield make
    for lab in made:
        await lab.stop()


@pytest.fixture
async def lab(make_lab: Callable[..., DeskLab]) -> DeskLab:
    """A lab with one board, which is plugged in and idle."""
    lab = make_lab(board(serial="A1"))
    lab.desk.plug("1-1", quietly=True)
    await lab.start()
    await lab.state("idle")
    return lab


PROVEN = "The base SoC was programmed and proven."


async def test_the_main_job_and_a_crash(lab: DeskLab) -> None:
    job, log = await lab.submit()
    assert job["status"] == "complete", (job, log)
    assert "Parse file DONE" in log
    assert await lab.step(3) == [3]
    session = await lab.fpga.session(ANN, 0)

    # The board goes on, and the next lab finds it by its identity and its identifier, with its registers as they were.
    await lab.die()
    await lab.start()
    assert (await lab.fpga.session(ANN, 0))["session_id"] == session["session_id"]
    assert await lab.step() == [3]

    # While no lab is there somebody unplugs it and plugs it in: the design is programmed again.
    await lab.die()
    lab.desk.unplug("1-1")
    lab.desk.plug("1-1")
    await lab.start()
    assert (await lab.fpga.session(ANN, 0))["session_id"] == session["session_id"]
    assert await lab.step() == [0]
    await lab.fpga.release(ANN, 0)
    await lab.state("idle")
    assert await lab.history() == [("reset", PROVEN)] * 2


async def test_a_board_that_is_unplugged_and_comes_back(lab: DeskLab) -> None:
    job, _ = await lab.submit()
    assert job["status"] == "complete"
    lab.desk.unplug("1-1")
    found = await lab.state("error", "unplugged")
    gone = (
        "Board 0 (simulated, serial A1) is not plugged in: no USB device 0403:6010 is it. Plug it in; the lab resets "
        "it by itself then."
    )
    assert (found["reason"], found["owner"], found["session"]) == (gone, None, None)
    # The lab leaves it alone, and says so to whoever wants one like it.
    await lab.fpga.settled()
    with pytest.raises(LabError) as caught:
        await lab.submit(fpga_id=None)
    assert caught.value.message == (
        "No board of target 'simulated' works: all 1 that would do are unplugged. Somebody has to plug one in; nothing "
        "is wrong with your design."
    )
    with pytest.raises(LabError) as caught:
        await lab.submit()
    assert caught.value.message == (
        "Board 0 can't take a design now: it is not plugged in (state 'error'). Submit without a board number to get "
        "the next one that is free."
    )
    assert (lab.fpga.health()["ok"], lab.fpga.health()["reason"]) == (
        False,
        "No board works: each is unplugged or quarantined. Plug one in, or have an operator clear one.",
    )
    # In another socket it is the same board.
    lab.desk.plug("1-4")
    await lab.state("idle")
    kinds = [kind for kind, _ in await lab.history()]
    assert kinds[0] == "reset"
    assert [kind for kind in kinds[1:] if kind not in ("failed", "reset_failed")] == [
        *["unplugged"] * kinds.count("unplugged"),
        "plugged_in",
        "reset",
    ]
    job, _ = await lab.submit()
    assert job["status"] == "complete"


async def test_an_idle_board_that_is_pulled_and_put_back_in_one_go(lab: DeskLab) -> None:
    lsn = lab.store.events.latest
    place = lab.desk.sysfs / "bus/usb/devices/1-1"
    place.unlink()
    lab.desk.stop("1:4")
    lab.desk.plug("1-1")
    frames = lab.fpga.events(OPERATOR, lsn)
    async with asyncio.timeout(PATIENCE):
        async for frame in frames:
            if frame["kind"] == "board_state" and frame["state"] == "idle":
                break
    await frames.aclose()
    assert await lab.history() == [
        ("reset", PROVEN),
        (
            "failed",
            "Board 0 (simulated, serial A1) was unplugged and plugged in again, and what it ran is gone. The lab "
            "resets it.",
        ),
        ("reset", PROVEN),
    ]


async def test_programming_that_fails_ends_in_a_state_and_a_sentence(lab: DeskLab) -> None:
    desk = lab.desk
    # The cable is pulled while it is programmed …
    desk.goes_wrong({"unplug": True, "say": "usb bulk write failed", "status": 1})
    job, log = await lab.submit()
    pulled = (
        "Board 0 (simulated, serial A1) was unplugged while it was being programmed. Plug it in again; the lab resets "
        "it by itself then."
    )
    error = job["error"]
    assert (error["code"], error["stage"], error["reason"], log[-1]) == (
        "board_unplugged",
        "programming",
        pulled,
        pulled,
    )
    assert (await lab.state("error", "unplugged"))["reason"] == pulled
    desk.plug("1-1")
    await lab.state("idle")
    # … and then it is another chip than the design was built for.
    wrong = "mismatch between target's idcode and bitstream idcode\n\tbitstream has 0x1 hardware requires 0x2"
    desk.goes_wrong({"say": wrong, "status": 0})
    job, _ = await lab.submit()
    sentence = (
        "Board 0 (simulated, serial A1) has another chip: the design was built for one with IDCODE 0x1, and the one "
        "that is there has 0x2. Plug in a board of the right kind, or change its target in the lab's configuration."
    )
    assert (job["error"]["code"], job["error"]["reason"]) == ("wrong_board", sentence)
    await lab.state("idle")
    assert (await lab.history())[-4:] == [
        ("plugged_in", "It was plugged in again."),
        ("reset", PROVEN),
        ("failed", sentence),
        ("reset", PROVEN),
    ]


async def test_a_reset_is_tried_again_with_a_power_cycle_and_then_given_up(lab: DeskLab) -> None:
    await lab.submit()
    desk, config = lab.desk, board(serial="A1", power_cycle=lab.desk.power_command("1:4"))
    unit = lab.fpga._floor.pool[0]
    unit.driver = desk.driver().of(config)
    desk.goes_wrong({"say": "usb bulk write failed", "status": 1}, {})
    job, log = await lab.ended(await lab.fpga.reset(ANN, 0))
    assert job["status"] == "complete"
    again = next(line for line in log if line.endswith("Trying again with a power cycle."))
    assert log[log.index(again) + 1] == f"Power cycle: {' '.join(config.hardware.power_cycle)}"
    assert log[-1] == "The base SoC is programmed and proven."
    assert desk.calls[-2] == ["power", "1:4"]
    await lab.state("idle")

    # It fails again and again: first as it is, then with a power cycle, three times in a row.
    await lab.submit()
    failed = {"say": "JTAG init failed with: TDO is stuck at 0", "status": 1}
    desk.goes_wrong(*[failed, {}, failed] * 3)
    await lab.fpga.release(ANN, 0)
    found = await lab.state("error", "quarantined")
    silent = (
        "The adapter of board 0 (simulated, serial A1) answers, but no FPGA behind it does. Check that the board has "
        "power and that nothing else is on its JTAG pins, and reset it."
    )
    assert found["reason"] == silent
    assert (await lab.history())[-4:] == [*[("reset_failed", silent)] * 3, ("quarantined", silent)]
    # Not even its cable brings it back: that is for an operator.
    desk.unplug("1-1")
    name = desk.plug("1-1")
    unit.driver = desk.driver().of(dataclasses.replace(config, hardware=board(serial="A1").hardware))
    assert name == "1:5"
    await lab.ended(await lab.fpga.clear(OPERATOR, 0))
    await lab.state("idle")
    assert [kind for kind, _ in await lab.history()][-2:] == ["cleared", "reset"]


ONLY_AN_OPERATOR = (
    "Only an operator may write a board's flash: what is in it stays when the board is given back. Submit without "
    "flash, or ask one of this lab's operators."
)


async def test_flash_is_asked_for(lab: DeskLab) -> None:
    with pytest.raises(Forbidden) as forbidden:
        await lab.submit(flash=True)
    assert (forbidden.value.code, forbidden.value.message) == ("forbidden", ONLY_AN_OPERATOR)
    job, log = await lab.submit(OPERATOR, flash=True)
    assert job["status"] == "complete"
    assert "Writing to the flash of 0403:6010 serial A1 at port 1-1." in log
    assert [call["argv"][-2] for call in lab.desk.calls] == ["-m", "-f"]
    await lab.fpga.release(OPERATOR, 0)
    await lab.state("idle")
    # The lab's own design goes into the FPGA alone.
    assert lab.desk.calls[-1]["argv"][-2] == "-m"
    with pytest.raises(LabError) as caught:
        await lab.fpga.build(ANN, SOURCE, SubmitOptions(flash=True))
    assert (caught.value.code, caught.value.message) == (
        "flash_not_possible",
        "A build without a board writes no flash. Submit the design to a board, or leave flash out.",
    )


async def test_the_doctor(lab: DeskLab) -> None:
    found = await lab.fpga.examine(OPERATOR, 0)
    manifest = next(iter(lab.desk.calls))
    assert manifest["argv"][-2] == "-m"
    assert (found["broken"], found["verdict"]) == (None, "Nothing is wrong with board 0.")
    assert [(check["link"], check["state"]) for check in found["checks"]] == [
        ("power", "ok"),
        ("programmer", "ok"),
        ("uart", "ok"),
        ("identifier", "ok"),
        ("scratch", "ok"),
        ("bus_errors", "ok"),
    ]
    assert found["checks"][3]["found"].startswith("it runs jupyter_fpga simulated ")
    assert found["checks"][5]["found"] == "it counts: 0 before an access to nothing, 1 after it"

    # A person's design is only looked at.
    await lab.submit()
    await lab.step(5)
    found = await lab.fpga.examine(OPERATOR, 0)
    assert found["broken"] is None
    assert found["checks"][5]["found"] == "0 since it was programmed; not tried, since a design runs"
    assert await lab.step() == [5]
    await lab.fpga.release(ANN, 0)
    await lab.state("idle")

    # Its UART falls silent.
    lab.desk.stop("1:4")
    found = await lab.fpga.examine(OPERATOR, 0)
    assert found["broken"] == "uart"
    assert found["verdict"].startswith("The UART of board 0 is broken: ")
    assert [check["state"] for check in found["checks"]] == ["ok", "ok", "broken", "skipped", "skipped", "skipped"]
    assert found["checks"][3]["found"] == "not looked at, since the UART comes before it"
    assert (await lab.history())[-1] == ("examined", found["verdict"])

    # And it is gone altogether.
    lab.desk.unplug("1-1")
    await lab.state("error", "unplugged")
    found = await lab.fpga.examine(OPERATOR, 0)
    assert found["verdict"] == (
        "Power of board 0 is broken: Board 0 (simulated, serial A1) is not plugged in: no USB device 0403:6010 is it. "
        "Plug it in; the lab resets it by itself then."
    )


async def test_boards_are_found_and_found_again(make_lab: Callable[..., DeskLab]) -> None:
    lab = make_lab(discover=("simulated",))
    lab.desk.plug("1-1", serial=None, quietly=True)
    await lab.start()
    await lab.state("idle")
    # One that is plugged in later joins the pool, and gets designs.
    lab.desk.plug("1-2", serial="B2")
    await lab.state("idle", fpga_id=1)
    job, _ = await lab.submit(fpga_id=1)
    assert job["status"] == "complete"
    # Each comes back as itself, whatever is there when the lab starts again.
    lab.desk.unplug("1-1")
    await lab.state("error", "unplugged", 0)
    await lab.die()
    await lab.start()
    assert [(b["fpga_id"], b["health"]) for b in await lab.fpga.boards(OPERATOR)] == [(0, "unplugged"), (1, "ok")]
    assert (await lab.fpga.board(ANN, 1))["owner"] == "ann"
    lab.desk.plug("1-1", serial=None)
    await lab.state("idle", fpga_id=0)
    lab.desk.plug("1-5", serial="C3")
    await lab.state("idle", fpga_id=2)
