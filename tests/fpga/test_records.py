"""Reports with the lines of one job's own text."""

from jupyter_fpga.fpga.records import located

PATH = [
    {"kind": "clk-to-q", "delay_ns": 1.4, "from": "x", "to": "x", "places": [3]},
    {"kind": "routing", "delay_ns": 0.6, "from": "x", "to": "y", "leads_to": [7]},
    {"kind": "setup", "delay_ns": 0.2, "from": "y", "to": "y"},
]
REPORT = {"utilization": {}, "clocks": {"sys": {"fmax_mhz": 30.0, "critical_path": PATH}}, "seed": 1}
PLAIN = [{name: step[name] for name in ("kind", "delay_ns", "from", "to")} for step in PATH]


def test_each_step_gets_its_line_and_loses_its_numbers() -> None:
    lines = [{"file": "design.py", "line": 9}, {"file": "design.py", "line": 10}, None]
    told = located(REPORT, {"sys": lines})
    assert told["clocks"]["sys"] == {
        "fmax_mhz": 30.0,
        "critical_path": [{**step, "source": line} for step, line in zip(PLAIN, lines, strict=True)],
    }
    assert (told["utilization"], told["seed"]) == ({}, 1)


def test_a_job_of_a_lab_that_knew_no_lines() -> None:
    assert located(REPORT, {})["clocks"]["sys"]["critical_path"] == [{**step, "source": None} for step in PLAIN]


def test_a_simulated_board_has_no_clocks() -> None:
    assert located({"registers_bits": 8}, {}) == {"registers_bits": 8}
