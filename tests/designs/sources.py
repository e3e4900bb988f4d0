"""Designs of the usual kinds, as a person would submit them."""

from importlib.util import find_spec
from pathlib import Path

from jupyter_fpga.compute import Source

#: Names of all of them.
DESIGNS = ("pwm", "memory", "mac", "fir", "riscv")

_HERE = Path(__file__).parent


def source_of(name: str) -> Source:
    """A design: one file, or with the processor's own from its wheel beside it."""
    if name != "riscv":
        return Source({"design.py": (_HERE / f"{name}.py").read_bytes()}, "design.py")
    wheel = find_spec("pythondata_cpu_picorv32")
    assert wheel is not None
    assert wheel.origin is not None
    processor = Path(wheel.origin).parent / "verilog" / "picorv32.v"
    return Source({"riscv.v": (_HERE / "riscv.v").read_bytes(), "picorv32.v": processor.read_bytes()}, "riscv.v")
