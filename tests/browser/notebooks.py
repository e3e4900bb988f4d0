"""Notebooks as a person drives them in JupyterLab."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, Page, expect

#: How long to wait for anything in the browser, ms: not a measure of how long it may take.
PATIENCE = 180_000
#: Of the JupyterLab under test.
TOKEN = "browser-test-token"
#: The notebook whose tab is in front.
SHOWN = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook"
ROOT = Path(__file__).parent.parent.parent
#: Where the documentation's pictures are.
IMAGES = ROOT / "notebooks" / "images"
#: Looks for what keeps people from using a page; the front end's own dependencies bring it.
AXE = ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
#: A cell with a design: the LED is on for ``duty`` of 256 clock cycles.
DIMMER = """%%fpga --name pwm
class Top(wiring.Component):
    duty: In(8)
    led: Out(1)

    def elaborate(self, platform):
        m = Module()
        count = Signal(8)
        m.d.sync += count.eq(count + 1)
        m.d.comb += self.led.eq(count < self.duty)
        return m
"""
_DONE = re.compile(r"^\[\d+\]:$")


def new_notebook(page: Page) -> None:
    """A new notebook with a kernel that is ready."""
    with page.expect_websocket(lambda socket: "/channels" in socket.url) as opened:
        page.locator(".jp-LauncherCard[data-category=Notebook]").first.click()
    expect(page.locator(f"{SHOWN} .jp-Cell")).to_have_count(1, timeout=PATIENCE)
    # Cells that are run before the kernel is connected may be dropped. It is when it says something; the status bar may
    # still be about the notebook before.
    opened.value.wait_for_event("framereceived", timeout=PATIENCE)
    expect(page.get_by_role("button", name="Python 3 (ipykernel) | Idle")).to_be_visible(timeout=PATIENCE)


def run_cell(page: Page, text: str) -> Locator:
    """Write ``text`` into the last cell and run it; its last output, once it is done."""
    cells = page.locator(f"{SHOWN} .jp-CodeCell")
    number = cells.count() - 1
    cell = cells.nth(number)
    cell.locator(".cm-content").click()
    page.keyboard.insert_text(text)
    page.keyboard.press("Shift+Enter")
    expect(cells).to_have_count(number + 2, timeout=PATIENCE)
    expect(cell.locator(".jp-InputPrompt")).to_have_text(_DONE, timeout=PATIENCE)
    return cell.locator(".jp-OutputArea-output").last


def open_notebook_beside(context: BrowserContext, page: Page, address: str) -> Page:
    """The notebook that ``page`` shows, in another browser."""
    page.get_by_role("button", name="Save and create checkpoint").click()
    # JupyterLab asks newcomers for a better name than Untitled.
    page.get_by_role("button", name="Rename and Save").click()
    expect(page.locator(".lm-TabBar-tab.jp-mod-dirty")).to_have_count(0, timeout=PATIENCE)
    name = page.url.rpartition("/")[2].partition("?")[0]
    other = context.new_page()
    other.goto(f"{address}lab/tree/{name}?token={TOKEN}&reset")
    other.wait_for_selector(".jp-Notebook .jp-Cell", timeout=PATIENCE)
    return other


def menu(page: Page, bar: str, *path: str) -> None:
    """Choose from JupyterLab's menus: one of the bar's, then its entries, with or without the dots behind them."""
    page.locator(".lm-MenuBar-itemLabel", has_text=bar).first.click()
    for entry in path:
        page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{re.escape(entry)}…?$")).click()


def use_theme(page: Page, theme: str) -> None:
    """``Light`` or ``Dark``."""
    menu(page, "Settings", "Theme", f"JupyterLab {theme}")
    expect(page.locator(f"body[data-jp-theme-name='JupyterLab {theme}']")).to_be_attached()
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


def picture(page: Page, view: Locator, name: str, prepare: Callable[[], None] = lambda: None) -> None:
    """With ``MAKE_PICTURES=1``: the view in the light theme and in the dark one, after ``prepare`` in each."""
    if not os.environ.get("MAKE_PICTURES"):
        return
    IMAGES.mkdir(exist_ok=True)
    for theme in ("Dark", "Light"):
        use_theme(page, theme)
        prepare()
        # Another theme is drawn in the frame after its style sheet has come.
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        view.screenshot(path=IMAGES / f"{name}_{theme.lower()}.png")


def findings(page: Page, selector: str) -> list[str]:
    """What axe finds in a part of the page that keeps somebody from using it."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=AXE)
    report = page.evaluate("selector => axe.run(selector)", selector)
    return [
        f"{finding['id']}: {finding['help']}: {node['html'][:200]}"
        for finding in report["violations"]
        if finding["impact"] in ("serious", "critical")
        for node in finding["nodes"]
    ]
