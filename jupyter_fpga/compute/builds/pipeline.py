"""From a design to a board's image: the stages in order, each done once for everybody."""

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_fpga.compute.builds.design import BuildFailed, BuildOptions, BuildResult, Source, Stage, StageReport
from jupyter_fpga.compute.builds.elaborated import Elaborated, Unbelievable, read_elaborated
from jupyter_fpga.compute.builds.recipe import CSR, REPORTS, Recipe
from jupyter_fpga.compute.builds.slots import Slots
from jupyter_fpga.compute.builds.stages import LIMITS, Steps
from jupyter_fpga.compute.builds.toolchains import Toolchains
from jupyter_fpga.compute.cache.blobs import replace_file
from jupyter_fpga.compute.cache.results import Action, ActionCache, Entry
from jupyter_fpga.compute.sandbox.limits import Limits
from jupyter_fpga.compute.sandbox.programs import Runner
from jupyter_fpga.compute.sandbox.supervisor import uninterrupted
from jupyter_fpga.gateware.manifest import Manifest

__all__ = ("Builds",)


_TRIM_EVERY = 20
"""Builds between two looks at the size of what is kept."""


async def _none_pinned() -> Collection[str]:
    return ()


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
        Awaited for the digests of builds that must stay, whatever their age: those that are, or will be, on boards.
    command
        The program of the stages; see :class:`~jupyter_fpga.compute.builds.stages.Steps`.
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
        pinned: Callable[[], Awaitable[Collection[str]]] = _none_pinned,
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
        self._making_room = asyncio.Lock()
        self._made = 0

    async def prepare(self, progress: Callable[[str], None] | None = None) -> None:
        """Make ready what every build needs: tools that compile themselves once, and the base.

        Parameters
        ----------
        progress
            Gets a sentence when something begins that takes long, and when a part of it is done. The last one always
            says all that is still waited for.

        Raises
        ------
        ToolMissing, BuildFailed
            Nothing can be built on this machine, for the reason given.
        """
        progress = progress or _nothing
        await self.toolchains.warm_up(progress, self._slots)

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
        build = _Build(self.cache, self._recipe(target, sys_clk_freq), on_stage)
        async with self._at_work():
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
        recipe = self._recipe(options.target, options.sys_clk_freq)
        build = _Build(self.cache, recipe, on_stage, on_log, options.use_cache)
        async with self._at_work():
            result, keys = await build.run(source, options)
        replace_file(self._record(result.digest), json.dumps(keys).encode())
        if not all(stage.cached for stage in result.stages):
            self._made += 1
            if self._made % _TRIM_EVERY == 0:
                await self.trim(keep=keys)
        return result

    async def trim(self, keep: Collection[str] = ()) -> int:
        """Bring the kept results down to their size, oldest first; returns the bytes freed.

        Does nothing while something is being built. What is on boards stays, and the bases in use.

        Parameters
        ----------
        keep
            Keys of actions that stay besides.
        """
        async with self._making_room:
            if self._active:
                return 0
            on_boards = {key for digest in await self._pinned() for key in self._keys_of(digest)}
            pinned = on_boards | set(self._folders) | set(keep)
            # To its end, even when the caller is cancelled: the thread can't be stopped.
            return await uninterrupted(asyncio.to_thread(self._trim, pinned))

    def _trim(self, pinned: Collection[str]) -> int:
        freed = self.cache.trim(pinned)
        for folder in self._bases.glob("*"):
            if folder.name not in pinned and not self.cache.knows(folder.name):
                shutil.rmtree(folder, ignore_errors=True)
        for record in self._records.glob("*.json"):
            if not any(self.cache.knows(key) for key in self._keys_of(record.stem)):
                record.unlink()
        return freed

    def _keys_of(self, digest: str) -> list[str]:
        try:
            return [str(key) for key in json.loads(self._record(digest).read_bytes())]
        except (FileNotFoundError, ValueError):
            return []

    def _record(self, digest: str) -> Path:
        return self._records / f"{digest}.json"

    @asynccontextmanager
    async def _at_work(self) -> AsyncIterator[None]:
        # Room isn't made under the feet of a build, and no build begins while room is made.
        async with self._making_room:
            self._active += 1
        try:
            yield
        finally:
            self._active -= 1

    def _base_result(self, base: Entry, stages: list[StageReport]) -> BuildResult:
        manifest = Manifest.from_json(_json(self.cache.path(base, "manifest.json")))
        digest = manifest.digest or base.key
        artifacts = {"bitstream": self.cache.path(base, "simulator")}
        artifacts |= {name: self.cache.path(base, name) for name in ("csr.json", "csr.csv") if name in base.blobs}
        if "lab_base.v" in base.blobs:
            artifacts["top.v"] = self.cache.path(base, "lab_base.v")
        replace_file(self._record(digest), json.dumps([base.key]).encode())
        return BuildResult(digest, replace(manifest, digest=digest), artifacts, stages)

    def _recipe(self, target: str, clock: int | None) -> Recipe:
        return Recipe(self.cache, self._steps, self._slots, target, clock, self._base_folder)

    def _base_folder(self, base: Entry) -> Path:
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


