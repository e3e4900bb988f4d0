"""Actions, workers and queues as people describe them: JSON in, checked data out, and the digests that name them."""

import hashlib
import json
import platform
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from jupyter_fpga.compute.actions import refusals
from jupyter_fpga.compute.actions.config import QueueConfig
from jupyter_fpga.errors import Invalid

__all__ = ("HOST", "Action", "Content", "WorkerDescriptor", "check_hash", "read_action", "read_queue", "read_worker")

HOST = f"{platform.system().lower()}-{platform.machine()}"
"""Kind of machine that this lab's runners are: ``linux-x86_64``."""

_HASH = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}")
_MOST_NAMES = 1024
_MOST_CONSTANTS = 64 * 1024
_MOST_SIZE = 1 << 40
_MOST_PRIORITY = 1_000_000


@dataclass(frozen=True)
class Content:
    """A chunk as an action names it: SHA-256 in hex, and size in bytes."""

    hash: str
    size: int


@dataclass(frozen=True)
class Action:
    """One pure function, applied.

    Parameters
    ----------
    function, version
        What is to be computed, and by which state of it.
    inputs
        Contents by name.
    constants
        JSON-able values.
    key
        The action's identity where it isn't that of its contents: the lab's own builds leave out of it what makes no
        difference.
    """

    function: str
    version: str
    inputs: Mapping[str, Content] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None

    @cached_property
    def id(self) -> str:
        """The digest that names the action: equal ones are computed once."""
        if self.key is not None:
            return self.key
        inputs = {name: [content.hash, content.size] for name, content in self.inputs.items()}
        text = json.dumps([1, self.function, self.version, inputs, dict(self.constants)], sort_keys=True)
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()

    def as_request(self) -> dict[str, Any]:
        """What is stored of it, besides function and version."""
        inputs = {name: {"hash": content.hash, "size": content.size} for name, content in self.inputs.items()}
        return {"inputs": inputs, "constants": dict(self.constants)}


