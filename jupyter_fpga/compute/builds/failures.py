"""What went wrong in a stage of a build, in a sentence for the person whose design it is."""

import json
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_fpga.compute.builds.design import BuildFailed, Stage
from jupyter_fpga.compute.sandbox import MIB, Bound, Limits

__all__ = ("failure",)

_DESIGN_AT_FAULT = 3
"""Exit code of a step whose ``error.json`` says what is wrong with the design."""

_TITLES: Mapping[Stage, str] = {
    "base": "Building the lab's own SoC",
    "elaborate": "Elaboration",
    "synthesize": "Synthesis",
    "compile": "Compiling the simulator",
    "place": "Place and route",
    "pack": "Packing the bitstream",
}
_TAIL_LINES = 20
_MOST_ERROR_BYTES = 1 << 20
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")


def failure(
    stage: Stage,
    result: Mapping[str, Any],
    limits: Limits,
    required: Sequence[str],
    path: Callable[[Mapping[str, Any]], Path],
) -> BuildFailed:
    """What a build fails with when the result of a stage isn't good.

    Parameters
    ----------
    result
        The stage's result as the compute floor tells it.
    limits
        What it was allowed.
    required
        Outputs without which it has failed.
    path
        Where an output's content is.
    """
    error, outputs = result.get("error") or {}, result["outputs"]
    if error.get("error") == "bad_output":
        message = str(error["message"])
        return BuildFailed(
            f"{_TITLES[stage]} failed: {message[0].lower()}{message[1:]} Look for something in the "
            "design that makes files of its own; it needs none.",
            stage=stage,
            code="bad_output",
        )
    if result.get("bound") is not None:
        return _over_limit(stage, result["bound"], limits)
    if result["exit_code"] == _DESIGN_AT_FAULT and "error.json" in outputs:
        return _design_error(stage, path(outputs["error.json"]), limits)
    return _tool_failed(stage, result, [name for name in required if name not in outputs])


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


def _tool_failed(stage: Stage, result: Mapping[str, Any], missing: Sequence[str]) -> BuildFailed:
    code: int = result["exit_code"]
    words = [line for line in result["log"] if line.strip()]
    if code - 128 in {int(number) for number in signal.Signals}:
        what = f"its program was ended by {signal.Signals(code - 128).name}"
    elif code:
        what = f"its program ended with exit code {code}"
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
