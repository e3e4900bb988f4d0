"""Landlock: which files and folders a program may open, kept by the kernel without any name space.

By ctypes, as neither Python nor most machines have a library for it. Numbers and structures are those of
``linux/landlock.h``; what each version of the kernel's interface adds is in landlock(7).

What it can't limit, whatever the version: ``stat``, ``readlink``, ``chdir``, ``chmod``, ``chown``, ``utime``, extended
attributes, and connections to sockets with a path. :mod:`seccomp` and :mod:`warden` see to those.
"""

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ("SCOPES_SINCE", "Rule", "landlock_version", "make_ruleset", "without")

# The same numbers on every architecture.
_CREATE_RULESET, _ADD_RULE = 444, 445
_ASK_VERSION = 1
_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
_MAKE_SOCK, _MAKE_FIFO, _MAKE_SYM = 1 << 9, 1 << 10, 1 << 12
_REFER, _TRUNCATE = 1 << 13, 1 << 14

_KNOWN_SINCE = ((1, 0x1FFF), (2, _REFER), (3, _TRUNCATE), (5, 1 << 15))
"""Which rights on files a version adds: with 5, ``ioctl`` on devices."""
_TCP = 0b11
"""Bind and connect, from version 4 on. No port is ever allowed."""
_SCOPES = 0b11
"""Abstract UNIX sockets and signals of processes outside."""
SCOPES_SINCE = 6
"""The version that keeps programs of one user from sending signals to one another."""
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | 1 << 15
"""Rights that a rule on something else than a folder may name."""

Access = Literal["read", "work", "device"]

_READ = _EXECUTE | _READ_FILE | _READ_DIR
_GRANTED: dict[Access, int] = {
    "read": _READ,
    # Neither device files nor, since it has no sockets, their names; a board that listens on one makes it by bind.
    "work": _READ
    | _WRITE_FILE
    | _REMOVE_DIR
    | _REMOVE_FILE
    | _MAKE_DIR
    | _MAKE_REG
    | _MAKE_SOCK
    | _MAKE_FIFO
    | _MAKE_SYM
    | _REFER
    | _TRUNCATE,
    "device": _READ_FILE | _WRITE_FILE | _TRUNCATE,
}

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Rule:
    """What may be done with a file, or with a folder and everything in it.

    Parameters
    ----------
    path
        On the machine; links are followed.
    access
        ``read``: read and execute; ``work``: everything but device files; ``device``: read and write.
    """

    path: Path
    access: Access


def landlock_version() -> int:
    """The version of the kernel's interface; 0 where it has none, or it isn't switched on."""
    version = int(_libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION))
    return max(version, 0)


def make_ruleset(rules: Iterable[Rule], version: int) -> int:
    """A descriptor for ``landlock_restrict_self``: everything is denied but what the rules name.

    Parameters
    ----------
    rules
        Rules of things that don't exist are left out.
    version
        Which interface to use, at most :func:`landlock_version`.

    Raises
    ------
    OSError
        The kernel refuses.
    """
    handled = 0
    for since, rights in _KNOWN_SINCE:
        handled |= rights if version >= since else 0
    attributes = struct.pack("<Q", handled)
    if version >= 4:
        attributes += struct.pack("<Q", _TCP)
    if version >= SCOPES_SINCE:
        attributes += struct.pack("<Q", _SCOPES)
    ruleset = _call(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    os.set_inheritable(ruleset, False)
    try:
        for rule in rules:
            _add(ruleset, rule, handled)
    except BaseException:
        os.close(ruleset)
        raise
    return ruleset


def _add(ruleset: int, rule: Rule, handled: int) -> None:
    try:
        place = os.open(rule.path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        allowed = _GRANTED[rule.access] & handled
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            allowed &= _OF_FILES
        _call(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("<Qi", allowed, place), 0)
    finally:
        os.close(place)


def _call(number: int, *arguments: object) -> int:
    result = int(_libc.syscall(number, *arguments))
    if result < 0:
        error = ctypes.get_errno() or errno.EIO
        raise OSError(error, os.strerror(error))
    return result


def without(path: Path, hidden: Collection[Path]) -> Iterator[Path]:
    """A folder, or as many of its parts as leave out what is hidden: a rule can't take back what another one gives.

    Links among the parts are left out; what they lead to inside the folder is there anyway.
    """
    if path in hidden:
        return
    if not any(place.is_relative_to(path) for place in hidden):
        yield path
        return
    for part in sorted(path.iterdir()):
        if not part.is_symlink():
            yield from without(part, hidden)
