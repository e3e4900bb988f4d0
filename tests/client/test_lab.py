"""The client against a lab that runs: submit, wait, registers, batch, bench, session, refusals."""

import asyncio
import json
import random

import pytest

import jupyter_fpga
from jupyter_fpga.client import (
    Conflict,
    Forbidden,
    Invalid,
    JobCancelled,
    JobFailed,
    LabClient,
    LabError,
    NotFound,
    TimedOut,
)
from jupyter_fpga.client.errors import AccessFailed
from jupyter_fpga.client.live import LiveLink

DESIGN = """
class Mode(enum.Enum, shape=2):
    OFF = 0
    SLOW = 1
    FAST = 2


class Status(data.Struct):
    busy: 1
    level: 3


class Top(wiring.Component):
    duty: In(8)  # On-time of the LED.
    mode: In(Mode)
    offset: In(signed(12))
    total: In(48)
    doubled: Out(49)
    status: Out(Status)
    led: Out(1)
    count: Out(8)
    buttons: In(4)
    presses: Out(8)
    switches: In(8)

    def elaborate(self, platform):
        m = Module()
        before = Signal(4)
        m.d.sync += [self.count.eq(self.count + 1), before.eq(self.buttons)]
        with m.If((self.buttons & ~before).any()):
            m.d.sync += self.presses.eq(self.presses + 1)
        m.d.comb += [
            self.led.eq(self.count < self.duty),
            self.doubled.eq(self.total * 2),
            self.status.busy.eq(self.mode != Mode.OFF),
            self.status.level.eq(self.duty[5:]),
        ]
        return m
"""

BROKEN = "class Top(wiring.Component):\n    led: Out(1)\n    def elaborate(self, platform):\n        return 1 / 0\n"

SLOW = "import time\ntime.sleep(600)\n"


@pytest.fixture
def board(lab):
    return lab.submit(DESIGN).board()


def test_from_source_to_registers(lab, board):
    board.regs.duty = 40
    assert board.regs.duty.value == 40
    board.regs.mode = "FAST"
    assert board.regs.mode.value == "FAST"
    assert board.regs.status.busy == 1
    assert board.regs.status.level == 1
    board.regs.offset = -5
    assert board.regs.offset == -5
    board.regs.total = 0xABCD_1234_5678
    assert board.regs.doubled.value == 2 * 0xABCD_1234_5678
    assert "On-time of the LED." in repr(board.regs)
    assert board.job.status == "complete"
    assert board.held()
    assert lab.held() == [board.fpga_id]
    assert lab.boards()[board.fpga_id]["state"] == "reserved"


def test_words_by_offset(board):
    offset = board.regs.duty.info.offset
    board.write(offset, [7])
    assert board.read(offset) == [7]
    board.write(offset, 8)
    assert board.read(offset, 1, fixed=True) == [8]


def test_a_batch_over_the_live_path(board):
    with board.batch() as b:
        b.regs.duty = 1
        first = b.regs.duty
        b.regs.duty = 2
        second = b.regs.duty
    assert (first.value, second.value) == (1, 2)


SCATTERED = """
class Top(Elaboratable):
    def __init__(self):
        self.wb_cyc = Signal()
        self.wb_stb = Signal()
        self.wb_we = Signal()
        self.wb_adr = Signal(10)
        self.wb_dat_w = Signal(32)
        self.wb_sel = Signal(4)
        self.wb_dat_r = Signal(32)
        self.wb_ack = Signal()

    def elaborate(self, platform):
        m = Module()
        written = Signal(32)
        # Each word is a number of its own, and 0 is how often something was written. Nobody answers for word 777.
        access = self.wb_cyc & self.wb_stb & ~self.wb_ack & (self.wb_adr != 777)
        m.d.sync += [
            self.wb_ack.eq(access),
            self.wb_dat_r.eq(Mux(self.wb_adr == 0, written, (self.wb_adr << 20) | (self.wb_adr * 3))),
        ]
        with m.If(access & self.wb_we):
            m.d.sync += written.eq(written + 1)
        return m
"""


