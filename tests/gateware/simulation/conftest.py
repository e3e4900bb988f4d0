"""The base, compiled once, and designs compiled against it."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from jupyter_fpga.gateware.simulation import base, compile, synthesize

RESOURCES = Path(__file__).parent / "resources"
#: A design for ``lab_window`` by hand; the drivers' tests run it on a board.
WINDOW = Path(__file__).parents[2] / "resources" / "window.v"
IDENTIFIER = "jupyter_fpga simulated 0123456789abcdef"

#: Compiles Verilog files to a simulator in a folder of its own, which it returns.
Build = Callable[..., Path]


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The outputs of the step ``base``."""
    folder = tmp_path_factory.mktemp("base")
    request = {"target": "simulated", "sys_clk_freq": None, "identifier": "the idle board"}
    (folder / "request.json").write_text(json.dumps(request))
    base.run(folder)
    return folder


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory, base_folder: Path) -> Build:
    """Carries out the steps ``synthesize`` and ``compile``."""

    def run(files: Sequence[tuple[str, str]], *, whole_soc: bool = False, language: str = "verilog") -> Path:
        folder = tmp_path_factory.mktemp("design")
        for name, text in files:
            (folder / name).write_text(text)
        for extra in base_folder.glob("*.init"):
            shutil.copy(extra, folder)
        netlist = {
            "language": language,
            "files": [name for name, _ in files],
            "top": "lab_soc" if whole_soc else "lab_window",
            "whole_soc": whole_soc,
        }
        (folder / "netlist.json").write_text(json.dumps(netlist))
        (folder / "request.json").write_text(json.dumps({"identifier": IDENTIFIER}))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LAB_BASE", str(base_folder))
            synthesize.run(folder)
            compile.run(folder)
        return folder

    return run
