"""A worker as a person describes it: programs and files by their paths on this machine."""

import hashlib
import json
import os
import re
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_fpga.client.errors import Invalid, NotFound

from .contents import Content, Given, read_contents

__all__ = ("described", "find_function", "find_worker", "load_descriptor")

_HASH = re.compile(r"[0-9a-f]{64}")
#: Digits of an id from which on it may be given in part.
_FEWEST = 6


def load_descriptor(path: str | Path) -> tuple[dict[str, Any], Path]:
    """A descriptor from a JSON file, and the folder that the paths in it are relative to.

    Raises
    ------
    Invalid
        ``worker_rejected``
    """
    try:
        told = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise Invalid(
            f"The worker's descriptor “{path}” can't be read: {error.strerror}.", code="worker_rejected"
        ) from None
    except ValueError as error:
        raise Invalid(f"The worker's descriptor “{path}” is not JSON: {error}.", code="worker_rejected") from None
    if not isinstance(told, dict):
        raise Invalid(f"The worker's descriptor “{path}” must be a JSON object.", code="worker_rejected")
    return told, Path(path).parent


async def described(told: Mapping[str, Any], folder: Path) -> tuple[dict[str, Any], dict[str, Content]]:
    """The descriptor as the lab takes it, and its contents by hash.

    Parameters
    ----------
    told
        As in the contract, but that programs and files may be given as paths (relative ones from ``folder`` on) or
        bytes, and functions by their names: then their version is made of the worker's contents, so that another
        program is another version.
    """
    contents: dict[str, Content] = {}
    descriptor = dict(told)
    for part, what in (("executables", "Program"), ("files", "File")):
        given = descriptor.get(part, {})
        if not isinstance(given, Mapping):
            raise Invalid(
                f"The worker's descriptor can't be taken: “{part}” must be an object of paths in the sandbox, each "
                "with a file of this machine.",
                code="worker_rejected",
            )
        here: dict[str, Given] = {
            name: source if isinstance(source, bytes) else folder / source
            for name, source in given.items()
            if isinstance(source, bytes | os.PathLike) or (isinstance(source, str) and not _HASH.fullmatch(source))
        }
        read = await read_contents(here, what)
        contents |= {content.hash: content for content in read.values()}
        descriptor[part] = {**given, **{name: content.hash for name, content in read.items()}}
    functions = descriptor.get("functions")
    if isinstance(functions, Sequence) and not isinstance(functions, str):
        version = _version(descriptor)
        descriptor["functions"] = [
            {"name": function, "version": version} if isinstance(function, str) else function for function in functions
        ]
    return descriptor, contents


def _version(descriptor: Mapping[str, Any]) -> str:
    parts = {part: descriptor.get(part, {}) for part in ("executables", "files", "environment")}
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"jupyter_fpga:worker:{digest}"))


def find_worker(workers: Sequence[Mapping[str, Any]], asked: str) -> str:
    """The id of the worker with this name (the newest), id, or beginning of an id.

    Raises
    ------
    NotFound
        ``worker_not_found``
    Invalid
        ``worker_ambiguous``
    """
    for worker in reversed(workers):
        if asked in (worker["worker"], worker["name"]):
            return str(worker["worker"])
    found = [worker for worker in workers if len(asked) >= _FEWEST and worker["worker"].startswith(asked)]
    if len(found) > 1:
        raise Invalid(f"Several workers' ids begin with “{asked}”; give more of it.", code="worker_ambiguous")
    if not found:
        names = ", ".join(f"“{name}”" for name in dict.fromkeys(worker["name"] for worker in workers))
        raise NotFound(
            f"There is no worker “{asked}”; there are {names}. `jupyter fpga workers` lists them with their ids.",
            code="worker_not_found",
        )
    return str(found[0]["worker"])


def find_function(workers: Sequence[Mapping[str, Any]], function: str, worker: str | None) -> tuple[str, str]:
    """The newest version of a function that there is, and who has it.

    Parameters
    ----------
    worker
        Only this one's; all when ``None``.

    Raises
    ------
    Invalid
        ``function_unknown``
    """
    among = [one for one in workers if worker in (None, one["worker"])]
    for one in reversed(among):
        for known in one["functions"]:
            if known["name"] == function:
                return str(known["version"]), str(one["worker"])
    names = sorted({known["name"] for one in among for known in one["functions"]})
    listed = ", ".join(f"“{name}”" for name in names) or "none"
    where = "This lab" if worker is None else f"Worker “{among[0]['name']}”"
    raise Invalid(
        f"{where} has no function “{function}”; there {'is' if len(names) == 1 else 'are'} {listed}. "
        "`jupyter fpga workers` lists who has which.",
        code="function_unknown",
        detail={"function": function, "known": names},
    )
