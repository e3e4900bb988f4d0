"""nextpnr's report in the lab's own words."""

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
    path = report(found, "", 12_000_000, None)["clocks"]["sys"]["critical_path"]
    assert [step["from"] for step in path] == ["top.product", ends[1].removeprefix("user.window."), "top.total"]
