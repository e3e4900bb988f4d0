"""A capture of a simulated board: what is asked of it, and what it writes of it, read with care.

The protocol is told in ``gateware/simulation/harness/main.cc`` and ``capture.h``. The board is compiled from a
stranger's design: what it says is held against what it was asked for.
"""

from collections.abc import Mapping
from typing import BinaryIO

from .base import DriverError
from .capture import Captured, CapturePlan, Ended, Signal

__all__ = ("read_captured", "read_signals", "request")

_KINDS = {"value": "=", "rise": "r", "fall": "f", "change": "c"}

_MOST_SIGNALS = 200_000
_ENDED: Mapping[str, Ended] = {
    "complete": "complete",
    "stopped": "stopped",
    "power": "power",
    "limit": "limit",
    "write": "limit",
}


def read_signals(text: str) -> list[Signal]:
    """The board's list of its signals.

    Raises
    ------
    DriverError
        It isn't one.
    """
    signals: list[Signal] = []
    for line in text.splitlines():
        width, _, name = line.partition(" ")
        if not (width.isascii() and width.isdigit() and 0 < len(width) <= 6) or len(signals) >= _MOST_SIGNALS:
            raise _nonsense()
        root, *levels = name.split()
        path = ".".join(levels if root == "design" else [root, *levels])
        signals.append(Signal(path, int(width)))
    return signals


def request(plan: CapturePlan, limit: int) -> dict[str, object]:
    """The values that go with the command ``capture``."""
    values: dict[str, object] = {
        "everything": 1,
        "signals": ",".join(map(str, plan.signals)),
        "depth": plan.depth,
        "pre": plan.pre,
        "every": plan.every,
        "limit": limit,
    }
    if plan.trigger:
        values["trigger"] = ";".join(
            "+".join(f"{term.signal}:{_KINDS[term.kind]}:{term.mask:x}:{term.value:x}" for term in step)
            for step in plan.trigger
        )
    return values


def read_captured(
    answer: Mapping[str, str], file: BinaryIO, limit: int, plan: CapturePlan, widths: list[int]
) -> Captured:
    """What the board answered at the end, and wrote into ``file``.

    Raises
    ------
    DriverError
        It isn't what was asked for.
    """
    first, samples = _number(answer, "first"), _number(answer, "samples")
    trigger = _number(answer, "trigger") if "trigger" in answer else None
    ended = _ENDED.get(answer.get("ended", ""))
    if ended is None or samples > plan.depth:
        raise _nonsense()
    if trigger is not None and trigger >= samples:
        trigger = None
    file.seek(0)
    content = file.read(limit + 1)
    if len(content) > limit:
        raise _nonsense()
    changes: list[list[tuple[int, int]]] = [[] for _ in plan.signals]
    now = -1
    try:
        for line in content.decode("ascii").splitlines():
            if line.startswith("#"):
                if not now < (now := int(line[1:])) < samples:
                    raise _nonsense()
                continue
            index, _, value = line.partition(" ")
            bits = int(value, 16)
            if now < 0 or not 0 <= bits < 1 << widths[int(index)]:
                raise _nonsense()
            changes[int(index)].append((now, bits))
    except (ValueError, IndexError) as error:
        raise _nonsense() from error
    if samples and any(not of_signal or of_signal[0][0] for of_signal in changes):
        raise _nonsense()
    return Captured(first, samples, trigger, ended, changes)


def _number(values: Mapping[str, str], name: str) -> int:
    text = values.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise _nonsense()
    return int(text)


def _nonsense() -> DriverError:
    return DriverError(
        "The simulated board answered a capture with something that isn't one. Reset the board.", code="bench_refused"
    )
