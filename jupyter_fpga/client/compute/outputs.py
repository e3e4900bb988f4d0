"""The files that an action left: read, or put into a folder."""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from jupyter_fpga.client.door import Door
from jupyter_fpga.client.errors import Invalid, Unavailable
from jupyter_fpga.client.loop import blocking, on_the_loop

__all__ = ("Outputs",)


class Outputs(Mapping[str, dict[str, Any]]):
    """The files that an action left, by name: a mapping of hashes and sizes, which reads and downloads.

    Parameters
    ----------
    door
        The way to the lab.
    files
        As in an action's result.
    """

    def __init__(self, door: Door, files: Mapping[str, dict[str, Any]]) -> None:
        self._door = door
        self._files = files

    def __getitem__(self, name: str) -> dict[str, Any]:
        return self._files[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def _known(self, name: str) -> dict[str, Any]:
        if name not in self._files:
            there = ", ".join(f"“{other}”" for other in sorted(self._files)) or "none"
            raise Invalid(f"The action left no output “{name}”; there is {there}.", code="output_not_found")
        return self._files[name]

    @on_the_loop
    async def aread(self, name: str) -> bytes:
        """The bytes of an output; ``Invalid`` with the code ``output_not_found``."""
        file = self._known(name)
        pieces: list[bytes] = []
        await self._door.receive(f"compute/chunks/{file['hash']}", file["size"], pieces.append)
        content = b"".join(pieces)
        _check(name, file, hashlib.sha256(content).hexdigest())
        return content

    @on_the_loop
    async def adownload(self, folder: str | Path, names: Iterable[str] | None = None) -> dict[str, Path]:
        """Put outputs into a folder, which is created when missing; each file appears there when it is complete.

        Parameters
        ----------
        names
            Which ones; all without.

        Returns
        -------
        dict
            The files, by the outputs' names.

        Raises
        ------
        Invalid
            ``output_not_found``, ``output_unwritable``.
        Unavailable
            ``output_damaged``: what came isn't what the action left.
        """
        wanted = list(self._files) if names is None else list(names)
        return {name: await self._download(name, Path(folder)) for name in wanted}

    async def _download(self, name: str, folder: Path) -> Path:
        file = self._known(name)
        inner = PurePosixPath(name)
        if inner.is_absolute() or ".." in inner.parts or not inner.parts:
            raise Invalid(
                f"The output “{name}” would be written outside of “{folder}”; read it with outputs.read(…) instead.",
                code="output_unwritable",
            )
        target = folder / inner
        digest = hashlib.sha256()
        fresh: str | None = None
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            descriptor, fresh = tempfile.mkstemp(dir=target.parent, prefix=".fpga-")
            with os.fdopen(descriptor, "wb") as into:

                def take(piece: bytes) -> None:
                    digest.update(piece)
                    into.write(piece)

                await self._door.receive(f"compute/chunks/{file['hash']}", file["size"], take)
            _check(name, file, digest.hexdigest())
            # As the person's other files, not as a secret of mkstemp's.
            os.chmod(fresh, 0o666 & ~_umask())
            os.replace(fresh, target)
            fresh = None
        except OSError as error:
            raise Invalid(
                f"“{target}” can't be written: {error.strerror}. Give another folder, or make room.",
                code="output_unwritable",
            ) from None
        finally:
            if fresh is not None:
                os.unlink(fresh)
        return target

    read = blocking(aread)
    download = blocking(adownload)

    def __repr__(self) -> str:
        listed = ", ".join(f"{name} ({file['size']:,} B)" for name, file in self._files.items())
        return f"<Outputs: {listed or 'none'}>"


def _umask() -> int:
    # The only way to ask for it without changing it for a moment; proc(5), since Linux 4.7. Elsewhere the usual one.
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0o022
    return next((int(line.split()[1], 8) for line in status.splitlines() if line.startswith("Umask:")), 0o022)


def _check(name: str, file: Mapping[str, Any], found: str) -> None:
    if found != file["hash"]:
        raise Unavailable(
            f"The output “{name}” didn't arrive as the action left it; download it again.",
            code="output_damaged",
            detail={"expected": file["hash"], "found": found},
        )
