"""``%%fpga`` and ``%fpga`` in a real shell against a lab that runs."""

import _thread
import re
import threading

import pytest
from IPython.core.completer import provisionalcompleter

from jupyter_fpga.client import Conflict, Forbidden
from jupyter_fpga.notebook import commands
from jupyter_fpga.notebook.builds import BuildHandle

PWM = """%%fpga --name pwm
class Top(wiring.Component):
    duty: In(8)  # How long the LED is on.
    led: Out(1)

    def elaborate(self, platform):
        m = Module()
        count = Signal(8)
        m.d.sync += count.eq(count + 1)
        m.d.comb += self.led.eq(count < self.duty)
        return m
"""
SUMMARY = "pwm: Top (simulated, 12 MHz) with registers duty, led; pin led, runs on a board.\n"


def test_a_cell_becomes_a_board(shell):
    shown = shell.run(PWM)
    assert shown.endswith(SUMMARY)
    # A terminal gets the stages with their times.
    assert re.search(r"^  elaborate +\d+\.\d\d s$", shown, re.MULTILINE)
    assert shell.names["_fpga"] is shell.names["pwm"]
    shell.run("pwm.regs.duty = 40\nassert pwm.regs.duty.value == 40")


def test_running_it_again_programs_the_same_board_in_the_same_session(shell):
    shell.run(PWM)
    before = shell.names["pwm"]
    number, session = before.fpga_id, before.session()["session_id"]
    shell.run(PWM.replace("duty", "level"))
    assert shell.names["pwm"] is before
    assert before.fpga_id == number
    assert before.session()["session_id"] == session
    before.regs.level = 7
    assert before.regs.level == 7
    assert dir(before.regs) == ["led", "level"]


def test_a_board_that_was_given_back_is_not_insisted_on(shell):
    shell.run(PWM)
    shell.names["pwm"].release().wait()
    shell.run(PWM)
    shell.run("pwm.regs.duty = 1\nassert pwm.regs.duty == 1")


def test_two_names_are_two_boards(shell):
    shell.run(PWM)
    shell.run(PWM.replace("--name pwm", "--name other"))
    assert shell.names["pwm"].fpga_id != shell.names["other"].fpga_id
    assert shell.names["_fpga"] is shell.names["other"]


def test_without_a_name_it_is_the_last_board(shell):
    assert shell.run(PWM.replace(" --name pwm", "")).endswith(SUMMARY.replace("pwm:", "_fpga:"))
    shell.run("_fpga.regs.duty = 2\nassert _fpga.regs.duty == 2")


def test_a_variable_of_the_kernel_is_a_parameter(shell):
    cell = (
        PWM.replace("--name pwm", "--name pwm --param WIDTH=$width")
        .replace("class Top", "WIDTH = 8\nclass Top")
        .replace("In(8)", "In(WIDTH)")
    )
    shell.run("width = 5")
    shell.run(cell)
    assert shell.names["pwm"].manifest.registers[0].width == 5
    shell.run("half = 3")
    shell.run(cell.replace("$width", "{half * 2}"))
    assert shell.names["pwm"].manifest.registers[0].width == 6


def test_verilog_needs_no_option(shell):
    shell.run("%%fpga --name v\nmodule top(input clk, input [7:0] a, output [7:0] b);\n  assign b = ~a;\nendmodule\n")
    shell.run("v.regs.a = 0x0f\nassert v.regs.b == 0xf0")


def test_quiet_shows_nothing(shell):
    assert shell.run(PWM.replace("--name pwm", "--name pwm --quiet")) == ""
    assert shell.names["pwm"].regs.duty == 0


def test_no_wait_returns_at_once_and_the_first_use_waits(shell):
    shown = shell.run(PWM.replace("--name pwm", "--name pwm --no-wait --no-cache"))
    assert shown == "pwm: submitted; its first use waits until it is done.\n"
    assert repr(shell.names["pwm"]).startswith("board   pwm\n")
    shell.run("pwm.regs.duty = 3\nassert pwm.regs.duty == 3")


def test_build_only_needs_no_board(shell, lab):
    shown = shell.run(PWM.replace("--name pwm", "--name built --build-only --clock 24MHz"))
    assert shown.endswith("built: Top (simulated, 24 MHz) with registers duty, led; pin led, is built.\n")
    built = shell.names["built"]
    assert isinstance(built, BuildHandle)
    assert lab.held() == []
    assert repr(built) == (
        "build      built\n─────────  ─────────\ndesign     Top\ntarget     simulated\n"
        "clock      24 MHz\nregisters  duty, led"
    )
    assert built.report.data
    assert built.log
    assert built.artifact("csr.csv")
    assert "_fpga" not in shell.names


