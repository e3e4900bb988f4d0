"""The notebooks run, and their saved outputs are what comes out, in a lab that runs."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parent.parent.parent / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))


def test_all_are_here():
    assert NOTEBOOKS == [
        "01_first_light.ipynb",
        "02_registers.ipynb",
        "03_wishbone_slave.ipynb",
        "04_litex_module.ipynb",
        "05_verilog.ipynb",
        "06_real_board.ipynb",
        "07_logic_analyzer.ipynb",
        "08_timing_closure.ipynb",
    ]


def test_they_give_what_is_saved(served_lab, lab):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q", "-p", "no:cacheprovider", *NOTEBOOKS],
        cwd=FOLDER,
        env=served_lab.environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_is_saved_whole(name):
    notebook = nbformat.read(FOLDER / name, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        failed = any(output.output_type == "error" for output in cell.outputs)
        assert failed == ("raises-exception" in cell.metadata.get("tags", []))
    # Every board that a notebook takes it gives back.
    assert code[-1].source.startswith("%fpga release ")
    assert code[-1].outputs[0].text == "The board is given back.\n"
