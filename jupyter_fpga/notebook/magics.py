"""What the magics do: ``%%fpga``: the cell's design onto a board; ``%fpga``: boards and jobs."""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from jupyter_fpga.client import BoardHandle, Job, LabClient, Simulation
from jupyter_fpga.client import simulations as outcome
from jupyter_fpga.client.errors import Invalid, JobCancelled, JobFailed, LabError

from .builds import BuildHandle
from .cells import Library, Source, as_library, as_source, locate, replace_library
from .commands import Commands
from .desk import Desk
from .errors import BuildFailed, Refused, SimulationFailed
from .options import CELL, LINE, HelpWanted, parse
from .progress import InPlace, Progress, Screen, TextScreen
from .summary import Summary
from .watching import submitted, watch

__all__ = ("Actions",)


class Actions:
    """What the magics do, and what this kernel knows: its lab, its boards by name, its ``--lib`` cells.

    Parameters
    ----------
    shell
        The kernel's.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell: Any = shell  # IPython's methods have no types
        self.desk = Desk()
        self._show: Callable[[Any], Any] = display
        self._commands = Commands(self.desk, self._put)

    def cell(self, line: str, cell: str) -> None:
        """``%%fpga``."""
        try:
            self._run_cell(parse(CELL, line), cell)
        except HelpWanted as wanted:
            self._write(str(wanted))
        except BuildFailed:
            raise
        except (JobFailed, JobCancelled) as failed:
            # From the job, not from the request: the reason may name a line of the cell.
            detail = failed.detail
            kind = SimulationFailed if isinstance(failed, outcome.SimulationFailed) else BuildFailed
            raise kind(failed, locate(detail.get("file"), detail.get("line"), cell, self.desk.libraries)) from None
        except LabError as refusal:
            raise Refused(refusal) from None

    def line(self, line: str) -> Any:
        """``%fpga``; what is returned is shown as the cell's result."""
        try:
            arguments = parse(LINE, line or "help")
            return self._commands.run(arguments)
        except HelpWanted as wanted:
            self._write(str(wanted))
        except LabError as refusal:
            raise Refused(refusal) from None
        return None

    def _run_cell(self, arguments: argparse.Namespace, text: str) -> None:
        if arguments.lib:
            library = _library(text)
            self.desk.libraries = replace_library(self.desk.libraries, library)
            self._summary(arguments, Summary("lib", f"{', '.join(sorted(library.names))} are there in later designs."))
            return
        name = arguments.name or ("_wave" if arguments.sim else "_fpga")
        screen = None if arguments.quiet or arguments.no_wait else self._screen()
        progress = Progress(name, time.monotonic())
        lab = self.desk.lab(lambda sentence: self._note(progress, screen, sentence))
        source = as_source(text, self.desk.libraries)
        if arguments.sim:
            self._simulate(arguments, name, lab, source, progress, screen)
            return
        options: dict[str, Any] = {
            "filename": source.filename,
            "target": arguments.target or self.desk.target,
            "top": arguments.top,
            "clock": arguments.clock,
            "timing_target_mhz": arguments.timing_target,
            "seed": arguments.seed,
            "explore": arguments.explore,
            "probes": arguments.probe,
            "params": dict(arguments.param),
            "use_cache": not arguments.no_cache,
            "verify": arguments.verify,
        }
        if arguments.build_only:
            job = submitted(lab.abuild(source.content, **options))
        else:
            board = self.desk.board_for(name, arguments.board, options["target"], arguments.tag)
            job = submitted(
                lab.asubmit(source.content, board=board, tags=arguments.tag, flash=arguments.flash, **options)
            )
        self.desk.last_job = job
        if arguments.no_wait:
            self._leave(name, job, build_only=arguments.build_only)
            self._summary(arguments, Summary(name, "submitted; its first use waits until it is done."))
            return
        watch(job, progress, screen, timeout=arguments.timeout)
        handle = self._leave(name, job, build_only=arguments.build_only)
        made = Summary.of_build if arguments.build_only else Summary.of_board
        self._summary(arguments, made(name, handle.ready().manifest))

    def _simulate(
        self,
        arguments: argparse.Namespace,
        name: str,
        lab: LabClient,
        source: Source,
        progress: Progress,
        screen: Screen | None,
    ) -> None:
        simulating = submitted(
            lab.asimulate(
                source.content,
                filename=source.filename,
                target=arguments.target or self.desk.target,
                top=arguments.top,
                clock=arguments.clock,
                params=dict(arguments.param),
                until=arguments.until,
                use_cache=not arguments.no_cache,
            )
        )
        try:
            simulation = watch(simulating, progress, screen, timeout=arguments.timeout)
        except outcome.SimulationFailed as failed:
            self._put_simulation(arguments, name, failed.output, failed.simulation)
            raise
        self._put_simulation(arguments, name, simulation.output, simulation)

    def _put_simulation(
        self, arguments: argparse.Namespace, name: str, output: str, simulation: Simulation | None
    ) -> None:
        """Show what came of a simulation, and leave its waveform in the namespace; also of one that has failed."""
        if output:
            # A testbench's own words are wanted however quiet the rest is.
            self._write(output)
        if simulation is None:
            return
        waveform = simulation.waveform
        self._shell.push({name: waveform, "_wave": waveform})
        if simulation.ended != "failed":
            self._summary(arguments, Summary.of_simulation(name, simulation))
        if arguments.quiet:
            return
        if hasattr(self._shell, "kernel"):
            self._show(waveform)
        else:
            self._write(f"{waveform!r}\n")

    def _leave(self, name: str, job: Job, *, build_only: bool) -> "BoardHandle | BuildHandle":
        """Put the handle into the namespace; the same object again when the same board got a new design."""
        handle: BoardHandle | BuildHandle = BuildHandle(job, name) if build_only else self.desk.take(name, job)
        self._put(name, handle)
        return handle

    def _put(self, name: str, handle: Any) -> None:
        self._shell.push({name: handle} | ({"_fpga": handle} if isinstance(handle, BoardHandle) else {}))

    def _screen(self) -> Screen:
        # Only a kernel has front ends that can update an output.
        return InPlace() if hasattr(self._shell, "kernel") else TextScreen()

    def _note(self, progress: Progress, screen: Screen | None, sentence: str) -> None:
        progress.note = sentence
        if screen is not None:
            screen.show(progress, time.monotonic())

    def _summary(self, arguments: argparse.Namespace, summary: Summary) -> None:
        if arguments.quiet:
            return
        if hasattr(self._shell, "kernel"):
            self._show(summary)
        else:
            self._write(f"{summary!r}\n")

    def _write(self, text: str) -> None:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")


def _library(text: str) -> Library:
    try:
        return as_library(text)
    except SyntaxError as error:
        failed = Invalid(f"Python can't read line {error.lineno}: {error.msg}.", code="syntax_error")
        raise BuildFailed(failed, locate("design.py", error.lineno, text)) from None
