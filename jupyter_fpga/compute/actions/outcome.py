"""What came of a run: the result that is stored, and whether it may be given to the next who asks."""

from dataclasses import asdict
from typing import Any

from jupyter_fpga.compute.cache import ActionCache, Entry, Made
from jupyter_fpga.compute.runners import Task
from jupyter_fpga.compute.sandbox import BadOutput, Bound, Finished, Limits

__all__ = ("bad_output", "kept_result", "result_of")

MIB = 1 << 20


def kept_result(entry: Entry) -> dict[str, Any]:
    """The stored result of an action whose files are in the cache."""
    outputs = {name: asdict(blob) for name, blob in entry.blobs.items()}
    return {"ok": True, "exit_code": 0, "value": None, "outputs": outputs, "log": entry.log, "seconds": entry.seconds}


def result_of(cache: ActionCache, key: str, task: Task, finished: Finished) -> dict[str, Any]:
    """Keep a run's files and give its result.

    A run that went well is kept for everybody. One in which the function failed, or hit a bound, is this action's
    result, but not the next one's: it may go better on a machine with less to do.
    """
    log = finished.output_tail.splitlines()
    files = {name.removeprefix(task.results): path for name, path in finished.outputs.items()}
    missing = [name for name in task.required if name not in files]
    facts = {"cpu_seconds": round(finished.cpu_seconds, 3), "peak_bytes": finished.peak_bytes}
    if finished.bound is None and finished.returncode == 0 and not missing:
        good = {name: path for name, path in files.items() if name not in task.scrap}
        entry = cache.keep(key, Made(good, log), finished.seconds)
        return {**kept_result(entry), **facts}
    error: dict[str, Any] | None = None
    if finished.bound is not None:
        error = {"error": f"{finished.bound}_limit", "message": over(finished.bound, task.limits)}
    elif missing and finished.returncode == 0:
        error = {"error": "output_missing", "message": f"The program left no {' and no '.join(missing)}."}
    return {
        "ok": False,
        "exit_code": finished.returncode,
        "value": None,
        "outputs": {name: asdict(cache.blobs.add(path)) for name, path in files.items()},
        "log": log,
        "bound": finished.bound,
        "error": error,
        "seconds": finished.seconds,
        **facts,
    }


def bad_output(error: BadOutput) -> dict[str, Any]:
    """The result of a run that left something else than plain files."""
    facts = {"error": error.code, "message": error.message}
    return {"ok": False, "exit_code": None, "value": None, "outputs": {}, "log": [], "error": facts, "seconds": 0.0}


def over(bound: Bound, limits: Limits) -> str:
    """The sentence that names the bound that was hit."""
    return {
        "time": f"The program ran longer than its limit of {limits.wall_seconds:g} s.",
        "cpu": f"The program used more than its limit of {limits.cpu_seconds:g} s of processor time.",
        "memory": f"The program used more than its limit of {limits.memory_bytes // MIB} MiB of memory.",
        "processes": f"The program started more than its limit of {limits.processes} processes and threads.",
        "disk": f"The program wrote more than its limit of {limits.disk_bytes // MIB} MiB of files.",
        "files": f"The program made more than its limit of {limits.files} files.",
        "output": (
            f"The program printed more than its limit of {limits.output_bytes / MIB:g} MiB or "
            f"{limits.output_lines:,} lines."
        ),
    }[bound]
