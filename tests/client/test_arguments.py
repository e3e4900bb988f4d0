"""Values behind options, as people write them."""

import argparse

import pytest

from jupyter_fpga.client.arguments import board_number, frequency, parameter, reworded, seconds, until


@pytest.mark.parametrize(
    ("text", "hertz"),
    [
        ("12e6", 12e6),
        ("1.2e+7", 12e6),
        ("12M", 12e6),
        ("12MHz", 12e6),
        ("1.5 MHz", 1.5e6),
        ("12_000_000", 12e6),
        ("12_000 khz", 12e6),
        ("32768", 32768.0),
    ],
)
def test_frequencies(text, hertz):
    assert frequency(text) == hertz


@pytest.mark.parametrize(
    ("text", "value"), [("A=8", 8), ("A=x", "x"), ("A=[1, 2]", [1, 2]), ("A=a=b", "a=b"), ("A=", "")]
)
def test_parameters(text, value):
    assert parameter(text) == ("A", value)


@pytest.mark.parametrize(
    ("text", "cycles_or_seconds"),
    [
        ("500", 500),
        ("1_000", 1000),
        ("500 cycles", 500),
        ("1 cycle", 1),
        ("20us", 20e-6),
        ("20 µs", 20e-6),
        ("1.5ms", 1.5e-3),
        ("100ns", 100e-9),
        ("1e-6", 1e-6),
        ("2e-6 s", 2e-6),
    ],
)
def test_ends_of_simulations(text, cycles_or_seconds):
    found = until(text)
    assert found == pytest.approx(cycles_or_seconds)
    assert type(found) is type(cycles_or_seconds)
    # What was read once can be read again.
    assert until(str(found)) == found


@pytest.mark.parametrize(
    ("reader", "texts", "expected"),
    [
        (
            frequency,
            ["fast", "0", "-1", "0.5", "1e999", "1.2.3", "1__2", "12 MHz fast", ""],
            "a frequency such as 12MHz, 12e6 or 12_000_000",
        ),
        (seconds, ["soon", "0", "-1", "inf", "nan", ""], "a number of seconds above 0"),
        (
            until,
            ["soon", "0", "0us", "-5", "1__2", "1.2.3us", "5 minutes", "1e999", ""],
            "clock cycles or a time, such as 500 or 20us",
        ),
        (board_number, ["x", "-1", "1.5", ""], "the number of a board, such as 0"),
        (parameter, ["X", "1x=3", "=3", ""], "NAME=VALUE"),
    ],
)
def test_what_can_not_be_read(reader, texts, expected):
    for text in texts:
        with pytest.raises(argparse.ArgumentTypeError) as refusal:
            reader(text)
        assert str(refusal.value) == f"takes {expected}; got {text!r}"


def test_what_argparse_says_otherwise_stays():
    assert reworded("argument -f/--follow: ignored explicit argument '3'") == "--follow takes no value; got '3'"
    assert reworded("unrecognized arguments: --bord 3") == "unrecognized arguments: --bord 3"