def test_a_batch_of_many_scattered_reads(lab):
    board = lab.submit(SCATTERED).board()
    chance = random.Random(3)
    words = [word for word in (chance.randrange(1, 1024) for _ in range(2100)) if word != 777][:2000]
    with board.batch() as b:
        answers = [b.read(4 * word) for word in words]
    assert [answer.value for answer in answers] == [[(word << 20) | 3 * word] for word in words]
    assert len(words) == 2000


def test_a_batch_ends_at_what_the_board_does_not_answer(lab):
    board = lab.submit(SCATTERED).board()
    batch = board.batch()
    for _ in range(5):
        batch.write(4, 1)
    batch.read(4 * 777)
    for _ in range(5):
        batch.write(4, 1)
    with pytest.raises(AccessFailed) as failure, batch:
        pass
    assert str(failure.value) == (
        "The read of address 0x30000c24 (operation 0) was not answered on the bus: nothing is mapped there, or the "
        "design didn't acknowledge it in time."
    )
    assert failure.value.detail == {"offset": 4 * 777}
    assert board.read(0) == [5]


def test_a_batch_with_what_can_not_be_is_not_begun(board):
    offset = board.regs.duty.info.offset
    board.regs.duty = 3
    batch = board.batch()
    batch.write(offset, 1)
    batch.write(offset, 256)
    with pytest.raises(AccessFailed) as failure, batch:
        pass
    assert str(failure.value) == (
        "Nothing was sent to the board: the value 0x100 doesn't fit 'duty', which has 8 bits at 0x0."
    )
    assert board.regs.duty == 3


def test_the_same_over_jobs_when_no_websocket_passes(lab, board):
    class NoWebSocket(type(lab.door)):
        async def websocket(self, path, **query):
            if path.endswith("/stream"):
                raise NotFound("a proxy's page", code="not_a_lab")
            return await super().websocket(path, **query)

    lab.door.__class__ = NoWebSocket
    board.regs.duty = 9
    with board.batch() as b:
        b.regs.total = 5
        duty, doubled = b.regs.duty, b.regs.doubled
    assert (duty.value, doubled.value) == (9, 10)
    assert {job["type"] for job in lab.jobs(limit=2)} == {"run"}
    with pytest.raises(Conflict) as refusal:
        board.stream()
    assert str(refusal.value) == (
        "Nothing here lets a WebSocket pass to the lab; registers are accessed by jobs instead."
    )


async def test_every_operation_has_an_awaitable_twin(lab):
    job = await lab.asubmit(DESIGN)
    board = (await job).board()
    await board.aready()
    await board.regs.duty.awrite(3)
    assert await board.aread(board.regs.duty.info.offset) == [3]
    async with board.batch() as b:
        b.regs.duty = 4
    assert await board.await_for("duty", 4) == 4
    assert (await board.asession())["fpga_id"] == board.fpga_id
    assert await board.leds.aread() in (0, 1)
    await (await board.arelease())
    assert not await board.aheld()


async def test_many_at_once_share_the_live_path(board):
    await board.aready()
    values = await asyncio.gather(*(board.regs.doubled.aread() for _ in range(200)))
    assert set(values) == {0}


def test_leds_buttons_and_switches(board):
    board.regs.duty = 64
    # 1,024 turns of an 8-bit counter.
    assert board.leds.brightness(1024 * 256 / 12e6)[0] == pytest.approx(0.25, abs=0.01)
    board.regs.duty = 0
    assert board.leds[0] == 0
    assert list(board.leds) == [0] * 8
    assert repr(board.leds) == "LEDs 0…7: ○ ○ ○ ○ ○ ○ ○ ○"
    board.buttons[1].press()
    assert board.regs.presses == 1
    board.buttons[2].hold()
    assert repr(board.buttons[2]) == "<Button 2: down>"
    board.buttons[2].let_go()
    assert not board.buttons[2].down()
    board.switches.value = 5
    assert board.regs.switches == 5
    board.switches[1] = 1
    assert board.switches.value == 7
    assert repr(board.switches) == "switches 0…7: on on on off off off off off"
    with pytest.raises(Invalid) as refusal:
        board.buttons[4]
    assert str(refusal.value) == "The bench has buttons 0 to 3; got 4."