class _Build:
    """One build under way: asks for its stages in order, and tells of them."""

    def __init__(
        self,
        cache: ActionCache,
        recipe: Recipe,
        on_stage: Callable[[StageReport], None],
        on_log: Callable[[str], None] = _nothing,
        use_cache: bool = True,
    ) -> None:
        self._cache = cache
        self._recipe = recipe
        self._on_stage = on_stage
        self._on_log = on_log
        self._use_cache = use_cache
        self.stages: list[StageReport] = []

    async def run(self, source: Source, options: BuildOptions) -> tuple[BuildResult, list[str]]:
        """The build's result, and the keys of the actions that it is made of."""
        recipe, path = self._recipe, self._cache.path
        elaborate = recipe.elaborate(source, options)
        entry = await self._stage("elaborate", elaborate)
        elaborated = await self._elaborated(entry)
        identifier = recipe.identifier(recipe.image(elaborated))
        synthesize = recipe.synthesize(elaborate, elaborated)
        synthesized = await self._stage("synthesize", synthesize, need=tuple(REPORTS.values()))
        compiled = await self._stage("compile", recipe.compile(synthesize, elaborated, identifier, self.base))
        artifacts = {"bitstream": path(compiled, "simulator")}
        artifacts |= {name: path(entry, name) for name in CSR if name in entry.blobs}
        artifacts |= {name: path(synthesized, file) for name, file in REPORTS.items() if file in synthesized.blobs}
        digest = recipe.digest(elaborated)
        manifest = replace(elaborated.manifest, digest=digest, identifier=identifier)
        return BuildResult(digest, manifest, artifacts, self.stages), [entry.key, synthesized.key, compiled.key]

    async def _elaborated(self, entry: Entry) -> Elaborated:
        paths = {name: self._cache.path(entry, name) for name in entry.blobs}
        try:
            return await asyncio.to_thread(read_elaborated, paths, self._recipe.target)
        except Unbelievable as error:
            raise BuildFailed(
                f"What the elaboration left can't be used: {error}. Nothing but the lab itself may write these files; "
                "look for something in the design that does, or that ends Python early.",
                stage="elaborate",
                code="bad_output",
            ) from error

    async def base(self) -> Entry:
        """The base, every file of it checked."""
        return await self._stage("base", self._recipe.base())

    async def _stage(self, stage: Stage, action: Action, need: Collection[str] | None = None) -> Entry:
        loop = asyncio.get_running_loop()
        started = loop.time()
        entry, cached = await self._cache.run(
            action,
            need=need,
            # The base is the lab's own: doing a design again doesn't mean doing that again.
            use_cache=self._use_cache or stage == "base",
            on_begin=lambda: self._on_stage(StageReport(stage, 0.0, False, "running")),
            on_log=self._on_log,
        )
        if stage != "base" or not cached:
            report = StageReport(stage, loop.time() - started, cached)
            self.stages.append(report)
            self._on_stage(report)
        return entry


def _json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_bytes()))
