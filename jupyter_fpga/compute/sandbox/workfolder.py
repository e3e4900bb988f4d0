"""What goes into a program's work folder, and what is taken out of it again.

Whatever a stranger's program left behind is not followed: a symbolic or hard link, a FIFO or a device under an
output's name would make the lab read or wait for something else.
"""

import os
import secrets
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from jupyter_fpga.errors import LabError

__all__ = ("BadOutput", "clear", "collect", "put", "size_of_folder")

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LOOK = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC


_DEEPEST = 8
"""Folders in one another that outputs are looked for in."""

_DEEPEST_COUNTED = 64
"""Folders in one another that are counted."""


class BadOutput(LabError):
    """A program left something under an output's name that isn't a plain file of acceptable size."""

    default_code = "bad_output"


def put(folder: int, files: Mapping[str, bytes | Path]) -> None:
    """Write input files into a folder where nobody else is at work yet.

    Parameters
    ----------
    folder
        Descriptor of the work folder.
    files
        Content, or the file to copy, by name; names may have folders in them (``source/design.py``).
    """
    for name, content in files.items():
        *parents, last = name.split("/")
        inside = os.dup(folder)
        try:
            for parent in parents:
                with suppress(FileExistsError):  # an earlier input made it
                    os.mkdir(parent, 0o755, dir_fd=inside)
                inside, outside = os.open(parent, _FOLDER, dir_fd=inside), inside
                os.close(outside)
            target = os.open(last, _NEW_FILE, 0o644, dir_fd=inside)
        finally:
            os.close(inside)
        with os.fdopen(target, "wb") as file:
            os.fchmod(target, 0o644)  # whatever the lab's umask says, the program is another user
            file.write(content if isinstance(content, bytes) else content.read_bytes())


def collect(folder: int, names: Sequence[str], into: Path, *, max_bytes: int, max_files: int = 1000) -> dict[str, Path]:
    """Copy a program's outputs out of its work folder.

    Parameters
    ----------
    folder
        Descriptor of the work folder. Nothing may run in it any more.
    names
        Names of files; ``folder/`` stands for all files below that folder, and ``*`` for everything, both
        without hidden files. What isn't there is left out.
    into
        Where to put them, under the same names. Executables stay executable.
    max_bytes, max_files
        Bounds of the sum of their sizes and of their number.

    Returns
    -------
    dict
        Name → copy.

    Raises
    ------
    BadOutput
        A name leads to something that isn't a plain file with one link, or there is too much.
    """
    copies: dict[str, Path] = {}
    left = max_bytes
    for name in _expand(folder, names, max_files):
        source = _open_inside(folder, name)
        if source is None:
            continue
        try:
            facts = os.fstat(source)
            if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
                raise BadOutput(f"The program left {name} as something else than a plain file; it was not read.")
            left -= facts.st_size
            if left < 0 or len(copies) >= max_files:
                raise BadOutput(
                    f"The program's outputs are larger than {max_bytes >> 20} MiB or more than {max_files} files; they "
                    "were not read."
                )
            copies[name] = into / name
            copies[name].parent.mkdir(parents=True, exist_ok=True)
            _copy(source, copies[name], facts)
        finally:
            os.close(source)
    return copies


def _copy(source: int, target: Path, facts: os.stat_result) -> None:
    mode = 0o755 if facts.st_mode & 0o100 else 0o644
    with open(os.open(target, _NEW_FILE, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)
        left = facts.st_size
        while left and (chunk := os.read(source, min(left, 1 << 20))):
            file.write(chunk)
            left -= len(chunk)


def _expand(folder: int, names: Sequence[str], max_files: int) -> Iterator[str]:
    for name in names:
        if name == "*":
            yield from _walk(folder, "", max_files)
        elif name.endswith("/"):
            yield from _walk(folder, name, max_files)
        else:
            yield name


def _walk(folder: int, below: str, max_files: int) -> Iterator[str]:
    """Names of everything below a folder that isn't a folder, hidden files left out; a link to a folder is a file."""
    if below.count("/") > _DEEPEST:
        raise BadOutput(f"The program left folders deeper than {_DEEPEST} in one another; they were not read.")
    inside = _open_inside(folder, below.rstrip("/") or ".", _FOLDER)
    if inside is None:
        return
    try:
        with os.scandir(inside) as entries:
            # One more than is allowed, so that the sum is seen to be too large.
            listed = islice((entry for entry in entries if not entry.name.startswith(".")), max_files + 1)
            found = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in listed)
    finally:
        os.close(inside)
    for name, is_folder in found:
        if is_folder:
            yield from _walk(folder, f"{below}{name}/", max_files)
        else:
            yield below + name


