"""nextpnr's report in the lab's own words."""

import re
from collections.abc import Mapping
from typing import Any

from ._places import Places

__all__ = ("report",)

#: What nextpnr counts → what people call it. What isn't here keeps its name if the device has any of it and some are
#: used.
_KINDS = {
    "ICESTORM_LC": "logic cells",
    "ICESTORM_RAM": "block RAMs",
    "ICESTORM_DSP": "DSP blocks",
    "ICESTORM_SPRAM": "single-port RAMs",
    "SB_IO": "pins",
    "SB_GB": "global buffers",
    "ICESTORM_PLL": "PLLs",
    "TRELLIS_COMB": "LUTs",
    "TRELLIS_FF": "flip-flops",
    "TRELLIS_RAMW": "distributed RAMs",
    "DP16KD": "block RAMs",
    "MULT18X18D": "multipliers",
    "TRELLIS_IO": "pins",
    "DCCA": "global buffers",
    "EHXPLLL": "PLLs",
    "LUT4": "LUTs",
    "DFF": "flip-flops",
    "BSRAM": "block RAMs",
    "RAM16SDP4": "distributed RAMs",
    "MULT18X18": "multipliers",
    "IOB": "pins",
    "rPLL": "PLLs",
}

#: Yosys' ``autoname`` calls a cell by a net, its type and its port: ``acc_SB_LUT4_O_I3``.
#: Of a cell between others the name repeats that, some dozen times; one way alone must match it, as with two for
#: each part a search takes for ever.
_CELL = re.compile(
    r"_(?:SB_[A-Z0-9]+|LUT\d|DFF[A-Z0-9]*|TRELLIS_[A-Z0-9]+|CCU2C|PFUMX|L6MUX21|ALU|MUX2_[A-Z0-9]+)(?:_[A-Z0-9]+)*$"
)

#: What nextpnr takes for the clock of DSP blocks without registers of their own.
_CONSTANT = re.compile(r"\$PACKER_(?:GND|VCC)_NET")
_UNCOUNTED = (
    "nextpnr doesn't count ways through DSP blocks that have no registers of their own: the clock may reach less."
)


def report(
    found: Mapping[str, Any], log: str, clock_hz: int, wanted_mhz: float | None, places: Places
) -> dict[str, Any]:
    """Utilization by kind, and for each clock what it reaches and why not more.

    Parameters
    ----------
    found
        The file that ``--report`` asks for.
    log
        What nextpnr said.
    clock_hz, wanted_mhz
        What the board needs, and what the person wants to reach.
    places
        Where the design's cells come from.
    """
    utilization = {
        _KINDS.get(kind, kind): {"used": count["used"], "available": count["available"]}
        for kind, count in found["utilization"].items()
        if count["available"] and (count["used"] or kind in _KINDS)
    }
    clocks = {}
    reached = {net: clock for net, clock in found["fmax"].items() if not _CONSTANT.match(net)}
    for net, clock in reached.items():
        # The constraint that nextpnr worked to is never tighter than what the board needs.
        constraint = wanted_mhz or clock["constraint"] or clock_hz / 1e6
        # As designs call it; there is no other clock but the SoC's, as a rule.
        clocks["sys" if len(reached) == 1 else _plain(net)] = {
            "fmax_mhz": round(clock["achieved"], 2),
            "constraint_mhz": round(constraint, 3),
            "met": clock["achieved"] >= constraint,
            "critical_path": _path(found, net, places),
        }
    warnings = [_UNCOUNTED] if len(reached) < len(found["fmax"]) else []
    warnings += [line.partition(": ")[2] for line in log.splitlines() if line.startswith("Warning: ")]
    return {"utilization": utilization, "clocks": clocks, "tool_warnings": list(dict.fromkeys(warnings))[:50]}


def _path(found: Mapping[str, Any], net: str, places: Places) -> list[dict[str, Any]]:
    """The slowest path between registers of a clock: each step with its delay in nanoseconds, and where its
    cell (of a wire, the one that drives it) comes from, as :meth:`.Places.of_path` has it."""
    for path in found.get("critical_paths", ()):
        ends = {path["from"].partition(" ")[2], path["to"].partition(" ")[2]}
        if ends == {net}:
            numbers = places.of_path([step["from"]["cell"] for step in path["path"]])
            return [
                {
                    "kind": step["type"],
                    "delay_ns": round(step["delay"], 3),
                    "from": _plain(step["from"]["cell"]),
                    "to": _plain(step["to"]["cell"]),
                    **({"net": _plain(step["net"])} if "net" in step else {}),
                    **of_cell,
                }
                for step, of_cell in zip(path["path"], numbers, strict=True)
            ]
    return []


def _plain(name: str) -> str:
    """A cell's or net's name as the person knows it: without what Yosys and nextpnr have put behind it."""
    name = re.sub(r"^(?:user|soc)\.(?:window\.)?", "", name)
    name = re.sub(r"^\$glbnet\$|\$SB_IO_IN.*$|\$glb_clk$|\$TRELLIS_IO_IN$", "", name)
    return _CELL.sub("", name)
