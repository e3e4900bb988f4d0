"""The views around a session in a notebook: live while their kernel is there, as they were when it is not.

And the report of a build, which is the same in both.
"""

import os
import re

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from .api import Api
from .notebooks import PATIENCE, TOKEN, findings, menu, picture
from .traffic import Traffic

#: The smallest view: tells which of its forms is shown.
PROBE = """
from jupyter_fpga.notebook.widgets._view import View


class Probe(View):
    _esm = "export default { render({ el }) { el.textContent = 'It is alive.'; } };"

    def text(self):
        return "It was."

    def html(self):
        return "<p>It was.</p>"


Probe()
"""


@pytest.fixture
def open_notebook(page: Page, jupyterlab: str):
    """Open a notebook with these cells."""

    def opening(name: str, *cells: str) -> Locator:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text.strip()) for text in cells])
        for number, cell in enumerate(notebook.cells):
            cell["id"] = f"cell{number}"
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
        address = f"{jupyterlab}api/contents/{name}"
        body = {"type": "notebook", "content": notebook}
        answer = page.request.put(address, data=body, headers={"Authorization": f"token {TOKEN}"})
        assert answer.ok, answer.text()
        page.goto(f"{jupyterlab}lab/tree/{name}?reset")
        page.wait_for_selector("#jupyterlab-splash", state="detached")
        return wait_for_kernel(page)

    return opening


def wait_for_kernel(page: Page) -> Locator:
    """The notebook's code cells, once its kernel is connected: cells that are run before may be dropped."""
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    expect(page.get_by_role("button", name="Python 3 (ipykernel) | Idle")).to_be_visible(timeout=PATIENCE)
    return page.locator(".jp-Notebook .jp-CodeCell")


def save(page: Page) -> None:
    with page.expect_response(lambda answer: answer.request.method == "PUT" and "/api/contents/" in answer.url):
        menu(page, "File", "Save Notebook")


def restart(page: Page) -> None:
    menu(page, "Kernel", "Restart Kernel")
    page.get_by_role("button", name="Confirm Kernel Restart").click()


def test_a_view_is_live_with_its_kernel_and_static_without(page: Page, open_notebook) -> None:
    cells = open_notebook("probe.ipynb", PROBE)
    output = cells.first.locator(".jp-OutputArea-output")
    alive, was = output.get_by_text("It is alive."), output.get_by_text("It was.")
    menu(page, "Run", "Run All Cells")
    expect(alive).to_be_visible()
    expect(was).to_be_hidden()
    restart(page)
    expect(was).to_be_visible()
    expect(alive).to_be_hidden()
    wait_for_kernel(page)
    menu(page, "Run", "Run All Cells")
    expect(alive).to_be_visible()
    save(page)
    # The page comes again while the kernel goes on: the view is live again.
    page.reload()
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    wait_for_kernel(page)
    expect(alive).to_be_visible()
    expect(was).to_be_hidden()
    menu(page, "Kernel", "Shut Down Kernel")
    expect(was).to_be_visible()
    expect(alive).to_be_hidden()
    save(page)
    # Opened again: with a new kernel, which knows nothing of the view …
    page.reload()
    wait_for_kernel(page)
    expect(was).to_be_visible()
    expect(output.get_by_text("Error")).to_be_hidden()
    # … and without any.
    menu(page, "Kernel", "Change Kernel")
    dialog = page.get_by_role("dialog")
    dialog.locator("select").select_option(label="No Kernel")
    dialog.locator(".jp-mod-accept").click()
    expect(page.get_by_role("button", name="No Kernel").first).to_be_visible()
    save(page)
    page.reload()
    expect(was).to_be_visible()
    expect(output.get_by_text("Error")).to_be_hidden()
    expect(alive).to_be_hidden()


DESIGN = """
%%fpga --name blink
class Top(wiring.Component):
    led: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.led.eq(~self.led)
        return m
"""


