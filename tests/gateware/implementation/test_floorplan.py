"""Where the logic is, from what nextpnr leaves for each family's packer."""

import json

from jupyter_fpga.gateware.implementation._floorplan import floorplan


def logic_tile(x: int, y: int, *tables: int) -> str:
    """A tile of an iCE40 in which these look-up tables have a bit set, and the wires around them all."""
    rows = []
    for row in range(16):
        bits = ["1"] * 36 + ["0"] * 10 + ["1"] * 8
        if row // 2 in tables:
            bits[36 + row % 10] = "1"
        rows.append("".join(bits))
    return f".logic_tile {x} {y}\n" + "\n".join(rows) + "\n"


def test_ice40() -> None:
    text = ".comment from next-pnr\n.device 5k\n.io_tile 1 0\n000\n" + logic_tile(1, 1, 0, 3, 7) + logic_tile(2, 1)
    text += logic_tile(1, 2, *range(8)) + ".ramb_tile 3 2\n0\n.io_tile 1 3\n111\n.sym 1 net\n"
    # Rows are counted from below.
    assert floorplan("ice40", text) == ["", " 8", " 30", ""]


def test_ecp5() -> None:
    text = (
        ".device LFE5U-25F\n\n.comment Part: LFE5U-25F-6CABGA381\n\n.tile CIB_R1C1:CIB_LR\narc: A B\n\n"
        ".tile R1C2:PLC2\nword: SLICEA.K0.INIT 0000000000000001\nword: SLICED.K1.INIT 1111111111111111\n"
        "enum: SLICEA.MODE LOGIC\n\n.tile R0C0:PLC2\narc: E1 F5\n\n.tile MIB_R2C0:PIO\nenum: PIOA.BASE_TYPE INPUT\n"
    )
    assert floorplan("ecp5", text) == ["0", "  2", ""]


def test_gowin() -> None:
    bels = ["X1Y1/LUT0", "X1Y1/LUT7", "X1Y1/DFF0", "X2Y0/ALU3", "X0Y1/DFF5", "X3Y2/IOBA", "X2Y2/MUX0"]
    cells = {str(number): {"attributes": {"NEXTPNR_BEL": bel}} for number, bel in enumerate(bels)}
    cells["VCC"] = {"attributes": {}}
    assert floorplan("gowin", json.dumps({"modules": {"top": {"cells": cells}}})) == ["  1", "02", ""]


def test_a_vendors() -> None:
    assert floorplan("vendor", "whatever it is") == []
