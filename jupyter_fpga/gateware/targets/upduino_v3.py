"""tinyVision.ai UPduino v3.0 and v3.1.

Pins: https://github.com/tinyvision-ai-inc/UPduino-v3.0 (``RTL/common/upduino.pcf``). Its FT232H has one port, on the
lines of the flash memory: it programs that memory, and is a UART afterwards as long as the memory isn't selected.
Without the jumper the device has only its own oscillator, of 48 MHz ± 10 %, which no UART can use.
"""

from ._device import ice40
from ._peripherals import pmod, rgb_led
from ._target import Oscillator, Programmer, Serial, Target

__all__ = ("UPDUINO_V3",)

UPDUINO_V3 = Target(
    name="upduino_v3",
    doc="tinyVision.ai UPduino v3 (Lattice iCE40UP5K)",
    setup="Close the solder jumper OSC (R16), which brings the 12 MHz oscillator to pin 20.",
    clock_hz=12_000_000,
    min_clock_hz=12_000_000,
    max_clock_hz=24_000_000,
    device=ice40("up5k", "sg48"),
    oscillator=Oscillator("20", 12_000_000),
    serial=Serial(rx="15", tx="14"),
    high=("16",),
    programmer=Programmer(board="ice40_generic", cable="ft232", usb=("0403:6014",), uart_interface=0, sram=False),
    peripherals=(
        rgb_led("41", "39", "40", active_low=True, only=True),
        # Pin 35 stays free: as an input it would take the PLL's place.
        pmod("23", "25", "26", "27", "32", "31", "37", "34"),
        pmod("12", "21", "13", "19", "18", "11", "9", "6", name="pmod_b"),
    ),
)
