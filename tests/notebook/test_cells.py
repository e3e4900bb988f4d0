"""A cell's text as a file, with line numbers that are the cell's."""

import ast
import io
import json
import zipfile

import pytest

from jupyter_fpga.notebook.cells import Place, as_library, as_source, is_verilog, locate, replace_library

CELL = "class Top(wiring.Component):\n    led: Out(1)\n"
VERILOG = "// A comment.\n/* Another,\n   longer. */\nmodule top(input clk, output led);\nendmodule\n"


def files_of(source):
    with zipfile.ZipFile(io.BytesIO(source.content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_the_magics_line_becomes_an_empty_one():
    source = as_source(CELL)
    assert source.filename == "design.py"
    assert source.content.decode() == "\n" + CELL


def test_verilog_is_known_by_its_first_line():
    assert as_source(VERILOG).filename == "design.v"
    assert is_verilog("`default_nettype none\nmodule m; endmodule")
    assert not is_verilog(CELL)
    assert not is_verilog("# module\nx = 1  # endmodule\n")


def test_a_library_is_a_module_of_its_own_and_moves_no_line():
    library = as_library("WIDTH = 8\nclass Adder(wiring.Component):\n    a: In(WIDTH)\n")
    assert library.names == {"WIDTH", "Adder"}
    source = as_source(CELL, [library])
    files = files_of(source)
    assert source.filename == "design.zip"
    assert files["design.py"] == "from cell_lib_1 import *\n" + CELL
    assert files["cell_lib_1.py"].splitlines()[1] == "WIDTH = 8"
    assert "from amaranth.lib.wiring import In, Out" in files["cell_lib_1.py"].splitlines()[0]
    assert json.loads(files["mrg-project.json"])["entrypoint"] == "design.py"


def test_libraries_build_on_one_another():
    one, two = as_library("A = 1\n"), as_library("B = A + 1\n")
    files = files_of(as_source(CELL, [one, two]))
    assert files["cell_lib_2.py"].splitlines()[0].endswith("; from cell_lib_1 import *")
    assert files["design.py"].startswith("from cell_lib_2 import *\n")


def test_a_library_of_migen_gets_none_of_amaranths_names():
    files = files_of(as_source("from migen import *\n", [as_library("from migen import *\nA = 1\n")]))
    assert files["cell_lib_1.py"].splitlines()[0] == ""


def test_a_future_import_stays_the_first_statement():
    files = files_of(as_source("from __future__ import annotations  # é\nx = 1\n", [as_library("A = 1\n")]))
    assert files["design.py"] == "\nfrom __future__ import annotations; from cell_lib_1 import *  # é\nx = 1\n"
    ast.parse(files["design.py"])


def test_a_cell_that_is_run_again_replaces_itself():
    first, other, again = as_library("A = 1\n"), as_library("B = 1\n"), as_library("A = 2\nC = 3\n")
    assert replace_library([first, other], again) == [other, again]
    # What another cell still needs of it stays, and is hidden where it is defined anew.
    assert replace_library([again], first) == [again, first]


def test_a_verilog_library_is_a_source_of_the_bundle():
    library = as_library("module helper(input a); endmodule\n")
    assert library.names == {"helper"}
    files = files_of(as_source(CELL, [library]))
    assert json.loads(files["mrg-project.json"])["verilog_sources"] == ["cell_lib_1.v"]
    assert files["design.py"] == "\n" + CELL
    assert files_of(as_source(VERILOG, [library, as_library("A = 1")])).keys() == {
        "mrg-project.json",
        "design.v",
        "cell_lib_1.v",
    }


def test_equal_cells_make_equal_bytes():
    assert as_source(CELL, [as_library("A = 1\n")]) == as_source(CELL, [as_library("A = 1\n")])


def test_a_library_that_is_no_python_is_a_syntax_error_in_its_line():
    with pytest.raises(SyntaxError) as error:
        as_library("x = 1\ny = (\n")
    assert error.value.lineno == 3


def test_an_error_is_found_in_the_cell():
    assert locate("design.py", 2, CELL) == Place(2, "class Top(wiring.Component):")
    assert locate("design.py", 3, CELL) == Place(3, "    led: Out(1)")
    assert locate("design.py", 99, CELL) is None
    assert locate(None, None, CELL) is None


def test_an_error_is_found_in_a_library():
    libraries = [as_library("module m; endmodule"), as_library("A = 1\nB = 1 / 0\n")]
    assert locate("cell_lib_1.py", 3, CELL, libraries) == Place(3, "B = 1 / 0", "the --lib cell of A, B")
    assert locate("cell_lib_1.v", 2, CELL, libraries) == Place(2, "module m; endmodule", "the --lib cell of m")
