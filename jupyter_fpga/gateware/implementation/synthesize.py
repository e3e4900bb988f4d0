"""The step ``synthesize`` of a real board: a netlist, mapped to the device's cells and put into the lab's own SoC.

In the current folder: ``netlist.json`` and the files that it names; ``request.json`` with ``target``, ``identifier``
and, for a person's whole SoC, ``pins``; the base's ``base.json`` where the environment's ``LAB_BASE`` says. Out of it
come ``design.json``, for nextpnr, and ``top.v``, the design in Verilog for people.
"""

import json
import os
from pathlib import Path
from typing import Any

from jupyter_fpga.gateware.netlist import read_netlist
from jupyter_fpga.gateware.targets import TARGETS, Target
from jupyter_fpga.gateware.yosys import run_yosys

from ._families import FAMILIES
from ._shell import TOP, USER, soc_shell, user_module

__all__ = ("run",)


def run(work: Path) -> None:
    """Run the step in the folder ``work``.

    Raises
    ------
    DesignError
        ``synthesis_failed``: Yosys refused the netlist.
    """
    request = json.loads((work / "request.json").read_text("utf-8"))
    target = TARGETS[request["target"]]
    netlist = read_netlist(work)
    commands = (_whole if netlist.whole_soc else _window)(work, target, request)
    run_yosys(
        [*netlist.read(), *commands, "write_json mapped.json"],
        work=work,
        log="synthesize.log",
        purpose=f"map the design to the {target.name}'s cells",
    )
    if netlist.whole_soc:
        (work / "mapped.json").rename(work / "design.json")
    else:
        _put_into_base(work)


def _window(work: Path, target: Target, request: dict[str, Any]) -> list[str]:
    assert target.device is not None
    (work / "user.v").write_text(user_module(target, request["identifier"]), "utf-8")
    return [
        "read_verilog user.v",
        f"hierarchy -check -top {USER}",
        FAMILIES[target.device.family].synthesize(target.device, USER, False),
    ]


def _put_into_base(work: Path) -> None:
    """The base with the design in its hole. nextpnr takes modules within modules: nothing is to be mapped again."""
    design = json.loads((Path(os.environ["LAB_BASE"]) / "base.json").read_bytes())
    user = json.loads((work / "mapped.json").read_bytes())["modules"][USER]
    user["attributes"].pop("top", None)
    design["modules"][USER] = user
    (work / "design.json").write_text(json.dumps(design, separators=(",", ":")), "utf-8")


def _whole(work: Path, target: Target, request: dict[str, Any]) -> list[str]:
    assert target.device is not None
    (work / "shell.v").write_text(soc_shell(target, request["pins"], request["identifier"]), "utf-8")
    return [
        "read_verilog shell.v",
        f"hierarchy -check -top {TOP}",
        FAMILIES[target.device.family].synthesize(target.device, TOP, True),
    ]
