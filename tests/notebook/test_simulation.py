"""``%%fpga --sim`` in a real shell against a lab that runs."""

import re
from pathlib import Path

import pytest
from IPython.core.completer import provisionalcompleter

from jupyter_fpga.client import JobFailed
from jupyter_fpga.waveform import Waveform

COUNTER = """class State(enum.Enum, shape=2):
    IDLE = 0
    RUN = 1

class Top(wiring.Component):
    enable: In(1)
    setting: In(data.StructLayout({"low": 4, "state": State}))
    count: Out(8)

    def elaborate(self, platform):
        m = Module()
        with m.If(self.enable):
            m.d.sync += self.count.eq(self.count + 1)
        return m
"""
BENCH = """
async def testbench(ctx):
    ctx.set(dut.enable, 1)
    await ctx.tick().repeat(3)
    print("counted to", ctx.get(dut.count))
    assert ctx.get(dut.count) == 3
"""


def test_a_testbench_is_run_and_leaves_its_waveform(shell):
    shown = shell.run(f"%%fpga --sim\n{COUNTER}{BENCH}")
    said = "_wave: Top (simulation, 12 MHz): testbench passes in 3 clock cycles.\n"
    drawn = (
        "Waveform: 3 signals, 4 cycles of 83.33 ns\n"
        "  top.enable (1 bit): 0: 1\n"
        "  top.setting (6 bits): 0: 0\n"
        "  top.count (8 bits): 0: 0, 1: 1, 2: 2, 3: 3\n"
    )
    assert shown.endswith(f"counted to 3\n{said}{drawn}")
    wave = shell.names["_wave"]
    assert isinstance(wave, Waveform)
    assert wave["count"].samples() == [0, 1, 2, 3]
    # The names of fields and values come from the shapes of the design.
    assert wave["setting.state"].label(0) == "IDLE"
    assert wave["setting.low"].width == 4
    assert Waveform.from_vcd(wave.to_vcd())["top.count"].samples() == [0, 1, 2, 3]
    assert "<svg" in wave._repr_html_()


def test_tab_completes_signals_and_the_waveforms_own_names(shell):
    shell.run(f"%%fpga --sim --name wave\n{COUNTER}{BENCH}")
    with provisionalcompleter():
        found = {one.text for one in shell.ip.Completer.completions('wave["top.c', 11)}
    assert any("top.count" in text for text in found), found


def test_the_waveform_has_the_name_that_was_asked_for(shell):
    shell.run(f"%%fpga --sim --name first\n{COUNTER}{BENCH}")
    first = shell.names["first"]
    assert shell.names["_wave"] is first
    shell.run(f"%%fpga --sim --quiet\n{COUNTER}{BENCH.replace('3', '5')}")
    assert shell.names["_wave"]["count"].samples() == [0, 1, 2, 3, 4, 5]
    assert shell.names["first"] is first


def test_the_readmes_example(shell):
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    cell, then, result = re.search(
        r"(%%fpga --sim .*?)\n```.*?```python\n(wave\S+)  # (.*?)\n", readme, re.DOTALL
    ).groups()
    shell.run(cell)
    assert repr(eval(then, shell.names)) == result


def test_the_waveform_as_files(shell, tmp_path):
    shell.run(f"%%fpga --sim\n{COUNTER}{BENCH}")
    wave = shell.names["_wave"]
    assert wave.to_wavejson() == {
        "signal": [
            {"name": "top.enable", "wave": "1..."},
            {"name": "top.setting", "wave": "=...", "data": ["0"]},
            {"name": "top.count", "wave": "====", "data": ["0", "1", "2", "3"]},
        ]
    }
    wave.to_vcd(tmp_path / "wave.vcd")
    back = Waveform.from_vcd(tmp_path / "wave.vcd")
    assert (back.unit, back.tick, len(back)) == (wave.unit, wave.tick, 4)
    assert {one.name: one.changes for one in back} == {one.name: one.changes for one in wave}
    assert Waveform.from_json(wave.to_json()) == wave


def test_quiet_is_the_testbench_only(shell):
    assert shell.run(f"%%fpga --sim --quiet\n{COUNTER}{BENCH}") == "counted to 3\n"


