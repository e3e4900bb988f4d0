"""The steps of a build for a real board, as programs in folders of their own."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_fpga.gateware.elaborate._interface import window_ports
from jupyter_fpga.gateware.targets import Target


@dataclass
class Board:
    """A base and what is put into it.

    Parameters
    ----------
    folder
        Each step has a folder of its name in it.
    environment
        Of every step, besides this process's.
    """

    folder: Path
    target: Target
    clock_hz: int = 0
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock_hz = self.clock_hz or self.target.clock_hz

    def bitstream(self) -> bytes:
        """Everything, with a design that uses every pin."""
        assert self.complaint() == ""
        return (self.folder / "pack/bitstream").read_bytes()

    def complaint(self) -> str:
        """Everything; the first step's error, or an empty string."""
        steps = (self.base, self.synthesize, self.place, self.pack)
        return next((error for step in steps if (error := step())), "")

    def base(self) -> str:
        """The step's error, or an empty string; so the others."""
        return self._step("base", {"sys_clk_freq": self.clock_hz, "identifier": "idle"})

    def synthesize(self) -> str:
        about = {"language": "verilog", "files": ["netlist.v"], "top": "lab_window", "whole_soc": False}
        inputs = {"netlist.json": json.dumps(about), "netlist.v": busy_window(self.target)}
        return self._step("synthesize", {"identifier": "busy"}, inputs)

    def place(self) -> str:
        inputs = {"design.json": (self.folder / "synthesize/design.json").read_text()}
        return self._step("place", {"clock_hz": self.clock_hz, "seed": 1}, inputs)

    def pack(self) -> str:
        (self.folder / "pack").mkdir()
        shutil.copyfile(self.folder / "place/placed", self.folder / "pack/placed")
        return self._step("pack", {})

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.folder / "place/report.json").read_text())
        return report

    def _step(self, name: str, request: dict[str, Any], inputs: dict[str, str] | None = None) -> str:
        work = self.folder / name
        work.mkdir(exist_ok=True)
        (work / "request.json").write_text(json.dumps({"target": self.target.name, **request}))
        for file, text in (inputs or {}).items():
            (work / file).write_text(text)
        return run_step(name, work, {**self.environment, "LAB_BASE": str(self.folder / "base")})


def run_step(name: str, work: Path, environment: dict[str, str]) -> str:
    """Run a step of the workshop; the message of its ``error.json``, or an empty string."""
    command = [sys.executable, "-m", "jupyter_fpga.gateware", name]
    variables = {**os.environ, "YOWASP_MOUNT": f"/={work}", **environment}
    finished = subprocess.run(command, cwd=work, env=variables, capture_output=True, text=True, check=False)
    if finished.returncode == 3:
        message: str = json.loads((work / "error.json").read_text())["message"]
        return message
    assert finished.returncode == 0, finished.stderr
    return ""


def busy_window(target: Target) -> str:
    """A design that uses every pin: all outputs follow the parity of all inputs, a clock cycle later."""
    ports = window_ports(target)
    header = ",\n".join(
        f"  {'input' if kind == 'i' else 'output'} wire [{width - 1}:0] {name}" for name, (width, kind) in ports.items()
    )
    inputs = ", ".join(name for name, (_, kind) in ports.items() if kind == "i")
    outputs = "".join(
        f"  assign {name} = {{{width}{{parity}}}};\n" for name, (width, kind) in ports.items() if kind == "o"
    )
    return (
        f"module lab_window (\n  input wire clk,\n  input wire rst,\n{header}\n);\n"
        f"  reg parity;\n  always @(posedge clk) parity <= ^{{{inputs}}};\n{outputs}endmodule\n"
    )
