"""Commands that only look: ``boards``, ``targets``, ``jobs``, ``logs``."""

import sys

from traitlets import Bool, Enum, Int

from jupyter_fpga.client import Job
from jupyter_fpga.client.errors import NotFound
from jupyter_fpga.client.listing import asked_for

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
    """List the kinds of boards that designs can be built for, and what is installed for each.

    Any platform of LiteX's is a target besides these, by the name litex:NAME. For those whose device no open tools
    know, --toolchains lists the vendors' tools that LiteX runs, and which of them are installed.
    """

    name = "jupyter-fpga targets"
    description = __doc__
    flags = merged(
        {
            **FLAGS,
            **flag("toolchains", "TargetsApp.toolchains", "List what makes bitstreams, vendors' tools included."),
        }
    )

    toolchains = Bool(False, help="List what makes bitstreams, vendors' tools included.").tag(config=True)

    def run(self, words: list[str]) -> None:
        lab = self.lab()
        if self.toolchains:
            self.show_table(lab.toolchains(), "The lab knows no toolchain.")
            return
        self.show_table(lab.targets(), "The lab knows no kind of board.")
        if self.json:
            return
        found = [tool["version"] for tool in lab.toolchains() if tool["vendor"] and tool["found"]]
        there = ", ".join(found) or "none is installed"
        print(
            "\nAny of LiteX's platforms is a target besides, as litex:NAME. Vendors' tools for those whose device no "
            f"open tools know: {there}; --toolchains lists them all."
        )


class JobsApp(LabCommand):
    """List your jobs, the newest first; all jobs for an operator.

    First those of boards and builds, then the actions of the compute service; --status, --type, --all and --json list
    the former alone, --actions the latter. Resets that the lab did by itself are left out, unless with --all,
    --type=reset or --json.
    """

    name = "jupyter-fpga jobs"
    description = __doc__
    aliases = merged(
        {
            **ALIASES,
            **LAB_ALIASES,
            "status": "JobsApp.status",
            "type": "JobsApp.type",
            "limit": "JobsApp.limit",
            "state": "JobsApp.state",
        }
    )

    flags = merged(
        {
            **FLAGS,
            **flag("all", "JobsApp.all_of_them", "Also resets that the lab did by itself."),
            **flag("actions", "JobsApp.actions", "Only actions of the compute service."),
        }
    )

    actions = Bool(False, help="Only actions of the compute service.").tag(config=True)
    state = Enum(
        ("pending", "submitting", "running", "completed", "failed", "abandoned", "cancelled", "unfinished"),
        None,
        allow_none=True,
        help="Only actions in this state.",
    ).tag(config=True)
    status = Enum(
        ("queued", "running", "complete", "failed", "cancelled"),
        None,
        allow_none=True,
        help="Only jobs that are in this status.",
    ).tag(config=True)
    type = Enum(
        ("build_and_program", "build", "run", "reset"), None, allow_none=True, help="Only jobs of this type."
    ).tag(config=True)
    limit = Int(20, min=1, max=1000, help="How many.").tag(config=True)
    all_of_them = Bool(False, help="Also resets that the lab did by itself.").tag(config=True)

    def run(self, words: list[str]) -> None:
        lab = self.lab()
        if self.actions or self.state is not None:
            self.show_table(lab.compute.jobs(state=self.state, limit=self.limit), "You have no such actions.")
            return
        if self.all_of_them or self.json or self.type == "reset":
            listed = lab.jobs(status=self.status, type=self.type, limit=self.limit)
        else:
            listed = asked_for(lab.jobs, status=self.status, type=self.type, limit=self.limit)
        self.show_table(listed, "You have no such jobs.")
        if not (self.all_of_them or self.json or self.type or self.status):
            actions = lab.compute.jobs(limit=self.limit)
            if actions:
                print(f"\nActions of the compute service:\n\n{actions}")


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
