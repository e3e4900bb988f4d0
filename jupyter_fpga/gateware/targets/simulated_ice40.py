"""An iCE40 that is a process: it runs the bitstream itself, turned back into logic."""

from ._device import ice40
from ._peripherals import buttons, console, leds, pmod, switches
from ._target import Oscillator, Serial, Target

__all__ = ("SIMULATED_ICE40",)

SIMULATED_ICE40 = Target(
    name="simulated_ice40",
    doc="A board that is a process: a Lattice iCE40HX8K, simulated from the bitstream itself.",
    # icebox knows no multipliers: the HX8K has none. Its pins are those of the simulated board, wherever they are.
    device=ice40("hx8k", "ct256"),
    # An ordinary computer simulates this in real time while the bus is busy, and three times as much while it isn't.
    clock_hz=2_000_000,
    min_clock_hz=1_000_000,
    max_clock_hz=48_000_000,
    oscillator=Oscillator("J3", 2_000_000),
    serial=Serial(rx="B10", tx="B12"),
    simulated=True,
    busy="C3",
    peripherals=(
        leds("B5", "B4", "A2", "A1", "C5", "C4", "B3", "D1"),
        buttons("A15", "B14", "C14", "B15"),
        switches("D14", "D15", "D16", "E16", "E14", "F16", "F15", "F14"),
        pmod("P1", "N2", "N3", "L4", "M1", "M2", "L3", "K3"),
        console(tx="R1", rx="P2"),
    ),
)
