"""Toolchains of devices' vendors, which LiteX runs for its own platforms (``litex:NAME``).

They are found on PATH, and shown to the sandbox whole: a program without its installation is nothing.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_fpga.compute.builds.warmup import ToolMissing
from jupyter_fpga.compute.sandbox.mounts import Mount

__all__ = ("VENDORS", "VendorTool", "find_vendors", "installation")

#: LiteX's class for a toolchain → what people call it, and the program that LiteX looks for; the same as in
#: :mod:`jupyter_fpga.gateware.targets`, which no floor imports.
VENDORS: Mapping[str, tuple[str, str]] = {
    "XilinxVivadoToolchain": ("AMD Vivado", "vivado"),
    "XilinxISEToolchain": ("Xilinx ISE", "ise"),
    "AlteraQuartusToolchain": ("Intel Quartus", "quartus_map"),
    "LatticeDiamondToolchain": ("Lattice Diamond", "diamondc"),
    "LatticeRadiantToolchain": ("Lattice Radiant", "radiantc"),
    "GowinToolchain": ("Gowin EDA", "gw_sh"),
    "MicrosemiLiberoSoCPolarfireToolchain": ("Microchip Libero SoC", "libero"),
    "TangDinastyToolchain": ("Anlogic Tang Dynasty", "td"),
    "EfinityToolchain": ("Efinix Efinity", "efx_map"),
}


@dataclass(frozen=True)
class VendorTool:
    """A vendor's toolchain on this machine.

    Parameters
    ----------
    title, program
        What people call it, and the program that LiteX looks for.
    path
        Where that is on PATH; None where it isn't.
    """

    title: str
    program: str
    path: Path | None = None

    @property
    def root(self) -> Path | None:
        """The folder of its installation."""
        return None if self.path is None else installation(self.path)

    @property
    def version(self) -> str:
        """What tells this installation from another: asking it takes some of these tools many seconds."""
        if self.path is None:
            return ""
        facts = self.path.resolve().stat()
        return f"{self.title} in {self.root}, {facts.st_size} bytes of {facts.st_mtime_ns}"

    def to_json(self) -> dict[str, Any]:
        """``found``, where as ``version``, and what is ``missing`` in words."""
        where = "" if self.path is None else f"{self.title} in {self.root}"
        return {"found": self.path is not None, "version": where, "missing": self._missing if not self.path else ""}

    @property
    def _missing(self) -> str:
        return f"{self.program}: not on PATH. Install {self.title}, put {self.program} on PATH, and start the lab again"

    def check(self, target: str) -> None:
        """See that it is there.

        Raises
        ------
        ToolMissing
        """
        if self.path is None:
            raise ToolMissing(
                f"Bitstreams for the target {target} are made by {self.title}, which isn't there. Examined: "
                f"{self._missing}.",
                detail={"target": target, "toolchain": self.program},
            )

    def mounts(self) -> list[Mount]:
        """What a sandboxed step must see of it, read-only."""
        root = self.root
        return [] if root is None or root.is_relative_to("/usr") else [Mount(root, str(root))]

    def environment(self) -> dict[str, str]:
        """What a sandboxed step finds in its environment: where to look for it first."""
        return {} if self.path is None else {"VENDOR_PATH": str(self.path.resolve().parent)}


def find_vendors(environment: Mapping[str, str]) -> dict[str, VendorTool]:
    """Look for all of them on ``PATH``, by LiteX's names."""
    found = {}
    for name, (title, program) in VENDORS.items():
        path = shutil.which(program, path=environment.get("PATH"))
        found[name] = VendorTool(title, program, None if path is None else Path(os.path.abspath(path)))
    return found


def installation(program: Path) -> Path:
    """The folder that a program was installed in: the one above ``bin``, wherever that is above the program.

    Radiant has ``…/bin/lin64/radiantc``. A program that is in no ``bin`` has its own folder, as has one in a home's
    ``bin``: sandboxes are not to see a home.
    """
    real = program.resolve()
    folders = list(real.parents)
    root = next((folder.parent for folder in folders[:4] if folder.name == "bin"), real.parent)
    homes = {Path.home(), Path("/"), Path("/root"), Path("/home")}
    return real.parent if root in homes or root.parent == Path("/home") else root
