"""Testbenches that a lab runs for a script: cached, cancelled, bounded, and behind walls."""

import json

import pytest

from jupyter_fpga.client import Invalid, JobCancelled, JobFailed, Simulation, SimulationFailed, bundle
from jupyter_fpga.client.sources import load_files

COUNTER = """
class Top(wiring.Component):
    count: Out(8)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.count.eq(self.count + 1)
        return m
"""
BENCH = """
async def testbench(ctx):
    await ctx.tick().repeat(3)
    print("count is", ctx.get(dut.count))
"""


def test_a_simulation_is_answered_from_the_cache_when_nothing_has_changed(lab):
    first = lab.simulate(COUNTER + BENCH)
    found = first.wait()
    assert repr(found) == "<Simulation of Top: testbench, 3 cycles, complete>"
    assert found.output == "count is 3\n"
    again = lab.simulate(COUNTER + BENCH)
    assert again.wait() == found
    assert again.action.cached
    other = lab.simulate(COUNTER + BENCH, use_cache=False)
    other.wait()
    assert not other.action.cached
    assert repr(other) == "<Simulating: completed>"


async def test_each_operation_has_an_awaitable_twin(lab):
    simulating = await lab.asimulate(COUNTER, until=2e-6, clock=1e6)
    found = await simulating
    assert (found.clock_hz, found.cycles, found.waveform["count"].at(2)) == (1_000_000, 2, 2)
    assert [change async for change in simulating.changes()] == [{"status": "complete", "stage": "simulate"}]


def test_a_bundle_and_a_folder(lab, tmp_path):
    lib = "from amaranth import *\nfrom amaranth.lib import wiring\nfrom amaranth.lib.wiring import In, Out\n" + COUNTER
    files = {"design.py": ("from parts.counter import *\n" + BENCH).encode(), "parts/counter.py": lib.encode()}
    assert lab.simulate(bundle(files, "design.py")).wait().cycles == 3
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert lab.simulate(tmp_path).wait().cycles == 3


def test_a_failure_has_its_place_and_what_was_simulated(lab):
    with pytest.raises(SimulationFailed) as failed:
        lab.simulate(COUNTER + BENCH + "    assert ctx.get(dut.count) == 4\n").wait()
    error = failed.value
    assert str(error) == "An assertion of testbench fails in cycle 3: 3 == 4."
    assert error.code == "testbench_failed"
    assert error.detail == {
        "stage": "simulate",
        "file": "design.py",
        "line": 13,
        "text": "assert ctx.get(dut.count) == 4",
    }
    assert error.output == "count is 3\n"
    assert isinstance(error.simulation, Simulation)
    assert error.simulation.waveform["count"].samples() == [0, 1, 2, 3]


def test_a_simulation_can_be_cancelled(lab):
    simulating = lab.simulate(COUNTER + "\nimport time\ntime.sleep(600)\n")
    simulating.cancel()
    with pytest.raises(JobCancelled):
        simulating.wait()


@pytest.mark.parametrize(
    ("ending", "code", "message"),
    [
        (
            "\nimport os\nos._exit(7)\n",
            "tool_failed",
            "The simulator ended with exit code 7; look for something in the design that ends Python by force, such as "
            "os._exit.",
        ),
        (
            "\nprint('so long', flush=True)\nimport os\nos._exit(134)\n",
            "tool_failed",
            "The simulator ended with exit code 134; look for something in the design that ends Python by force, such "
            "as os._exit. Its last words: so long",
        ),
        (
            "\nheld = [b'x' * (1 << 26) for _ in range(60)]\n",
            "memory_limit",
            "The program used more than its limit of 1024 MiB of memory. Look for a loop without an end in the "
            "testbench or the design, or simulate less with --until.",
        ),
        (
            "\nwhile True:\n    print('and on')\n",
            "output_limit",
            "The program printed more than its limit of 4 MiB or 20,000 lines. Look for a loop without an end in the "
            "testbench or the design, or simulate less with --until.",
        ),
    ],
)
def test_what_ends_the_program_from_outside_is_told(lab, ending, code, message):
    with pytest.raises(SimulationFailed) as failed:
        lab.simulate(COUNTER + ending).wait()
    assert (failed.value.code, str(failed.value)) == (code, message)
    assert failed.value.simulation is None


def test_a_design_that_writes_the_result_itself(lab):
    forged = "\nimport os, json\nopen('../simulation.json', 'w').write('[]')\nos._exit(0)\n"
    with pytest.raises(JobFailed) as failed:
        lab.simulate(COUNTER + forged).wait()
    assert failed.value.code == "bad_output"
    assert str(failed.value) == (
        "What the simulation left can't be read. Nothing but the lab itself may write simulation.json; look for "
        "something in the design that does."
    )


@pytest.mark.parametrize(
    "forged", ["[]", "{}", "not JSON", json.dumps({"code": [], "message": {}, "line": "x"})], ids=str
)
def test_a_design_that_writes_its_error_itself(lab, forged):
    ending = f"\nimport os\nopen('../error.json', 'w').write({forged!r})\nos._exit(3)\n"
    with pytest.raises(SimulationFailed):
        lab.simulate(COUNTER + ending).wait()


def test_a_testbench_is_behind_walls(lab):
    looking = "\nasync def testbench(ctx):\n    import os, socket\n"
    looking += "    print(sorted(os.listdir('/home')) if os.path.isdir('/home') else [])\n"
    looking += "    try:\n        socket.create_connection(('192.0.2.1', 80), 1)\n"
    looking += "    except OSError as error:\n        print(type(error).__name__)\n"
    output = lab.simulate(COUNTER + looking).wait().output
    assert output.splitlines()[0] == "[]"
    assert "TimeoutError" not in output


def test_what_a_bundle_must_have(tmp_path):
    with pytest.raises(Invalid) as refusal:
        load_files(b"PK\x03\x04 and nothing else")
    assert str(refusal.value) == "The bundle “design.zip” can't be read: File is not a zip file."
    with pytest.raises(Invalid) as refusal:
        load_files(bundle({"other.py": b""}, "absent.py"))
    assert str(refusal.value) == ("The bundle “design.zip” has no absent.py, with which the design would begin.")
    assert load_files("x = 1\n") == ({"design.py": b"x = 1\n"}, "design.py")
