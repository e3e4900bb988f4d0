"""Register panel and bench in a real JupyterLab: a slider moves, and the board's register and LED follow.

Then what happens to them: a kernel that is busy, one that is restarted, two notebooks on one board, two browsers on one
notebook, a page that doesn't reach the lab itself. With ``MAKE_PICTURES=1`` pictures are made on the way, and the film
at the top of the README.
"""

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .film import Film
from .notebooks import (
    DIMMER,
    IMAGES,
    PATIENCE,
    SHOWN,
    findings,
    new_notebook,
    open_notebook_beside,
    picture,
    run_cell,
    use_theme,
)


def _programmed(page: Page, *setup: str) -> None:
    """A new notebook, with the design on a board."""
    new_notebook(page)
    for cell in (*setup, "%load_ext jupyter_fpga"):
        run_cell(page, cell)
    expect(run_cell(page, DIMMER)).to_contain_text("runs on a board.", timeout=PATIENCE)


def _panel(page: Page) -> Locator:
    """The panel, live."""
    panel = run_cell(page, "pwm.regs").get_by_role("region", name="Registers of pwm")
    expect(panel.get_by_role("status")).to_contain_text("held by you", timeout=PATIENCE)
    return panel


def _set(panel: Locator, duty: int) -> None:
    panel.get_by_role("slider", name="duty, slider").fill(str(duty))


def _expect_duty(panel: Locator, duty: int) -> None:
    value = panel.get_by_role("row", name="duty").locator(".fpga-value")
    expect(value).to_have_text(f"{duty} ({duty:#04x})", timeout=PATIENCE)


def test_a_slider_moves_a_register_and_an_led(page: Page) -> None:
    # All of the notebook at once.
    page.set_viewport_size({"width": 1120, "height": 760})
    # The first start compiles the base of the boards, which has nothing to do with the design.
    page.get_by_role("tab", name="FPGA boards").click()
    expect(page.locator(".jp-FpgaPanel-status")).to_have_text("3 of 3 boards free")
    new_notebook(page)
    run_cell(page, "%load_ext jupyter_fpga")
    with Film(page, page.locator(SHOWN), IMAGES / "first_light.webp") as film:
        with film.scene(at_most=3.5, at_least=0.8):
            expect(run_cell(page, DIMMER)).to_contain_text("runs on a board.")
        with film.scene(at_most=1.5, at_least=0.6):
            panel = _panel(page)
        with film.scene(at_most=1.5, at_least=0.6):
            bench = run_cell(page, "pwm").get_by_role("region", name="Bench of pwm")
            expect(bench.get_by_role("status")).to_contain_text("held by you")
            expect(bench.get_by_role("img", name="LED 0: off")).to_be_visible()
        with film.scene(at_most=5, at_least=1.5):
            # 230 and then 77 of 256 clock cycles.
            for duty in (*film.way(0, 230, 6), *film.way(230, 77, -6)):
                _set(panel, duty)
                _expect_duty(panel, duty)
                if duty == 230:
                    expect(bench.get_by_role("img", name="LED 0: 90 %")).to_be_visible()
            expect(bench.get_by_role("img", name="LED 0: 30 %")).to_be_visible()
    picture(page, bench, "bench")
    picture(page, panel, "registers")
    expect(run_cell(page, "int(pwm.regs.duty)")).to_have_text("77")
    run_cell(page, "pwm.release().wait()")
    over = "The board session has ended: run the cell again to get a board."
    expect(panel.get_by_role("status")).to_have_text(over, timeout=PATIENCE)
    expect(bench.get_by_role("status")).to_have_text(over, timeout=PATIENCE)
    expect(panel.get_by_role("slider", name="duty, slider")).to_be_disabled()


def test_a_page_that_does_not_reach_the_lab_goes_through_the_kernel(page: Page) -> None:
    # Named by its address, the lab might be anywhere.
    _programmed(page, "import jupyter_fpga, os; lab = jupyter_fpga.connect()", *_NAMED)
    panel = _panel(page)
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    _set(panel, 90)
    _expect_duty(panel, 90)
    expect(run_cell(page, "int(pwm.regs.duty), pwm.lab.served")).to_have_text("(90, False)")
    assert not [url for url in sockets if "jupyter-fpga" in url]
    run_cell(page, "pwm.release().wait()")


