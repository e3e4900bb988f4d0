"""How often somebody may do something."""

from jupyter_fpga.clock import Clock

__all__ = ("RateLimit",)


class RateLimit:
    """So many frames a second for one owner, and a burst after a quiet time.

    Parameters
    ----------
    clock
        Whose ``monotonic`` and ``sleep`` count.
    per_second
        Frames a second, sustained.
    burst
        Frames that may come at once.
    """

    def __init__(self, clock: Clock, per_second: float, burst: int) -> None:
        self._clock = clock
        self._per_second = per_second
        self._burst = burst
        self._left = float(burst)
        self._at = clock.monotonic()

    async def take(self, frames: int = 1) -> None:
        """Take the allowance of so many frames, waiting for it when there isn't that much."""
        now = self._clock.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second) - frames
        self._at = now
        if self._left < 0:
            await self._clock.sleep(-self._left / self._per_second)
