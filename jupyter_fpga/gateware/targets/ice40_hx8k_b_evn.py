"""Lattice iCE40-HX8K Breakout Board.

Pins: Lattice EB85, as in https://github.com/amaranth-lang/amaranth-boards (``ice40_hx8k_b_evn.py``). As it is sold, its
USB chip reaches the flash memory; the device itself only without the jumper J7 and with those of J6 turned.
"""

from ._device import ice40
from ._peripherals import leds, pmod
from ._target import Oscillator, Programmer, Serial, Target

__all__ = ("ICE40_HX8K_B_EVN",)

ICE40_HX8K_B_EVN = Target(
    name="ice40_hx8k_b_evn",
    doc="Lattice iCE40-HX8K Breakout Board (iCE40HX8K)",
    clock_hz=12_000_000,
    min_clock_hz=12_000_000,
    max_clock_hz=48_000_000,
    device=ice40("hx8k", "ct256"),
    oscillator=Oscillator("J3", 12_000_000),
    serial=Serial(rx="B10", tx="B12"),
    programmer=Programmer(board="ice40_generic", usb=("0403:6010",), uart_interface=1, sram=False),
    peripherals=(
        leds("C3", "B3", "C4", "C5", "A1", "A2", "B4", "B5"),
        # Eight neighbours on the header J2, 3.3 V.
        pmod("R15", "P16", "P15", "N16", "M15", "M16", "L16", "K15"),
        pmod("K16", "K14", "J14", "G14", "F14", "J15", "H14", "H16", name="pmod_b"),
    ),
)
