"""The step ``base`` of a real board: the lab's own SoC, synthesized, with a hole in the place of the design.

In the current folder: ``request.json`` with ``target``, ``sys_clk_freq`` (Hz or null), ``identifier``, what the idle
board shall answer, and for designs with probes ``analyzer`` (``width``, ``depth``). Out of it come ``base.json``
(``base.il`` where the whole is made one module), which the step ``synthesize`` puts designs into; ``manifest.json``,
``csr.json`` and ``csr.csv``, which describe the idle board; and ``netlist.*``, a design that is nothing at all.
"""

import json
from pathlib import Path

from jupyter_fpga.gateware._base_soc import analyzer_of, describe_base, elaborate_base
from jupyter_fpga.gateware.elaborate._interface import window_ports
from jupyter_fpga.gateware.targets import Target, find_target
from jupyter_fpga.gateware.yosys import run_yosys

from ._families import is_flat, mapping
from ._shell import TOP, USER, base_shell

__all__ = ("run",)


def run(work: Path) -> None:
    """Run the step in the folder ``work``.

    Raises
    ------
    DesignError
        ``bad_clock``: the target can't make that clock.
    """
    request = json.loads((work / "request.json").read_text("utf-8"))
    target = find_target(request["target"])
    assert target.device is not None
    clock_hz = int(request.get("sys_clk_freq") or target.clock_hz)
    analyzer = analyzer_of(request)
    verilog, files = elaborate_base(target, clock_hz, analyzer)
    (work / "lab_base.v").write_text(verilog, "utf-8")
    (work / "shell.v").write_text(base_shell(target, analyzer.room if analyzer is not None else 0), "utf-8")
    for name, content in files.items():
        (work / name).write_text(content, "utf-8")
    run_yosys(
        [
            # Pins of both directions are all that is meant, and numbers that a vendor's PLL takes as they are.
            'logger -nowarn "limited support for tri-state logic" -nowarn "Replacing floating point parameter"',
            "read_verilog lab_base.v shell.v",
            *mapping(work, target.device, TOP, pads=True),
            # The hole: the design brings the module.
            f"delete ={USER}",
            "write_rtlil base.il" if is_flat(target.device) else "write_json base.json",
        ],
        work=work,
        log="base.log",
        purpose="make the lab's own SoC",
    )
    describe_base(target, clock_hz, str(request["identifier"]), work)
    _write_empty(target, work)


def _write_empty(target: Target, work: Path) -> None:
    """A window with nothing in it, as a netlist: an access ends by the bus's time-out."""
    ports = window_ports(target)
    lines = [
        f"    {'input' if kind == 'i' else 'output'} wire [{width - 1}:0] {name}"
        for name, (width, kind) in ports.items()
    ]
    idle = "".join(f"    assign {name} = 0;\n" for name, (_, kind) in ports.items() if kind == "o")
    header = ",\n".join(["    input wire clk", "    input wire rst", *lines])
    (work / "netlist.v").write_text(f"module lab_window (\n{header}\n);\n{idle}endmodule\n", "utf-8")
    about = {"language": "verilog", "files": ["netlist.v"], "top": "lab_window", "whole_soc": False}
    (work / "netlist.json").write_text(json.dumps(about, indent=2) + "\n", "utf-8")
