"""One package instead of several requests: a ``multipart/mixed`` body with a descriptor and the chunks that it names.

Form of the body: RFC 2046, section 5.1.1. The first part is JSON; every other one is a chunk, named by its hash in an
``X-Chunk-Hash`` or ``Content-ID`` header.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

from tornado.httputil import HTTPHeaders, HTTPInputError

from jupyter_fpga.compute.actions import ComputeConfig, refusals
from jupyter_fpga.compute.actions.descriptors import check_hash
from jupyter_fpga.errors import Invalid, TooLarge
from jupyter_fpga.server.body import BodyLimit, body_too_large
from jupyter_fpga.server.receiving import Incoming, new_file, write_all

__all__ = ("CHUNK_LIMIT", "DESCRIPTOR_LIMIT", "PACKAGE_LIMIT", "Package", "boundary_of")

DESCRIPTOR_LIMIT = 1024 * 1024
"""Largest JSON body of the compute floor, bytes; the same alone and in a package."""
CHUNK_LIMIT = ComputeConfig().max_chunk_bytes
"""Largest chunk that is read at all, bytes; the lab's floor may have been given a smaller limit."""
PACKAGE_LIMIT = CHUNK_LIMIT + 2 * DESCRIPTOR_LIMIT
"""Largest package, bytes: as much in chunks as one may have alone."""
MAX_CHUNKS = 1024
"""Chunks of a package: as many as an action may have inputs."""

_MOST_HEADERS = 8 * 1024
_BOUNDARY = re.compile(r"""[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]""")
_PARAMETER = re.compile(r""";\s*boundary=(?:"([^"]*)"|([^\s;"]*))\s*(?:;|$)""", re.IGNORECASE)


def boundary_of(content_type: str) -> str:
    """What separates the parts, from a Content-Type.

    Raises
    ------
    Invalid
        ``bad_multipart``
    """
    found = _PARAMETER.search(content_type)
    boundary = (found[1] or found[2] or "") if found else ""
    if not _BOUNDARY.fullmatch(boundary):
        raise malformed("its Content-Type has no boundary")
    return boundary


def malformed(why: str) -> Invalid:
    """What can't be read as parts."""
    return Invalid(
        f"The body isn't a well-formed multipart/mixed package: {why}. Let a library write it, or send the chunks one "
        "by one with PUT.",
        code="bad_multipart",
    )


class Package(Incoming):
    """Reads a package while it comes: the descriptor into memory, each chunk into a file of its own.

    Parameters
    ----------
    limit
        How large the whole may be.
    boundary
        What separates the parts.
    folder
        Where the files are made.
    """

    def __init__(self, limit: BodyLimit, boundary: str, folder: Path) -> None:
        super().__init__(limit)
        self.descriptor = bytearray()
        self.files: list[tuple[str, Path]] = []
        """The chunks: the hash that each should have, and its file."""
        self._folder = folder
        self._delimiter = b"\r\n--" + boundary.encode("ascii")
        # The first delimiter may be the very first line.
        self._buffer = bytearray(b"\r\n")
        self._step: Callable[[], bool] = self._preamble
        self._parts = 0
        self._size = 0
        self._file = -1

    @classmethod
    def of_file(cls, body: Path, boundary: str, folder: Path) -> "Package":
        """Read a package that is in a file."""
        package = cls(BodyLimit(PACKAGE_LIMIT), boundary, folder)
        try:
            with open(body, "rb") as file:
                while block := file.read(1 << 20):
                    package.write(block)
            package.close()
        except BaseException:
            package.discard()
            raise
        return package

    def write(self, data: bytes) -> None:
        """Read on.

        Raises
        ------
        Invalid
            ``bad_multipart``, ``chunk_unnamed``, ``hash_rejected``.
        TooLarge
            The descriptor or a chunk is larger than it may be, or there are too many.
        """
        self._buffer += data
        while self._step():
            pass

    def close(self) -> None:
        """The body is complete: so must be the package."""
        if self._step != self._epilogue:
            raise malformed("it ends before its last part does")

    def discard(self) -> None:
        """Remove the files that nobody has moved."""
        self._close_file()
        for _, path in self.files:
            path.unlink(missing_ok=True)

    # --- Each step reads on in the buffer, and says whether there may be more to read in it ---

    def _preamble(self) -> bool:
        return self._until_delimiter(lambda piece: None)

    def _content(self) -> bool:
        return self._until_delimiter(self._take_piece)

    def _until_delimiter(self, take: Callable[[bytes], None]) -> bool:
        at = self._buffer.find(self._delimiter)
        # The beginning of a delimiter may be all that has come of it.
        end = at if at >= 0 else max(0, len(self._buffer) - len(self._delimiter) + 1)
        take(bytes(self._buffer[:end]))
        del self._buffer[: end if at < 0 else end + len(self._delimiter)]
        if at < 0:
            return False
        self._step = self._end_of_line
        return True

    def _end_of_line(self) -> bool:
        if self._buffer.startswith(b"--"):
            self._close_file()
            if not self._parts:
                raise malformed("it has no parts")
            self._step = self._epilogue
            return True
        at = self._buffer.find(b"\r\n")
        if at < 0:
            if len(self._buffer) > len(self._delimiter) + 80:
                raise malformed("a line with the boundary goes on after it")
            return False
        if self._buffer[:at].strip(b" \t"):
            raise malformed("a line with the boundary goes on after it")
        # The line's end stays: it is also that of a part without headers.
        del self._buffer[:at]
        self._close_file()
        self._step = self._headers
        return True

    def _headers(self) -> bool:
        at = self._buffer.find(b"\r\n\r\n")
        if (len(self._buffer) if at < 0 else at) > _MOST_HEADERS:
            raise malformed(f"the headers of a part have more than {_MOST_HEADERS} bytes")
        if at < 0:
            return False
        try:
            headers = HTTPHeaders.parse(self._buffer[2:at].decode("ascii"))
        except (HTTPInputError, UnicodeDecodeError) as error:
            raise malformed("the headers of a part can't be read") from error
        del self._buffer[: at + 4]
        self._begin_part(headers)
        self._step = self._content
        return True

    def _epilogue(self) -> bool:
        self._buffer.clear()
        return False

    # --- Parts ---

    def _begin_part(self, headers: HTTPHeaders) -> None:
        self._parts += 1
        self._size = 0
        if self._parts == 1:
            kind = headers.get("Content-Type", "application/json").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise malformed(f"its first part must be application/json, and is {kind[:80]}")
            return
        named = headers.get("X-Chunk-Hash") or headers.get("Content-ID", "").strip("<> ")
        if not named:
            raise Invalid(
                f"Part {self._parts} of the package doesn't say which chunk it is; give it an X-Chunk-Hash header with "
                "the chunk's SHA-256.",
                code="chunk_unnamed",
                detail={"part": self._parts},
            )
        hash = check_hash(named)
        if len(self.files) == MAX_CHUNKS:
            raise TooLarge(
                f"A package may have {MAX_CHUNKS} chunks, and this one has more; send the others with PUT.",
                code="package_too_large",
                detail={"limit": MAX_CHUNKS},
            )
        self._file, path = new_file(self._folder)
        self.files.append((hash, path))

    def _take_piece(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._parts == 1:
            if self._size > DESCRIPTOR_LIMIT:
                raise body_too_large(self._size, DESCRIPTOR_LIMIT, upload=False)
            self.descriptor += piece
        elif self._size > CHUNK_LIMIT:
            raise refusals.chunk_too_large(self._size, CHUNK_LIMIT)
        else:
            write_all(self._file, piece)

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
