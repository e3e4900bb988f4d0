"""From a design to a board's image: the stages in order, each done once for everybody."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_fpga.compute.actions import Compute
from jupyter_fpga.compute.actions.descriptors import Action
from jupyter_fpga.compute.builds.design import BuildFailed, BuildOptions, BuildResult, Source, Stage, StageReport
from jupyter_fpga.compute.builds.elaborated import Elaborated, Unbelievable, read_elaborated
from jupyter_fpga.compute.builds.failures import failure
from jupyter_fpga.compute.builds.functions import COMMAND, LIMITS, BuildFunctions
from jupyter_fpga.compute.builds.places import NETLIST, Sources, line_of, sources_of
from jupyter_fpga.compute.builds.recipe import CSR, RANK, REPORTS, SIMULATED, Recipe
from jupyter_fpga.compute.builds.slots import Slots
from jupyter_fpga.compute.builds.toolchains import Toolchains
from jupyter_fpga.compute.cache import Blob, Entry
from jupyter_fpga.compute.cache.blobs import replace_file
from jupyter_fpga.compute.sandbox import Limits
from jupyter_fpga.errors import LabError
from jupyter_fpga.gateware.manifest import Manifest

__all__ = ("Builds",)


_TRIM_EVERY = 20
"""Builds between two looks at the size of what is kept."""

_LAB = "lab"
"""Owner of what the lab builds for itself."""


async def _none_pinned() -> Collection[str]:
    return ()


def _nothing(*_: object) -> None:
    return None


class Builds:
    """Builds designs for boards.

    Parameters
    ----------
    data_dir
        Folder of the lab; what builds are made of is noted in ``builds`` below it.
    compute
        Where stages are computed.
    toolchains
        What with.
    limits
        What each stage may use.
    pinned
        Awaited for the digests of builds that must stay, whatever their age: those that are, or will be, on boards.
    command
        The program of the stages; see :data:`~jupyter_fpga.compute.builds.functions.COMMAND`.
    """

    def __init__(
        self,
        *,
        data_dir: Path,
        compute: Compute,
        toolchains: Toolchains,
        limits: Mapping[Stage, Limits] = LIMITS,
        pinned: Callable[[], Awaitable[Collection[str]]] = _none_pinned,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self.toolchains = toolchains
        self.compute = compute
        self.cache = compute.cache
        self._bases = data_dir / "cache" / "base"
        self._functions = BuildFunctions(self.cache, toolchains, self._bases, limits, command)
        self._pinned = pinned
        self._records = data_dir / "builds"
        self._active = 0
        self._making_room = asyncio.Lock()
        self._made = 0

    async def offer(self) -> None:
        """Offer the stages as functions of the lab's own worker."""
        await self.compute.install(self._functions)

    async def prepare(
        self, progress: Callable[[str], None] | None = None, targets: Collection[str] = (SIMULATED,)
    ) -> None:
        """Make ready what every build needs: tools that compile themselves once, and what idle boards run.

        Parameters
        ----------
        targets
            The kinds of boards that the lab has.
        progress
            Gets a sentence when something begins that takes long, and when a part of it is done. The last one always
            says all that is still waited for.

        Raises
        ------
        ToolMissing, BuildFailed
            Nothing can be built on this machine, for the reason given.
        """
        progress = progress or _nothing
        await self.toolchains.warm_up(progress, Slots(self.compute.capacity))
        # Not before: what an earlier life of the lab left unfinished goes on at once.
        await self.offer()

        for target in targets:
            whose = "" if target == SIMULATED else f" for {target}"

            def on_stage(report: StageReport, whose: str = whose) -> None:
                if (report.name, report.state) == ("base", "running"):
                    progress(f"Building the lab's own SoC{whose} (once, some seconds).")

            try:
                await self.base(target, on_stage=on_stage)
            except LabError as error:
                if target == SIMULATED:
                    raise
                # One kind of board without tools is no reason for the others to wait; its own resets say the same.
                progress(error.message)
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
        recipe = await self._recipe(target, sys_clk_freq)
        build = _Build(self.compute, self._functions, recipe, on_stage)
        await self._ready_for(recipe, _nothing)
        async with self._at_work():
            base = await build.base()
            image, keys = await build.idle_image(base)
        return await asyncio.to_thread(self._base_result, base, image, keys, build.stages)

    async def build(
        self,
        source: Source,
        options: BuildOptions,
        *,
        owner: str = _LAB,
        priority: int = 0,
        on_stage: Callable[[StageReport], None] = _nothing,
        on_log: Callable[[str], None] = _nothing,
    ) -> BuildResult:
        """Build a design. When the caller is cancelled, its programs are gone before this returns.

        Parameters
        ----------
        owner, priority
            Whose turn it takes on the compute floor, and how urgent it is.
        on_stage
            Gets the beginning and the end of each stage.
        on_log
            Gets the lines that the tools print, also those of a build that is shared with others or was kept.

        Raises
        ------
        BuildFailed
            With the stage, the reason in one sentence, and the place in the person's text.
        """
        recipe = await self._recipe(options.target, options.sys_clk_freq)
        build = _Build(self.compute, self._functions, recipe, on_stage, on_log, options.use_cache, owner, priority)
        if options.verify:
            recipe.check_verifiable()
        await self._ready_for(recipe, on_log, options.verify)
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
            pinned = on_boards | self._functions.bases_in_use | set(keep)
            freed = await self.compute.trim(pinned)
            await asyncio.to_thread(self._tidy, pinned)
            return freed

    def _tidy(self, pinned: Collection[str]) -> None:
        for folder in self._bases.glob("*"):
            if folder.name not in pinned and not self.cache.knows(folder.name):
                shutil.rmtree(folder, ignore_errors=True)
        for record in self._records.glob("*.json"):
            if not any(self.cache.knows(key) for key in self._keys_of(record.stem)):
                record.unlink()

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

    async def _ready_for(self, recipe: Recipe, tell: Callable[[str], None], verify: bool = False) -> None:
        """See that there are tools for the target.

        Raises
        ------
        ToolMissing
            There are none, or one doesn't run here.
        """
        info = self.toolchains.catalog.get(recipe.target)
        if info is not None and info.toolchain in self.toolchains.implementers:
            await self.toolchains.warm_up_for(recipe.target, tell)
        if (vendor := self.toolchains.vendor(recipe.target)) is not None:
            vendor.check(recipe.target)
        if recipe.unpacked or verify:
            self.toolchains.icebox.check(recipe.target)

    def _base_result(
        self, base: Entry, image: Mapping[str, Path], keys: Sequence[str], stages: list[StageReport]
    ) -> BuildResult:
        manifest = Manifest.from_json(_json(self.cache.path(base, "manifest.json")))
        digest = manifest.digest or base.key
        artifacts = {name: self.cache.path(base, name) for name in CSR if name in base.blobs} | dict(image)
        if "lab_base.v" in base.blobs:
            artifacts["top.v"] = self.cache.path(base, "lab_base.v")
        replace_file(self._record(digest), json.dumps([base.key, *keys]).encode())
        return BuildResult(digest, replace(manifest, digest=digest), artifacts, stages)

    async def _recipe(self, target: str, clock: int | None) -> Recipe:
        await self.toolchains.catalog.find(target)
        return Recipe(self.toolchains, self.cache.blobs, target, clock)


