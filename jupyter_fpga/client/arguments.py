"""Values as a person writes them behind an option: read in the same way, and refused in the same words, everywhere."""

import argparse
import ast
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

__all__ = (
    "Reader",
    "board_number",
    "frequency",
    "megahertz",
    "names",
    "parameter",
    "reworded",
    "seconds",
    "until",
    "whole_number",
)

T = TypeVar("T")


@dataclass(frozen=True)
class Reader(Generic[T]):
    """What an option takes; called with a text, it is the value, as the ``type`` of an :mod:`argparse` argument.

    Parameters
    ----------
    expected
        What the text should be, for messages: “takes …”.
    read
        Raises :class:`ValueError` for a text that it can't read.
    """

    expected: str
    read: Callable[[str], T]

    def __call__(self, text: str) -> T:
        """The value.

        Raises
        ------
        argparse.ArgumentTypeError
            The text is not what was expected; the message is to be put behind the option's name.
        """
        try:
            return self.read(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"takes {self.expected}; got {text!r}") from None


_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


def _frequency(text: str) -> float:
    match = re.fullmatch(r"\s*([0-9._]+(?:e[+-]?[0-9]+)?)\s*([kmg]?)(?:hz)?\s*", text, re.IGNORECASE)
    hertz = float(match[1]) * _UNITS[match[2].lower()] if match else 0.0
    if not 1 <= hertz < math.inf:
        raise ValueError(text)
    return hertz


def _above_zero(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise ValueError(text)
    return number


def _whole_number(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def _parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise ValueError(text)
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def _names(text: str) -> list[str]:
    found = [name.strip() for name in text.split(",")]
    if not all(found):
        raise ValueError(text)
    return found


frequency = Reader("a frequency such as 12MHz, 12e6 or 12_000_000", _frequency)
"""Hz."""

megahertz = Reader("a frequency in MHz, such as 48 or 12.5", _above_zero)
"""MHz: a number above 0, like a time."""

whole_number = Reader("a whole number, such as 4", _whole_number)

seconds = Reader("a number of seconds above 0", _above_zero)

board_number = Reader("the number of a board, such as 0", _whole_number)

names = Reader("names with commas between, such as count,inner.state", _names)

parameter = Reader("NAME=VALUE", _parameter)
"""A value that is a Python literal is one, any other is text."""

_TIMES = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "ps": 1e-12}


def _until(text: str) -> int | float:
    if match := re.fullmatch(r"\s*([0-9_]+)\s*(?:cycles?)?\s*", text):
        found: int | float = int(match[1])
    elif match := re.fullmatch(r"\s*([0-9._]+(?:e[+-]?[0-9]+)?)\s*(ms|us|µs|ns|ps|s|)\s*", text):
        # Seconds without a unit are a float's text, such as 1e-6.
        found = float(match[1]) * _TIMES[match[2] or "s"]
    else:
        raise ValueError(text)
    if not 0 < found < math.inf:
        raise ValueError(text)
    return found


until = Reader("clock cycles or a time, such as 500 or 20us", _until)
"""Clock cycles as a whole number, or seconds as a float."""

_ARGPARSE = (
    (re.compile(r"argument ([^:]*/)?(\S+): (takes .*)", re.DOTALL), r"\2 \3"),
    (re.compile(r"argument ([^:]*/)?(\S+): expected one argument"), r"\2 needs a value"),
    (re.compile(r"argument ([^:]*/)?(\S+): ignored explicit argument (.*)", re.DOTALL), r"\2 takes no value; got \3"),
)


def reworded(message: str) -> str:
    """What :mod:`argparse` says of an option, as the start of a sentence that begins with the option's name."""
    for pattern, words in _ARGPARSE:
        if match := pattern.fullmatch(message):
            return match.expand(words)
    return message
