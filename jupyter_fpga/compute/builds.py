"""From a design to a board's image: the stages in order, each done once for everybody."""

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_fpga.compute.blobs import replace_file
from jupyter_fpga.compute.cache import Action, ActionCache, Entry, Made, action_key
from jupyter_fpga.compute.design import BuildOptions, BuildResult, Source, Stage, StageReport
from jupyter_fpga.compute.limits import Limits
from jupyter_fpga.compute.runner import Runner
from jupyter_fpga.compute.sandbox import Mount
from jupyter_fpga.compute.slots import Slots
from jupyter_fpga.compute.stages import BASE_TARGET, LIMITS, Steps
from jupyter_fpga.compute.toolchains import Toolchains
from jupyter_fpga.gateware.manifest import Manifest

__all__ = ("Builds",)

_ELABORATED = ("netlist.il", "netlist.v", "netlist.json", "manifest.json", "csr.json", "csr.csv", "verilog/")
_SYNTHESIZED = ("design.cc", "top.v", "report.json")
_CSR = ("csr.json", "csr.csv")
_REPORTS = {"top.v": "top.v", "report": "report.json"}
CLOCK_HZ = {"simulated": 12_000_000}
"""System clock of each target when a build doesn't ask for another. The workshop knows them too; a test compares."""

_RANK: Mapping[Stage, int] = {"base": 0, "compile": 1, "synthesize": 2, "elaborate": 3}
"""Who gets the next free processor: builds that are nearly done first, so that none waits half done."""


def _nothing(*_: object) -> None:
    return None


class Builds:
    """Builds designs for boards.

    Parameters
    ----------
    data_dir
        Folder of the lab; results are kept in ``cache`` and ``builds`` below it.
    runner, toolchains
        Where stages run, and with what.
    cache
        Kept results; one in ``data_dir`` if not given.
    limits
        What each stage may use.
    parallel
        Stages that run at once; as many as there are processors if not given.
    pinned
        Returns the digests of builds that must stay, whatever their age: those that are on boards.
    command
        The program of the stages; see :class:`~jupyter_fpga.compute.stages.Steps`.
    """

    def __init__(
        self,
        *,
        data_dir: Path,
        runner: Runner,
        toolchains: Toolchains,
        cache: ActionCache | None = None,
        limits: Mapping[Stage, Limits] = LIMITS,
        parallel: int | None = None,
        pinned: Callable[[], Collection[str]] = tuple,
        command: Sequence[str] | None = None,
    ) -> None:
        self.toolchains = toolchains
        self.runner = runner
        self.cache = cache or ActionCache(data_dir / "cache")
        self._steps = Steps(runner, toolchains, limits, *([command] if command else []))
        self._slots = Slots(parallel or len(os.sched_getaffinity(0)))
        self._pinned = pinned
        self._records = data_dir / "builds"
        self._bases = data_dir / "cache" / "base"
        self._folders: dict[str, Path] = {}
        self._active = 0

    async def prepare(self, progress: Callable[[str], None] | None = None) -> None:
        """Make ready what every build needs: tools that compile themselves once, and the base.

        Parameters
        ----------
        progress
            Gets a sentence when something begins that takes long.

        Raises
        ------
        ToolMissing, BuildFailed
            Nothing can be built on this machine, for the reason given.
        """
        progress = progress or _nothing
        await self.toolchains.warm_up(progress)

        def on_stage(report: StageReport) -> None:
            if report.state == "running":
                progress("Building the lab's own SoC (once, some seconds).")

        await self.base("simulated", on_stage=on_stage)
        await self.trim()

    async def base(
        self,
        target: str,
        sys_clk_freq: int | None = None,
        *,
        on_stage: Callable[[StageReport], None] = _nothing,
    ) -> BuildResult:
        """The image that an idle board runs: the lab's SoC with an empty window.

        Raises
        ------
        BuildFailed
        """
        build = _Build(self, BuildOptions(target=target, sys_clk_freq=sys_clk_freq), on_stage, _nothing)
        with self._at_work():
            base = await build.base()
        return await asyncio.to_thread(self._base_result, base, build.stages)

    async def build(
        self,
        source: Source,
        options: BuildOptions,
        *,
        on_stage: Callable[[StageReport], None] = _nothing,
        on_log: Callable[[str], None] = _nothing,
    ) -> BuildResult:
        """Build a design. When the caller is cancelled, its programs are gone before this returns.

        Parameters
        ----------
        on_stage
            Gets the beginning and the end of each stage.
        on_log
            Gets the lines that the tools print, also those of a build that is shared with others or was kept.

        Raises
        ------
        BuildFailed
            With the stage, the reason in one sentence, and the place in the person's text.
        """
        build = _Build(self, options, on_stage, on_log)
        with self._at_work():
            result, keys = await build.run(source)
        replace_file(self._record(result.digest), json.dumps(keys).encode())
        return result

    async def trim(self) -> int:
        """Bring the kept results down to their size, oldest first; returns the bytes freed. Waits for no build."""
        if self._active:
            return 0
        pinned = {key for digest in self._pinned() for key in self._keys_of(digest)} | set(self._folders)
        return await asyncio.to_thread(self.cache.trim, pinned)

    def _keys_of(self, digest: str) -> list[str]:
        try:
            return [str(key) for key in json.loads(self._record(digest).read_bytes())]
        except (FileNotFoundError, ValueError):
            return []

    def _record(self, digest: str) -> Path:
        return self._records / f"{digest}.json"

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        self._active += 1
        try:
            yield
        finally:
            self._active -= 1

    def _base_result(self, base: Entry, stages: list[StageReport]) -> BuildResult:
        manifest = Manifest.from_json(json.loads(self.cache.path(base, "manifest.json").read_bytes()))
        digest = manifest.digest or base.key
        artifacts = {"bitstream": self.cache.path(base, "simulator")}
        artifacts |= {name: self.cache.path(base, name) for name in ("csr.json", "csr.csv") if name in base.blobs}
        if "lab_base.v" in base.blobs:
            artifacts["top.v"] = self.cache.path(base, "lab_base.v")
        replace_file(self._record(digest), json.dumps([base.key]).encode())
        return BuildResult(digest, replace(manifest, digest=digest), artifacts, stages)

    def base_folder(self, base: Entry) -> Path:
        """The base's files under their own names, as compilers want them."""
        folder = self._folders.get(base.key)
        if folder is None:
            folder = self._bases / base.key
            self._bases.mkdir(parents=True, exist_ok=True)
            fresh = Path(tempfile.mkdtemp(dir=self._bases))
            fresh.chmod(0o755)
            for name, blob in base.blobs.items():
                self.cache.blobs.copy_out(blob, fresh / name)
            shutil.rmtree(folder, ignore_errors=True)
            fresh.rename(folder)
            self._folders[base.key] = folder
        return folder

    @property
    def steps(self) -> Steps:
        """Runs single stages."""
        return self._steps

    @property
    def slots(self) -> Slots:
        """Turns of the stages."""
        return self._slots


