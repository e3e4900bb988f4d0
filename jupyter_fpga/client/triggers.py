"""Triggers as people write them, made into the data that the lab takes.

===================================  ===================================================================================
``"count == 5"``                     a value: a number, ``0x…``, ``0b1x0`` with ``x`` for bits that don't matter, or the
                                     name of a value of an enum
``"status & 0x0f == 3"``             some bits of it; also ``"status[3:0] == 3"``
``"led rises"``, ``"led falls"``     edges of one bit, such as ``leds[2]`` of several
``"count changes"``                  any change
``"led"``, ``"not led"``             levels of one bit
``"led rises and count == 5"``       in one clock cycle
``"a rises then b falls"``           one after the other; so is a list: ``["a rises", "b falls"]``
``{"count": 5, "led": "rising"}``    in one clock cycle, as a dict
===================================  ===================================================================================
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import Invalid

__all__ = ("Trigger", "steps_of")

Trigger = str | Mapping[str, Any] | Sequence["str | Mapping[str, Any]"]
"""See the module."""

_NAME = r"(?P<signal>[^\s&=!<>]+?)"
_VALUE = re.compile(rf"{_NAME}\s*(?:&\s*(?P<mask>\w+))?\s*==\s*(?P<value>[\w.]+)")
_EDGE = re.compile(rf"{_NAME}\s+(?P<edge>rises|falls|changes|rising|falling|changing|rise|fall|change)")
_LEVEL = re.compile(rf"(?P<low>not\s+|!\s*|~\s*)?{_NAME}")
_UNKNOWN = re.compile(r"0[bx][\da-f_]*x[\da-fx_]*", re.IGNORECASE)
_EDGES = {"ris": "rise", "fal": "fall", "cha": "change"}
_THEN = re.compile(r"\s+then\s+|\s*->\s*|\s*→\s*")
_AND = re.compile(r"\s+and\s+|\s*&&\s*")

_FORMS = (
    'Write such as "count == 5", "status & 0x0f == 3", "led rises", "led falls", "count changes", "led" or "not led"; '
    'join with "and" (one cycle) and "then" or a list (one after the other).'
)


def steps_of(trigger: Trigger | None) -> list[list[dict[str, Any]]] | None:
    """The steps of a trigger, each with its conditions, as the API takes them.

    Raises
    ------
    Invalid
        ``trigger_unreadable``, with the forms that there are.
    """
    if trigger is None:
        return None
    if isinstance(trigger, str):
        return [[_condition(text.strip(), trigger) for text in _AND.split(step)] for step in _THEN.split(trigger)]
    if isinstance(trigger, Mapping):
        if not trigger:
            raise _unreadable("an empty dict", "it names no signal")
        return [[_named(str(signal), wanted) for signal, wanted in trigger.items()]]
    if not isinstance(trigger, Sequence) or not trigger:
        raise _unreadable(repr(trigger), "it is no text, dict or list of these")
    steps = []
    for step in trigger:
        steps += steps_of(step) or []
    return steps


def _condition(text: str, whole: str) -> dict[str, Any]:
    if match := _VALUE.fullmatch(text):
        return _value(match["signal"], match["value"], match["mask"], whole)
    if match := _EDGE.fullmatch(text):
        return {"signal": match["signal"], "edge": _EDGES[match["edge"][:3]]}
    if re.search(r"!=|<|>", text):
        raise _unreadable(repr(whole), f"{text!r} compares by other than ==, which an analyzer has no means for")
    if re.search(r"[^=]=[^=]", text):
        raise _unreadable(repr(whole), f"{text!r} has one = where two are meant")
    if match := _LEVEL.fullmatch(text):
        return {"signal": match["signal"], "value": 0 if match["low"] else 1}
    raise _unreadable(repr(whole), f"{text!r} is none of the forms" if text else "something is missing in it")


def _named(signal: str, wanted: Any) -> dict[str, Any]:
    if isinstance(wanted, bool):
        return {"signal": signal, "value": int(wanted)}
    if hasattr(wanted, "__index__"):
        return {"signal": signal, "value": _plain(wanted.__index__())}
    if isinstance(wanted, str):
        if wanted[:3] in _EDGES and _EDGE.fullmatch(f"x {wanted}"):
            return {"signal": signal, "edge": _EDGES[wanted[:3]]}
        return _value(signal, wanted, None, f"{signal}: {wanted}")
    raise _unreadable(f"{{{signal!r}: {wanted!r}}}", f"{wanted!r} is neither a value nor an edge")


def _value(signal: str, text: str, mask: str | None, whole: str) -> dict[str, Any]:
    if (
        mask is None
        and re.fullmatch(r"0[bx][\da-fx_]*x[\da-fx_]*", text[:2] + text[2:].lower())
        and "x" in text[2:].lower()
    ):
        return _with_unknown(signal, text.lower().replace("_", ""), whole)
    condition = {"signal": signal, "value": _number(text, whole)}
    if mask is not None:
        condition["mask"] = _number(mask, whole)
        if not isinstance(condition["mask"], int) and not str(condition["mask"]).startswith("0x"):
            raise _unreadable(repr(whole), f"the mask {mask!r} is not a number")
    return condition


def _with_unknown(signal: str, text: str, whole: str) -> dict[str, Any]:
    """``0b1x0``, ``0xfx``: digits that don't matter."""
    base, digits = (2, text[2:]) if text.startswith("0b") else (16, text[2:])
    full = "1" if base == 2 else "f"
    try:
        value = int(digits.replace("x", "0"), base)
    except ValueError:
        raise _unreadable(repr(whole), f"{text!r} is not a number") from None
    mask = int("".join("0" if digit == "x" else full for digit in digits), base)
    return {"signal": signal, "value": _plain(value), "mask": _plain(mask)}


def _number(text: str, whole: str) -> int | str:
    if text[0].isdigit():
        try:
            return _plain(int(text, 0))
        except ValueError:
            raise _unreadable(repr(whole), f"{text!r} is not a number") from None
    return text


def _plain(value: int) -> int | str:
    """A number as it survives JSON's readers."""
    return value if -(1 << 53) < value < 1 << 53 else f"{value:#x}"


def _unreadable(trigger: str, why: str) -> Invalid:
    return Invalid(f"The trigger {trigger} can't be read: {why}. {_FORMS}", code="trigger_unreadable")
