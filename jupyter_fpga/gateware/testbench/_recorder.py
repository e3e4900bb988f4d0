"""Records a simulation: each signal once, under the name that Amaranth's own VCD files have for it."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from amaranth.hdl import Signal, Value
from amaranth.hdl._ast import Operator, Slice
from amaranth.lib import wiring

from jupyter_fpga.gateware.errors import DesignError

__all__ = ("MOST_CHANGES", "Recorder", "ports_of")

#: Changes of values that are recorded, of up to 64 bits each: as many as a viewer draws smoothly.
MOST_CHANGES = 1_000_000
_BITS = 64

#: States of an FSM that are named in its signal.
_MOST_NAMED = 1 << 10


@dataclass
class _Lane:
    """A signal, where the simulator keeps it, and what it was when."""

    name: str
    signal: Any
    slot: Any
    weight: int
    times: list[int] = field(default_factory=list)
    values: list[int] = field(default_factory=list)


class Recorder:
    """What the simulator tells of changes: one of its VCD writers, as far as it can see.

    Parameters
    ----------
    design
        The prepared design.
    state
        The simulator's state.
    hidden
        Signals that aren't recorded.
    first
        Signals that come first, in this order.
    """

    #: Changes at one moment belong to it, however many steps the simulator takes.
    fs_per_delta = 0

    def __init__(self, design: Any, state: Any, hidden: Collection[Any], first: Collection[Any]) -> None:
        self._left = MOST_CHANGES
        self._latest = 0
        hidden_ids = {id(signal) for signal in hidden}
        # Amaranth names no port that the design makes no use of; a testbench may.
        unused = {id(port): (f"top.{port.name}", port) for port in first}
        names = {key: name for key, name in {**unused, **_names(design)}.items() if key not in hidden_ids}
        order = {id(signal): place for place, signal in enumerate(first)}
        self._lanes: dict[int, _Lane] = {}
        for key, (name, signal) in sorted(names.items(), key=lambda one: order.get(one[0], len(order))):
            slot = state.slots[state.get_signal(signal)]
            self._lanes[key] = _Lane(name, signal, slot, -(-len(signal) // _BITS), [0], [slot.curr])

    def update_signal(self, timestamp: int, signal: Any) -> None:
        """A signal may have changed, at a moment in femtoseconds.

        Raises
        ------
        DesignError
            ``simulation_too_large``.
        """
        lane = self._lanes.get(id(signal))
        if lane is None or lane.values[-1] == lane.slot.curr:
            return
        if lane.times[-1] == timestamp:
            lane.values[-1] = lane.slot.curr
            return
        # What happens at one moment is recorded whole.
        if self._left <= 0 and timestamp > self._latest:
            raise DesignError(
                f"The waveform has more than the {MOST_CHANGES:,} changes (of {_BITS} bits) that are recorded; "
                "simulate less with --until, or a smaller part of the design with --top.",
                code="simulation_too_large",
            )
        self._latest = timestamp
        self._left -= lane.weight
        lane.times.append(timestamp)
        lane.values.append(lane.slot.curr)

    def update_memory(self, timestamp: int, memory: Any, address: int) -> None:
        """A memory's row has changed: not recorded."""

    @property
    def moments(self) -> set[int]:
        """The times at which something changed, fs."""
        return {time for lane in self._lanes.values() for time in lane.times}

    def signals(self, tick_of: Callable[[int], int], quiet: Collection[Any]) -> list[dict[str, Any]]:
        """The signals as a waveform has them.

        Parameters
        ----------
        tick_of
            Femtoseconds → ticks.
        quiet
            Signals that are left out if they never changed.
        """
        quiet_ids = {id(signal) for signal in quiet}
        return [
            _described(lane, tick_of)
            for key, lane in self._lanes.items()
            if key not in quiet_ids or len(lane.times) > 1
        ]


def ports_of(component: Any) -> list[Any]:
    """A component's port signals, in the order of their declaration."""
    signature = getattr(component, "signature", None)
    if not isinstance(signature, wiring.Signature):
        return []
    values = [Value.cast(value) for _, _, value in signature.flatten(component)]
    return [value for value in values if isinstance(value, Signal)]


