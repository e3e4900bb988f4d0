"""How fast the sidebar opens with 200 boards, beside JupyterLab's own list of kernels in the same page.

Nothing is asserted about time.
"""

# ruff: noqa: F811 - fixtures of the browser's tests are arguments here

import statistics

import pytest
from playwright.sync_api import ElementHandle, Page, expect

from ..browser.conftest import browser, chromium, jupyterlab, page, server, work  # noqa: F401, TID252 - JupyterLab is started there

pytestmark = pytest.mark.benchmark

BOARDS = 200
OPTIONS = (f"--JupyterFpga.boards={BOARDS}",)
#: Opens a panel by its tab; milliseconds until the browser has shown it.
OPEN = """async tab => {
    const {x, y} = tab.getBoundingClientRect();
    const at = {bubbles: true, button: 0, isPrimary: true, clientX: x + 5, clientY: y + 5};
    const begin = performance.now();
    tab.dispatchEvent(new PointerEvent('pointerdown', at));
    tab.dispatchEvent(new PointerEvent('pointerup', at));
    await new Promise(shown => requestAnimationFrame(() => requestAnimationFrame(shown)));
    return performance.now() - begin;
}"""


def test_opening_the_sidebar(page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    def tab(name: str) -> ElementHandle:
        return page.get_by_role("tab", name=name).element_handle()

    ours, peer = tab("FPGA boards"), tab("Running Terminals and Kernels")
    first = page.evaluate(OPEN, ours)
    panel = page.locator("#jupyter-fpga-boards")
    expect(panel.locator(".jp-FpgaPanel-status")).to_have_text(f"{BOARDS} of {BOARDS} boards free")
    expect(panel.get_by_role("grid", name="Boards").get_by_role("row")).to_have_count(BOARDS)
    times = [(page.evaluate(OPEN, peer), page.evaluate(OPEN, ours)) for _ in range(15)]
    theirs, own = (statistics.median(each) for each in zip(*times, strict=True))
    with capsys.disabled():
        told = f"first {first:.0f} ms, then {own:.1f} ms; list of kernels {theirs:.1f} ms; ratio {own / theirs:.2f}"
        print(f"\nsidebar of 200 boards: {told}")
