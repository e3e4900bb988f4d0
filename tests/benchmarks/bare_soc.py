"""The bare steps' first one: elaborate a design in an ordinary LiteX SoC, and export Verilog.

What somebody would write without this project: ``SoCMini`` with a UART bridge, the Amaranth component as an
``Instance``, and a CSR for each of its ports. Run as ``bare_soc.py DESIGN.py FOLDER``; writes ``design.v``, ``soc.v``.

With ``TARGET`` behind these it is such a SoC for that board, with the lab's bridge and controller in the place of
LiteX's: the gateware is then the same on both sides, and the way to a bitstream alone is compared.
"""

import importlib.util
import logging
import sys
from pathlib import Path

from amaranth.back import verilog
from litex.build.generic_platform import GenericPlatform, Pins, Subsignal
from litex.build.io import CRG
from litex.gen import LiteXModule
from litex.soc.cores.uart import UARTPHY, UARTBone
from litex.soc.integration.soc import SoCRegion
from litex.soc.integration.soc_core import SoCMini
from litex.soc.interconnect import csr_bus, wishbone
from litex.soc.interconnect.csr import CSRStatus, CSRStorage
from migen import ClockDomain, ClockSignal, Instance, ResetSignal

from jupyter_fpga.gateware.labsoc import Bridge, LabController
from jupyter_fpga.gateware.targets import find_target

CLOCK_HZ = 12_000_000
BAUD = 1_000_000
IO = [("clk", 0, Pins(1)), ("serial", 0, Subsignal("tx", Pins(1)), Subsignal("rx", Pins(1)))]


class Wrapped(LiteXModule):
    """The component between CSRs."""

    def __init__(self, component):
        ports = {"i_clk": ClockSignal(), "i_rst": ResetSignal()}
        for path, member, value in component.signature.flatten(component):
            name = "_".join(map(str, path))
            width = len(value)
            if member.flow.name == "In":
                register = CSRStorage(width, name=name)
                ports[f"i_{name}"] = register.storage
            else:
                register = CSRStatus(width, name=name)
                ports[f"o_{name}"] = register.status
            setattr(self, f"csr_{name}", register)
        self.specials += Instance("design", **ports)


class Soc(SoCMini):
    def __init__(self, component):
        platform = GenericPlatform("", IO)
        SoCMini.__init__(self, platform, CLOCK_HZ, ident="bare", ident_version=False)
        self.cd_sys = ClockDomain(reset_less=False)
        self.comb += self.cd_sys.clk.eq(platform.request("clk"))
        phy = UARTPHY(platform.request("serial"), CLOCK_HZ, BAUD)
        self.submodules.phy = phy
        self.submodules.bridge = UARTBone(phy, CLOCK_HZ)
        self.bus.add_master(master=self.bridge.wishbone)
        self.submodules.design = Wrapped(component)


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


def main():
    design, folder, *target = Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]
    spec = importlib.util.spec_from_file_location("design", design)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    component = module.Top()
    (folder / "design.v").write_text(verilog.convert(component, name="design"))
    logging.root.addHandler(logging.NullHandler())
    soc = BoardSoc(component, find_target(target[0])) if target else Soc(component)
    soc.finalize()
    output = soc.platform.get_verilog(soc, name="soc")
    (folder / "soc.v").write_text(output.main_source)
    for name, content in output.data_files.items():
        (folder / name).write_text(content)


if __name__ == "__main__":
    main()
