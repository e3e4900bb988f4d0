"""Functions that run inside the lab, without a runner: for health checks, and to measure what everything else costs."""

import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jupyter_fpga.compute.cache.blobs import digest_of

__all__ = ("BUILTINS", "builtin_version")


def builtin_version(function: str, number: int) -> str:
    """The version of a built-in, ``noop@1`` say, as a UUID that is the same in every lab."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"jupyter_fpga:{function}@{number}"))


def _noop(constants: Mapping[str, Any], inputs: Mapping[str, Path]) -> None:
    return None


def _hash(constants: Mapping[str, Any], inputs: Mapping[str, Path]) -> dict[str, str]:
    return {name: digest_of(path) for name, path in inputs.items()}


BUILTINS: Mapping[tuple[str, str], Callable[[Mapping[str, Any], Mapping[str, Path]], Any]] = {
    ("noop", builtin_version("noop", 1)): _noop,
    ("hash", builtin_version("hash", 1)): _hash,
}
"""By function and version: from constants and the files of the inputs to the result's ``value``."""
