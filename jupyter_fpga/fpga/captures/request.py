"""What somebody wants to see, by names: checked, and turned into a plan by numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from jupyter_fpga.fpga.captures.instrument import Instrument
from jupyter_fpga.fpga.drivers import CapturePlan, Kind, Signal, Term
from jupyter_fpga.fpga.shapes import Refused, encode, plural, shown
from jupyter_fpga.gateware.manifest import Manifest, Register
from jupyter_fpga.signals import SignalUnknown, find, own, split_bits
from jupyter_fpga.signals import shown as plain

__all__ = ("LONGEST_WAIT", "Plan", "Via", "plan")

Via = Literal["trace", "analyzer"]

LONGEST_WAIT = 300.0
"""Seconds that a capture may wait for its trigger."""

MOST_EVERY = 65_536
"""Cycles between two samples: what LiteScope's subsampler takes."""

MOST_STEPS, MOST_TERMS = 16, 16
"""Steps of a trigger, which is what LiteScope's memory holds, and conditions of a step."""

MOST_SIGNALS = 2_000


@dataclass(frozen=True)
class Plan:
    """A capture, ready to be begun.

    Parameters
    ----------
    names
        What the signals are called in the waveform.
    signals
        What they are.
    plan
        By numbers.
    timeout
        Seconds after which it ends without its trigger.
    """

    names: Sequence[str]
    signals: Sequence[Signal]
    plan: CapturePlan
    timeout: float


def plan(wanted: Mapping[str, Any], signals: Sequence[Signal], instrument: Instrument, manifest: Manifest) -> Plan:
    """The plan for what is wanted.

    Parameters
    ----------
    wanted
        ``signals``: names (None: all of the design's own); ``trigger``: steps, each a list of conditions
        ``{"signal", "value", "mask"}`` or ``{"signal", "edge": "rise" | "fall" | "change"}``; ``depth``, ``pre``,
        ``every``; ``timeout`` in seconds. What is missing or None takes its default.
    signals, instrument
        What there is, and what captures it.
    manifest
        Knows the names of values.

    Raises
    ------
    Refused
        It can't be done.
    """
    return _Planner(signals, instrument, manifest).plan(wanted)


class _Planner:
    def __init__(self, signals: Sequence[Signal], instrument: Instrument, manifest: Manifest) -> None:
        self._signals = signals
        self._instrument = instrument
        self._registers = {register.name: register for register in manifest.registers if register.array is None}
        self._numbers = {signal.path: number for number, signal in enumerate(signals)}

    def plan(self, wanted: Mapping[str, Any]) -> Plan:
        numbers, names = self._chosen(wanted.get("signals"))
        trigger = self._trigger(wanted.get("trigger") or ())
        depth = _whole(wanted, "depth", self._instrument.depth, 1, self._instrument.most)
        pre = _whole(wanted, "pre", depth // 4 if trigger else 0, 0, depth - 1)
        if pre and not trigger:
            raise Refused("samples before the trigger (pre) were asked for, and there is no trigger; give one.")
        every = _whole(wanted, "every", 1, 1, MOST_EVERY)
        found = CapturePlan(numbers, trigger, depth, pre, every)
        self._instrument.check(found)
        return Plan(names, [self._signals[number] for number in numbers], found, _timeout(wanted.get("timeout")))

    def _chosen(self, wanted: Sequence[str] | None) -> tuple[tuple[int, ...], list[str]]:
        if wanted is None:
            # A clock stands still when one always looks at the same moment of it.
            paths = [path for path in own(self._numbers) if path.rpartition(".")[2] != "clk"]
            chosen = {path: plain(path) for path in paths}
        else:
            chosen = {}
            for name in wanted:
                if split_bits(name)[1] is not None and name not in self._numbers:
                    raise Refused(f"{shown(name)} is a part of a signal; capture the whole, and take its bits then.")
                chosen[self._signals[self._find(name)].path] = name
        if not chosen:
            raise Refused("no signals were named; name one, or leave signals out for all of the design's.")
        if len(chosen) > MOST_SIGNALS:
            raise Refused(f"{plural(len(chosen), 'signal')} are more than {MOST_SIGNALS:,}; name those that matter.")
        return tuple(self._numbers[path] for path in chosen), list(chosen.values())

    def _find(self, name: str) -> int:
        try:
            return self._numbers[find(name, self._numbers)]
        except SignalUnknown as error:
            raise Refused(self._instrument.unknown(shown(name)) or f"{error}.") from error

    def _trigger(self, steps: Sequence[Sequence[Mapping[str, Any]]]) -> tuple[tuple[Term, ...], ...]:
        if len(steps) > MOST_STEPS or any(not 0 < len(step) <= MOST_TERMS for step in steps):
            raise Refused(f"a trigger has up to {MOST_STEPS} steps, each with 1 to {MOST_TERMS} conditions.")
        return tuple(tuple(self._term(condition) for condition in step) for step in steps)

    def _term(self, condition: Mapping[str, Any]) -> Term:
        name, bits = condition["signal"], None
        if name not in self._numbers:
            name, bits = split_bits(name)
        number = self._find(name)
        signal = self._signals[number]
        lsb, width = bits or (0, signal.width)
        if lsb + width > signal.width:
            last = signal.width - 1
            raise Refused(f"{shown(name)} has bits 0 to {last}, and the trigger asks for bit {lsb + width - 1}.")
        mask = ((1 << width) - 1) << lsb
        edge, value = condition.get("edge"), condition.get("value")
        if (edge is None) == (value is None):
            raise Refused(f"the condition on {shown(name)} says neither, or both, of value and edge; give one of them.")
        if edge is not None:
            if condition.get("mask") is not None:
                raise Refused(f"the condition on {shown(name)} has an edge and a mask; write the bits behind the name.")
            if edge not in get_args(Kind) or edge == "value":
                raise Refused(f"the edge {shown(edge)} is not one of rise, fall and change.")
            if width > 1 and edge != "change":
                raise Refused(
                    f"{shown(condition['signal'])} has {width} bits, and only one bit can {edge}; write a bit, such as "
                    f"{name}[{lsb}], or wait for a change."
                )
            return Term(number, edge, mask)
        shape = Register(name, 0, width, 1, "ro", enum=self._enum(signal) if bits is None else None)
        wanted = encode(shape, _number(value), f"'{condition['signal']}'") << lsb
        if condition.get("mask") is not None:
            mask &= encode(shape, _number(condition["mask"]), f"the mask of '{condition['signal']}'") << lsb
        return Term(number, "value", mask, wanted & mask)

    def _enum(self, signal: Signal) -> dict[str, int] | None:
        register = self._registers.get(plain(signal.path))
        return register.enum if register is not None and register.width == signal.width else None


def _number(value: Any) -> Any:
    """A number that comes as a hexadecimal text, since JSON's readers lose the digits of large ones."""
    if isinstance(value, str) and value.startswith("0x"):
        try:
            return int(value, 16)
        except ValueError:
            return value
    return value


def _whole(wanted: Mapping[str, Any], name: str, otherwise: int, lowest: int, most: int) -> int:
    value = wanted.get(name)
    value = otherwise if value is None else value
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= most:
        raise Refused(f"{name} takes a whole number from {lowest} to {most}, not {shown(value)}.")
    return value


def _timeout(value: Any) -> float:
    value = 10.0 if value is None else value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST_WAIT:
        raise Refused(f"timeout takes seconds, up to {LONGEST_WAIT:g}, not {shown(value)}.")
    return float(value)
