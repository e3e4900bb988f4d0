"""Probes: signals inside a design, led out of the module ``lab_window`` to the analyzer beside it."""

import re

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.manifest import EDGE_UNITS, Analyzer, Probe
from jupyter_fpga.gateware.targets import Target
from jupyter_fpga.signals import SignalUnknown, find, split_bits

from ._netlist import Outcome
from ._request import Request
from ._scratch import scratch_folder
from ._source import Source
from ._yosys import Yosys

__all__ = ("add_probes", "analyzer_for")

#: Bits of block RAM that an analyzer may take: about a sixth of what the smallest device of a family has, so that the
#: design finds room beside it. A simulated board takes what crosses its wire in half a second.
_BUDGETS = {"ice40": 1 << 14, "ecp5": 1 << 17, "gowin": 1 << 16, "simulated": 1 << 15}

#: Samples that are worth an analyzer.
_FEWEST = 32

_WIRE = re.compile(r"^  wire (?:width (\d+) )?(?:[a-z]\w* \d+ |upto |signed )*\\(\S+)$", re.MULTILINE)
_MEMORY = re.compile(r"^  memory (?:\w+ \d+ )*\\(\S+)$", re.MULTILINE)
_PLAIN = re.compile(r"[\w.$:/\[\]-]+", re.ASCII)


def analyzer_for(target: Target, probes: list[Probe]) -> Analyzer:
    """The analyzer that a target has room for.

    Raises
    ------
    DesignError
        ``probes_too_wide``.
    """
    budget = _BUDGETS["simulated" if target.device is None else target.device.family]
    bits = sum(probe.width for probe in probes)
    width = -(-(bits + EDGE_UNITS) // 32) * 32
    if width * _FEWEST > budget:
        most = budget // _FEWEST // 32 * 32 - EDGE_UNITS
        raise DesignError(
            f"The probes have {bits:,} bits, and an analyzer of the target {target.name} takes {most:,}; probe fewer "
            "or narrower signals.",
            code="probes_too_wide",
        )
    return Analyzer(width, 1 << (budget // width).bit_length() - 1, probes)


def add_probes(outcome: Outcome, source: Source, request: Request) -> Analyzer:
    """Find the signals that the request names, and lead them out of the netlist as its output ``probes``.

    Raises
    ------
    DesignError
        ``no_such_signal``, with the nearest names; ``probes_too_wide``; ``not_supported`` for a whole SoC.
    """
    if outcome.whole_soc:
        raise DesignError(
            "Probes are for designs in the lab's own SoC; a SoC of your own gets an analyzer by "
            "`self.analyzer = LiteScopeAnalyzer(…)` of litescope.",
            code="not_supported",
        )
    with scratch_folder() as scratch:
        yosys = Yosys(source, scratch)
        (scratch / "netlist.il").write_text(outcome.netlist, "utf-8")
        read = [f"read_rtlil {yosys.path('netlist.il')}", "hierarchy -check -top lab_window", "proc -noopt", "flatten"]
        yosys.run([*read, f"write_rtlil {yosys.path('flat.il')}"])
        flat = (scratch / "flat.il").read_text("utf-8")
        paths, probes = _found(flat, request.probes)
        analyzer = analyzer_for(request.target, probes)
        unused = analyzer.room - sum(probe.width for probe in probes)
        bits = ",".join([*([f"{unused}'d0"] if unused else []), *(f"\\{path}" for path in reversed(paths))])
        yosys.run(
            [
                f"read_rtlil {yosys.path('flat.il')}",
                "cd lab_window",
                f"add -output probes {analyzer.room}",
                f"connect -set probes {bits}",
                "cd ..",
                f"write_rtlil {yosys.path('probed.il')}",
            ]
        )
        text = (scratch / "probed.il").read_text("utf-8").replace(f"${yosys.folder}", "$")
    outcome.netlist = re.sub(r"\A#.*\n", "", text)
    return analyzer


def _found(flat: str, names: list[str]) -> tuple[list[str], list[Probe]]:
    """The paths of the signals, and where they are among the probes."""
    widths = {path: int(width or 1) for width, path in _WIRE.findall(flat)}
    memories = set(_MEMORY.findall(flat))
    paths: list[str] = []
    probes: list[Probe] = []
    for name in dict.fromkeys(names):
        whole, bits = split_bits(name)
        path = _path(name, whole if bits is not None else name, widths, memories)
        lsb, width = bits or (0, widths[path])
        if lsb + width > widths[path]:
            raise DesignError(
                f"There is no {name} to probe: the signal {whole} has bits 0 to {widths[path] - 1}.",
                code="no_such_signal",
            )
        paths.append(path if bits is None else f"{path}[{lsb + width - 1}:{lsb}]")
        probes.append(Probe(name, sum(probe.width for probe in probes), width))
    return paths, probes


def _path(name: str, whole: str, widths: dict[str, int], memories: set[str]) -> str:
    try:
        path = find(name, widths) if name in widths else find(whole, widths)
    except SignalUnknown as error:
        try:
            find(whole, memories)
        except SignalUnknown:
            raise DesignError(f"There is no {name} to probe: {error}.", code="no_such_signal") from None
        raise DesignError(
            f"There is no {name} to probe: it is a memory; probe its address and data.", code="no_such_signal"
        ) from None
    if not _PLAIN.fullmatch(path):
        raise DesignError(
            f"The signal {name} can't be probed: its name has characters that tools stumble over; give it a plain one.",
            code="no_such_signal",
        )
    return path