class _Build:
    """One build under way: asks for its stages in order, and tells of them."""

    def __init__(
        self,
        compute: Compute,
        functions: BuildFunctions,
        recipe: Recipe,
        on_stage: Callable[[StageReport], None],
        on_log: Callable[[str], None] = _nothing,
        use_cache: bool = True,
        owner: str = _LAB,
        priority: int = 0,
    ) -> None:
        self._compute = compute
        self._cache = compute.cache
        self._functions = functions
        self._recipe = recipe
        self._on_stage = on_stage
        self._on_log = on_log
        self._use_cache = use_cache
        self._owner = owner
        self._priority = priority
        self.stages: list[StageReport] = []
        #: The elaboration of a design, and what it was made of.
        self._origin: tuple[Entry, Source] | None = None

    async def run(self, source: Source, options: BuildOptions) -> tuple[BuildResult, list[str]]:
        """The build's result, and the keys of the actions that it is made of."""
        recipe = self._recipe
        elaborate = recipe.elaborate(source, options)

        async def put_source() -> Action:
            return await asyncio.to_thread(recipe.with_source, elaborate, source)

        elaboration = self._stage("elaborate", elaborate, ready=put_source)
        if recipe.implemented and not options.probes:
            entry = await self._beside_base(elaboration)
        else:
            entry = await elaboration
        elaborated = await self._elaborated(entry)
        self._origin = (entry, source)
        recipe = self._recipe = recipe.with_analyzer(elaborated.manifest.analyzer)
        if options.probes and recipe.implemented:
            await self.base()
        identifier = recipe.identifier(recipe.image(elaborated))
        make = self._bitstream if recipe.implemented else self._simulator
        made, keys = await make(elaborated, entry, identifier, options)
        artifacts = {name: self._cache.path(entry, name) for name in CSR if name in entry.blobs} | made
        digest = recipe.digest(elaborated, options)
        manifest = replace(elaborated.manifest, digest=digest, identifier=identifier)
        sources = await self._sources(artifacts["report"]) if recipe.implemented else {}
        return BuildResult(digest, manifest, artifacts, self.stages, sources), [entry.key, *keys]

    async def _beside_base(self, elaboration: Coroutine[Any, Any, Entry]) -> Entry:
        """An elaboration, and meanwhile what the design is put into; a design that fails doesn't wait for that."""
        base = asyncio.create_task(self.base())
        try:
            entry = await elaboration
            await base
            return entry
        finally:
            if not base.done():
                base.cancel()
                await asyncio.wait({base})

    async def _simulator(
        self, elaborated: Elaborated, entry: Entry, identifier: str, options: BuildOptions
    ) -> tuple[dict[str, Path], list[str]]:
        """A simulated board's image and reports, and the keys of the actions that made them."""
        recipe, path = self._recipe, self._cache.path
        synthesize = recipe.synthesize(elaborated, entry)
        synthesized = await self._stage("synthesize", synthesize, need=tuple(REPORTS.values()))

        async def find_base() -> Action:
            await self.base()
            # All of its files this time: what is to be compiled among them.
            sound = await self._result("synthesize", synthesize)
            return recipe.compile(elaborated, sound, identifier)

        compile = recipe.compile(elaborated, synthesized, identifier)
        compiled = await self._stage("compile", compile, ready=find_base)
        artifacts = {"bitstream": path(compiled, "simulator")}
        artifacts |= {name: path(synthesized, file) for name, file in REPORTS.items() if file in synthesized.blobs}
        return artifacts, [synthesized.key, compiled.key]

    async def _bitstream(
        self, elaborated: Elaborated, entry: Entry, identifier: str, options: BuildOptions
    ) -> tuple[dict[str, Path], list[str]]:
        """A device's image and report, and the keys of the actions that made them."""
        recipe, path = self._recipe, self._cache.path
        map = recipe.map(elaborated, entry, identifier, options)
        mapped = await self._stage("synthesize", map)
        seeds = range(options.seed, options.seed + options.explore)
        places = [recipe.place(map, mapped, options, seed) for seed in seeds]
        place, placed = await self._fastest(places)
        pack = recipe.pack(place, placed)
        packed = await self._stage("pack", pack)
        artifacts = {"bitstream": path(packed, "bitstream"), "report": path(placed, "report.json")}
        if "top.v" in mapped.blobs:
            artifacts["top.v"] = path(mapped, "top.v")
        keys = [mapped.key, placed.key, packed.key]
        if recipe.unpacked or options.verify:
            unpack = recipe.unpack(pack, packed)
            unpacked = await self._stage("unpack", unpack)
            keys.append(unpacked.key)
        if options.verify:
            verify = recipe.verify(elaborated, entry, identifier, unpack, unpacked)
            keys.append((await self._stage("verify", verify)).key)
        if recipe.unpacked:
            compiled = await self._compiled(unpack, unpacked, identifier)
            artifacts["simulator"] = path(compiled, "simulator")
            keys.append(compiled.key)
        return artifacts, keys

    async def _compiled(self, unpack: Action, unpacked: Entry, identifier: str) -> Entry:
        """The program that runs a bitstream."""
        recipe = self._recipe

        async def find_harness() -> Action:
            await _Build(self._compute, self._functions, recipe.harness, self._on_stage).base()
            return recipe.compile_unpacked(unpack, unpacked, identifier)

        compile = recipe.compile_unpacked(unpack, unpacked, identifier)
        return await self._stage("compile", compile, ready=find_harness)

    async def _fastest(self, places: Sequence[Action]) -> tuple[Action, Entry]:
        """Of several placings of one design that which leaves the most time; one that fails is out of the race.

        Raises
        ------
        BuildFailed
            All of them failed; with the reason of the first.
        """
        if len(places) == 1:
            return places[0], await self._stage("place", places[0])
        ends = await asyncio.gather(*(self._stage("place", place) for place in places), return_exceptions=True)
        placed = [(place, end) for place, end in zip(places, ends, strict=True) if isinstance(end, Entry)]
        for end in ends:
            if isinstance(end, BaseException) and (not placed or not isinstance(end, BuildFailed)):
                raise end
        return max(placed, key=lambda pair: _slack(_json(self._cache.path(pair[1], "report.json"))))

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

    async def idle_image(self, base: Entry) -> tuple[dict[str, Path], list[str]]:
        """What an idle board runs, and the keys of the actions that made it besides the base."""
        if not self._recipe.implemented:
            return {"bitstream": self._cache.path(base, "simulator")}, []
        elaborated = await self._elaborated(base)
        made, keys = await self._bitstream(elaborated, base, elaborated.manifest.identifier, BuildOptions())
        return {name: made[name] for name in ("bitstream", "simulator", "report") if name in made}, keys

    async def _stage(
        self,
        stage: Stage,
        action: Action,
        *,
        need: Collection[str] | None = None,
        ready: Callable[[], Awaitable[Action]] | None = None,
    ) -> Entry:
        """The result of a stage, and news of it.

        Parameters
        ----------
        need
            Files that must be sound; all of them if not given.
        ready
            Awaited for the action as it is to be run, when the result isn't there.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        # The base is the lab's own: doing a design again doesn't mean doing that again.
        use_cache = self._use_cache or stage == "base"
        entry = await self._compute.kept(action, need, self._on_log) if use_cache else None
        cached = entry is not None
        if entry is None:
            self._on_stage(StageReport(stage, 0.0, False, "running"))
            entry = await self._perform(stage, await ready() if ready is not None else action, use_cache)
        if stage != "base" or not cached:
            report = StageReport(stage, loop.time() - started, cached)
            self.stages.append(report)
            self._on_stage(report)
        return entry

    async def _result(self, stage: Stage, action: Action) -> Entry:
        """The result of a stage that was told of already."""
        entry = await asyncio.to_thread(self._cache.lookup, action.id)
        return entry if entry is not None else await self._perform(stage, action, True)

    async def _perform(self, stage: Stage, action: Action, use_cache: bool) -> Entry:
        result = await self._compute.perform(
            action,
            owner=_LAB if stage == "base" else self._owner,
            rank=RANK[stage],
            priority=self._priority,
            use_cache=use_cache,
            on_log=self._on_log,
        )
        if not result["ok"]:
            functions, outputs = self._functions, result["outputs"]
            failed = failure(stage, result, functions.limits[stage], functions.required(action), self._path_of)
            if failed.code == "timing_not_met" and "report.json" in outputs:
                failed = failed.at(line_of(await self._sources(self._path_of(outputs["report.json"]))))
            raise failed
        blobs = {name: Blob(**blob) for name, blob in result["outputs"].items()}
        return Entry(action.id, blobs, result["log"], result["seconds"])

    async def _sources(self, report: Path) -> Sources:
        """For each clock, the lines of this very design that the steps of its critical path come from."""
        if self._origin is None:
            return {}
        entry, source = self._origin
        netlist = self._cache.path(entry, NETLIST) if NETLIST in entry.blobs else None
        return await asyncio.to_thread(sources_of, _json(report), netlist, source)

    def _path_of(self, output: Mapping[str, Any]) -> Path:
        return self._cache.blobs.path(Blob(**output))


def _slack(report: Mapping[str, Any]) -> float:
    """How many times as fast as it must be the slowest clock of a placing is."""
    ratios = [clock["fmax_mhz"] / clock["constraint_mhz"] for clock in report["clocks"].values()]
    return min(ratios, default=0.0)


def _json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_bytes()))
