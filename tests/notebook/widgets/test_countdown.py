"""The countdown of a board session: its static form, on a real board."""

from jupyter_fpga.notebook.widgets import SessionCountdown

DESIGN = """%%fpga --name blink --quiet
class Top(wiring.Component):
    led: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.led.eq(~self.led)
        return m
"""


def test_its_static_form_tells_no_time(shell):
    shell.run(DESIGN)
    blink = shell.names["blink"]
    countdown = SessionCountdown(blink)
    assert countdown.fpga_id == blink.fpga_id
    assert repr(countdown) == "blink has a board for a limited time; `%fpga status` shows how long."
    data, _ = countdown._repr_mimebundle_()
    assert data["text/plain"] == repr(countdown)
    assert data["text/html"] == f"<div>{countdown}</div>"
