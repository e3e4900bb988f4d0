"""``jupyter fpga``: the lab on the command line.

``jupyter fpga --help`` lists the commands and the exit codes, which are those of :mod:`jupyter_fpga.cli.exits`:

====  ==================================================================================================================
code  meaning
====  ==================================================================================================================
0     done
1     a build, programming a board, a run or an action failed; for doctor: what is needed is missing, or broken
2     the command line can't be understood, or asks for what can't be (an unknown register, a bad design file)
3     no lab answers
4     the lab refuses: not signed in, somebody else's board, a state that doesn't allow it, a quota
5     there is no such board, job, session, action, queue or worker
6     the time of --timeout has passed
130   interrupted
====  ==================================================================================================================

``jupyter fpga exec`` ends with the exit code of the program that was run; what it says tells that from the above.
Every error is a sentence on stderr; with ``--json`` what a command prints on stdout is JSON.
"""

import os
import sys
from collections.abc import Sequence

from jupyter_fpga.client.errors import Invalid, LabError

from . import exits
from .base import ALIASES, FLAGS, Command, merged

__all__ = ("FpgaApp", "main")

_COMMANDS = {
    "demo": ("demo.DemoApp", "The main job, end to end: a design on a simulated board, its registers, its LED."),
    "serve": ("serve.ServeApp", "Run a lab."),
    "doctor": ("doctor.DoctorApp", "What is missing, and the command that installs it; or what a board lacks."),
    "boards": ("looking.BoardsApp", "List the boards."),
    "targets": ("looking.TargetsApp", "List the kinds of boards."),
    "build": ("building.BuildApp", "Build a design without a board: report and bitstream."),
    "sim": ("simulating.SimApp", "Run a design's testbenches, without a board, into a VCD file."),
    "submit": ("building.SubmitApp", "Build a design and program it onto a board."),
    "jobs": ("looking.JobsApp", "List your jobs and actions."),
    "logs": ("looking.LogsApp", "Show the log of a job; -f follows it."),
    "read": ("using.ReadApp", "Read registers of a board that you hold."),
    "write": ("using.WriteApp", "Write registers of a board that you hold."),
    "run": ("using.RunApp", "Do a file of transactions as one job."),
    "capture": ("capturing.CaptureApp", "Capture signals inside a running design, into a VCD file."),
    "etherbone": ("litex.EtherboneApp", "Open a port for LiteX's own tools to a board that you hold."),
    "artifacts": ("litex.ArtifactsApp", "Download files of a build: csr.csv, bitstream …"),
    "release": ("using.ReleaseApp", "Give a board back."),
    "reset": ("using.ResetApp", "Reset a board."),
    "health": ("caring.HealthApp", "How a board is, and what it has gone through."),
    "exec": ("executing.ExecApp", "Have a worker compute a function of files, and wait for it."),
    "queues": ("computing.QueuesApp", "List, make, drain and cancel queues of actions."),
    "workers": ("computing.WorkersApp", "List the workers and their functions; register one."),
    "sysinfo": ("computing.SysinfoApp", "What the lab's machine has, and what it is doing."),
    "record": ("computing.RecordApp", "Record all actions, to replay them."),
}


class FpgaApp(Command):
    """An FPGA lab: build designs, program boards, use their registers."""

    name = "jupyter-fpga"
    description = f"{__doc__}\n\nExit codes:\n\n{exits.table()}"
    subcommands = {  # noqa: RUF012 (traitlets’ own habit)
        name: (f"jupyter_fpga.cli.{place}", help) for name, (place, help) in _COMMANDS.items()
    }
    aliases = merged(ALIASES)
    flags = merged(FLAGS)

    def words(self) -> list[str]:
        given = list(self.extra_args)
        if given and self.subapp is None:
            raise Invalid(f"There is no command “{given[0]}”; there are {', '.join(_COMMANDS)}.", code="usage")
        return given

    def run(self, words: list[str]) -> None:
        if self.subapp is None:
            self.print_help()
            raise SystemExit(exits.USAGE)

    def start(self) -> None:
        if self.subapp is not None:
            self.subapp.start()
        else:
            super().start()


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; its exit code.

    Parameters
    ----------
    argv
        Arguments without the program's name; those of the process when not given.
    """
    app = FpgaApp()
    try:
        app.initialize(list(sys.argv[1:] if argv is None else argv))
        app.start()
        sys.stdout.flush()
    except LabError as error:
        sys.stderr.write(f"{error.message}\n")
        return exits.exit_code(error)
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return exits.INTERRUPTED
    except BrokenPipeError:
        # `jupyter fpga jobs | head -1`: nobody reads the rest. Python would complain again when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.OK
    return exits.OK
