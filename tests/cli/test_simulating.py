"""``jupyter fpga sim`` as a process: what it prints, what it leaves, and how it exits."""

import json
import signal
import subprocess
import sys

import pytest

from jupyter_fpga.waveform import Waveform

DESIGN = """\
class Top(wiring.Component):
    count: Out(8)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.count.eq(self.count + 1)
        return m


async def testbench(ctx):
    await ctx.tick().repeat(3)
    print("count is", ctx.get(dut.count))
    assert ctx.get(dut.count) == 3
"""
DRAWN = "Waveform: 1 signal, 4 cycles of 83.33 ns\n  top.count (8 bits): 0: 0, 1: 1, 2: 2, 3: 3\n"


@pytest.fixture
def fpga(served_lab, tmp_path):
    """Run ``jupyter fpga …`` where it finds the served lab by its runtime file."""

    def run(*words):
        command = [sys.executable, "-m", "jupyter_fpga.cli", *map(str, words)]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env=served_lab.environment, timeout=300
        )

    return run


@pytest.fixture
def design(tmp_path):
    path = tmp_path / "counter.py"
    path.write_text(DESIGN)
    return path


def test_what_a_testbench_prints_and_the_signals(fpga, design):
    done = fpga("sim", design)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"count is 3\n{DRAWN}", "")


def test_the_waveform_in_a_file(fpga, design, tmp_path):
    done = fpga("sim", design, "--output=counter.vcd")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "count is 3\ncounter.vcd: 1 signal, 4 cycles of 83.33 ns\n"
    assert Waveform.from_vcd(tmp_path / "counter.vcd")["count"].samples() == [0, 1, 2, 3]
    fpga("sim", design, "-o", "counter.json")
    assert json.loads((tmp_path / "counter.json").read_text()) == {
        "signal": [{"name": "top.count", "wave": "====", "data": ["0", "1", "2", "3"]}]
    }


def test_json_for_programs(fpga, design):
    done = fpga("sim", design, "--json", "--clock=1MHz", "--until=2us")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    waveform = Waveform.from_json(told.pop("waveform"))
    assert waveform["count"].samples() == [0, 1, 2]
    assert told == {
        "top": "Top",
        "clock_hz": 1_000_000,
        "cycles": 2,
        "testbenches": ["testbench"],
        "ended": "limit",
        "output": "",
    }


def test_a_testbench_that_fails_is_an_exit_code_and_leaves_its_waveform(fpga, design, tmp_path):
    design.write_text(DESIGN.replace("== 3", "== 4"))
    done = fpga("sim", design, "-o", "bad.vcd")
    assert done.returncode == 1
    assert done.stdout == "count is 3\nbad.vcd: 1 signal, 4 cycles of 83.33 ns, failed\n"
    assert done.stderr == (
        "counter.py:13: assert ctx.get(dut.count) == 4\nAn assertion of testbench fails in cycle 3: 3 == 4.\n"
    )
    assert Waveform.from_vcd(tmp_path / "bad.vcd")["count"].at(3) == 3


def test_a_parameter_and_a_mistake(fpga, design):
    design.write_text(f"START = 5\n{DESIGN.replace('Out(8)', 'Out(8, init=START)')}")
    done = fpga("sim", design, "--param=START=0")
    assert (done.returncode, done.stdout) == (0, f"count is 3\n{DRAWN}")
    done = fpga("sim", design, "--until=never")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "--until takes clock cycles or a time, such as 500 or 20us; got 'never'.\n"
    done = fpga("sim", design, "-o", "wave.png")
    assert (done.returncode, done.stderr) == (
        2,
        "The file “wave.png” is neither a .vcd nor a .json; give one with --output.\n",
    )


def test_the_time_runs_out(fpga, design, lab):
    design.write_text("import time\ntime.sleep(600)\n")
    done = fpga("sim", design, "--timeout=1")
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr == "The simulation took longer than --timeout 1 s and was cancelled.\n"
    assert lab.compute.jobs(limit=1)[0]["state"] == "cancelled"


def test_an_interrupt_cancels_the_simulation(served_lab, design, lab, tmp_path):
    design.write_text("import time\ntime.sleep(601)\n")
    events = iter(lab.events())
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_fpga.cli", "sim", design],
        cwd=tmp_path,
        env=served_lab.environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    event = next(event for event in events if event["kind"] == "action_started")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[1] == "Interrupted.\n"
    assert process.returncode == 130
    assert lab.compute.job(event["action_lsn"]).state == "cancelled"