#: The lab's address and token, for a kernel whose environment says where the lab is.
_NAMED = ("os.environ |= {'JUPYTER_FPGA_URL': lab.url, 'JUPYTER_FPGA_TOKEN': lab.door._headers['Authorization'][6:]}",)


def test_a_kernel_that_is_busy_or_restarted_keeps_nobody_from_the_board(page: Page) -> None:
    _programmed(page)
    panel = _panel(page)
    cells = page.locator(f"{SHOWN} .jp-CodeCell")
    cells.last.locator(".cm-content").click()
    page.keyboard.insert_text("import threading; threading.Event().wait()")
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=busy]")).to_be_visible(timeout=PATIENCE)
    _set(panel, 12)
    _expect_duty(panel, 12)
    page.get_by_role("button", name="Restart the kernel", exact=True).click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    expect(page.get_by_role("button", name="Python 3 (ipykernel) | Idle")).to_be_visible(timeout=PATIENCE)
    # The board is still held, and a new kernel takes it up again.
    run_cell(page, "%load_ext jupyter_fpga")
    run_cell(page, "%fpga attach pwm")
    again = _panel(page)
    _expect_duty(again, 12)
    run_cell(page, "pwm.release().wait()")


def test_two_browsers_on_one_notebook_show_the_same(page: Page, browser: Browser, jupyterlab: str) -> None:
    _programmed(page)
    panel = _panel(page)
    _set(panel, 33)
    _expect_duty(panel, 33)
    other = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        second = open_notebook_beside(other, page, jupyterlab)
        theirs = second.get_by_role("region", name="Registers of pwm")
        expect(theirs.get_by_role("status")).to_contain_text("held by you", timeout=PATIENCE)
        _expect_duty(theirs, 33)
        _set(theirs, 44)
        _expect_duty(panel, 44)
    finally:
        other.close()
    run_cell(page, "pwm.release().wait()")


def test_two_notebooks_on_one_board(page: Page) -> None:
    _programmed(page)
    panel = _panel(page)
    page.get_by_role("button", name="New Launcher", description="New Launcher").click()
    new_notebook(page)
    run_cell(page, "%load_ext jupyter_fpga")
    run_cell(page, "%fpga attach mine")
    run_cell(page, "mine.regs.duty = 66")
    page.locator(".lm-TabBar-tab", has_text="Untitled").first.click()
    _expect_duty(panel, 66)
    # Another design from the other notebook: nobody goes on with the layout of the first.
    page.locator(".lm-TabBar-tab", has_text="Untitled").last.click()
    expect(run_cell(page, DIMMER.replace("--name pwm", "--name mine").replace("duty", "level"))).to_contain_text(
        "runs on a board.", timeout=PATIENCE
    )
    page.locator(".lm-TabBar-tab", has_text="Untitled").first.click()
    expect(panel.get_by_role("status")).to_have_text(
        "The board runs another design by now: run the cell again.", timeout=PATIENCE
    )
    run_cell(page, "pwm.release().wait()")


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_the_views_are_for_everybody(page: Page, theme: str) -> None:
    _programmed(page, "from jupyter_fpga.notebook.widgets import BoardPicker, LogView, SessionCountdown")
    use_theme(page, theme)
    run_cell(page, "display(pwm, pwm.regs, SessionCountdown(pwm), LogView(pwm.job), BoardPicker(pwm.lab))")
    output = page.locator(f"{SHOWN} .jp-CodeCell").nth(3)
    expect(output.get_by_role("region", name="Bench of pwm").get_by_role("img", name="LED 0: off")).to_be_visible()
    expect(output.get_by_role("region", name="Registers of pwm")).to_contain_text("held by you")
    expect(output.get_by_role("listbox")).to_contain_text("yours")
    assert findings(page, f"{SHOWN} .jp-CodeCell:nth-child(4) .jp-OutputArea") == []
