"""The step ``synthesize`` of a real board: a netlist, mapped to the device's cells and put into the lab's own SoC.

In the current folder: ``netlist.json`` and the files that it names; ``request.json`` with ``target``, ``identifier``,
``dsp`` (false where no multipliers shall be used), for a person's whole SoC ``pins`` and for a design with probes their
bits (``probes``); the base's ``base.json`` (``base.il`` where the whole is made one module) where the environment's
``LAB_BASE`` says. Out of it come ``design.json``, for the step ``place``, and ``top.v``, the design in Verilog for
people.
"""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_fpga.gateware.netlist import read_netlist
from jupyter_fpga.gateware.targets import Device, Target, find_target
from jupyter_fpga.gateware.yosys import run_yosys

from ._families import is_flat, mapping
from ._fold import FOLD, FOLD_FILE
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
    target = find_target(request["target"])
    netlist = read_netlist(work, numbered=True)
    commands = (_whole if netlist.whole_soc else _window)(work, target, request)
    assert target.device is not None
    is_vendors = target.device.family == "vendor"
    run_yosys(
        [*netlist.read(), *commands, "write_verilog -noattr design.v" if is_vendors else "write_json mapped.json"],
        work=work,
        log="synthesize.log",
        purpose=f"map the design to the {target.name}'s cells",
    )
    if is_vendors:
        verilog = (work / "design.v").read_text("utf-8")
        (work / "design.json").write_text(json.dumps({"verilog": verilog}), "utf-8")
    elif netlist.whole_soc or is_flat(target.device):
        (work / "mapped.json").rename(work / "design.json")
    else:
        _put_into_base(work)


def _window(work: Path, target: Target, request: dict[str, Any]) -> list[str]:
    assert target.device is not None
    (work / "user.v").write_text(user_module(target, request["identifier"], request.get("probes") or 0), "utf-8")
    return [
        "read_verilog user.v",
        f"hierarchy -check -top {USER}",
        *mapping(work, _device(target, request), USER, pads=False),
        *(_flat(work, target.device) if is_flat(target.device) else ()),
    ]


def _flat(work: Path, device: Device) -> list[str]:
    """Commands that make one module of the design and the base."""
    (work / "base.il").write_bytes((Path(os.environ["LAB_BASE"]) / "base.il").read_bytes())
    commands = ["read_rtlil -nooverwrite base.il", f"hierarchy -top {TOP}", "flatten"]
    if device.family == "ice40":
        (work / FOLD_FILE).write_text(FOLD, "utf-8")
        commands += ["opt_clean", f"techmap -map {FOLD_FILE}"]
    return [*commands, "opt_clean -purge"]


def _device(target: Target, request: dict[str, Any]) -> Device:
    """The device, without its multipliers where none shall be used."""
    assert target.device is not None
    return replace(target.device, dsp=target.device.dsp and request.get("dsp", True))


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
        *mapping(work, _device(target, request), TOP, pads=True),
    ]
