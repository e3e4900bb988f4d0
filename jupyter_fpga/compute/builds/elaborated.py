"""What the stage ``elaborate`` left, read for what it is: files that a stranger's program may have written itself.

Results are shared between people by the netlist's digest, so the lab computes that digest, from the text that it gives
to the tools; and a manifest is believed only as far as it can't harm whoever works with it.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_fpga.gateware.manifest import Analyzer, Manifest, Memory, Register

__all__ = ("ABOUT", "MANIFEST", "Elaborated", "Unbelievable", "netlist_digest", "read_elaborated")

ABOUT = "netlist.json"
MANIFEST = "manifest.json"

_MOST_BYTES = {ABOUT: 64 * 1024, MANIFEST: 8 * 1024 * 1024}
"""A manifest of the whole window's registers has some megabytes."""
_WINDOW = 1 << 20

#: Bytes of answers that a bridge may keep: a position in them has 14 bits. 0 is a bridge without frames.
_ANSWER_DEPTHS = (0, 256, 512, 1024, 2048, 4096, 8192, 16384)
"""Bytes of the largest window of all targets."""
_WIDEST = 4096
"""Bits of a sample of the widest analyzer of all targets."""
_MOST_SAMPLED = 1 << 17
"""Bits of all samples of the largest analyzer of all targets."""
_LONGEST_NAME = 500
"""Characters of a register's name."""

_PLACE = re.compile(r"\s*attribute \\src ")
"""A line that says where something comes from. The stage ``synthesize`` drops each of them: nothing can hide there."""
_PLACED_NAME = re.compile(r"(\$\w+)\$[^\s$]+?:\d+(?:\.\d+(?:-\d+\.\d+)?)?(?=\$)")
"""``$add$design.v:12$34``: Yosys names what it makes by the place it comes from. What remains is still one name for
one thing, since Yosys refuses a netlist that has a name twice."""


class Unbelievable(ValueError):
    """The files are not what an elaboration leaves. The text says how so."""


@dataclass(frozen=True)
class Elaborated:
    """An elaborated design.

    Parameters
    ----------
    files
        Names of the netlist's files, ``netlist.json`` included: what the stage ``synthesize`` gets.
    netlist_digest
        SHA-256, in hex, of what the netlist means: places in the person's text are left out.
    manifest
        Without digest and identifier.
    manifest_digest
        SHA-256 of its text, in hex.
    """

    files: tuple[str, ...]
    netlist_digest: str
    manifest: Manifest
    manifest_digest: str


def read_elaborated(paths: Mapping[str, Path], target: str) -> Elaborated:
    """Read the outputs of the stage ``elaborate``.

    Parameters
    ----------
    paths
        Its files by name.
    target
        The target that it was asked for.

    Raises
    ------
    Unbelievable
        They can't be used.
    """
    about = _object(paths, ABOUT)
    names = about.get("files")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise Unbelievable(f"{ABOUT} names no files")
    if missing := [name for name in names if name not in paths or name in (ABOUT, MANIFEST)]:
        raise Unbelievable(f"{ABOUT} names {missing[0][:80]!r}, which is not a part of a netlist")
    if about.get("language") not in ("rtlil", "verilog") or not isinstance(about.get("whole_soc"), bool):
        raise Unbelievable(f"{ABOUT} says neither rtlil nor verilog")
    try:
        manifest = Manifest.from_json(_object(paths, MANIFEST))
        text = manifest.dumps().encode()
    except (TypeError, ValueError) as error:
        raise Unbelievable(f"{MANIFEST} is not a manifest: {error}") from error
    _check_manifest(manifest, target)
    return Elaborated(
        files=(ABOUT, *names),
        netlist_digest=netlist_digest(about, {name: paths[name] for name in names}),
        manifest=manifest,
        manifest_digest=hashlib.sha256(text).hexdigest(),
    )


def netlist_digest(about: Mapping[str, Any], files: Mapping[str, Path]) -> str:
    """SHA-256, in hex, of what a netlist means.

    Parameters
    ----------
    about
        The content of ``netlist.json``.
    files
        The files that it names. Of RTLIL, places in the person's text are left out; everything else counts as it is.
    """
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name in sorted(files):
        content = hashlib.sha256()
        if about["language"] == "rtlil":
            # The lines as `synthesize` sees them, which is what makes it safe to leave some out.
            with open(files[name], encoding="utf-8", errors="surrogateescape") as lines:
                for line in _without_places(lines):
                    content.update(line.encode("utf-8", "surrogateescape"))
        else:
            content.update(files[name].read_bytes())
        digest.update(content.digest())
    return digest.hexdigest()


