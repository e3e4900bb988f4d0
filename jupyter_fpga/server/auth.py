"""Who is asking: the adapter between a host's authentication and the lab's :class:`Person`."""

import getpass
import hashlib
import hmac
import json
import logging
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tornado.httputil import HTTPServerRequest

from jupyter_fpga.errors import Invalid, Unavailable
from jupyter_fpga.people import ROLES, Person, Role

from .errors import NotSignedIn

__all__ = ("Authenticator", "KeyFile", "KeyFileError", "TokenAuthenticator", "local_owner", "presented_token")

log = logging.getLogger(__name__)

MIN_KEY = 16
"""Shortest key that a key file may hold, characters: a random one of that length can't be guessed over the network."""


class Authenticator(Protocol):
    """What a host knows about its people."""

    def authenticate(self, request: HTTPServerRequest) -> Person:
        """Who sent ``request``.

        Raises
        ------
        NotSignedIn
            Nobody that this host knows.
        """
        ...


def local_owner() -> Person:
    """The one person of a lab on somebody's own machine: owner of everything in it, with every role.

    Under JupyterHub it is the Hub's user. Jupyter's own anonymous users get a new name with every request and are no
    key of ownership.
    """
    name = os.environ.get("JUPYTERHUB_USER")
    if not name:
        try:
            name = getpass.getuser()
        except (KeyError, OSError):  # containers that run as a number without an entry in passwd
            name = f"uid-{os.getuid()}"
    return Person(name, frozenset(ROLES))


_SCHEME = re.compile(r"(?:token|bearer)\s+(\S+)\s*", re.IGNORECASE)


def presented_token(request: HTTPServerRequest) -> str | None:
    """The token of ``Authorization: token …`` (or ``Bearer …``), else of ``X-API-Key``; ``None`` without one."""
    match = _SCHEME.fullmatch(request.headers.get("Authorization", ""))
    return match[1] if match else request.headers.get("X-API-Key") or None


@dataclass(frozen=True)
class TokenAuthenticator:
    """One token for the owner, and named keys for other people.

    Parameters
    ----------
    owner
        Who holds ``token``.
    token
        The owner's token.
    keys
        The file of named keys, for a lab with several people.
    """

    owner: Person
    token: str
    keys: "KeyFile | None" = None

    def authenticate(self, request: HTTPServerRequest) -> Person:
        presented = presented_token(request)
        if presented is None:
            raise NotSignedIn
        if hmac.compare_digest(presented.encode(), self.token.encode()):
            return self.owner
        person = self.keys.find(presented) if self.keys is not None else None
        if person is None:
            raise NotSignedIn
        return person


class KeyFileError(Invalid):
    """The file of API keys can't be used; the message says what to change."""

    default_code = "bad_keys_file"


class KeyFile:
    """A JSON file of named API keys, read again when it changes.

    ``{"keys": [{"name": "ada", "key": "…" or "sha256": "…", "roles": ["student", "operator"]}]}``. The file holds
    secrets, so it has to belong to the user that runs the lab and be readable by nobody else (mode 0600).

    Raises
    ------
    KeyFileError
        On construction, when the file can't be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, ...] | None = None
        self._people: Mapping[str, Person] = {}
        self._refresh()

    def find(self, key: str) -> Person | None:
        """Whose ``key`` it is.

        Raises
        ------
        Unavailable
            The file has changed and can't be used: nobody gets in until it is right, since a key may have been taken
            back.
        """
        try:
            self._refresh()
        except KeyFileError as error:
            self._seen = None
            log.error("%s", error.message)
            raise Unavailable(
                "The lab's file of API keys was changed and can't be used now; "
                "whoever runs the lab finds the reason in its log.",
                code="keys_file_unusable",
            ) from error
        return self._people.get(_digest(key))

    def _refresh(self) -> None:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise KeyFileError(
                f"The keys file {self._path} can't be read ({error.strerror}); create it with mode 0600."
            ) from error
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            seen = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size, status.st_mode, status.st_uid)
            if seen == self._seen:
                return
            self._check_private(status)
            self._people = _people(self._path, file.read())
            self._seen = seen

    def _check_private(self, status: os.stat_result) -> None:
        mode = stat.S_IMODE(status.st_mode)
        if mode & 0o077:
            raise KeyFileError(
                f"The keys file {self._path} has mode {mode:04o}, so others can read its keys; "
                f"run `chmod 600 {self._path}`."
            )
        if status.st_uid not in (os.getuid(), 0):
            raise KeyFileError(
                f"The keys file {self._path} belongs to another user (uid {status.st_uid}); "
                "make it belong to the one that runs the lab."
            )


def _people(path: Path, text: bytes) -> dict[str, Person]:
    def wrong(problem: str) -> KeyFileError:
        return KeyFileError(
            f"The keys file {path} {problem}; it should look like "
            '{"keys": [{"name": "ada", "key": "…", "roles": ["student"]}]}.'
        )

    try:
        content = json.loads(text)
        entries = content["keys"]
    except (ValueError, KeyError, TypeError) as error:
        raise wrong("isn't JSON with a list `keys`") from error
    if not isinstance(entries, list):
        raise wrong("isn't JSON with a list `keys`")
    people: dict[str, Person] = {}
    roles_of: dict[str, frozenset[Role]] = {}
    for number, entry in enumerate(entries):
        where = f"has a mistake in entry {number}: "
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"].strip():
            raise wrong(where + "it needs a `name`")
        roles = entry.get("roles", ["student"])
        if not isinstance(roles, list) or not all(role in ROLES for role in roles):
            raise wrong(where + f"`roles` is a list of {', '.join(ROLES)}")
        person = Person(entry["name"], frozenset(roles) | {"student"})
        if roles_of.setdefault(person.name, person.roles) != person.roles:
            raise wrong(where + f"{person.name} has other roles in an earlier entry")
        digest = _entry_digest(entry)
        if digest is None:
            raise wrong(where + f"it needs a `key` of at least {MIN_KEY} characters, or its `sha256` in hexadecimal")
        if digest in people:
            raise wrong(where + "its key is already in an earlier entry")
        people[digest] = person
    return people


def _entry_digest(entry: dict[str, Any]) -> str | None:
    key, digest = entry.get("key"), entry.get("sha256")
    if isinstance(key, str) and digest is None:
        return _digest(key) if len(key) >= MIN_KEY else None
    if isinstance(digest, str) and key is None and re.fullmatch(r"[0-9a-fA-F]{64}", digest):
        return digest.lower()
    return None


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
