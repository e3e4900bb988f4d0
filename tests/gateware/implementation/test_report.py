"""nextpnr's report in the lab's own words."""

from jupyter_fpga.gateware.implementation._places import Places
from jupyter_fpga.gateware.implementation._report import report

#: What Yosys calls a cell deep inside a multiplier: the register behind it, and each cell on the way with its port.
DEEP = "user.window.top.product_SB_DFFSR_Q_D" + "_SB_LUT4_O_I3_SB_LUT4_O_1_I2" * 30


def test_names_of_deep_logic_are_told_in_the_design_s_own_words():
    """One that doesn't end as a cell's does has once taken a search for ever."""
    ends = [f"{DEEP}_SB_LUT4_O", f"{DEEP}_SB_LUT4_O[3]", "user.window.top.total_TRELLIS_FF_Q_1"]
    steps = [{"type": "logic", "delay": 0.5, "from": {"cell": name}, "to": {"cell": name}} for name in ends]
    found = {
        "utilization": {},
        "fmax": {"clk": {"achieved": 50.0, "constraint": 12.0}},
        "critical_paths": [{"from": "posedge clk", "to": "posedge clk", "path": steps}],
    }
    path = report(found, "", 12_000_000, None, Places({"modules": {}}))["clocks"]["sys"]["critical_path"]
    assert [step["from"] for step in path] == ["top.product", ends[1].removeprefix("user.window."), "top.total"]


def cell(kind, src=None, **pins):
    """A cell with inputs, and outputs where a pin's name is that of one."""
    directions = {pin: "output" if pin in ("O", "Q") else "input" for pin in pins}
    bits = {pin: [net] for pin, net in pins.items()}
    attributes = {"src": src} if src else {}
    return {"type": kind, "attributes": attributes, "port_directions": directions, "connections": bits}


def test_cells_come_from_what_they_were_made_of_or_belong_to_what_they_lead_to():
    """nextpnr puts its own behind the names of cells that it packs."""
    cells = {
        "user.from": cell("SB_DFF", "lab:3|/share/ice40/ff_map.v:19.5-19.9", Q=1),
        "user.lut": cell("SB_LUT4", "/share/ice40/cells_map.v:26.33-27.52", I0=1, O=2),
        "user.carry": cell("SB_CARRY", "lab:7|lab:8|/share/ice40/arith_map.v:62.5-70.4", I0=2, O=3),
        "user.last": cell("SB_LUT4", None, I0=3, O=4),
        "base.lut": cell("SB_LUT4", None, I0=3, O=5),
        "user.to": cell("SB_DFF", "lab:9", D=4, Q=6),
    }
    path = ["user.from_DFFLC", "user.lut_LC", "user.carry$nextpnr_COMB0", "base.lut_LC", "user.last_LC", "$PACKER_VCC"]
    assert Places({"modules": {"lab_top": {"cells": cells}}}).of_path(path) == [
        {"places": [3]},
        {"leads_to": [7, 8]},
        {"places": [7, 8]},
        {},
        {"leads_to": [9]},
        {},
    ]


def test_a_design_that_is_a_module_within_the_base():
    cells = {"a": cell("TRELLIS_FF", "lab:1", Q=1), "b": cell("LUT4", None, I0=1, O=2)}
    modules = {"lab_top": {"cells": {"x": cell("LUT4", "lab:5", O=1)}}, "lab_user": {"cells": cells}}
    assert Places({"modules": modules}).of_path(["user.a", "user.b", "x"]) == [{"places": [1]}, {}, {}]


def test_a_constant_is_no_clock():
    """nextpnr takes one for that of DSP blocks without registers."""
    found = {
        "utilization": {},
        "fmax": {
            "$PACKER_GND_NET_$glb_clk": {"achieved": 307.0, "constraint": 12.0},
            "pad_clk$SB_IO_IN_$glb_clk": {"achieved": 22.7, "constraint": 12.0},
        },
    }
    told = report(found, "", 12_000_000, None, Places({"modules": {}}))
    assert {name: clock["fmax_mhz"] for name, clock in told["clocks"].items()} == {"sys": 22.7}
    assert told["tool_warnings"] == [
        "nextpnr doesn't count ways through DSP blocks that have no registers of their own: the clock may reach less."
    ]