ECHO = """
class Top(wiring.Component):
    uart: Out(wiring.Signature({"tx": Out(1), "rx": In(1)}))

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.uart.tx.eq(self.uart.rx)
        return m
"""


def test_the_console(lab):
    board = lab.submit(ECHO).board()
    board.uart.write("hello, ")
    board.uart.write("wörld\n")
    assert board.uart.read_until("\n") == "hello, wörld\n"
    assert board.uart.read() == ""
    with pytest.raises(TimedOut) as refusal:
        board.uart.read_until("more", timeout=0.1)
    assert str(refusal.value) == "The console didn't say 'more' within 0.1 s; the last that it said was ''."


def test_waiting_for_a_value(board):
    board.regs.duty = 40
    assert board.wait_for("duty") == 40
    assert board.wait_for("duty", 40) == 40
    assert board.wait_for("duty", lambda value: value > 30) == 40
    assert board.wait_for("status.level", 1) == 1
    with pytest.raises(TimedOut) as refusal:
        board.wait_for("duty", 41, timeout=0.05)
    assert str(refusal.value) == "“duty” was not 41 within 0.05 s; it was 40 last."


@pytest.mark.parametrize(
    ("do", "message"),
    [
        (lambda b: b.read(2), "The window takes byte offsets 0x0 to {last} in steps of 4; got 1 word at 0x2."),
        (
            lambda b: b.read(0x10000, 2),
            "The window takes byte offsets 0x0 to {last} in steps of 4; got 2 words at 0x10000.",
        ),
        (lambda b: b.read(0, 0), "The window takes byte offsets 0x0 to {last} in steps of 4; got 0 words at 0x0."),
        (lambda b: b.write(0, [1 << 32]), "A word takes 0 to 0xffffffff; got 0x100000000."),
    ],
)
def test_an_access_that_can_not_be_is_refused_before_it_is_sent(board, do, message):
    last = f"{board.manifest.window.size - 4:#x}"
    with pytest.raises(Invalid) as refusal:
        do(board)
    assert str(refusal.value) == message.format(last=last)


def test_a_board_that_is_released_is_not_used_any_more(lab, board):
    board.regs.duty = 1
    fpga_id = board.fpga_id
    board.release().wait()
    assert lab.boards()[fpga_id]["state"] == "idle"
    with pytest.raises((Conflict, Forbidden)) as refusal:
        board.regs.duty = 2
    assert refusal.value.code in ("fpga_not_reserved", "not_session_holder")
    assert "Values not read" in repr(board.regs)
    assert "the board was given back; run the design's cell again to get one" in repr(board)


def test_a_reprogrammed_board_keeps_its_session(lab, board):
    before = board.session()
    job = lab.submit(DESIGN.replace("duty", "level_of_led"), board=board.fpga_id).wait()
    again = job.board()
    assert again.regs.level_of_led == 0
    assert again.session()["session_id"] == before["session_id"]


@pytest.mark.parametrize("way", ["live", "jobs"])
def test_a_handle_whose_board_got_another_design_is_not_used_any_more(lab, board, way, monkeypatch):
    if way == "jobs":

        async def nothing_lets_a_websocket_pass(*args, **options):
            raise LabError("This isn't a lab.", code="not_a_lab")

        monkeypatch.setattr(LiveLink, "open", nothing_lets_a_websocket_pass)
    board.regs.duty = 12
    # From another notebook or a terminal of the same person; what was `duty` is at the same offset now.
    again = lab.submit(DESIGN.replace("duty", "level_of_led"), board=board.fpga_id).wait().board()
    again.regs.level_of_led = 7
    message = (
        f"Board {board.fpga_id} has been programmed with another design since, from another notebook or terminal; "
        "nothing was read or written. Run this design's cell again, or take up the new design with "
        f"“%fpga attach {board.fpga_id}”."
    )
    for use in (lambda: int(board.regs.duty), lambda: setattr(board.regs, "duty", 3)):
        with pytest.raises(Conflict) as refusal:
            use()
        assert (refusal.value.code, str(refusal.value)) == ("design_replaced", message)
    assert "the board runs another design by now" in repr(board)
    assert again.regs.level_of_led == 7
    # The design that it knows is back.
    lab.submit(DESIGN, board=board.fpga_id).wait()
    assert board.regs.duty == 0


