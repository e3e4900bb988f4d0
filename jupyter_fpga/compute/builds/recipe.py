"""What each stage of a build is, as an action: which function, of which inputs, under which name."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from jupyter_fpga.compute.actions.descriptors import Action, Content
from jupyter_fpga.compute.builds.design import BuildOptions, Source, Stage
from jupyter_fpga.compute.builds.elaborated import Elaborated
from jupyter_fpga.compute.builds.toolchains import Toolchains
from jupyter_fpga.compute.cache import BlobStore, Entry, action_key
from jupyter_fpga.errors import Invalid
from jupyter_fpga.gateware.manifest import Analyzer

__all__ = ("CSR", "RANK", "REPORTS", "SIMULATED", "Recipe", "function_version")

CSR = ("csr.json", "csr.csv", "analyzer.csv")
"""Artifacts that the stage ``elaborate`` leaves."""
REPORTS = {"top.v": "top.v", "report": "report.json"}
"""Artifacts that the stage ``synthesize`` leaves, and their files."""
SIMULATED = "simulated"
"""The target whose boards run a netlist; all others' images begin as bitstreams."""

VERIFY_SEED, VERIFY_ROUNDS = 1, 500
"""What a verification asks beyond reading everything once: so many accesses at random, always the same."""

RANK: Mapping[Stage, int] = {
    "base": 8,
    "verify": 7,
    "unpack": 6,
    "pack": 5,
    "place": 4,
    "compile": 3,
    "synthesize": 2,
    "elaborate": 1,
}
"""Who is served first: builds that are nearly done, so that none waits half done."""


def function_version(tools: Toolchains, stage: Stage) -> str:
    """The version of a stage as a function: another one for another state of the tools that it uses."""
    digest = {
        "base": tools.compile_version,
        "elaborate": tools.elaborate_version,
        "synthesize": tools.synthesize_version,
        "compile": tools.compile_version,
        "place": tools.implement_version,
        "pack": tools.implement_version,
        "unpack": tools.unpack_version,
        "verify": tools.verify_version,
    }[stage]
    return str(uuid.UUID(hex=digest[:32]))


