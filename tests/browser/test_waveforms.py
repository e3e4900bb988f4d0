"""Signals over time in a real JupyterLab: a VCD file that is opened, and a waveform in a notebook.

With ``MAKE_PICTURES=1`` the documentation's pictures are made on the way.
"""

import re
from fractions import Fraction
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from jupyter_fpga.waveform import Wave, Waveform
from jupyter_fpga.waveform.wave import Part

from .notebooks import PATIENCE, findings, menu, picture
from .traffic import Traffic

CHANGES = 1_000_000
STATES = {"IDLE": 0, "FETCH": 1, "RUN": 2, "DONE": 3}

#: A cell that shows as many value changes, which can't be made smaller.
LARGE = f"""\
import random
from fractions import Fraction
from jupyter_fpga.notebook.widgets.waveform import WaveformView
from jupyter_fpga.waveform import Wave, Waveform
from jupyter_fpga.waveform.wave import Part
noise = random.Random(5)
count = {CHANGES}
values = [noise.getrandbits(32) for _ in range(count)]
mode = Part("mode", 30, 2, {STATES})
wave = Wave("top.bus", 32, range(count), values, count, parts=(mode,))
WaveformView(Waveform([wave], end=count, tick=Fraction(1, 12_000_000)))
"""


#: A cell that shows the sample.
SMALL = """\
from jupyter_fpga.notebook.widgets.waveform import WaveformView
from jupyter_fpga.waveform import Waveform
WaveformView(Waveform.from_json({waveform}))
"""


def _waveform() -> Waveform:
    """A clock, a counter, a state machine, and a bus whose values nobody knows at first; 12 MHz."""
    end = 400
    count = list(range(0, end, 3))
    fields = (Part("mode", 0, 2, STATES), Part("done", 2, 1), Part("left", 3, 5))
    return Waveform(
        [
            Wave("top.clock", 1, list(range(end)), [time & 1 for time in range(end)], end),
            Wave("top.pwm.count", 8, count, [number & 0xFF for number in range(len(count))], end),
            Wave("top.pwm.led", 1, [0, 40, 90, 140, 190], [0, 1, 0, 1, 0], end),
            Wave("top.core.state", 2, [0, 30, 80, 200, 300], [0, 1, 2, 3, 0], end, STATES),
            Wave("top.core.status", 8, [0, 60, 170], [0x09, 0x82, 0xF7], end, parts=fields),
            Wave("top.core.data", 32, [0, 55, 120, 260], [None, 0xDEADBEEF, 0xCAFE, 0x46504741], end),
        ],
        end=end,
        tick=Fraction(1, 12_000_000),
        trigger=90,
    )


@pytest.fixture(scope="module")
def work(work: Path) -> Path:
    """With a VCD file, one that is none, and a notebook, before JupyterLab lists them."""
    _waveform().to_vcd(work / "capture.vcd")
    (work / "other.vcd").write_text("never a VCD file\n")
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    for name, cell in {"large": LARGE, "small": SMALL.format(waveform=_waveform().to_json())}.items():
        cells = [nbformat.v4.new_code_cell(cell)]
        nbformat.write(nbformat.v4.new_notebook(metadata={"kernelspec": kernel}, cells=cells), work / f"{name}.ipynb")
    return work


def _open(page: Page, name: str) -> None:
    page.get_by_role("listitem", name=name).dblclick()


def _open_notebook(page: Page, name: str) -> None:
    _open(page, name)
    expect(page.get_by_role("button", name="Python 3 (ipykernel) | Idle")).to_be_visible(timeout=PATIENCE)


def _viewer(page: Page) -> Locator:
    return page.locator(".fpga-Wave")


def test_a_vcd_file_is_opened_and_measured(page: Page) -> None:
    _open(page, "capture.vcd")
    viewer = _viewer(page)
    status = viewer.get_by_role("status")
    viewer.get_by_role("treeitem", name="led").click()
    viewer.get_by_role("button", name="Next change of the selected signal").click()
    expect(status).to_have_text("top.pwm.led = 1 at A  ·  A: 40 cycles (3.33333 µs)")
    # The rest without a mouse.
    page.keyboard.press("Tab")
    viewer.get_by_role("application").focus()
    for key in ("b", "t", "z"):
        page.keyboard.press(key)
    expect(status).to_have_text(
        "top.pwm.led = 0 at B  ·  A: 40 cycles (3.33333 µs)  ·  B: 90 cycles (7.5 µs)  ·  "
        "B − A: 50 cycles, 4.16667 µs, 240 kHz"
    )
    page.keyboard.press("ArrowUp")
    page.keyboard.press("/")
    page.keyboard.type("2a")
    page.keyboard.press("Enter")
    expect(status).to_have_text(re.compile(r"^top\.pwm\.count = 2a at B .* B: 126 cycles"))
    viewer.get_by_label("How the values of the selected signal are written").select_option("Unsigned")
    expect(status).to_have_text(re.compile(r"^top\.pwm\.count = 42 at B"))
    viewer.get_by_role("button", name="Show everything").click()
    page.set_viewport_size({"width": 1280, "height": 480})
    picture(page, viewer, "waveform")
    assert findings(page, ".fpga-Wave") == []


