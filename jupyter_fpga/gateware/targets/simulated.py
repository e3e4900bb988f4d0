"""The board that needs nothing plugged in: LabSoC compiled to a program, with pins that the lab's bench holds."""

from ._peripherals import buttons, console, leds, pmod, switches
from ._target import Target

__all__ = ("SIMULATED",)

SIMULATED = Target(
    name="simulated",
    doc="A board that is a process: the same SoC as on hardware, simulated at pin level.",
    # The clock of an iCEBreaker, and one that an ordinary computer simulates in real time.
    clock_hz=12_000_000,
    min_clock_hz=1_000_000,
    max_clock_hz=200_000_000,
    simulated=True,
    peripherals=(leds(count=8), buttons(count=4), switches(count=8), pmod(count=8), console()),
    # A real board has block RAM for other things as well; here it is for lines with the longest delay.
    answer_depth=4096,
)
