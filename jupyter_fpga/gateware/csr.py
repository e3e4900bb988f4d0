"""``csr.json`` and ``csr.csv`` exactly as LiteX's own tools (``RemoteClient``, ``litex_cli``) read them.

The format is that of LiteX 2024.12, ``litex.soc.integration.export``; only its date is left out.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from .manifest import Manifest

__all__ = ("CsrMap", "csr_map")

#: Bytes between two pages of LiteX's CSR bus, each of which is one module's registers.
_PAGE = 0x800

#: Size of the CSR region of LiteX's SoCs, bytes.
_CSR_SIZE = 0x1_0000


@dataclass
class CsrMap:
    """What LiteX's tools want to know of an SoC.

    Parameters
    ----------
    bases
        Absolute byte addresses of modules, by name.
    registers
        By name ``{module}_{register}``: absolute byte address, 32-bit words, and ``"rw"`` or ``"ro"``.
    constants
        By name in lower case.
    memories
        By name: absolute byte address, bytes, and LiteX's type of region.
    """

    bases: dict[str, int] = field(default_factory=dict)
    registers: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    constants: dict[str, int | str | None] = field(default_factory=dict)
    memories: dict[str, tuple[int, int, str]] = field(default_factory=dict)

    def to_json(self) -> str:
        """The text of ``csr.json``."""
        data: dict[str, Any] = {
            "csr_bases": self.bases,
            "csr_registers": {
                name: {"addr": address, "size": words, "type": kind}
                for name, (address, words, kind) in self.registers.items()
            },
            "constants": self.constants,
            "memories": {
                name: {"base": base, "size": size, "type": kind} for name, (base, size, kind) in self.memories.items()
            },
        }
        return json.dumps(data, indent=4)

    def to_csv(self) -> str:
        """The text of ``csr.csv``."""
        lines = ["# Written by jupyter_fpga in LiteX's format."]
        lines += [f"csr_base,{name},0x{address:08x},," for name, address in self.bases.items()]
        lines += [
            f"csr_register,{name},0x{address:08x},{words},{kind}"
            for name, (address, words, kind) in self.registers.items()
        ]
        lines += [f"constant,{name},{value},," for name, value in self.constants.items()]
        lines += [
            f"memory_region,{name},0x{base:08x},{size:d},{kind}" for name, (base, size, kind) in self.memories.items()
        ]
        return "\n".join(lines) + "\n"


def csr_map(manifest: Manifest) -> CsrMap:
    """The map of the lab's base with the design's registers as the module ``window``.

    Elements of arrays are registers of their own, ``name_0``, ``name_1`` …; Wishbone slaves and memories of the design
    are memory regions.
    """
    control, window = manifest.control, manifest.window
    page = control.scratch // _PAGE * _PAGE
    bases = {"ctrl": page, "identifier_mem": control.identifier}
    registers = {
        "ctrl_reset": (page, 1, "rw"),
        "ctrl_scratch": (control.scratch, 1, "rw"),
        "ctrl_bus_errors": (control.bus_errors, 1, "ro"),
        "ctrl_cycles": (control.cycles, 2, "ro"),
        "ctrl_overflow": (control.overflow, 1, "rw"),
    }
    if manifest.analyzer is not None:
        found = manifest.analyzer.registers()
        bases["analyzer"] = min(address for address, _, _ in found.values())
        registers |= {f"analyzer_{name}": register for name, register in found.items()}
    if manifest.registers:
        bases["window"] = window.base
    for register in manifest.registers:
        kind = "ro" if register.access == "ro" else "rw"
        length, stride = (register.array.length, register.array.stride) if register.array else (1, 0)
        for index in range(length):
            name = f"window_{register.name}_{index}" if register.array else f"window_{register.name}"
            registers[name] = (window.base + register.offset + index * stride, register.words, kind)
    memories = {"csr": (page // _CSR_SIZE * _CSR_SIZE, _CSR_SIZE, "io")}
    for memory in manifest.memories:
        memories[f"window_{memory.name}"] = (window.base + memory.offset, 4 * memory.words, "io")
    return CsrMap(bases, registers, constants(manifest.clock_hz), memories)


def constants(clock_hz: int) -> dict[str, int | str | None]:
    """What LiteX's tools must know to talk to any SoC of the lab."""
    return {
        "config_clock_frequency": clock_hz,
        "config_csr_data_width": 32,
        "config_csr_alignment": 32,
        "config_bus_standard": "wishbone",
        "config_bus_data_width": 32,
        "config_bus_address_width": 32,
        "config_bus_bursting": 0,
    }