def test_a_lib_cell_is_there_in_later_designs(shell):
    shown = shell.run(
        "%%fpga --lib\nWIDTH = 6\nclass Half(wiring.Component):\n    x: In(8)\n    y: Out(8)\n"
        "    def elaborate(self, platform):\n        m = Module()\n"
        "        m.d.comb += self.y.eq(self.x >> 1)\n        return m\n"
    )
    assert shown == "lib: Half, WIDTH are there in later designs.\n"
    shell.run(
        "%%fpga --name half\nclass Top(wiring.Component):\n    x: In(WIDTH)\n    y: Out(WIDTH)\n"
        "    def elaborate(self, platform):\n        m = Module()\n        m.submodules.half = half = Half()\n"
        "        m.d.comb += [half.x.eq(self.x), self.y.eq(half.y)]\n        return m\n"
    )
    shell.run("half.regs.x = 42\nassert half.regs.y == 21")


def test_a_mistake_in_a_lib_cell_names_its_line(shell):
    assert shell.fail("%%fpga --lib\nx = 1\ny = )\n") == [
        "----> 3 y = )",
        "BuildFailed: Python can't read line 3: unmatched ')'.",
    ]


def test_a_design_that_fails_shows_its_own_line_and_one_sentence(shell):
    shell.run(PWM)
    lines = shell.fail(PWM.replace("count = Signal(8)", "count = Signal(8) / 0"))
    assert lines[0] == "----> 8         count = Signal(8) / 0"
    assert lines[1].startswith("BuildFailed (elaborate): TypeError: unsupported operand")
    assert len(lines) == 2
    # The design that was there runs on.
    shell.run("pwm.regs.duty = 9\nassert pwm.regs.duty == 9")


def test_a_mistake_that_python_can_not_read(shell):
    assert shell.fail("%%fpga\nclass Top(:\n    pass\n") == [
        "----> 2 class Top(:",
        "BuildFailed (elaborate): Python can't read line 2: invalid syntax.",
    ]


def test_an_error_in_a_lib_cell_is_shown_there(shell):
    shell.run("%%fpga --lib\ndef broken():\n    return 1 / 0\n")
    lines = shell.fail("%%fpga\nX = broken()\n")
    assert lines == [
        "In the --lib cell of broken:\n----> 3     return 1 / 0",
        "BuildFailed (elaborate): ZeroDivisionError: division by zero.",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "--bord 3",
            "Invalid: %%fpga: there is no option --bord (did you mean --board?); `%fpga help` shows what there is.",
        ),
        ("--board 99", None),
        ("--target nonsense", None),
    ],
)
def test_what_the_line_asks_for_is_refused_in_a_line(shell, line, message):
    lines = shell.fail(PWM.replace("--name pwm", line))
    assert len(lines) == 1
    assert message is None or lines == [message]


def test_help(shell):
    assert "--build-only" in shell.run("%%fpga --help\n\n")
    assert "attach" in shell.run("%fpga help")
    # The cell magic's options too: IPython refuses `%%fpga --help` without a cell below.
    assert "--build-only" in shell.run("%fpga help")
    assert shell.run("%fpga") == shell.run("%fpga help")
    # Of one command, and of the cell's options above a cell: nothing is built.
    assert shell.run("%fpga help release") == ("%fpga release: give NAME's board back (the last one's without NAME)\n")
    assert shell.fail("%fpga help relase") == [
        "Invalid: %fpga: there is no command relase (did you mean release?); `%fpga help` shows what there is."
    ]
    assert shell.run(f"{PWM.replace('--name pwm', '--help')}") == shell.run("%%fpga --help\n\n")
    assert "pwm" not in shell.names


def test_the_time_runs_out_and_the_job_is_cancelled(shell, lab):
    lines = shell.fail("%%fpga --timeout 0.5\nimport time\ntime.sleep(600)\n")
    assert lines == ["TimedOut: The cell's --timeout of 0.5 s has passed. The job was cancelled."]
    assert lab.jobs(limit=1)[0]["status"] == "cancelled"


def test_an_interrupt_cancels_the_build_and_says_so(shell, lab):
    start = lab.jobs(limit=1)[0]["lsn"]

    def interrupt_when_it_builds():
        for event in lab.events(since=start):
            record = lab.job(event["job_id"]).record if event.get("job_id") else {"status": None}
            if record["status"] == "running" and record["build_stage"] == "elaborate":
                _thread.interrupt_main()
                return

    watcher = threading.Thread(target=interrupt_when_it_builds)
    watcher.start()
    lines = shell.fail("%%fpga\nimport time\ntime.sleep(600)\n")
    watcher.join()
    assert lines == ["KeyboardInterrupt: Interrupted. The job was cancelled."]
    assert isinstance(shell.result.error_in_exec, KeyboardInterrupt)
    assert lab.jobs(limit=1)[0]["status"] == "cancelled"