def test_a_board_is_picked_and_given_back_by_keyboard_alone(page: Page, open_notebook) -> None:
    cells = open_notebook(
        "picker.ipynb",
        "%load_ext jupyter_fpga\nfrom jupyter_fpga.notebook.widgets import BoardPicker\npicker = BoardPicker()\npicker",
        DESIGN,
        "print(picker.board, blink.fpga_id)",
    )
    cells.first.click()
    menu(page, "Run", "Run Selected Cell")
    picker = cells.first.get_by_role("region", name="Board picker")
    boards = picker.get_by_role("listbox", name="Boards")
    expect(picker.get_by_role("status")).to_have_text("3 of 3 free", timeout=PATIENCE)
    expect(boards.get_by_role("option", name="Any board that is free")).to_have_attribute("aria-selected", "true")
    boards.focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(boards.get_by_role("option", name="Board 2, free, simulated")).to_have_attribute("aria-selected", "true")
    cells.nth(1).locator(".cm-content").click()
    menu(page, "Run", "Run Selected Cell and All Below")
    expect(cells.nth(2).locator(".jp-OutputArea-output")).to_have_text("2 2", timeout=PATIENCE)
    expect(boards.get_by_role("option", name="Board 2, yours, simulated")).to_be_visible()
    mine = picker.get_by_role("list", name="Boards you hold")
    expect(mine).to_contain_text("Board 2 is yours for 59 min.")
    picture(page, picker, "board_picker")
    assert findings(page, ".fpga-picker") == []
    boards.focus()
    page.keyboard.press("Tab")
    expect(mine.get_by_role("button", name="Renew board 2")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(picker.get_by_role("status")).to_have_text("3 of 3 free", timeout=PATIENCE)
    expect(mine).to_be_hidden()


def test_a_session_is_renewed_and_its_end_is_told(page: Page, jupyterlab: str, open_notebook) -> None:
    cells = open_notebook(
        "countdown.ipynb",
        "%load_ext jupyter_fpga",
        DESIGN,
        "from jupyter_fpga.notebook.widgets import SessionCountdown\nSessionCountdown(blink)",
    )
    menu(page, "Run", "Run All Cells")
    countdown = cells.nth(2).get_by_role("region", name="Board session of blink")
    timer, status = countdown.get_by_role("timer"), countdown.get_by_role("status")
    expect(timer).to_have_text(re.compile(r"^(59:\d\d|1:00:00)$"), timeout=PATIENCE)
    picture(page, countdown, "session_countdown")
    assert findings(page, ".fpga-countdown") == []
    number = re.search(r"board (\d+)", countdown.inner_text())[1]
    countdown.get_by_role("button", name=f"Renew board {number}").click()
    expect(timer).to_have_text(re.compile(r"^(59:\d\d|1:00:00)$"))
    # An operator takes the board away.
    Api(page, jupyterlab).ask("POST", f"fpga/{number}/session/kick")
    expect(status).to_contain_text(f"has taken board {number} back. Run the design’s cell again to get a board.")
    expect(countdown.get_by_role("button")).to_have_count(0)


#: A kernel whose lab is none of its page's server, as far as views know.
ELSEWHERE = "import jupyter_fpga\nlab = jupyter_fpga.connect()\nlab.served = False"

LOG = (
    """
from jupyter_fpga.notebook.widgets import LogView
source = 'for number in range(2000): print("\\x1b[32mline\\x1b[0m", number)'
source += """
    + repr(DESIGN.partition("\n%%fpga --name blink")[2])
    + """
job = lab.build(source)
LogView(job)
"""
)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["directly", "through the kernel"])
def test_a_log_is_read_while_it_grows(page: Page, open_notebook, elsewhere: bool) -> None:
    traffic = Traffic(page)
    served = ELSEWHERE if elsewhere else ELSEWHERE.rpartition("\n")[0]
    cells = open_notebook(f"log{elsewhere}.ipynb", served, LOG, "job.wait()")
    menu(page, "Run", "Run All Cells")
    view = cells.nth(1).get_by_role("region", name="Log: build")
    expect(view.get_by_role("status").first).to_have_text("complete", timeout=PATIENCE)
    view.get_by_role("searchbox", name="Search the log").fill("line 1999")
    expect(view.get_by_role("log").locator("mark")).to_have_text(["line", " 1999"])

    def go_to_the_match() -> None:
        # While one theme takes the other's place, lines have no height, and the log's place in itself is lost.
        view.get_by_role("button", name="Next match").click()
        expect(view.get_by_role("log").locator("mark").first).to_be_in_viewport()

    picture(page, view, "log_view", go_to_the_match)
    assert findings(page, ".fpga-log") == []
    view.get_by_role("searchbox", name="Search the log").fill("")
    save(page)
    if not elsewhere:
        # The view is opened, and that is all.
        assert 0 < len(traffic.messages) <= 10
    # The page comes again: it has heard nothing of what was sent before.
    page.reload()
    wait_for_kernel(page)
    expect(view.get_by_role("status").first).to_have_text("complete", timeout=PATIENCE)
    expect(view.get_by_role("log").locator("div", has_text=re.compile("^line 1999$"))).to_be_visible()


