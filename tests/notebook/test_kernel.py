"""In a real kernel: what a front end gets while a cell runs, and what stays."""

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

PWM = """%%fpga --name pwm --no-cache
class Top(wiring.Component):
    duty: In(8)
    led: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.led.eq(self.duty[0])
        return m
"""


@pytest.fixture
def execute(served_lab, lab, monkeypatch):
    """Run cells in a kernel of their own; the notebook that a front end would save, and all messages of the outputs."""
    for name, value in served_lab.environment.items():
        if name.startswith(("JUPYTER", "IPYTHON")):
            monkeypatch.setenv(name, value)

    def run(*cells):
        messages = []

        class Client(NotebookClient):
            def process_message(self, message, cell, index):
                messages.append(message)
                return super().process_message(message, cell, index)

        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
        try:
            Client(notebook, timeout=300, kernel_name="python3").execute()
        except CellExecutionError as failure:
            run.failure = failure
        return notebook, messages

    return run


def test_progress_is_one_output_that_ends_empty_and_a_summary_that_stays(execute):
    notebook, messages = execute("%load_ext jupyter_fpga", PWM)
    progress, summary = notebook.cells[1].outputs
    assert progress.data == {"text/plain": "", "text/html": ""}
    assert summary.data["text/plain"] == (
        "pwm: Top (simulated, 12 MHz) with registers duty, led; pin led, runs on a board."
    )
    assert summary.data["text/html"].startswith("<div><b>pwm</b>: Top (simulated, 12 MHz)")
    updates = [m["content"]["data"]["text/plain"] for m in messages if m["msg_type"] == "update_display_data"]
    assert updates[-1] == ""
    assert any("elaborate" in text and "compile" in text for text in updates)


def test_a_failure_stops_the_notebook_with_the_cells_own_line(execute):
    notebook, _ = execute("%load_ext jupyter_fpga", "%%fpga\nx = 1\ny = x / 0\n", "never = 1")
    error = notebook.cells[1].outputs[-1]
    assert error.output_type == "error"
    assert error.ename == "BuildFailed"
    assert error.evalue == "ZeroDivisionError: division by zero."
    assert error.traceback == ["----> 3 y = x / 0", "BuildFailed (elaborate): ZeroDivisionError: division by zero."]
    assert notebook.cells[2].execution_count is None
    assert "BuildFailed" in str(execute.failure)


def test_a_simulation_is_what_it_prints_a_summary_and_a_drawing(execute):
    testbench = (
        "async def testbench(ctx):\n    for duty in range(4):\n        ctx.set(dut.duty, duty)\n"
        "        await ctx.tick()\n        print('duty', duty)\n        assert ctx.get(dut.led) == duty % 2\n"
    )
    cell = PWM.replace("--name pwm --no-cache", "--sim") + testbench
    notebook, _ = execute("%load_ext jupyter_fpga", cell, "_wave['led'].samples()", cell.replace("% 2", "// 2"))
    progress, printed, summary, drawing = notebook.cells[1].outputs
    assert progress.data == {"text/plain": "", "text/html": ""}
    assert printed.text == "duty 0\nduty 1\nduty 2\nduty 3\n"
    assert summary.data["text/plain"] == "_wave: Top (simulation, 12 MHz): testbench passes in 4 clock cycles."
    assert drawing.data["text/plain"].startswith("Waveform: 2 signals, 5 cycles of 83.33 ns\n")
    assert drawing.data["text/html"].startswith("<svg ")
    assert notebook.cells[2].outputs[0].data["text/plain"] == "[0, 1, 0, 1, 1]"
    _, printed, drawing, error = notebook.cells[3].outputs
    assert printed.text == "duty 0\nduty 1\n"
    assert drawing.data["text/plain"].startswith("Waveform: 2 signals, 3 cycles of 83.33 ns, failed\n")
    assert error.traceback == [
        "----> 15         assert ctx.get(dut.led) == duty // 2",
        "SimulationFailed: An assertion of testbench fails in cycle 2: 1 == 0.",
    ]


def test_handles_have_html_for_a_notebook(execute):
    notebook, _ = execute("%load_ext jupyter_fpga", PWM, "pwm", "pwm.regs", "pwm.report", "pwm.leds", "%fpga boards")
    for cell in notebook.cells[2:]:
        (output,) = cell.outputs
        assert set(output.data) >= {"text/plain", "text/html"}


def test_an_interrupted_cell_says_what_became_of_the_job(served_lab, lab, monkeypatch):
    for name, value in served_lab.environment.items():
        if name.startswith(("JUPYTER", "IPYTHON")):
            monkeypatch.setenv(name, value)
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        client.execute_interactive("%load_ext jupyter_fpga", timeout=60)
        start = lab.jobs(limit=1)[0]["lsn"] if lab.jobs(limit=1) else 0
        events = iter(lab.events(since=start))
        message = client.execute("%%fpga\nimport time\ntime.sleep(600)\n")
        for event in events:
            record = lab.job(event["job_id"]).record if event.get("job_id") else {"status": None}
            if record["status"] == "running" and record["build_stage"] == "elaborate":
                break
        manager.interrupt_kernel()
        while (reply := client.get_shell_msg(timeout=60))["parent_header"].get("msg_id") != message:
            pass
        assert reply["content"]["status"] == "error"
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert reply["content"]["evalue"] == "Interrupted. The job was cancelled."
        assert lab.job(event["job_id"]).status == "cancelled"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
