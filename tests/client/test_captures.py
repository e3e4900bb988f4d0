"""Looking inside a design that runs, on a simulated board of a lab that runs."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from jupyter_fpga.client import BoardHandle, Conflict, Invalid, LabClient, LabError, NotTriggered
from jupyter_fpga.client.loop import across
from jupyter_fpga.waveform import Waveform

DESIGN = """
class Mode(enum.Enum, shape=2):
    IDLE = 0
    RUN = 1
    DONE = 2


class Inner(wiring.Component):
    go: In(1)
    mode: Out(Mode)
    ticks: Out(4)

    def elaborate(self, platform):
        m = Module()
        with m.If(self.go):
            m.d.sync += [self.mode.eq(Mode.RUN), self.ticks.eq(0)]
        with m.Elif(self.mode == Mode.RUN):
            m.d.sync += self.ticks.eq(self.ticks + 1)
            with m.If(self.ticks == 9):
                m.d.sync += self.mode.eq(Mode.DONE)
        return m


class Top(wiring.Component):
    duty: In(8)
    start: In(1)
    led: Out(1)
    count: Out(8)
    mode: Out(Mode)

    def elaborate(self, platform):
        m = Module()
        m.submodules.inner = inner = Inner()
        following = Signal(9)
        before = Signal()
        m.d.comb += following.eq(self.count + 1)
        m.d.sync += [self.count.eq(following), before.eq(self.start)]
        m.d.comb += [
            self.led.eq(self.count < self.duty),
            inner.go.eq(self.start & ~before),
            self.mode.eq(inner.mode),
        ]
        return m
