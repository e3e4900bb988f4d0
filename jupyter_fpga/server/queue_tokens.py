"""Names of queues that can't be guessed, for clients elsewhere. Only the doors know them; the floor has numbers."""

import hashlib
import hmac
import os
import re
import stat
import tempfile
from pathlib import Path

from jupyter_fpga.errors import Invalid, Unavailable
from jupyter_fpga.people import Person

__all__ = ("TOKEN_LENGTH", "QueueTokens")

TOKEN_LENGTH = 24
"""Characters: 8 hexadecimal digits of the queue's number, and 16 of the code that proves it."""

_FILE = "queue-tokens.key"
_SECRET_BYTES = 32
_CODE_BYTES = 8
_MOST_KNOWN = 100_000
_HEX = re.compile(rf"[0-9a-fA-F]{{{TOKEN_LENGTH}}}")


class QueueTokens:
    """Makes and reads tokens: a keyed function of the queue's number, so that nothing about them has to be stored.

    Parameters
    ----------
    secret
        The key.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._known: set[tuple[int, str]] = set()

    @classmethod
    def in_folder(cls, folder: Path) -> "QueueTokens":
        """With the secret of a lab's data folder, made the first time: tokens stay what they are after a restart.

        Raises
        ------
        Unavailable
            ``queue_secret_unusable``: it can't be read, or others can read it, too.
        """
        path = folder / _FILE
        try:
            if not path.exists():
                _write_secret(path)
            with open(path, "rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                secret = file.read(_SECRET_BYTES + 1)
        except OSError as error:
            raise _unusable(path, f"can't be read or written ({error.strerror}); make it the lab's own") from error
        if mode & 0o077:
            raise _unusable(path, f"has mode {mode:04o}, so others can read it; run `chmod 600 {path}`")
        if len(secret) != _SECRET_BYTES:
            raise _unusable(path, f"hasn't {_SECRET_BYTES} bytes; remove it, and all tokens get new values")
        return cls(secret)

    def token(self, queue_id: int) -> str:
        """The name of a queue for clients elsewhere."""
        number = queue_id.to_bytes(4, "big")
        return (number + self._code(number)).hex()

    def queue_id(self, token: str) -> int | None:
        """The number of the queue that ``token`` names; ``None`` when this lab never gave it out.

        Raises
        ------
        Invalid
            ``queue_token_malformed``
        """
        if not _HEX.fullmatch(token):
            raise malformed(token)
        told = bytes.fromhex(token)
        number = told[:-_CODE_BYTES]
        return int.from_bytes(number, "big") if hmac.compare_digest(told[4:], self._code(number)) else None

    def is_known(self, queue_id: int, person: Person) -> bool:
        """Whether it was found out already that ``person`` may use a queue from elsewhere, which never changes."""
        return (queue_id, person.name) in self._known

    def know(self, queue_id: int, person: Person) -> None:
        """Remember that it may be."""
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known.add((queue_id, person.name))

    def _code(self, number: bytes) -> bytes:
        return hashlib.blake2b(number, digest_size=_CODE_BYTES, key=self._secret, person=b"fpga-lab-queue").digest()


def malformed(text: str) -> Invalid:
    """Neither a number nor a token."""
    return Invalid(
        f"“{text[:40]}” names no queue: a token has {TOKEN_LENGTH} hexadecimal digits, and a local queue is a whole "
        "number. Take the name that the queue was made with.",
        code="queue_token_malformed",
    )


def _unusable(path: Path, why: str) -> Unavailable:
    return Unavailable(f"The secret of the queues' tokens, {path}, {why}.", code="queue_secret_unusable")


def _write_secret(path: Path) -> None:
    """Only the process that hosts the lab comes here, so nobody writes another one meanwhile."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{_FILE}-")  # mkstemp: mode 0600
    try:
        with open(descriptor, "wb") as file:
            file.write(os.urandom(_SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
