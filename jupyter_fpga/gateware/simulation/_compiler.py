"""The C++ compiler: which one, with what, and several at once."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

__all__ = ("Compiler", "CompilerError", "Unit", "find_compiler")

#: Every unit is compiled with these. The harness throws nothing; generated C++ has warnings that nobody can act on.
_COMMON = ("-std=c++17", "-fno-exceptions", "-fno-rtti", "-w")

_HOT = ("-O1",)
_COLD = ("-O0",)


class CompilerError(Exception):
    """The C++ compiler failed on C++ that the lab made: a fault of the lab, or of the machine."""


@dataclass(frozen=True)
class Unit:
    """One run of the compiler.

    Parameters
    ----------
    source, output
        Names of files in the current folder, or absolute paths.
    hot
        Runs every clock cycle: optimized. ``-O1``; more makes the C++ slower to compile and no faster to run.
    flags
        Besides (``-D…``).
    """

    source: str
    output: str
    hot: bool = True
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compiler:
    """A C++ compiler.

    Parameters
    ----------
    command
        Program and leading arguments: ``("g++",)``, ``("python", "-m", "ziglang", "c++")``.
    kind
        ``gcc``, ``clang`` or ``zig``: they differ in how they link.
    """

    command: tuple[str, ...]
    kind: str

    def compile(self, units: Sequence[Unit], *, include: Sequence[str], work: Path) -> None:
        """Compile ``units``, as many at once as there are processors.

        Raises
        ------
        CompilerError
            With what the compiler said.
        """
        self._run_all(
            [
                [
                    *self.command,
                    *_COMMON,
                    *(_HOT if unit.hot else _COLD),
                    *unit.flags,
                    *_includes(include),
                    "-c",
                    unit.source,
                    "-o",
                    unit.output,
                ]
                for unit in units
            ],
            work,
        )

    def link(self, objects: Sequence[str], output: str, *, work: Path) -> None:
        """Make a program of object files.

        The C++ library goes in, so that the program needs nothing but the machine's C library.
        """
        static = ("-static-libstdc++", "-static-libgcc") if self.kind == "gcc" else ()
        self._run_all([[*self.command, *static, *objects, "-o", output]], work)

    def _run_all(self, commands: Sequence[Sequence[str]], work: Path) -> None:
        with ThreadPoolExecutor(max(1, min(len(commands), len(os.sched_getaffinity(0))))) as pool:
            for done in pool.map(lambda command: _run(command, work), commands):
                if done is not None:
                    raise CompilerError(done)


def _run(command: Sequence[str], work: Path) -> str | None:
    done = subprocess.run(
        command, cwd=work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode == 0:
        return None
    said = done.stdout.decode("utf-8", errors="replace")
    return f"The C++ compiler failed ({shlex.join(command)}):\n{said[-4000:]}"


def _includes(folders: Sequence[str]) -> list[str]:
    return [f"-I{folder}" for folder in folders]


def find_compiler() -> Compiler:
    """The C++ compiler that ``CXX`` names, else the first of ``c++``, ``g++`` and ``clang++``, else zig's.

    Raises
    ------
    CompilerError
        There is none.
    """
    named = os.environ.get("CXX")
    if named:
        return _known(shlex.split(named))
    for name in ("c++", "g++", "clang++"):
        if shutil.which(name):
            return _known([name])
    import importlib.util

    if importlib.util.find_spec("ziglang") is not None:
        return Compiler((sys.executable, "-m", "ziglang", "c++"), "zig")
    raise CompilerError(
        "No C++ compiler was found: looked for $CXX, c++, g++, clang++ and the Python package ziglang. "
        'Install one, for example with pip install "jupyter-fpga[zig]".'
    )


def _known(command: list[str]) -> Compiler:
    if "ziglang" in command or Path(command[0]).name.startswith("zig"):
        return Compiler(tuple(command), "zig")
    said = subprocess.run([*command, "--version"], stdin=subprocess.DEVNULL, capture_output=True, check=False).stdout
    return Compiler(tuple(command), "gcc" if b"Free Software Foundation" in said else "clang")