def test_views_of_a_lab_elsewhere_cost_few_messages(page: Page, open_notebook) -> None:
    traffic = Traffic(page)
    cells = open_notebook(
        "elsewhere.ipynb",
        f"%load_ext jupyter_fpga\n{ELSEWHERE}",
        DESIGN,
        "from jupyter_fpga.notebook.widgets import BoardPicker, SessionCountdown\nBoardPicker(lab)",
        "SessionCountdown(lab.board(name='blink'))",
    )
    cells.nth(2).locator(".cm-content").click()
    menu(page, "Run", "Run All Above Selected Cell")
    expect(cells.nth(1)).to_contain_text("runs on a board.", timeout=PATIENCE)
    before = len(traffic.messages)
    menu(page, "Run", "Run Selected Cell")
    picker = cells.nth(2).get_by_role("region", name="Board picker")
    expect(picker.get_by_role("status")).to_have_text("2 of 3 free", timeout=PATIENCE)
    assert len(traffic.messages) - before <= 10
    cells.nth(3).locator(".cm-content").click()
    before = len(traffic.messages)
    menu(page, "Run", "Run Selected Cell")
    countdown = cells.nth(3).get_by_role("region", name="Board session of blink")
    expect(countdown.get_by_role("timer")).to_have_text(re.compile(r"^(59:\d\d|1:00:00)$"))
    assert len(traffic.messages) - before <= 10
    countdown.get_by_role("button", name="Release").click()
    expect(countdown.get_by_role("status")).to_contain_text("You gave board", timeout=PATIENCE)
    expect(picker.get_by_role("status")).to_have_text("3 of 3 free", timeout=PATIENCE)


#: A report without a build, which would take a minute.
TOLD = (
    """
from jupyter_fpga.client.report import Report
step = {"kind": "logic", "delay_ns": 61.3, "from": "value", "to": "digit", "source": {"file": "cell", "line": 10}}
clock = {"fmax_mhz": 16.3, "constraint_mhz": 18.0, "met": False, "critical_path": [step]}
use = {"logic cells": {"used": 1969, "available": 5280}}
Report({"utilization": use, "clocks": {"sys": clock}, "floorplan": [" 08", "124"]})
""",
)
#: A real one, of a design that divides in one clock cycle.
BUILT = (
    "%load_ext jupyter_fpga",
    """
%%fpga --name slow --target icebreaker --build-only --clock 18MHz
class Top(wiring.Component):
    value: In(16)
    digit: Out(4)

    def elaborate(self, platform):
        m = Module()
        value = Signal(16)
        m.d.sync += value.eq(self.value)
        m.d.sync += self.digit.eq(value % 10)
        return m
""",
    "slow.report",
)


def test_a_report_is_a_page_of_pictures(page: Page, open_notebook) -> None:
    cells = open_notebook("report.ipynb", *(BUILT if os.environ.get("MAKE_PICTURES") else TOLD))
    menu(page, "Run", "Run All Cells")
    report = cells.last.locator(".jp-OutputArea-output > div")
    for told in (
        r"^[\d,]+ of 5,280$",
        r"^[\d.]+ MHz reached, [\d.]+ MHz needed$",
        r"^[\d.]+ ns: logic [\d.]+ ns in \d+ steps?, wires [\d.]+ ns$",
        r"look-up tables, where they are on the device$",
    ):
        expect(report.get_by_role("img", name=re.compile(told))).to_be_visible()
    assert findings(page, ".jp-CodeCell:last-child .jp-OutputArea") == []
    picture(page, report, "report")
