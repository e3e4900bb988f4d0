"""Runs a design with its testbenches, up to an end that is sure to come."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from amaranth.hdl import ClockDomain, ClockSignal
from amaranth.sim import Simulator

from jupyter_fpga.gateware.elaborate._blame import person_errors
from jupyter_fpga.gateware.elaborate._checks import driven_signals, fragment_of, fragments, instances
from jupyter_fpga.gateware.elaborate._source import Source
from jupyter_fpga.gateware.errors import DesignError

from ._functions import Functions
from ._recorder import Recorder, ports_of

__all__ = ("MOST_CYCLES", "UNTESTED_CYCLES", "Clock", "Simulation", "Until")

#: Clock cycles in which testbenches have to end unless the person says until when.
MOST_CYCLES = 100_000
#: Clock cycles of a design without a testbench.
UNTESTED_CYCLES = 100

_FEMTOSECONDS = 10**15

Ended = Literal["complete", "limit", "failed"]


@dataclass(frozen=True)
class Until:
    """When a simulation ends at the latest: after so many clock cycles, or so many seconds."""

    cycles: int | None = None
    seconds: float | None = None


class Clock:
    """A clock as Amaranth's simulator makes it: low at first, and high after the first half of a period.

    Parameters
    ----------
    hz
        Its frequency.
    """

    def __init__(self, hz: int) -> None:
        self.hz = hz
        # Rounded as the simulator does it.
        self.period = 2 * (int(1 / hz * 1e15) // 2)
        self.phase = int(1 / hz / 2 * 1e15)

    def cycles(self, time: int) -> int:
        """Rising edges up to and at a moment, fs."""
        return 0 if time < self.phase else (time - self.phase) // self.period + 1

    def edge(self, cycles: int) -> int:
        """The moment of that rising edge, fs; the beginning for 0."""
        return self.phase + (cycles - 1) * self.period if cycles else 0

    def has_edge(self, time: int) -> bool:
        """Whether something happens at a rising edge, or at the beginning."""
        return time == 0 or (time >= self.phase and (time - self.phase) % self.period == 0)


class Simulation:
    """A simulation, before and after it has run.

    Parameters
    ----------
    dut
        The design.
    functions
        Its testbenches and processes.
    clock
        Of every clock domain that the design doesn't clock itself.
    source
        The person's text.
    """

    def __init__(
        self,
        dut: Any,
        functions: Functions,
        clock: Clock,
        source: Source,
    ) -> None:
        self.clock = clock
        self.now = 0
        self.ended: Ended = "complete"
        self.over = False
        self._functions = functions
        self._source = source
        with person_errors(source):
            fragment = fragment_of(dut)
            _refuse_instances(fragment)
            driven = driven_signals(fragment)
            if "sync" not in fragment.domains:
                # So that a testbench of a design without registers may count cycles, too.
                fragment.add_domains(ClockDomain("sync"))
            self._simulator = Simulator(fragment)
        parts = list(fragments(self._simulator._design.fragment))
        # One domain is known to all parts that use it.
        domains = list({id(domain): domain for part in parts for domain in part.domains.values()}.values())
        clocked = [domain for domain in domains if domain.clk not in driven and ClockSignal(domain.name) not in driven]
        for domain in clocked:
            self._simulator.add_clock(1 / clock.hz, domain=domain)
        self._resets = [domain.rst for domain in domains if domain.rst is not None]
        self._recorder = Recorder(
            self._simulator._design, self._engine.state, [domain.clk for domain in clocked], ports_of(dut)
        )

    @property
    def _engine(self) -> Any:
        return self._simulator._engine

    @property
    def cycles(self) -> int:
        """Clock cycles that have passed."""
        return self.clock.cycles(self.now)

    def run(self, until: Until, seconds: float) -> None:
        """Run until the testbenches have ended, or for as long as asked for.

        Parameters
        ----------
        seconds
            On the clock on the wall, after which to give up.

        Raises
        ------
        DesignError
            ``testbench_failed``, ``simulation_too_long``, ``simulation_too_large``; what was recorded is kept.
        """
        for name, process in self._functions.processes.items():
            self._simulator.add_process(_explaining(self, name, process))
        for name, testbench in self._functions.testbenches.items():
            self._simulator.add_testbench(_explaining(self, name, testbench))
        self._engine._vcd_writers.append(self._recorder)
        self.ended = "failed"
        try:
            self.ended = self._run(until, seconds)
        finally:
            self.over = True

    def _run(self, until: Until, seconds: float) -> Ended:
        engine, has_testbench = self._engine, bool(self._functions.testbenches)
        deadline = self._deadline(until)
        most = self.clock.edge(MOST_CYCLES) if deadline is None else None
        if deadline is None and not has_testbench:
            deadline = self.clock.edge(UNTESTED_CYCLES)
        give_up = time.monotonic() + seconds
        try:
            while True:
                if deadline is not None and engine.now > deadline:
                    return "limit" if has_testbench else "complete"
                if most is not None and engine.now > most:
                    raise _too_long(f"{MOST_CYCLES:,} clock cycles", self._functions)
                if time.monotonic() > give_up:
                    raise _too_long(f"{seconds:g} s, in which {self.cycles:,} clock cycles passed", self._functions)
                self.now = engine.now
                goes_on = self._simulator.advance()
                if has_testbench and not goes_on:
                    return "complete"
        except BaseException as error:
            self.fail(None, error)

    def fail(self, testbench: str | None, error: BaseException) -> NoReturn:
        """Say what an exception means that was raised while the simulation ran: in a testbench, or the design itself.

        Raises
        ------
        DesignError
            ``testbench_failed``, or what the exception is already.
        """
        try:
            with person_errors(self._source):
                raise error
        except DesignError as found:
            if found is error or found.code != "elaboration_failed":
                raise
            raise DesignError(
                _failed(testbench, error, str(found), self.clock.cycles(self._engine.now)),
                code="testbench_failed",
                file=found.file,
                line=found.line,
                text=found.text,
                frames=found.frames,
            ) from error

    def _deadline(self, until: Until) -> int | None:
        if until.cycles is not None:
            return self.clock.edge(until.cycles)
        return None if until.seconds is None else round(until.seconds * _FEMTOSECONDS)

    def waveform(self) -> dict[str, Any]:
        """What was recorded, as :meth:`jupyter_fpga.waveform.Waveform.from_json` reads it.

        Ticks are clock cycles where all that happens, happens at a rising edge; else picoseconds.
        """
        if all(self.clock.has_edge(time) for time in self._recorder.moments):
            unit, tick, tick_of = "cycle", [1, self.clock.hz], self.clock.cycles
        else:
            unit, tick, tick_of = "ps", [1, 10**12], _picoseconds
        return {
            "tick_seconds": tick,
            "unit": unit,
            "end": tick_of(self.now) + 1,
            "every": 1,
            "trigger": None,
            "first": None,
            "ended": self.ended,
            "signals": self._recorder.signals(tick_of, self._resets),
        }


def _picoseconds(time: int) -> int:
    return time // 1000


def _failed(testbench: str | None, error: BaseException, words: str, cycle: int) -> str:
    when = f"in cycle {cycle:,}"
    if isinstance(error, SystemExit):
        return f"{testbench or 'The design'} calls exit({error.code!r}) {when}; remove that."
    if not isinstance(error, AssertionError):
        return f"{testbench or 'The design'} fails {when}: {words}"
    what = words.removesuffix(".")
    # The second is how Amaranth's own assertions begin.
    for beginning in ("AssertionError", ": Assertion violated", ": "):
        what = what.removeprefix(beginning)
    return f"An assertion of {testbench or 'the design'} fails {when}{f': {what}' if what else ''}."


def _explaining(simulation: Simulation, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose exceptions tell where and when."""

    async def explaining(ctx: Any) -> None:
        try:
            await function(ctx)
        except BaseException as error:
            # A testbench that hasn't ended is closed, which is no failure, and nor is how Amaranth bears that.
            if not simulation.over:
                simulation.fail(name, error)

    return explaining


def _too_long(what: str, functions: Functions) -> DesignError:
    names = " and ".join(functions.testbenches)
    who = f"{names} {'has' if len(functions.testbenches) == 1 else 'have'} not ended" if names else "It has not ended"
    return DesignError(
        f"{who} after {what}; look for a loop without an end, or say with --until how much is to be simulated.",
        code="simulation_too_long",
    )


def _refuse_instances(fragment: Any) -> None:
    if found := instances(fragment):
        raise DesignError(
            f"The design has an instance of {found[0].type}, which isn't written in Amaranth, and Amaranth's simulator "
            "runs nothing else; run it on a simulated board instead.",
            code="not_simulatable",
        )
