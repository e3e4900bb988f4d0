"""What a notebook's first cell costs: ``%load_ext jupyter_fpga`` beside what its peers do in their first cell.

Each in a fresh process that has imported what every kernel has, by turns, and the median of some rounds: the extension,
the first use of its magic (which brings the client), and as peers ``import ipywidgets`` and ``%load_ext autoreload``,
an extension that comes with IPython. The ratios are printed; nothing is asserted about time.
"""

import statistics
import subprocess
import sys

import pytest

pytestmark = pytest.mark.benchmark

ROUNDS = 15

PROGRAM = """
import time
import ipykernel.ipkernel, ipykernel.kernelapp
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
config = Config()
config.HistoryManager.enabled = False
ip = InteractiveShell.instance(config=config)
ip.run_cell("pass")
begun = time.perf_counter()
ip.run_cell({cell!r}).raise_error()
seconds = time.perf_counter() - begun
print("\\n", seconds)
"""

CELLS = {
    "%load_ext jupyter_fpga": "%load_ext jupyter_fpga",
    "… and its first use": "%load_ext jupyter_fpga\nget_ipython().run_line_magic('fpga', 'help')",
    "import ipywidgets": "import ipywidgets",
    "%load_ext autoreload": "%load_ext autoreload",
}


def _seconds(cell: str) -> float:
    command = [sys.executable, "-c", PROGRAM.format(cell=cell)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


def test_the_first_cell() -> None:
    taken: dict[str, list[float]] = {name: [] for name in CELLS}
    for _ in range(ROUNDS):
        for name, cell in CELLS.items():
            taken[name].append(_seconds(cell))
    median = {name: statistics.median(seconds) for name, seconds in taken.items()}
    peer = median["import ipywidgets"]
    print()
    for name, seconds in median.items():
        print(f"  {name:<24}{seconds * 1e3:8.1f} ms  {seconds / peer:6.2f} times import ipywidgets")