def test_pointer_and_wheel(page: Page) -> None:
    _open(page, "capture.vcd")
    viewer = _viewer(page)
    picture = viewer.get_by_role("application")
    box = picture.bounding_box()
    assert box is not None
    led = viewer.get_by_role("treeitem", name="led").bounding_box()
    assert led is not None
    # The edge at 40 of 400, and a pixel beside it.
    page.mouse.click(box["x"] + box["width"] * 0.1 + 2, led["y"] + led["height"] / 2)
    status = viewer.get_by_role("status")
    expect(status).to_have_text(re.compile(r"A: 40 cycles"))
    expect(viewer.get_by_role("treeitem", selected=True)).to_have_text(re.compile("led"))
    for _ in range(20):
        page.mouse.wheel(0, -500)
    # As close as possible: now a pixel is a fraction of a cycle, and a click to the right is the cycle after.
    page.mouse.click(box["x"] + box["width"] * 0.1 + 210, led["y"] + led["height"] / 2)
    expect(status).to_have_text(re.compile(r"A: 41 cycles"))


def test_what_is_no_vcd_file_is_told(page: Page) -> None:
    _open(page, "other.vcd")
    expect(page.locator(".jp-FpgaVcd").get_by_role("status")).to_have_text(
        "This is not a VCD file: it begins with “never”, not with a keyword such as $date or $timescale."
    )


def test_a_file_that_was_open_is_open_again(page: Page, work: Path) -> None:
    layout = re.compile(r'"widgets":\[[^\]]*"jupyter-fpga-vcd:capture\.vcd"')
    with page.expect_response(lambda answer: layout.search(answer.request.post_data or "") is not None):
        _open(page, "capture.vcd")
    # Another program writes the file anew.
    changed = _waveform()
    Waveform([*changed.waves, Wave("top.more", 1, [0], [1], 400)], end=400, tick=changed.tick).to_vcd(
        work / "capture.vcd"
    )
    page.reload()
    expect(_viewer(page).get_by_role("treeitem", name="more")).to_be_visible()


def test_a_million_changes_in_a_notebook(page: Page, work: Path) -> None:
    traffic = Traffic(page)
    _open_notebook(page, "large.ipynb")
    before = len(traffic.messages)  # JupyterLab asks each new kernel which widgets it has
    menu(page, "Run", "Run All Cells")
    viewer = _viewer(page)
    bus = viewer.get_by_role("treeitem", name="bus")
    expect(bus).to_be_visible(timeout=PATIENCE)
    # The layout that every widget has, the widget; what its view asks, and the answer, for each of two pieces.
    assert [kind for kind, _ in traffic.messages[before:]] == ["comm_open"] * 2 + ["comm_msg"] * 4
    bus.click()
    # Letters are the view's here, and not the notebook's, which would insert a cell.
    for key in ("ArrowRight", "ArrowDown", "b", "n"):
        page.keyboard.press(key)
    expect(viewer.get_by_role("treeitem", selected=True)).to_have_text(re.compile("mode"))
    expect(viewer.get_by_role("status")).to_have_text(re.compile(r"^top\.bus\.mode = (IDLE|FETCH|RUN|DONE) at B"))
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(1)
    assert len(traffic.messages) == before + 6
    menu(page, "File", "Save Notebook")
    expect(page.locator(".jp-mod-dirty")).to_have_count(0)
    saved = (work / "large.ipynb").read_text()
    # The picture and the text, and not the four megabytes of noise.
    assert "<svg" in saved
    assert len(saved) < 50_000


def test_names_and_fields_in_a_notebook(page: Page) -> None:
    _open_notebook(page, "small.ipynb")
    menu(page, "Run", "Run All Cells")
    viewer = _viewer(page)
    viewer.get_by_role("treeitem", name="status").click()
    page.keyboard.press("ArrowRight")
    viewer.get_by_role("treeitem", name="state").click()
    viewer.get_by_role("searchbox").fill("DONE")
    page.keyboard.press("Enter")
    status = viewer.get_by_role("status")
    expect(status).to_have_text("top.core.state = DONE at A  ·  A: 200 cycles (16.6667 µs)")
    expect(viewer.get_by_role("treeitem", name="mode")).to_have_text(re.compile(r"mode\s*DONE"))
    expect(viewer.get_by_role("treeitem", name="left")).to_have_text(re.compile(r"left\s*1e"))
    picture(page, viewer, "waveform_in_a_notebook")