def test_a_handle_comes_back_by_the_boards_number(lab, board):
    board.regs.duty = 12
    found = lab.board()
    assert found.fpga_id == board.fpga_id
    assert found.regs.duty == 12
    assert lab.board(board.fpga_id).regs.duty == 12
    other = next(number for number in range(4) if number != board.fpga_id)
    with pytest.raises(NotFound) as refusal:
        lab.board(other)
    assert str(refusal.value) == f"You don't hold board {other}; submit a design to get one."


def test_no_board_and_several_boards(lab):
    with pytest.raises(NotFound) as refusal:
        lab.board()
    assert str(refusal.value) == "You hold no board; submit a design to get one."
    boards = sorted([lab.submit(DESIGN).board().fpga_id, lab.submit(DESIGN).board().fpga_id])
    with pytest.raises(Conflict) as refusal:
        lab.board()
    assert (
        str(refusal.value)
        == f"You hold boards {boards[0]}, {boards[1]}; say which one: --board N, or board=N in Python."
    )


def test_renewing_puts_the_end_further(board):
    before = board.session()
    after = board.renew()
    assert after["session_id"] == before["session_id"]
    assert after["expires_at"] >= before["expires_at"]


def test_a_build_without_a_board(lab):
    job = lab.build(DESIGN).wait()
    assert job.fpga_id is None
    assert job.manifest().top == "Top"
    assert {register.name for register in job.manifest().registers} >= {"duty", "mode"}
    assert json.loads(job.artifact("csr.json"))
    assert len(job.artifact("bitstream")) > 1000
    report = job.report()
    assert report.data
    assert list(report.seconds) == ["elaborate", "synthesize", "compile"]
    assert set(report.cached) <= set(report.seconds)
    assert report.to_json() == {**report.data, "stages": report.stages}
    again = lab.build(DESIGN, use_cache=False).wait().report()
    assert again.cached == []
    assert min(again.seconds.values()) > 0
    assert repr(report).startswith("report\n")
    assert repr(lab.build(DESIGN).wait().report()) == repr(report)
    assert repr(job) == "<Job build: complete>"


def test_a_bundle_from_a_folder(lab, tmp_path):
    (tmp_path / "design.py").write_text(
        "from helper import WIDTH\nclass Top(wiring.Component):\n    x: In(WIDTH)\n"
        "    def elaborate(self, platform):\n        return Module()\n"
    )
    (tmp_path / "helper.py").write_text("WIDTH = 5\n")
    assert lab.build(tmp_path).wait().manifest().registers[0].width == 5


def test_parameters_and_clock(lab):
    text = (
        "WIDTH = 8\nclass Top(wiring.Component):\n    x: In(WIDTH)\n"
        "    def elaborate(self, platform):\n        return Module()\n"
    )
    manifest = lab.build(text, params={"WIDTH": 3}, clock=24e6).wait().manifest()
    assert manifest.registers[0].width == 3
    assert manifest.clock_hz == 24_000_000


def test_a_build_that_fails_names_stage_line_and_reason(lab):
    job = lab.build(BROKEN)
    with pytest.raises(JobFailed) as failure:
        job.wait()
    assert str(failure.value) == "ZeroDivisionError: division by zero."
    assert failure.value.code == "elaboration_failed"
    assert failure.value.detail["line"] == 4
    assert failure.value.detail["stage"] == "elaborate"
    assert job.status == "failed"


