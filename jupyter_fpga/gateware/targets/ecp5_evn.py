"""Lattice ECP5 Evaluation Board, LFE5UM5G-85F-EVN.

Pins: Lattice FPGA-EB-02017, as ``ecp5_5g_evn.py`` of https://github.com/amaranth-lang/amaranth-boards has them. Bank 1,
with the LEDs and five of the switches, has 2.5 V; the rest used here has 3.3 V.
"""

from ._device import ecp5
from ._peripherals import buttons, leds, pmod, switches
from ._target import Oscillator, Programmer, Serial, Target

__all__ = ("ECP5_EVN",)

ECP5_EVN = Target(
    name="ecp5_evn",
    doc="Lattice ECP5 Evaluation Board (LFE5UM5G-85F)",
    setup=(
        "Move the resistors R22 and R23 to R34 and R35, which brings the USB chip's second port to the device, and "
        "make that port a UART with FT_PROG or fixFT2232_ecp5evn."
    ),
    clock_hz=12_000_000,
    max_clock_hz=80_000_000,
    device=ecp5("um5g-85k", "CABGA381", speed=8, flash_mhz=38.8),
    oscillator=Oscillator("A10", 12_000_000),
    serial=Serial(rx="P2", tx="P3"),
    programmer=Programmer(board="ecp5_evn", usb=("0403:6010",), uart_interface=1),
    peripherals=(
        leds(
            *("A13", "A12", "B19", "A18", "B18", "C17", "A17", "B17"),
            active_low=True,
            io_standard=("LVCMOS25",) * 8,
        ),
        buttons("P4", active_low=True, pull="up"),
        switches(
            *("J1", "H1", "K1", "E15", "D16", "B16", "C16", "A16"),
            active_low=True,
            pull="up",
            io_standard=("LVCMOS33",) * 3 + ("LVCMOS25",) * 5,
        ),
        pmod("C6", "C7", "E8", "D8", "C8", "B8", "A7", "A8"),
    ),
)
