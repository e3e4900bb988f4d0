"""Triggers as people write them."""

import pytest

from jupyter_fpga.client import Invalid
from jupyter_fpga.client.triggers import steps_of


@pytest.mark.parametrize(
    ("trigger", "steps"),
    [
        (None, None),
        ("count == 5", [[{"signal": "count", "value": 5}]]),
        ("count==0x1F", [[{"signal": "count", "value": 31}]]),
        ("a.b[7:4] == 0b11", [[{"signal": "a.b[7:4]", "value": 3}]]),
        ("state == RUN", [[{"signal": "state", "value": "RUN"}]]),
        ("status & 0x0f == 3", [[{"signal": "status", "value": 3, "mask": 15}]]),
        ("count == 0b1x0", [[{"signal": "count", "value": 4, "mask": 5}]]),
        ("count == 0xfX", [[{"signal": "count", "value": 0xF0, "mask": 0xF0}]]),
        (f"wide == {1 << 60:#x}", [[{"signal": "wide", "value": "0x1000000000000000"}]]),
        ("led", [[{"signal": "led", "value": 1}]]),
        ("not led", [[{"signal": "led", "value": 0}]]),
        ("!leds[2]", [[{"signal": "leds[2]", "value": 0}]]),
        ("led rises", [[{"signal": "led", "edge": "rise"}]]),
        ("led falling", [[{"signal": "led", "edge": "fall"}]]),
        ("count changes", [[{"signal": "count", "edge": "change"}]]),
        ("led rises and count == 5", [[{"signal": "led", "edge": "rise"}, {"signal": "count", "value": 5}]]),
        ("a rises then b falls", [[{"signal": "a", "edge": "rise"}], [{"signal": "b", "edge": "fall"}]]),
        (["a rises", "b"], [[{"signal": "a", "edge": "rise"}], [{"signal": "b", "value": 1}]]),
        (
            {"count": 5, "led": "rising", "on": True},
            [
                [
                    {"signal": "count", "value": 5},
                    {"signal": "led", "edge": "rise"},
                    {"signal": "on", "value": 1},
                ]
            ],
        ),
        ([{"a": 1}, "b changes"], [[{"signal": "a", "value": 1}], [{"signal": "b", "edge": "change"}]]),
    ],
)
def test_what_it_means(trigger, steps):
    assert steps_of(trigger) == steps


FORMS = (
    'Write such as "count == 5", "status & 0x0f == 3", "led rises", "led falls", "count changes", "led" or "not led"; '
    'join with "and" (one cycle) and "then" or a list (one after the other).'
)


@pytest.mark.parametrize(
    ("trigger", "why"),
    [
        ("count = 5", "'count = 5' can't be read: 'count = 5' has one = where two are meant."),
        (
            "count > 5",
            "'count > 5' can't be read: 'count > 5' compares by other than ==, which an analyzer has no means for.",
        ),
        ("led rises and", "'led rises and' can't be read: 'led rises and' is none of the forms."),
        ("", "'' can't be read: something is missing in it."),
        ("a == 12z", "'a == 12z' can't be read: '12z' is not a number."),
        ("a & m == 1", "'a & m == 1' can't be read: the mask 'm' is not a number."),
        ({}, "an empty dict can't be read: it names no signal."),
        (5, "5 can't be read: it is no text, dict or list of these."),
        ({"a": 1.5}, "{'a': 1.5} can't be read: 1.5 is neither a value nor an edge."),
    ],
)
def test_what_it_can_not_mean(trigger, why):
    with pytest.raises(Invalid) as refused:
        steps_of(trigger)
    assert refused.value.code == "trigger_unreadable"
    assert refused.value.message == f"The trigger {why} {FORMS}"
