"""The C++ compiler: found, tried, and prepared for the machine."""

import asyncio
import hashlib
import importlib.metadata
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_fpga.compute.builds.warmup import Chore, ToolMissing, run_tool, say_version
from jupyter_fpga.compute.sandbox.walls import SEARCHED

__all__ = ("Compiler", "find_compiler", "warm_compiler")

_PROGRAM = """#include <map>
#include <string>
int main() { return std::map<std::string, int>().size(); }
"""
_CANT = "can't compile and link a C++ program of three lines"


@dataclass(frozen=True)
class Compiler:
    """How the C++ compiler is started.

    Parameters
    ----------
    command
        Its words, as ``CXX`` has them.
    version
        First line of what it says of itself.
    zig
        Whether it is the ``ziglang`` wheel, which builds its C++ library once.
    examined
        What was looked at before, each with the reason why it can't be used.
    """

    command: str
    version: str
    zig: bool = False
    examined: tuple[str, ...] = ()


async def find_compiler(environment: Mapping[str, str], cache: Path) -> Compiler:
    """The first compiler that works. Zig's is taken at its word: to try it is to prepare it, which takes a minute.

    Raises
    ------
    ToolMissing
        There is none.
    """
    examined: list[str] = []
    for name, words in _compilers(environment):
        if isinstance(words, str):
            examined.append(f"{name}: {words}")
            continue
        version = await asyncio.to_thread(say_version, words, "--version")
        if version is None:
            examined.append(f"{name}: doesn't run")
        elif name == "zig":
            version = f"zig {importlib.metadata.version('ziglang')}, {version}"
            return Compiler(shlex.join(words), version, zig=True, examined=tuple(examined))
        elif (tried := _tried(words, version, cache)).exists() or await _compiles(words, tried, os.environ):
            return Compiler(shlex.join(words), version)
        else:
            examined.append(f"{name}: {_CANT}")
    raise _none(examined)


def warm_compiler(compiler: Compiler, cache: Path) -> list[Chore]:
    """Let zig build the C++ library for this machine. Nothing to do when that was done, and for other compilers.

    Parameters
    ----------
    cache
        Zig's own cache is ``zig`` in it.
    """
    if not compiler.zig:
        return []
    words = shlex.split(compiler.command)
    tried = _tried(words, compiler.version, cache)
    if tried.exists():
        return []
    environment = {
        **os.environ,
        "ZIG_GLOBAL_CACHE_DIR": str(cache / "zig"),
        # Zig looks at the program "env" to learn about the machine's C library: it must find the one that it finds in
        # sandboxes, else it builds its library for another machine.
        "PATH": SEARCHED,
    }

    async def do() -> None:
        if not await _compiles(words, tried, environment):
            raise _none([*compiler.examined, f"zig: {_CANT}"])

    return [Chore("the C++ compiler", 120, do)]


def _none(examined: Sequence[str]) -> ToolMissing:
    return ToolMissing(
        "There is no C++ compiler that the lab can use. Examined: " + "; ".join(examined) + ". Install one: "
        'pip install "jupyter-fpga[zig]", or on Debian and Ubuntu: apt install g++'
    )


def _compilers(environment: Mapping[str, str]) -> Iterator[tuple[str, list[str] | str]]:
    """Name and words of each compiler in the order of preference; a sentence instead of words where there is none."""
    given = shlex.split(environment.get("CXX", ""))
    if given:
        path = shutil.which(given[0], path=environment.get("PATH"))
        yield f"$CXX ({' '.join(given)})", [path, *given[1:]] if path else "no such program"
    for name in ("c++", "g++", "clang++"):
        path = shutil.which(name, path=environment.get("PATH"))
        yield name, [path] if path else "not on PATH"
    wheel = importlib.util.find_spec("ziglang")
    yield "zig", [sys.executable, "-m", "ziglang", "c++"] if wheel else "the wheel ziglang isn't installed"


def _tried(words: Sequence[str], version: str, cache: Path) -> Path:
    """A file that is there when the compiler, as it is now, was tried and works."""
    changed = Path(os.path.realpath(words[0])).stat().st_mtime_ns
    facts = f"{changed}\n{version}\n{shlex.join(words)}\n{SEARCHED}"
    return cache / "compilers" / hashlib.sha256(facts.encode()).hexdigest()


async def _compiles(words: Sequence[str], tried: Path, environment: Mapping[str, str]) -> bool:
    """Whether a compiler compiles and links; remembered until the compiler changes."""
    with tempfile.TemporaryDirectory(prefix="jupyter-fpga-") as name:
        folder = Path(name)
        (folder / "try.cc").write_text(_PROGRAM)
        environment = {**environment, "ZIG_LOCAL_CACHE_DIR": name}
        # As the steps do it, so that zig makes the very libraries that they will need.
        for flags in (["-O1", "-c", "try.cc", "-o", "1.o"], ["-O0", "-c", "try.cc", "-o", "0.o"], ["1.o", "-o", "try"]):
            command = [*words, *(["-std=c++17"] if "-c" in flags else []), *flags]
            try:
                await run_tool(command, folder=folder, environment=environment, seconds=600)
            except (OSError, subprocess.SubprocessError):
                return False
    await asyncio.to_thread(_remember, tried)
    return True


def _remember(done: Path) -> None:
    done.parent.mkdir(exist_ok=True)
    done.touch()
