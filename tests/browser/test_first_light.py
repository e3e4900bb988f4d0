"""What a newcomer does: open the first notebook in JupyterLab, run all of it, and look at the boards."""

from playwright.sync_api import Page, expect

from .notebooks import PATIENCE, menu


def _open(page: Page, name: str) -> None:
    page.get_by_role("listitem", name=name).dblclick()
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible(timeout=PATIENCE)
    # The indicator is idle from the start; the status bar is so once the kernel is connected. Cells that are run before
    # may be dropped when it is.
    expect(page.get_by_role("button", name="Python 3 (ipykernel) | Idle")).to_be_visible(timeout=PATIENCE)


def test_first_light_runs_and_the_sidebar_shows_it(page: Page) -> None:
    page.get_by_role("tab", name="FPGA boards").click()
    panel = page.locator("#jupyter-fpga-boards")
    # The first start compiles the base of the boards.
    expect(panel.locator(".jp-FpgaPanel-status")).to_have_text("3 of 3 boards free", timeout=PATIENCE)
    page.get_by_role("tab", name="File Browser").first.click()
    _open(page, "01_first_light.ipynb")
    code = page.locator(".jp-Notebook .jp-CodeCell")
    code.nth(3).click()
    menu(page, "Run", "Run All Above Selected Cell")
    # The third code cell sets the duty and reads it back.
    expect(code.nth(2).locator(".jp-OutputArea-output")).to_have_text("64", timeout=PATIENCE)
    page.get_by_role("tab", name="FPGA boards").click()
    boards = panel.get_by_role("grid", name="Boards")
    expect(boards.get_by_role("row").filter(has_text="in use")).to_have_count(1, timeout=PATIENCE)
    expect(panel.locator(".jp-FpgaPanel-status")).to_have_text("2 of 3 boards free", timeout=PATIENCE)
    menu(page, "Run", "Run All Cells")
    expect(code.last.locator(".jp-OutputArea-output")).to_have_text("The board is given back.", timeout=PATIENCE)
    expect(panel.locator(".jp-FpgaPanel-status")).to_have_text("3 of 3 boards free", timeout=PATIENCE)
