"""What turns an iCE40's bitstream back into a netlist: Debian's ``fpga-icestorm``, where it is installed."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_fpga.compute.builds.warmup import ToolMissing

__all__ = ("ICEBOX_TOOLS", "Icebox", "find_icebox")

ICEBOX_TOOLS = ("iceunpack", "icebox_vlog")
"""They come together. PyPI's ``icebox`` is something else."""

_INSTALL = "Install icestorm: apt-get install fpga-icestorm"


@dataclass(frozen=True)
class Icebox:
    """The tools.

    Parameters
    ----------
    commands
        Paths by name; empty when one of them isn't there.
    version
        A digest of their text: they don't say their version.
    examined
        What was looked at and isn't there.
    """

    commands: Mapping[str, str]
    version: str = ""
    examined: str = ""

    @property
    def found(self) -> bool:
        """Whether they are there."""
        return bool(self.commands)

    def check(self, target: str) -> None:
        """See that they are there.

        Raises
        ------
        ToolMissing
            With what was examined, and what to install.
        """
        if not self.found:
            raise ToolMissing(
                f"Bitstreams for the target {target} can't be simulated. Examined: {self.examined}. {_INSTALL}",
                detail={"target": target, "toolchain": "icebox"},
            )

    @property
    def missing(self) -> str:
        """What is missing, in words."""
        return "" if self.found else f"{self.examined}. {_INSTALL}"

    def beside(self, tools: dict[str, Any]) -> dict[str, Any]:
        """What is told of place and route, and of this besides."""
        missing = ". ".join(text for text in (tools["missing"], self.missing) if text)
        version = ", ".join(text for text in (tools["version"], self.version) if text)
        return {"found": tools["found"] and self.found, "version": version, "missing": missing}

    def environment(self) -> dict[str, str]:
        """What a sandboxed step finds in its environment."""
        return {name.upper(): command for name, command in self.commands.items()}


def find_icebox(environment: Mapping[str, str]) -> Icebox:
    """Look for the tools."""
    found = {name: shutil.which(name, path=environment.get("PATH")) for name in ICEBOX_TOOLS}
    commands = {name: path for name, path in found.items() if path is not None}
    if missing := [name for name in ICEBOX_TOOLS if name not in commands]:
        return Icebox({}, "", f"{', '.join(missing)}: not on PATH")
    script = Path(os.path.realpath(commands["icebox_vlog"]))
    digest = hashlib.sha256()
    for path in (script, script.with_name("icebox.py"), Path(os.path.realpath(commands["iceunpack"]))):
        digest.update(path.read_bytes() if path.is_file() else b"")
    return Icebox(commands, f"icebox {digest.hexdigest()[:8]}")