class Recipe:
    """The stages for one target and clock.

    Parameters
    ----------
    tools
        What they are run with.
    blobs
        Where contents are.
    target, clock
        Kind of board, and its system clock in Hz; the target's own if None.
    analyzer
        What the base has beside the window, for a design with probes.
    """

    def __init__(
        self, tools: Toolchains, blobs: BlobStore, target: str, clock: int | None, analyzer: Analyzer | None = None
    ) -> None:
        self._tools = tools
        self._blobs = blobs
        self.target = target
        self.analyzer = analyzer
        info = tools.catalog.get(target)
        self.clock = clock or (info.clock_hz if info is not None else None)
        self._family = info.toolchain if info is not None else None
        #: Whether designs are placed and routed.
        self.implemented = info.implemented if info is not None else target != SIMULATED
        #: Whether the bitstream that this gives is simulated.
        self.unpacked = self.implemented and info is not None and info.simulated

    def check_verifiable(self) -> None:
        """See that bitstreams of the target can be simulated.

        Raises
        ------
        Invalid
            ``not_verifiable``: they can't.
        """
        if not self.implemented or self._family not in (None, "ice40"):
            raise Invalid(
                f"A build for the target {self.target} can't be verified: only bitstreams of iCE40 devices can be "
                "simulated. Build it for another target, or without verify.",
                code="not_verifiable",
            )

    def with_analyzer(self, analyzer: Analyzer | None) -> "Recipe":
        """The same with the base that a design with these probes needs; each width and depth is made once."""
        return Recipe(self._tools, self._blobs, self.target, self.clock, analyzer)

    @property
    def harness(self) -> "Recipe":
        """The recipe whose base has what every simulation is linked with."""
        return Recipe(self._tools, self._blobs, SIMULATED, None)

    def identifier(self, image: str) -> str:
        """What a board with that image answers when it is asked who it is."""
        return f"jupyter_fpga {self.target} {image[:16]}"

    def image(self, elaborated: Elaborated) -> str:
        """Name of what a board runs: of what the netlist means, and of the base that it is linked with."""
        inputs = {"netlist": elaborated.netlist_digest}
        return action_key("image", self.base().id, inputs, {"target": self.target})

    def digest(self, elaborated: Elaborated, options: BuildOptions) -> str:
        """Name of the build: of its image and its manifest. Equal images may have registers of other names."""
        inputs = {"netlist": elaborated.netlist_digest, "manifest": elaborated.manifest_digest}
        about: dict[str, Any] = {"target": self.target}
        if self.implemented:
            # These change where everything is, and with it the bytes of the bitstream.
            about |= {name: getattr(options, name) for name in ("timing_target_mhz", "seed", "explore", "verify")}
        return action_key("build", self.base().id, inputs, about)

    def base(self) -> Action:
        """The lab's own SoC, compiled, and as an image with an empty window."""
        about: dict[str, Any] = {"target": self.target, "clock": self.clock}
        wanted: dict[str, Any] = {}
        if self.analyzer is not None:
            # Which signals it watches is no matter of the base.
            wanted["analyzer"] = {"width": self.analyzer.width, "depth": self.analyzer.depth}
        about |= wanted
        version = self._tools.synthesize_version if self.implemented else self._tools.compile_version
        key = action_key("base", version, {}, about)
        request = {"target": self.target, "sys_clk_freq": self.clock, "identifier": self.identifier(key)}
        return self._action("base", key, {}, request | wanted)

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
        key = action_key("elaborate", self._tools.elaborate_version, {"source": source.digest}, request)
        return self._action("elaborate", key, {}, request)

    def with_source(self, elaborate: Action, source: Source) -> Action:
        """The action of :meth:`elaborate` with its inputs, which are put where the program will find them."""
        inputs = {}
        for name, content in source.files.items():
            blob = self._blobs.put(content)
            inputs[f"source/{name}"] = Content(blob.hash, blob.size)
        return self._action("elaborate", elaborate.id, inputs, elaborate.constants)

    def synthesize(self, elaborated: Elaborated, entry: Entry) -> Action:
        """Netlist → C++ and reports. It gets what its name says, and nothing else of what the design left."""
        inputs = {"netlist": elaborated.netlist_digest}
        key = action_key("synthesize", self._tools.synthesize_version, inputs, {"target": self.target})
        return self._action("synthesize", key, _contents(entry, elaborated.files), {})

    def compile(self, elaborated: Elaborated, synthesized: Entry, identifier: str) -> Action:
        """C++ → simulator."""
        base = self.base().id
        inputs = {"netlist": elaborated.netlist_digest, "base": base}
        key = action_key("compile", self._tools.compile_version, inputs, {"identifier": identifier})
        request = {"identifier": identifier, "base": base}
        return self._action("compile", key, _contents(synthesized, ["design.cc"]), request)

    def map(self, elaborated: Elaborated, entry: Entry, identifier: str, options: BuildOptions) -> Action:
        """Netlist → the whole SoC in the device's cells: ``synthesize`` for a real board."""
        base = self.base().id
        request: dict[str, Any] = {"target": self.target, "identifier": identifier, "base": base}
        if elaborated.manifest.form == "litex_soc":
            request["pins"] = [pin.to_json() for pin in elaborated.manifest.pins]
        if self.analyzer is not None:
            request["probes"] = self.analyzer.room
        if options.verify:
            request["dsp"] = False
        inputs = {"netlist": elaborated.netlist_digest}
        key = action_key("map", self._tools.synthesize_version, inputs, request)
        return self._action("synthesize", key, _contents(entry, elaborated.files), request)

    def place(self, mapped: Action, entry: Entry, options: BuildOptions, seed: int) -> Action:
        """Cells → places and wires."""
        request = {
            "target": self.target,
            "clock_hz": self.clock,
            "timing_target_mhz": options.timing_target_mhz,
            "seed": seed,
        }
        key = action_key("place", self._tools.implement_version, {"design": mapped.id}, request)
        return self._action("place", key, _contents(entry, ["design.json"]), request)

    def pack(self, placed: Action, entry: Entry) -> Action:
        """Places and wires → bitstream."""
        request = {"target": self.target}
        key = action_key("pack", self._tools.implement_version, {"placed": placed.id}, request)
        return self._action("pack", key, _contents(entry, ["placed"]), request)

    def unpack(self, packed: Action, entry: Entry) -> Action:
        """Bitstream → C++, whatever it was made from."""
        request = {"target": self.target, "clock_hz": self.clock}
        inputs = {"bitstream": entry.blobs["bitstream"].hash}
        key = action_key("unpack", self._tools.unpack_version, inputs, request)
        return self._action("unpack", key, _contents(entry, ["bitstream"]), request)

    def compile_unpacked(self, unpacked: Action, entry: Entry, identifier: str) -> Action:
        """C++ → simulator, with the harness that is in the base of boards that are simulated from their netlist."""
        base = self.harness.base().id
        request = {"identifier": identifier, "base": base}
        key = action_key("compile", self._tools.compile_version, {"unpacked": unpacked.id}, request)
        return self._action("compile", key, _contents(entry, ["design.cc"]), request)

    def verify(self, elaborated: Elaborated, entry: Entry, identifier: str, unpack: Action, unpacked: Entry) -> Action:
        """Netlist and bitstream, asked the same."""
        base = self.base().id
        request: dict[str, Any] = {
            "target": self.target,
            "clock_hz": self.clock,
            "identifier": identifier,
            "base": base,
            "seed": VERIFY_SEED,
            "rounds": VERIFY_ROUNDS,
        }
        if elaborated.manifest.form == "litex_soc":
            request["pins"] = [pin.to_json() for pin in elaborated.manifest.pins]
        if self.analyzer is not None:
            request["probes"] = self.analyzer.room
        inputs = {"netlist": elaborated.netlist_digest, "manifest": elaborated.manifest_digest, "unpacked": unpack.id}
        key = action_key("verify", self._tools.verify_version, inputs, request)
        contents = _contents(entry, [*elaborated.files, "manifest.json"]) | _contents(unpacked, ["design.cc"])
        return self._action("verify", key, contents, request)

    def _action(self, stage: Stage, key: str, inputs: Mapping[str, Content], constants: Mapping[str, Any]) -> Action:
        return Action(stage, function_version(self._tools, stage), inputs, constants, key=key)


def _contents(entry: Entry, names: Collection[str]) -> dict[str, Content]:
    blobs = {name: entry.blobs[name] for name in names}
    return {name: Content(blob.hash, blob.size) for name, blob in blobs.items()}
