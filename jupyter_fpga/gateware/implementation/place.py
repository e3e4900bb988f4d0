"""The step ``place``: nextpnr finds a place for every cell and a way for every wire; or a vendor's tools do all.

In the current folder: ``design.json`` and ``request.json`` with ``target``, ``clock_hz``, ``timing_target_mhz`` (or
null) and ``seed``. Out of it come ``placed``, for the packer, and ``report.json``.
"""

import json
import re
from pathlib import Path
from typing import Any

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.targets import Target, find_target

from ._ahead import DESIGN
from ._families import FAMILIES, constraints_of
from ._floorplan import floorplan
from ._places import Places
from ._report import report
from ._tools import Failed, begin, run_tool
from ._vendor import build

__all__ = ("prepare", "run")

#: nextpnr's own file for everything that it says.
_LOG = "place.log"


def run(work: Path) -> None:
    """Run the step in the folder ``work``.

    Raises
    ------
    DesignError
        ``does_not_fit``, ``timing_not_met`` (with a ``timing_target_mhz`` only) or ``placement_failed``;
        ``missing_tool`` or ``vendor_failed`` where it is a vendor's.
    """
    request = json.loads((work / "request.json").read_text("utf-8"))
    target = find_target(request["target"])
    assert target.device is not None
    if target.device.family == "vendor":
        build(target, work)
        return
    assert target.oscillator is not None
    flow = FAMILIES[target.device.family]
    wanted = request.get("timing_target_mhz")
    # What a person wants to reach replaces what the board needs: constraints of the oscillator come before --freq.
    oscillator = request["clock_hz"] if target.simulated else target.oscillator.frequency
    frequency = None if wanted else oscillator
    pins = "".join(f"{line}\n" for line in flow.constraints(target, constraints_of(target), frequency))
    (work / "pins").write_text(pins, "utf-8")
    arguments = _arguments(target, wanted or request["clock_hz"] / 1e6, request["seed"])
    try:
        run_tool(flow.nextpnr, arguments, work=work, log=_LOG, hopeless=lambda log: bool(_too_much(log)))
    except Failed as failed:
        raise _explained(failed, target) from failed
    log = (work / _LOG).read_text("utf-8", "replace")
    places = Places(json.loads((work / DESIGN).read_bytes()))
    found = report(json.loads((work / "nextpnr.json").read_text("utf-8")), log, request["clock_hz"], wanted, places)
    found["seed"] = request["seed"]
    found["floorplan"] = floorplan(target.device.family, (work / "placed").read_text("utf-8"))
    (work / "report.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    if wanted and (missed := _missed(found)):
        raise missed


def prepare(name: str) -> None:
    """Begin nextpnr for a target, as the next build will probably want it."""
    target = find_target(name)
    assert target.device is not None
    begin(FAMILIES[target.device.family].nextpnr, _arguments(target, target.clock_hz / 1e6, 1))


def _arguments(target: Target, frequency_mhz: float, seed: int) -> list[str]:
    assert target.device is not None
    return [
        *FAMILIES[target.device.family].place(target.device),
        *("--json", DESIGN),
        *("--report", "nextpnr.json"),
        *("--freq", f"{frequency_mhz:g}"),
        *("--seed", str(seed)),
        *("--quiet", "--log", _LOG),
        "--timing-allow-fail",
    ]


def _missed(found: dict[str, Any]) -> DesignError | None:
    for name, clock in found["clocks"].items():
        if not clock["met"]:
            return DesignError(
                f"The clock {name} reaches {clock['fmax_mhz']:.1f} MHz, and timing_target_mhz asks for "
                f"{clock['constraint_mhz']:g}; put registers into its longest path, which goes "
                f"{_path(clock)}, or try other seeds.",
                code="timing_not_met",
            )
    return None


def _path(clock: dict[str, Any]) -> str:
    path = clock.get("critical_path") or []
    return f"from {path[0]['from']} to {path[-1]['to']}" if path else "through a single cell"


def _explained(failed: Failed, target: Target) -> DesignError:
    """The error for what nextpnr said."""
    if over := _too_much(failed.log):
        needs = ", ".join(f"{has:,} of {most:,} {kind}" for kind, has, most in over)
        return DesignError(
            f"The design doesn't fit the {target.name}: it needs {needs}. Make it smaller, or choose a larger target.",
            code="does_not_fit",
        )
    complaint = re.search(r"^ERROR: (.*)$", failed.log, re.MULTILINE)
    reason = complaint[1].strip().rstrip(".") if complaint else f"it ended with exit code {failed.code}"
    return DesignError(f"{failed.tool} can't place and route the design: {reason}.", code="placement_failed")


def _too_much(log: str) -> list[tuple[str, int, int]]:
    """What a design needs more of than the device has: kind, needed, there.

    nextpnr says so before it begins to place, and not every family's ends when there is no place: for Gowin devices it
    goes on for ever with too many flip-flops (0.11.1).
    """
    used = re.findall(r"^Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%", log, re.MULTILINE)
    return [(kind, int(has), int(most)) for kind, has, most in used if int(has) > int(most)]
