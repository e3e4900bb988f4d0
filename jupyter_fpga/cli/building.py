"""Commands that build: ``build`` without a board, ``submit`` onto one."""

import argparse
import json
import sys
from pathlib import Path
from typing import TypeVar

from traitlets import Bool, List, Unicode

from jupyter_fpga.client import Job
from jupyter_fpga.client.arguments import (
    Reader,
    board_number,
    frequency,
    megahertz,
    names,
    parameter,
    seconds,
    whole_number,
)
from jupyter_fpga.client.errors import Invalid, LabError
from jupyter_fpga.client.lab import BuildOptions

from .base import ALIASES, FLAGS, LAB_ALIASES, LabCommand, flag, merged
from .settings import Read
from .stages import show_stages

__all__ = ("BuildApp", "SubmitApp", "read_option")

T = TypeVar("T")

_ALIASES = {
    **ALIASES,
    **LAB_ALIASES,
    "target": "_Building.target",
    "top": "_Building.top",
    "clock": "_Building.clock",
    "timing-target": "_Building.timing_target",
    "seed": "_Building.seed",
    "explore": "_Building.explore",
    "probe": "_Building.probes",
    "param": "_Building.params",
    "timeout": "_Building.timeout",
}
_FLAGS = {
    **FLAGS,
    **flag("no-cache", "_Building.no_cache", "Build everything anew."),
    **flag("verify", "_Building.verify", "Compare an iCE40's bitstream with the design, by simulating both."),
}
ARTIFACTS = ("csr.json", "csr.csv", "analyzer.csv", "top.v", "bitstream", "report")


def read_option(reader: Reader[T], text: str, option: str) -> T:
    """What an option that may be repeated says.

    Raises
    ------
    Invalid
        ``usage``
    """
    try:
        return reader(text)
    except argparse.ArgumentTypeError as error:
        raise Invalid(f"{option} {error}.", code="usage") from None


class _Building(LabCommand):
    """What both take."""

    may_start = True
    positionals = ("FILE",)
    needs = "FILE, a design: a .py, .v or .zip file, or a folder"
    instead = "Put several files into one folder, or into a .zip file."

    target = Unicode(help="Kind of board.").tag(config=True)
    top = Unicode(help="Which class, object or module is the design.").tag(config=True)
    clock = Read(frequency, help="System clock, such as 12MHz, 12e6 or 12_000_000; else the target's own.").tag(
        config=True
    )
    timing_target = Read(megahertz, help="Fail when the design is slower than so many MHz.").tag(config=True)
    seed = Read(whole_number, help="Where place and route begins; another one gives another result.").tag(config=True)
    explore = Read(whole_number, help="Place and route with so many seeds, and keep the fastest result.").tag(
        config=True
    )
    probes = List(
        Unicode(),
        help="Signals that get an analyzer, with commas between; may be repeated: see `jupyter fpga capture`.",
    ).tag(config=True)
    params = List(Unicode(), help="NAME=VALUE for the design; may be repeated.").tag(config=True)
    timeout = Read(seconds, help="Seconds after which to cancel and give up.").tag(config=True)
    no_cache = Bool(False, help="Build everything anew.").tag(config=True)
    verify = Bool(False, help="Compare an iCE40's bitstream with the design, by simulating both.").tag(config=True)

    def options(self) -> BuildOptions:
        """What the lab is told."""
        params = dict(read_option(parameter, text, "--param") for text in self.params)
        return {
            "target": self.target or None,
            "top": self.top or None,
            "clock": self.clock,
            "timing_target_mhz": self.timing_target,
            "seed": self.seed,
            "explore": self.explore,
            "probes": [name for text in self.probes for name in read_option(names, text, "--probe")],
            "params": params,
            "use_cache": not self.no_cache,
            "verify": self.verify,
        }

    def wait(self, job: Job) -> None:
        """Wait, showing the stages on stderr; an interrupt cancels the job."""
        show_stages(job, sys.stderr, timeout=self.timeout, quiet=self.json)


class BuildApp(_Building):
    """Build FILE (.py, .v, .zip or a folder) without a board, and put what comes out into a folder.

    The bitstream, csr.json, csr.csv, the Verilog, the report and the manifest; a lab is started when there is none.
    """

    name = "jupyter-fpga build"
    description = __doc__
    aliases = merged({**_ALIASES, "output": "BuildApp.output"})
    flags = merged(_FLAGS)

    output = Unicode("build", help="Folder for what the build produces; created when missing.").tag(config=True)

    def run(self, words: list[str]) -> None:
        folder = Path(self.output)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Invalid(
                f"The folder “{folder}” can't be made: {error.strerror}. Give another with --output.", code="usage"
            ) from None
        job = self.lab().build(Path(words[0]), **self.options())
        self.wait(job)
        manifest = job.manifest()
        (folder / "manifest.json").write_text(manifest.dumps(), encoding="utf-8")
        written = ["manifest.json"]
        for name in ARTIFACTS:
            try:
                content = _content(job, name)
            except LabError as error:
                if error.code != "artifact_not_found":
                    raise
                continue
            (folder / name).write_bytes(content)
            written.append(name)
        report = job.report()
        facts = {"manifest": manifest.to_json(), "stages": report.stages}
        made = f"{folder}: {', '.join(written)}"
        # Of a real board: what it takes of the device, and how fast it is.
        self.show(
            {"job_id": job.id, "folder": str(folder), "files": written, **facts},
            f"{made}\n\n{report}" if report.fmax else made,
        )


def _content(job: Job, name: str) -> bytes:
    # The artifact is what the tools found, the same for equal designs; what this build took belongs to the job.
    return f"{json.dumps(job.report().to_json(), indent=2)}\n".encode() if name == "report" else job.artifact(name)


class SubmitApp(_Building):
    """Build FILE (.py, .v, .zip or a folder) and program it onto a board, which is yours from then on.

    Any free board unless --board says which. Give it back with `jupyter fpga release`. A lab is started when there is
    none; it stays while you hold a board.
    """

    name = "jupyter-fpga submit"
    description = __doc__
    aliases = merged({**_ALIASES, "board": "SubmitApp.board", "tag": "SubmitApp.tags"})
    flags = merged(
        {
            **_FLAGS,
            **flag("wait", "SubmitApp.wait_for_it", "Wait until the board is programmed."),
            **flag(
                "flash",
                "SubmitApp.flash",
                "Into the board's flash, so that it starts with it from then on; operators only.",
            ),
        }
    )

    board = Read(board_number, help="That board.").tag(config=True)
    tags = List(Unicode(), help="Only a board with this tag; may be repeated.").tag(config=True)
    flash = Bool(False, help="Into the board's flash, to start with it from then on; operators only.").tag(config=True)
    wait_for_it = Bool(False, help="Wait until the board is programmed.").tag(config=True)

    def run(self, words: list[str]) -> None:
        job = self.lab().submit(Path(words[0]), board=self.board, tags=self.tags, flash=self.flash, **self.options())
        if self.wait_for_it:
            self.wait(job)
        where = "" if job.fpga_id is None else f" on board {job.fpga_id}"
        self.show(job.record, f"job {job.id}: {job.status}{where}")
