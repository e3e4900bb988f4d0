"""``jupyter fpga demo``: the main job, end to end."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from jupyter_fpga.client import BoardHandle, LabClient, find_lab, start_lab
from jupyter_fpga.client.loop import loop

from .base import LabCommand
from .stages import show_stages

__all__ = ("DESIGN", "DemoApp")

#: An LED that blinks, at a pace that is set over the bus, and counts how often it has.
DESIGN = """\
from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Top(wiring.Component):
    half_period: In(24, init=0xFFFFFF)  # clock cycles between two changes of the LED
    led: Out(1)
    changes: Out(16)  # how often the LED has changed

    def elaborate(self, platform):
        m = Module()
        timer = Signal(24)
        with m.If(timer >= self.half_period):
            m.d.sync += [timer.eq(0), self.led.eq(~self.led), self.changes.eq(self.changes + 1)]
        with m.Else():
            m.d.sync += timer.eq(timer + 1)
        return m
"""

#: Clock cycles between two changes: a tenth of a second at 12 MHz, which an eye can follow.
HALF_PERIOD = 1_200_000
#: LED changes to show.
CHANGES = 6


class DemoApp(LabCommand):
    """Build a design, program it onto a simulated board, use its registers, and watch its LED blink.

    Uses your lab when one runs; otherwise one is started, and stopped at the end. The first time, Yosys' WebAssembly
    and the base of the simulated boards are compiled, which takes some minutes.
    """

    name = "jupyter-fpga demo"
    description = __doc__

    def run(self, words: list[str]) -> None:
        begun = time.monotonic()
        with self._some_lab() as lab:
            print(
                "A design whose LED blinks at a pace set over the bus: build it and program it onto a simulated board."
            )
            job = lab.submit(DESIGN, filename="design.py", target="simulated")
            show_stages(job, sys.stdout)
            board = job.board()
            try:
                _use(board, time.monotonic() - begun)
            finally:
                board.release().wait()
            print("The board is given back, and reset. Next: `jupyter lab`, and notebooks/01_first_light.ipynb")

    @contextmanager
    def _some_lab(self) -> Iterator[LabClient]:
        found = find_lab(self.url or None, self.token or None)
        if found is not None:
            print(f"Using the lab at {found.url}.")
            yield found
            return
        print("No lab runs here: starting one for this demo. The first time, its tools are compiled: some minutes.")
        started = start_lab()
        lab = LabClient(started.url, started.token)
        try:
            yield lab
        finally:
            lab.close()
            if started.process.poll() is None:
                started.process.terminate()
                started.process.wait()


def _use(board: BoardHandle, seconds: float) -> None:
    regs = board.regs
    changes = regs.changes.value
    print(f"Board {board.fpga_id} runs it, {seconds:.1f} s after the start. Its bus answers: changes = {changes}.")
    regs.half_period = HALF_PERIOD
    print(f"Write half_period = {HALF_PERIOD}, read it back: {regs.half_period.value}. The LED, as the bench sees it:")
    loop.call(_blink, board)
    print(f"Read changes = {regs.changes.value}.")


async def _blink(board: BoardHandle) -> None:
    """Show the LED each time that it has changed."""
    seen = await board.regs.changes.aread()
    for _ in range(CHANGES):
        before = seen
        seen = await board.await_for("changes", lambda value, before=before: value != before, timeout=60)
        led = await board.leds.aread() & 1
        sys.stdout.write("  ●" if led else "  ○")
        sys.stdout.flush()
    sys.stdout.write("\n")
