"""The device of a LiteX platform: one that the open tools know, or one for its vendor's."""

import re
from dataclasses import dataclass
from typing import Any

from ._device import Device, ecp5, gowin, ice40

__all__ = ("PLLS", "VENDORS", "Pll", "Vendor", "device_of", "has_pll")


@dataclass(frozen=True)
class Vendor:
    """A vendor's toolchain, as far as LiteX runs it.

    Parameters
    ----------
    title
        What people call it.
    program
        What LiteX looks for on PATH.
    """

    title: str
    program: str


#: LiteX's class for a toolchain → the toolchain. The class's name is ``Device.vendor``.
VENDORS = {
    "XilinxVivadoToolchain": Vendor("AMD Vivado", "vivado"),
    "XilinxISEToolchain": Vendor("Xilinx ISE", "ise"),
    "AlteraQuartusToolchain": Vendor("Intel Quartus", "quartus_map"),
    "LatticeDiamondToolchain": Vendor("Lattice Diamond", "diamondc"),
    "LatticeRadiantToolchain": Vendor("Lattice Radiant", "radiantc"),
    "GowinToolchain": Vendor("Gowin EDA", "gw_sh"),
    "MicrosemiLiberoSoCPolarfireToolchain": Vendor("Microchip Libero SoC", "libero"),
    "TangDinastyToolchain": Vendor("Anlogic Tang Dynasty", "td"),
    "EfinityToolchain": Vendor("Efinix Efinity", "efx_map"),
}

_GOWIN = {
    "GW1NR-9": "GW1N-9",
    "GW1NR-9C": "GW1N-9C",
    "GW1N-4": "GW1N-4",
    "GW1NR-4": "GW1N-4",
    "GW1NSR-4": "GW1NS-4",
    "GW1NSR-4C": "GW1NS-4",
    "GW2A-18C": "GW2A-18C",
    "GW2AR-18": "GW2A-18",
    "GW2AR-18C": "GW2A-18C",
}
"""LiteX's name of a device → Apicula's name of its die."""

#: Hz. What every PLL takes.
_PLL_INPUT = 10_000_000

_ECP5_PACKAGES = ("CABGA256", "CSFBGA285", "CABGA381", "CABGA554", "CABGA756", "TQFP144")


@dataclass(frozen=True)
class Pll:
    """LiteX's description of a PLL.

    Parameters
    ----------
    devices
        Regular expression that names of devices begin with.
    module, name
        Where it is below ``litex.soc.cores.clock``.
    speedgrade
        The slowest, which LiteX's class takes.
    """

    devices: str
    module: str
    name: str
    speedgrade: int | str


#: Of the devices for which LiteX has one that takes no more than this.
PLLS = (
    Pll(r"xc7", "xilinx_s7", "S7MMCM", -1),
    Pll(r"xc6s", "xilinx_s6", "S6PLL", -1),
    Pll(r"xc[kv]u\d{3}-", "xilinx_us", "USPLL", -1),
    Pll(r"xc(?:[kv]u|zu|au|k26|u\d)", "xilinx_usp", "USPPLL", -1),
    Pll(r"EP4C", "intel_cyclone4", "CycloneIVPLL", "-8"),
    Pll(r"5C", "intel_cyclone5", "CycloneVPLL", "-C8"),
    Pll(r"10CL", "intel_cyclone10", "Cyclone10LPPLL", "-C8"),
    Pll(r"10M", "intel_max10", "Max10PLL", "-8"),
)


def device_of(platform: Any) -> Device:
    """The device of a LiteX platform: of the family ``vendor`` where the open tools don't know it."""
    name = str(platform.device)
    return _ice40(name) or _ecp5(name) or _gowin(platform, name) or Device("vendor", name, vendor=_vendor(platform))


def _vendor(platform: Any) -> str:
    return type(platform.toolchain).__name__


def has_pll(device: Device, frequency: int) -> bool:
    """Whether the lab can make another clock than that of an oscillator of ``frequency`` Hz."""
    if frequency < _PLL_INPUT:
        return False
    if device.family == "gowin":
        # LiteX has no figures for the PLLs of the others.
        return device.variant in ("GW1N-9", "GW1N-9C", "GW1NS-4", "GW2A-18", "GW2A-18C")
    return device.family != "vendor" or any(re.match(pll.devices, device.part) for pll in PLLS)


def _ice40(name: str) -> Device | None:
    # ice40-hx8k-tq144:4k
    if match := re.fullmatch(r"ice40-(\w+)-([\w:]+)", name):
        return ice40(match[1], match[2])
    return None


def _ecp5(name: str) -> Device | None:
    # LFE5UM5G-85F-8BG381C
    match = re.fullmatch(r"LFE5U(M|M5G)?-(12|25|45|85)F-([678])[A-Z]+(\d{3})\w?", name)
    package = match and next((package for package in _ECP5_PACKAGES if package.endswith(match[4])), None)
    if not match or not package:
        return None
    kind = f"u{match[1].lower()}-" if match[1] else ""
    return ecp5(f"{kind}{match[2]}k", package, speed=int(match[3]))


def _gowin(platform: Any, name: str) -> Device | None:
    variant = _GOWIN.get(getattr(platform, "devicename", None) or "")
    return gowin(name, variant) if variant else None
