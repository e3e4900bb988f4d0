"""What each stage of a build is, as an action: its key, and how it is done."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from jupyter_fpga.compute.builds.design import BuildOptions, Source, Stage
from jupyter_fpga.compute.builds.elaborated import ABOUT, MANIFEST, Elaborated
from jupyter_fpga.compute.builds.slots import Slots
from jupyter_fpga.compute.builds.stages import BASE_TARGET, Steps
from jupyter_fpga.compute.cache.results import Action, ActionCache, Entry, Made, action_key
from jupyter_fpga.compute.sandbox.mounts import Mount

__all__ = ("CLOCK_HZ", "CSR", "REPORTS", "Recipe")

CSR = ("csr.json", "csr.csv")
"""Artifacts that the stage ``elaborate`` leaves."""
REPORTS = {"top.v": "top.v", "report": "report.json"}
"""Artifacts that the stage ``synthesize`` leaves, and their files."""
CLOCK_HZ = {"simulated": 12_000_000}
"""System clock of each target when a build doesn't ask for another. The workshop knows them too; a test compares."""

_ELABORATED = ("netlist.il", "netlist.v", ABOUT, MANIFEST, *CSR, "verilog/")
_SYNTHESIZED = ("design.cc", *REPORTS.values())
_RANK: Mapping[Stage, int] = {"base": 0, "compile": 1, "synthesize": 2, "elaborate": 3}
"""Who gets the next free processor: builds that are nearly done first, so that none waits half done."""


class Recipe:
    """The stages for one target and clock.

    Parameters
    ----------
    cache, steps, slots
        Where results are kept, what runs a stage, and turns.
    target, clock
        Kind of board, and its system clock in Hz; the target's own if None.
    base_folder
        Puts the base's files under their own names.
    """

    def __init__(
        self,
        cache: ActionCache,
        steps: Steps,
        slots: Slots,
        target: str,
        clock: int | None,
        base_folder: Callable[[Entry], Path],
    ) -> None:
        self._cache = cache
        self._steps = steps
        self._tools = steps.toolchains
        self._slots = slots
        self._base_folder = base_folder
        self.target = target
        self.clock = clock or CLOCK_HZ.get(target)

    def identifier(self, image: str) -> str:
        """What a board with that image answers when it is asked who it is."""
        return f"jupyter_fpga {self.target} {image[:16]}"

    def image(self, elaborated: Elaborated) -> str:
        """Name of what a board runs: of what the netlist means, and of the base that it is linked with."""
        inputs = {"netlist": elaborated.netlist_digest}
        return action_key("image", self.base().key, inputs, {"target": self.target})

    def digest(self, elaborated: Elaborated) -> str:
        """Name of the build: of its image and its manifest. Equal images may have registers of other names."""
        inputs = {"netlist": elaborated.netlist_digest, "manifest": elaborated.manifest_digest}
        return action_key("build", self.base().key, inputs, {"target": self.target})

    async def _files(self, action: Action, names: Collection[str] | None = None) -> dict[str, Path]:
        """Files of an earlier stage, all if not said which, each checked against its hash."""
        entry, _ = await self._cache.run(action, need=names)
        return {name: self._cache.path(entry, name) for name in (entry.blobs if names is None else names)}

    def base(self) -> Action:
        """The lab's own SoC, compiled, and as an image with an empty window."""
        key = action_key("base", self._tools.compile_version, {}, {"target": self.target, "clock": self.clock})
        request = {"target": self.target, "sys_clk_freq": self.clock, "identifier": self.identifier(key)}

        async def make(folder: Path, say: Callable[[str], None]) -> Made:
            async with self._slots.hold(_RANK["base"]):
                return await self._steps.run(
                    "base", folder, request=request, inputs={}, outputs=["*"], required=["simulator"], say=say
                )

        return Action(key, make)

    def elaborate(self, source: Source, options: BuildOptions) -> Action:
        """Text → netlist, manifest, register map."""
        request = {
            "entry": source.entry,
            "top": options.top,
            "params": dict(options.params),
            "target": self.target,
            "sys_clk_freq": self.clock,
            "probes": list(options.probes),
        }

        async def make(folder: Path, say: Callable[[str], None]) -> Made:
            async with self._slots.hold(_RANK["elaborate"]):
                return await self._steps.run(
                    "elaborate",
                    folder,
                    request=request,
                    inputs={f"source/{name}": content for name, content in source.files.items()},
                    outputs=_ELABORATED,
                    required=[ABOUT, MANIFEST],
                    say=say,
                )

        return Action(action_key("elaborate", self._tools.elaborate_version, {"source": source.digest}, request), make)

    def synthesize(self, elaborate: Action, elaborated: Elaborated) -> Action:
        """Netlist → C++ and reports. It gets what its key names, and nothing else of what the design left."""

        async def make(folder: Path, say: Callable[[str], None]) -> Made:
            inputs = await self._files(elaborate, elaborated.files)
            async with self._slots.hold(_RANK["synthesize"]):
                return await self._steps.run(
                    "synthesize",
                    folder,
                    request=None,
                    inputs=inputs,
                    outputs=_SYNTHESIZED,
                    required=["design.cc"],
                    say=say,
                )

        inputs = {"netlist": elaborated.netlist_digest}
        return Action(action_key("synthesize", self._tools.synthesize_version, inputs, {"target": self.target}), make)

    def compile(self, synthesize: Action, elaborated: Elaborated, identifier: str, base: Callable[[], Any]) -> Action:
        """C++ → simulator.

        Parameters
        ----------
        base
            Awaited for the base's :class:`~jupyter_fpga.compute.cache.results.Entry` when the work is really done.
        """

        async def make(folder: Path, say: Callable[[str], None]) -> Made:
            inputs = await self._files(synthesize)
            base_folder = self._base_folder(await base())
            async with self._slots.hold(_RANK["compile"]):
                return await self._steps.run(
                    "compile",
                    folder,
                    request={"identifier": identifier},
                    inputs=inputs,
                    outputs=["simulator"],
                    required=["simulator"],
                    mounts=[Mount(base_folder, BASE_TARGET)],
                    say=say,
                )

        inputs = {"netlist": elaborated.netlist_digest, "base": self.base().key}
        return Action(action_key("compile", self._tools.compile_version, inputs, {"identifier": identifier}), make)