def test_boards_status_and_jobs(shell):
    shell.run(PWM)
    number = shell.names["pwm"].fpga_id
    assert "simulated" in shell.run("%fpga boards")
    status = shell.run("%fpga status")
    assert status.startswith("lab at http://127.0.0.1:")
    assert re.search(rf"^pwm +{number} +simulated +reserved +\d+ min$", status, re.MULTILINE)
    jobs = shell.run("%fpga jobs")
    assert re.search(
        rf"^[0-9a-f-]{{36}}  build and program +{number} +complete +\d{{4}}-\d\d-\d\d ", jobs, re.MULTILINE
    )
    assert "<table>" in shell.result.result._repr_html_()


def test_what_the_lab_did_by_itself_is_listed_only_when_asked_for(shell, lab, monkeypatch):
    monkeypatch.setattr(commands, "LISTED", 1000)
    lab.submit(PWM.partition("\n")[2]).wait()
    shell.run("%fpga jobs")
    listed = {(job["type"], job["owner"]) for job in shell.result.result}
    shell.run("%fpga jobs --all")
    everything = {(job["type"], job["owner"]) for job in shell.result.result}
    assert everything - listed == {("reset", "(lab)")}


def test_logs_of_the_last_job_and_of_a_board(shell):
    shell.run(PWM)
    log = shell.run("%fpga logs")
    assert log
    assert shell.run("%fpga logs pwm") == log
    assert shell.run("%fpga logs -f").replace("\n", "") == log.replace("\n", "")
    shell.names["pwm"].release().wait()
    shell.ip.magics_manager.registry["FpgaMagics"].desk.last_job = None
    assert shell.run("%fpga logs") == log, "not the log of the reset that follows"


def test_renew_release_and_reset(shell, lab):
    shell.run(PWM)
    assert re.fullmatch(r"The board is yours for \d+ min\.\n", shell.run("%fpga renew"))
    assert shell.run("%fpga release pwm") == "The board is given back.\n"
    shell.run(PWM)
    assert shell.run("%fpga reset") == "The board is reset and free.\n"
    assert lab.held() == []
    assert shell.fail("%fpga release nonsense") == ["Invalid: There is no board handle “nonsense” here; there is none."]
    assert shell.fail("%fpga renew") == ["NotFound: You hold no board; submit a design to get one."]


def test_handles_that_there_are(shell):
    shell.run(PWM)
    assert shell.fail("%fpga release nonsense") == ["Invalid: There is no board handle “nonsense” here; there is pwm."]
    shell.run(PWM.replace("--name pwm", "--name other"))
    assert shell.fail("%fpga release nonsense") == [
        "Invalid: There is no board handle “nonsense” here; there are other, pwm."
    ]


def test_the_target_of_later_cells(shell, lab):
    has = "The lab has boards of simulated.\n"
    assert shell.run("%fpga target") == f"Designs are built for: the lab's default. {has}"
    assert shell.run("%fpga target simulated") == f"Designs are built for: simulated. {has}"
    names = ", ".join(target["name"] for target in lab.targets())
    assert shell.fail("%fpga target moon") == [
        f"Invalid: %fpga: there is no target 'moon'; it is one of {names}; `%fpga help` shows what there is."
    ]


def test_a_handle_comes_back_after_a_restart_of_the_kernel(shell, lab):
    board = lab.submit(
        "class Top(wiring.Component):\n    x: In(8)\n    def elaborate(self, platform):\n        return Module()\n"
    ).board()
    board.regs.x = 77
    shell.run("%fpga attach mine")
    assert shell.names["mine"].regs.x == 77
    assert shell.names["_fpga"] is shell.names["mine"]
    shell.run(PWM.replace("--name pwm", "--name mine"))
    assert shell.names["mine"].fpga_id == board.fpga_id


def test_a_register_that_is_not_there_shows_the_persons_line(shell):
    shell.run(PWM)
    assert shell.fail("x = 1\npwm.regs.dutty = 3") == [
        "----> 2 pwm.regs.dutty = 3",
        "Invalid: The design has no register “dutty”. Did you mean “duty”?",
    ]


def test_a_board_whose_session_has_ended(shell, lab):
    shell.run(PWM)
    shell.run("pwm.regs.duty = 1")
    lab.reset(shell.names["pwm"].fpga_id).wait()
    lines = shell.fail("pwm.regs.duty = 2")
    assert lines[0] == "----> 1 pwm.regs.duty = 2"
    assert isinstance(shell.result.error_in_exec, Conflict | Forbidden)


