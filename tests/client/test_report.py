"""What a build tells of a real board, as people see it."""

import re
from xml.etree import ElementTree

import pytest

from jupyter_fpga.client.report import Report
from jupyter_fpga.client.report_picture import BAD, GOOD, ROUTING

SVG = "{http://www.w3.org/2000/svg}"

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


def test_a_clock_that_is_too_slow() -> None:
    clock = {"fmax_mhz": 27.2, "constraint_mhz": 34.0, "met": False, "critical_path": []}
    assert repr(Report({"clocks": {"sys": clock}})).splitlines()[-1] == (
        "clock sys  reaches 27.2 MHz of 34 MHz: too slow"
    )


def pictures(report: Report) -> dict[str, tuple[str, list[dict[str, str]]]]:
    """By line of the report shown in a notebook: what its picture is called, and the boxes in it."""
    shown = ElementTree.fromstring(report._repr_html_())
    found = {}
    for row in shown.iterfind("./table/tbody/tr"):
        name, picture, _ = row
        if (svg := picture.find(f"{SVG}svg")) is not None:
            found[(name.text or "").strip()] = (
                svg.findtext(f"{SVG}title") or "",
                [{key: box.attrib[key] for key in ("x", "width", "fill")} for box in svg.iterfind(f"{SVG}rect")],
            )
    return found


def test_pictures() -> None:
    found = pictures(Report(DATA))
    title, (bar, frame) = found["logic cells"]
    assert title == "1,028 of 5,280"
    assert bar == {"x": "0.0", "width": f"{220 * 1028 / 5280:.1f}", "fill": GOOD}
    assert frame == {"x": "0.5", "width": "219", "fill": "none"}
    title, (bar,) = found["clock sys"]
    assert (title, bar["fill"]) == ("27.2 MHz reached, 12 MHz needed", GOOD)
    title, steps = found["slowest path"]
    assert title == "3.9 ns: logic 1.4 ns in 1 step, wires 2.5 ns"
    assert steps == [
        {"x": "0.0", "width": "77.6", "fill": GOOD},
        {"x": "78.6", "width": "140.4", "fill": ROUTING},
    ]
    assert found.keys() == {"logic cells", "clock sys", "slowest path"}


def test_pictures_warn() -> None:
    clock = {"fmax_mhz": 27.2, "constraint_mhz": 34.0, "met": False, "critical_path": []}
    data = {"utilization": {"LUTs": {"used": 86, "available": 100}}, "clocks": {"sys": clock}}
    found = pictures(Report(data))
    assert [boxes[0]["fill"] for _, boxes in found.values()] == [BAD, BAD]
    # The mark of what is needed is in the picture, to the right of the bar.
    assert found["clock sys"][1][0]["width"] == f"{220 / 1.25 * 27.2 / 34:.1f}"
    assert f'<path d="M{220 / 1.25:.1f} 0V12"' in Report(data)._repr_html_()


def test_all_of_a_kind_of_which_there_are_few() -> None:
    report = Report({"utilization": {"PLLs": {"used": 1, "available": 1}, "pins": {"used": 39, "available": 39}}})
    found = pictures(report)
    assert {name: boxes[0]["fill"] for name, (_, boxes) in found.items()} == {"PLLs": GOOD, "pins": BAD}


def test_a_floorplan() -> None:
    report = Report({**DATA, "floorplan": [" 08", "", "4"]})
    assert report.floorplan == [" 08", "", "4"]
    picture = ElementTree.fromstring(report._repr_html_()).find(f"./{SVG}svg")
    assert picture is not None
    assert (picture.get("width"), picture.get("height")) == ("18", "18")
    assert picture.findtext(f"{SVG}title") == "12 look-up tables, where they are on the device"
    _, *tiles = picture.iterfind(f"{SVG}rect")
    assert [(tile.get("x"), tile.get("y"), tile.get("fill-opacity")) for tile in tiles] == [
        ("12", "0", "1"),
        ("0", "12", "0.5"),
    ]
    # It is no text: what it shows in a terminal is the rest.
    assert repr(report) == repr(Report(DATA))


def test_what_a_design_is_called_is_no_markup() -> None:
    step = {"kind": "logic", "delay_ns": 1.0, "from": "<b>", "to": "<i>", "source": None}
    clock = {"fmax_mhz": 20.0, "constraint_mhz": 12.0, "met": True, "critical_path": [step]}
    shown = Report({"clocks": {"<u>": clock}})._repr_html_()
    assert "&lt;b&gt; → &lt;i&gt;" in shown
    assert "clock &lt;u&gt;" in shown
    assert "<title>logic 1.00 ns, to &lt;i&gt;</title>" in shown
    assert not {"<b>", "<i>", "<u>"} & set(re.findall("<[a-z]+>", shown))


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