def test_the_log_is_there_and_can_be_followed(lab):
    job = lab.build(DESIGN, use_cache=False)
    followed = "".join(job.follow_logs())
    job.wait()
    assert followed
    assert followed.replace("\n", "") == job.logs().replace("\n", "")


async def test_changes_are_told_until_the_end(lab):
    job = await lab.abuild(DESIGN, use_cache=False)
    seen = [record["status"] async for record in job.changes()]
    assert seen[-1] == "complete"
    assert len(seen) > 1


def test_a_job_is_cancelled(lab):
    job = lab.build(SLOW)
    with pytest.raises(TimedOut) as refusal:
        job.wait(timeout=0.01)
    assert str(refusal.value) == (
        f"The job is still {job.status} after 0.01 s; it goes on: wait for it again, or cancel it."
    )
    job.cancel()
    with pytest.raises(JobCancelled):
        job.wait()
    with pytest.raises(Conflict) as refusal:
        job.cancel()
    assert refusal.value.code == "job_not_cancellable"


def test_events_are_told_without_gaps(lab):
    start = lab.jobs(limit=1)[0]["lsn"] if lab.jobs(limit=1) else 0
    job = lab.build(DESIGN).wait()
    seen = []
    for event in lab.events(since=start):
        seen.append(event)
        if event.get("job_id") == job.id and event["lsn"] >= job.refresh().record["lsn"]:
            break
    numbers = [event["lsn"] for event in seen]
    assert numbers == sorted(set(numbers))


def test_another_persons_key_is_needed(served_lab):
    with LabClient(served_lab.url, "wrong") as stranger, pytest.raises(Forbidden) as refusal:
        stranger.boards()
    assert refusal.value.code == "not_signed_in"


def test_the_lab_says_what_it_is(lab):
    assert lab.version()["version"] == jupyter_fpga.__version__
    assert lab.health()["ok"]
    assert [target["name"] for target in lab.targets() if target["boards"]] == ["simulated"]
    assert lab.alive()
    assert repr(lab) == f"<LabClient {lab.url}>"
    assert "simulated" in repr(lab.boards())
    assert "<table>" in lab.boards()._repr_html_()


def test_an_unknown_job(lab):
    with pytest.raises(NotFound) as refusal:
        lab.job("00000000-0000-0000-0000-000000000000")
    assert refusal.value.code == "job_not_found"


def test_the_health_of_a_board(lab, board):
    found = lab.board_health(board.fpga_id, limit=1)
    assert (found["state"], found["health"], found["history"][0]["kind"]) == ("reserved", "ok", "reset")
    older = lab.board_health(board.fpga_id, before=found["history"][0]["lsn"])["history"]
    assert all(entry["lsn"] < found["history"][0]["lsn"] for entry in older)


def test_the_doctor(lab, board):
    found = lab.examine(board.fpga_id)
    assert (found["broken"], [check["state"] for check in found["checks"]]) == (None, ["ok"] * 6)


def test_flash_that_is_not_there(lab):
    with pytest.raises(Invalid) as caught:
        lab.submit("class Top:\n    pass\n", flash=True)
    assert caught.value.code == "flash_not_possible"


def test_a_board_handle_shows_what_it_is(board):
    board.ready()
    board.name = "pwm"
    assert repr(board) == (
        "board      pwm\n"
        "─────────  ──────────────────────────────────────────────────────────────────────────────────\n"
        "design     Top\n"
        "target     simulated\n"
        "clock      12 MHz\n"
        "registers  duty, mode, offset, total, doubled, status, led, count, buttons, presses, switches\n"
        "pins       led, buttons, switches"
    )


def test_a_handle_takes_no_attribute_that_looks_like_a_register(lab):
    handle = lab.submit(DESIGN).board()
    with pytest.raises(Invalid) as caught:
        handle.duty = 40
    assert (caught.value.code, caught.value.message) == (
        "no_such_attribute",
        "A board handle has no “duty” to set. A register is set by `board.regs.duty = …`.",
    )
    handle.release().wait()