def test_an_assertion_that_fails_shows_its_line_and_what_was_compared(shell):
    cell = f"%%fpga --sim --name wave\n{COUNTER}{BENCH.replace('== 3', '== 4')}"
    lines = shell.fail(cell)
    assert lines == [
        "----> 21     assert ctx.get(dut.count) == 4",
        "SimulationFailed: An assertion of testbench fails in cycle 3: 3 == 4.",
    ]
    assert isinstance(shell.result.error_in_exec, JobFailed)
    assert shell.result.error_in_exec.code == "testbench_failed"
    # What happened until then is shown and kept.
    assert "counted to 3\nWaveform: 3 signals, 4 cycles of 83.33 ns, failed\n" in shell.shown
    assert shell.names["wave"]["count"].samples() == [0, 1, 2, 3]


def test_an_error_in_a_function_of_a_lib_cell_is_shown_there(shell):
    shell.run("%%fpga --lib\ndef check(count):\n    assert count == 7, f'{count} is not seven'\n")
    lines = shell.fail(f"%%fpga --sim\n{COUNTER}\nasync def testbench(ctx):\n    check(ctx.get(dut.count))\n")
    assert lines == [
        "In the --lib cell of check:\n----> 3     assert count == 7, f'{count} is not seven'",
        "SimulationFailed: An assertion of testbench fails in cycle 0: 0 is not seven.",
    ]


def test_a_design_of_a_lib_cell_is_tested_in_a_cell_of_its_own(shell):
    shell.run(f"%%fpga --lib\n{COUNTER}")
    assert "Top (simulation, 12 MHz): testbench passes in 3 clock cycles." in shell.run(f"%%fpga --sim\n{BENCH}")


def test_without_a_testbench_it_runs_and_says_so(shell):
    shown = shell.run(f"%%fpga --sim --until 7 --clock 1MHz\n{COUNTER}")
    assert (
        "_wave: Top (simulation, 1 MHz): 7 clock cycles with all inputs at their initial values, since the cell has no "
        "async def testbench(ctx).\n" in shown
    )
    assert len(shell.names["_wave"]) == 8


def test_it_ends_when_it_was_told_to(shell):
    endless = "\nasync def testbench(ctx):\n    while True:\n        await ctx.tick()\n"
    shown = shell.run(f"%%fpga --sim --until 1us\n{COUNTER}{endless}")
    assert (
        "_wave: Top (simulation, 12 MHz): stopped by --until after 12 clock cycles; testbench has not ended.\n" in shown
    )
    assert shell.names["_wave"].ended == "limit"


def test_a_mistake_that_python_can_not_read(shell):
    assert shell.fail("%%fpga --sim\nclass Top(:\n    pass\n") == [
        "----> 2 class Top(:",
        "SimulationFailed: Python can't read line 2: invalid syntax.",
    ]


def test_the_time_runs_out_and_the_simulation_is_cancelled(shell, lab):
    lines = shell.fail("%%fpga --sim --timeout 0.5\nimport time\ntime.sleep(600)\n")
    assert lines == ["TimedOut: The cell's --timeout of 0.5 s has passed. The job was cancelled."]
    assert lab.compute.jobs(limit=1)[0]["state"] == "cancelled"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--sim --board 0", "--sim takes no --board: a simulation needs no board"),
        ("--sim --tag a", "--sim takes no --tag: a simulation needs no board"),
        ("--sim --seed 1", "--sim takes no --seed: nothing is placed and routed for a simulation"),
        ("--sim --probe a", "--sim takes no --probe: a simulation shows all signals"),
        ("--sim --no-wait", "--sim takes no --no-wait: a simulation is waited for"),
        ("--sim --lib", "--sim takes no --lib: a --lib cell is only read; simulate a cell below that uses it"),
        ("--until 5", "--until says when a simulation ends, and there is none without --sim"),
        ("--sim --until x", "--until takes clock cycles or a time, such as 500 or 20us; got 'x'"),
    ],
)
def test_options_that_do_not_go_together(shell, options, message):
    lines = shell.fail(f"%%fpga {options}\n{COUNTER}")
    assert lines == [f"Invalid: %%fpga: {message}; `%fpga help` shows what there is."]
