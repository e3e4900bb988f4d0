"""A stranger's netlist, as a step finds it in its folder, made harmless before anything is done with it."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.rtlil import clean_rtlil, numbered_rtlil
from jupyter_fpga.gateware.yosys import run_yosys

__all__ = ("Netlist", "read_netlist")

#: What neither a simulation nor hardware has a use for: prints and checks reach the simulating process itself, and
#: format strings are text.
_DEAD = ("$print", "$check", "$assert", "$assume", "$live", "$fair", "$cover", "$scopeinfo")


@dataclass(frozen=True)
class Netlist:
    """A netlist in ``clean.il``.

    Parameters
    ----------
    top
        Its top module: ``lab_window``, or ``lab_soc`` where it is a person's whole SoC.
    has_verilog
        It came as Verilog; ``top.v`` is there already.
    """

    top: str
    has_verilog: bool

    @property
    def whole_soc(self) -> bool:
        """Whether it is a whole SoC."""
        return self.top == "lab_soc"

    def read(self) -> list[str]:
        """Yosys commands that read it, and write ``top.v`` for people if it isn't there yet."""
        commands = ["read_rtlil clean.il", f"hierarchy -check -top {self.top}"]
        if not self.has_verilog:
            commands += ["design -save read", "proc", "write_verilog -noattr top.v", "design -load read"]
        return [*commands, "proc", *(f"delete */t:{kind}" for kind in _DEAD)]


def read_netlist(work: Path, *, numbered: bool = False) -> Netlist:
    """Make ``clean.il`` of what ``netlist.json`` in the folder ``work`` names.

    Parameters
    ----------
    numbered
        Number its objects, for who asks later where a cell comes from. Of Verilog there is nothing to number: the
        places are in a text that LiteX has written.

    Raises
    ------
    DesignError
        ``synthesis_failed``: a file is missing, or Yosys refuses it.
    """
    about = json.loads((work / "netlist.json").read_text("utf-8"))
    top = "lab_soc" if about.get("whole_soc") else "lab_window"
    is_verilog = about["language"] == "verilog"
    if is_verilog:
        _read_verilog(work, about["files"], top)
        shutil.copyfile(work / about["files"][0], work / "top.v")
        source = "read.il"
    else:
        (source,) = about["files"]
    with (
        open(work / source, encoding="utf-8", errors="surrogateescape") as lines,
        open(work / "clean.il", "w", encoding="utf-8", errors="surrogateescape") as output,
    ):
        output.writelines((numbered_rtlil if numbered and not is_verilog else clean_rtlil)(lines))
    return Netlist(top, is_verilog)


def _read_verilog(work: Path, files: list[str], top: str) -> None:
    """Read Verilog into ``read.il``; it can only be made harmless there."""
    for name in files:
        if not (work / name).is_file() or set(name) & set(" \t\n;#\"'"):
            raise DesignError(f"The netlist names the file {name!r}, which isn't there.", code="synthesis_failed")
    run_yosys(
        [
            *(f"read_verilog -sv {name}" for name in files),
            f"hierarchy -check -top {top}",
            "proc",
            "write_rtlil read.il",
        ],
        work=work,
        log="read.log",
    )
