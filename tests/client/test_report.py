"""What a build tells of a real board, as people see it."""

import re

import pytest

from jupyter_fpga.client.report import Report

DATA = {
    "utilization": {
        "logic cells": {"used": 1028, "available": 5280},
        "PLLs": {"used": 0, "available": 1},
    },
    "clocks": {
        "sys": {
            "fmax_mhz": 27.2,
            "constraint_mhz": 12.0,
            "met": True,
            "critical_path": [
                {
                    "kind": "clk-to-q",
                    "delay_ns": 1.39,
                    "from": "count",
                    "to": "count",
                    "source": {"file": "design.py", "line": 8},
                },
                {"kind": "routing", "delay_ns": 2.5, "from": "count", "to": "led", "net": "count[3]", "source": None},
            ],
        }
    },
    "tool_warnings": ["a warning of the tool"],
    "seed": 1,
}


def test_what_is_used_and_how_fast_it_is() -> None:
    report = Report(DATA)
    assert report.utilization == {"logic cells": (1028, 5280), "PLLs": (0, 1)}
    assert report.fmax == {"sys": 27.2}
    assert repr(report).splitlines()[2:] == [
        "logic cells     1,028 of 5,280",
        "clock sys       reaches 27.2 MHz of 12 MHz",
        "  slowest path  count → led: 3.9 ns",
        "  goes through  design.py:8",
    ]


def test_the_slowest_path_step_by_step() -> None:
    assert repr(Report(DATA).critical_path()).splitlines() == [
        "step      from   to     delay, ns  where",
        "────────  ─────  ─────  ─────────  ───────────",
        "clk-to-q  count  count  1.39       design.py:8",
        "routing   count  led    2.50       –",
    ]
    assert "<td>design.py:8</td>" in re.sub(r" style=\"[^\"]*\"", "", Report(DATA).critical_path()._repr_html_())
    assert "design.py:8" in Report(DATA)._repr_html_()
    with pytest.raises(KeyError):
        Report(DATA).critical_path("pixel")


def test_of_a_simulated_board() -> None:
    report = Report({"registers_bits": 8, "memories": []})
    assert (report.utilization, report.fmax) == ({}, {})
    assert repr(report).splitlines()[2:] == ["registers_bits  8", "memories        –"]


def test_a_path_through_many_lines() -> None:
    steps = [
        {"kind": "logic", "delay_ns": 1.0, "from": "a", "to": "b", "source": {"file": "design.py", "line": line}}
        for line in (3, 4, 4, 5, 6, 7, 8)
    ]
    clock = {"fmax_mhz": 20.0, "constraint_mhz": 12.0, "met": True, "critical_path": steps}
    assert repr(Report({"clocks": {"sys": clock}})).splitlines()[-1] == (
        "  goes through  design.py:3, design.py:4, design.py:5, design.py:6 and 2 more"
    )