@dataclass(frozen=True)
class WorkerDescriptor:
    """A set of functions and the programs that implement them.

    Parameters
    ----------
    name
        For people.
    functions
        Pairs of name and version.
    executables, files
        Chunks by the relative path at which the functions find them, below ``/worker``. The executable of the
        function's name, whatever its folder, is started, or else the first in the order of their paths. It gets the
        function's name as its argument, finds ``request.json`` and ``inputs/`` in its work folder, and what it leaves
        in ``outputs/`` is the result.
    environment
        Environment variables.
    cores
        Processors that a call is meant for; bounds its processor time.
    memory_mb, timeout_seconds
        Memory and time that a call may use.
    host
        Kind of machine that the executables are for.
    """

    name: str
    functions: tuple[tuple[str, str], ...]
    executables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    cores: int = 1
    memory_mb: int = 1024
    timeout_seconds: float = 60.0
    host: str = HOST

    @cached_property
    def id(self) -> str:
        """Digest of all of it."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()

    def program(self, function: str) -> str:
        """Path of the executable that computes a function."""
        paths = sorted(self.executables)
        return next((path for path in paths if path.rpartition("/")[2] == function), paths[0])

    def as_json(self) -> dict[str, Any]:
        """The descriptor as people give it."""
        return {
            "name": self.name,
            "functions": [{"name": name, "version": version} for name, version in self.functions],
            "executables": dict(self.executables),
            "files": dict(self.files),
            "environment": dict(self.environment),
            "cores": self.cores,
            "memory_mb": self.memory_mb,
            "timeout_seconds": self.timeout_seconds,
            "host": self.host,
        }


def check_hash(hash: object) -> str:
    """``hash``, if it is a SHA-256 in hex; ``Invalid`` with the code ``hash_rejected`` if not."""
    if not isinstance(hash, str) or not _HASH.fullmatch(hash):
        raise refusals.hash_rejected(str(hash))
    return hash


def read_action(told: Mapping[str, Any]) -> tuple[Action, int, bool]:
    """An action from JSON: the action, its priority, and whether a kept result will do.

    Raises
    ------
    Invalid
        ``action_rejected``, ``hash_rejected``.
    """
    known = {"function", "function_version", "inputs", "constants", "priority", "cache"}
    if not isinstance(told, Mapping):
        raise refusals.action_rejected(f"it must be a JSON object; got {_kind(told)}.")
    if unknown := sorted(set(told) - known):
        raise refusals.action_rejected(f"it has no field “{unknown[0]}”; the fields are {', '.join(sorted(known))}.")
    function = told.get("function")
    if not isinstance(function, str) or not _NAME.fullmatch(function):
        raise refusals.action_rejected(f"“function” must be the name of a function; got {_shown(function)}.")
    version = _version(told.get("function_version"), refusals.action_rejected)
    constants = told.get("constants", {})
    if not isinstance(constants, Mapping):
        raise refusals.action_rejected(f"“constants” must be a JSON object; got {_kind(constants)}.")
    try:
        size = len(json.dumps(constants, allow_nan=False))
    except (TypeError, ValueError):
        raise refusals.action_rejected("“constants” must be JSON without NaN and infinities.") from None
    if size > _MOST_CONSTANTS:
        raise refusals.action_rejected(
            f"“constants” may have {_MOST_CONSTANTS} bytes as JSON, and has {size}; send large values as inputs."
        )
    priority = told.get("priority", 0)
    if type(priority) is not int or abs(priority) > _MOST_PRIORITY:
        raise refusals.action_rejected(
            f"“priority” must be a whole number of at most {_MOST_PRIORITY:,}; got {_shown(priority)}."
        )
    cache = told.get("cache", "use")
    if cache not in ("use", "skip"):
        raise refusals.action_rejected(f"“cache” must be “use” or “skip”; got {_shown(cache)}.")
    return Action(function, version, _inputs(told.get("inputs", {})), dict(constants)), priority, cache == "use"


def _inputs(told: Any) -> dict[str, Content]:
    if not isinstance(told, Mapping):
        raise refusals.action_rejected(f"“inputs” must be a JSON object; got {_kind(told)}.")
    if len(told) > _MOST_NAMES:
        raise refusals.action_rejected(f"“inputs” may have {_MOST_NAMES} names, and has {len(told)}.")
    inputs = {}
    for name, content in told.items():
        _check_path(name, "input", refusals.action_rejected)
        if not isinstance(content, Mapping) or set(content) != {"hash", "size"}:
            raise refusals.action_rejected(f"input “{name}” must have “hash” and “size”.")
        size = content["size"]
        if type(size) is not int or not 0 <= size <= _MOST_SIZE:
            raise refusals.action_rejected(f"the size of input “{name}” must be a number of bytes; got {_shown(size)}.")
        inputs[name] = Content(check_hash(content["hash"]), size)
    return inputs


def read_worker(told: Mapping[str, Any]) -> WorkerDescriptor:
    """A worker's descriptor from JSON.

    Raises
    ------
    Invalid
        ``worker_rejected``, ``hash_rejected``.
    """
    rejected = refusals.worker_rejected
    known = set(WorkerDescriptor("", ()).as_json())
    if not isinstance(told, Mapping):
        raise rejected(f"it must be a JSON object; got {_kind(told)}.")
    if unknown := sorted(set(told) - known):
        raise rejected(f"it has no field “{unknown[0]}”; the fields are {', '.join(sorted(known))}.")
    name = told.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= 100:
        raise rejected(f"“name” must be a text of 1 to 100 characters; got {_shown(name)}.")
    host = told.get("host", HOST)
    if host != HOST:
        raise rejected(f"“host” is {_shown(host)}, and the runners of this lab are {HOST}.")
    executables = _paths(told.get("executables", {}), "executables")
    if not executables:
        raise rejected("“executables” must name at least one: the program that is started.")
    return WorkerDescriptor(
        name=name,
        functions=_functions(told.get("functions")),
        executables=executables,
        files=_paths(told.get("files", {}), "files"),
        environment=_environment(told.get("environment", {})),
        cores=int(_within(told.get("cores", 1), "cores", 1, 1024, whole=True)),
        memory_mb=int(_within(told.get("memory_mb", 1024), "memory_mb", 16, 1 << 20, whole=True)),
        timeout_seconds=_within(told.get("timeout_seconds", 60), "timeout_seconds", 0.1, 24 * 3600),
    )


def _functions(told: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(told, list) or not 0 < len(told) <= _MOST_NAMES:
        raise refusals.worker_rejected("“functions” must be a list of objects with “name” and “version”.")
    functions = []
    for function in told:
        if not isinstance(function, Mapping) or set(function) != {"name", "version"}:
            raise refusals.worker_rejected("“functions” must be a list of objects with “name” and “version”.")
        name = function["name"]
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise refusals.worker_rejected(f"{_shown(name)} is no name for a function.")
        functions.append((name, _version(function["version"], refusals.worker_rejected)))
    if len({name for name, _ in functions}) < len(functions):
        raise refusals.worker_rejected("“functions” names a function twice.")
    return tuple(functions)


def _paths(told: Any, what: str) -> dict[str, str]:
    if not isinstance(told, Mapping) or len(told) > _MOST_NAMES:
        raise refusals.worker_rejected(f"“{what}” must be an object of relative paths and hashes.")
    for path in told:
        _check_path(path, "path", refusals.worker_rejected)
    return {path: check_hash(hash) for path, hash in told.items()}


def _environment(told: Any) -> dict[str, str]:
    sound = isinstance(told, Mapping) and all(
        isinstance(name, str)
        and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", name)
        and isinstance(value, str)
        and len(value) < 4096
        and "\0" not in value
        for name, value in told.items()
    )
    if not sound:
        raise refusals.worker_rejected("“environment” must be an object of variable names and texts.")
    return dict(told)


def _within(told: Any, what: str, least: float, most: float, whole: bool = False) -> float:
    if type(told) not in ((int,) if whole else (int, float)) or not least <= told <= most:
        raise refusals.worker_rejected(f"“{what}” must be a number from {least:g} to {most:g}; got {_shown(told)}.")
    return float(told)


def read_queue(told: Mapping[str, Any]) -> QueueConfig:
    """A queue's configuration from JSON; ``Invalid`` with the code ``queue_rejected``."""
    known = ("max_retries", "max_active", "ttl_seconds")
    if not isinstance(told, Mapping):
        raise refusals.queue_rejected(f"its configuration must be a JSON object; got {_kind(told)}.")
    if unknown := sorted(set(told) - set(known)):
        raise refusals.queue_rejected(f"it has no setting “{unknown[0]}”; there are {', '.join(known)}.")
    default = QueueConfig()
    retries, active = told.get("max_retries", default.max_retries), told.get("max_active")
    if type(retries) is not int or not 0 <= retries <= 100:
        raise refusals.queue_rejected(f"“max_retries” must be a whole number from 0 to 100; got {_shown(retries)}.")
    if active is not None and (type(active) is not int or not 1 <= active <= 10_000):
        raise refusals.queue_rejected(f"“max_active” must be a whole number from 1 to 10000; got {_shown(active)}.")
    ttl = told.get("ttl_seconds", default.ttl_seconds)
    if type(ttl) not in (int, float) or not 1 <= ttl <= 24 * 3600:
        raise refusals.queue_rejected(f"“ttl_seconds” must be a number from 1 to 86400; got {_shown(ttl)}.")
    return QueueConfig(retries, active, float(ttl))


def _version(told: Any, rejected: Any) -> str:
    try:
        return str(uuid.UUID(told))
    except (ValueError, TypeError, AttributeError):
        error: Invalid = rejected(f"the version of a function must be a UUID; got {_shown(told)}.")
        raise error from None


def _check_path(path: object, what: str, rejected: Any) -> None:
    parts = path.split("/") if isinstance(path, str) and len(path) <= 400 else [""]
    if not all(_NAME.fullmatch(part) and part != ".." for part in parts):
        error: Invalid = rejected(
            f"{_shown(path)} is no name for an {what}; use letters, digits, “_”, “-”, “.” and “/”."
            if what == "input"
            else f"{_shown(path)} is no {what}; use letters, digits, “_”, “-”, “.” and “/”, and no “..”."
        )
        raise error


def _kind(told: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(told), "a number")


def _shown(told: object) -> str:
    text = json.dumps(told, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:79] + "…"
