"""Immutable files named by the SHA-256 of their content."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

__all__ = ("Blob", "BlobStore", "digest_of", "replace_file")


@dataclass(frozen=True)
class Blob:
    """Name of a content.

    Parameters
    ----------
    hash
        SHA-256 in hex.
    size
        Bytes.
    executable
        Whether it is a program; the same content may be kept as both.
    """

    hash: str
    size: int
    executable: bool = False


def digest_of(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that others see it whole or not at all.

    It isn't forced to the disk: what a power cut spoils is noticed by its form or its hash, and made again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two threads may write the same file at the same time: two boards that are reset ask for the same base.
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    fresh.write_bytes(content)
    os.replace(fresh, path)


class BlobStore:
    """A folder of contents.

    Parameters
    ----------
    folder
        Where they are kept. Sandboxes of other users get single files of it, so the files are readable for all; the
        folder's own parents keep others out.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, blob: Blob) -> Path:
        """Where a content is, if it is there."""
        return self._folder / blob.hash[:2] / (blob.hash + (".x" if blob.executable else ""))

    def add(self, path: Path) -> Blob:
        """Take a file into the store; it is moved, from a folder on the same file system."""
        blob = Blob(digest_of(path), path.stat().st_size, os.access(path, os.X_OK))
        target = self.path(blob)
        target.parent.mkdir(exist_ok=True)
        os.chmod(path, 0o555 if blob.executable else 0o444)
        os.replace(path, target)
        return blob

    def take(self, path: Path, hash: str) -> Blob | None:
        """Take a file in that should have a hash, and see to it that it is on the disk for good.

        Returns ``None``, and leaves the file where it is, when it has another. A file on another file system is
        copied first.
        """
        if path.stat().st_dev != self._folder.stat().st_dev:
            path = Path(shutil.move(path, self._folder / f"{secrets.token_hex(8)}.new"))
        if digest_of(path) != hash:
            return None
        with open(path, "rb") as file:
            os.fsync(file.fileno())
        os.chmod(path, 0o644)  # the program bit is for results alone
        blob = self.add(path)
        descriptor = os.open(self.path(blob).parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return blob

    def put(self, content: bytes) -> Blob:
        """Keep a content that is no program."""
        blob = Blob(hashlib.sha256(content).hexdigest(), len(content))
        path = self.path(blob)
        if not self.check(blob):
            replace_file(path, content)
            os.chmod(path, 0o444)
        return blob

    def find(self, hash: str) -> Path | None:
        """Where a content is, program or not; ``None`` if it isn't there."""
        for executable in (False, True):
            path = self.path(Blob(hash, 0, executable))
            if path.exists():
                return path
        return None

    def check(self, blob: Blob) -> bool:
        """Whether a content is there and is what its name says; a spoilt one is removed."""
        path = self.path(blob)
        try:
            sound = path.stat().st_size == blob.size and digest_of(path) == blob.hash
        except FileNotFoundError:
            return False
        if not sound:
            path.unlink(missing_ok=True)
        return sound

    def copy_out(self, blob: Blob, target: Path) -> None:
        """Put a content into a folder under a name of its own, as a hard link where that is possible."""
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(self.path(blob), target)
        except OSError:
            shutil.copy(self.path(blob), target)

    def sweep(self, keep: Collection[str]) -> int:
        """Remove all contents whose hash isn't in ``keep``; returns how many bytes that freed."""
        freed = 0
        for path in self._folder.glob("??/*"):
            if path.name.removesuffix(".x") not in keep:
                freed += path.stat().st_size
                path.unlink()
        return freed
