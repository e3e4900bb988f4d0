"""Progress is volatile, and what stays is not."""

import io

from jupyter_fpga.gateware.manifest import Control, DesignWarning, Manifest, Memory, Pin, Register, Window
from jupyter_fpga.notebook.progress import InPlace, Progress, TextScreen
from jupyter_fpga.notebook.summary import Summary

MANIFEST = Manifest(
    target="simulated",
    form="amaranth_component",
    top="Top",
    clock_hz=12_000_000,
    baud=1_000_000,
    fifo_depth=1024,
    window=Window(0x3000_0000, 8),
    control=Control(0, 4, 8, 16, 20, 64),
    registers=[Register("duty", 0, 8, 1, "rw"), Register("count", 4, 8, 1, "ro")],
    memories=[Memory("ram", 8, 4, 32, "rw")],
    pins=[Pin("led", "led", "o", 1)],
    warnings=[DesignWarning("unused input.", "design.py", 3), DesignWarning("odd.")],
)


class Output:
    """An output of a notebook, as IPython's ``display`` makes one."""

    def __init__(self):
        self.contents = []

    def __call__(self, bundle, *, raw, display_id):
        assert raw
        assert display_id
        self.contents.append(bundle)
        return self

    def update(self, bundle, *, raw):
        assert raw
        self.contents.append(bundle)


def progress():
    made = Progress("pwm", 100.0)
    made.take_record({"status": "running", "stage": "building", "build_stage": "elaborate", "fpga_id": None}, 100.5)
    made.take_record({"status": "running", "stage": "building", "build_stage": "compile", "fpga_id": 3}, 102.0)
    return made


def test_the_output_ends_as_it_began_so_that_a_saved_notebook_compares_equal():
    output = Output()
    screen = InPlace(output)
    screen.show(progress(), 103.0)
    screen.clear()
    assert output.contents[0] == output.contents[-1] == {"text/plain": "", "text/html": ""}


def test_stages_with_times_the_board_and_the_end_of_the_log():
    output = Output()
    made = progress()
    made.take_log("".join(f"line {number}\n" for number in range(9)) + "\x1b[31m<red>\x1b[0m\n", 102.1)
    InPlace(output).show(made, 103.0)
    assert output.contents[-1]["text/plain"] == (
        "✓ elaborate 1.5 s\npwm: compile 1.0 s (board 3)  [3.0 s]\nline 4\nline 5\nline 6\nline 7\nline 8\n<red>"
    )
    assert "&lt;red&gt;" in output.contents[-1]["text/html"]
    assert "\x1b" not in output.contents[-1]["text/html"]


def test_the_place_in_the_queue():
    made = Progress("pwm", 0.0)
    assert made.doing(0.0) == "waiting for a turn"
    made.take_record({"status": "queued", "position": 2, "eta_seconds": 61.2}, 1.0)
    assert made.doing(1.0) == "waiting for a turn, position 2 in the queue, about 61 s"
    assert made.doing(11.0) == "waiting for a turn, position 2 in the queue, about 51 s"
    assert made.doing(62.0) == "waiting for a turn, position 2 in the queue, any moment now"
    made.take_record({"status": "queued", "position": 9, "eta_seconds": 300.0}, 1.0)
    assert made.doing(1.0) == "waiting for a turn, position 9 in the queue, about 5 min"
    made.take_record({"status": "running"}, 1.0)
    assert made.doing(1.0) == "starting"
    made.take_record({"status": "running", "stage": "waiting_for_board", "position": 1, "eta_seconds": None}, 2.0)
    assert made.doing(3.0) == "waiting for board 1.0 s, position 1 in the queue"


def test_a_note_is_shown_above():
    output = Output()
    made = progress()
    made.note = "Starting a lab."
    InPlace(output).show(made, 103.0)
    assert output.contents[-1]["text/plain"].startswith("Starting a lab.\n✓ elaborate")


def test_a_terminal_gets_a_line_for_each_stage_that_is_done():
    out = io.StringIO()
    screen = TextScreen(out.write)
    made = progress()
    made.note = "Starting a lab."
    screen.show(made, 103.0)
    screen.show(made, 103.2)
    screen.clear()
    assert out.getvalue() == "Starting a lab.\n  elaborate             1.50 s\n"


def test_a_terminal_is_told_of_each_place_in_the_queue_unless_it_is_left_at_once():
    out = io.StringIO()
    screen = TextScreen(out.write)
    made = Progress("pwm", 0.0)
    made.take_record({"status": "queued", "position": 2, "eta_seconds": 61.0}, 1.0)
    for now in (1.2, 1.6, 1.8):
        screen.show(made, now)
    made.take_record({"status": "queued", "position": 1, "eta_seconds": None}, 2.0)
    screen.show(made, 2.2)
    made.take_record({"status": "running", "stage": "building", "build_stage": "elaborate"}, 2.4)
    screen.show(made, 3.0)
    assert out.getvalue() == "  position 2 in the queue, about 60 s\n"


def test_the_summary_has_nothing_that_changes_from_run_to_run():
    assert repr(Summary.of_board("pwm", MANIFEST)) == (
        "pwm: Top (simulated, 12 MHz) with registers duty, count; memory region ram; pin led, runs on a board.\n"
        "  warning: line 3: unused input.\n"
        "  warning: odd."
    )
    assert Summary.of_build("pwm", MANIFEST).text.endswith("pin led, is built.")
    assert Summary("x", "<b>")._repr_html_() == "<div><b>x</b>: &lt;b&gt;</div>"
