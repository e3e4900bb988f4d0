"""How long from a slider to an LED, and what a live panel costs, in a real JupyterLab with a simulated board.

The slider's peer is what one builds from ipywidgets alone, in the same page at the same time: a slider that the kernel
observes, which writes the register, looks at the LEDs and sets a label. The panel of 64 registers is measured beside
the same panel scrolled out of sight, where nobody needs it. Nothing is asserted about time.
"""

# ruff: noqa: F811 - fixtures of the browser's tests are arguments here
import os
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ..browser.conftest import browser, chromium, jupyterlab, page, server, work  # noqa: F401, TID252 - JupyterLab is started there
from ..browser.notebooks import DIMMER, PATIENCE, new_notebook, run_cell  # noqa: TID252

pytestmark = pytest.mark.benchmark

#: Moves of a slider.
MOVES = 100
#: Seconds that processor time is counted.
COUNTED = 20

#: All in one output, so that all of it is in sight.
VIEWS = """
import ipywidgets
slider, label = ipywidgets.IntSlider(max=255, description='peer'), ipywidgets.Label('LEDs 0')
def moved(change):
    pwm.regs.duty = change['new']
    label.value = f'LEDs {pwm.leds.value} {change["new"]}'
slider.observe(moved, 'value')
display(pwm, pwm.regs, ipywidgets.VBox([slider, label]))
"""

MANY = """%%fpga --name many
class Top(wiring.Component):
    def __init__(self):
        super().__init__({f'r{n}': Out(32) for n in range(64)})

    def elaborate(self, platform):
        m = Module()
        for n in range(64):
            m.d.sync += getattr(self, f'r{n}').eq(getattr(self, f'r{n}') + n)
        return m
"""

#: Moves ``input`` to and fro; how long until what ``watched`` says has changed, ms, each time.
MEASURE = """async ([input, watched, moves]) => {
  const said = () => watched.getAttribute('aria-label') ?? watched.textContent;
  const slide = value => {
    if (input.type === 'range') {
      input.value = value;
      input.dispatchEvent(new Event('input'));
    } else {
      input.textContent = value;
      // ipywidgets listens further out.
      input.dispatchEvent(new Event('blur', { bubbles: true }));
    }
  };
  const times = [];
  for (let move = 0; move < moves; move++) {
    const before = said();
    const changed = new Promise(resolve => {
      const observer = new MutationObserver(() => {
        if (said() !== before) {
          observer.disconnect();
          resolve(performance.now());
        }
      });
      observer.observe(watched, { attributes: true, childList: true, characterData: true, subtree: true });
    });
    const begun = performance.now();
    slide(move % 2 ? 64 : 192);
    times.push(await changed - begun);
    // Until the LED has got to its new brightness, and a little, so that moves don't fall into step with looks.
    await new Promise(resolve => setTimeout(resolve, 120 + 40 * Math.random()));
  }
  return times;
}"""


def _told(name: str, times: list[float]) -> str:
    ninety_five = statistics.quantiles(times, n=20)[-1]
    return f"{name}: median {statistics.median(times):.1f} ms, 95 % within {ninety_five:.1f} ms"


def test_a_slider_to_an_led(page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    new_notebook(page)
    run_cell(page, "%load_ext jupyter_fpga")
    expect(run_cell(page, DIMMER)).to_contain_text("runs on a board.", timeout=PATIENCE)
    peer = run_cell(page, VIEWS)
    cell = page.locator(".jp-CodeCell").filter(has_text="import ipywidgets")
    cell.scroll_into_view_if_needed()
    bench = cell.get_by_role("region", name="Bench of pwm")
    panel = cell.get_by_role("region", name="Registers of pwm")
    expect(panel.get_by_role("status")).to_contain_text("held by you", timeout=PATIENCE)
    expect(bench.get_by_role("img")).to_be_visible(timeout=PATIENCE)
    led, label = bench.get_by_role("img"), peer.get_by_text("LEDs 0")
    moved = {
        "panel and bench": (panel.get_by_role("slider"), led),
        # A readout that is written takes the way of a slider that is moved: a change of the model's value.
        "ipywidgets and the kernel": (peer.locator(".widget-readout"), label),
    }
    told = []
    for name, (handle, watched) in moved.items():
        arguments = [handle.element_handle(), watched.element_handle(), MOVES]
        told.append(_told(name, page.evaluate(MEASURE, arguments)))
    with capsys.disabled():
        print(f"\nslider to LED: {'; '.join(told)}")


def test_a_panel_of_64_registers(page: Page, jupyterlab: str, capsys: pytest.CaptureFixture[str]) -> None:
    new_notebook(page)
    run_cell(page, "%load_ext jupyter_fpga")
    expect(run_cell(page, MANY)).to_contain_text("runs on a board.", timeout=PATIENCE)
    kernel = int(run_cell(page, "import os; print(os.getpid())").inner_text())
    host = int(run_cell(page, "print(os.getppid())").inner_text())
    output = run_cell(page, "many.regs")
    panel = output.get_by_role("region", name="Registers of many")
    expect(panel.get_by_role("status")).to_contain_text("held by you", timeout=PATIENCE)
    everybody = {"kernel": [kernel], "server": [host], "browser": list(_browsers())}
    live = _shares(page, everybody)
    for _ in range(12):
        # Far below, the panel isn't seen any more.
        run_cell(page, "pass" + "\n" * 20)
    hidden = _shares(page, everybody)
    with capsys.disabled():
        told = (f"{who} {live[who]:.1f} % ({hidden[who]:.1f} % out of sight)" for who in everybody)
        print(f"\n64 registers at 10 Hz, of a processor: {', '.join(told)}")


def _browsers() -> Iterator[int]:
    """Chromium's processes."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if "chromium" in os.readlink(folder / "exe"):
                    yield int(folder.name)
            except OSError:
                continue


def _shares(page: Page, everybody: dict[str, list[int]]) -> dict[str, float]:
    """Percent of a processor that each uses while nothing else happens."""
    before = {who: sum(map(_used, processes)) for who, processes in everybody.items()}
    page.wait_for_timeout(1000 * COUNTED)
    return {who: 100 * (sum(map(_used, everybody[who])) - before[who]) / COUNTED for who in everybody}


def _used(process: int) -> float:
    """Seconds of processor time that a process has used."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
