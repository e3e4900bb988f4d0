"""The stages of a build as actions: sandboxed runs of ``python -m jupyter_fpga.gateware``, named by what goes in."""

import json
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jupyter_fpga.compute.builds.design import BuildFailed, Stage
from jupyter_fpga.compute.builds.toolchains import Toolchains
from jupyter_fpga.compute.cache.results import Made
from jupyter_fpga.compute.sandbox.limits import MIB, Limits
from jupyter_fpga.compute.sandbox.mounts import Mount
from jupyter_fpga.compute.sandbox.programs import Finished, Runner
from jupyter_fpga.compute.sandbox.supervisor import Bound
from jupyter_fpga.compute.sandbox.workfolder import BadOutput

__all__ = ("BASE_TARGET", "LIMITS", "Steps", "limits_within")

LIMITS: Mapping[Stage, Limits] = {
    "base": Limits(wall_seconds=300, cpu_seconds=600),
    "elaborate": Limits(wall_seconds=60, cpu_seconds=120, memory_bytes=1024 * MIB, disk_bytes=64 * MIB),
    "synthesize": Limits(wall_seconds=300, cpu_seconds=300),
    "compile": Limits(wall_seconds=300, cpu_seconds=600),
}
"""What each stage may use if the lab isn't told otherwise."""


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


BASE_TARGET = "/base"
"""Where the step ``compile`` finds the base."""

_DESIGN_AT_FAULT = 3
"""Exit code of a step whose ``error.json`` says what is wrong with the design."""

_TITLES: Mapping[Stage, str] = {
    "base": "Building the lab's own SoC",
    "elaborate": "Elaboration",
    "synthesize": "Synthesis",
    "compile": "Compiling the simulator",
}
_TAIL_LINES = 20
_MOST_ERROR_BYTES = 1 << 20
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True)
class Steps:
    """Runs single stages.

    Parameters
    ----------
    runner
        Where they run.
    toolchains
        What they run with.
    limits
        What each may use.
    command
        The program whose only argument is the stage's name.
    """

    runner: Runner
    toolchains: Toolchains
    limits: Mapping[Stage, Limits]
    command: Sequence[str] = (sys.executable, "-P", "-m", "jupyter_fpga.gateware")

    async def run(
        self,
        stage: Stage,
        folder: Path,
        *,
        request: Mapping[str, Any] | None,
        inputs: Mapping[str, bytes | Path],
        outputs: Sequence[str],
        required: Sequence[str],
        mounts: Sequence[Mount] = (),
        say: Callable[[str], None],
    ) -> Made:
        """Run one stage.

        Parameters
        ----------
        folder
            Where its outputs go.
        request
            Content of its ``request.json``.
        inputs, outputs, mounts
            As for :meth:`Runner.run`.
        required
            Outputs without which it has failed.
        say
            Gets its lines.

        Raises
        ------
        BuildFailed
            The design is at fault, a limit was hit, or the tool failed.
        """
        if request is not None:
            inputs = {**inputs, "request.json": json.dumps(request).encode()}
        try:
            finished = await self.runner.run(
                self.toolchains.command([*self.command, stage]),
                limits=self.limits[stage],
                inputs=inputs,
                outputs=[*outputs, "error.json"],
                into=folder,
                mounts=[*self.toolchains.mounts(), *mounts],
                environment={**self.toolchains.environment(), "LAB_BASE": BASE_TARGET},
                on_output=say,
            )
        except BadOutput as error:
            raise BuildFailed(
                f"{_TITLES[stage]} failed: {error.message[0].lower()}{error.message[1:]} Look for something in the "
                "design that makes files of its own; it needs none.",
                stage=stage,
                code=error.code,
            ) from error
        if finished.bound is not None:
            raise _over_limit(stage, finished.bound, self.limits[stage])
        if finished.returncode == _DESIGN_AT_FAULT and "error.json" in finished.outputs:
            raise _design_error(stage, finished.outputs["error.json"], self.limits[stage])
        missing = [name for name in required if name not in finished.outputs]
        if finished.returncode or missing:
            raise _tool_failed(stage, finished, missing)
        files = {name: path for name, path in finished.outputs.items() if name not in ("error.json", "request.json")}
        return Made(files, finished.output_tail.splitlines())


