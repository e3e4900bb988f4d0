"""Sipeed Tang Nano 9K.

Pins: https://wiki.sipeed.com/hardware/en/tang/Tang-Nano-9K/Nano-9K.html (schematic), as in
https://github.com/sipeed/TangNano-9K-example. LEDs and buttons are on a bank of 1.8 V.
"""

from ._device import gowin
from ._peripherals import buttons, leds, pmod
from ._target import Oscillator, Programmer, Serial, Target

__all__ = ("TANG_NANO_9K",)

TANG_NANO_9K = Target(
    name="tang_nano_9k",
    doc="Sipeed Tang Nano 9K (Gowin GW1NR-9C)",
    clock_hz=27_000_000,
    min_clock_hz=9_000_000,
    max_clock_hz=54_000_000,
    device=gowin("GW1NR-LV9QN88PC6/I5", "GW1N-9C"),
    oscillator=Oscillator("52", 27_000_000),
    serial=Serial(rx="18", tx="17"),
    programmer=Programmer(board="tangnano9k", usb=("0403:6010",), uart_interface=1),
    peripherals=(
        leds("10", "11", "13", "14", "15", "16", active_low=True, io_standard=("LVCMOS18",) * 6),
        buttons("4", "3", active_low=True, pull="up", io_standard=("LVCMOS18",) * 2),
        pmod("25", "26", "27", "28", "29", "30", "33", "34"),
    ),
)