class _Build:
    """One build under way: which actions its stages are, and in which order they are asked for."""

    def __init__(
        self,
        builds: Builds,
        options: BuildOptions,
        on_stage: Callable[[StageReport], None],
        on_log: Callable[[str], None],
    ) -> None:
        self._builds = builds
        self._cache = builds.cache
        self._tools = builds.toolchains
        self._options = options
        self._target = options.target
        self._clock = options.sys_clk_freq or CLOCK_HZ.get(options.target)
        self._on_stage = on_stage
        self._on_log = on_log
        self.stages: list[StageReport] = []

    async def run(self, source: Source) -> tuple[BuildResult, list[str]]:
        """The build's result, and the keys of the actions that it is made of."""
        elaborate = self._elaborate(source)
        elaborated = await self._stage("elaborate", elaborate, need=("netlist.json", "manifest.json", *_CSR))
        netlist = self._json(elaborated, "netlist.json")
        base = self.base_action()
        digest = action_key("build", base.key, {"netlist": netlist["digest"]}, {"target": self._target})
        manifest = replace(
            Manifest.from_json(self._json(elaborated, "manifest.json")),
            digest=digest,
            identifier=self._identifier(digest),
        )
        synthesize = self._synthesize(elaborate, netlist)
        synthesized = await self._stage("synthesize", synthesize, need=tuple(_REPORTS.values()))
        compiled = await self._stage("compile", self._compile(synthesize, netlist, base, manifest.identifier))
        artifacts = {"bitstream": self._cache.path(compiled, "simulator")}
        artifacts |= {name: self._cache.path(elaborated, name) for name in _CSR if name in elaborated.blobs}
        artifacts |= {
            name: self._cache.path(synthesized, file) for name, file in _REPORTS.items() if file in synthesized.blobs
        }
        return BuildResult(digest, manifest, artifacts, self.stages), [elaborated.key, synthesized.key, compiled.key]

    async def base(self) -> Entry:
        """The base, every file of it checked."""
        return await self._stage("base", self.base_action())

    async def _stage(self, stage: Stage, action: Action, need: Collection[str] | None = None) -> Entry:
        loop = asyncio.get_running_loop()
        started = loop.time()
        entry, cached = await self._cache.run(
            action,
            need=need,
            # The base is the lab's own: doing a design again doesn't mean doing that again.
            use_cache=self._options.use_cache or stage == "base",
            on_begin=lambda: self._on_stage(StageReport(stage, 0.0, False, "running")),
            on_log=self._on_log,
        )
        if stage != "base" or not cached:
            report = StageReport(stage, loop.time() - started, cached)
            self.stages.append(report)
            self._on_stage(report)
        return entry

    def _identifier(self, digest: str) -> str:
        return f"jupyter_fpga {self._target} {digest[:16]}"

    def _json(self, entry: Entry, name: str) -> dict[str, Any]:
        return dict(json.loads(self._cache.path(entry, name).read_bytes()))

    async def _files(self, action: Action) -> dict[str, Path]:
        """All files of an earlier stage, each checked against its hash."""
        entry, _ = await self._cache.run(action)
        return {name: self._cache.path(entry, name) for name in entry.blobs}

    def base_action(self) -> Action:
        """The base for the build's target and clock."""
        key = action_key("base", self._tools.compile_version, {}, {"target": self._target, "clock": self._clock})
        request = {
            "target": self._target,
            "sys_clk_freq": self._clock,
            "identifier": self._identifier(key),
        }

        async def make(folder: Path, say: Callable[[str], None]) -> Made:
            async with self._builds.slots.hold(_RANK["base"]):
                return await self._builds.steps.run(
                    "base", folder, request=request, inputs={}, outputs=["*"], required=["simulator"], say=say
                )

        return Action(key, make)

    def _elaborate(self, source: Source) -> Action:
        options = self._options
        request = {
            "entry": source.entry,
            "top": options.top,
            "params": dict(options.params),
            "target": self._target,
            "sys_clk_freq": self._clock,
            "probes": list(options.probes),
        }

        async def make(folder: Path, say: Callable[[str], None]) -> Made:
            async with self._builds.slots.hold(_RANK["elaborate"]):
                return await self._builds.steps.run(
                    "elaborate",
                    folder,
                    request=request,
                    inputs={f"source/{name}": content for name, content in source.files.items()},
                    outputs=_ELABORATED,
                    required=["netlist.json", "manifest.json"],
                    say=say,
                )

        return Action(action_key("elaborate", self._tools.elaborate_version, {"source": source.digest}, request), make)

    def _synthesize(self, elaborate: Action, netlist: Mapping[str, Any]) -> Action:
        async def make(folder: Path, say: Callable[[str], None]) -> Made:
            inputs = await self._files(elaborate)
            async with self._builds.slots.hold(_RANK["synthesize"]):
                return await self._builds.steps.run(
                    "synthesize",
                    folder,
                    request=None,
                    inputs=inputs,
                    outputs=_SYNTHESIZED,
                    required=["design.cc"],
                    say=say,
                )

        inputs = {"netlist": str(netlist["digest"])}
        return Action(action_key("synthesize", self._tools.synthesize_version, inputs, {"target": self._target}), make)

    def _compile(self, synthesize: Action, netlist: Mapping[str, Any], base: Action, identifier: str) -> Action:
        async def make(folder: Path, say: Callable[[str], None]) -> Made:
            inputs = await self._files(synthesize)
            base_folder = self._builds.base_folder(await self.base())
            async with self._builds.slots.hold(_RANK["compile"]):
                return await self._builds.steps.run(
                    "compile",
                    folder,
                    request={"identifier": identifier},
                    inputs=inputs,
                    outputs=["simulator"],
                    required=["simulator"],
                    mounts=[Mount(base_folder, BASE_TARGET)],
                    say=say,
                )

        inputs = {"netlist": str(netlist["digest"]), "base": base.key}
        return Action(action_key("compile", self._tools.compile_version, inputs, {"identifier": identifier}), make)
