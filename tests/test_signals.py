"""Names of signals in a hierarchy."""

import pytest

from jupyter_fpga.signals import SignalUnknown, find, own, shown, split_bits

PATHS = ["clk", "registers.duty", "soc.bus.adr", "top.count", "top.a.state", "top.b.state", "top.a.b.deep", "top.x[1]"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("count", "top.count"),
        ("top.count", "top.count"),
        ("a.state", "top.a.state"),
        ("deep", "top.a.b.deep"),
        ("soc.bus.adr", "soc.bus.adr"),
        ("adr", "soc.bus.adr"),
        ("x[1]", "top.x[1]"),
    ],
)
def test_where_a_name_leads(name: str, path: str) -> None:
    assert find(name, PATHS) == path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("state", "several signals are called 'state': a.state, b.state; write more of the path"),
        ("cuont", "the design has no signal 'cuont'; the nearest is count"),
        ("c.state", "the design has no signal 'c.state'; the nearest are a.state, b.state"),
        (
            "zebra",
            "the design has no signal 'zebra'; it has a.b.deep, a.state, b.state, clk, count, registers.duty, "
            "soc.bus.adr, x[1]",
        ),
    ],
)
def test_where_it_does_not(name: str, message: str) -> None:
    with pytest.raises(SignalUnknown) as unknown:
        find(name, PATHS)
    assert str(unknown.value) == message


def test_in_a_design_without_signals() -> None:
    with pytest.raises(SignalUnknown) as unknown:
        find("a", [])
    assert str(unknown.value) == "the design has no signal 'a'; it has none"


def test_ones_own() -> None:
    assert own(PATHS) == ["top.count", "top.a.state", "top.b.state", "top.a.b.deep", "top.x[1]"]
    assert own(["registers.duty", "soc.a", "pwm_count"]) == ["pwm_count"]
    assert [shown(path) for path in ("top.a.b", "design.a", "soc.a", "top")] == ["a.b", "a", "soc.a", "top"]


def test_bits() -> None:
    assert split_bits("a.b[7:4]") == ("a.b", (4, 4))
    assert split_bits("a[3]") == ("a", (3, 1))
    assert split_bits("a[0:3]") == ("a", (0, 4))
    assert split_bits("a") == ("a", None)
