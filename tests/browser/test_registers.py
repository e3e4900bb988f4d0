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


def test_a_slider_moves_a_register(page: Page) -> None:
    new_notebook(page)
    run_cell(page, "%load_ext jupyter_fpga")
    expect(run_cell(page, DESIGN)).to_contain_text("runs on a board.", timeout=PATIENCE)
    output = run_cell(page, "pwm.regs")
    panel = output.get_by_role("region", name="Registers of pwm")
    expect(panel.get_by_role("status")).to_contain_text("live", timeout=PATIENCE)
    slider = panel.get_by_role("slider", name="duty, slider")
    slider.fill("77")
    expect(panel.get_by_role("row", name="duty").locator(".fpga-value")).to_have_text("77 (0x4d)", timeout=PATIENCE)
    expect(run_cell(page, "int(pwm.regs.duty)")).to_have_text("77")
    page.screenshot(path="/tmp/panel.png")
    expect(run_cell(page, "pwm.release()")).to_have_count(0)