def completions(shell, text):
    with provisionalcompleter():
        return {completion.text for completion in shell.ip.Completer.completions(text, len(text))}


def test_tab_completes_options_and_values(shell):
    assert "--build-only" in completions(shell, "%%fpga --bu")
    assert "boards" in completions(shell, "%fpga bo")
    # … and nothing else: Python's names have no place in a magic's line.
    assert completions(shell, "%fpga re") == {"release", "renew", "reset"}
    assert {text[:2] for text in completions(shell, "%%fpga --")} == {"--"}
    assert "--abs" not in completions(shell, "%%fpga --")
    shell.run(PWM)
    assert "simulated" in completions(shell, "%%fpga --target ")
    assert "0" in completions(shell, "%%fpga --board ")
    assert "pwm" in completions(shell, "%%fpga --name pw")
    assert "pwm" in completions(shell, "%fpga release pw")
    assert "simulated" in completions(shell, "%fpga target ")


CELL_BELOW = """
WIDTH = 8
class Inner(wiring.Component):
    x: In(WIDTH)
class Top(wiring.Component):
    duty: In(8)
    def __init__(self, depth=4):
        super().__init__()
        self.level = Signal(depth)
    def elaborate(self, platform):
        count = Signal(8)
        last = Signal.like(count)
again = Top()
"""


def completed(shell, line, below=CELL_BELOW):
    """Completions at the end of a cell's first line."""
    with provisionalcompleter():
        return {found.text for found in shell.ip.Completer.completions(f"{line}{below}", len(line))}


def test_tab_completes_what_the_cell_itself_has(shell):
    assert completed(shell, "%%fpga --top ") == {"Inner", "Top", "again"}
    assert completed(shell, "%%fpga --top T") == {"Top"}
    assert completed(shell, "%%fpga --top=") == {"Inner", "Top", "again"}
    assert completed(shell, "%%fpga --probe ") == {"x", "duty", "level", "count", "last"}
    assert completed(shell, "%%fpga --probe count,l") == {"level", "last"}
    assert completed(shell, "%%fpga --name pwm --param ") == {"WIDTH=", "depth="}
    # What can't be read yet hides nothing above it.
    assert completed(shell, "%%fpga --top ", f"{CELL_BELOW}\nclass (\nclass Later:\n") == {"Inner", "Top", "again"}
    verilog = "\nmodule blink #(parameter N = 4) (input clk, output reg [7:0] led);\n  wire [N-1:0] w;\nendmodule\n"
    assert completed(shell, "%%fpga --top ", verilog) == {"blink"}
    assert completed(shell, "%%fpga --probe ", verilog) == {"clk", "led", "w"}
    assert completed(shell, "%%fpga --param ", verilog) == {"N="}


def test_tab_offers_an_option_once_and_where_it_belongs(shell):
    assert "--name" not in completed(shell, "%%fpga --name pwm --")
    assert {"--probe", "--sim"} <= completed(shell, "%%fpga --probe count --")
    assert completed(shell, "%fpga logs --", "") == {"--follow", "--help"}
    assert completed(shell, "%fpga jobs --", "") == {"--all", "--help"}
    assert completed(shell, "%fpga help log", "") == {"logs"}
    shell.run(PWM)
    assert completed(shell, "%fpga release ", "") == {"pwm", "--board", "--help"}
    assert completed(shell, "%fpga release --board ", "") == {str(shell.names["pwm"].fpga_id)}
    assert completed(shell, "%%fpga --board ") == {"0", "1", "2", "3"}
    assert completed(shell, "%%fpga --target ") == {"simulated"}
    assert "icebreaker" in completed(shell, "%%fpga --build-only --target ")
    assert "icebreaker" in completed(shell, "%fpga target ", "")


def test_the_tab_key_starts_no_lab(shell):
    assert "simulated" not in completions(shell, "%%fpga --target ")
    assert shell.ip.magics_manager.registry["FpgaMagics"].desk.known_lab is None


def test_tab_completes_registers_and_fields(shell):
    shell.run(
        PWM.replace("duty: In(8)", "duty: In(data.StructLayout({'low': 4, 'high': 4}))").replace(
            "self.led.eq(count < self.duty)", "self.led.eq(count < self.duty.low)"
        )
    )
    names = {text.removeprefix(".") for text in completions(shell, "pwm.regs.d")}
    assert "duty" in {name.rpartition(".")[2] for name in names}
    names = {text.rpartition(".")[2] for text in completions(shell, "pwm.regs.duty.")}
    assert {"low", "high", "value"} <= names
