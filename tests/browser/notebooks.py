"""Notebooks as a person drives them in JupyterLab."""

from playwright.sync_api import Locator, Page, expect

#: How long to wait for anything in the browser, ms: not a measure of how long it may take.
PATIENCE = 180_000


def new_notebook(page: Page) -> None:
    """A new notebook with a kernel that is ready."""
    page.locator(".jp-LauncherCard[data-category=Notebook]").first.click()
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    # The indicator is idle from the start; the status bar is so once the kernel is connected. Cells that are run before
    # may be dropped when it is.
    expect(page.get_by_role("button", name="Python 3 (ipykernel) | Idle")).to_be_visible(timeout=PATIENCE)


def run_cell(page: Page, text: str) -> Locator:
    """Write ``text`` into the last cell and run it; its last output, once it is done."""
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    number = cells.count() - 1
    cell = cells.nth(number)
    cell.locator(".cm-content").click()
    page.keyboard.insert_text(text)
    page.keyboard.press("Shift+Enter")
    expect(cells).to_have_count(number + 2, timeout=PATIENCE)
    expect(cell.locator(".jp-InputPrompt")).to_have_text("[" + str(number + 1) + "]:", timeout=PATIENCE)
    return cell.locator(".jp-OutputArea-output").last
