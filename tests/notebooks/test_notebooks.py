"""The notebooks run, and their saved outputs are what comes out, in a lab that runs."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from .exercises import solution, tagged, verdict

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
        "09_testbenches.ipynb",
        "10_accelerator.ipynb",
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


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_is_a_lesson(name):
    notebook = nbformat.read(FOLDER / name, as_version=4)
    about = notebook.cells[0].source
    assert re.search(r"^\*\*What you learn:\*\* \w[^*]+\.\\\n\*\*Time:\*\* about \d+ minutes\.\n\n", about, re.MULTILINE)
    begins = notebook.cells.index(tagged(notebook, "exercise"))
    assert notebook.cells[begins - 1].source.startswith("## Yours to do\n\n")
    assert notebook.cells[begins + 1] is tagged(notebook, "self-check")
    assert notebook.cells[begins + 2] is tagged(notebook, "solution")
    assert re.fullmatch(r"Not solved yet: [^\n]+\.\n", verdict(notebook))


@pytest.mark.parametrize("name", NOTEBOOKS)
async def test_its_solution_solves_it(name, served_lab, lab):
    notebook = nbformat.read(FOLDER / name, as_version=4)
    tagged(notebook, "exercise").source = solution(notebook)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": FOLDER}})
    await client.async_execute(env=served_lab.environment)
    assert re.fullmatch(r"Solved: [^\n]+\.\n", verdict(notebook))
