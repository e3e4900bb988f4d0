"""Testbenches: run by the lab, and what came of them."""

import json
from collections.abc import AsyncIterator, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from jupyter_fpga.waveform import Waveform

from .compute.actions import Action
from .compute.lab import ComputeClient
from .errors import JobFailed
from .loop import Following, blocking, loop, on_the_loop
from .sources import load_files

__all__ = ("Simulating", "Simulation", "SimulationFailed", "SimulationOptions", "simulate")

FUNCTION = "simulate"
#: Where in the person's text an error is.
_PLACE = ("file", "line", "column", "text")
_FOUND, _ERROR = "simulation.json", "error.json"
#: Bytes of what is believed to say why a simulation failed.
_MOST_ERROR_BYTES = 1 << 20

#: Where an action is, in the words of jobs.
_STATUS = {
    "pending": "queued",
    "submitting": "running",
    "running": "running",
    "completed": "complete",
    "cancelled": "cancelled",
}


class SimulationOptions(TypedDict, total=False):
    """What may be said about a simulation: see :meth:`.LabClient.asimulate`."""

    filename: str | None
    target: str | None
    top: str | None
    clock: float | None
    params: Mapping[str, Any] | None
    until: float | None
    use_cache: bool


@dataclass(frozen=True)
class Simulation:
    """A simulation that has ended.

    Parameters
    ----------
    top
        Name of the design.
    clock_hz
        Frequency of its clock, Hz.
    cycles
        Clock cycles that have passed.
    testbenches
        Names of the testbenches.
    ended
        ``complete``; ``limit``: the time that was asked for had passed first; ``failed``.
    waveform
        The signals over time.
    output
        What the testbenches printed; the last lines when it was much.
    """

    top: str
    clock_hz: int
    cycles: int
    testbenches: tuple[str, ...]
    ended: str
    waveform: Waveform
    output: str

    @classmethod
    def read(cls, content: bytes, output: str) -> "Simulation":
        """Of what the simulator wrote.

        Raises
        ------
        JobFailed
            ``bad_output``: it can't be read; the design's own program may have written it.
        """
        try:
            told = json.loads(content)
            return cls(
                str(told["top"]),
                int(told["clock_hz"]),
                int(told["cycles"]),
                tuple(str(name) for name in told["testbenches"]),
                str(told["ended"]),
                Waveform.from_json(told["waveform"]),
                output,
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ArithmeticError):
            raise JobFailed(
                "What the simulation left can't be read. Nothing but the lab itself may write simulation.json; look "
                "for something in the design that does.",
                code="bad_output",
            ) from None

    def __repr__(self) -> str:
        names = ", ".join(self.testbenches) or "no testbench"
        return f"<Simulation of {self.top}: {names}, {self.cycles:,} cycles, {self.ended}>"


class SimulationFailed(JobFailed):
    """A testbench, or what came before it, has failed.

    Parameters
    ----------
    output
        What was printed until then.
    simulation
        What was simulated until then; None: nothing was.
    """

    default_code = "simulation_failed"

    def __init__(self, message: str, *, code: str, detail: dict[str, Any], output: str, simulation: Simulation | None):
        super().__init__(message, code=code, detail=detail)
        self.output = output
        self.simulation = simulation


class Simulating:
    """A simulation that the lab runs: :meth:`wait` for it.

    Parameters
    ----------
    action
        The action of the compute floor.
    """

    def __init__(self, action: Action) -> None:
        self.action = action

    async def _changes(self) -> AsyncIterator[dict[str, Any]]:
        async for record in self.action._changes():
            yield {"status": _STATUS.get(record["state"], "failed"), "stage": FUNCTION}

    def changes(self) -> Following[dict[str, Any]]:
        """``{"status", "stage"}`` now, and again whenever it changes, until the simulation has ended."""
        return Following(self._changes())

    achanges = changes

    async def _log(self, after: int) -> AsyncIterator[str]:
        """Nothing: what is printed comes with the result."""
        return
        yield ""

    @on_the_loop
    async def await_(self, timeout: float | None = None) -> Simulation:
        """Wait until the simulation has ended; ``await simulating`` does the same.

        Parameters
        ----------
        timeout
            Seconds after which to stop waiting; the simulation goes on.

        Raises
        ------
        SimulationFailed
            With the reason, the place in the person's text, and what was simulated until then.
        JobFailed, JobCancelled
            It couldn't be run, or somebody cancelled it.
        TimedOut
            The time ran out.
        """
        await self.action.await_(timeout)
        outputs = self.action.outputs
        simulation = None
        if _FOUND in outputs:
            simulation = Simulation.read(await outputs.aread(_FOUND), self.action.log)
        if self.action.ok and simulation is not None:
            return simulation
        told = await self._told()
        raise SimulationFailed(
            told.pop("message"),
            code=told.pop("code"),
            detail={"stage": FUNCTION, **told},
            output=self.action.log,
            simulation=simulation,
        )

    async def _told(self) -> dict[str, Any]:
        """Why it failed, and where."""
        outputs, result = self.action.outputs, self.action.record["result"]
        error = result.get("error")
        if error is not None:
            return {
                "code": error["error"],
                "message": f"{error['message']} Look for a loop without an end in the testbench or the design, or "
                "simulate less with --until.",
            }
        if _ERROR in outputs and outputs[_ERROR]["size"] <= _MOST_ERROR_BYTES:
            told = _object(await outputs.aread(_ERROR))
            if isinstance(told.get("code"), str) and isinstance(told.get("message"), str):
                return {name: told[name] for name in ("code", "message", *_PLACE) if told.get(name) is not None}
        words = [line for line in self.action.log.splitlines() if line.strip()]
        last = f" Its last words: {words[-1]}" if words else ""
        return {
            "code": "tool_failed",
            "message": f"The simulator ended with exit code {result['exit_code']}; look for something in the design "
            f"that ends Python by force, such as os._exit.{last}",
        }

    def __await__(self) -> Generator[Any, Any, Simulation]:
        return self.await_().__await__()

    @on_the_loop
    async def acancel(self) -> None:
        """End the simulation.

        Raises
        ------
        Conflict
            ``job_not_cancellable``: it has ended.
        """
        await self.action.acancel()

    cancel = blocking(acancel)

    def wait(self, timeout: float | None = None) -> Simulation:
        """Wait until the simulation has ended: see :meth:`await_`. An interrupt ends the waiting only."""
        return loop.call(self.await_, timeout)

    def __repr__(self) -> str:
        return f"<Simulating: {self.action.state}>"


def _object(content: bytes) -> dict[str, Any]:
    """A JSON object; empty where it is none, for a stranger's program may have written it."""
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


async def simulate(
    compute: ComputeClient,
    source: str | bytes | Path,
    *,
    filename: str | None = None,
    target: str | None = None,
    top: str | None = None,
    clock: float | None = None,
    params: Mapping[str, Any] | None = None,
    until: float | None = None,
    use_cache: bool = True,
) -> Simulating:
    """Have a design simulated: see :meth:`.LabClient.asimulate`."""
    files, entry = load_files(source, filename)
    asked = {
        "entry": entry,
        "target": target,
        "top": top,
        "sys_clk_freq": None if clock is None else round(clock),
        "params": dict(params) if params else None,
        "until": None if until is None else {"cycles" if isinstance(until, int) else "seconds": until},
    }
    action = await compute.asubmit(
        FUNCTION,
        {f"source/{name}": content for name, content in files.items()},
        {name: value for name, value in asked.items() if value is not None},
        cache=use_cache,
    )
    return Simulating(action)
