"""What a bench gives: LEDs to see, buttons to press, switches to set. For the holder of a board that has one."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from jupyter_fpga.fpga import refusals
from jupyter_fpga.fpga.drivers import Bench
from jupyter_fpga.fpga.floor import Floor
from jupyter_fpga.fpga.sessions import may_use
from jupyter_fpga.people import Person

__all__ = ("act", "state", "watch")

LONGEST_PRESS = 10.0
"""Seconds of board time that a button may be pressed."""

MOST_CYCLES = 1_000_000_000
"""Clock cycles that board time may be let run for at once: half a minute to minutes of a processor."""

LONGEST_TEXT = 65_536
"""Bytes for the console at once."""

_LEVELS = ("buttons", "switches", "pmod")


async def state(floor: Floor, person: Person, fpga_id: int) -> dict[str, Any]:
    """What there is to see: ``leds``, ``buttons``, ``switches``, ``cycles``, ``scale`` …; see the driver's bench."""
    return await _bench(floor, person, fpga_id).state()


async def watch(floor: Floor, person: Person, fpga_id: int, interval: float) -> AsyncIterator[dict[str, Any]]:
    """States, one each ``interval`` seconds; board time runs as long as somebody watches."""
    async for seen in _bench(floor, person, fpga_id).watch(interval):
        may_use(floor, floor.pool[fpga_id], person)
        yield seen


async def act(floor: Floor, person: Person, fpga_id: int, action: Mapping[str, Any]) -> dict[str, Any]:
    """Touch the bench; answers with what there is to see afterwards.

    ``{"buttons": levels, "switches": levels, "pmod": levels}`` (any of them), ``{"press": button, "seconds": s}``,
    ``{"run": cycles}``, ``{"power": on}``, ``{"console": text}``, or ``{"console_read": position}``, whose answer also
    has ``console_text`` and ``console_end``.

    Raises
    ------
    Invalid
        ``bench_rejected``.
    """
    bench = _bench(floor, person, fpga_id)
    extra: dict[str, Any] = {}
    match action:
        case {"press": button, **rest} if rest.keys() <= {"seconds"}:
            seconds = rest.get("seconds", 0.02)
            if not _is_number(seconds) or not 0 < seconds <= LONGEST_PRESS:
                raise _rejected(fpga_id, f"a button is pressed for up to {LONGEST_PRESS:g} seconds, not {seconds!r}.")
            await bench.press(_whole(fpga_id, "press", button, 255), seconds=seconds)
        case {"run": cycles, **rest} if not rest:
            await bench.run(_whole(fpga_id, "run", cycles, MOST_CYCLES))
        case {"power": bool(on), **rest} if not rest:
            await bench.power(on)
        case {"console": str(text), **rest} if not rest and len(text.encode()) <= LONGEST_TEXT:
            await bench.console_write(text.encode())
        case {"console_read": position, **rest} if not rest:
            end, data = await bench.console_read(_whole(fpga_id, "console_read", position, 1 << 62))
            extra = {"console_text": data.decode(errors="replace"), "console_end": end}
        case _ if action and action.keys() <= set(_LEVELS):
            await bench.set(**{name: _whole(fpga_id, name, level, 255) for name, level in action.items()})
        case _:
            raise _rejected(
                fpga_id,
                "an action is one of press (and seconds), run, power, console, console_read, or levels for "
                f"{', '.join(_LEVELS)}.",
            )
    return {**await bench.state(), **extra}


def _bench(floor: Floor, person: Person, fpga_id: int) -> Bench:
    unit = floor.pool[fpga_id]
    may_use(floor, unit, person)
    assert unit.row is not None
    return unit.driver.bench(unit.row["process"])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(fpga_id: int, name: str, value: Any, limit: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= limit:
        raise _rejected(fpga_id, f"{name} takes a whole number from 0 to {limit}, not {value!r}.")
    return value


def _rejected(fpga_id: int, why: str) -> Exception:
    return refusals.bench_rejected(fpga_id, why)
