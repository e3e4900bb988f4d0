"""A recording of actions, read from its folder."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_fpga.client.errors import Invalid

from .contents import Content
from .posting import Posting

__all__ = ("Recorded", "read_recording")

#: Names in the folder, as the lab writes them.
_ACTIONS, _CHUNKS = "actions.jsonl", "chunks"
_KEPT = ("function", "function_version", "inputs", "constants", "priority")


@dataclass(frozen=True)
class Recorded:
    """An action of a recording.

    Parameters
    ----------
    number
        Its place, from 1.
    worker
        Who computed it.
    posting
        As it is posted again.
    """

    number: int
    worker: str
    posting: Posting

    @property
    def function(self) -> str:
        """Its function."""
        return str(self.posting.body["function"])


def read_recording(folder: str | Path, *, cache: bool) -> list[Recorded]:
    """The actions of a recording, the oldest first.

    Raises
    ------
    Invalid
        ``recording_unreadable``
    """
    path = Path(folder) / _ACTIONS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise Invalid(
            f"There is no recording in “{folder}”: {_ACTIONS} can't be read ({error.strerror}). Give the folder that "
            "the lab named when the recording was stopped.",
            code="recording_unreadable",
        ) from None
    recorded = []
    for number, line in enumerate(lines, 1):
        try:
            recorded.append(_recorded(number, json.loads(line), Path(folder) / _CHUNKS, cache))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Invalid(
                f"Line {number} of “{path}” is no action of a recording; record again, or remove the line.",
                code="recording_unreadable",
            ) from None
    return recorded


def _recorded(number: int, told: Mapping[str, Any], chunks: Path, cache: bool) -> Recorded:
    contents = {
        content["hash"]: Content(content["hash"], content["size"], chunks / content["hash"])
        for content in told["inputs"].values()
    }
    body = {name: told[name] for name in _KEPT if name != "priority" or told[name]}
    return Recorded(number, told["worker"], Posting(body if cache else {**body, "cache": "skip"}, contents))
