"""Sipeed Tang Nano 9K. Pins: https://wiki.sipeed.com/hardware/en/tang/Tang-Nano-9K/Nano-9K.html (schematic)."""

from ._device import gowin
from ._peripherals import buttons, leds, pmod
from ._target import Oscillator, Programmer, Serial, Target

__all__ = ("TANG_NANO_9K",)

TANG_NANO_9K = Target(
    name="tang_nano_9k",
    doc="Sipeed Tang Nano 9K (Gowin GW1NR-9C)",
    clock_hz=27_000_000,
    max_clock_hz=54_000_000,
    device=gowin("GW1NR-LV9QN88PC6/I5", "GW1N-9C"),
    oscillator=Oscillator("52", 27_000_000),
    serial=Serial(rx="18", tx="17"),
    programmer=Programmer(board="tangnano9k", usb=("0403:6010",), uart_interface=1),
    peripherals=(
        leds("10", "11", "13", "14", "15", "16", active_low=True),
        buttons("4", active_low=True),
        pmod("25", "26", "27", "28", "29", "30", "33", "34"),
    ),
)
