"""Tasks, results and errors as plain data, for a runner in another process."""

import base64
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jupyter_fpga.compute.runners.base import RunnerVanished, Task
from jupyter_fpga.compute.sandbox import BadOutput, Finished, Limits, Mount, Sandbox, SandboxError
from jupyter_fpga.errors import LabError

__all__ = (
    "error_from",
    "error_to",
    "finished_from",
    "finished_to",
    "sandbox_from",
    "sandbox_to",
    "task_from",
    "task_to",
)

_ERRORS: Mapping[str, type[LabError]] = {kind.__name__: kind for kind in (SandboxError, BadOutput, RunnerVanished)}


def task_to(task: Task) -> dict[str, Any]:
    """A task as JSON."""
    inputs = {
        name: {"path": str(content)} if isinstance(content, Path) else {"bytes": base64.b64encode(content).decode()}
        for name, content in task.inputs.items()
    }
    mounts = [_mount_to(mount) for mount in task.mounts]
    return {**vars(task), "limits": asdict(task.limits), "inputs": inputs, "mounts": mounts}


def task_from(data: Mapping[str, Any]) -> Task:
    """The task that :func:`task_to` made data of."""
    inputs = {
        name: Path(content["path"]) if "path" in content else base64.b64decode(content["bytes"])
        for name, content in data["inputs"].items()
    }
    facts: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    mounts = tuple(map(_mount_from, data["mounts"]))
    return Task(**{**facts, "limits": Limits(**data["limits"]), "inputs": inputs, "mounts": mounts})


def finished_to(finished: Finished) -> dict[str, Any]:
    """How a program ended, as JSON; the outputs stay where they are."""
    facts = {name: value for name, value in vars(finished).items() if name != "outputs"}
    return {**facts, "outputs": {name: str(path) for name, path in finished.outputs.items()}}


def finished_from(data: Mapping[str, Any]) -> Finished:
    """What :func:`finished_to` made data of."""
    return Finished(**{**data, "outputs": {name: Path(path) for name, path in data["outputs"].items()}})


def error_to(error: LabError | OSError) -> dict[str, Any]:
    """An error as JSON."""
    if isinstance(error, OSError):
        return {"kind": "OSError", "number": error.errno, "message": error.strerror}
    kind = next((name for name, kind in _ERRORS.items() if isinstance(error, kind)), "LabError")
    return {"kind": kind, "code": error.code, "message": error.message, "detail": error.detail}


def error_from(data: Mapping[str, Any]) -> LabError | OSError:
    """The error that :func:`error_to` made data of."""
    if data["kind"] == "OSError":
        return OSError(data["number"], data["message"])
    kind = _ERRORS.get(data["kind"], LabError)
    return kind(data["message"], code=data["code"], detail=data["detail"])


def sandbox_to(sandbox: Sandbox) -> dict[str, Any]:
    """The walls that the lab found, so that its runners needn't look for them again."""
    facts = {name: value for name, value in vars(sandbox).items() if name != "choose"}
    return {**facts, "python_mounts": [_mount_to(mount) for mount in sandbox.python_mounts]}


def sandbox_from(data: Mapping[str, Any]) -> Sandbox:
    """The walls that :func:`sandbox_to` made data of."""
    return Sandbox(**{**data, "python_mounts": list(map(_mount_from, data["python_mounts"]))})


def _mount_to(mount: Mount) -> list[Any]:
    return [str(mount.source), mount.target, mount.writable]


def _mount_from(data: list[Any]) -> Mount:
    return Mount(Path(data[0]), data[1], data[2])
