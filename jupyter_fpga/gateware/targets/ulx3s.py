"""Radiona ULX3S, with each of the ECP5 that it is sold with.

Pins: https://github.com/emard/ulx3s (``doc/constraints/ulx3s_v20.lpf``).
"""

from ._device import ecp5
from ._peripherals import buttons, leds, pmod, switches
from ._target import Oscillator, Programmer, Serial, Target

__all__ = ("ULX3S",)


def _ulx3s(size: str) -> Target:
    return Target(
        name=f"ulx3s_{size}f",
        doc=f"Radiona ULX3S (Lattice LFE5U-{size}F)",
        clock_hz=25_000_000,
        max_clock_hz=80_000_000,
        device=ecp5(f"{size}k", "CABGA381", flash_mhz=62.0),
        oscillator=Oscillator("G2", 25_000_000),
        serial=Serial(rx="M1", tx="L4"),
        # GPIO0 of the ESP32: low, it would have that chip restart and take the board with it.
        high=("L2",),
        programmer=Programmer(board="ulx3s", usb=("0403:6015",), uart_interface=0),
        peripherals=(
            leds("B2", "C2", "C1", "D2", "D1", "E2", "E1", "H3"),
            buttons("R1", "T1", "R18", "V1", "U1", "H16", pull="down"),
            switches("E8", "D8", "D7", "E7", pull="down"),
            pmod("B11", "A10", "A9", "B10", "C11", "A11", "B9", "C10"),
        ),
    )


#: One target for each size, as their bitstreams differ.
ULX3S = tuple(_ulx3s(size) for size in ("12", "25", "45", "85"))
