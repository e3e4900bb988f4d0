"""MuseLab iCESugar v1.5.

Pins: https://github.com/wuxx/icesugar (``src/common/io.pcf``). Its programmer, an iCELink, is a USB volume that takes a
bitstream as a file, a UART that shares pins with the connector PMOD1, and the source of the 12 MHz. openFPGALoader
knows neither the board nor the iCELink's own commands, so that the lab builds for an iCESugar but can't program one.
"""

from ._device import ice40
from ._peripherals import pmod, rgb_led, switches
from ._target import Oscillator, Programmer, Serial, Target

__all__ = ("ICESUGAR",)

ICESUGAR = Target(
    name="icesugar",
    doc="MuseLab iCESugar (Lattice iCE40UP5K)",
    clock_hz=12_000_000,
    min_clock_hz=12_000_000,
    max_clock_hz=24_000_000,
    device=ice40("up5k", "sg48"),
    oscillator=Oscillator("35", 12_000_000, pll_pad=True),
    serial=Serial(rx="4", tx="6"),
    programmer=Programmer(volume="iCELink", usb=("1d50:602b",), uart_interface=1, sram=False),
    peripherals=(
        rgb_led("40", "41", "39", active_low=True, only=True),
        switches("18", "19", "20", "21"),
        pmod("46", "44", "42", "37", "45", "43", "38", "36"),
        pmod("34", "31", "27", "25", "32", "28", "26", "23", name="pmod_b"),
    ),
)
