"""The board that needs nothing plugged in: LabSoC compiled to a program, with pins that the lab's bench holds."""

from jupyter_fpga.gateware.manifest import Control, Window

from ._target import Resource, Target, Wire

__all__ = ("SIMULATED",)

#: Where LiteX's CSR bus starts. The pages of 0x800 bytes on it are given out in labsoc.
_CSR = 0xF000_0000

SIMULATED = Target(
    name="simulated",
    doc="A board that is a process: the same SoC as on hardware, simulated at pin level.",
    # The clock of an iCEBreaker, and one that an ordinary computer simulates in real time.
    clock_hz=12_000_000,
    min_clock_hz=1_000_000,
    max_clock_hz=200_000_000,
    fifo_depth=1024,
    # Long enough for any register or memory, and short enough that what arrives meanwhile fits the FIFO (34 bytes).
    bus_timeout=4096,
    window=Window(base=0x3000_0000, size=0x10_0000),
    control=Control(
        scratch=_CSR + 0x04,
        bus_errors=_CSR + 0x08,
        cycles=_CSR + 0x0C,
        overflow=_CSR + 0x14,
        identifier=_CSR + 0x800,
        identifier_words=64,
    ),
    resources={
        resource.name: resource
        for resource in (
            Resource("led", (Wire("", "leds", 1, "o"),), "The first of the eight LEDs."),
            Resource("leds", (Wire("", "leds", 8, "o"),), "Eight LEDs; a 1 lights one."),
            Resource("button", (Wire("", "buttons", 1, "i"),), "The first of the four buttons."),
            Resource("buttons", (Wire("", "buttons", 4, "i"),), "Four buttons; 1 while pressed."),
            Resource("switches", (Wire("", "switches", 8, "i"),), "Eight switches; 1 when on."),
            Resource(
                "pmod",
                (Wire("i", "pmod_i", 8, "i"), Wire("o", "pmod_o", 8, "o"), Wire("oe", "pmod_oe", 8, "o")),
                "Eight free pins; inputs or outputs as the design's port says.",
            ),
            Resource(
                "uart",
                (Wire("tx", "console_tx", 1, "o"), Wire("rx", "console_rx", 1, "i")),
                "The console: a serial line besides the bridge's own.",
            ),
        )
    },
    simulated=True,
)
