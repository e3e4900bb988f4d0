"""Colorlight i5 v7.0 on MuseLab's extension board, which has the programmer and the UART.

Pins: https://github.com/wuxx/Colorlight-FPGA-Projects, as in https://github.com/litex-hub/litex-boards
(``colorlight_i5.py``).
"""

from ._device import ecp5
from ._peripherals import buttons, leds, pmod
from ._target import Oscillator, Programmer, Serial, Target

__all__ = ("COLORLIGHT_I5",)

COLORLIGHT_I5 = Target(
    name="colorlight_i5",
    doc="Colorlight i5 v7.0 on its extension board (Lattice LFE5U-25F)",
    clock_hz=25_000_000,
    max_clock_hz=80_000_000,
    device=ecp5("25k", "CABGA381"),
    oscillator=Oscillator("P3", 25_000_000),
    serial=Serial(rx="H18", tx="J17"),
    programmer=Programmer(board="colorlight-i5", usb=("0d28:0204",), uart_interface=1),
    peripherals=(
        leds("U16", active_low=True),
        buttons("K18", active_low=True, pull="up"),
        # Connectors P3 and P4 … of the extension board, which calls them PMOD E and F.
        pmod("C17", "B18", "B20", "F20", "A18", "A19", "B19", "D20"),
        pmod("D1", "C1", "C2", "E3", "E2", "D2", "B1", "A3", name="pmod_b"),
    ),
)
