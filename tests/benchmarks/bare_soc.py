"""The bare steps' first one: elaborate a design in an ordinary LiteX SoC, and export Verilog.

What somebody would write without this project: ``SoCMini`` with a UART bridge, the Amaranth component as an
``Instance``, and a CSR for each of its ports. Run as ``bare_soc.py DESIGN.py FOLDER``; writes ``design.v``, ``soc.v``.
"""

import importlib.util
import logging
import sys
from pathlib import Path

from amaranth.back import verilog
from litex.build.generic_platform import GenericPlatform, Pins, Subsignal
from litex.gen import LiteXModule
from litex.soc.cores.uart import UARTPHY, UARTBone
from litex.soc.integration.soc_core import SoCMini
from litex.soc.interconnect.csr import CSRStatus, CSRStorage
from migen import ClockDomain, ClockSignal, Instance, ResetSignal

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


def export(design, folder, make):
    """Write ``design.v`` and ``soc.v`` into ``folder``: of the SoC that ``make`` puts the design's component into."""
    spec = importlib.util.spec_from_file_location("design", design)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    component = module.Top()
    (folder / "design.v").write_text(verilog.convert(component, name="design"))
    logging.root.addHandler(logging.NullHandler())
    soc = make(component)
    soc.finalize()
    output = soc.platform.get_verilog(soc, name="soc")
    (folder / "soc.v").write_text(output.main_source)
    for name, content in output.data_files.items():
        (folder / name).write_text(content)


if __name__ == "__main__":
    export(Path(sys.argv[1]), Path(sys.argv[2]), Soc)
