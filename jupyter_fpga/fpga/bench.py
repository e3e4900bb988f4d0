"""What a bench gives: LEDs to see, buttons to press, switches to set. For the holder of a board that has one."""

import asyncio
import codecs
import contextlib
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any

from jupyter_fpga.fpga import refusals
from jupyter_fpga.fpga.brightness import Brightness
from jupyter_fpga.fpga.drivers import Bench
from jupyter_fpga.fpga.floor import Floor
from jupyter_fpga.fpga.pool import Unit
from jupyter_fpga.fpga.sessions import may_use
from jupyter_fpga.people import Person

__all__ = ("Watch", "act", "state")

LONGEST_PRESS = 10.0
"""Seconds of board time that a button may be pressed."""

MOST_CYCLES = 1_000_000_000
"""Clock cycles that board time may be let run for at once: half a minute to minutes of a processor."""

LONGEST_TEXT = 65_536
"""Bytes for the console at once."""

LEVELS = {"buttons": 15, "switches": 255, "pmod": 255}
"""Inputs that can be held at levels, and the most that each takes."""

ACTIONS: Mapping[str, Collection[str]] = {
    "press": ("buttons", "seconds"),
    "set": tuple(LEVELS),
    "run": ("cycles",),
    "power": ("on",),
    "console": ("text",),
    "console_read": ("position",),
}
"""What can be done, and the values that go with it."""


async def state(floor: Floor, person: Person, fpga_id: int) -> dict[str, Any]:
    """What there is to see: ``leds``, ``buttons``, ``switches``, ``cycles``, ``scale`` …; see the driver's bench.

    ``lit`` is the share of board time, 0 to 1, that each LED was on since the last look at this board.
    """
    unit, bench = _bench(floor, person, fpga_id)
    return unit.brightness.shares(await bench.state())


class Watch:
    """A bench that somebody watches, and touches meanwhile. Board time runs as long as :meth:`states` does.

    Parameters
    ----------
    interval
        Seconds between two states.
    console
        From which byte on the console's text is wanted: states then have ``console_text``, what came since the one
        before.
    """

    def __init__(self, floor: Floor, person: Person, fpga_id: int, interval: float, console: int | None = None) -> None:
        self._floor, self._person, self._fpga_id = floor, person, fpga_id
        self._interval = interval
        self._console = console
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    async def states(self) -> AsyncIterator[dict[str, Any]]:
        """States as of :func:`state`, with ``lit`` since the one before.

        They end when the board gets another design: then watch anew.

        Raises
        ------
        Conflict
            ``fpga_not_reserved``, ``session_ended``: at the begin, or later.
        """
        unit, bench = _bench(self._floor, self._person, self._fpga_id)
        brightness = Brightness()
        states: Any = bench.watch(self._interval)
        async with contextlib.aclosing(states):
            async for state in states:
                may_use(self._floor, unit, self._person)
                seen = brightness.shares(state)
                if self._console is not None:
                    seen["console_text"] = await self._text(bench, state["console"])
                yield seen

    async def act(self, action: Mapping[str, Any]) -> None:
        """Touch the bench: see :func:`act`."""
        await act(self._floor, self._person, self._fpga_id, action)

    async def _text(self, bench: Bench, end: int) -> str:
        assert self._console is not None
        if end <= self._console:
            return ""
        self._console, data = await bench.console_read(self._console)
        return self._decoder.decode(data)


async def act(floor: Floor, person: Person, fpga_id: int, action: Mapping[str, Any]) -> dict[str, Any]:
    """Touch the bench; answers with what there is to see afterwards.

    ``{"action": "press", "buttons": mask, "seconds": 0.02}``, ``{"action": "set", "buttons": …, "switches": …,
    "pmod": …}`` (any of them), ``{"action": "run", "cycles": n}``, ``{"action": "power", "on": true}``,
    ``{"action": "console", "text": …}``, or ``{"action": "console_read", "position": n}``, whose answer also has
    ``console_text`` and ``console_end``.

    Raises
    ------
    Invalid
        ``bench_rejected``.
    """
    unit, bench = _bench(floor, person, fpga_id)
    # A value that is null is one that wasn't given.
    values = {name: value for name, value in action.items() if value is not None}
    kind = values.pop("action", None)
    if not isinstance(kind, str) or kind not in ACTIONS:
        raise refusals.bench_rejected(fpga_id, f"the action is {kind!r}; it is one of {', '.join(ACTIONS)}.")
    for name in values:
        if name not in ACTIONS[kind]:
            raise refusals.bench_rejected(fpga_id, f"'{kind}' takes {', '.join(ACTIONS[kind])}, not '{name}'.")
    extra = await _Hand(fpga_id, bench, values).do(kind)
    return {**unit.brightness.shares(await bench.state()), **extra}


class _Hand:
    """Does one action, whose values it checks first."""

    def __init__(self, fpga_id: int, bench: Bench, values: Mapping[str, Any]) -> None:
        self._fpga_id = fpga_id
        self._bench = bench
        self._values = values

    async def do(self, kind: str) -> dict[str, Any]:
        match kind:
            case "press":
                await self._press()
            case "set":
                await self._bench.set(**{name: self._whole(name, LEVELS[name]) for name in self._values})
            case "run":
                await self._bench.run(self._whole("cycles", MOST_CYCLES, lowest=1))
            case "power":
                on = self._given("on")
                if not isinstance(on, bool):
                    raise self._rejected(f"on takes true or false, not {on!r}.")
                await self._bench.power(on)
            case "console":
                text = self._given("text")
                if not isinstance(text, str) or len(text.encode(errors="replace")) > LONGEST_TEXT:
                    raise self._rejected(f"text takes a text of up to {LONGEST_TEXT:,} bytes.")
                await self._bench.console_write(text.encode(errors="replace"))
            case _:
                end, data = await self._bench.console_read(self._whole("position", 1 << 62))
                return {"console_text": data.decode(errors="replace"), "console_end": end}
        return {}

    async def _press(self) -> None:
        mask = self._whole("buttons", LEVELS["buttons"])
        seconds = self._values.get("seconds", 0.02)
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST_PRESS:
            raise self._rejected(f"seconds takes a number up to {LONGEST_PRESS:g}, not {seconds!r}.")
        buttons = [number for number in range(mask.bit_length()) if mask >> number & 1]
        await asyncio.gather(*(self._bench.press(number, seconds=seconds) for number in buttons))

    def _given(self, name: str) -> Any:
        if name not in self._values:
            raise self._rejected(f"{name} is missing; give it a value.")
        return self._values[name]

    def _whole(self, name: str, limit: int, *, lowest: int = 0) -> int:
        value = self._given(name)
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= limit:
            raise self._rejected(f"{name} takes a whole number from {lowest} to {limit}, not {value!r}.")
        return value

    def _rejected(self, why: str) -> Exception:
        return refusals.bench_rejected(self._fpga_id, why)


def _bench(floor: Floor, person: Person, fpga_id: int) -> tuple[Unit, Bench]:
    unit = floor.pool[fpga_id]
    may_use(floor, unit, person)
    assert unit.row is not None
    return unit, unit.driver.bench(unit.row["process"])