def _without_places(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        if _PLACE.match(line) is None:
            yield _PLACED_NAME.sub(r"\1", line)


def _object(paths: Mapping[str, Path], name: str) -> dict[str, Any]:
    path = paths[name]
    if path.stat().st_size > _MOST_BYTES[name]:
        raise Unbelievable(f"{name} is larger than {_MOST_BYTES[name]} bytes")
    try:
        content = json.loads(path.read_bytes(), parse_constant=_not_json, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise Unbelievable(f"{name} is not JSON") from error
    if not isinstance(content, dict):
        raise Unbelievable(f"{name} is not a JSON object")
    return content


def _not_json(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _not_json(text)


def _check_manifest(manifest: Manifest, target: str) -> None:
    """Refuse numbers that would make the lab work, wait or reserve memory without end, or reach beyond the design."""
    size = manifest.window.size
    addresses = [getattr(manifest.control, name) for name in ("scratch", "bus_errors", "cycles", "overflow")]
    addresses += [manifest.control.identifier, manifest.window.base]
    owners: list[Register | Memory] = [*manifest.registers, *manifest.memories]
    for right, what in (
        (manifest.target == target, "its target is another"),
        (1 <= manifest.clock_hz <= 10**10, "its clock can't be"),
        (1200 <= manifest.baud <= 10**8, "its baud rate can't be"),
        (1 <= manifest.fifo_depth <= 1 << 16, "its FIFO can't be"),
        (manifest.answer_depth in _ANSWER_DEPTHS, "its answers can't be"),
        (0 <= size <= _WINDOW and size % 4 == 0, "its window can't be"),
        (all(0 <= address < 1 << 32 and address % 4 == 0 for address in addresses), "an address can't be"),
        (1 <= manifest.control.identifier_words <= 256, "its identifier can't be"),
        (len(owners) <= size // 4, "it has more registers than words"),
        (len(manifest.pins) <= 1000, "it has more pins than a board"),
        (manifest.analyzer is None or _is_believable(manifest.analyzer), "its analyzer can't be"),
    ):
        if not right:
            raise Unbelievable(f"{MANIFEST} can't be right: {what}")
    for owner in owners:
        _check_place(owner, size)


def _is_believable(analyzer: Analyzer) -> bool:
    """Whether a base with such an analyzer may be built: there are not many, and none is large."""
    width, depth = analyzer.width, analyzer.depth
    return (
        width in range(32, _WIDEST + 1, 32)
        and depth in (1 << bits for bits in range(4, 13))
        and width * depth <= _MOST_SAMPLED
        and len(analyzer.probes) <= analyzer.room
        and all(
            0 < len(probe.name) <= _LONGEST_NAME
            and probe.name.isprintable()
            and "," not in probe.name
            and probe.width >= 1
            and 0 <= probe.lsb <= analyzer.room - probe.width
            for probe in analyzer.probes
        )
    )


def _check_place(owner: Register | Memory, window: int) -> None:
    bits, bytes_used = (32, 4 * owner.words) if isinstance(owner, Memory) else (32 * owner.words, owner.size)
    right = (
        0 < len(owner.name) <= _LONGEST_NAME
        and owner.offset >= 0
        and owner.offset % 4 == 0
        and owner.words >= 1
        and 0 < bytes_used <= window - owner.offset
        and 1 <= owner.width <= bits
    )
    if right and isinstance(owner, Register):
        array = owner.array
        right = (
            owner.width > bits - 32
            and 0 <= owner.reset < 1 << owner.width
            and (array is None or (array.length >= 1 and array.stride >= 4 * owner.words and array.stride % 4 == 0))
            and all(field.width >= 1 and 0 <= field.lsb <= owner.width - field.width for field in owner.fields)
        )
    if not right:
        raise Unbelievable(f"{MANIFEST} can't be right: {owner.name[:80]!r} is not a part of the window")
