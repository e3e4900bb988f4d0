"""A capture as data: what is asked of whatever captures signals of a board, and what comes of it."""

from dataclasses import dataclass
from typing import Literal

__all__ = ("CapturePlan", "Captured", "Ended", "Kind", "Signal", "Term")

Kind = Literal["value", "rise", "fall", "change"]
"""What a trigger looks for in the bits of a mask: that they have a value, that one of them rises, falls, changes."""

Ended = Literal["complete", "stopped", "power", "limit"]
"""Why a capture ended: all samples are there; it was told to; the power went; there was no room for more."""


@dataclass(frozen=True)
class Signal:
    """A signal of a simulated board: its path in the hierarchy with dots between (``soc.`` first around the design)."""

    path: str
    width: int


@dataclass(frozen=True)
class Term:
    """A condition on the bits of one signal.

    Parameters
    ----------
    signal
        Its number in the list of signals.
    value
        What the bits of ``mask`` are, where the kind is ``value``.
    """

    signal: int
    kind: Kind
    mask: int
    value: int = 0


@dataclass(frozen=True)
class CapturePlan:
    """What is to be captured. Samples are taken at the ends of clock cycles, as a register at the next edge would.

    Parameters
    ----------
    signals
        Their numbers in the list of signals.
    trigger
        Steps, each met in a cycle after the one before; the terms of one step are met in the same cycle. None: at once.
    depth
        Samples in all.
    pre
        Of them, those before the trigger, which is looked for once they are there.
    every
        Clock cycles from sample to sample; triggers are looked for in every cycle.
    """

    signals: tuple[int, ...]
    trigger: tuple[tuple[Term, ...], ...]
    depth: int
    pre: int = 0
    every: int = 1


@dataclass(frozen=True)
class Captured:
    """What was captured.

    Parameters
    ----------
    first
        Clock cycle, since power-up, of the first sample; None where nobody knows.
    trigger
        Number of the first sample at or after the cycle in which the trigger was met; None if it wasn't.
    changes
        For each signal of the plan, the numbers of the samples where it changed, the first among them, and its value.
    """

    first: int | None
    samples: int
    trigger: int | None
    ended: Ended
    changes: list[list[tuple[int, int]]]