def _over_limit(stage: Stage, bound: Bound, limits: Limits) -> BuildFailed:
    title = _TITLES[stage]
    code, sentence = {
        "time": (
            "time_limit",
            f"{title} ran longer than its limit of {limits.wall_seconds:g} s; look for a loop that never ends, or make "
            "the design smaller.",
        ),
        "cpu": (
            "cpu_limit",
            f"{title} used more than its limit of {limits.cpu_seconds:g} s of processor time; look for a loop that "
            "never ends, or make the design smaller.",
        ),
        "memory": (
            "memory_limit",
            f"{title} used more than its limit of {limits.memory_bytes // MIB} MiB of memory; make the design, or the "
            "tables that it computes, smaller.",
        ),
        "processes": (
            "process_limit",
            f"{title} started more than its limit of {limits.processes} processes and threads; a design needs none of "
            "its own.",
        ),
        "disk": (
            "disk_limit",
            f"{title} wrote more than its limit of {limits.disk_bytes // MIB} MiB of files; a design needs none of its "
            "own.",
        ),
        "files": (
            "file_limit",
            f"{title} made more than its limit of {limits.files} files; a design needs none of its own.",
        ),
        "output": (
            "output_limit",
            f"{title} printed more than its limit of {limits.output_bytes / MIB:g} MiB or {limits.output_lines:,} "
            "lines; print less.",
        ),
    }[bound]
    return BuildFailed(sentence, stage=stage, code=code)


def _design_error(stage: Stage, path: Path, limits: Limits) -> BuildFailed:
    """What a step told in ``error.json``. A stranger's program may have written that, so nothing in it is believed."""
    try:
        if path.stat().st_size > _MOST_ERROR_BYTES:
            raise ValueError("too long")
        told = json.loads(path.read_bytes())
        code, message = told["code"], _text(told["message"], 2000)
        if message is None or not (isinstance(code, str) and _CODE.fullmatch(code)):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError):
        return BuildFailed(
            f"{_TITLES[stage]} failed, and what it said of the reason can't be read.", stage=stage, code="tool_failed"
        )

    if message.startswith("MemoryError"):
        # The kernel refused a single large piece, before the supervisor saw a sum.
        over = _over_limit(stage, "memory", limits)
        code, message = over.code, over.message
    frames = told.get("frames")
    return BuildFailed(
        message,
        stage=stage,
        code=code,
        file=_text(told.get("file"), 255),
        line=_number(told.get("line")),
        column=_number(told.get("column")),
        text=_text(told.get("text"), 1000),
        frames=[frame for told in (frames if isinstance(frames, list) else [])[:50] if (frame := _frame(told))],
    )


def _frame(told: Any) -> dict[str, Any] | None:
    if not isinstance(told, dict):
        return None
    frame: dict[str, Any] = {name: _text(told.get(name), 1000) for name in ("file", "function", "text")}
    frame["line"] = _number(told.get("line"))
    return None if None in frame.values() else frame


def _text(told: Any, longest: int) -> str | None:
    """A text that every database takes: without NULs and halves of surrogate pairs."""
    if not isinstance(told, str):
        return None
    return told[:longest].encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _number(told: Any) -> int | None:
    return told if type(told) is int and 0 < told < 1 << 31 else None


def _tool_failed(stage: Stage, finished: Finished, missing: Sequence[str]) -> BuildFailed:
    words = [line for line in finished.output_tail.splitlines() if line.strip()]
    if finished.returncode - 128 in {int(number) for number in signal.Signals}:
        what = f"its program was ended by {signal.Signals(finished.returncode - 128).name}"
    elif finished.returncode:
        what = f"its program ended with exit code {finished.returncode}"
    else:
        what = f"its program left no {' and no '.join(missing)}"
    if stage == "elaborate":
        what += "; look for something in the design that ends Python by force, such as os._exit"
    last = f" Its last words: {words[-1]}" if words else ""
    return BuildFailed(
        f"{_TITLES[stage]} failed: {what}.{last}",
        stage=stage,
        code="tool_failed",
        tail="\n".join(words[-_TAIL_LINES:]) or None,
    )