def _names(design: Any) -> dict[int, tuple[str, Any]]:
    """Each signal's best name: in the component whose port it is, else where its name is its own, and highest up."""
    best: dict[int, tuple[tuple[bool, bool, int], str, Any]] = {}
    for fragment, info in design.fragments.items():
        owned = {id(port) for origin in fragment.origins or () for port in ports_of(origin)}
        for signal, name in info.signal_names.items():
            if name.startswith("$"):
                continue
            rank = (id(signal) not in owned, "$" in name, len(info.name))
            if id(signal) not in best or rank < best[id(signal)][0]:
                best[id(signal)] = (rank, ".".join((*info.name, name)), signal)
    taken = {name for _, name, _ in best.values()}
    # A number that was needed beside names that aren't shown isn't shown either.
    plain = {name: name if name.partition("$")[0] in taken else name.partition("$")[0] for name in taken}
    return {key: (plain[name], signal) for key, (_, name, signal) in best.items()}


def _described(lane: _Lane, tick_of: Callable[[int], int]) -> dict[str, Any]:
    width = len(lane.signal)
    mask = (1 << width) - 1
    latest = {tick_of(time): value & mask for time, value in zip(lane.times, lane.values, strict=True)}
    times: list[int] = []
    values: list[int] = []
    for time, value in latest.items():
        if not values or values[-1] != value:
            times.append(time)
            values.append(value)
    told: dict[str, Any] = {"name": lane.name, "width": width, "times": times, "values": [f"{v:x}" for v in values]}
    names, fields = _shape(lane.signal)
    if names:
        told["enum"] = names
    if fields:
        told["fields"] = fields
    return told


def _shape(signal: Any) -> tuple[dict[str, int] | None, list[dict[str, Any]]]:
    """The names of a signal's values, and its fields."""
    decoder = signal._decoder
    if decoder is not None:
        return _decoded(decoder, len(signal)), []
    names = _variants(signal._format)
    if names is not None:
        return names, []
    return None, list(_fields(signal._format, ""))


def _decoded(decoder: Any, width: int) -> dict[str, int] | None:
    """Of an FSM: Amaranth knows its states by a function that gives ``NAME/number``."""
    if isinstance(decoder, type):
        return {member.name: int(member.value) for member in decoder}  # type: ignore[attr-defined]
    names: dict[str, int] = {}
    for number in range(min(1 << width, _MOST_NAMED)):
        try:
            text = str(decoder(number))
        except Exception:  # a person's function may fail on values that it never gets
            continue
        names.setdefault(text.removesuffix(f"/{number}"), number)
    return names or None


def _variants(format: Any) -> dict[str, int] | None:
    variants = getattr(format, "_variants", None)
    return None if variants is None else {name: number for number, name in variants.items()}


def _fields(format: Any, prefix: str) -> Iterator[dict[str, Any]]:
    """The leaves of a struct or array, with the places of their bits."""
    inner = getattr(format, "_fields", None)
    if inner is None:
        return
    items = inner.items() if isinstance(inner, dict) else enumerate(inner)
    for key, part in items:
        name = f"{prefix}.{key}" if prefix and isinstance(key, str) else f"{prefix}[{key}]" if prefix else str(key)
        if hasattr(part, "_fields"):
            yield from _fields(part, name)
            continue
        value = _value(part)
        if value is not None and len(value):
            yield {"name": name, "lsb": _lsb(value), "width": len(value), "enum": _variants(part)}


def _value(format: Any) -> Any:
    """What a format is of; None where it is of several values, or of none."""
    if hasattr(format, "_value"):
        return format._value
    values = [chunk[0] for chunk in format._chunks if not isinstance(chunk, str)]
    return Value.cast(values[0]) if len(values) == 1 else None


def _lsb(value: Any) -> int:
    """Where a part of a signal begins."""
    if isinstance(value, Slice):
        return int(value.start) + _lsb(value.value)
    if isinstance(value, Operator):  # as_signed, as_unsigned
        return _lsb(value.operands[0])
    return 0
