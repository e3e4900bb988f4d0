"""The clock and reset of a board's SoC: from the oscillator, through a PLL where the frequencies differ."""

import importlib
import re
from typing import Any

from litex.gen import LiteXModule
from migen import ClockDomain, Constant, If, Signal

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.targets import Target
from jupyter_fpga.gateware.targets._litex_device import PLLS

__all__ = ("Clocking",)

_RESET_CYCLES = 16
"""Clock cycles for which reset is held after the PLL has locked: block RAMs of an iCE40 read as zero in the first
microsecond after configuration (Lattice TN1250)."""


class Clocking(LiteXModule):  # type: ignore[misc]
    """Drives the domain ``sys`` of a real board.

    Parameters
    ----------
    target
        Has an oscillator.
    clock_hz
        What ``sys`` shall run at, Hz.
    pad
        The oscillator's signal.
    reset
        Takes everything in ``sys`` into reset while it is high.

    Raises
    ------
    DesignError
        ``bad_clock``: no setting of the device's PLL gives that frequency.
    """

    def __init__(self, target: Target, clock_hz: int, pad: Any, reset: Any) -> None:
        self.cd_sys = ClockDomain()
        self.cd_por = ClockDomain(reset_less=True)
        self.rst = reset
        assert target.oscillator is not None
        locked: Any = Constant(1)
        # The oscillator of a board that is a process is whatever the design asks for.
        if target.simulated or clock_hz == target.oscillator.frequency:
            self.comb += self.cd_sys.clk.eq(pad)
        else:
            self.pll = pll = _pll(target)
            try:
                pll.register_clkin(pad, target.oscillator.frequency)
                pll.create_clkout(self.cd_sys, clock_hz, with_reset=False)
                pll.finalize()
            except (AssertionError, ValueError):
                raise DesignError(
                    f"The target {target.name} can't make {clock_hz} Hz from its oscillator of "
                    f"{target.oscillator.frequency} Hz; choose another sys_clk_freq.",
                    code="bad_clock",
                ) from None
            locked = pll.locked
        count = Signal(max=_RESET_CYCLES + 1)
        # Configuration sets registers to their initial values, so that the count begins at zero.
        self.sync.por += If(~locked | reset, count.eq(0)).Elif(count != _RESET_CYCLES, count.eq(count + 1))
        self.comb += [self.cd_por.clk.eq(self.cd_sys.clk), self.cd_sys.rst.eq(count != _RESET_CYCLES)]


def _pll(target: Target) -> Any:
    """LiteX's description of the device's PLL."""
    device = target.device
    assert device is not None
    if device.family == "ice40":
        from litex.soc.cores.clock.lattice_ice40 import iCE40PLL

        assert target.oscillator is not None
        return iCE40PLL("SB_PLL40_PAD" if target.oscillator.pll_pad else "SB_PLL40_CORE")
    if device.family == "ecp5":
        from litex.soc.cores.clock.lattice_ecp5 import ECP5PLL

        return ECP5PLL()
    if device.family == "vendor":
        pll = next(pll for pll in PLLS if re.match(pll.devices, device.part))
        return getattr(importlib.import_module(f"litex.soc.cores.clock.{pll.module}"), pll.name)(pll.speedgrade)
    if device.variant.startswith("GW2A"):
        from litex.soc.cores.clock.gowin_gw2a import GW2APLL

        return GW2APLL(devicename=device.variant, device=device.part)
    from litex.soc.cores.clock.gowin_gw1n import GW1NPLL

    return GW1NPLL(devicename=device.variant, device=device.part)
