"""1BitSquared iCEBreaker V1.0.

Pins: https://github.com/icebreaker-fpga/icebreaker-examples (``icebreaker.pcf``). As it is sold, its USB chip reaches
the flash memory, and not the device itself: the jumpers between the chip, the flash and the device lead the data lines
to the flash (https://github.com/icebreaker-fpga/icebreaker, "Jumpers … for SRAM programming (like on HX8K breakout
board)"). Turned, they lead them to the device, and openFPGALoader writes its own memory; then ``sram=true`` belongs to
the board in the lab's configuration. Otherwise ``flash=true`` does.
"""

from ._device import ice40
from ._peripherals import buttons, leds, pmod, rgb_led
from ._target import Oscillator, Programmer, Serial, Target

__all__ = ("ICEBREAKER",)

ICEBREAKER = Target(
    name="icebreaker",
    doc="1BitSquared iCEBreaker (Lattice iCE40UP5K)",
    clock_hz=12_000_000,
    min_clock_hz=12_000_000,
    max_clock_hz=24_000_000,
    device=ice40("up5k", "sg48"),
    oscillator=Oscillator("35", 12_000_000, pll_pad=True),
    serial=Serial(rx="6", tx="9"),
    programmer=Programmer(
        board="ice40_generic",
        usb=("0403:6010",),
        uart_interface=1,
        sram=False,
        to_sram="Turn the jumpers that lead its USB chip's data lines to the flash, so that they lead to the iCE40",
    ),
    peripherals=(
        leds("11", "37", active_low=True),
        rgb_led("39", "40", "41", active_low=True),
        buttons("10", active_low=True),
        pmod("4", "2", "47", "45", "3", "48", "46", "44"),
        pmod("43", "38", "34", "31", "42", "36", "32", "28", name="pmod_b"),
    ),
)
