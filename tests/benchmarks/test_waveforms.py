"""How smoothly a million value changes are panned in a browser, beside a page that has nothing to draw.

Frames are counted by the timestamps that Chromium gives ``requestAnimationFrame``; printed as a table, and nothing is
asserted about time. Goal: 30 frames a second.
"""

import base64
import shutil
import statistics
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from playwright.sync_api import Page, Route, sync_playwright

from jupyter_fpga.notebook.widgets.waveform import STATIC
from jupyter_fpga.waveform import Wave, Waveform

pytestmark = pytest.mark.benchmark

LANES, CHANGES = 20, 50_000
#: Measured in turns with frames in which nothing is drawn, so that both meet the same other load of the machine.
TURNS, FRAMES = 6, 50
GOAL = 30
#: As of a notebook on a good screen, pixels; and how many of the screen's pixels make one.
VIEWPORT, RATIO = {"width": 1600, "height": 1000}, 2

#: Milliseconds from frame to frame while the picture is panned (true) or nothing happens, as on an empty page (false).
_RUN = """async ([frames, pans]) => {
  const gaps = [];
  let last = await new Promise(requestAnimationFrame);
  for (let number = 0; number < frames; number++) {
    if (pans) {
      window.pan(number);
    }
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - last);
    last = now;
  }
  return gaps;
}"""

#: Shows the packet, zoomed in by a factor, and pans it as a person does: with the wheel, back and forth.
_OPEN = """async ([packet, factor]) => {
  const { show } = await import('/waveform.js');
  const bytes = Uint8Array.from(atob(packet), character => character.charCodeAt(0));
  document.body.replaceChildren();
  const began = performance.now();
  show(document.body, bytes.buffer);
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  const opened = performance.now() - began;
  const canvas = document.querySelector('canvas');
  const wheel = options => canvas.dispatchEvent(new WheelEvent('wheel', { cancelable: true, ...options }));
  for (let scale = 1; scale < factor; scale *= Math.exp(0.3)) {
    wheel({ deltaY: -100, ctrlKey: true });
  }
  window.pan = number => wheel({ deltaX: number % 50 < 25 ? 17 : -17 });
  return opened;
}"""


def _waveform() -> Waveform:
    """Clocks and buses that change at every tick, or with gaps."""
    waves = []
    for lane in range(LANES):
        gap = 1 + lane % 5
        times = [number * gap + (number // 1000) * 300 for number in range(CHANGES)]
        width = (1, 8, 32)[lane % 3]
        mask = (1 << width) - 1
        values = [(number * 2_654_435_761 if width > 1 else number) & mask for number in range(CHANGES)]
        waves.append(Wave(f"lane{lane}", width, times, values, 300_000))
    return Waveform(waves, end=300_000, tick=Fraction(1, 10**8))


@pytest.fixture
def page() -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not installed; `apt install chromium` brings it.")
    module = (STATIC / "parts" / "waveform.js").read_text()

    def answer(route: Route) -> None:
        if route.request.url.endswith(".js"):
            route.fulfill(body=module, content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html><body>", content_type="text/html")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport=VIEWPORT, device_scale_factor=RATIO)
        page.route("**/*", answer)
        page.goto("http://waveform.test/")
        yield page
        browser.close()


def _row(name: str, gaps: list[float]) -> str:
    middle, slow = statistics.median(gaps), statistics.quantiles(gaps, n=20)[-1]
    rate = 1000 / statistics.mean(gaps)
    return f"  {name:<34} {rate:6.1f} frames/s   median {middle:5.1f} ms   p95 {slow:5.1f} ms"


def test_panning_a_million_changes(page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    waveform = _waveform()
    began = time.perf_counter()
    packet = waveform.packed()
    packed = time.perf_counter() - began
    text = base64.b64encode(packet).decode()
    rows: list[str] = []
    opened: Any = 0
    for factor in (1, 10, 1000, 30_000):
        opened = page.evaluate(_OPEN, [text, factor])
        gaps: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(TURNS):
            for pans, found in gaps.items():
                found += page.evaluate(_RUN, [FRAMES, pans])
        rows += [_row(f"panning, zoomed in {factor:,} times", gaps[True]), _row("  nothing to draw", gaps[False])]
    with capsys.disabled():
        print(f"\n{LANES * CHANGES:,} value changes in {LANES} lanes, goal {GOAL} frames/s")
        print("\n".join(rows))
        print(f"  packed in {packed:.2f} s to {len(packet) / 1e6:.1f} MB, decoded and drawn in {opened:.0f} ms")
