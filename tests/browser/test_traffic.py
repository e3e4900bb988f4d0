"""What each view costs in messages between the page and the kernel: to open, and to run.

A front end that shows a hundred widgets, and a kernel that computes, have other things to do. Views whose page reaches
the lab cost nothing once they are open; the others go through the kernel.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from .api import Api
from .notebooks import new_notebook, run_cell
from .traffic import Traffic, most_in_a_second

#: What no view costs more of, to open and in a second.
MOST = 10

#: Its LED and its counter are never the same for long.
DESIGN = """%%fpga --name pwm
class Top(wiring.Component):
    duty: In(8)
    led: Out(1)
    count: Out(8)

    def elaborate(self, platform):
        m = Module()
        time = Signal(22)
        m.d.sync += time.eq(time + 1)
        m.d.comb += [self.count.eq(time[14:]), self.led.eq(time[-1])]
        return m
"""

SETUP = """
from fractions import Fraction

import jupyter_fpga
from jupyter_fpga.notebook.widgets import *
from jupyter_fpga.waveform import Wave, Waveform

lab = jupyter_fpga.connect()
lab.served = {served}
board = lab.board(name="pwm")
source = "import time\\nfor n in range(3000):\\n    print('line', n, flush=True)\\n    time.sleep(0.001)\\n"
wave = Waveform([Wave("top.bus", 8, list(range(200)), list(range(200)), 200)], end=200, tick=Fraction(1, 12_000_000))
"""

#: Notes the time at which the page first shows what a view shows once it is open, s since 1970.
WATCH = """([selector, text]) => {
    const found = () => [...document.querySelectorAll(selector)].some(e => new RegExp(text).test(e.textContent));
    const look = () => {
        window.opened = found() ? Date.now() / 1000 : 0;
        if (!window.opened) { requestAnimationFrame(look); }
    };
    look();
}"""

#: Waits until an element's text or attributes have changed so often.
CHANGES = """(element, [times]) => new Promise(done => {
    const options = {subtree: true, childList: true, characterData: true, attributes: true};
    new MutationObserver(() => { times -= 1; if (times <= 0) { done(); } }).observe(element, options);
})"""


@dataclass
class View:
    """A view, and how it is seen to be open and made to run."""

    cell: str
    #: Of what there is once it is open, a selector and its text.
    selector: str
    text: str
    run: Callable[[Page, Api], None]


def _renew(page: Page, api: Api) -> None:
    for _ in range(150):
        api.ask("POST", "fpga/0/session/renew")


def _turn(page: Page, api: Api) -> None:
    """Move a slider as fast as a hand does, while the counter counts."""
    page.evaluate(
        """() => new Promise(done => {
            const slider = document.querySelector('.fpga-registers input[type=range]');
            let step = 0;
            const move = () => {
                slider.value = String(step % 256);
                slider.dispatchEvent(new Event('input'));
                step += 1;
                if (step < 180) { requestAnimationFrame(move); } else { done(); }
            };
            move();
        })"""
    )


def _blink(page: Page, api: Api) -> None:
    page.locator(".fpga-bench").evaluate(CHANGES, [15])


def _finish(page: Page, api: Api) -> None:
    # What it prints is all that it does.
    expect(page.get_by_role("region", name="Log: build").get_by_role("status").first).to_have_text("failed")


def _look_round(page: Page, api: Api) -> None:
    page.get_by_role("treeitem", name="bus").click()
    for key in ("z", "ArrowRight", "n", "n", "b", "Home", "End"):
        page.keyboard.press(key)


VIEWS = {
    "picker": View("BoardPicker(lab)", ".fpga-picker [role=status]", "free", _renew),
    "countdown": View("SessionCountdown(board)", "[role=timer]", r"\d:\d\d", _renew),
    "register panel": View("RegisterPanel(board)", ".fpga-registers .fpga-value", r"\d", _turn),
    "bench": View("BenchView(board)", ".fpga-bench[data-standing=live]", "", _blink),
    "log": View("LogView(lab.build(source, use_cache=False))", "[role=log]", r"line \d", _finish),
    "waveform": View("WaveformView(wave)", "[role=treeitem]", "bus", _look_round),
}


@pytest.mark.parametrize("served", [True, False], ids=["directly", "through the kernel"])
def test_no_view_costs_more_than_ten_messages(page: Page, jupyterlab: str, served: bool) -> None:
    traffic = Traffic(page)
    api = Api(page, jupyterlab)
    new_notebook(page)
    run_cell(page, "%load_ext jupyter_fpga")
    expect(run_cell(page, DESIGN)).to_contain_text("runs on a board.")
    run_cell(page, SETUP.format(served=served))
    figures: dict[str, tuple[int, int]] = {}
    for name, view in VIEWS.items():
        before = len(traffic.messages)
        page.evaluate(WATCH, [view.selector, view.text])
        run_cell(page, f"view = {view.cell}\nview")
        opened: float = page.wait_for_function("window.opened").json_value()
        view.run(page, api)
        times = [time for _, time in traffic.messages[before:]]
        figures[name] = (
            sum(time <= opened for time in times),
            most_in_a_second([time for time in times if time > opened]),
        )
        run_cell(page, "view.close()")
    print("messages to open, and at most in a second:", figures)
    assert {name: figure for name, figure in figures.items() if max(figure) > MOST} == {}
    if served:
        assert all(running == 0 for _, running in figures.values()), figures
