"""The stages of a build as functions of the lab's own worker: from an action to a program behind walls."""

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from jupyter_fpga.compute.actions.descriptors import Action
from jupyter_fpga.compute.builds.design import Stage
from jupyter_fpga.compute.builds.elaborated import ABOUT, MANIFEST
from jupyter_fpga.compute.builds.recipe import CSR, REPORTS, SIMULATED, function_version
from jupyter_fpga.compute.builds.toolchains import Toolchains
from jupyter_fpga.compute.cache import ActionCache, Blob
from jupyter_fpga.compute.runners import Task
from jupyter_fpga.compute.sandbox import MIB, Limits, Mount
from jupyter_fpga.errors import Invalid, Unavailable

__all__ = ("LIMITS", "BuildFunctions", "limits_within")

LIMITS: Mapping[Stage, Limits] = {
    "base": Limits(wall_seconds=300, cpu_seconds=600),
    "elaborate": Limits(wall_seconds=60, cpu_seconds=120, memory_bytes=1024 * MIB, disk_bytes=64 * MIB),
    "synthesize": Limits(wall_seconds=300, cpu_seconds=300),
    "compile": Limits(wall_seconds=300, cpu_seconds=600),
    "place": Limits(wall_seconds=900, cpu_seconds=900, memory_bytes=2048 * MIB, disk_bytes=512 * MIB),
    "pack": Limits(wall_seconds=300, cpu_seconds=300, disk_bytes=256 * MIB),
    "unpack": Limits(wall_seconds=300, cpu_seconds=300),
    "verify": Limits(wall_seconds=900, cpu_seconds=900),
}
"""What each stage may use if the lab isn't told otherwise."""

COMMAND = (sys.executable, "-P", "-m", "jupyter_fpga.gateware")
"""The program whose only argument is the stage's name."""

_BASE = "/base"
"""Where the stage ``compile`` finds the base."""


def limits_within(seconds: float) -> Mapping[Stage, Limits]:
    """:data:`LIMITS` with another time for each stage of a person's build, and processor time in proportion.

    Parameters
    ----------
    seconds
        The longest that one stage may run. The lab's own SoC keeps its time: it is built once, and nobody's fault.
    """

    def within(limits: Limits) -> Limits:
        share = limits.cpu_seconds / limits.wall_seconds
        return replace(limits, wall_seconds=seconds, cpu_seconds=seconds * share)

    return {stage: limits if stage == "base" else within(limits) for stage, limits in LIMITS.items()}


@dataclass(frozen=True)
class _Shape:
    """What a stage leaves, and what it must leave."""

    outputs: tuple[str, ...]
    required: tuple[str, ...]


_SHAPES: Mapping[Stage, _Shape] = {
    "base": _Shape(("*",), ("simulator",)),
    "place": _Shape(("placed", "report.json"), ("placed", "report.json")),
    "pack": _Shape(("bitstream",), ("bitstream",)),
    "unpack": _Shape(("design.cc",), ("design.cc",)),
    "verify": _Shape(("verified.json",), ("verified.json",)),
    "elaborate": _Shape(("netlist.il", "netlist.v", ABOUT, MANIFEST, *CSR, "verilog/"), (ABOUT, MANIFEST)),
    "synthesize": _Shape(("design.cc", *REPORTS.values()), ("design.cc",)),
    "compile": _Shape(("simulator",), ("simulator",)),
}


_REAL_SHAPES: Mapping[str, _Shape] = {
    "base": _Shape(("base.json", "base.il", "lab_base.v", MANIFEST, *CSR, ABOUT, "netlist.v"), (MANIFEST,)),
    "synthesize": _Shape(("design.json", "top.v"), ("design.json",)),
}
"""The same of stages that leave something else where designs are placed and routed."""


def _shape(action: Action) -> _Shape:
    stage: Stage = action.function  # type: ignore[assignment]
    is_program = action.constants.get("target", SIMULATED) == SIMULATED
    return _SHAPES[stage] if is_program else _REAL_SHAPES.get(stage, _SHAPES[stage])


