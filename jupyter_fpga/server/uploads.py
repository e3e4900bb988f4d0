"""From an upload to a design: a single file, or a bundle that is unpacked with care."""

import asyncio
import io
import json
import posixpath
import re
import stat
import zipfile
import zlib
from typing import Any

from jupyter_fpga.compute import Source
from jupyter_fpga.errors import LabError
from jupyter_fpga.fpga import refusals
from jupyter_fpga.fpga.config import SubmitOptions

from .body import Upload
from .routes import Call

__all__ = ("source_of", "unpack")

PROJECT = "mrg-project.json"
"""Where a bundle says what it is made of: the peers' format, version 1."""
MAX_FILES = 128
"""Files of a bundle, besides its project file."""
MAX_EXPANDED = 16 * 1024 * 1024
"""Bytes of a bundle's files together."""
_MAX_PROJECT = 64 * 1024

_ODD = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
    OverflowError,
)
"""What :mod:`zipfile` raises for archives that are damaged, encrypted or of a method that it doesn't know."""


async def source_of(call: Call) -> tuple[Source, SubmitOptions]:
    """The design of a submission, and what was asked with it.

    Raises
    ------
    LabError
        ``design_rejected`` or ``design_too_large``.
    """
    upload = call.upload
    assert upload is not None
    fields = upload.fields
    options = SubmitOptions(
        target=fields.target,
        tags=tuple(fields.tags),
        top=fields.top,
        sys_clk_freq=fields.sys_clk_freq,
        timing_target_mhz=fields.timing_target_mhz,
        seed=fields.seed,
        explore=fields.explore,
        probes=tuple(fields.probes),
        params=fields.params,
        priority=fields.priority,
        idempotency_key=fields.idempotency_key,
        use_cache=fields.use_cache,
        verify=fields.verify,
        flash=fields.flash,
    )
    return await _source(upload), options


async def _source(upload: Upload) -> Source:
    if upload.filename.lower().endswith(".zip"):
        # Some tens of milliseconds for the largest bundle: not on the event loop.
        return await asyncio.to_thread(unpack, upload.content)
    # Browsers may send a whole path; only its last part is the file's name.
    name = posixpath.basename(upload.filename.replace("\\", "/"))
    _check_name(name)
    return Source(files={name: upload.content}, entry=name)


def unpack(content: bytes) -> Source:
    """The files of a bundle, in memory.

    Raises
    ------
    LabError
        ``design_rejected``: not an archive, a name that leads out of it, a link, no project file, or one that names
        what isn't there. ``design_too_large``: more than 128 files or 16 MiB.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = _read(archive)
    except _BROKEN as error:
        raise refusals.design_rejected(
            "the bundle is not a zip archive that can be read. Pack it again.", reason=str(error)
        ) from error
    entry = _entry(files)
    return Source(files=files, entry=entry)


def _read(archive: zipfile.ZipFile) -> dict[str, bytes]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    count = sum(member.filename != PROJECT for member in members)
    if count > MAX_FILES:
        raise refusals.design_rejected(
            f"the bundle has {count} files, and may have {MAX_FILES}. Leave out what the design doesn't need.",
            files=count,
        )
    files: dict[str, bytes] = {}
    room = MAX_EXPANDED
    for member in members:
        name = member.filename
        _check_name(name)
        mode = member.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise refusals.design_rejected(
                f"'{name}' in the bundle is a link or a device. Put the file itself there.", file=name
            )
        if name in files:
            raise refusals.design_rejected(
                f"the bundle has two files called '{name}'. Give each a name of its own.", file=name
            )
        with archive.open(member) as file:
            # What the archive says about sizes need not be true: read no more than there is room for.
            data = file.read(room + 1)
        room -= len(data)
        if room < 0:
            raise refusals.design_too_large("The bundle, unpacked,", MAX_EXPANDED)
        files[name] = data
    return files


def _check_name(name: str) -> None:
    parts = name.split("/")
    if len(name.encode(errors="replace")) > 255 or any(part in ("", ".", "..") for part in parts) or _ODD.search(name):
        shown = name if len(name) <= 80 else name[:79] + "…"
        raise refusals.design_rejected(
            f"{shown!r} can't be the name of one of its files. Use a plain relative name such as 'lib/fifo.py'.",
            file=shown,
        )


def _entry(files: dict[str, bytes]) -> str:
    if PROJECT not in files:
        raise refusals.design_rejected(
            f'the bundle has no {PROJECT}. Add one: {{"version": 1, "entrypoint": "design.py", "verilog_sources": []}}.'
        )
    project = _project(files[PROJECT])
    if project.get("version") != 1:
        raise refusals.design_rejected(
            f"{PROJECT} has version {project.get('version')!r}, and this lab reads version 1."
        )
    entry = project.get("entrypoint")
    if not isinstance(entry, str) or entry not in files or entry == PROJECT:
        raise _not_there("entrypoint", entry)
    sources = project.get("verilog_sources", [])
    if not isinstance(sources, list):
        raise refusals.design_rejected(
            f"{PROJECT} names {sources!r} as verilog_sources, which is not a list of its files.",
            field="verilog_sources",
        )
    for source in sources:
        if not isinstance(source, str) or source not in files:
            raise _not_there("verilog_sources", source)
    return entry


def _project(text: bytes) -> dict[str, Any]:
    try:
        if len(text) > _MAX_PROJECT:
            raise ValueError("too long")
        project = json.loads(text)
        if not isinstance(project, dict):
            raise ValueError("not an object")
    except (ValueError, RecursionError) as error:
        raise refusals.design_rejected(
            f"{PROJECT} is not a JSON object. Write it as one.", reason=str(error)
        ) from error
    return project


def _not_there(field: str, value: Any) -> LabError:
    return refusals.design_rejected(
        f"{PROJECT} names {value!r} as {field}, and the bundle has no such file.", field=field
    )
