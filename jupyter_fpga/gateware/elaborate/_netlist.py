"""The netlist as text, with places in the person's files only."""

import re
from dataclasses import dataclass, field
from typing import Literal

from jupyter_fpga.gateware.csr import CsrMap
from jupyter_fpga.gateware.manifest import DesignWarning, Form, Memory, Pin, Register

from ._source import Source

__all__ = ("Language", "Outcome", "own_places")

Language = Literal["rtlil", "verilog"]

_SRC = re.compile(r'^( *attribute \\src )"([^"]*)"\n', re.MULTILINE)


@dataclass
class Outcome:
    """What the elaboration of a design of any form yields.

    Parameters
    ----------
    netlist
        Text of the one file that holds all of the design.
    whole_soc
        The netlist is ``lab_soc``, a whole SoC, rather than ``lab_window``.
    window_size
        Bytes of the window that the design uses.
    window_base
        Where the window is if not where the target has it.
    csr
        What LiteX's tools are told, if more than the manifest says.
    """

    netlist: str
    language: Language
    form: Form
    top: str
    window_size: int
    registers: list[Register]
    memories: list[Memory]
    pins: list[Pin]
    warnings: list[DesignWarning] = field(default_factory=list)
    whole_soc: bool = False
    window_base: int | None = None
    csr: CsrMap | None = None


def own_places(rtlil: str, source: Source) -> str:
    """RTLIL whose ``src`` attributes name the person's files only, the entry by its fixed name.

    So the text doesn't depend on where anything is installed or what the file was called.
    """
    names: dict[str, str | None] = {}

    def short(location: str) -> str | None:
        file, separator, place = location.rpartition(":")
        if not separator:
            return None
        if file not in names:
            own = source.own_name(file)
            names[file] = source.fixed_name if own == source.entry else own
        return f"{names[file]}:{place}" if names[file] else None

    def replace(match: re.Match[str]) -> str:
        kept = [place for location in match[2].split("|") if (place := short(location))]
        return f'{match[1]}"{"|".join(kept)}"\n' if kept else ""

    text = _SRC.sub(replace, rtlil)
    if source.entry != source.fixed_name:
        text = text.replace(f"${source.entry}:", f"${source.fixed_name}:")
    return text