class BuildFunctions:
    """The lab's own tools as a worker's functions.

    Parameters
    ----------
    cache
        Where contents and the base are.
    toolchains
        What stages are run with.
    bases
        Folder for bases whose files have their own names, as compilers want them.
    limits
        What each stage may use.
    command
        See :data:`COMMAND`.
    """

    name = "lab"

    def __init__(
        self,
        cache: ActionCache,
        toolchains: Toolchains,
        bases: Path,
        limits: Mapping[Stage, Limits] = LIMITS,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._cache = cache
        self._tools = toolchains
        self._bases = bases
        self._command = tuple(command)
        self._folders: dict[str, Path] = {}
        self.limits = limits

    @property
    def versions(self) -> Mapping[str, str]:
        """The current version of each stage."""
        return {stage: function_version(self._tools, stage) for stage in get_args(Stage)}

    @property
    def bases_in_use(self) -> set[str]:
        """Keys of the bases that designs are linked with."""
        return set(self._folders)

    def required(self, action: Action) -> tuple[str, ...]:
        """Files without which a stage has failed."""
        return _shape(action).required

    async def task(self, action: Action, token: str) -> Task:
        """What is to be run for an action.

        Raises
        ------
        Invalid
            ``function_unknown``: the tools are in another state than the one that was asked for.
        Unavailable
            ``base_missing``: the base that a design is to be linked with isn't there any more.
        """
        if self.versions.get(action.function) != action.version:
            raise Invalid(
                f"The lab's tools have changed since “{action.function}” was asked for. Build the design again.",
                code="function_unknown",
            )
        stage: Stage = action.function  # type: ignore[assignment]
        shape = _shape(action)
        inputs: dict[str, Path | bytes] = {
            name: self._cache.blobs.path(Blob(content.hash, content.size)) for name, content in action.inputs.items()
        }
        mounts = self._tools.mounts()
        if action.constants:
            inputs["request.json"] = json.dumps(dict(action.constants)).encode()
        if "base" in action.constants:
            mounts.append(Mount(self._base_folder(action.constants["base"]), _BASE))
        # A vendor's installation is for the one step that runs it.
        vendor = self._tools.vendor(action.constants["target"]) if stage == "place" else None
        if vendor is not None:
            mounts += vendor.mounts()
        environment = self._tools.environment() | (vendor.environment() if vendor is not None else {})
        command = [*self._command, stage]
        return Task(
            token=token,
            # These compile nothing, so that they need no compiler's cache and can be begun in a warm sandbox.
            command=tuple(self._tools.command(command) if stage in ("base", "compile", "verify") else command),
            limits=self.limits[stage],
            inputs=inputs,
            outputs=(*shape.outputs, "error.json"),
            required=shape.required,
            scrap=("error.json", "request.json"),
            mounts=tuple(mounts),
            environment={**environment, "LAB_BASE": _BASE},
            warm=self._warm(action, inputs),
        )

    def _warm(self, action: Action, inputs: Mapping[str, Path | bytes]) -> str | None:
        """Which packages a stage will probably import, or what else can be done before it is known what it is for."""
        stage = action.function
        if stage == "place":
            target = action.constants["target"]
            info = self._tools.catalog.get(target)
            tools = self._tools.implementers.get(info.toolchain) if info is not None else None
            return f"place:{target}" if tools is not None and not tools.commands else None
        if stage == "synthesize":
            return "yosys" if self._tools.yosys.wheel else None
        if stage != "elaborate":
            return None
        texts = (path.read_bytes() for path in inputs.values() if isinstance(path, Path))
        return "litex" if any(b"litex" in text or b"migen" in text for text in texts) else "amaranth"

    def _base_folder(self, key: str) -> Path:
        """The base's files under their own names."""
        folder = self._folders.get(key)
        if folder is not None and folder.is_dir():
            return folder
        entry = self._cache.lookup(key) if key else None
        if entry is None:
            raise Unavailable(
                "The lab's own SoC, which the design is to be linked with, isn't there any more. Build the design "
                "again.",
                code="base_missing",
            )
        folder = self._bases / key
        self._bases.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=self._bases))
        fresh.chmod(0o755)
        for name, blob in entry.blobs.items():
            self._cache.blobs.copy_out(blob, fresh / name)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
        self._folders[key] = folder
        return folder
