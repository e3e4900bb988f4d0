"""How bright LEDs are: the share of board time that each is on, which for one that blinks fast is what an eye sees."""

from typing import Any

__all__ = ("Brightness",)


class Brightness:
    """Knows when somebody looked last, and so what share of the time since then each LED was on."""

    def __init__(self) -> None:
        self._cycles = 0
        self._lit: list[int] = []

    def shares(self, state: dict[str, Any]) -> dict[str, Any]:
        """The state with ``lit`` as shares of the time since the last look."""
        cycles, lit = state["cycles"], state["lit"]
        before, lit_before = self._cycles, self._lit
        if before > cycles or len(lit_before) != len(lit):
            before, lit_before = 0, [0] * len(lit)
        self._cycles, self._lit = cycles, lit
        passed = cycles - before
        levels = [state["leds"] >> number & 1 for number in range(len(lit))]
        shares = [
            round(min(1.0, max(0.0, (now - then) / passed)), 4) if passed else float(level)
            for now, then, level in zip(lit, lit_before, levels, strict=True)
        ]
        return {**state, "lit": shares}
