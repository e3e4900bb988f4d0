"""What a person hands over as a design, as the one file that the API takes."""

import io
import json
import zipfile
from pathlib import Path

from .errors import Invalid

__all__ = ("PROJECT_FILE", "bundle", "load_files", "load_source")

#: Names the entry of a bundle: the peer system's file, kept.
PROJECT_FILE = "mrg-project.json"

_ENTRIES = ("design.py", "design.v", "top.py", "top.v")
_SUFFIXES = (".py", ".v", ".zip")
# ZIP's first possible moment: a bundle's bytes depend on its files and nothing else.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def load_source(source: str | bytes | Path, filename: str | None = None) -> tuple[str, bytes]:
    """The file name and content of a submission.

    Parameters
    ----------
    source
        A path to a ``.py``, ``.v`` or ``.zip`` file or to a folder; or the text of a design, which has more than one
        line; or bytes.
    filename
        What text or bytes are called: ``design.py`` when not given, ``design.zip`` for the bytes of a ZIP file.

    Raises
    ------
    Invalid
        ``design_rejected``: there is no such file, or not of such a kind.
    """
    if isinstance(source, bytes):
        return filename or ("design.zip" if source.startswith(b"PK\x03\x04") else "design.py"), source
    if isinstance(source, str) and "\n" in source:
        return filename or "design.py", source.encode()
    path = Path(source)
    if path.is_dir():
        return "design.zip", _folder(path)
    if path.suffix.lower() not in _SUFFIXES:
        raise Invalid(
            f"“{path}” is neither a folder nor a file that ends in .py, .v or .zip; "
            "give one of those, or the text of a design.",
            code="design_rejected",
        )
    try:
        return filename or path.name, path.read_bytes()
    except OSError as error:
        raise Invalid(f"The design “{path}” can't be read: {error.strerror}.", code="design_rejected") from None


def load_files(source: str | bytes | Path, filename: str | None = None) -> tuple[dict[str, bytes], str]:
    """The files of a submission by name, and which of them is the entry.

    Parameters
    ----------
    source, filename
        As of :func:`load_source`.

    Raises
    ------
    Invalid
        ``design_rejected``
    """
    name, content = load_source(source, filename)
    if not name.lower().endswith(".zip"):
        return {name: content}, name
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = {inner.filename: archive.read(inner) for inner in archive.infolist() if not inner.is_dir()}
        told = json.loads(files[PROJECT_FILE]) if PROJECT_FILE in files else {}
        entry = told.get("entrypoint") or next((known for known in _ENTRIES if known in files), None)
    except (zipfile.BadZipFile, ValueError, AttributeError, NotImplementedError, RuntimeError) as error:
        raise Invalid(f"The bundle “{name}” can't be read: {error}.", code="design_rejected") from None
    if entry not in files:
        raise Invalid(
            f"The bundle “{name}” has no {entry or ' or '.join(_ENTRIES[:2])}, with which the design would begin.",
            code="design_rejected",
        )
    return files, entry


def bundle(files: dict[str, bytes], entry: str) -> bytes:
    """A ZIP file of ``files`` whose entry is ``entry``; equal content gives equal bytes."""
    project = {
        "version": 1,
        "entrypoint": entry,
        "verilog_sources": sorted(name for name in files if name.endswith(".v") and name != entry),
    }
    content = {PROJECT_FILE: json.dumps(project).encode(), **files}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(content):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content[name], zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _folder(path: Path) -> bytes:
    """A folder as a bundle; hidden files, caches and links stay out."""
    files = {
        inner.relative_to(path).as_posix(): inner.read_bytes()
        for inner in sorted(path.rglob("*"))
        if inner.is_file()
        and not inner.is_symlink()
        and not any(part.startswith((".", "__pycache__")) for part in inner.relative_to(path).parts)
    }
    if PROJECT_FILE in files:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in sorted(files):
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), files[name], zipfile.ZIP_DEFLATED)
        return packed.getvalue()
    for entry in _ENTRIES:
        if entry in files:
            return bundle(files, entry)
    raise Invalid(
        f"The folder “{path}” has neither {PROJECT_FILE} nor a {' or '.join(_ENTRIES[:2])}; "
        f'add {PROJECT_FILE} with {{"version": 1, "entrypoint": "…"}}.',
        code="design_rejected",
    )
