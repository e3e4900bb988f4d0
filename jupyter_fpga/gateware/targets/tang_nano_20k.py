"""Sipeed Tang Nano 20K.

Pins: https://wiki.sipeed.com/hardware/en/tang/tang-nano-20k/nano-20k.html (schematic), as in
https://github.com/sipeed/TangNano-20K-example. The buttons pull up the device's mode pins, which have resistors to
ground.
"""

from ._device import gowin
from ._peripherals import buttons, leds, pmod
from ._target import Oscillator, Programmer, Serial, Target

__all__ = ("TANG_NANO_20K",)

TANG_NANO_20K = Target(
    name="tang_nano_20k",
    doc="Sipeed Tang Nano 20K (Gowin GW2AR-18C)",
    clock_hz=27_000_000,
    min_clock_hz=9_000_000,
    max_clock_hz=54_000_000,
    device=gowin("GW2AR-LV18QN88C8/I7", "GW2A-18C"),
    oscillator=Oscillator("4", 27_000_000),
    serial=Serial(rx="70", tx="69"),
    programmer=Programmer(board="tangnano20k", usb=("0403:6010",), uart_interface=1),
    peripherals=(
        leds("15", "16", "17", "18", "19", "20", active_low=True),
        buttons("88", "87"),
        pmod("73", "74", "75", "77", "27", "28", "29", "30"),
    ),
)