def _open_inside(folder: int, name: str, flags: int = _LOOK) -> int | None:
    """Open a name below a folder without following a link anywhere on the way; None if it isn't there."""
    *parents, last = name.split("/")
    if ".." in (*parents, last):
        raise BadOutput(f"{name} is not in the work folder; it was not read.")
    inside = os.dup(folder)
    try:
        for parent in parents:
            inside, outside = os.open(parent, _FOLDER, dir_fd=inside), inside
            os.close(outside)
        return os.open(last, flags, dir_fd=inside)
    except FileNotFoundError:
        return None
    except OSError as error:
        # ELOOP and ENOTDIR: a link; ENXIO: a socket; EACCES: closed to everybody.
        raise BadOutput(f"The program left {name} as something else than a plain file; it was not read.") from error
    finally:
        os.close(inside)


def size_of_folder(folder: int, *, max_files: int) -> tuple[int, int]:
    """Bytes on disk and number of entries below a folder, counting no further than ``max_files`` + 1 entries.

    Folders that the program closed to everybody are opened again, for what is in them counts. Folders deeper in one
    another than anybody needs count as too many entries.
    """
    return _size(folder, max_files, 0)


def _size(folder: int, most: int, depth: int) -> tuple[int, int]:
    if depth > _DEEPEST_COUNTED:
        return 0, most + 1
    size = count = 0
    inner = []
    with os.scandir(folder) as entries:
        for entry in entries:
            count += 1
            if count > most:
                return size, count
            with suppress(FileNotFoundError):
                size += entry.stat(follow_symlinks=False).st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    inner.append(entry.name)
    for name in inner:
        try:
            inside = _open_closed(name, folder)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue  # it is no more what it was a moment ago; the next look counts it
        try:
            more, entered = _size(inside, most - count, depth + 1)
        finally:
            os.close(inside)
        size, count = size + more, count + entered
        if count > most:
            break
    return size, count


def _open_closed(name: str, folder: int) -> int:
    """Open a folder; what its owner has closed is opened for the owner again, whom no link can lead elsewhere."""
    try:
        return os.open(name, _FOLDER, dir_fd=folder)
    except PermissionError:
        place = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.chmod(f"/proc/self/fd/{place}", 0o700)
            return os.open(".", _FOLDER, dir_fd=place)
        finally:
            os.close(place)


def clear(folder: int) -> None:
    """Remove everything in a folder where nobody is at work any more, however deep it is and whatever is closed in it.

    Folders in folders are moved up before they are emptied: deeper ones than there are descriptors, or than Python
    calls functions in one another, take no more than others.

    Parameters
    ----------
    folder
        Its descriptor.

    Raises
    ------
    OSError
        Something can't be removed.
    """
    fresh = (f".{secrets.token_hex(8)}" for _ in iter(int, 1))
    while names := os.listdir(folder):
        for name in names:
            try:
                inside = _open_closed(name, folder)
            except NotADirectoryError:
                os.unlink(name, dir_fd=folder)
                continue
            try:
                os.fchmod(inside, 0o700)
                for part in os.listdir(inside):
                    try:
                        deeper = _open_closed(part, inside)
                    except NotADirectoryError:
                        os.unlink(part, dir_fd=inside)
                        continue
                    os.fchmod(deeper, 0o700)  # its ".." changes
                    os.close(deeper)
                    os.rename(part, next(fresh), src_dir_fd=inside, dst_dir_fd=folder)
            finally:
                os.close(inside)
            os.rmdir(name, dir_fd=folder)