"""


@pytest.fixture
def board(lab: LabClient) -> BoardHandle:
    return lab.submit(DESIGN).board().ready()


def test_around_a_value(board: BoardHandle) -> None:
    found = board.capture("count", trigger="count == 0x55", depth=64, pre=16)
    assert isinstance(found, Waveform)
    assert (found.names, found.trigger, found.end, found.ended) == (["count"], 16, 64, "complete")
    assert found["count"].samples() == list(range(0x45, 0x85))


def test_by_the_analyzer(lab: LabClient) -> None:
    board = lab.submit(DESIGN, probes=["count", "led", "mode"]).board().ready()
    assert board.artifact("analyzer.csv").decode() == (
        "config,None,data_width,32\nconfig,None,depth,1024\nconfig,None,samplerate,12000000\n"
        "signal,0,edge0,1\nsignal,0,edge1,1\nsignal,0,count,8\nsignal,0,led,1\nsignal,0,mode,2\n"
    )
    for pre in (0, 1, 3, 100):
        found = board.capture("count", trigger="count == 0x55", depth=128, pre=pre, via="analyzer")
        assert (found.trigger, found.end, found.first) == (pre, 128, None)
        assert found["count"].samples() == [(0x55 - pre + index) % 256 for index in range(128)]
    for every in (2, 7):
        found = board.capture("count", trigger="count == 0x55", depth=128, pre=10, every=every, via="analyzer")
        samples = found["count"].samples(every)
        assert [(b - a) % 256 for a, b in pairwise(samples)] == [every] * 127
        # The first sample at or after the trigger.
        assert found.trigger == 10 * every
        assert 0 <= samples[10] - 0x55 < every
    # A simulated board tells signals that were not built in; their analyzer doesn't.
    with pytest.raises(Invalid) as refused:
        board.capture("following", via="analyzer")
    assert refused.value.message == (
        f"Nothing is captured on board {board.fpga_id}: 'following' is not among the probes that were built in (count, "
        "led, mode); build the design with that probe too."
    )
    # Where both can, both see the same.
    board.regs.duty = 0x40
    for trigger in ("led falls", "led rises then led falls", "led changes and count == 0", ["count == 3", "led falls"]):
        by_trace = board.capture("count,led,mode", trigger=trigger, depth=300, pre=20)
        by_analyzer = board.capture("count,led,mode", trigger=trigger, depth=300, pre=20, via="analyzer")
        assert by_analyzer.at(20) == by_trace.at(20)
        assert [wave.changes for wave in by_analyzer] == [wave.changes for wave in by_trace]
    board.regs.start = 1
    # What it looks for comes by the bus, which stays open.
    with board.arm("mode", trigger="mode == RUN", depth=64, pre=4, via="analyzer") as armed:
        board.regs.start = 0
        board.regs.start = 1
        mode = armed.result()["mode"]
    assert mode.changes == [(0, 2), (4, 1), (14, 2)]
    assert [mode.label(time) for time in (0, 4, 14)] == ["DONE", "RUN", "DONE"]


def test_all_of_the_designs_own(board: BoardHandle) -> None:
    found = board.capture(depth=8)
    assert {"count", "led", "following", "inner.ticks", "inner.mode", "mode"} <= set(found.names)
    assert not {"clk", "inner.clk", "registers.ack", "wb_adr"} & set(found.names)
    assert found["inner.mode"].changes == [(0, 0)]
    assert found["mode"].label(0) == "IDLE"
    assert found.trigger is None
    assert isinstance(found.first, int)


def test_what_is_done_after_arming_is_seen(board: BoardHandle) -> None:
    with board.arm("count, inner.mode, soc.ctrl_scratch_storage", trigger={"start": "rising"}, pre=4) as armed:
        assert not armed.done()
        with pytest.raises(Conflict) as refused:
            board.capture("count")
        assert refused.value.message == (
            f"A capture of board {board.fpga_id} goes on already. Wait for it, or stop it."
        )
        board.regs.start = 1
        mode = armed.result()["inner.mode"]
    assert mode.changes[:3] == [(0, 0), (5, 1), (15, 2)]
    assert armed.done()


def test_a_trigger_that_never_comes(board: BoardHandle) -> None:
    with pytest.raises(NotTriggered) as missed:
        board.capture("count", trigger="start", timeout=0.2, depth=50)
    assert missed.value.message == (
        "The trigger was not met within 0.2 s. The exception's `waveform` has the last 50 samples before that."
    )
    counts = missed.value.waveform["count"].samples()
    assert [(b - a) % 256 for a, b in pairwise(counts)] == [1] * 49
    assert (missed.value.waveform.ended, missed.value.waveform.trigger) == ("timeout", None)


def test_stopped(board: BoardHandle) -> None:
    armed = board.arm("count", trigger="start", depth=32)
    found = armed.stop()
    assert (found.ended, found.trigger) == ("stopped", None)
    assert armed.result() is found


def test_the_analyzer_is_stopped_as_well(lab: LabClient) -> None:
    board = lab.submit(DESIGN, probes=["count", "start"]).board().ready()
    with pytest.raises(NotTriggered) as missed:
        board.capture("count", trigger="start", timeout=0.2, depth=100, pre=50, via="analyzer")
    counts = missed.value.waveform["count"].samples()
    assert 40 <= len(counts) <= 100
    assert [(b - a) % 256 for a, b in pairwise(counts)] == [1] * (len(counts) - 1)
    # A second of samples, cut short after the trigger.
    with board.arm("count", trigger="start", depth=1000, every=12_000, pre=2, via="analyzer") as armed:
        board.regs.start = 1
        found = armed.stop()
    assert found.ended == "stopped"
    # And it works as before.
    assert board.capture("count", trigger="count == 9", depth=10, pre=1, via="analyzer")["count"].at(1) == 9


async def test_awaited_and_cancelled(board: BoardHandle) -> None:
    task = asyncio.create_task(board.acapture("count", trigger="start", timeout=60))
    # It is under way as soon as the bench tells of it.
    while not (await across(board.lab.door.get(f"fpga/{board.fpga_id}/bench")))["capturing"]:
        pass
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # It was stopped, so that the next can begin.
    assert (await board.acapture("count", depth=4)).end == 4


def test_it_ends_with_the_design_and_with_the_session(lab: LabClient, board: BoardHandle) -> None:
    armed = board.arm("count", trigger="start", timeout=60)
    lab.submit(DESIGN.replace("== 9", "== 8"), board=board.fpga_id).wait()
    with pytest.raises(LabError) as replaced:
        armed.result()
    assert replaced.value.code == "design_replaced"
    board = lab.board()
    armed = board.arm("count", trigger="start", timeout=60)
    board.release()
    with pytest.raises(LabError) as ended:
        armed.result()
    assert ended.value.code in ("session_ended", "fpga_not_reserved", "no_capture")


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"signals": "cuont"}, "the design has no signal 'cuont'; the nearest is count."),
        ({"signals": []}, "no signals were named; name one, or leave signals out for all of the design's."),
        (
            {"signals": "count[3:0]"},
            "'count[3:0]' is a part of a signal; capture the whole, and take its bits then.",
        ),
        ({"depth": 0}, "depth takes a whole number from 1 to 1048576, not 0."),
        ({"depth": 8, "pre": 8, "trigger": "led"}, "pre takes a whole number from 0 to 7, not 8."),
        ({"pre": 3}, "samples before the trigger (pre) were asked for, and there is no trigger; give one."),
        ({"every": 0}, "every takes a whole number from 1 to 65536, not 0."),
        ({"timeout": 301.5}, "timeout takes seconds, up to 300, not 301.5."),
        (
            {"trigger": "count == 256"},
            "the value 256 doesn't fit 'count', which has 8 bits (0 to 255).",
        ),
        ({"trigger": "mode == STOP"}, "'mode' has no value called 'STOP'; it takes IDLE, RUN, DONE."),
        (
            {"trigger": "count rises"},
            "'count' has 8 bits, and only one bit can rise; write a bit, such as count[0], or wait for a change.",
        ),
        ({"trigger": "count[8] rises"}, "'count' has bits 0 to 7, and the trigger asks for bit 8."),
        ({"trigger": " and ".join(["led"] * 17)}, "a trigger has up to 16 steps, each with 1 to 16 conditions."),
        ({"via": "analyzer"}, "its design was built without probes; build it with them, as in `%%fpga --probe count`."),
    ],
)
def test_refusals(lab: LabClient, wanted: dict[str, Any], why: str) -> None:
    board = lab.submit(DESIGN).board().ready()
    with pytest.raises(Invalid) as refused:
        board.capture(**wanted)
    assert (refused.value.code, refused.value.message) == (
        "capture_rejected",
        f"Nothing is captured on board {board.fpga_id}: {why}",
    )


def test_more_than_an_analyzer_can(lab: LabClient) -> None:
    board = lab.submit(DESIGN, probes=["count", "led", "start"]).board().ready()
    for wanted, why in (
        (
            {"trigger": ["led rises", "led falls", "start changes"]},
            "the trigger looks for 3 different edges, and the analyzer tells 2 apart; look for levels or values in "
            "their place.",
        ),
        (
            {"trigger": "count == 1 and count == 2"},
            "one step of the trigger asks for two values of the same bits; none can be met.",
        ),
        ({"depth": 1021}, "depth takes a whole number from 1 to 1020, not 1021."),
    ):
        with pytest.raises(Invalid) as refused:
            board.capture(via="analyzer", **wanted)
        assert refused.value.message == f"Nothing is captured on board {board.fpga_id}: {why}"
