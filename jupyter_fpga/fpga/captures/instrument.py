"""What captures signals of a board: the simulator itself, or an analyzer that was built into the design."""

from collections.abc import Callable, Sequence
from typing import Protocol

from jupyter_fpga.fpga.drivers import Bench, Captured, CapturePlan, Signal

__all__ = ("Instrument", "SimulatorTrace")


class Instrument(Protocol):
    """A way to capture. Its signals are told by number: see :class:`~jupyter_fpga.fpga.drivers.base.CapturePlan`."""

    depth: int
    """Samples unless told."""
    most: int
    """The most samples."""

    async def signals(self) -> Sequence[Signal]:
        """What can be captured."""
        ...

    def unknown(self, name: str) -> str:
        """A sentence for a signal that isn't there; empty when there is nothing to add to the nearest names."""
        ...

    def check(self, plan: CapturePlan) -> None:
        """See that it can do that; raises :class:`~jupyter_fpga.fpga.shapes.Refused`."""
        ...

    async def capture(self, plan: CapturePlan, on_begun: Callable[[], None]) -> Captured:
        """Capture until the last sample, or :meth:`stop`."""
        ...

    async def stop(self) -> None:
        """End the capture with what there is."""
        ...


class SimulatorTrace:
    """Any signal of a simulated board, from the simulation itself.

    Parameters
    ----------
    bench
        The board's.
    """

    depth = 256
    most = 1 << 20

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def signals(self) -> Sequence[Signal]:
        return await self._bench.signals()

    def unknown(self, name: str) -> str:
        return ""

    def check(self, plan: CapturePlan) -> None:
        """It can do whatever a plan says; what doesn't fit, the board refuses."""

    async def capture(self, plan: CapturePlan, on_begun: Callable[[], None]) -> Captured:
        return await self._bench.capture(plan, on_begun=on_begun)

    async def stop(self) -> None:
        await self._bench.capture_stop()
