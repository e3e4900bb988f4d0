"""What people submit: checked as far as it can be without building, and kept as files."""

import asyncio
import io
import os
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from sqlalchemy import insert, select

from jupyter_fpga.compute.builds.design import Source
from jupyter_fpga.fpga import refusals
from jupyter_fpga.fpga.floor import Floor
from jupyter_fpga.fpga.moves import Move
from jupyter_fpga.store.tables import sources

__all__ = ("Kept", "check", "keep", "load", "remember")

LANGUAGES = (".py", ".v")
"""What the name of an entry may end with."""

SINGLE_BYTES = 1 << 20
"""One file alone."""

BUNDLE_BYTES = 16 << 20
"""All files of a bundle."""

BUNDLE_FILES = 128 + 1
"""The person's, and the one that says what the bundle is made of."""


class Kept:
    """A source that is on disk.

    Parameters
    ----------
    digest
        SHA-256 of its files and their names.
    path
        Where it is, below the data folder.
    """

    def __init__(self, digest: str, source: Source, path: str) -> None:
        self.digest = digest
        self.filename = source.entry
        self.size = sum(map(len, source.files.values()))
        self.path = path


def check(source: Source) -> None:
    """Refuse what can't be a design.

    Raises
    ------
    Invalid
        ``design_rejected``: no text, empty, an unknown kind of file.
    TooLarge
        ``design_too_large``.
    """
    entry = source.entry
    if entry not in source.files:
        raise refusals.design_rejected(f"its entry '{entry}' is not among its files.", entry=entry)
    if PurePosixPath(entry).suffix not in LANGUAGES:
        raise refusals.design_rejected(
            f"'{entry}' is neither a Python nor a Verilog file. Give it a name that ends with .py or .v.", entry=entry
        )
    if len(source.files) > BUNDLE_FILES:
        raise refusals.design_rejected(
            f"it has {len(source.files)} files, and a bundle may have {BUNDLE_FILES}. "
            "Leave out what the design doesn't need.",
            files=len(source.files),
        )
    size = sum(map(len, source.files.values()))
    if len(source.files) == 1 and size > SINGLE_BYTES:
        raise refusals.design_too_large(f"The file '{entry}'", SINGLE_BYTES)
    if size > BUNDLE_BYTES:
        raise refusals.design_too_large("The bundle", BUNDLE_BYTES)
    text = source.files[entry]
    if not text.strip():
        raise refusals.design_rejected(f"'{entry}' is empty. Put a design into it.", entry=entry)
    if (nul := text.find(b"\0")) >= 0:
        line = text.count(b"\n", 0, nul) + 1
        raise refusals.design_rejected(
            f"'{entry}' is not text: byte {nul}, in line {line}, is a NUL. Save it as UTF-8 text.",
            entry=entry,
            line=line,
        )
    try:
        text.decode()
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1
        raise refusals.design_rejected(
            f"'{entry}' is not UTF-8 text (byte {error.start}, in line {line}). Save it as UTF-8.",
            entry=entry,
            line=line,
        ) from None


async def keep(data_dir: Path, source: Source) -> Kept:
    """Write a source to disk, so that it is there whatever happens from now on."""
    return await asyncio.to_thread(_keep, data_dir, source)


def remember(move: Move, kept: Kept) -> None:
    """Note a source in the store."""
    known = move.tx.execute(select(sources.c.digest).where(sources.c.digest == kept.digest)).one_or_none()
    if known is None:
        row = {"digest": kept.digest, "filename": kept.filename, "size": kept.size, "path": kept.path}
        move.tx.execute(insert(sources), row)


async def load(floor: Floor, digest: str) -> Source:
    """A source that was kept."""
    row = await floor.read(
        lambda connection: connection.execute(select(sources).where(sources.c.digest == digest)).mappings().one()
    )
    return await asyncio.to_thread(_load, floor.data_dir / row["path"], row["filename"])


def _keep(data_dir: Path, source: Source) -> Kept:
    digest = source.digest
    folder = data_dir / "sources" / digest[:2]
    path = folder / f"{digest}.zip"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(_packed(source))
            file.flush()
            os.fsync(file.fileno())
        os.replace(file.name, path)
        for directory in (folder, folder.parent, data_dir):
            _sync(directory)
    return Kept(digest, source, str(path.relative_to(data_dir)))


def _packed(source: Source) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(source.files):
            archive.writestr(zipfile.ZipInfo(name), source.files[name], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _load(path: Path, entry: str) -> Source:
    with zipfile.ZipFile(path) as archive:
        return Source(files={name: archive.read(name) for name in archive.namelist()}, entry=entry)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
