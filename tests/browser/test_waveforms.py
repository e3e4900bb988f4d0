"""Signals over time in a real JupyterLab: a VCD file that is opened, and a waveform in a notebook.

With ``MAKE_PICTURES=1`` the documentation's pictures are made on the way.
"""

import os
import re
from fractions import Fraction
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from jupyter_fpga.waveform import Wave, Waveform
from jupyter_fpga.waveform.wave import Part

PICTURES = Path(__file__).parent.parent.parent / "notebooks" / "images"


def _waveform() -> Waveform:
    """A counter, a state machine, a bus with fields and one whose values nobody knows at first; 12 MHz."""
    end = 400
    count = list(range(0, end, 3))
    state = {"IDLE": 0, "FETCH": 1, "RUN": 2, "DONE": 3}
    status = Part("mode", 0, 2, state), Part("done", 2, 1), Part("left", 3, 5)
    return Waveform(
        [
            Wave("top.clock", 1, list(range(end)), [time & 1 for time in range(end)], end),
            Wave("top.pwm.count", 8, count, [number & 0xFF for number in range(len(count))], end),
            Wave("top.pwm.led", 1, [0, 40, 90, 140, 190], [0, 1, 0, 1, 0], end),
            Wave("top.core.state", 2, [0, 30, 80, 200, 300], [0, 1, 2, 3, 0], end, state),
            Wave("top.core.status", 8, [0, 60, 170], [0x09, 0x82, 0xF7], end, parts=status),
            Wave("top.core.data", 32, [0, 55, 120, 260], [None, 0xDEADBEEF, 0xCAFE, 0x464F5547], end),
        ],
        end=end,
        tick=Fraction(1, 12_000_000),
        trigger=90,
    )


@pytest.fixture
def opened(page: Page, work: Path) -> Locator:
    """The viewer of a file that was double-clicked."""
    _waveform().to_vcd(work / "capture.vcd")
    page.locator("button[data-command='filebrowser:refresh']").click()
    page.get_by_role("listitem", name="capture.vcd").dblclick()
    viewer = page.locator(".jp-FpgaVcd .fpga-Wave")
    expect(viewer.get_by_role("treeitem").first).to_be_visible()
    return viewer


def _picture(page: Page, viewer: Locator, name: str) -> None:
    if os.environ.get("MAKE_PICTURES"):
        for theme in ("Light", "Dark"):
            page.evaluate("([id, theme]) => 0", [name, theme])
            viewer.screenshot(path=PICTURES / f"{name}_{theme.lower()}.png")


def test_a_vcd_file_is_opened_and_measured(page: Page, opened: Locator) -> None:
    status = opened.get_by_role("status")
    opened.get_by_role("treeitem", name=re.compile("led")).click()
    opened.get_by_role("button", name="Next change of the selected signal").click()
    expect(status).to_have_text("top.pwm.led = 1 at A  ·  A: 40 cycles (3.33333 µs)")
