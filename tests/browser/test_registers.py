"""The register panel in a real JupyterLab: a slider moves, and the board's register and LED follow."""

from playwright.sync_api import Page, expect

from .notebooks import PATIENCE, new_notebook, run_cell

DESIGN = """%%fpga --name pwm
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


def test_a_slider_moves_a_register_and_an_led(page: Page) -> None:
    new_notebook(page)
    run_cell(page, "%load_ext jupyter_fpga")
    expect(run_cell(page, DESIGN)).to_contain_text("runs on a board.", timeout=PATIENCE)
    bench = run_cell(page, "pwm").get_by_role("region", name="Bench of pwm")
    expect(bench.get_by_role("status")).to_contain_text("held by you", timeout=PATIENCE)
    expect(bench.get_by_role("img", name="LED 0: off")).to_be_visible(timeout=PATIENCE)
    panel = run_cell(page, "pwm.regs").get_by_role("region", name="Registers of pwm")
    expect(panel.get_by_role("status")).to_contain_text("held by you", timeout=PATIENCE)
    panel.get_by_role("slider", name="duty, slider").fill("77")
    expect(panel.get_by_role("row", name="duty").locator(".fpga-value")).to_have_text("77 (0x4d)", timeout=PATIENCE)
    # 77 of 256 clock cycles.
    expect(bench.get_by_role("img", name="LED 0: 30 %")).to_be_visible(timeout=PATIENCE)
    expect(run_cell(page, "int(pwm.regs.duty)")).to_have_text("77")
    page.screenshot(path="/tmp/panel.png")
    run_cell(page, "pwm.release()")
    over = "The board session has ended: run the cell again to get a board."
    expect(panel.get_by_role("status")).to_have_text(over, timeout=PATIENCE)
    expect(bench.get_by_role("status")).to_have_text(over, timeout=PATIENCE)
