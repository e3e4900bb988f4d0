"""What goes into a build and what comes out of it, as data."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeVar

from jupyter_fpga.errors import Invalid, LabError
from jupyter_fpga.gateware.manifest import Manifest

__all__ = ("BuildFailed", "BuildOptions", "BuildResult", "Place", "Source", "Stage", "StageReport", "image_of")

Artifact = TypeVar("Artifact")

Stage = Literal["base", "elaborate", "synthesize", "compile", "place", "pack", "unpack", "verify"]
"""A step of a build: the lab's own SoC, once; text → netlist; netlist → C++ or the device's cells; then for a simulated
board C++ → simulator, and for a device cells → places and wires → bitstream; where the device is simulated, that
→ C++ → simulator; and on demand a proof that bitstream and netlist behave the same."""


@dataclass(frozen=True)
class Source:
    """A design as it was submitted: one file, or a bundle.

    Parameters
    ----------
    files
        Content by name; names may have folders (``rtl/uart.v``).
    entry
        Name of the file that the build begins with.

    Raises
    ------
    Invalid
        ``bad_name`` or ``bad_entry``: a name that leads out of the bundle, or no file of the entry's name.
    """

    files: Mapping[str, bytes]
    entry: str

    def __post_init__(self) -> None:
        for name in self.files:
            parts = PurePosixPath(name).parts
            if not parts or name != "/".join(parts) or parts[0] == "/" or {"..", "."} & set(parts) or "\0" in name:
                raise Invalid(
                    f"The file name {name!r} leads out of the design's own folder; use plain names such as "
                    "'design.py' or 'rtl/uart.v'.",
                    code="bad_name",
                )
        if self.entry not in self.files:
            raise Invalid(
                f"The design's entry {self.entry!r} is not among its files ({', '.join(sorted(self.files))}).",
                code="bad_entry",
            )

    @property
    def digest(self) -> str:
        """SHA-256 over names and contents, in hex."""
        listing = {name: hashlib.sha256(content).hexdigest() for name, content in self.files.items()}
        return hashlib.sha256(json.dumps([self.entry, listing], sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Place:
    """A line of one of the submitted files, counted from 1."""

    file: str
    line: int


@dataclass(frozen=True)
class BuildOptions:
    """What a build may be told besides the source.

    Parameters
    ----------
    target
        Kind of board.
    top
        Name of the object, class or module that is the design; found by itself if None.
    sys_clk_freq
        System clock in Hz; the target's own if None.
    timing_target_mhz
        Fail when the design is slower. Simulated boards have no timing.
    seed
        Where place and route begins; another one gives another result of about the same quality.
    explore
        Place and route with so many seeds, from ``seed`` on, and keep the fastest result.
    probes
        Names of signals to watch.
    params
        Constructor parameters and module constants, by name.
    use_cache
        Do everything again if false.
    verify
        Simulate the bitstream of an iCE40 beside the netlist, and fail unless both answer the same. Such a bitstream
        has no DSP blocks, which nothing turns back into a netlist.
    """

    target: str = "simulated"
    top: str | None = None
    sys_clk_freq: int | None = None
    timing_target_mhz: float | None = None
    seed: int = 1
    explore: int = 1
    probes: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    use_cache: bool = True
    verify: bool = False


@dataclass(frozen=True)
class StageReport:
    """News of one stage of a build.

    Parameters
    ----------
    name
        See :data:`Stage`.
    seconds
        How long it took, from the caller's point of view.
    cached
        The result was there already.
    state
        ``running`` when work on it begins (not told of a stage whose result is there), ``complete`` at its end.
    """

    name: Stage
    seconds: float
    cached: bool
    state: Literal["running", "complete"] = "complete"


@dataclass(frozen=True)
class BuildResult:
    """A finished build.

    Parameters
    ----------
    digest
        Name of what was built: equal designs have equal ones.
    manifest
        What is inside.
    artifacts
        ``csr.json``, ``csr.csv``, ``top.v``, ``report``, ``bitstream`` (of a board that is simulated from its netlist:
        the simulator) and ``simulator`` (of one that is simulated from its bitstream), as far as there are; read-only
        files of the cache, whose own names mean nothing.
    stages
        In order.
    sources
        Of a bitstream: for each clock, the line that each step of its critical path comes from, as far as it is known.
        The report itself is shared with equal designs, whose lines are others.
    """

    digest: str
    manifest: Manifest
    artifacts: dict[str, Path]
    stages: list[StageReport]
    sources: dict[str, list[Place | None]] = field(default_factory=dict)

    @property
    def image(self) -> Path:
        """What a board is programmed with."""
        return image_of(self.artifacts)


def image_of(artifacts: Mapping[str, Artifact]) -> Artifact:
    """Which of a build's artifacts a board is programmed with."""
    return artifacts.get("simulator") or artifacts["bitstream"]


class BuildFailed(LabError):
    """A build that came to no result.

    Parameters
    ----------
    stage
        Where it failed.
    code
        The design's own error (``syntax_error``, ``no_top`` …), a limit (``time_limit``, ``cpu_limit``,
        ``memory_limit``, ``process_limit``, ``disk_limit``, ``file_limit``, ``output_limit``), or ``tool_failed``.
    file, line, column, text
        The place in the submitted text, if there is one; lines and columns count from 1.
    frames
        The person's own calls that led there, outermost first.
    tail
        The tool's last lines, for ``tool_failed``.
    """

    default_code = "build_failed"

    def __init__(
        self,
        message: str,
        *,
        stage: Stage,
        code: str,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        text: str | None = None,
        frames: list[dict[str, Any]] | None = None,
        tail: str | None = None,
    ) -> None:
        facts = {"file": file, "line": line, "column": column, "text": text, "frames": frames or None, "tail": tail}
        known = {name: fact for name, fact in facts.items() if fact is not None}
        super().__init__(message, code=code, detail={"stage": stage, "reason": message, **known})
        self.stage: Stage = stage
        self.reason = message
        self.file = file
        self.line = line
        self.column = column
        self.text = text
        self.frames = frames or []

    def at(self, place: Place | None) -> "BuildFailed":
        """The same error, about that line."""
        if place is None:
            return self
        return BuildFailed(self.reason, stage=self.stage, code=self.code, file=place.file, line=place.line)
