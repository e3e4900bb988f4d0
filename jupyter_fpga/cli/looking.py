"""Commands that only look: ``boards``, ``targets``, ``jobs``, ``logs``."""

import sys

from traitlets import Bool, Int, Unicode

from jupyter_fpga.client import Job
from jupyter_fpga.client.errors import NotFound

from .base import ALIASES, FLAGS, LAB_ALIASES, LabCommand, flag, merged

__all__ = ("BoardsApp", "JobsApp", "LogsApp", "TargetsApp")

#: Jobs among which the last one is looked for.
LATEST = 100


class BoardsApp(LabCommand):
    """List the lab's boards: their state, and who holds them."""

    name = "jupyter-fpga boards"
    description = __doc__

    def run(self, words: list[str]) -> None:
        self.show_table(self.lab().boards(), "The lab has no boards.")


class TargetsApp(LabCommand):
    """List the kinds of boards that the lab has."""

    name = "jupyter-fpga targets"
    description = __doc__

    def run(self, words: list[str]) -> None:
        targets = self.lab().targets()
        self.show(targets, "\n".join(targets) or "The lab has no boards.")


class JobsApp(LabCommand):
    """List your jobs, the newest first; all jobs for an operator."""

    name = "jupyter-fpga jobs"
    description = __doc__
    aliases = merged(
        {
            **ALIASES,
            **LAB_ALIASES,
            "status": "JobsApp.status",
            "type": "JobsApp.type",
            "limit": "JobsApp.limit",
        }
    )

    status = Unicode(help="Only jobs that are queued, running, complete, failed or cancelled.").tag(config=True)
    type = Unicode(help="Only jobs of type build_and_program, build, run or reset.").tag(config=True)
    limit = Int(20, help="How many.").tag(config=True)

    def run(self, words: list[str]) -> None:
        jobs = self.lab().jobs(status=self.status or None, type=self.type or None, limit=self.limit)
        self.show_table(jobs, "You have no such jobs.")


class LogsApp(LabCommand):
    """Show the log of a job: the one given, or your last that was no reset."""

    name = "jupyter-fpga logs"
    description = __doc__
    positionals = ("[JOB]",)
    flags = merged(
        {
            **FLAGS,
            ("f", "follow"): flag("f", "LogsApp.follow", "Go on until the job has ended.")["f"],
        }
    )

    follow = Bool(False, help="Go on until the job has ended.").tag(config=True)

    def run(self, words: list[str]) -> None:
        lab = self.lab()
        if words:
            job: Job = lab.job(words[0])
        else:
            # Not of a reset, which comes by itself when a board is given back.
            jobs = [job for job in lab.jobs(limit=LATEST) if job["type"] != "reset"]
            if not jobs:
                raise NotFound("You have no jobs yet; submit a design first.", code="no_job")
            job = Job(lab, jobs[0])
        if self.follow:
            for text in job.follow_logs():
                print(text.rstrip("\n"), flush=True)
        else:
            sys.stdout.write(job.logs())
