"""As :mod:`bare_soc`, for a board: ``board_soc.py DESIGN.py FOLDER TARGET``.

The SoC has the lab's bridge and controller in the place of LiteX's: the gateware is then the same on both sides, and
the way to a bitstream alone is compared. A script of its own, since whoever writes without this project imports none
of it.
"""

import sys
from pathlib import Path

from bare_soc import IO, Wrapped, export
from litex.build.generic_platform import GenericPlatform
from litex.build.io import CRG
from litex.gen import LiteXModule
from litex.soc.cores.uart import UARTPHY
from litex.soc.integration.soc import SoCRegion
from litex.soc.integration.soc_core import SoCMini
from litex.soc.interconnect import csr_bus, wishbone

from jupyter_fpga.gateware.labsoc import Bridge, LabController
from jupyter_fpga.gateware.targets import find_target


class BoardSoc(SoCMini):
    """As much for a board, with the lab's own way to the bus."""

    def __init__(self, component, target):
        platform = GenericPlatform("", IO)
        clock_hz = target.clock_hz
        SoCMini.__init__(
            self,
            platform,
            clock_hz,
            ident="bare" + " " * (target.control.identifier_words - len("bare") - 1),
            ident_version=False,
            with_ctrl=False,
            bus_timeout=target.bus_timeout,
            csr_data_width=32,
        )
        self.crg = CRG(platform.request("clk"))
        self.ctrl = LabController()
        phy = UARTPHY(platform.request("serial"), clock_hz, target.baud(clock_hz))
        self.bridge = bridge = Bridge(phy, clock_hz, target.fifo_depth, target.answer_depth)
        self.bus.add_master(master=bridge.bus)
        self.comb += [self.ctrl.lost.eq(bridge.lost), bridge.frames.error.eq(self.ctrl.bus_error)]
        self.submodules.window = window = Window(component)
        area = target.window
        self.bus.add_slave("window", window.bus, SoCRegion(origin=area.base, size=area.size, cached=False))


class Window(LiteXModule):
    """The component's CSRs in a region of the bus that is theirs alone."""

    def __init__(self, component):
        self.bus = wishbone.Interface(data_width=32, address_width=32, addressing="word")
        self.csr = csr_bus.Interface(data_width=32, address_width=14)
        self.wrapped = Wrapped(component)
        self.bank = csr_bus.CSRBank(self.wrapped.get_csrs(), bus=self.csr)
        self.bridge = wishbone.Wishbone2CSR(self.bus, self.csr)


if __name__ == "__main__":
    export(Path(sys.argv[1]), Path(sys.argv[2]), lambda component: BoardSoc(component, find_target(sys.argv[3])))
