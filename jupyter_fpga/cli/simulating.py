"""``sim``: a design's testbenches, with a VCD file and an exit code."""

import contextlib
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from traitlets import Bool, List, Unicode

from jupyter_fpga.client import Simulating, Simulation, SimulationFailed
from jupyter_fpga.client.arguments import frequency, parameter, seconds, until
from jupyter_fpga.client.errors import Conflict, LabError, TimedOut
from jupyter_fpga.client.loop import loop

from .base import ALIASES, FLAGS, LAB_ALIASES, LabCommand, flag, merged
from .building import read_option
from .settings import Read
from .waveforms import waveform_path, write_waveform

__all__ = ("SimApp",)

#: Seconds that an interrupted submission is waited for.
LONGEST = 10.0


class SimApp(LabCommand):
    """Run the testbenches of FILE (.py, .zip or a folder) in Amaranth's simulator, without a board.

    A testbench is `async def testbench(ctx)`, with the design as `dut`. The exit code is 1 when one fails; the waveform
    goes to --output, a .vcd or .json (WaveJSON) file, in either case. A lab is started when there is none.
    """

    name = "jupyter-fpga sim"
    description = __doc__
    may_start = True
    positionals = ("FILE",)
    needs = "FILE, a design in Amaranth: a .py or .zip file, or a folder"
    instead = "Put several files into one folder, or into a .zip file."
    aliases = merged(
        {
            **ALIASES,
            **LAB_ALIASES,
            "top": "SimApp.top",
            "clock": "SimApp.clock",
            "param": "SimApp.params",
            "until": "SimApp.until",
            "timeout": "SimApp.timeout",
            ("o", "output"): "SimApp.output",
        }
    )
    flags = merged({**FLAGS, **flag("no-cache", "SimApp.no_cache", "Simulate anew.")})

    top = Unicode(help="Which class or object is the design.").tag(config=True)
    clock = Read(frequency, help="Clock, such as 12MHz, 12e6 or 12_000_000; 12 MHz unless told.").tag(config=True)
    params = List(Unicode(), help="NAME=VALUE for the design; may be repeated.").tag(config=True)
    until = Read(until, help="End at the latest after so many clock cycles, or a time such as 20us.").tag(config=True)
    timeout = Read(seconds, help="Seconds after which to cancel and give up.").tag(config=True)
    no_cache = Bool(False, help="Simulate anew.").tag(config=True)
    output = Unicode(help="File for the waveform, .vcd or .json.").tag(config=True)

    def run(self, words: list[str]) -> None:
        path = waveform_path(self.output)
        simulating = _submitted(
            self.lab().asimulate(
                Path(words[0]),
                top=self.top or None,
                clock=self.clock,
                params=dict(read_option(parameter, text, "--param") for text in self.params),
                until=self.until,
                use_cache=not self.no_cache,
            )
        )
        try:
            self._show(self._wait(simulating), path)
        except SimulationFailed as failed:
            if failed.simulation is not None:
                self._show(failed.simulation, path)
            elif not self.json:
                sys.stdout.write(failed.output)
            if "line" in failed.detail:
                # As compilers do, so that editors find it.
                sys.stderr.write(f"{failed.detail['file']}:{failed.detail['line']}: {failed.detail.get('text', '')}\n")
            raise

    def _wait(self, simulating: Simulating) -> Simulation:
        """Wait; an interrupt cancels the simulation, and so does the end of the time."""
        try:
            return simulating.wait(self.timeout)
        except TimedOut:
            _cancel(simulating)
            raise TimedOut(f"The simulation took longer than --timeout {self.timeout:g} s and was cancelled.") from None
        except KeyboardInterrupt:
            _cancel(simulating)
            raise

    def _show(self, simulation: Simulation, path: Path | None) -> None:
        if path is not None:
            write_waveform(simulation.waveform, path)
        if not self.json:
            sys.stdout.write(simulation.output)
        waveform = simulation.waveform
        facts = {
            "top": simulation.top,
            "clock_hz": simulation.clock_hz,
            "cycles": simulation.cycles,
            "testbenches": list(simulation.testbenches),
            "ended": simulation.ended,
            "output": simulation.output,
        }
        more = {"waveform": waveform.to_json()} if path is None else {"file": str(path)}
        self.show({**facts, **more}, repr(waveform) if path is None else f"{path}: {waveform.title}")


def _submitted(submitting: Coroutine[Any, Any, Simulating]) -> Simulating:
    """What the lab takes; an interrupt in just that moment cancels it."""
    future = loop.submit(submitting)
    try:
        return future.result()
    except KeyboardInterrupt:
        # The lab takes a design in some milliseconds; one that is refused needn't be cancelled.
        with contextlib.suppress(LabError, TimeoutError):
            _cancel(future.result(LONGEST))
        raise


def _cancel(simulating: Simulating) -> None:
    try:
        simulating.cancel()
    except Conflict:
        # It has ended by itself meanwhile.
        return
