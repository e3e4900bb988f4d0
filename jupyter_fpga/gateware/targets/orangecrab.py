"""OrangeCrab r0.2 and r0.2.1, with each of the ECP5 that it is sold with.

Pins: https://github.com/orangecrab-fpga/orangecrab-hardware (schematic), as ``gsd_orangecrab.py`` of
https://github.com/litex-hub/litex-boards has them. Its USB port ends at the device itself: there is no UART on it, and
bitstreams go into the flash memory by DFU, through the bootloader.
"""

from ._device import ecp5
from ._peripherals import buttons, pmod, rgb_led
from ._target import Oscillator, Programmer, Serial, Target

__all__ = ("ORANGECRAB",)


def _orangecrab(size: str) -> Target:
    return Target(
        name=f"orangecrab_{size}f",
        doc=f"OrangeCrab r0.2 (Lattice LFE5U-{size}F)",
        setup=(
            "Connect a USB-UART adapter of 3.3 V to the header: its TX to pin 0, its RX to pin 1. To program the "
            "board, hold its button while plugging it in, which starts its bootloader."
        ),
        clock_hz=48_000_000,
        max_clock_hz=80_000_000,
        device=ecp5(f"{size}k", "CSFBGA285", speed=8, flash_mhz=38.8),
        oscillator=Oscillator("A9", 48_000_000),
        serial=Serial(rx="N17", tx="M18", built_in=False),
        programmer=Programmer(board="orangeCrab", usb=("1209:5af0",), sram=False),
        peripherals=(
            rgb_led("K4", "M3", "J3", active_low=True, only=True),
            # On a bank of the DDR3 memory, which has 1.35 V.
            buttons("J17", active_low=True, io_standard=("SSTL135_I",)),
            # Header: 5, 6, 9 to 13, A0.
            pmod("B10", "B9", "C8", "B8", "A8", "H2", "J2", "L4"),
        ),
    )


#: One target for each size, as their bitstreams differ.
ORANGECRAB = tuple(_orangecrab(size) for size in ("25", "85"))
